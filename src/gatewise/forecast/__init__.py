"""Forecasting: one class from a table to a forecast, and a backtest that says whether to trust it.

forecaster.py   Forecaster: fit, predict, sample, backtest, update, save, load
inspection.py   what a fitted forecaster shows of itself: summary, fitted, excluded, plot
tuning.py       the search for better settings within a time budget
coordinate_search.py   the search itself: one setting at a time
trials.py       one trial of it: one network, measured on the validation set
fitted.py       the state of a fitted forecaster: series, networks, fallback
figures.py      which records of the state go into which figure
evaluation/     backtests: cutoffs, cross-validation, scores, verdict
persistence/    a fitted forecaster in a file
model/          from series to trained networks and their forecasts
reading.py      tables read for a forecaster
baselines.py    naive forecasts
conformal.py    prediction intervals from validation errors
update.py       newer observations joined to the known series
validation.py   checks of the arguments
"""

from gatewise.forecast.baselines import drift, naive, seasonal_naive
from gatewise.forecast.evaluation.backtest import Backtest
from gatewise.forecast.forecaster import Forecaster
from gatewise.forecast.tuning import tune

__all__ = ["Backtest", "Forecaster", "drift", "naive", "seasonal_naive", "tune"]
