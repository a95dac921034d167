"""Limits: the values that a series can have, which its forecasts, intervals and sample paths respect."""

import math
from dataclasses import dataclass, replace

import numpy as np

from gatewise.series import Panel, Series
from gatewise.series.wording import counted, format_date

ROUNDING = 1e-9  # relative: a bound this close to a whole number is that number


@dataclass(frozen=True)
class Limits:
    """The possible values of all series.

    Attributes:
        lower, upper: the smallest and the largest value; None for no limit.
        integer: whether all values are whole numbers.

    >>> limits = Limits(lower=0, integer=True)
    >>> limits.point(np.array([-0.7, 2.4])).tolist()
    [0.0, 2.0]
    >>> lower, upper = limits.interval(np.array([-0.7, 2.4]), np.array([0.2, 2.6]))
    >>> lower.tolist(), upper.tolist()
    ([0.0, 2.0], [1.0, 3.0])
    """

    lower: float | None = None
    upper: float | None = None
    integer: bool = False

    def point(self, values: np.ndarray) -> np.ndarray:
        """Forecasts or sample paths of any shape, rounded to the nearest whole number and clipped."""
        return self._clip(np.rint(values) if self.integer else values)

    def interval(self, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The bounds of intervals, rounded outward and clipped."""
        if self.integer:
            lower = np.floor(lower + ROUNDING * np.maximum(1, np.abs(lower)))
            upper = np.ceil(upper - ROUNDING * np.maximum(1, np.abs(upper)))
        return self._clip(lower), self._clip(upper)

    def within(self, panel: Panel) -> Panel:
        """The panel with clipped outliers within the limits, which reading does not know."""
        return panel if self == NO_LIMITS else replace(panel, series=tuple(map(self._with_outliers, panel.series)))

    def _with_outliers(self, series: Series) -> Series:
        if series.treatment is None or series.treatment.how != "clip":
            return series
        changed = ~np.isnan(series.treatment.values) & (series.treatment.values != series.y)
        return replace(series, y=np.where(changed, self.point(series.y), series.y)) if changed.any() else series

    def violations(self, panel: Panel) -> dict[int, str]:
        """Position -> message for each series with an impossible value; filled values are not checked."""
        if self == NO_LIMITS:
            return {}
        messages = {k: self._violation(series) for k, series in enumerate(panel.series)}
        return {k: message for k, message in messages.items() if message}

    def _violation(self, series: Series) -> str:
        """The first impossible value of a series; empty if there is none."""
        lower, upper = self._ends
        violations = {
            f"is below lower={self.lower}": series.y < lower,
            f"is above upper={self.upper}": series.y > upper,
            "is not a whole number, but integer=True": (series.y != np.rint(series.y)) & bool(self.integer),
        }
        impossible = np.logical_or.reduce(list(violations.values()))
        if series.filled is not None:
            impossible &= ~series.filled
        if not impossible.any():
            return ""
        first = int(impossible.argmax())
        violation = next(text for text, values in violations.items() if values[first])
        return (
            f"series {str(series.unique_id)!r}, {format_date(series.ds[first])}: {series.y[first]:.15g} {violation} "
            f"({impossible.sum()} of {counted(len(series), 'value')})"
        )

    def _clip(self, values: np.ndarray) -> np.ndarray:
        if self == NO_LIMITS:
            return values
        lower, upper = self._ends
        if self.integer:
            lower, upper = np.ceil(lower), np.floor(upper)
        clipped: np.ndarray = np.clip(values, lower, upper) + 0.0  # turns -0 into 0
        return clipped

    @property
    def _ends(self) -> tuple[float, float]:
        """The smallest and the largest value, infinite without a limit."""
        return -math.inf if self.lower is None else self.lower, math.inf if self.upper is None else self.upper


NO_LIMITS = Limits()
