"""Figures: numbers and dates in, matplotlib Axes out.

Nothing here computes a model, opens a window or touches matplotlib's global settings: figures are made without pyplot,
so they work on a machine without a screen. Each function draws on the Axes given as `ax`, or on a figure of its own,
and returns the Axes (`classified`, `examples`, `gates`, `reading` and `residuals`, with many, the Figure); `save`
writes the picture.

    lines.py         series, differences, approximation, reconstruction, forecast, backtest, learning curve
    panels.py        forecasts of many series, a small panel for each
    diagnostics.py   accuracy by horizon, residuals, coverage of intervals
    classes.py       confusion of classes, classified sequences, and what the gates do while one is read
    maps.py          gates through time
    canvas.py        the look, the dates under it, and the file
"""

from gatewise.plot.canvas import check, save
from gatewise.plot.classes import classified, confusion, reading
from gatewise.plot.diagnostics import by_horizon, coverage, residuals
from gatewise.plot.lines import (
    approximation,
    backtest,
    differences,
    forecast,
    learning_curve,
    reconstruction,
    series,
)
from gatewise.plot.maps import gates
from gatewise.plot.panels import Example, examples

__all__ = [
    "Example",
    "approximation",
    "backtest",
    "by_horizon",
    "check",
    "classified",
    "confusion",
    "coverage",
    "differences",
    "examples",
    "forecast",
    "gates",
    "learning_curve",
    "reading",
    "reconstruction",
    "residuals",
    "save",
    "series",
]
