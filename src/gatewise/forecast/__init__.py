"""Forecasting: one class from a table to a forecast, and the measure of whether to trust it.

forecaster.py   Forecaster: fit, fitted, predict, backtest, plot
one_step.py     the strategy: windows into a network, one step at a time
backtest.py     forecasts of the past beside naive ones, and the verdict
"""

from gatewise.forecast.backtest import Backtest, naive, seasonal_naive
from gatewise.forecast.forecaster import Forecaster

__all__ = ["Backtest", "Forecaster", "naive", "seasonal_naive"]
