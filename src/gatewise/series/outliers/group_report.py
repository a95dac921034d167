"""Report of groups: sentences about other scales, standstills and levels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.outliers.groups import Group
from gatewise.series.outliers.report import number, rounded
from gatewise.series.panel import Series
from gatewise.series.wording import counted, format_date

NEAR = 30  # values on each side of a level
POWER = 0.15  # difference of a factor and a power of ten that is stated instead


def describe_groups(groups: Sequence[tuple[Series, Group]], total: int, treatment: str) -> tuple[str, ...]:
    """A sentence for each kind of group: the first one, and the number of other series with such groups.

    Arguments:
        groups: with their series.
        total: number of all series.
        treatment: "report", "clip" or "missing".
    """
    sentences = []
    for kind in dict.fromkeys(group.kind for _, group in groups):
        same = [(series, group) for series, group in groups if group.kind == kind]
        first = same[0][0]
        of_first = [group for series, group in same if series is first]
        others = len({id(series) for series, _ in same}) - 1
        more = f"; so it is in {counted(others, 'other')} of {total} series" if others else ""
        more += f"; outliers={treatment!r} leaves them as they are" if treatment != "report" else ""
        sentences += [_describe(first, group) for group in of_first[:-1]]
        sentences.append(_describe(first, of_first[-1]) + more)
    return tuple(sentences)


def _describe(series: Series, group: Group) -> str:
    rows, name = group.rows, f"series {str(series.unique_id)!r}"
    whole = rows[-1] - rows[0] + 1 == len(rows)
    if group.kind == "standstill":
        return f"standstill: {len(rows)} values of {name} equal {number(group.size)} {_span(series, rows)}"
    if group.kind == "level":
        near = np.r_[series.y[max(rows[0] - NEAR, 0) : rows[0]], series.y[rows[-1] + 1 : rows[-1] + 1 + NEAR]]
        others = rounded(float(np.median(near)))
        return f"level: {_which(series, rows)} are about {rounded(group.size)}, {_beside(series, rows)} about {others}"
    times = _times(group.size)
    if whole and len(rows) > 1:
        return f"level: {_which(series, rows)} are about {times} {_beside(series, rows)}"
    verb = "is" if len(rows) == 1 else "are"
    first = f"{number(series.y[rows[0]])} {_on(series.ds[rows[0]])}"
    example = first if len(rows) == 1 else f"the first {first}"
    return f"scale: {len(rows)} of {len(series)} values of {name} {verb} about {times} the others ({example})"


def _times(factor: float) -> str:
    """A factor with two digits, or the power of ten that it is close to.

    >>> _times(930.0), _times(0.00997), _times(464.0)
    ('1,000 times', '1/100 of', '460 times')
    """
    size = max(factor, 1 / factor)
    power = 10.0 ** round(np.log10(size))
    size = power if abs(size / power - 1) < POWER else float(f"{size:.2g}")
    return f"{size:,.10g} times" if factor > 1 else f"1/{size:,.10g} of"


def _which(series: Series, rows: np.ndarray) -> str:
    of = f"{len(rows)} values of series {str(series.unique_id)!r}"
    if rows[-1] == len(series) - 1:
        return f"the last {of}, since {format_date(series.ds[rows[0]])},"
    if rows[0] == 0:
        return f"the first {of}, until {format_date(series.ds[rows[-1]])},"
    return f"{of} {_span(series, rows)}"


def _beside(series: Series, rows: np.ndarray) -> str:
    if rows[-1] == len(series) - 1:
        return "those before"
    return "those after" if rows[0] == 0 else "the others"


def _span(series: Series, rows: np.ndarray) -> str:
    return f"from {format_date(series.ds[rows[0]])} to {format_date(series.ds[rows[-1]])}"


def _on(date: Any) -> str:
    return f"on {format_date(date)}" if isinstance(date, pd.Timestamp) else f"at time {date}"
