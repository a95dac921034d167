"""Date objects: columns of dates of pandas, numpy or Python."""

import pandas as pd


def converted_objects(column: pd.Series) -> pd.DatetimeIndex | str:
    """Date objects (of pandas, numpy or Python) as an index, or the reason why this fails."""
    if isinstance(column.dtype, pd.PeriodDtype):
        return pd.DatetimeIndex(column.dt.to_timestamp())
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind not in ("datetime64", "datetime", "date"):
        return f"it holds {kind!r} values, expected dates, text such as '1949-01-31', or integers"
    try:
        return pd.DatetimeIndex(pd.to_datetime(column))
    except (ValueError, TypeError) as reason:  # several time zones, or dates out of the range of pandas
        return (
            f"{reason}; if the dates have several time zones, convert them first, for example with "
            "pandas.to_datetime(column, utc=True)"
        )
