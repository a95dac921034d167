"""Sentinels: values such as -999, repeated far outside the range of all others, that seem to mark missing values."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gatewise.series.panel import Panel, Series
from gatewise.series.wording import counted, format_date

LEAST_OTHERS, MANY_OTHERS, LEAST_POSITIVE = 5, 20, 10.0
RANGES, FACTOR = 30.0, 3.0
ROUND = (-1.0, -2.0, -5.0, -8.0)  # leading digits of round negative codes such as -200


class Sentinel(NamedTuple):
    """A value that is repeated far outside the range of the others.

    Attributes:
        value: the value.
        rows: (C,) its rows.
        low, high: range of the other values.
    """

    value: float
    rows: np.ndarray
    low: float
    high: float


def sentinels(panel: Panel) -> tuple[str, ...]:
    """A sentence for each value that seems to mark missing values of the target or of a covariate.

    >>> from gatewise.series import read
    >>> sentinels(read([5.0, 7.0, -999.0, 6.5, 5.5, -999.0, 7.5, 6.0]))
    ("series 'y': -999 occurs 2 times, far outside the other values (5 to 7.5), the first at 2; if it marks missing
    values, pass missing='-999' (--missing -999)",)
    """
    found = defaultdict(list)
    for column, series_values in _columns(panel):
        for k in _suspicious(series_values):
            for sentinel in find_sentinels(series_values[k]):
                found[column, sentinel.value].append((panel.series[k], sentinel))
    return tuple(_describe(column, group) for (column, _), group in found.items())


def sentinel_rows(series: Sequence[Series]) -> dict[int, np.ndarray]:
    """By `id` of a series with sentinels, (T,) which values of its target are some."""
    values = [s.y if s.filled is None else np.where(s.filled, np.nan, s.y) for s in series]
    found = ((series[k], values[k], find_sentinels(values[k])) for k in _suspicious(values))
    return {id(one): np.isin(y, [sentinel.value for sentinel in some]) for one, y, some in found if some}


def _columns(panel: Panel) -> Iterator[tuple[str, list[np.ndarray]]]:
    """The observed target of each series, and the covariates that are numbers."""
    yield "", [s.y if s.filled is None else np.where(s.filled, np.nan, s.y) for s in panel.series]
    covariates = panel.covariates
    if covariates is None:
        return
    for kind, names in (("past", covariates.past_features), ("known", covariates.known_features)):
        for j, name in enumerate(names):
            if name in getattr(covariates, kind):
                yield name, [getattr(series, kind)[:, j] for series in panel.series]


def _suspicious(series_values: list[np.ndarray]) -> list[int]:
    """The series whose lowest or highest value is repeated, and not within the range of the others; all at once."""
    if not series_values:
        return []
    starts = np.cumsum([0, *map(len, series_values)])[:-1]
    values, chosen = np.concatenate(series_values), np.zeros(len(starts), bool)
    codes = np.repeat(np.arange(len(starts)), [len(part) for part in series_values])
    for signed in (values, -values):
        signed = np.where(np.isfinite(signed), signed, np.inf)
        low = np.minimum.reduceat(signed, starts)
        is_low = signed == low[codes]
        others = np.minimum.reduceat(np.where(is_low, np.inf, signed), starts)
        high = np.maximum.reduceat(np.where(is_low | np.isinf(signed), -np.inf, signed), starts)
        with np.errstate(invalid="ignore"):  # a series without values
            is_apart = (others - low > high - others) | ((low < 0) & (others >= 0))
        is_repeated = np.add.reduceat(is_low.astype(np.int64), starts) > 1
        chosen |= is_repeated & is_apart & (high >= others) & (low != 0)
    return np.flatnonzero(chosen).tolist()


def find_sentinels(values: np.ndarray) -> tuple[Sentinel, ...]:
    """The values of a series that are repeated far below or above all others.

    A value is a sentinel if it occurs at least twice, there are at least 5 different other values, and it lies outside
    their range by more than 30 times this range and 3 times their largest magnitude. Codes, which chance rarely gives,
    need less distance:

    - 999, 9999, ... and -9, -99, ...: one range; 9, 99: three ranges.
    - Round negative values such as -200: one range if the others are not negative, else three.
    - The only negative value, if it is -9, -99, ... and there are 20 others, or -1 and the others are at least 10.

    Zero is no sentinel.

    >>> find_sentinels(np.array([5, 7, 1e20, 6, 8, 9, 1e20]))[0].rows
    array([2, 6])
    """
    finite = np.flatnonzero(np.isfinite(values))
    distinct, counts = np.unique(values[finite], return_counts=True)
    result: list[Sentinel] = []
    for _ in range(2):  # one below and one above
        for at in (0, -1):
            if len(distinct) > LEAST_OTHERS and counts[at] > 1 and distinct[at] != 0:
                others = distinct[1:] if at == 0 else distinct[:-1]
                if _is_far(float(distinct[at]), others):
                    rows = np.flatnonzero(values == distinct[at])
                    result.append(Sentinel(float(distinct[at]), rows, float(others[0]), float(others[-1])))
                    distinct, counts = others, counts[1:] if at == 0 else counts[:-1]
    return tuple(result)


def _is_far(value: float, others: np.ndarray) -> bool:
    """Whether a value lies far outside a sorted range of others, for its kind of number."""
    low, high = float(others[0]), float(others[-1])
    distance, width, size = max(low - value, value - high), high - low, max(abs(low), abs(high))
    text = f"{abs(value):.10g}".replace(".", "")
    is_nines = set(text) == {"9"}
    if value < 0 <= low and ((is_nines and len(others) >= MANY_OTHERS) or (value == -1 and low >= LEAST_POSITIVE)):
        return True
    is_round = value <= -10 and value / 10 ** np.floor(np.log10(-value)) in ROUND
    if is_nines or is_round:
        is_clear = len(text) > 2 or value < 0 if is_nines else low >= 0
        return distance > (1 if is_clear else 3) * width and abs(value) > size
    return distance > RANGES * width and distance > FACTOR * size


def _describe(column: str, group: list[tuple[Series, Sentinel]]) -> str:
    series, sentinel = group[0]
    number = _number(sentinel.value)
    count, name = sum(len(other.rows) for _, other in group), f"series {str(series.unique_id)!r}"
    where = f"covariate {column!r} of {name}" if column else name
    if len(group) > 1:
        where += f" and {counted(len(group) - 1, 'other series')}"
    low, high = min(other.low for _, other in group), max(other.high for _, other in group)
    return (
        f"{where}: {number} occurs {counted(count, 'time')}, far outside the other values ({_number(low)} to "
        f"{_number(high)}), the first at {format_date(series.ds[int(sentinel.rows[0])])}; if it marks missing values, "
        f"pass missing={number!r} (--missing{'=' if number.startswith('-') and 'e' in number else ' '}{number})"
    )


def _number(value: float) -> str:
    """A number with all its digits: 1000000000, not 1e+09."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
