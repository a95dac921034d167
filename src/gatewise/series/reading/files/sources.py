"""Sources: load a file, a table, a series or an array as one table."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from gatewise.series.backends import Backend, category_kind, from_polars
from gatewise.series.errors import DataError
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.dates.parsing import is_text, looks_like_dates
from gatewise.series.reading.files.headers import headless
from gatewise.series.reading.files.index import with_index
from gatewise.series.reading.files.loading import read_file
from gatewise.series.reading.numbers.formats import convert
from gatewise.series.reading.numbers.parsing import to_numbers
from gatewise.series.reading.table import Columns, Table

Source: TypeAlias = Any  # path, pandas or polars table or series, 1-D array, list or tensor


def load(
    source: Source,
    id_column: str | Sequence[str] | None = None,
    layout: str | None = None,
    covariates: Sequence[str] = (),
    cells: CellFormat = CellFormat(),  # noqa: B008  # immutable
    time_column: str | Sequence[str] | None = None,
) -> Table:
    """A source as a table with its numbers converted; `gatewise.series.read` lists the sources.

    Covariates keep their type. In a text file, series names and categories of covariates remain text as written,
    including None and NA.
    """
    if isinstance(source, str | Path):
        return _load_file(Path(source), id_column, layout, covariates, cells)
    table = as_table(source, covariates, layout, time_column)
    ids = (*_id_columns(table.frame, id_column, layout), *table.categorical)
    converted = convert(table.frame, cells, ids=ids, covariates=covariates)
    table = replace(
        table,
        cells=cells if cells.time_format is not None else replace(cells, time_format=table.cells.time_format),
        frame=converted.frame,
        unconverted={c: table.frame[c] for c in table.frame if table.frame[c].dtype != converted.frame[c].dtype},
        ambiguous=converted.ambiguous,
        percent=converted.percent,
        decimals=converted.decimals,
        guesses=(*table.guesses, *converted.guesses),
        warnings=(*table.warnings, *converted.warnings),
    )
    table.refuse_ambiguous(covariates)
    return table


def as_table(
    source: Source,
    covariates: Sequence[str] = (),
    layout: str | None = None,
    time_column: str | Sequence[str] | None = None,
) -> Table:
    """A table, series or array as a table, with its cells as they are."""
    if isinstance(source, pd.DataFrame):
        freq = None if source.index.name in source.columns else _index_frequency(source.index)
        name = "ds" if source.index.name is None else str(source.index.name)
        times = {time_column} if isinstance(time_column, str) else {*(time_column or ())}
        has_time = bool(times) and times.issubset(map(str, source.columns))
        indexed = with_index(source, may_be_time=layout != "rows" and not has_time)
        freq_of = (name, freq) if freq else None
        return _check_columns(Table(indexed.frame, freq=freq_of, guesses=indexed.guesses), covariates)
    if isinstance(source, pd.Series):
        return _load_pandas_series(source)
    if type(source).__module__.split(".")[0] == "polars":
        return _load_polars(source)
    return _load_array(source)


def _load_file(
    path: Path,
    id_column: str | Sequence[str] | None,
    layout: str | None,
    covariates: Sequence[str],
    cells: CellFormat,
) -> Table:
    file = read_file(path, cells)
    ids = _id_columns(file.frame, id_column, layout)
    converted = convert(file.frame, cells, file.written, ids=ids, covariates=covariates)
    frame = converted.frame
    if file.written is not None:
        _refuse_headless(path.name, pd.Series([str(column) for column in frame.columns]))
        textual = [column for column in covariates if column in frame.columns and is_text(frame[column])]
        for column in {*ids, *textual}:  # "007" is not 7, "NA" is not missing
            frame = frame.assign(**{column: file.written(column).replace("", np.nan)})
    indexed = with_index(frame, may_be_time=file.lines is None and file.written is None and layout != "rows")
    table = Table(
        indexed.frame,
        name=path.name,
        is_file=file.written is not None or file.lines is not None,
        guesses=(*file.guesses, *indexed.guesses, *converted.guesses),
        warnings=(*file.warnings, *converted.warnings),
        lines=file.lines,
        end=file.end,
        written=file.written,
        cells=cells,
        ambiguous=converted.ambiguous,
        percent=converted.percent,
        decimals=converted.decimals,
    )
    table.refuse_ambiguous(covariates)
    return _check_columns(table, covariates)


def _id_columns(frame: pd.DataFrame, given: str | Sequence[str] | None, layout: str | None) -> list[str]:
    """The columns of a file that name series: as given, else the usual one; the first if each row is a series."""
    names = [given] if isinstance(given, str) else list(given or ())
    names = names or [str(frame.columns[0]) if layout == "rows" else "unique_id"]
    return [name for name in names if name in frame.columns]


def _refuse_headless(name: str, header: pd.Series) -> None:
    """Refuse a header of dates and numbers, which is a row of data; consecutive integers are column names."""
    numbers = to_numbers(header)
    texts = header[np.isnan(numbers)]
    if not all(any(map(str.isdecimal, text)) and looks_like_dates(pd.Series([text])) for text in texts):
        return
    if len(texts) or not (np.diff(numbers) == 1).all() or (len(numbers) == 1 and numbers[0] != 0):
        raise headless(name, 1, list(header))


def _load_polars(source: Any) -> Table:
    import narwhals as nw

    native = nw.from_native(source, allow_series=True, pass_through=False)
    if isinstance(native, nw.LazyFrame):
        raise DataError("the polars table is lazy; pass table.collect()")
    if isinstance(native, nw.Series):
        return _single_series(from_polars(native), name=native.name or None, backend="polars")
    frame = pd.DataFrame({column: from_polars(native[column]) for column in native.columns})
    date_only = tuple(column for column in native.columns if native[column].dtype == nw.Date)
    categorical = {
        column: category_kind(dtype) for column, dtype in native.schema.items() if category_kind(dtype) is not False
    }
    return _check_columns(Table(frame, backend="polars", date_only=date_only, categorical=categorical))


def _load_pandas_series(source: pd.Series) -> Table:
    index, y = source.index, source.reset_index(drop=True)
    if isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1:
        return _single_series(y, name=source.name)
    if isinstance(index, pd.MultiIndex):
        raise DataError(
            "the series has an index of several levels, expected dates; pass series.reset_index() as a table"
        )
    table = _single_series(y, pd.Series(index), source.name, freq=_index_frequency(index))
    if isinstance(index, pd.RangeIndex):  # a part of a longer series, although 43831, 43832, ... could be dates
        return replace(table, cells=CellFormat(time_format="integer"))
    return table


def _index_frequency(index: pd.Index) -> str | None:
    """The frequency of the index; None for a reversed index, such as -1D."""
    known = isinstance(index, pd.DatetimeIndex) and index.freq is not None and index.freq.n > 0
    return index.freqstr if known else None


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
        values = values.tolist()  # masked values become None
    array = np.asarray(values, dtype=object if isinstance(values, list | tuple) else None)
    if array.ndim != 1:
        raise DataError(
            f"the array has shape {array.shape}, expected one dimension (T,); "
            "pass one column, such as array[:, 0], or a table"
        )
    return _single_series(pd.Series(array, dtype=array.dtype))


def _single_series(
    y: Any, time: Any = None, name: object = None, freq: str | None = None, backend: Backend = "pandas"
) -> Table:
    """A series as a table of its dates, if there are any, and its values."""
    target = "y" if name is None else str(name)
    if len(y) == 0:
        raise DataError(f"series {target!r} is empty; expected one value per date")
    if time is None:
        return Table(pd.DataFrame({target: y}), backend=backend, columns=Columns((), (target,), None))
    index = "ds" if target != "ds" else "time"
    frame, columns = pd.DataFrame({index: time, target: y}), Columns((index,), (target,), None)
    return Table(frame, backend=backend, columns=columns, freq=(index, freq) if freq else None)


def _check_columns(table: Table, covariates: Sequence[str] = ()) -> Table:
    frame = table.frame.rename(columns=str).reset_index(drop=True)
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise DataError(f"{table.name} has several columns named {repeated[0]!r}; give each column its own name")
    if len(table.frame) == 0:
        raise DataError(f"{table.name} has no rows; expected one row per date")
    others = [column for column in frame.columns if column not in covariates]
    kinds = {column: frame[column].dtype for column in others if isinstance(frame[column].dtype, pd.CategoricalDtype)}
    frame = frame.assign(**{column: frame[column].astype(object) for column in kinds})
    return replace(table, frame=frame, categorical={**table.categorical, **kinds})
