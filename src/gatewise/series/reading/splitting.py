"""Splitting: a table whose series are on different calendars, as a panel for each calendar."""

from dataclasses import replace
from typing import Any

from gatewise.series.panel import Panel
from gatewise.series.reading.calendars.series_calendars import DifferentCalendars, OtherCalendar
from gatewise.series.reading.files.sources import Source
from gatewise.series.reading.read import read


def split_by_frequency(source: Source, **options: Any) -> dict[str | int, Panel]:
    """Read a table whose series are on different calendars, such as daily and monthly ones.

    Series that are too short to tell a frequency, with one or two dates, join a calendar that contains their dates.

    Arguments:
        source: a file or table; see `gatewise.read`.
        options: the arguments of `gatewise.read`, without `freq`.

    Returns:
        A panel of checked series for each frequency; a single one if all series share a calendar.

    Raises:
        DataError: as `gatewise.read`, for each of the panels.

    >>> import pandas as pd
    >>> months, days = pd.date_range("2024-01-01", periods=6, freq="MS"), pd.date_range("2024-01-01", periods=90)
    >>> tables = [pd.DataFrame({"unique_id": name, "ds": ds, "y": 1.0}) for name, ds in (("a", months), ("b", days))]
    >>> panels = split_by_frequency(pd.concat(tables))
    >>> [(freq, panel.series[0].unique_id) for freq, panel in panels.items()]
    [('D', 'b'), ('MS', 'a')]
    """
    try:
        panel = read(source, **options)
    except DifferentCalendars as error:
        return {freq: _read_group(source, freq, names, options) for freq, names in error.groups.items()}
    others: dict[str | int, list[str]] = {}
    for excluded in panel.excluded_series:
        if isinstance(excluded.reason, OtherCalendar):
            others.setdefault(excluded.reason.freq, []).append(str(excluded.unique_id))
    own = tuple(series for series in panel.excluded_series if not isinstance(series.reason, OtherCalendar))
    return {
        panel.freq: replace(panel, excluded_series=own),
        **{freq: _read_group(source, freq, names, options) for freq, names in others.items()},
    }


def _read_group(source: Source, freq: str | int, names: list[str], options: dict[str, Any]) -> Panel:
    panel = read(source, **{**options, "series": names, "freq": freq})
    found = (guess.replace(", as given", ", one of several in the table") for guess in panel.guesses)
    return replace(panel, guesses=tuple(found))
