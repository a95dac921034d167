"""What is known about a training: its record, its progress on the screen, and the error when it diverges."""

import math
import sys
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(repr=False)
class History:
    """What happened in each epoch; epoch 1 is the first, so epoch `e` is at index `e - 1` of the lists.

    Attributes:
        train: training loss, the mean over the batches of the epoch, each measured before its own update and weighted
            by the number of elements of its target.
        held_out: loss on the held-out batches after the epoch, weighted the same way; empty without held-out batches.
        lr: learning rate at the start of the epoch (of the optimizer's first parameter group).
        seconds: wall time, held-out evaluation included.
        best_epoch: the epoch with the lowest held-out loss, `None` without held-out batches.
        stopped: what ended the training; empty while it runs.
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
        """The training in one sentence."""
        if not self.train:
            return "no epoch finished"
        count = f"{self.epochs} epoch{'s' if self.epochs > 1 else ''}"
        text = f"{count} in {sum(self.seconds):.1f} s: training loss {_from_to(self.train)}"
        if self.best_epoch is not None:
            lowest = f"{self.held_out[self.best_epoch - 1]:.4g} in epoch {self.best_epoch}"
            text += f", held-out loss {_from_to(self.held_out)}, lowest {lowest}"
        return text + {"patience": "; stopped early", "divergence": "; then it diverged"}.get(self.stopped, "")

    def add(self, train: float, held_out: float | None, lr: float, seconds: float) -> None:
        """Note a finished epoch."""
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
    """Training met a loss or a weight that is NaN or infinite; `history` holds the epochs before."""

    history: History


class Progress:
    """A bar on a terminal, some ten plain lines in a log, nothing if quiet; always on standard error."""

    def __init__(self, description: str, epochs: int, quiet: bool) -> None:
        self.bar: Any = None
        self.description, self.epochs = description, epochs
        quiet = quiet or sys.stderr is None  # a program without a console has none
        self.every = 0 if quiet else math.ceil(epochs / 10)
        if not quiet and sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=epochs, desc=description, unit="epoch", file=sys.stderr)

    def show(self, history: History) -> None:
        if self.bar is not None:
            self.bar.set_postfix_str(_latest(history), refresh=False)
            self.bar.update()
        elif self.every and (history.epochs % self.every == 0 or history.epochs in (1, self.epochs)):
            line = f"{self.description}: epoch {history.epochs} of {self.epochs}, {_latest(history)}"
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def _from_to(losses: list[float]) -> str:
    return f"{losses[0]:.4g} -> {losses[-1]:.4g}"


def _latest(history: History) -> str:
    held_out = f", held-out {history.held_out[-1]:.4g}" if history.held_out else ""
    return f"loss {history.train[-1]:.4g}{held_out}"
