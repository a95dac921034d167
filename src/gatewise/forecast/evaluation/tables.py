"""Tables of scores and forecasts in the library of the data."""

from typing import Any

import pandas as pd


def missing_for_nan(table: Any) -> Any:
    """The table with missing values in place of NaN, because means of polars do not skip NaN."""
    if isinstance(table, pd.DataFrame):
        return table
    import narwhals as nw

    frame = nw.from_native(table)
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    return frame.with_columns(nw.when(~nw.col(name).is_nan()).then(nw.col(name)) for name in floats).to_native()
