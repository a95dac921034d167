"""Forecasting: the `Forecaster`, from a table to a forecast, and a backtest that measures whether to trust it.

forecaster.py   Forecaster: fit, predict, sample, backtest, update, save, load
inspection.py   methods of a fitted forecaster: summary, in-sample fit, excluded series, plots
tuning.py       the search for better settings within a time budget
coordinate_search.py   the search algorithm: one setting at a time
trials.py       one trial: trains one network and measures its validation error
fitted.py       the state of a fitted forecaster: series, networks, fallback
figures.py      figures of a fitted forecaster
evaluation/     backtests: cutoffs, cross-validation, scores, verdict
baselines/      naive forecasts, smoothing, Theta and ridge regression
persistence/    a fitted forecaster in a file
model/          from series to trained networks and their forecasts
reading.py      reads tables, and checks that they suit the forecaster
conformal.py    prediction intervals from validation errors
update.py       newer observations joined to the known series
validation.py   checks of the arguments
"""

from gatewise.forecast.baselines import drift, naive, seasonal_naive
from gatewise.forecast.evaluation.backtest import Backtest
from gatewise.forecast.forecaster import Forecaster
from gatewise.forecast.tuning import tune

__all__ = ["Backtest", "Forecaster", "drift", "naive", "seasonal_naive", "tune"]
