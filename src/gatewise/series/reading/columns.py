"""Tables: any source a person has as one pandas table, and which of its columns to use.

Nothing is chosen silently: every guess is a sentence, and several candidates are an error that lists them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from numbers import Real
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from gatewise.series.reading.dates import PARTS, TIME_NAMES, DataError, RowError, Where, is_text, looks_like_dates
from gatewise.series.reading.files import read_file
from gatewise.series.wording import meant, quoted

Backend = Literal["pandas", "polars"]
Kind: TypeAlias = bool | pd.CategoricalDtype  # of names: none, polars' Categorical, or pandas' own and polars' Enum
Source: TypeAlias = Any  # path, pandas or polars table or series, 1-D array, list or tensor
LAYOUTS = ("long", "columns", "rows")
WIDE_REMEDY = 'if the table is wide, pass layout="columns" (a series in each) or layout="rows"'


@dataclass(frozen=True)
class Table:
    """A source as one pandas table."""

    frame: pd.DataFrame
    name: str = "the table"
    backend: Backend = "pandas"
    is_file: bool = False  # then row 1 is line 2
    date_only: tuple[str, ...] = ()  # polars columns of type Date, to be answered in kind
    categorical: Mapping[Any, "Kind"] = field(default_factory=dict)  # columns of categories, likewise
    columns: "Columns | None" = None  # already known where the source is one series
    freq: tuple[str, str] | None = None  # the time column that a pandas index became, and the frequency it carried
    guesses: tuple[str, ...] = ()

    def row(self, position: int) -> str:
        """The name of a row for a person, who counts from 1 and whose file has a header."""
        line = f" (line {position + 2} of {self.name})" if self.is_file else ""
        return f"row {position + 1}{line}"

    def known_frequency(self, time: tuple[str, ...]) -> str | None:
        """The frequency that the index carried, if the index is the time."""
        return self.freq[1] if self.freq is not None and time == self.freq[:1] else None


@dataclass(frozen=True)
class Columns:
    """Which columns to use, and how each was found."""

    time: tuple[str, ...]  # empty: the rows are time 0, 1, 2, ...
    targets: tuple[str, ...]  # several: a series of each; with layout="rows" the values of a row, in order
    id: str | None
    guesses: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The column to forecast, where there is one."""
        return self.targets[0]


# ------------------------------------------------------------------------------------------------------- sources


def load(source: Source, id_column: str | None = None, layout: str = "long", covariates: Sequence[str] = ()) -> Table:
    """Any accepted source as a table; see `gatewise.series.read` for what is accepted. Covariates keep their kind."""
    if isinstance(source, str | Path):
        return _load_file(Path(source), id_column, layout, covariates)
    if isinstance(source, pd.DataFrame):
        freq = None if source.index.name in source.columns else _index_frequency(source.index)
        name = "ds" if source.index.name is None else str(source.index.name)
        return _check_columns(Table(_with_index(source), freq=(name, freq) if freq else None), covariates)
    if isinstance(source, pd.Series):
        return _load_pandas_series(source)
    if type(source).__module__.split(".")[0] == "polars":
        return _load_polars(source)
    return _load_array(source)


def _one_series(
    y: Any, time: Any = None, name: object = None, freq: str | None = None, backend: Backend = "pandas"
) -> Table:
    """A series as a table of its dates, if it has any, and its values."""
    target = "y" if name is None else str(name)
    if len(y) == 0:
        raise DataError(f"series {target!r} is empty; expected one value per date")
    if time is None:
        return Table(pd.DataFrame({target: y}), backend=backend, columns=Columns((), (target,), None))
    index = "ds" if target != "ds" else "time"
    frame, columns = pd.DataFrame({index: time, target: y}), Columns((index,), (target,), None)
    return Table(frame, backend=backend, columns=columns, freq=(index, freq) if freq else None)


def _load_array(source: Any) -> Table:
    values = source
    if hasattr(source, "detach"):  # a tensor; numpy has no bfloat16
        values = source.detach().cpu().double() if source.is_floating_point() else source.detach().cpu()
    if not isinstance(values, list | tuple | np.ndarray) and not hasattr(values, "__array__"):
        raise DataError(
            f"cannot read {type(source).__name__}; expected a path to a CSV file, a pandas or polars table or series, "
            "or a one-dimensional array"
        )
    if isinstance(values, np.ma.MaskedArray):
        values = values.tolist()  # what is masked becomes None
    array = np.asarray(values, dtype=object if isinstance(values, list | tuple) else None)
    if array.ndim != 1:
        raise DataError(
            f"the array has shape {array.shape}, expected one dimension (T,); "
            "pass one column, such as array[:, 0], or a table"
        )
    return _one_series(pd.Series(array, dtype=array.dtype))


def _load_pandas_series(source: pd.Series) -> Table:
    index, y = source.index, source.reset_index(drop=True)
    if isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1:
        return _one_series(y, name=source.name)
    if isinstance(index, pd.MultiIndex):
        raise DataError(
            "the series has an index of several levels, expected dates; pass series.reset_index() as a table"
        )
    return _one_series(y, pd.Series(index), source.name, freq=_index_frequency(index))


def _index_frequency(index: pd.Index) -> str | None:
    """What the index says of itself; that of a reversed one, such as -1D, is of no use."""
    known = isinstance(index, pd.DatetimeIndex) and index.freq is not None and index.freq.n > 0
    return index.freqstr if known else None


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Dates or names held in the index become columns; a plain row count is dropped."""
    index = frame.index
    if isinstance(frame.columns, pd.MultiIndex):
        raise DataError(
            f"the table has columns of {frame.columns.nlevels} levels, such as {frame.columns[0]!r}; name each by one "
            "word, as by table.columns = table.columns.map('_'.join)"
        )
    if isinstance(index, pd.DatetimeIndex | pd.PeriodIndex) and index.name is None:
        frame, index = frame.rename_axis("ds"), index.rename("ds")
        _refuse_double(frame, ["ds"])
        return frame.reset_index()
    double = [name for name in index.names if name in frame.columns]
    if double and len(double) < index.nlevels:
        _refuse_double(frame, double)
    return frame.reset_index(drop=index.names == [None] or bool(double))


def _refuse_double(frame: pd.DataFrame, names: list[Any]) -> None:
    for name in names:
        if name in frame.columns:
            raise DataError(
                f"the table has both an index and a column {name!r}; leave one out: table.drop(columns={name!r}), or "
                "table.reset_index(drop=True) if the index is not meant"
            )


def _load_polars(source: Any) -> Table:
    import narwhals as nw

    native = nw.from_native(source, allow_series=True, pass_through=False)
    if isinstance(native, nw.LazyFrame):
        raise DataError("the polars table is lazy; pass table.collect()")
    if isinstance(native, nw.Series):
        return _one_series(_from_polars(native), name=native.name or None, backend="polars")
    frame = pd.DataFrame({column: _from_polars(native[column]) for column in native.columns})
    date_only = tuple(column for column in native.columns if native[column].dtype == nw.Date)
    categorical = {column: _kind(dtype) for column, dtype in native.schema.items() if _kind(dtype) is not False}
    return _check_columns(Table(frame, backend="polars", date_only=date_only, categorical=categorical))


def _kind(dtype: Any) -> Kind:
    """Whether a column of polars holds categories, and which where they are given once for all."""
    import narwhals as nw

    return pd.CategoricalDtype(list(dtype.categories), ordered=True) if dtype == nw.Enum else dtype == nw.Categorical


def _from_polars(column: Any) -> pd.Series:
    """One polars column in pandas, without needing pyarrow: dates through their 64-bit count of their unit."""
    import narwhals as nw

    if column.dtype == nw.Date or column.dtype == nw.Datetime:
        unit = "us" if column.dtype == nw.Date else column.dtype.time_unit
        counts = column.dt.timestamp(unit).fill_null(np.iinfo(np.int64).min).to_numpy()  # the lowest integer is NaT
        dates = pd.DatetimeIndex(counts.view(f"M8[{unit}]"))
        zone = getattr(column.dtype, "time_zone", None)
        return pd.Series(dates if zone is None else dates.tz_localize("UTC").tz_convert(zone))
    if column.dtype.is_float() or (column.dtype.is_integer() and not column.is_null().any()):
        return pd.Series(column.to_numpy())
    if column.dtype in (nw.String, nw.Categorical, nw.Enum):  # each distinct text once: the rows share it
        column = column.cast(nw.String)
        cells = column.unique(maintain_order=True).to_list()
        codes = column.replace_strict(cells, range(len(cells)), return_dtype=nw.Int64)
        return pd.Series(np.array(cells, dtype=object)[codes.to_numpy()], dtype=object)
    return pd.Series(column.to_list()).infer_objects()


def _load_file(path: Path, id_column: str | None, layout: str, covariates: Sequence[str]) -> Table:
    frame, guesses = read_file(path, id_column, layout == "rows", covariates)
    is_text_file = path.suffix.lower() != ".parquet"
    if is_text_file:
        _refuse_headless(path.name, pd.Series([str(column) for column in frame.columns]))
    return _check_columns(Table(_with_index(frame), name=path.name, is_file=is_text_file, guesses=guesses), covariates)


def _refuse_headless(name: str, header: pd.Series) -> None:
    """Refuse a first line of dates and numbers, which is a row of data; years or places in order do name columns."""
    numbers = _numbers(header)
    words = header[np.isnan(numbers)]
    if not all(any(map(str.isdecimal, word)) and looks_like_dates(pd.Series([word])) for word in words):
        return
    if len(words) or not (np.diff(numbers) == 1).all() or (len(numbers) == 1 and numbers[0] != 0):
        raise DataError(f"{name}: the first line, {_listed(header)}, names no columns; put a line of names above it")


def _check_columns(table: Table, covariates: Sequence[str] = ()) -> Table:
    frame = table.frame.rename(columns=str).reset_index(drop=True)
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise DataError(f"{table.name} has several columns named {repeated[0]!r}; give each its own name")
    if len(table.frame) == 0:
        raise DataError(f"{table.name} has no rows; expected one row per date")
    others = [column for column in frame.columns if column not in covariates]
    kinds = {column: frame[column].dtype for column in others if isinstance(frame[column].dtype, pd.CategoricalDtype)}
    frame = frame.assign(**{column: frame[column].astype(object) for column in kinds})
    return replace(table, frame=frame, categorical={**table.categorical, **kinds})


# ------------------------------------------------------------------------------------------------------- columns


def choose_columns(
    table: Table,
    id_column: str | None,
    time_column: str | list[str] | None,
    target_column: str | list[str] | None,
    layout: str = "long",
    covariates: Sequence[str] = (),
) -> Columns:
    """The columns to use: those given, the usual names, or the only ones that can be meant and are no covariates."""
    given = _as_list(target_column)
    _check_asked(table, [id_column, *given, *_as_list(time_column)])
    if table.columns is not None:
        if layout != "long":
            raise DataError(f"layout={layout!r} says how a table holds several series, but this is one; leave it out")
        return table.columns
    if layout == "rows":
        return _row_columns(table, id_column, time_column, given)
    if layout == "columns" and id_column is not None:
        raise DataError("layout='columns': each column is a series and its name; leave id_column= (--id) out")
    if layout == "long":
        id_column = id_column or ("unique_id" if "unique_id" in table.frame.columns else None)
    time, time_guess = _time_columns(table, time_column, {id_column, *given}, layout, covariates)
    if layout == "columns" or len(given) > 1:
        targets, target_guess = _target_columns(table, given, {*time, *covariates})
    else:
        target, target_guess = _target_column(table, given[0] if given else None, {id_column, *time}, covariates)
        targets = (target,)
    unused = [column for column in table.frame.columns if column not in {id_column, *targets, *time, *covariates}]
    guesses = [time_guess, target_guess, id_column and f"series column: {id_column!r}"]
    guesses.append(f"columns not used: {_listed(unused)}" if unused else None)
    return Columns(time, targets, id_column, tuple(guess for guess in guesses if guess))


def _as_list(columns: str | list[str] | None) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns or ())


def _check_asked(table: Table, asked: list[str | None]) -> None:
    for column in asked:
        if column is not None and column not in table.frame.columns:
            raise DataError(
                f"{table.name} has no column {column!r}; its columns are {_listed(table.frame.columns)}"
                f"{meant(column, table.frame.columns)}"
            )
        if asked.count(column) > 1 and column is not None:
            raise DataError(f"column {column!r} is asked for twice; time, target and id are three different columns")


def _row_columns(table: Table, id_column: str | None, time_column: Any, given: list[str]) -> Columns:
    """The columns of a table with a series in each row: its name, then its values."""
    if time_column is not None:
        raise DataError("layout='rows': the time is counted along the row; leave time_column= (--time) out")
    name = table.frame.columns[0] if id_column is None else id_column
    targets = given or [column for column in table.frame.columns if column != name]
    if not targets:
        raise DataError(f"{table.name} has only the column {name!r}; with layout='rows' the values follow the name")
    why = "the first" if id_column is None else "as given"
    guesses = (f"series column: {name!r} ({why})", f"values of a series: {len(targets)} columns, {_listed(targets)}")
    return Columns((), tuple(targets), name, guesses)


def _time_columns(
    table: Table, given: str | list[str] | None, taken: set[str | None], layout: str, covariates: Sequence[str]
) -> tuple[tuple[str, ...], str]:
    columns = [column for column in table.frame.columns if column not in taken]
    if given is not None:
        time = (given,) if isinstance(given, str) else tuple(given)
        return time, f"time column: {_listed(time)} (as given)"
    if "ds" in columns:
        return ("ds",), "time column: 'ds'"
    columns = [column for column in columns if column not in covariates]
    lower = {column.lower(): column for column in columns}
    if {"year", "month"} <= set(lower):
        parts = tuple(lower[part] for part in PARTS if part in lower)
        return parts, f"time columns: {_listed(parts)} (together)"
    dates = [column for column in columns if looks_like_dates(table.frame[column])]
    named = [column for column in columns if column.lower() in TIME_NAMES]
    if not dates and not named and (len(columns) <= 1 or layout == "columns"):
        return (), "time column: none"
    candidates = [column for column in dates if column in named] or dates or named
    if len(candidates) == 1:
        reason = "the only one that reads as dates" if dates == candidates else "by its name"
        return (candidates[0],), f"time column: {candidates[0]!r} ({reason})"
    found = f"{_listed(candidates)} could be" if candidates else f"none of {_listed(columns)} reads as dates"
    remedy = "pass time_column= (command line: --time COL)" + (f"; {WIDE_REMEDY}" if not candidates else "")
    raise DataError(f"{table.name}: which column is the time? {found}; {remedy}")


def _target_column(
    table: Table, given: str | None, taken: set[str | None], covariates: Sequence[str]
) -> tuple[str, str]:
    columns = [column for column in table.frame.columns if column not in taken]
    if given is not None:
        return given, f"target column: {given!r} (as given)"
    if "y" in columns:
        return "y", "target column: 'y'"
    columns = [column for column in columns if column not in covariates]
    numbers = [column for column in columns if _mostly_numbers(table.frame[column])]
    candidates = columns if len(columns) == 1 else numbers
    if len(candidates) == 1:
        reason = "the only one left" if len(columns) == 1 else "the only one left that holds numbers"
        return candidates[0], f"target column: {candidates[0]!r} ({reason})"
    found = f"{len(numbers)} hold numbers, {_listed(numbers)}" if numbers else "none beside the time holds numbers"
    remedy = "pass target_column= (command line: --target COL)" + (f"; {WIDE_REMEDY}" if len(numbers) > 1 else "")
    raise DataError(f"{table.name}: which column is to be forecast? {found}; {remedy}")


def _target_columns(table: Table, given: list[str], taken: set[str]) -> tuple[tuple[str, ...], str]:
    """The columns that are a series each: those given, or all that are neither the time nor a covariate."""
    targets = given or [column for column in table.frame.columns if column not in taken]
    words = [column for column in targets if not _holds_numbers(table.frame[column])]
    if words or not targets:
        found = f"there are no numbers in {_listed(words)}" if words else "there is none beside the time"
        raise DataError(
            f"{table.name}: every column is to be a series, but {found}; list those to forecast as target_column=[...]"
        )
    return tuple(targets), f"target columns: {_listed(targets)} ({'as given' if given else 'all that are left'})"


def _holds_numbers(column: pd.Series) -> bool:
    """Whether most cells that are not blank are numbers; an empty column is one of numbers."""
    return pd.api.types.is_numeric_dtype(column) or bool(column.isna().all()) or _mostly_numbers(column.dropna())


def _listed(columns: Any) -> str:
    names = [repr(column) for column in columns]
    return ", ".join(names if len(names) <= 12 else [*names[:10], f"... ({len(names)} in all)"])


# ------------------------------------------------------------------------------------------------------- numbers


def _mostly_numbers(column: pd.Series) -> bool:
    return bool(np.isfinite(_numbers(column)).mean() >= 0.5)


def _numbers(column: pd.Series) -> np.ndarray:
    """A column as float64, with NaN for whatever is no number."""
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.to_numeric(column.astype(object).map(_number_or_text), errors="coerce")
    return np.array(column.to_numpy(np.float64, na_value=np.nan))


def _number_or_text(cell: Any) -> float | str | None:
    if isinstance(cell, str):
        return cell
    try:
        return float(cell) if isinstance(cell, Real | Decimal) else None
    except OverflowError:  # a whole number beyond float64
        return math.inf if cell > 0 else -math.inf


def read_numbers(column: pd.Series, where: Where) -> np.ndarray:
    """A column as float64 with NaN for missing values; text and infinite values are errors."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("boolean", "complex"):
        raise DataError(
            f"target {column.name!r} holds {kind} values, expected numbers; convert them, as by astype(float)"
        )
    cells = column.where(column.str.strip() != "") if is_text(column) else column
    values, present = _numbers(cells), cells.notna().to_numpy()
    for bad, what in ((np.isnan(values) & present, "not a number"), (np.isinf(values), "infinite")):
        if bad.any():
            raise RowError(np.flatnonzero(bad), partial(_no_number, column, where, what))
    return values


def _no_number(column: pd.Series, where: Where, what: str, rows: np.ndarray) -> str:
    cell = column.iloc[rows[0]]
    shown, more = (
        quoted(cell) if isinstance(cell, str) else cell,
        f" (and {len(rows) - 1} more)" if rows[1:].size else "",
    )
    return (
        f"{where(rows[0])}: {shown} in target {column.name!r} is {what}{more}; "
        'give a number such as 1234.5, or leave it empty and pass fill="interpolate" (--fill interpolate)'
    )
