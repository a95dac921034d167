"""Findings: what the user should look at in the series that were read.

Letters: T time steps.
"""

from collections.abc import Iterable

import numpy as np

from gatewise.series.frequency import describe_frequency, steps_and_phases
from gatewise.series.outliers.group_report import describe_groups
from gatewise.series.outliers.groups import Group
from gatewise.series.outliers.report import describe_constants, describe_outliers, stuck_series
from gatewise.series.outliers.search import search_all, without_named
from gatewise.series.outliers.treatment import untreated
from gatewise.series.panel import Panel, Series, concatenated
from gatewise.series.reading.numbers.sentinels import sentinel_rows, sentinels
from gatewise.series.values import FILL_LIMIT, FILLS
from gatewise.series.wording import and_more, counted, format_date

NAMED = 5  # series in a sentence
SHORT = 1 / 5  # of the median length
SEASONS = 2  # that a series should have


def findings(panel: Panel) -> tuple[str, ...]:
    """A sentence for everything in the series of a panel that the user should look at, beside its warnings."""
    repeated = sentinels(panel)
    as_read = [untreated(series) for series in panel.series]
    named = sentinel_rows(as_read) if repeated else {}
    found, groups = search_all(as_read, panel.freq, named)
    stuck = stuck_series(panel.series, panel.season)
    groups = [(series, group) for series, group in groups if not _ends(series, group, stuck)]
    return (
        *repeated,
        *(describe_outliers(without_named(found, panel.warnings)) if panel.outliers == "report" else ()),
        *describe_groups(groups, len(panel.series), panel.outliers),
        *describe_constants(panel.series, panel.season),
        *_longest_gap(panel),
        *_mostly_missing(panel),
        *_short(panel),
        *_phases(panel),
    )


def _ends(series: Series, group: Group, stuck: set[str]) -> bool:
    """Whether a group is the constant end of a series, which has its own sentence."""
    return group.kind == "standstill" and group.rows[-1] == len(series) - 1 and str(series.unique_id) in stuck


def _named(names: Iterable[str], count: int) -> str:
    names = list(names)
    return ", ".join(names[:NAMED]) + and_more(count - NAMED if count > NAMED else 0)


def _longest_gap(panel: Panel) -> tuple[str, ...]:
    """The longest gap of all series, if it is longer than a season."""
    gaps = [(*longest_run(series.filled), series) for series in panel.series if series.filled is not None]
    if not gaps:
        return ()
    length, start, series = max(gaps, key=lambda gap: gap[0])
    if length <= max(panel.season, SEASONS):
        return ()
    span = f"{format_date(series.ds[start])} to {format_date(series.ds[start + length - 1])}"
    fill = f"filled {FILLS[panel.fill]}" if panel.fill in FILLS else "kept as missing values"
    return (f"gaps: the longest gap is {counted(length, 'date')}, {span}, in {str(series.unique_id)!r}, {fill}",)


def longest_run(condition: np.ndarray) -> tuple[int, int]:
    """The length and the start of the longest run of True in (T,) booleans.

    >>> longest_run(np.array([True, False, True, True, False]))
    (2, 2)
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], condition, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    longest = int((ends - starts).argmax()) if len(starts) else 0
    return (int(ends[longest] - starts[longest]), int(starts[longest])) if len(starts) else (0, 0)


def _mostly_missing(panel: Panel) -> tuple[str, ...]:
    """Series whose missing values stay missing, more than a third of them."""
    sparse = [(series, series.filled) for series in panel.series if series.masked and series.filled is not None]
    sparse = [(series, missing) for series, missing in sparse if missing.mean() > FILL_LIMIT]
    if not sparse:
        return ()
    names = (f"{str(series.unique_id)!r} ({missing.sum()} of {len(missing)} values)" for series, missing in sparse)
    return (
        f"missing: {_named(names, len(sparse))}: more than a third of the values on the calendar "
        f"{describe_frequency(panel.freq)}; use such forecasts with care",
    )


def _short(panel: Panel) -> tuple[str, ...]:
    """Series much shorter than the rest."""
    lengths = np.array([len(series) for series in panel.series])
    median = float(np.median(lengths))
    short = np.flatnonzero((lengths < SHORT * median) & (lengths < max(SEASONS * panel.season, SEASONS + 1)))
    if not len(short):
        return ()
    names = (_length(panel.series[k]) for k in short)
    return (f"short: {_named(names, len(short))}; the median series has {counted(int(median), 'value')}",)


def _length(series: Series) -> str:
    return f"{str(series.unique_id)!r} ({counted(len(series), 'value')})"


def _phases(panel: Panel) -> tuple[str, ...]:
    """Series whose dates lie between those of the others, such as odd and even hours."""
    indexes = {id(series.ds): series.ds for series in panel.series}  # many series share one
    _, phases = steps_and_phases(concatenated([ds[:1] for ds in indexes.values()]), panel.freq)
    if len(set(phases.tolist())) < 2:
        return ()
    phase_of = dict(zip(indexes, phases.tolist(), strict=True))
    examples = {phase_of[id(series.ds)]: series for series in reversed(panel.series)}
    names = (f"{str(series.unique_id)!r} (first {format_date(series.ds[0])})" for series in examples.values())
    return (
        f"phases: the dates of some series lie between those of others, such as {_named(names, len(examples))}; each "
        f"is forecast at its own dates, with steps of {panel.freq}",
    )
