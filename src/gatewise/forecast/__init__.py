"""Forecasting: one class from a table to a forecast, and the measure of whether to trust it.

forecaster.py   Forecaster: fit, fitted, predict, backtest, plot, update, save, load
arguments.py    its arguments: kept, listed, changed, shown
plan.py         the season and the context, chosen for a series
one_step.py     the strategy: windows into networks, one step at a time
intervals.py    intervals from held-out errors
backtest.py     forecasts of the past beside naive ones
verdict.py      what they say about trusting the model
keeping.py      a fitted forecaster as what a file holds, and back
checks.py       what is refused, in words
"""

from gatewise.forecast.backtest import Backtest, naive, seasonal_naive
from gatewise.forecast.forecaster import Forecaster

__all__ = ["Backtest", "Forecaster", "naive", "seasonal_naive"]
