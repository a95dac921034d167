"""Transforms of a series, each with its inverse: differences, one scale for all values, one scale per window.

All accept NumPy arrays and torch tensors. Letters: T time steps, B windows, C features, h horizon, S sample paths.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

Array = TypeVar("Array", np.ndarray, Tensor)


@dataclass(frozen=True)
class Difference:
    """Differences of a series, and their inverse.

    With the backward shift `B y_t = y_{t-1}` and the season m,

        d_t = (1 - B)^order (1 - B^m)^seasonal_order y_t = y_t + sum_k c_k y_{t-k},   k = 1, ..., lag,

    so that `y_t = d_t - sum_k c_k y_{t-k}`: a difference and the past before it give the value. Integers are computed
    in int64.

    Reference: Box and Jenkins, Time Series Analysis: Forecasting and Control, 1976, chapters 4 and 9.

    Arguments:
        order: number of ordinary differences.
        seasonal_order: number of seasonal differences.
        season: steps of a season, m.

    Raises:
        ValueError: if an order is negative, the season is below 1, or a series is too short for the lag.

    >>> y = np.array([112.0, 118.0, 132.0, 129.0])
    >>> difference = Difference(order=1)
    >>> difference.apply(y)
    array([ 6., 14., -3.])
    >>> difference.extend(np.array([-8.0, 14.0]), y)
    array([121., 135.])
    """

    order: int = 1
    seasonal_order: int = 0
    season: int = 1

    def __post_init__(self) -> None:
        if self.order < 0 or self.seasonal_order < 0 or self.season < 1:
            raise ValueError(
                f"order {self.order}, seasonal_order {self.seasonal_order} and season {self.season}: expected orders "
                "of at least 0 and a season of at least 1"
            )

    @property
    def lag(self) -> int:
        """The number of values by which differences are shorter than the series."""
        return self.order + self.seasonal_order * self.season

    @property
    def coefficients(self) -> np.ndarray:
        """The polynomial (1 - B)^order (1 - B^m)^seasonal_order as (lag + 1,) integers, the first of them 1."""
        polynomial, seasonal = np.ones(1, np.int64), np.zeros(self.season + 1, np.int64)
        seasonal[0], seasonal[-1] = 1, -1
        for factor in [np.array([1, -1])] * self.order + [seasonal] * self.seasonal_order:
            polynomial = np.convolve(polynomial, factor)
        return polynomial

    def apply(self, y: Array) -> Array:
        """Differences (..., T - lag) of values (..., T), along the last axis."""
        self._check_length(y, self.lag + 1)
        y = _signed(y)
        for step in [1] * self.order + [self.season] * self.seasonal_order:
            y = y[..., step:] - y[..., :-step]
        return y

    def restore(self, d_hat: Array, y: Array) -> Array:
        """One-step forecasts of the values: each predicted difference is added to the true past before it.

        Arguments:
            d_hat: (..., n) predicted differences, the last for the last value of `y`; n is at most T - lag.
            y: (..., T) true values.

        Returns:
            (..., n) predictions of the last n values.
        """
        n = d_hat.shape[-1]
        self._check_length(y, self.lag + n)
        d_hat, y = _signed(d_hat), _signed(y)
        last = y.shape[-1]
        for k, c in self._past():
            d_hat = d_hat - c * y[..., last - n - k : last - k]
        return d_hat

    def extend(self, d_future: Array, history: Array) -> Array:
        """Forecasts beyond the end: each predicted difference is added to the values before it, known or predicted.

        Arguments:
            d_future: (..., h) differences after the end of `history`.
            history: (..., T) values, of which the last `lag` are used; broadcast over sample paths (S, h).

        Returns:
            (..., h) values.
        """
        self._check_length(history, self.lag)
        d_future, history = _signed(d_future), _signed(history)
        past = [history[..., history.shape[-1] - k] for k in range(self.lag, 0, -1)]
        for t in range(d_future.shape[-1]):
            past.append(d_future[..., t] - sum(c * past[-k] for k, c in self._past()))
        values = past[self.lag :]
        if not values:
            return d_future
        return torch.stack(values, -1) if isinstance(d_future, Tensor) else np.stack(values, -1)

    def _past(self) -> list[tuple[int, int]]:
        """The lags k >= 1 with coefficients other than 0, and these coefficients."""
        return [(k, int(c)) for k, c in enumerate(self.coefficients) if k and c]

    def _check_length(self, y: Any, needed: int) -> None:
        if y.shape[-1] < needed:
            raise ValueError(
                f"the series has {y.shape[-1]} values, expected at least {needed}: order {self.order} and "
                f"seasonal order {self.seasonal_order} of season {self.season} need {self.lag} earlier values; "
                "use a longer series or lower orders"
            )


def _signed(y: Array) -> Array:
    """Convert integers to int64, because differences of smaller or unsigned types overflow."""
    if isinstance(y, Tensor):
        return y if y.is_floating_point() or y.is_complex() else y.long()
    return y.astype(np.result_type(y, np.int64)) if y.dtype.kind in "bui" else y


@dataclass(frozen=True)
class Scale:
    """An affine scale, `z = (x - shift) / scale`, to be fitted on the training part only.

    | kind | shift | scale |
    |---|---|---|
    | standard | mean | standard deviation |
    | minmax | smallest value | largest minus smallest |
    | robust | median | upper minus lower quartile (standard deviation where that is 0) |
    | none | 0 | 1 |

    If the values vary by no more than rounding, the scale is 1.

    Arguments:
        kind: one of the above.

    Raises:
        ValueError: the kind is unknown, the values to fit are empty or not finite, or the values to scale have another
            number of features.

    >>> scale = Scale("minmax").fit(np.array([10.0, 20.0, 30.0]))
    >>> scale.apply(np.array([10.0, 40.0])), scale.invert(np.array([0.0, 1.5]))
    (array([0. , 1.5]), array([10., 40.]))
    """

    kind: str = "standard"
    shift: Any = 0.0  # float64, () or (C,)
    scale: Any = 1.0

    def __post_init__(self) -> None:
        if self.kind not in ("standard", "minmax", "robust", "none"):
            raise ValueError(f"kind is {self.kind!r}, expected standard, minmax, robust or none")

    def fit(self, x: np.ndarray | Tensor) -> "Scale":
        """A scale of the same kind, fitted on `x`: (T,), or (T, C) for one scale per feature."""
        x = x.detach().cpu().numpy() if isinstance(x, Tensor) else x
        values = np.asarray(x, np.float64)
        if values.size == 0 or not np.isfinite(values).all():
            raise ValueError(
                "x is empty or holds NaN or infinity, expected finite values to fit a scale; fill or drop the others"
            )
        shift, scale = self._measure(values)
        rounding = 8 * np.finfo(np.float64).eps * np.abs(values).max(axis=0)
        return replace(self, shift=shift, scale=np.where(scale > rounding, scale, 1.0))

    def _measure(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.kind == "none":
            return np.zeros(x.shape[1:]), np.ones(x.shape[1:])
        if self.kind == "standard":
            return x.mean(axis=0), x.std(axis=0)
        if self.kind == "minmax":
            return x.min(axis=0), np.ptp(x, axis=0)
        lower, median, upper = np.quantile(x, (0.25, 0.5, 0.75), axis=0)
        return median, np.where(upper > lower, upper - lower, x.std(axis=0))

    def apply(self, x: Array) -> Array:
        """Scaled values, of the shape of `x`; its last axis holds the features if each has its own scale."""
        x = self._checked(x)
        z: Array = (x - _like(self.shift, x)) / _like(self.scale, x)
        return z

    def invert(self, z: Array) -> Array:
        """Values on the original scale."""
        z = self._checked(z)
        x: Array = z * _like(self.scale, z) + _like(self.shift, z)
        return x

    def _checked(self, x: Array) -> Array:
        """Check the number of features; converts integer tensors to floating point."""
        fitted = np.shape(self.shift)
        if tuple(x.shape[max(0, x.ndim - len(fitted)) :]) != fitted:
            raise ValueError(
                f"x has shape {tuple(x.shape)}, the scale was fitted on {fitted[-1]} feature(s); "
                f"pass values (..., {fitted[-1]}), or fit a new scale"
            )
        if isinstance(x, Tensor) and not x.is_floating_point():
            return x.to(torch.get_default_dtype())
        return x


def _like(constant: Any, x: Array) -> Array:
    """A constant in the library, precision and device of x."""
    if isinstance(x, Tensor):
        return torch.as_tensor(constant, dtype=x.dtype, device=x.device)
    return np.asarray(constant)


def normalise_windows(
    x: Tensor, *, centre: str = "mean", spread: str = "std", floor: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise each window on its own, `z = (x - shift) / scale`, which removes its level and spread.

    Reference: Kim et al., Reversible Instance Normalization for Accurate Time-Series Forecasting, ICLR 2022.

    Arguments:
        x: (T, B, C) windows.
        centre: the shift: "mean" of the window, its "last" value, or "none".
        spread: the scale: standard deviation of the window "std", mean absolute value after the shift "abs", or "none".
        floor: smallest scale, in units of x, which keeps values and gradients of constant windows finite. It is raised
            to 8 rounding errors of the window's largest value, because less variation than that is rounding.

    Returns:
        z (T, B, C), shift (1, B, C), scale (1, B, C); `restore_windows` is the inverse.

    Raises:
        ValueError: `centre` or `spread` is unknown, the shape is not (T, B, C), or the floor is not a finite number
            above 0.
        TypeError: the windows hold integers.

    >>> z, shift, scale = normalise_windows(torch.tensor([[[1.0]], [[3.0]]]))
    >>> z.flatten().tolist(), shift.item(), scale.item()
    ([-1.0, 1.0], 2.0, 1.0)
    """
    if x.ndim != 3 or x.shape[0] == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}, expected windows (T, B, C) of at least one step; reshape it")
    if centre not in ("mean", "last", "none") or spread not in ("std", "abs", "none") or not 0 < floor < math.inf:
        raise ValueError(
            f"centre={centre!r}, spread={spread!r}, floor={floor}: expected centre 'mean', 'last' or "
            "'none', spread 'std', 'abs' or 'none', and a finite floor above 0"
        )
    if not x.is_floating_point():
        raise TypeError(f"x is {x.dtype}, expected a floating type; pass x.float()")
    mean = x.mean(0, keepdim=True)
    mean = mean + (x - mean).mean(0, keepdim=True)  # removes the rounding error: a constant window becomes exactly 0
    centred = x - mean
    number = torch.finfo(x.dtype)
    largest = torch.linalg.vector_norm(x.detach(), math.inf, dim=0, keepdim=True)
    least = (8 * number.eps * largest).clamp_min(max(floor, number.tiny))
    shift = mean if centre == "mean" else x[-1:] if centre == "last" else torch.zeros_like(mean)
    shifted = centred if centre == "mean" else x - shift
    if spread == "std":  # as a norm, whose gradient at 0 is 0; that of a square root is infinite
        norm = torch.linalg.vector_norm(centred, dim=0, keepdim=True)
        scale = torch.maximum(norm / math.sqrt(len(x)), least)
    elif spread == "abs":
        scale = torch.maximum(shifted.abs().mean(0, keepdim=True), least)
    else:
        scale = torch.ones_like(mean)
    return shifted / scale, shift, scale


def restore_windows(z: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """The inverse of `normalise_windows`, also for forecasts (h, B, C) made from the windows."""
    return z * scale + shift
