"""Series: read, check, repair where asked, and hand back as tables.

`read` takes what a person has (a file, a table, an array) and returns a `Panel` of checked series, with a sentence for
everything it had to guess. What cannot be used is a `DataError` that names the series, the row or date, and the remedy.

- `dates`: reading dates, recognising their calendar, continuing it.
- `words`: what the sentences of errors have in common.
- `files`: a CSV or parquet file as one table.
- `tables`: any source as one table, and which of its columns to use.
- `records`: the series, the forecasts, and the tables they go out as.
- `stack`: the rows of all series in flat arrays.
- `checks`: dates on their calendar, values without holes.
- `covariates`, `calendar`: what is known beside the series, and the features it makes.
- `features`: those features as arrays.
- `known`: of the dates to be forecast.
- `joining`: laid beside the series.
"""

from collections.abc import Sequence

import numpy as np

from gatewise.series.panel import (
    ExcludedSeries,
    Forecast,
    Panel,
    Series,
    as_pandas,
    futures,
    to_frame,
    to_table,
    write_csv,
)
from gatewise.series.reading.columns import LAYOUTS, Columns, Source, Table, choose_columns, load
from gatewise.series.reading.dates import DataError, check_frequency, future, season_length
from gatewise.series.reading.future import known_ahead, split_future
from gatewise.series.reading.joining import Asked, joined_to
from gatewise.series.reading.rows import ON_BAD, Exclusions, Stack, stacked
from gatewise.series.reading.validation import (
    FILLS,
    LARGEST,
    Repair,
    checked,
    frequency_of,
    in_order,
    refused,
    repairs_in_words,
)
from gatewise.series.wording import counted

__all__ = [
    "LARGEST",
    "DataError",
    "ExcludedSeries",
    "Forecast",
    "Panel",
    "Series",
    "as_pandas",
    "check_frequency",
    "check_length",
    "future",
    "futures",
    "known_ahead",
    "read",
    "season_length",
    "to_frame",
    "to_table",
    "write_csv",
]


def read(
    source: Source,
    *,
    layout: str = "long",
    id_column: str | None = None,
    time_column: str | list[str] | None = None,
    target_column: str | list[str] | None = None,
    freq: str | int | None = None,
    fill: str | None = None,
    sort: bool = False,
    past: str | Sequence[str] = (),
    known: str | Sequence[str] = (),
    static: str | Sequence[str] = (),
    calendar: bool | str | Sequence[str] = False,
    like: Panel | None = None,
    on_bad: str = "raise",
) -> Panel:
    """Read series from a file, a table or an array, and check them.

    A table is long: one row per series and date, columns unique_id, ds, y; other names are guessed where only one can
    be meant, and the guess is stated in `Panel.guesses`. The frequency is inferred, also across gaps. Wide tables are
    read where `layout` says so.

    Arguments:
        source: path to a CSV (.csv, .csv.gz; any of , ; tab | between the fields) or .parquet file; a pandas or polars
            table or series (dates from a pandas index); a 1-D array, list or tensor (time 0, 1, 2, ...); or a panel
            that was read before, which comes back as it is.
        layout: "long"; "columns", each column beside the time is a series, blank cells before its first and after its
            last value are no part of it; or "rows", each row is a series (as in the files of the M4 competition): its
            name, then its values at time 0, 1, 2, ..., blank cells at the end are no part of it.
        id_column: column that names the series (--id).
        time_column: column of dates or whole numbers, or several that make one, such as ["year", "month"] (--time).
        target_column: column to forecast (--target); of several, each is a series, in a table with an id_column
            named id/column.
        freq: pandas offset alias, or whole-number step, where it cannot be inferred (--freq).
        fill: how to repair missing values and dates: "interpolate" (linear in time), "previous" (the last known
            value) or "zero" (--fill). Past covariates are never interpolated, categories only given the one before.
        sort: put the dates in order first (--sort).
        past: covariates known up to the end only: columns of numbers, or of categories (text, True and False, pandas'
            categorical).
        known: covariates known in advance. With layout="columns" a column holds for all series. Rows at the end that
            have them and no value yet are kept for the forecast.
        static: covariates with one value for the whole of a series.
        calendar: True for features of every cycle of the calendar that the frequency shows, such as the day of the
            week, or the names of some; see `gatewise.series.covariates.calendar.cycles`.
        like: a panel whose frequency, covariates and categories are to be those of this one; its columns are found by
            the same names where there are covariates.
        on_bad: what becomes of a series with an error: "raise" the error; "skip" puts the series aside, into
            `Panel.excluded_series`, with the error's message, and reads the rest; "naive" also mends it as far as a naive forecast
            needs, whose interval is missing: errors of a mended past would promise too much. The frequency is then that
            of most rows, not of the longest series.

    Returns:
        The checked series with their covariates, their frequency and the guesses.

    Raises:
        DataError: naming the series, the row or date, and the remedy: missing, infinite, textual or huge values;
            missing, duplicate, unsorted, unreadable or off-calendar dates; missing values or new categories of
            covariates; unreadable files; columns that cannot be told apart; with on_bad="skip" or "naive" only what
            spoils the table as a whole, or every series.

    >>> import pandas as pd
    >>> panel = read(pd.DataFrame({"Month": ["1949-01", "1949-02", "1949-03"], "sales": [112, 118, 132]}))
    >>> panel.freq, panel.series[0].unique_id, panel.series[0].y
    ('MS', 'sales', array([112., 118., 132.]))
    >>> print(*panel.guesses, sep="; ")
    time column: 'Month' (the only one that reads as dates); target column: 'sales' (the only one left);
    frequency: MS (month start), inferred from 3 dates

    A table with a series in each column, one of them with a hole:

    >>> table = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=4), "a": [1, 2, 3, 4], "b": [1, None, 3, 4]})
    >>> panel = read(table, layout="columns", on_bad="skip")
    >>> [one.unique_id for one in panel.series], [one.unique_id for one in panel.excluded_series]
    (['a'], ['b'])
    >>> panel.excluded_series[0].reason.partition(";")[0]
    "series 'b', row 2: the value at 2024-01-02 is missing (1 of 4 are)"
    """
    if isinstance(source, Panel):
        options = (id_column, time_column, target_column, freq, fill, sort or None, like)
        chosen = past or known or static or calendar
        if any(option is not None for option in options) or chosen or (layout, on_bad) != ("long", "raise"):
            raise DataError(
                "the data were read already: give columns, freq, fill, sort and covariates where they are read"
            )
        return source
    _check_arguments(sort, like, id_column, time_column, target_column)
    _one_of("layout", layout, LAYOUTS, "")
    _one_of("on_bad", on_bad, ON_BAD, "")
    _one_of("fill", fill, (None, *FILLS), " (--fill interpolate)")
    asked = Asked.of(past, known, static, calendar, like)
    layout = str(asked.read_by.get("layout", layout))
    asked.check(layout)
    table = load(source, id_column or asked.id_column, layout, asked.columns)
    named = asked.named(table, id_column=id_column, time_column=time_column, target_column=target_column)
    columns = choose_columns(table, **named, layout=layout, covariates=asked.columns)
    guesses, aside, repairs = [*table.guesses, *columns.guesses], Exclusions(on_bad), list[Repair]()
    stacks = _stacks(table, columns, layout, asked, sort, aside, guesses, repairs)
    stack = stacks[0]
    freq = like.freq if like is not None and freq is None else freq
    freq = frequency_of(stack, freq, table.known_frequency(columns.time), aside, guesses)
    covariates = asked.covariates(table, columns, layout, freq, guesses)
    series = checked(stack, freq, fill, aside, repairs)
    guesses.extend(repairs_in_words(repairs, fill))
    if covariates is not None:
        series = joined_to(series, stacks, covariates, freq, fill, aside, guesses)
    date_only = any(column in table.date_only for column in columns.time)
    bad, categorical = refused(stack, freq, aside), table.categorical.get(columns.id, False)
    if layout != "rows" and len(columns.targets) > 1:
        categorical = categorical is True  # names such as id/column are categories of their own
    return Panel(series, freq, tuple(guesses), table.backend, date_only, covariates, bad, on_bad, categorical)


def _stacks(
    table: Table,
    columns: Columns,
    layout: str,
    asked: Asked,
    sort: bool,
    aside: Exclusions,
    guesses: list[str],
    repairs: list[Repair],
) -> tuple[Stack, Stack]:
    """The rows of all series in order, and those of their future; in a wide table without blank ends."""
    stack = stacked(table, columns, layout, aside, guesses)
    if layout == "columns" and not asked.known:
        stack = stack.without_blanks(guesses)
    stack, later = split_future(in_order(stack, sort, aside, repairs), asked.known, guesses)
    return stack.without_blanks(guesses) if layout == "columns" and asked.known else stack, later


def _check_arguments(sort: object, like: object, id_column: object, time_column: object, target_column: object) -> None:
    """Refuse what is of another type than can be meant."""
    if not isinstance(sort, bool | np.bool_):
        raise DataError(f"sort={sort!r}: expected True or False (--sort)")
    if like is not None and not isinstance(like, Panel):
        raise DataError(f"like is of type {type(like).__name__}, expected a panel that gatewise.read gave")
    if not isinstance(id_column, str | None):
        raise DataError(f"id_column={id_column!r}: expected the name of a column (--id)")
    for name, columns in {"time_column": time_column, "target_column": target_column}.items():
        if not isinstance(columns, str | list | tuple | None):
            raise DataError(f"{name}={columns!r}: expected the name of a column, or a list of several")


def _one_of(name: str, value: object, known: tuple[str | None, ...], option: str) -> None:
    if value not in known:
        names = ", ".join(one for one in known if one is not None)
        raise DataError(f"{name}={value!r}: expected one of {names}{option}")


def check_length(panel: Panel, minimum: int, why: str) -> None:
    """Refuse series that are too short, saying what needs the length.

    >>> check_length(read([1.0, 2.0]), 20, "context of 19 and one target")
    Traceback (most recent call last):
        ...
    gatewise.series.reading.dates.DataError: series 'y' has 2 values, expected at least 20 (context of 19 and one target);
    give a longer series or ask for less
    """
    for one in panel.series:
        if len(one) < minimum:
            raise DataError(
                f"series {str(one.unique_id)!r} has {counted(len(one), 'value')}, expected at least {minimum} ({why}); "
                "give a longer series or ask for less"
            )
