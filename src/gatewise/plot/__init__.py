"""Figures: numbers and dates in, matplotlib Axes out.

These functions compute no model, open no window and leave matplotlib's global settings unchanged. They do not use
pyplot, so they work on a machine without a screen. Each function draws on the Axes given as `ax`, or on a new figure,
and returns the Axes; `classified`, `examples`, `gates`, `reading` and `residuals` draw several Axes and return the
Figure. `save` writes a figure to a file.

    lines.py              series, differences, approximation, reconstruction, forecast, backtest, learning curve
    panels.py             examples: forecasts of many series, a small panel for each
    diagnostics.py        by_horizon, residuals, coverage
    confusion_matrix.py   confusion
    sequences.py          classified: sequences with their predicted classes
    gate_maps.py          gates, and reading: gates and probabilities while a sequence is read
    saving.py             check, save
    canvas.py             style, axes and dates
    text.py               names, numbers and percentages in figures

Imports go one way: panels > lines | diagnostics | confusion_matrix | gate_maps > sequences | saving > canvas > text.
"""

from gatewise.plot.confusion_matrix import confusion
from gatewise.plot.diagnostics import by_horizon, coverage, residuals
from gatewise.plot.gate_maps import gates, reading
from gatewise.plot.lines import (
    approximation,
    backtest,
    differences,
    forecast,
    learning_curve,
    reconstruction,
    series,
)
from gatewise.plot.panels import Example, examples
from gatewise.plot.saving import check, save
from gatewise.plot.sequences import classified

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
