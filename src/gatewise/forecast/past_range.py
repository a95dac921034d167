"""A sentence about forecasts outside the range of all past values.

A forecast may leave this range: a series with a trend does. It is worth a sentence where it is further outside than a
fifth of the range, or than the series has ever moved in as many steps.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series import Series
from gatewise.series.wording import format_date

FRACTION = 0.2  # of the range
ROUNDING = 1e-9  # relative to the values
DIGITS = (4, 15)  # at least and at most


class Outside(NamedTuple):
    """The step of a forecast that is furthest outside the range of the past.

    Attributes:
        step: from 0.
        value: of the forecast.
        bound: the largest value of the past, or the smallest.
        size: distance from the bound, in units of the range.
    """

    step: int
    value: float
    bound: float
    size: float


def furthest_outside(y: np.ndarray, forecast: np.ndarray) -> Outside | None:
    """The step of a forecast that is furthest outside the range of the past; None if it is near or inside.

    Arguments:
        y: (T,) past values; NaN where unknown.
        forecast: (h,).

    >>> y = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])
    >>> furthest_outside(y, np.array([8.0, 9.5, 10.0]))
    >>> furthest_outside(y, np.array([8.0, 9.5, 13.0]))
    Outside(step=2, value=13.0, bound=9.0, size=0.5)
    """
    known = y[np.isfinite(y)]
    if not len(known):
        return None
    low, high = float(known.min()), float(known.max())
    excess = np.maximum(forecast - high, low - forecast)
    step = int(np.argmax(excess))
    span, distance, lag = high - low, float(excess[step]), step + 1
    if not distance > ROUNDING * max(abs(low), abs(high)):
        return None
    moves = np.abs(y[lag:] - y[:-lag])
    moves = moves[np.isfinite(moves)]
    largest = float(moves.max()) if len(moves) else math.inf
    if distance <= min(FRACTION * span, largest):
        return None
    value = float(forecast[step])
    return Outside(step, value, high if value > high else low, distance / span if span else math.inf)


def describe(series: Sequence[Series], forecasts: pd.DataFrame, column: str) -> str:
    """A sentence about the forecasts that are outside the range of their series; "" if none is.

    Arguments:
        series: their past values.
        forecasts: table with columns unique_id, ds and the forecast; the dates of a series ascend.
        column: of the forecast.

    Raises:
        ValueError: the table has no forecast of a series.

    >>> past = Series("a", pd.RangeIndex(4), np.array([1.0, 3.0, 2.0, 3.0]))
    >>> table = pd.DataFrame({"unique_id": "a", "ds": [4, 5], "LSTM": [3.5, 7.0]})
    >>> describe([past], table, "LSTM")
    "The forecast of 'a' reaches 7 at 5; the series has never been above 3."
    """
    values, dates, found = forecasts[column].to_numpy(np.float64), forecasts["ds"], []
    rows_by_name = forecasts.groupby("unique_id", sort=False, observed=True).indices
    for one in series:
        if (rows := rows_by_name.get(one.unique_id)) is None:
            raise ValueError(f"the table has no forecast of series {str(one.unique_id)!r}; pass the table of predict")
        if (outside := furthest_outside(one.recorded, values[rows])) is not None:
            found.append((str(one.unique_id), outside, dates.iloc[rows[outside.step]]))
    if not found:
        return ""
    name, outside, date = max(found, key=lambda each: each[1].size)
    above, (value, bound) = outside.value > outside.bound, _distinct(outside.value, outside.bound)
    on = "at" if pd.api.types.is_integer_dtype(dates) else "on"
    reaches = f"{name!r} {'reaches' if above else 'falls to'} {value} {on} {format_date(date)}"
    never = f"never been {'above' if above else 'below'} {bound}"
    if len(found) == 1:
        return f"The forecast of {reaches}; the series has {never}."
    many = f"The forecasts of {len(found)} of {len(series)} series leave the range of their past."
    return f"{many} The furthest: {reaches}; it has {never}."


def _distinct(value: float, bound: float) -> tuple[str, str]:
    """Two numbers with enough digits to tell them apart.

    >>> _distinct(210.04, 105.0), _distinct(1e9 + 7, 1e9 + 1)
    (('210', '105'), ('1000000007', '1000000001'))
    """
    ratio = max(abs(value), abs(bound)) / abs(value - bound)
    digits = min(max(DIGITS[0], math.ceil(math.log10(ratio)) + 2), DIGITS[1])
    return f"{value:.{digits}g}", f"{bound:.{digits}g}"
