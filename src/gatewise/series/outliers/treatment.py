"""Treatment of outliers: values to train on, beside those that were read.

The treatment of a value depends on later ones, because outliers are found with the values on both sides. A series
therefore keeps the values as they were read (`Series.treatment`): a backtest is scored on these, and the values before
a cutoff are treated as if the later ones did not exist.

Letters: `T` values of a series.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gatewise.series.gaps import carried
from gatewise.series.outliers.search import Found, search
from gatewise.series.panel import Series, Treatment
from gatewise.series.values import NO_FILL


class Treated(NamedTuple):
    """The series after the treatment, and their outliers."""

    series: tuple[Series, ...]
    found: tuple[Found, ...]


def treated(series: Sequence[Series], freq: str | int, how: str, fill: str | None) -> Treated:
    """The series with their outliers clipped, or treated as missing and filled.

    Arguments:
        series: as they were read, or treated before.
        freq: their calendar.
        how: "clip" moves outliers to the bounds of the usual range; "missing" fills them.
        fill: how missing values are filled; see `gatewise.read`.

    >>> noise = np.random.default_rng(0).normal(size=60)
    >>> noise[30] = 900.0
    >>> result = treated([Series("A", np.arange(60), 100 + noise)], freq=1, how="clip", fill=None)
    >>> float(result.series[0].y[30].round()), float(untreated(result.series[0]).y[30])
    (102.0, 1000.0)
    """
    before = [untreated(one) for one in series]
    found = {id(one.series): one for one in search(before, freq)}
    change = _clipped if how == "clip" else _missing
    after = (change(found[id(one)], fill) if id(one) in found else one for one in before)
    return Treated(
        tuple(
            replace(new, treatment=Treatment(_recorded(old), freq, how, fill))
            for old, new in zip(before, after, strict=True)
        ),
        tuple(found.values()),
    )


def untreated(series: Series) -> Series:
    """The series with the values before the treatment of outliers."""
    if series.treatment is None:
        return series
    missing = np.isnan(series.treatment.values)
    y = np.where(missing, series.y, series.treatment.values)
    masked = series.treatment.fill == NO_FILL and bool(missing.any())
    return replace(series, y=y, filled=missing if missing.any() else None, masked=masked, treatment=None)


def without(found: Found) -> Series:
    """The series with its outliers replaced by values that are linear in time between their neighbours."""
    series, absent = found.series, np.zeros(len(found.series), bool)
    absent[found.rows] = True
    return replace(series, y=filled(series.y, absent, "interpolate"))


def _clipped(found: Found, fill: str | None) -> Series:
    series, rows = found.series, found.rows
    y = series.y.copy()
    y[rows] = np.clip(y[rows], found.lower, found.upper)
    as_read = np.ones(len(y), bool) if series.filled is None else ~series.filled
    as_read[rows] = False
    others = y[as_read]
    if len(others) and (others == np.rint(others)).all():  # counts stay counts
        y[rows] = _whole(y[rows], found.lower, found.upper)
    return replace(series, y=y)


def _whole(values: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """The nearest whole numbers between the bounds; the nearest ones at all where none is between them."""
    lowest, highest = np.ceil(lower), np.floor(upper)
    nearest = np.rint(values)
    between: np.ndarray = np.where(lowest <= highest, np.clip(nearest, lowest, np.maximum(lowest, highest)), nearest)
    return between


def _missing(found: Found, fill: str | None) -> Series:
    """The series with outliers filled; at its end with the last value before them."""
    series = found.series
    absent = np.zeros(len(series), bool) if series.filled is None else series.filled.copy()
    absent[found.rows] = True
    y = filled(series.y, absent, fill)
    return replace(series, y=y, filled=absent, masked=fill == NO_FILL)


def _recorded(series: Series) -> np.ndarray:
    """(T,) the values as they were read, NaN where they were missing."""
    return series.y if series.filled is None else np.where(series.filled, np.nan, series.y)


def filled(y: np.ndarray, absent: np.ndarray, fill: str | None) -> np.ndarray:
    """(T,) the values, those that are absent filled."""
    if fill == "zero":
        return np.where(absent, 0.0, y)
    if fill != "interpolate":
        return carried(y, absent)
    at = np.arange(len(y))
    return np.where(absent, np.interp(at, at[~absent], y[~absent]), y)
