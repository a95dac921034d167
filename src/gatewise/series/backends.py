"""Backends: conversion between pandas and polars tables, column by column."""

from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

Backend = Literal["pandas", "polars"]
# Categories of series names. False: none; True: polars' Categorical; a dtype: polars' Enum or pandas' categorical.
Kind: TypeAlias = bool | pd.CategoricalDtype


def to_table(
    frame: pd.DataFrame, backend: Backend = "pandas", *, date_only: bool = False, categorical: Kind = False
) -> Any:
    """Convert a pandas table to the given library; see `to_frame`. With `categorical`, unique_id has categories."""
    dtype = _with_new(categorical, frame["unique_id"]) if "unique_id" in frame.columns and categorical else None
    if backend == "pandas":
        return frame if dtype is None else frame.astype({"unique_id": dtype})
    import narwhals as nw

    columns = {name: _polars_column(frame[name], date_only) for name in frame.columns}
    if categorical and "unique_id" in columns:
        kind = nw.Categorical if dtype is None else nw.Enum(dtype.categories.tolist())
        columns["unique_id"] = columns["unique_id"].cast(kind)
    return nw.from_dict({name: column.to_native() for name, column in columns.items()}, backend="polars").to_native()


def _with_new(categorical: Kind, names: pd.Series) -> pd.CategoricalDtype | None:
    """The categories, extended by names that an update added; None if the type lists no categories."""
    if isinstance(categorical, bool):
        return None
    new = [name for name in names.unique() if name not in categorical.categories]
    return pd.CategoricalDtype([*categorical.categories, *new], categorical.ordered) if new else categorical


def _polars_column(column: pd.Series, date_only: bool) -> Any:
    """Convert a pandas column to polars, without pyarrow; dates with a time zone are converted in UTC."""
    import narwhals as nw

    def series(values: Any) -> Any:
        return nw.new_series(str(column.name), values, backend="polars")

    if not pd.api.types.is_datetime64_any_dtype(column):
        if pd.api.types.is_numeric_dtype(column):
            return series(column.to_numpy())
        return (
            series(column.tolist()) if len(column) else nw.new_series(str(column.name), [], nw.String, backend="polars")
        )
    column = column.dt.as_unit("us") if column.dt.unit == "s" else column  # polars has no seconds unit
    zone = column.dt.tz
    if zone is None:
        dates = series(column.to_numpy())
        return dates.cast(nw.Date) if date_only else dates
    moments = series(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
    return moments.dt.replace_time_zone("UTC").dt.convert_time_zone(str(zone))


def category_kind(dtype: Any) -> Kind:
    """The `Kind` of a polars column: a dtype for Enum, True for Categorical, else False."""
    import narwhals as nw

    return pd.CategoricalDtype(list(dtype.categories), ordered=True) if dtype == nw.Enum else dtype == nw.Categorical


def from_polars(column: Any) -> pd.Series:
    """Convert a polars column to pandas, without pyarrow; dates are converted as 64-bit integers."""
    import narwhals as nw

    if column.dtype == nw.Date or column.dtype == nw.Datetime:
        unit = "us" if column.dtype == nw.Date else column.dtype.time_unit
        counts = column.dt.timestamp(unit).fill_null(np.iinfo(np.int64).min).to_numpy()  # the lowest integer is NaT
        dates = pd.DatetimeIndex(counts.view(f"M8[{unit}]"))
        zone = getattr(column.dtype, "time_zone", None)
        return pd.Series(dates if zone is None else dates.tz_localize("UTC").tz_convert(zone))
    if column.dtype.is_float() or (column.dtype.is_integer() and not column.is_null().any()):
        return pd.Series(column.to_numpy())
    if column.dtype in (nw.String, nw.Categorical, nw.Enum):  # rows share one object per distinct text
        column = column.cast(nw.String)
        cells = column.unique(maintain_order=True).to_list()
        codes = column.replace_strict(cells, range(len(cells)), return_dtype=nw.Int64)
        return pd.Series(np.array(cells, dtype=object)[codes.to_numpy()], dtype=object)
    return pd.Series(column.to_list()).infer_objects()
