"""The progress of a training on the screen."""

import math
import sys
from collections.abc import Hashable
from typing import Any

from gatewise.training.history import History


class Progress:
    """Progress on standard error: a bar on a terminal, about ten plain lines elsewhere, nothing if quiet."""

    def __init__(self, description: str, epochs: int, quiet: bool) -> None:
        self.bar: Any = None
        self.description, self.epochs = description, epochs
        quiet = quiet or _closed(sys.stderr)
        self.every = 0 if quiet else math.ceil(epochs / 10)
        if not quiet and sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=epochs, desc=description, unit="epoch", file=sys.stderr)

    def show(self, history: History) -> None:
        """Report the latest epoch."""
        if self.bar is not None:
            self.bar.set_postfix_str(latest_loss(history), refresh=False)
            self.bar.update()
        elif self.every and (history.epochs % self.every == 0 or history.epochs in (1, self.epochs)):
            line = f"{self.description}: epoch {history.epochs} of {self.epochs}, {latest_loss(history)}"
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()


class TaskProgress:
    """Progress of many trainings together: one bar on a terminal, about ten plain lines elsewhere."""

    def __init__(self, description: str, total: int, quiet: bool) -> None:
        self.bar: Any = None
        self.description, self.total, self.quiet = description, total, quiet or _closed(sys.stderr)
        self.done: dict[Hashable, float] = {}
        self.printed = -1.0
        if not self.quiet and sys.stderr.isatty():
            from tqdm import tqdm

            form = "{desc}: {percentage:3.0f}%|{bar}| {postfix} [{elapsed}<{remaining}]"
            self.bar = tqdm(total=1.0, desc=description, bar_format=form, file=sys.stderr)

    def __enter__(self) -> "TaskProgress":
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, task: Hashable, fraction: float, loss: str) -> None:
        """Report a training: the fraction that is done, and its latest loss."""
        self.done[task] = fraction
        if self.quiet:
            return
        overall = sum(self.done.values()) / self.total
        networks = f"{self.total} network{'s' if self.total > 1 else ''}"
        trained = f"{sum(part >= 1 for part in self.done.values())} of {networks} trained, {loss}"
        if self.bar is not None:
            self.bar.set_postfix_str(trained, refresh=False)
            self.bar.update(overall - self.bar.n)
        elif overall >= min(1 - 1e-9, self.printed + 0.1):
            self.printed = overall
            print(f"{self.description}: {overall:.0%}, {trained}", file=sys.stderr, flush=True)


def _closed(stream: Any) -> bool:
    """Whether nothing can be written; the stream is None in a program without a console."""
    return stream is None or bool(getattr(stream, "closed", False))


def latest_loss(history: History) -> str:
    """The losses of the latest epoch."""
    validation = f", validation loss {history.held_out[-1]:.4g}" if history.held_out else ""
    return f"loss {history.train[-1]:.4g}{validation}"
