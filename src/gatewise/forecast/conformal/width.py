"""A warning about intervals that are wider than the range of the series."""

from typing import NamedTuple

import numpy as np

FEW = 20.0  # independent errors


class TooWide(NamedTuple):
    """An interval that is wider than the range of its series.

    Attributes:
        step: the first such step, from 1.
        ratio: the largest width, in units of the range.
        grows: whether the first step has a narrower interval.
    """

    step: int
    ratio: float
    grows: bool

    def sentence(self, name: str, level: float, n: float) -> str:
        """The warning with its cause.

        Arguments:
            name: of the series.
            level: of the interval in percent.
            n: effective sample size of the calibration.

        >>> TooWide(step=5, ratio=1.52, grows=True).sentence("A", 80, 12.0)
        "series 'A': from step 5, the 80 % interval is wider than the range of the series (up to 1.5 times), because \
few independent validation errors calibrate it (12); use a longer series"
        """
        if n < FEW:
            cause = f"because few independent validation errors calibrate it ({n:.0f}); use a longer series"
        elif self.grows:
            cause = "because the errors grow with the horizon; use a shorter horizon"
        else:
            cause = (
                "because the validation errors are as large as the series, or its last values are unlike those before; "
                "check the last values"
            )
        return (
            f"series {name!r}: from step {self.step}, the {level:g} % interval is wider than the range of the series "
            f"(up to {self.ratio:.2g} times), {cause}"
        )


def too_wide(lower: np.ndarray, upper: np.ndarray, y: np.ndarray) -> TooWide | None:
    """Whether an interval is wider than the range of its series.

    Arguments:
        lower, upper: (h,) bounds; NaN where unknown.
        y: (T,) the series; NaN where unknown.

    Returns:
        The first such step and the largest ratio; None if no interval is too wide, or for a constant series.

    >>> too_wide(np.array([1.0, -9.0]), np.array([2.0, 11.0]), np.array([0.0, 10.0, 5.0]))
    TooWide(step=2, ratio=2.0, grows=True)
    """
    values = y[np.isfinite(y)]
    widths = upper - lower
    if not len(values) or not (span := float(np.ptp(values))) > 0 or not (widths > span).any():
        return None
    wide = widths > span
    return TooWide(int(wide.argmax()) + 1, float(np.nanmax(widths) / span), not bool(wide[0]))
