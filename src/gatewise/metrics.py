"""Metrics of a forecast: arrays in, one number out, each with its definition.

Every function takes NumPy arrays, torch tensors, pandas columns or lists of equal shape (without broadcasting),
computes in float64 and returns a Python float. `y` are the observations, `f` the forecasts.
"""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from torch import Tensor

Values: TypeAlias = "npt.ArrayLike | Tensor"
Array: TypeAlias = "npt.NDArray[np.float64]"


def mae(y: Values, f: Values) -> float:
    """Mean absolute error.

    `mean(|y - f|)`, in the unit of `y`.

    Arguments:
        y: observations, any shape.
        f: forecasts, the shape of `y`.

    Returns:
        The error, >= 0.

    Raises:
        TypeError: values are not real numbers.
        ValueError: shapes differ, there are no values, or a value is NaN or infinite.

    Examples:
        >>> mae([1.0, 2.0, 6.0], [1.0, 4.0, 5.0])
        1.0
    """
    y, f = _arrays(y=y, f=f)
    return float(np.mean(np.abs(y - f)))


def mse(y: Values, f: Values) -> float:
    """Mean squared error.

    `mean((y - f)^2)`, in the squared unit of `y`.

    Arguments:
        y: observations, any shape.
        f: forecasts, the shape of `y`.

    Returns:
        The error, >= 0.

    Raises:
        TypeError: values are not real numbers.
        ValueError: shapes differ, there are no values, or a value is NaN or infinite.

    Examples:
        >>> mse([1.0, 2.0, 6.0, 0.0], [1.0, 4.0, 4.0, 0.0])
        2.0
    """
    y, f = _arrays(y=y, f=f)
    return float(np.mean(np.square(y - f)))


def rmse(y: Values, f: Values) -> float:
    """Root mean squared error.

    `sqrt(mean((y - f)^2))`, in the unit of `y`.

    Arguments:
        y: observations, any shape.
        f: forecasts, the shape of `y`.

    Returns:
        The error, >= 0.

    Raises:
        TypeError: values are not real numbers.
        ValueError: shapes differ, there are no values, or a value is NaN or infinite.

    Examples:
        >>> rmse([1.0, 2.0], [4.0, 5.0])
        3.0
    """
    return float(np.sqrt(mse(y, f)))


def smape(y: Values, f: Values) -> float:
    """Symmetric mean absolute percentage error, as in the M4 competition.

    `mean(200 |y - f| / (|y| + |f|))`, where a term with `y = f = 0` counts as 0.

    Reference: Makridakis, Spiliotis and Assimakopoulos (2020), "The M4 Competition", International Journal of
    Forecasting 36.

    Arguments:
        y: observations, any shape.
        f: forecasts, the shape of `y`.

    Returns:
        The error in percent, 0 to 200.

    Raises:
        TypeError: values are not real numbers.
        ValueError: shapes differ, there are no values, or a value is NaN or infinite.

    Examples:
        >>> smape([1.0, 0.0], [3.0, 0.0])
        50.0
    """
    y, f = _arrays(y=y, f=f)
    y, f = y / 2, f / 2  # halved, so that sums and differences cannot overflow
    size = np.abs(y) + np.abs(f)
    relative = np.divide(np.abs(y - f), size, out=np.zeros_like(size), where=size > 0)
    return float(np.mean(200 * relative))


def mase(y: Values, f: Values, *, train: Values, season: int = 1) -> float:
    """Mean absolute scaled error; below 1 is better than the in-sample error of the (seasonal) naive forecast.

    `mean(|y - f|) / mean(|train_t - train_{t - season}|)`, where the second mean is over the training part.

    Reference: Hyndman and Koehler (2006), "Another look at measures of forecast accuracy", International Journal of
    Forecasting 22; the seasonal scale as in the M4 competition.

    Arguments:
        y: observations after the training part, any shape.
        f: forecasts, the shape of `y`.
        train: `(n,)` observations before the forecast, oldest first.
        season: steps of a season; 1 scales by the naive forecast.

    Returns:
        The error, >= 0, without a unit.

    Raises:
        TypeError: values are not real numbers.
        ValueError: shapes differ, there are no values, a value is NaN or infinite, or the training part is not 1-D, is
            shorter than `season + 1`, or changes by no more than rounding over a season.

    Examples:
        >>> mase([5.0, 7.0], [4.0, 4.0], train=[1.0, 3.0, 2.0, 3.0], season=2)
        4.0
    """
    return mae(y, f) / _naive_error(train, season)


def coverage(y: Values, lo: Values, hi: Values) -> float:
    """Fraction of the observations that lie inside their interval, bounds included.

    `mean(lo <= y <= hi)`; a calibrated 80 % interval has a coverage near 0.8.

    Arguments:
        y: observations, any shape.
        lo: lower bounds, the shape of `y`.
        hi: upper bounds, the shape of `y`.

    Returns:
        The fraction, 0 to 1.

    Raises:
        TypeError: values are not real numbers.
        ValueError: shapes differ, there are no values, a value is NaN or infinite, or a lower bound is above its upper.

    Examples:
        >>> coverage([1.0, 2.0, 3.0, 9.0], [0.0, 0.0, 0.0, 0.0], [4.0, 4.0, 3.0, 4.0])
        0.75
    """
    y, lo, hi = _interval(y, lo, hi)
    return float(np.mean((lo <= y) & (y <= hi)))


def interval_score(y: Values, lo: Values, hi: Values, *, level: float) -> float:
    """Mean interval score: the width of the interval, plus a penalty for each observation outside it.

    `mean((hi - lo) + 2/a * max(lo - y, 0) + 2/a * max(y - hi, 0))` with `a = 1 - level/100`, in the unit of `y`.

    Reference: Gneiting and Raftery (2007), "Strictly proper scoring rules, prediction, and estimation", equation 43.

    Arguments:
        y: observations, any shape.
        lo: lower bounds, the shape of `y`.
        hi: upper bounds, the shape of `y`.
        level: nominal coverage of the interval in percent, such as 80.

    Returns:
        The score, >= 0; smaller is better.

    Raises:
        TypeError: values are not real numbers.
        ValueError: shapes differ, there are no values, a value is NaN or infinite, a lower bound is above its upper, or
            the level is outside 0 to 100.

    Examples:
        >>> interval_score([5.0, 12.0], [0.0, 0.0], [10.0, 10.0], level=80)
        20.0
    """
    if not 0 < level < 100:
        raise ValueError(f"level is {level!r}, expected a percentage between 0 and 100, such as 80")
    y, lo, hi = _interval(y, lo, hi)
    outside = np.maximum(lo - y, 0) + np.maximum(y - hi, 0)
    return float(np.mean(hi - lo + 200 / (100 - level) * outside))


def msis(y: Values, lo: Values, hi: Values, *, level: float, train: Values, season: int = 1) -> float:
    """Mean scaled interval score: `interval_score` in units of the in-sample error of the (seasonal) naive forecast.

    `interval_score(y, lo, hi) / mean(|train_t - train_{t - season}|)`; scaled as `mase`.

    Reference: Makridakis, Spiliotis and Assimakopoulos (2020), "The M4 Competition", International Journal of
    Forecasting 36, which uses it for 95 % intervals.

    Arguments:
        y: observations after the training part, any shape.
        lo: lower bounds, the shape of `y`.
        hi: upper bounds, the shape of `y`.
        level: nominal coverage of the interval in percent, such as 95.
        train: `(n,)` observations before the forecast, oldest first.
        season: steps of a season; 1 scales by the naive forecast.

    Returns:
        The score, >= 0, without a unit; smaller is better.

    Raises:
        TypeError: values are not real numbers.
        ValueError: as for the interval in `interval_score` and the training part in `mase`.

    Examples:
        >>> msis([5.0, 12.0], [0.0, 0.0], [10.0, 10.0], level=80, train=[1.0, 3.0, 5.0, 7.0])
        10.0
    """
    return interval_score(y, lo, hi, level=level) / _naive_error(train, season)


def pinball(y: Values, f: Values, *, quantile: float) -> float:
    """Mean pinball (quantile) loss, smallest when `f` is the true quantile.

    `mean(max(q (y - f), (q - 1) (y - f)))` with `q` the quantile, in the unit of `y`; `q = 0.5` gives half the `mae`.

    Reference: Koenker and Bassett (1978), "Regression quantiles", Econometrica 46.

    Arguments:
        y: observations, any shape.
        f: forecasts of the quantile, the shape of `y`.
        quantile: the quantile, between 0 and 1.

    Returns:
        The loss, >= 0.

    Raises:
        TypeError: values are not real numbers.
        ValueError: shapes differ, there are no values, a value is NaN or infinite, or the quantile is outside 0 to 1.

    Examples:
        >>> pinball([3.0, 1.0], [1.0, 3.0], quantile=0.75)
        1.0
    """
    if not 0 < quantile < 1:
        raise ValueError(f"quantile is {quantile!r}, expected a number between 0 and 1, such as 0.9")
    y, f = _arrays(y=y, f=f)
    return float(np.mean(np.maximum(quantile * (y - f), (quantile - 1) * (y - f))))


def crps(y: Values, quantiles: Mapping[float, Values]) -> float:
    """Continuous ranked probability score of a forecast distribution, approximated from some of its quantiles.

    `mean over q of 2 pinball(y, f_q, quantile=q)`, in the unit of `y`. Over all quantiles from 0 to 1 this is the exact
    score; over a few, evenly spaced, an approximation. For the quantile 0.5 alone, or a point forecast repeated for
    quantiles that are symmetric about 0.5, it equals the `mae`. Half of it is the mean pinball (multi-quantile) loss.

    Reference: Gneiting and Ranjan (2011), "Comparing density forecasts using threshold- and quantile-weighted scoring
    rules", Journal of Business and Economic Statistics 29, section 3.

    Arguments:
        y: observations, any shape.
        quantiles: forecasts by quantile, such as `{0.1: low, 0.5: middle, 0.9: high}`, each the shape of `y`.

    Returns:
        The score, >= 0; smaller is better.

    Raises:
        TypeError: values are not real numbers.
        ValueError: shapes differ, there are no values or quantiles, a value is NaN or infinite, or a quantile is
            outside 0 to 1.

    Examples:
        >>> crps([4.0, 6.0], {0.25: [3.0, 3.0], 0.5: [5.0, 5.0], 0.75: [7.0, 7.0]})
        1.0
    """
    if not quantiles:
        raise ValueError("quantiles is empty, expected one or more, such as {0.1: low, 0.5: middle, 0.9: high}")
    return 2 * float(np.mean([pinball(y, f, quantile=quantile) for quantile, f in quantiles.items()]))


def _naive_error(train: Values, season: int) -> float:
    """The in-sample mean absolute error of the (seasonal) naive forecast."""
    if isinstance(season, bool) or not isinstance(season, int | np.integer) or season < 1:
        raise ValueError(f"season is {season!r}, expected an integer number of steps, at least 1")
    (past,) = _arrays(train=train)
    if past.ndim != 1:
        raise ValueError(f"train has shape {past.shape}, expected one dimension; score each series separately")
    if len(past) <= season:
        raise ValueError(
            f"train has {len(past)} {'value' if len(past) == 1 else 'values'}, but a season of {season} needs at "
            f"least {season + 1}; pass more values or a shorter season"
        )
    scale = float(np.mean(np.abs(past[season:] - past[:-season])))
    if scale <= 8 * np.finfo(np.float64).eps * np.abs(past).max():
        raise ValueError(
            f"train repeats itself every {season} step(s), so the naive error is 0 up to rounding and cannot be the "
            "scale; use mae, or another season"
        )
    return scale


def _interval(y: Values, lo: Values, hi: Values) -> tuple[Array, Array, Array]:
    y, lo, hi = _arrays(y=y, lo=lo, hi=hi)
    crossed = np.argwhere(lo > hi)
    if len(crossed):
        at = tuple(int(i) for i in crossed[0])
        raise ValueError(f"lo{_at(at)} is {lo[at]:g}, above hi{_at(at)} = {hi[at]:g}; swap the bounds")
    return y, lo, hi


def _arrays(**named: Values) -> tuple[Array, ...]:
    """The arguments as float64 arrays, checked one by one and against the shape of the first."""
    arrays = {name: _numbers(name, values) for name, values in named.items()}
    (first, expected), *others = arrays.items()
    for name, array in others:
        if array.shape != expected.shape:
            raise ValueError(
                f"{name} has shape {array.shape}, expected {expected.shape} like {first}; shapes are not broadcast"
            )
    return tuple(arrays.values())


def _numbers(name: str, values: Values) -> Array:
    try:
        if isinstance(values, np.ma.MaskedArray):
            raise TypeError("got a masked array; pass the unmasked values, such as y.compressed()")
        if isinstance(values, Tensor) and values.is_complex():
            raise TypeError(f"got {values.dtype}")
        raw = np.asarray(values.detach().cpu().double() if isinstance(values, Tensor) else values)
        if raw.dtype.kind not in "biufO":  # NumPy silently converts dates and text to floats
            raise TypeError(f"got {raw.dtype}")
        if raw.dtype.kind == "O" and any(isinstance(value, str | bytes) for value in raw.flat):
            raise TypeError("got text")
        array = raw.astype(np.float64)
    except (TypeError, ValueError) as reason:
        raise TypeError(f"{name} must hold real numbers in a rectangular shape: {reason}") from reason
    if array.size == 0:
        raise ValueError(f"{name} is empty (shape {array.shape}), expected one value or more")
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        at = tuple(int(i) for i in wrong[0])
        raise ValueError(
            f"{name}{_at(at)} is {array[at]}, expected finite numbers; drop or fill the {len(wrong)} such value(s)"
        )
    return array


def _at(position: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, position))}]" if position else ""
