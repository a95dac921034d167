"""Groups of values that no neighbourhood can judge: another scale, or one value repeated.

A run of outliers longer than half a window looks like a usual level, and its neighbours like outliers. Two kinds of
groups are therefore found in all values of a series at once:

- Scale: the logarithms of the absolute values have a gap, and the medians of both sides differ by a factor of at least
  100. The smaller side is the group, unless it repeats with a period.
- Standstill: a value is repeated more often in a row than the other values of the series make likely.

Letters: `S` series, `N` values of all series, `T` values of a series, `K` runs.
"""

from typing import NamedTuple

import numpy as np

from gatewise.series.outliers.layout import Layout

FACTOR = 70.0  # of the medians: about 100
GAP, SPREADS = 1.0, 2.0  # decades, and in units of the range of the larger side
MOST_SCALED = 0.4  # of the values of a series; no side is the usual one if both are large
DUST, WIDEST = 1e-12, 0.7  # of the largest value, and in decades
LEVEL_FACTOR, LEVEL_GAP, LEVEL_LENGTH = 4.0, 0.5, (3, 10)  # of a level at an end, which has neighbours on one side only
FEWEST, FEWEST_REPEATED = 3, 8  # values beside the group
FEWEST_WITH_LEVEL = 24  # values of a series
PERIODIC, PERIODS = 0.75, 4  # fraction of a group that lies one period before others, and fewest runs
SHORTEST, MOST_RUNS, TIMES = 3, 3, 2  # equal values in a row; standstills of a series; the next run is so much shorter
LEAST_REST, USUALLY_REPEATED = 0.25, 0.5  # other values of a series, and those of them that repeat the last one
FEWEST_ALIKE = 3  # values that show how often this value is repeated
WHOLE_SEASONS = 3  # that show whether a run is one of each season
UNLIKELY = 0.001  # standstills by chance, of all series


class Group(NamedTuple):
    """Values of one series.

    Attributes:
        kind: "scale", "standstill", or "level" (see `judgement`).
        rows: (R,) positions, ascending.
        size: the factor between the group and the other values, the repeated value, or the median of the level.
    """

    kind: str
    rows: np.ndarray
    size: float


def groups(y: np.ndarray, layout: Layout, observed: np.ndarray, season: int = 1) -> list[Group]:
    """The groups of many series, with positions among all values.

    >>> values = 100.0 + np.random.default_rng(0).normal(size=60)
    >>> values[50:] *= 1000
    >>> [(kind, len(rows), round(size, -1)) for kind, rows, size in groups(values, Layout(np.array([60])), values > 0)]
    [('scale', 10, 1000.0)]
    """
    repeated = _standstills(y, layout, observed, season)
    standing = np.zeros(len(y), bool)
    for group in repeated:
        standing[group.rows] = True
    parts = _parts(layout, _with_gap(y, layout, observed))
    scaled = [group for start, part in parts for group in _scaled(y[part], observed[part], start)]
    scaled = [group for group in scaled if not standing[group.rows].all()]
    for group in scaled:
        standing[group.rows] = False
    return scaled + [group for group in repeated if standing[group.rows].all()]


def _parts(layout: Layout, series: np.ndarray) -> list[tuple[int, slice]]:
    return [
        (start, slice(start, start + n))
        for start, n in zip(layout.starts[series].tolist(), layout.lengths[series].tolist(), strict=True)
    ]


# -------------------------------------------------------------------------------------------------------------- scale


def _with_gap(y: np.ndarray, layout: Layout, observed: np.ndarray) -> np.ndarray:
    """The series whose absolute values have a gap."""
    size = np.abs(y)
    usable = observed & (size > DUST * np.maximum.reduceat(size, layout.starts)[layout.codes])
    largest = np.maximum.reduceat(np.where(usable, size, 0.0), layout.starts)
    smallest = np.minimum.reduceat(np.where(usable, size, np.inf), layout.starts)
    wide = np.flatnonzero(largest > LEVEL_FACTOR * smallest)
    if not len(wide):
        return wide
    part = Layout(layout.lengths[wide])
    rows = np.flatnonzero(np.isin(layout.codes, wide))
    ordered = part.ordered(np.where(usable[rows], size[rows], smallest[wide][part.codes]))
    ratio = np.where(part.back > 0, np.roll(ordered, -1), ordered) / ordered
    return wide[np.maximum.reduceat(ratio, part.starts) > 10**LEVEL_GAP]


def _scaled(y: np.ndarray, observed: np.ndarray, start: int) -> list[Group]:
    """The values of one series that are far larger, or far smaller, than the others."""
    rows = np.flatnonzero(observed & (np.abs(y) > DUST * np.abs(y).max()))
    order = rows[np.argsort(np.abs(y[rows]), kind="stable")]
    x = np.log10(np.abs(y[order]))
    gaps = np.diff(x)
    at = int(gaps.argmax()) + 1
    low, high = x[:at], x[at:]
    if len(order) < FEWEST + 1:
        return []
    above = len(high) <= len(low)
    few, many = (high, low) if above else (low, high)
    members = np.sort(order[at:] if above else order[:at])
    others = order[:at] if above else order[at:]
    factor = 10 ** abs(float(np.median(high) - np.median(low)))
    at_end = len(y) >= FEWEST_WITH_LEVEL and _at_end(members, len(y))
    smallest, least = (LEVEL_FACTOR, LEVEL_GAP) if at_end else (FACTOR, GAP)
    far = gaps[at - 1] > max(least, SPREADS * float(np.ptp(many))) and gaps[at - 1] > float(np.ptp(few))
    if not far or factor < smallest or len(few) > MOST_SCALED * len(order) or len(many) < FEWEST:
        return []
    if not above and (np.ptp(many) > WIDEST or np.ptp(np.sign(y[others]))):  # such values are small by chance
        return []
    if len(set(np.sign(y[others]))) == 1 and (np.sign(y[members]) != np.sign(y[others[0]])).any():
        return []
    if _periodic(members, len(y)):
        return []
    return [Group("scale", members + start, factor if above else 1 / factor)]


def _at_end(rows: np.ndarray, size: int) -> bool:
    """Whether rows are the first or the last few values of a series."""
    least, most = LEVEL_LENGTH
    whole = rows[-1] - rows[0] + 1 == len(rows)
    return bool(whole and least <= len(rows) <= most and (rows[0] == 0 or rows[-1] == size - 1))


def _periodic(rows: np.ndarray, size: int) -> bool:
    """Whether most rows lie one period before other rows."""
    lengths = np.diff(np.flatnonzero(np.diff(rows, prepend=-2, append=size + 2) > 1))
    if len(lengths) < PERIODS:
        return False
    marked = np.zeros(2 * size)
    marked[rows] = 1.0
    transformed = np.fft.rfft(marked)
    matches = np.fft.irfft(transformed * transformed.conj(), len(marked))[: size // 2 + 1]
    inside = np.cumsum(marked[:size])[size - 1 - np.arange(size // 2 + 1)]
    lags = np.arange(len(matches))
    valid = (lags > lengths.max()) & (2 * inside >= len(rows))
    return bool((valid & (matches > PERIODIC * inside)).any())


# --------------------------------------------------------------------------------------------------------- standstills


def _standstills(y: np.ndarray, layout: Layout, observed: np.ndarray, season: int) -> list[Group]:
    """The longest runs of equal values of each series, if chance makes them unlikely."""
    rows = np.flatnonzero(observed)
    if not len(rows):
        return []
    codes, x = layout.codes[rows], y[rows]
    new_series = codes[1:] != codes[:-1]
    first = np.flatnonzero(np.r_[True, (x[1:] != x[:-1]) | new_series])
    lengths, of_run = np.diff(np.append(first, len(x))), codes[first]
    size = np.bincount(codes, minlength=len(layout.lengths))
    runs = np.bincount(of_run, minlength=len(layout.lengths))
    longest = np.zeros(len(size), np.intp)
    np.maximum.at(longest, of_run, lengths)
    chance = np.clip((size - runs - MOST_RUNS * longest) / np.maximum(size, 1), 0, 1)
    suspicious = np.flatnonzero((longest >= SHORTEST) & (runs > 1) & (longest >= _shortest(chance, len(y))))
    result: list[Group] = []
    for code in suspicious.tolist():
        begin, end = np.searchsorted(of_run, [code, code + 1]).tolist()
        chosen = begin + _unlikely(x[first[begin:end]], lengths[begin:end], len(y))
        if len(chosen) and _seasonal(first[chosen], int(lengths[chosen].min()), season, int(size[code])):
            continue
        result += [Group("standstill", rows[first[k] : first[k] + lengths[k]], float(x[first[k]])) for k in chosen]
    return result


def _unlikely(values: np.ndarray, lengths: np.ndarray, total: int) -> np.ndarray:
    """The longest runs of a series, as many as are far longer than the others.

    Arguments:
        values, lengths: (K,) of the runs.
        total: number of values of all series.
    """
    order = np.argsort(-lengths, kind="stable")
    for count in range(min(MOST_RUNS, len(order) - 1), 0, -1):
        chosen, others = order[:count], order[count:]
        shortest, rest = int(lengths[chosen[-1]]), int(lengths[others].sum())
        enough = rest >= max(FEWEST_REPEATED, LEAST_REST * lengths.sum())
        if shortest < max(SHORTEST, TIMES * int(lengths[others[0]])) or not enough:
            continue
        repeats = np.bincount(np.unique(values[others], return_inverse=True)[1], lengths[others])
        alike = float((repeats * (repeats - 1)).sum()) / (rest * (rest - 1))
        chance = max(
            (rest - len(others)) / rest, alike, *(_repeats(v, values[others], lengths[others]) for v in values[chosen])
        )
        if chance <= USUALLY_REPEATED and shortest >= _shortest(np.array([chance]), total)[0]:
            return np.sort(chosen)
    return order[:0]


def _repeats(value: float, values: np.ndarray, lengths: np.ndarray) -> float:
    """The fraction of a value, among other runs, that follows the same value; 0 if there are few."""
    runs = lengths[values == value]
    return float(1 - len(runs) / runs.sum()) if runs.sum() >= FEWEST_ALIKE else 0.0


def _seasonal(first: np.ndarray, shortest: int, season: int, size: int) -> bool:
    """Whether runs may be a part of each season, such as the night of a day."""
    if shortest >= season:
        return False
    apart = (np.diff(first) + season // 4) % season
    return size < WHOLE_SEASONS * season if len(first) == 1 else bool((apart <= season // 2).all())


def _shortest(chance: np.ndarray, total: int) -> np.ndarray:
    """The shortest run that is unlikely if each value repeats the last one with this chance."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.maximum(1 + np.log(UNLIKELY / total) / np.log(chance), SHORTEST))
