"""Figures: numbers and dates in, matplotlib Axes out.

Nothing here computes a model, opens a window or touches matplotlib's global settings: figures are made without pyplot,
so they work on a machine without a screen. Each function draws on the Axes given as `ax`, or on a figure of its own,
and returns the Axes (`gates`, with many, the Figure); `save` writes the picture.

    lines.py     series, differences, approximation, reconstruction, forecast, backtest, learning curve
    maps.py      gates through time
    canvas.py    the look, the dates under it, and the file
"""

from gatewise.plot.canvas import check, save
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

__all__ = [
    "approximation",
    "backtest",
    "check",
    "differences",
    "forecast",
    "gates",
    "learning_curve",
    "reconstruction",
    "save",
    "series",
]
