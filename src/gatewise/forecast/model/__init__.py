"""The forecasting model, one file for each step; a file imports only from files below it.

prediction.py       forecasts of a panel beyond its end
selection.py        compares strategies and baselines, trains the best strategy
eligibility.py      which series are long enough
plan.py             strategy, season, context and sizes, chosen for the data
training.py         builds and trains networks, measures their validation errors
validation_set.py   the last part of each series, on which forecasts are measured
loss.py             the training loss
ensemble.py         trained networks and their forecasts
batches.py          batches of windows: random for training, fixed for validation
strategies.py       three kinds of networks
dataset.py          all series in one tensor, and windows cut from it
scales.py           scales of whole series
level_shift.py      a lasting change of level: found, or at a given date, and removed from the past
window.py           the scale of a window, and its features
seasons.py          the season of the windows, and longer ones of the baselines
step_regression.py  the most likely step of a series, beside trend, season and noise
"""
