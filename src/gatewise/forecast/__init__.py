"""Forecasting: one class from a table to a forecast, and the measure of whether to trust it.

forecaster.py   Forecaster: fit, fitted, predict, backtest, plot, update, save, load
shown.py        what it shows of itself: summary, fitted, report, plot
plan.py         strategy, season, context and sizes, chosen for the series
frame.py        a window on its own scale, and back
dataset.py       all series in one tensor, windows cut out by index
strategies.py   three kinds of networks
configuration.py       how they are trained and measured
selection.py      strategies tried, the best one trained, beside the best naive forecast
model.py        what trained networks forecast
ahead.py        forecasts of many series beyond their ends
intervals.py    intervals from held-out errors
cutoffs.py      where the forecasts of a backtest start, and what was known there
baselines.py       the naive forecasts, of many pasts at once
held.py         held-out windows: forecasts of the past, and what happened
backtest.py     their scores beside those of naive forecasts
verdict.py      what they say about trusting the model
keeping.py      a fitted forecaster as what a file holds, and back
tuning.py       time spent on better settings
checks.py       what is refused, in words
"""

from gatewise.forecast.baselines import drift, naive, seasonal_naive
from gatewise.forecast.evaluation.backtest import Backtest
from gatewise.forecast.forecaster import Forecaster
from gatewise.forecast.tuning import tune

__all__ = ["Backtest", "Forecaster", "drift", "naive", "seasonal_naive", "tune"]
