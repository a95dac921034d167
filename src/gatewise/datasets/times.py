"""Times of the steps of sequences: numbers and dates, as numbers that can be compared.

Letters: `N` rows.
"""

from typing import Any

import numpy as np
import pandas as pd

from gatewise.datasets import columns

FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d")


def time_values(column: "pd.Series[Any]") -> np.ndarray | None:
    """(N,) float64: numbers unchanged, dates in seconds; None for other cells, or if days and months may be swapped.

    >>> time_values(pd.Series(["2024-01-01", "2024-01-02"])).tolist()
    [1704067200.0, 1704153600.0]
    >>> time_values(pd.Series(["1/2/2024", "2/2/2024"])), time_values(pd.Series(["30/1/2024", "1/2/2024"])).tolist()
    (None, [1706572800.0, 1706745600.0])
    """
    if pd.api.types.is_datetime64_any_dtype(column) or column.dtype.kind == "m":
        if column.isna().any():
            return None
        return np.asarray(column.dt.total_seconds()) if column.dtype.kind == "m" else _since_epoch(column)
    if pd.api.types.is_numeric_dtype(column):
        numbers = columns.numbers(column)
        return numbers if np.isfinite(numbers).all() else None
    codes, distinct = pd.factorize(column)
    if not len(distinct) or codes.min() < 0:
        return None
    seconds = _seconds(pd.Series(distinct).astype(str).str.strip())
    return None if seconds is None else seconds[codes]


def _seconds(texts: "pd.Series[str]") -> np.ndarray | None:
    """Seconds of times written in one way; None if there is no way or more than one."""
    clock = texts.where(texts.str.fullmatch(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"))
    if clock.notna().all():
        full = clock.where(clock.str.count(":") == 2, clock + ":00")
        return np.asarray(pd.to_timedelta(full).dt.total_seconds())
    iso = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
    if iso.notna().all():
        return _since_epoch(iso)
    clocks = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M", "T%H:%M:%S")
    head = texts.str.len().iloc[:1].item()
    parsed = []
    for date in FORMATS:
        for clock_format in clocks if head > 10 else clocks[:1]:
            moments = pd.to_datetime(texts, format=date + clock_format, errors="coerce", utc=True)
            if moments.notna().all():
                parsed.append(_since_epoch(moments))
    distinct = {tuple(values.tolist()) for values in parsed}
    return parsed[0] if len(distinct) == 1 else None


def _since_epoch(moments: "pd.Series[Any]") -> np.ndarray:
    moments = pd.to_datetime(moments, utc=True)
    return np.asarray((moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds(), np.float64)
