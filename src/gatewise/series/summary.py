"""Summary: what was understood of a table, before anything is trained."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gatewise.arguments import plain
from gatewise.series.errors import DataError
from gatewise.series.frequency import longer_season_length
from gatewise.series.panel import FEWEST, FEWEST_OF_MANY, Panel, Series, length_of
from gatewise.series.reading.files.sources import Source, load
from gatewise.series.reading.read import read
from gatewise.series.seasonality import SEASONS_NEEDED, seasonal
from gatewise.series.values import NO_FILL
from gatewise.series.wording import FEW, counted, format_date, quote_first, quoted, truncate

ENDS = 3  # values shown at each end
MOST_TESTED = 100  # series that are tested for a season
LONGEST_TESTED = 20_000  # values at the end of a series that are tested
MOST_COLUMNS = 12  # listed
REASON_LENGTH = 300  # characters


@dataclass(frozen=True)
class Summary:
    """What was understood of a table; `str` gives the text.

    Attributes:
        panel: the series as read; None if the table cannot be read at all.
        warnings: a sentence for everything that the user should look at.
        error: why a forecast would refuse the table as it is, with the remedy; None if it would not.
        columns: a line for each column of a table that cannot be read as series.
    """

    panel: Panel | None
    warnings: tuple[str, ...] = ()
    error: str | None = None
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [] if self.panel is None else [summarize(self.panel)]
        if self.columns:
            parts.append("\n".join(f"  {line}" for line in self.columns))
        if self.warnings:
            parts.append("\n".join(["Warnings", *(f"  {warning}" for warning in self.warnings)]))
        if self.error is not None:
            parts.append(f"Error\n  {self.error}")
        return "\n\n".join(parts)


def check(source: Source, **columns: Any) -> Summary:
    """Read a table and report what was understood of it, without training.

    If a forecast would refuse the table, for example because of gaps, the summary shows the series with gaps and
    without those that have errors, and `Summary.error` says why, with the remedy.

    Arguments:
        source, columns: as for `gatewise.read`.

    Returns:
        The summary: columns, calendar, repairs, seasons, lengths, ranges, first and last values, excluded series.

    Raises:
        DataError: an argument that is no argument of `gatewise.read`, or of a wrong value.

    >>> sales = [112, 118, 132, 129, 121, 135, 148, 148, 136, 119]
    >>> print(check(pd.DataFrame({"Month": pd.date_range("1949-01", periods=10, freq="MS"), "sales": sales})))
      time column: 'Month' (the only column of dates)
      target column: 'sales' (the only other column)
      frequency: MS (month start), inferred from 10 dates
      series 'sales': 10 values, 1949-01-01 to 1949-10-01, from 112 to 148
      seasons: not tested (10 values)
      first values: 1949-01-01 112, 1949-02-01 118, 1949-03-01 132
      last values: 1949-08-01 148, 1949-09-01 136, 1949-10-01 119
    """
    try:
        panel = read(source, **columns)
        return Summary(panel, panel.warnings, _too_short(panel))
    except DataError as error:
        readable = _readable(source, columns)
        if readable is not None:
            return Summary(readable, readable.warnings, str(error))
        return Summary(None, error=str(error), columns=_columns(source))


def _too_short(panel: Panel) -> str | None:
    """Why a forecast with the defaults refuses series, which are too short; None if it does not."""
    longest, shortest = max(panel.series, key=len), min(panel.series, key=len)
    for series, fewest in ((longest, FEWEST), (shortest, FEWEST_OF_MANY if len(panel) > 1 else 0)):
        if len(series) < fewest and (series is longest or panel.on_bad == "raise"):
            remedy = "" if series is longest else ", or on_bad='skip' or 'naive' (--on-bad naive)"
            return f"{length_of(series)}, expected at least {fewest}; use a longer series{remedy}"
    return None


def _readable(source: Source, columns: dict[str, Any]) -> Panel | None:
    """The series of a table that a forecast refuses, with gaps and without series that have errors."""
    try:
        return read(source, **{**columns, "fill": columns.get("fill") or NO_FILL, "on_bad": "skip"})
    except DataError:
        return None


def _columns(source: Source) -> tuple[str, ...]:
    """The columns of a table, each with its range or an example."""
    try:
        table = load(source)
    except DataError:
        return ()
    names = table.frame.columns[:MOST_COLUMNS]
    more = len(table.frame.columns) - len(names)
    lines = [f"column {name!r}: {_content(table.frame[name])}" for name in names]
    return (counted(len(table.frame), "row"), *lines, *([f"... and {counted(more, 'column')} more"] if more else []))


def _content(column: pd.Series) -> str:
    present = column.dropna()
    missing = f", {len(column) - len(present)} missing" if len(present) < len(column) else ""
    if not len(present):
        return "empty"
    if pd.api.types.is_numeric_dtype(present) and not pd.api.types.is_bool_dtype(present):
        return f"numbers from {_short(float(present.min()))} to {_short(float(present.max()))}{missing}"
    return f"{counted(present.nunique(), 'value')} such as {quoted(plain(present.iloc[0]))}{missing}"


def summarize(panel: Panel) -> str:
    """What was understood of a table, a line for each fact."""
    lines = [*panel.guesses, describe(panel), _seasons(panel), *_ends(panel), *_excluded(panel)]
    return "\n".join(f"  {line}" for line in lines)


def describe(panel: Panel) -> str:
    """The series of a panel: its only one, or their number and lengths.

    >>> table = pd.DataFrame({"day": [0, 1, 2], "a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, None]})
    >>> print(describe(read(table, layout="columns")))
    2 series: 'a', 'b'; from 1 to 3
      2 ('b') to 3 ('a') values each, median 2.5; time 0 to 2
    """
    time = "time " if isinstance(panel.freq, int) else ""
    extent = f"from {_short(_extreme(panel, np.nanmin))} to {_short(_extreme(panel, np.nanmax))}"
    if len(panel) == 1:
        series = panel.series[0]
        dates = f"{format_date(series.ds[0])} to {format_date(series.ds[-1])}"
        return f"series {str(series.unique_id)!r}: {counted(len(series), 'value')}, {time}{dates}, {extent}"
    shortest, longest = min(panel.series, key=len), max(panel.series, key=len)
    values = (
        f"{len(shortest)} ({str(shortest.unique_id)!r}) to {len(longest)} ({str(longest.unique_id)!r}) values each, "
        f"median {np.median([len(series) for series in panel.series]):g}"
    )
    if len(shortest) == len(longest):
        values = f"{counted(len(shortest), 'value')} each"
    first, last = min(series.ds[0] for series in panel.series), max(series.ds[-1] for series in panel.series)
    return (
        f"{len(panel)} series: {quote_first(series.unique_id for series in panel.series)}; {extent}\n"
        f"    {values}; {time}{format_date(first)} to {format_date(last)}"
    )


def _extreme(panel: Panel, extreme: Any) -> float:
    return float(extreme([extreme(series.recorded) for series in panel.series]))


def _short(value: float) -> str:
    """A number with at most six digits, or all digits of a whole number."""
    return f"{value:.0f}" if abs(value) < 1e15 and value == round(value) else f"{value:.6g}"


def _seasons(panel: Panel) -> str:
    """The seasons of the calendar that are significant in the series."""
    longest = max(len(series) for series in panel.series)
    seasons = [m for m in (panel.season, longer_season_length(panel.freq)) if m > 1]
    tested = [m for m in seasons if SEASONS_NEEDED * m <= min(longest, LONGEST_TESTED)]
    if not tested:
        unknown = "" if seasons else f", frequency {panel.freq} has no usual season"
        return f"seasons: not tested ({counted(longest, 'value')}{unknown})"
    return f"seasons: {'; '.join(_season(panel, m) for m in tested)}"


def _season(panel: Panel, season: int) -> str:
    """How many series have a significant season of so many steps."""
    long = [series for series in panel.series if len(series) >= SEASONS_NEEDED * season]
    chosen = [long[k] for k in np.unique(np.linspace(0, len(long) - 1, MOST_TESTED).astype(int))]
    found = sum(bool(_is_seasonal(series, season)) for series in chosen)
    steps = counted(season, "step")
    if len(panel) == 1:
        return f"{steps} ({'significant' if found else 'not significant'})"
    return f"{steps} (significant in {found} of {len(chosen)} series{'' if len(chosen) == len(long) else ' tested'})"


def _is_seasonal(series: Series, season: int) -> bool:
    """Whether the changes of a series, which have no trend, have a significant season."""
    changes = np.diff(series.y[-LONGEST_TESTED:])
    return bool(seasonal(changes[None], np.array([len(changes)]), season)[0])


def _ends(panel: Panel) -> list[str]:
    """The first and last values as read."""
    first, last = panel.series[0], panel.series[-1]
    if first is last and len(first) <= 2 * ENDS:
        return [f"values: {_values(first, slice(None))}"]
    of_first, of_last = (f" of {str(s.unique_id)!r}" if len(panel) > 1 else "" for s in (first, last))
    return [
        f"first values{of_first}: {_values(first, slice(ENDS))}",
        f"last values{of_last}: {_values(last, slice(-ENDS, None))}",
    ]


def _values(series: Series, part: slice) -> str:
    pairs = zip(series.ds[part], series.recorded[part], strict=True)
    return ", ".join(f"{format_date(ds)} {'missing' if np.isnan(y) else _short(float(y))}" for ds, y in pairs)


def _excluded(panel: Panel) -> list[str]:
    """The excluded series, with the first few reasons."""
    excluded = panel.excluded_series
    if not excluded:
        return []
    names = quote_first(series.unique_id for series in excluded)
    reasons = [f"  {truncate(series.reason, REASON_LENGTH)}" for series in excluded[:FEW]]
    return [f"excluded series: {len(excluded)} ({names})", *reasons]
