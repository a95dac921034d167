"""Baselines: forecasts that a model must beat, for one series or for many test windows at once.

A test window is given by a series and a cut, the number of values that are known. Filled values (fill=) before the cut
may depend on values after it, so those after the last observed value are not used.

descriptions.py  names of the baselines, and phrases for messages
dispatch.py      the forecasts of all baselines
naive.py         naive, drift and seasonal naive forecasts
smoothing.py     simple exponential smoothing
theta.py         the Theta method
intermittent.py  a test for intermittent series
croston.py       the mean demand of intermittent series
ridge.py         ridge regression for each window
regressors.py    the columns of the ridge regression
calendar_cells.py  calendar columns of the ridge regression
classical.py     optional models of statsforecast
seasonality.py   a test for a season, and seasonal adjustment
windows.py       the known values of many windows, in blocks
"""

from gatewise.forecast.baselines.classical import CLASSICAL, classical
from gatewise.forecast.baselines.croston import demand
from gatewise.forecast.baselines.descriptions import (
    CROSTON,
    DESCRIPTIONS,
    DRIFT,
    NAIVE,
    NAIVE_NAMES,
    NAMES,
    RIDGE,
    SEASONAL,
    SES,
    THETA,
    applicable,
    describe,
    is_naive,
    longer_name,
    longer_seasons,
)
from gatewise.forecast.baselines.dispatch import forecasts
from gatewise.forecast.baselines.intermittent import demand_intervals, launched, longest_past
from gatewise.forecast.baselines.naive import drift, naive, seasonal_naive
from gatewise.forecast.baselines.windows import Pasts, Values, grouped, known, last_observed

__all__ = [
    "CLASSICAL",
    "CROSTON",
    "DESCRIPTIONS",
    "DRIFT",
    "NAIVE",
    "NAIVE_NAMES",
    "NAMES",
    "RIDGE",
    "SEASONAL",
    "SES",
    "THETA",
    "Pasts",
    "Values",
    "applicable",
    "classical",
    "demand",
    "demand_intervals",
    "describe",
    "drift",
    "forecasts",
    "grouped",
    "is_naive",
    "known",
    "last_observed",
    "launched",
    "longer_name",
    "longer_seasons",
    "longest_past",
    "naive",
    "seasonal_naive",
]
