"""The history of a training, and the error that a divergence raises."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(repr=False)
class History:
    """Losses, learning rates and times of each epoch; epochs count from 1, so epoch `e` is at index `e - 1`.

    Attributes:
        train: training loss, the mean over the batches of the epoch, each evaluated before its training step and
            weighted by the number of elements of its target.
        held_out: validation loss after the epoch, weighted the same way; empty without held-out batches.
        lr: learning rate at the start of the epoch (of the optimizer's first parameter group).
        seconds: wall time, validation included.
        best_epoch: the epoch with the lowest validation loss, `None` without held-out batches.
        stopped: why the training ended; empty while it runs.
    """

    train: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    stopped: Literal["", "epochs", "patience", "divergence"] = ""

    @property
    def epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.train)

    def summary(self) -> str:
        """A one-line summary of the training."""
        if not self.train:
            return "no finished epoch"
        count = f"{self.epochs} epoch{'s' if self.epochs > 1 else ''}"
        text = f"{count} in {sum(self.seconds):.1f} s: training loss {_from_to(self.train)}"
        if self.best_epoch is not None:
            lowest = f"{self.held_out[self.best_epoch - 1]:.4g} in epoch {self.best_epoch}"
            text += f", validation loss {_from_to(self.held_out)}, lowest {lowest}"
        return text + {"patience": "; stopped early", "divergence": "; then diverged"}.get(self.stopped, "")

    def add(self, train: float, held_out: float | None, lr: float, seconds: float) -> None:
        """Record a finished epoch."""
        self.train.append(train)
        self.lr.append(lr)
        self.seconds.append(seconds)
        if held_out is not None:
            self.held_out.append(held_out)
            if self.best_epoch is None or held_out < self.held_out[self.best_epoch - 1]:
                self.best_epoch = self.epochs

    def __repr__(self) -> str:
        return f"<History: {self.summary()}>"


class DivergenceError(RuntimeError):
    """A loss or a weight became NaN or infinite; `history` holds the epochs before."""

    history: History


def _from_to(losses: list[float]) -> str:
    return f"{losses[0]:.4g} -> {losses[-1]:.4g}"
