"""Read a file, a table or an array as a panel of checked series."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gatewise.series.backends import Kind
from gatewise.series.errors import DataError
from gatewise.series.panel import Panel
from gatewise.series.read_by import ReadBy
from gatewise.series.reading.aggregate import aggregated
from gatewise.series.reading.arguments import check_arguments
from gatewise.series.reading.calendars.ended import describe_ended, without_ended
from gatewise.series.reading.calendars.frequency import choose_frequency
from gatewise.series.reading.calendars.series_calendars import future_of
from gatewise.series.reading.calendars.validation import describe_repairs, validate
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.columns.choice import choose_columns
from gatewise.series.reading.dates.earlier import memory_of, same_layout, with_earlier
from gatewise.series.reading.exclusion import Exclusions, excluded_series
from gatewise.series.reading.files.sources import Source, load
from gatewise.series.reading.findings import findings
from gatewise.series.reading.history import history_of
from gatewise.series.reading.joining import Joined, join_covariates
from gatewise.series.reading.layouts import read_rows, selected
from gatewise.series.reading.numbers.missing_values import mark_missing
from gatewise.series.reading.outliers import with_treatment
from gatewise.series.reading.request import CovariateRequest, columns_of
from gatewise.series.reading.table import Columns, Table
from gatewise.series.values import FILL_LIMIT, NO_FILL


def read(
    source: Source,
    *,
    layout: str | None = None,
    id_column: str | list[str] | None = None,
    time_column: str | list[str] | None = None,
    target_column: str | list[str] | None = None,
    series: str | Sequence[str] | None = None,
    freq: str | int | None = None,
    fill: str | None = None,
    fill_limit: float = FILL_LIMIT,
    sort: bool = False,
    aggregate: str | None = None,
    time_format: str | None = None,
    dayfirst: bool | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    missing: str | Sequence[str] = (),
    header_row: int | None = None,
    skip_footer: int | None = None,
    sheet: str | int | None = None,
    outliers: str = "report",
    ended: str | None = None,
    past: str | Sequence[str] = (),
    known: str | Sequence[str] = (),
    static: str | Sequence[str] = (),
    calendar: bool | str | Sequence[str] = False,
    like: Panel | None = None,
    on_bad: str = "raise",
) -> Panel:
    """Read series from a file, a table or an array, and check them.

    A long table has one row per series and date, and the columns unique_id, ds and y. Other names are guessed if there
    is only one candidate, and `Panel.guesses` states the guess. The frequency is inferred, also across gaps. `layout`
    selects wide tables.

    Arguments:
        source: path to a CSV (.csv, .csv.gz; fields separated by , ; tab | or spaces), Excel (.xlsx, .xlsm) or .parquet
            file; a pandas or polars table or series (dates from a pandas index); a 1-D array, list or tensor (time 0,
            1, 2, ...); or a panel read before, which is returned unchanged.
        layout: "long"; "columns", where each column other than the time column is a series, without the blank cells
            before its first and after its last value; or "rows", where each row is a series: with dates in the
            header, such as Country,2020-01,2020-02, its values at these dates and columns that describe it; else (as
            in the files of the M4 competition) its name, then its values at time 0, 1, 2, ..., without the blank
            cells at the end. By default it is "rows" if the header holds dates, else "long".
        id_column: column that names the series, or several that do so together, such as ["store", "item"]: the series
            are then named store/item (--id). By default unique_id, or the only column of text with which the dates
            are distinct. An empty list (--id "") states that all rows are one series.
        time_column: column of dates or integers, or several to combine, such as ["year", "month"] or
            ["date", "hour"] (--time).
        target_column: column to forecast (--target); if there are several, each is a series, named id/column
            in a table with an id_column.
        series: names of the series to read; all by default (--series).
        freq: pandas offset alias, or integer step, if it cannot be inferred (--freq).
        fill: how to repair missing values and dates: "interpolate" (linear in time), "previous" (the last known
            value), "zero", or "none": they stay missing, and the network reads which ones and for how long (--fill).
            Past covariates are never interpolated; categories accept only "previous"; "none" keeps only missing
            values of the target.
        fill_limit: the largest fraction of the values of a series that `fill` may invent (--fill-limit).
        sort: sort the rows by date first (--sort).
        aggregate: how several rows of a series and date become one: "sum", "mean" or "last" (--aggregate). Missing
            values are left out. Covariates of numbers are averaged, with "last" their last value is read; categories
            must agree.
        time_format: format of the dates, if their shape does not decide: one of strptime, such as "%d.%m.%Y", or
            "integer", "year", "quarter", "week" (ISO, such as 202005), "decimal year", "excel" (serial numbers),
            "excel1904", "unix" (seconds since 1970), "unix ms", "unix us" or "unix ns" (--time-format).
        dayfirst: whether the day stands before the month in dates such as 01/02/2024 (--dayfirst, --no-dayfirst).
        decimal: decimal separator of the numbers, "." or "," (--decimal).
        thousands: separator of thousands: ".", ",", " ", "'", or "" for none (--thousands).
        missing: cells that mean a missing value, such as "-999" (--missing).
        header_row: line of the column names in a text file or sheet, counted from 1; 0 if there is none, for the names
            column1, column2, ... (--header-row).
        skip_footer: number of lines at the end that are no data, without blank lines after them (--skip-footer).
        sheet: sheet of a spreadsheet, by name or number from 0; the only one by default (--sheet).
        outliers: "report" names outliers in `Panel.warnings`; "clip" moves them to the usual range around each;
            "missing" treats them as missing values, which `fill` fills (--outliers). A backtest is scored on the values
            as read.
        ended: series that end long before the others: "exclude" excludes them, "forecast" forecasts them from their
            own end (--ended).
        past: covariates known only up to the end: columns of numbers, or of categories (text, True and False, pandas'
            categorical).
        known: future covariates, known in advance. With layout="columns" a column applies to all series. Rows at the
            end that have them but no value yet are used for the forecast.
        static: covariates with one value per series.
        calendar: True for features of every calendar cycle of the frequency, such as the day of the week, or the names
            of some cycles; see `gatewise.series.covariates.calendar.cycles`.
        like: a panel whose frequency, covariates, categories, fill="none" and treatment of outliers are reused, and how
            its table was read (columns, layout, aggregate, formats of dates and numbers), as far as the cells allow.
        on_bad: how to treat a series with an error: "raise" raises the error; "skip" moves the series to
            `Panel.excluded_series`, with the error's message, and reads the rest; "naive" also repairs it for a naive
            forecast. That forecast has no interval, because errors on repaired values would be too small. With "skip"
            and "naive" the frequency is inferred from the series whose calendar most rows follow, not from the longest.

    Returns:
        The checked series with their covariates, their frequency and the guesses.

    Raises:
        DataError: naming the series, the row or date, and the remedy: missing, infinite, textual or huge values;
            missing, duplicate, unsorted, unreadable or off-calendar dates; missing values or new categories of
            covariates; unreadable files; ambiguous columns; with on_bad="skip" or "naive" only errors of the
            whole table, or of every series.

    >>> import pandas as pd
    >>> panel = read(pd.DataFrame({"Month": ["1949-01", "1949-02", "1949-03"], "sales": [112, 118, 132]}))
    >>> panel.freq, panel.series[0].unique_id, panel.series[0].y
    ('MS', 'sales', array([112., 118., 132.]))
    >>> print(*panel.guesses, sep="; ")
    time column: 'Month' (the only column of dates); target column: 'sales' (the only other column);
    frequency: MS (month start), inferred from 3 dates

    A table with a series in each column, one of them with a missing value:

    >>> table = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=4), "a": [1, 2, 3, 4], "b": [1, None, 3, 4]})
    >>> panel = read(table, layout="columns", on_bad="skip")
    >>> [series.unique_id for series in panel.series], [series.unique_id for series in panel.excluded_series]
    (['a'], ['b'])
    >>> panel.excluded_series[0].reason.partition(";")[0]
    "series 'b', row 2: the value at 2024-01-02 is missing (1 of 4 values)"
    """
    cells: dict[str, Any] = {
        "time_format": time_format,
        "dayfirst": dayfirst,
        "decimal": decimal,
        "thousands": thousands,
    }
    cells |= {"header_row": header_row, "skip_footer": skip_footer, "sheet": sheet}
    if isinstance(source, Panel):
        given = (id_column, time_column, target_column, series, freq, fill, sort or None, aggregate, like, ended)
        chosen = past or known or static or calendar or missing
        usual = (layout, on_bad, fill_limit, outliers) == (None, "raise", FILL_LIMIT, "report")
        if any(option is not None for option in (*given, *cells.values())) or chosen or not usual:
            raise DataError(
                "the data are already a panel; pass columns, layout, freq, fill, sort, on_bad and covariates when you "
                "read the table"
            )
        return source
    columns_given = {"id_column": id_column, "time_column": time_column, "target_column": target_column}
    choices = {"layout": layout, "on_bad": on_bad, "fill": fill, "aggregate": aggregate, "outliers": outliers}
    check_arguments(**columns_given, **choices, sort=sort, like=like, series=series, fill_limit=fill_limit, ended=ended)
    cell_format = CellFormat.of(missing=missing, **cells)
    request = CovariateRequest.of(past, known, static, calendar, like)
    earlier = ReadBy() if like is None else like.read_by
    cell_format = with_earlier(cell_format, earlier)
    given_layout, layout = layout, (request.layout or layout) if request else (layout or request.layout)
    aggregate = aggregate or request.aggregate
    freq = like.freq if like is not None and freq is None else freq
    if like is not None and fill is None and (like.fill == NO_FILL or like.outliers == "missing"):
        fill = like.fill
    outliers = like.outliers if like is not None and outliers == "report" else outliers

    ids = id_column or request.id_column
    table = load(source, ids, layout, request.columns, cell_format, columns_given["time_column"])
    if like is not None and not request and given_layout is None and not same_layout(table, layout, request.names):
        layout = None
    named = request.named(table, **columns_given)
    table, columns, layout = choose_columns(table, request, **named, layout=layout, aggregate=aggregate)
    table = mark_missing(table, (*columns.targets, *request.columns))
    rows = read_rows(table, columns, "long" if columns.wide else layout, Exclusions(on_bad))
    if series is not None:
        rows = selected(rows, [series] if isinstance(series, str) else series)
    one_row = aggregated(rows.stack, aggregate, request.columns)
    table, trim = one_row.stack.table, layout == "columns" or columns.wide
    history = history_of(one_row.stack, request.known, trim, sort, rows.exclusions)
    index_freq = table.known_frequency(columns.time)
    regular = choose_frequency(history.stack, freq, index_freq, history.exclusions, fill, fill_limit)
    freq, stack = regular.freq, regular.stack
    if len(stack.ds) < len(history.stack.ds):  # covariates between the dates of the series are left out, too
        history = history._replace(stack=stack, future=future_of(stack, history.future, freq))
    covariates, covariate_guesses = request.covariates(table, columns, layout, freq, aggregate)
    valid = validate(stack, freq, fill, regular.exclusions, fill_limit)
    if ended == "exclude":
        valid = without_ended(valid, freq, len(stack.names))
    joined = Joined(valid.series, (), valid.exclusions)
    if covariates is not None:
        joined = join_covariates(valid.series, history, covariates, freq, fill, valid.exclusions)

    by = columns_of(columns, layout, aggregate) if not columns.wide or given_layout else {}
    repairs = describe_repairs((*history.repairs, *valid.repairs), fill)
    first = (*table.guesses, *columns.guesses, *rows.guesses, *one_row.guesses, *history.guesses, *regular.guesses)
    panel = Panel(
        joined.series,
        freq,
        guesses=(*first, *covariate_guesses, *repairs, *joined.guesses),
        backend=table.backend,
        date_only=len(columns.time) == 1 and columns.time[0] in table.date_only,
        covariates=covariates,
        excluded_series=excluded_series(stack, freq, joined.exclusions),
        on_bad=on_bad,
        categorical=_categorical(table, columns, layout),
        fill=fill,
        read_by=memory_of(earlier, cell_format, table, rows.dates, by),
    )
    endings = describe_ended(panel.series, freq) if ended is None and layout != "rows" else ()
    panel = with_treatment(replace(panel, warnings=(*table.warnings, *rows.warnings, *endings)), outliers)
    return replace(panel, warnings=(*panel.warnings, *findings(panel)))


def _categorical(table: Table, columns: Columns, layout: str) -> Kind:
    """The categories of the series names; see `Panel.categorical`."""
    categorical = table.categorical.get(columns.id, False)
    if layout != "rows" and len(columns.targets) > 1:
        return categorical is True  # names such as id/column are not categories of the table
    return categorical
