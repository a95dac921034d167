"""Held-out values: the test windows at the ends of series, and fewer or shorter ones that short series can afford."""

from typing import NamedTuple

from gatewise.series.wording import counted


class HeldOut(NamedTuple):
    """The test windows of a backtest.

    Attributes:
        windows: of each series.
        horizon: steps of each.
        step: from one window to the next.
    """

    windows: int
    horizon: int
    step: int

    @property
    def values(self) -> int:
        """How many values are held out at the end of a series."""
        return self.horizon + (self.windows - 1) * self.step

    @property
    def sum(self) -> str:
        """The values as a sum.

        >>> HeldOut(1, 12, 12).sum, HeldOut(3, 12, 12).sum, HeldOut(3, 12, 1).sum
        ('12', '3 x 12', '12 + 2 x 1')
        """
        if self.windows == 1:
            return f"{self.horizon}"
        if self.step == self.horizon:
            return f"{self.windows} x {self.horizon}"
        return f"{self.horizon} + {self.windows - 1} x {self.step}"

    def __str__(self) -> str:
        return f"{counted(self.windows, 'window')} of {self.horizon}"

    def leave(self, remaining: int) -> str:
        """What the windows leave for training.

        >>> HeldOut(1, 12, 12).leave(5), HeldOut(3, 2, 2).leave(-1)
        ('1 window of 12 leaves 5 for training', '3 windows of 2 leave 0 for training')
        """
        return f"{self} leave{'s' if self.windows == 1 else ''} {max(remaining, 0)} for training"

    def remedy(self, values: int) -> str:
        """Fewer windows, or a shorter horizon, that hold out at most `values`; a longer series, if there are none.

        >>> HeldOut(3, 4, 4).remedy(9)
        'use windows=2 (--windows 2), or a horizon of 3 (--horizon 3)'
        >>> HeldOut(3, 1, 1).remedy(0)
        'use a longer series'
        """
        windows = min(1 + (values - self.horizon) // self.step, self.windows - 1)
        horizon = values // self.windows if self.step == self.horizon else values - (self.windows - 1) * self.step
        horizon = min(horizon, self.horizon - 1)
        remedies = [f"windows={windows} (--windows {windows})"] if windows >= 1 else []
        remedies += [f"a horizon of {horizon} (--horizon {horizon})"] if horizon >= 1 else []
        return f"use {', or '.join(remedies) or 'a longer series'}"
