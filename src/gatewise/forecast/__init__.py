"""Forecasting: one class from a table to a forecast, and the measure of whether to trust it.

forecaster.py   Forecaster: fit, fitted, predict, backtest, plot
plan.py         the season and the context, chosen for a series
one_step.py     the strategy: windows into networks, one step at a time
intervals.py    intervals from held-out errors
backtest.py     forecasts of the past beside naive ones
verdict.py      what they say about trusting the model
"""

from gatewise.forecast.backtest import Backtest, naive, seasonal_naive
from gatewise.forecast.forecaster import Forecaster

__all__ = ["Backtest", "Forecaster", "naive", "seasonal_naive"]
