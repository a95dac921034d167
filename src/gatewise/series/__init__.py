"""Series: read, check, repair where asked, and hand back as tables.

`read` takes what a person has (a file, a table, an array) and returns a `Panel` of checked series, with a sentence for
everything it had to guess. What cannot be used is a `DataError` that names the series, the row or date, and the remedy.

- `dates`: reading dates, recognising their calendar, continuing it.
- `files`: a CSV or parquet file as one table.
- `tables`: any source as one table, and which of its columns to use.
- `records`: the series, the forecasts, and the tables they go out as.
- `checks`: dates on their calendar, values without holes.
"""

from gatewise.series.checks import FILLS, check_dates, check_values, frequency_of, in_order, split
from gatewise.series.dates import DataError, check_frequency, future, season_length
from gatewise.series.records import Forecast, Panel, Series, as_pandas, to_frame, to_table, write_csv
from gatewise.series.tables import Source, choose_columns, load

__all__ = [
    "DataError",
    "Forecast",
    "Panel",
    "Series",
    "as_pandas",
    "check_frequency",
    "check_length",
    "future",
    "read",
    "season_length",
    "to_frame",
    "to_table",
    "write_csv",
]


def read(
    source: Source,
    *,
    id_column: str | None = None,
    time_column: str | list[str] | None = None,
    target_column: str | None = None,
    freq: str | int | None = None,
    fill: str | None = None,
    sort: bool = False,
) -> Panel:
    """Read series from a file, a table or an array, and check them.

    A table is long: one row per series and date, columns unique_id, ds, y; other names are guessed where only one can
    be meant, and the guess is stated in `Panel.guesses`. The frequency is inferred, also across gaps.

    Arguments:
        source: path to a CSV (.csv, .csv.gz; any of , ; tab | between the fields) or .parquet file; a pandas or polars
            table or series (dates from a pandas index); a 1-D array, list or tensor (time 0, 1, 2, ...); or a panel
            that was read before, which comes back as it is.
        id_column: column that names the series (--id).
        time_column: column of dates or whole numbers, or several that make one, such as ["year", "month"] (--time).
        target_column: column to forecast (--target).
        freq: pandas offset alias, or whole-number step, where it cannot be inferred (--freq).
        fill: how to repair missing values and dates: "interpolate" (linear in time), "previous" (the last known
            value) or "zero" (--fill).
        sort: put the dates in order first (--sort).

    Returns:
        The checked series with their frequency and the guesses.

    Raises:
        DataError: naming the series, the row or date, and the remedy: missing, infinite or textual values; missing,
            duplicate, unsorted, unreadable or off-calendar dates; unreadable files; columns that cannot be told apart.

    >>> import pandas as pd
    >>> panel = read(pd.DataFrame({"Month": ["1949-01", "1949-02", "1949-03"], "sales": [112, 118, 132]}))
    >>> panel.freq, panel.series[0].unique_id, panel.series[0].y
    ('MS', 'sales', array([112., 118., 132.]))
    >>> print(*panel.guesses, sep="; ")
    time column: 'Month' (the only one that reads as dates); target column: 'sales' (the only one left);
    frequency: MS (month start), inferred from 3 dates
    """
    if isinstance(source, Panel):
        options = (id_column, time_column, target_column, freq, fill, sort or None)
        if any(option is not None for option in options):
            raise DataError("the data were read already: give columns, freq, fill and sort where they are read")
        return source
    if fill is not None and fill not in FILLS:
        raise DataError(f"fill={fill!r}: expected one of {', '.join(FILLS)} (--fill interpolate)")
    table = load(source, id_column)
    columns = choose_columns(table, id_column, time_column, target_column)
    guesses = [*table.guesses, *columns.guesses]
    rows = [in_order(one, sort, guesses) for one in split(table, columns, guesses)]
    calendar = frequency_of(rows, freq, table.known_frequency(columns.time), guesses)
    series = tuple(check_values(one, check_dates(one, calendar), fill, guesses) for one in rows)
    date_only = any(column in table.date_only for column in columns.time)
    return Panel(series, calendar, tuple(guesses), table.backend, date_only)


def check_length(panel: Panel, minimum: int, why: str) -> None:
    """Refuse series that are too short, saying what needs the length.

    >>> check_length(read([1.0, 2.0]), 20, "context of 19 and one target")
    Traceback (most recent call last):
        ...
    gatewise.series.dates.DataError: series 'y' has 2 values, expected at least 20 (context of 19 and one target);
    give a longer series or ask for less
    """
    for one in panel.series:
        if len(one) < minimum:
            raise DataError(
                f"series {str(one.unique_id)!r} has {len(one)} values, expected at least {minimum} ({why}); "
                "give a longer series or ask for less"
            )
