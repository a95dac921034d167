"""The progress of a training on the screen."""

import math
import sys
from typing import Any

from gatewise.training.history import History


class Progress:
    """Progress on standard error: a bar on a terminal, about ten plain lines elsewhere, nothing if quiet."""

    def __init__(self, description: str, epochs: int, quiet: bool) -> None:
        self.bar: Any = None
        self.description, self.epochs = description, epochs
        quiet = quiet or sys.stderr is None  # None in a program without a console
        self.every = 0 if quiet else math.ceil(epochs / 10)
        if not quiet and sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=epochs, desc=description, unit="epoch", file=sys.stderr)

    def show(self, history: History) -> None:
        """Report the latest epoch."""
        if self.bar is not None:
            self.bar.set_postfix_str(_latest(history), refresh=False)
            self.bar.update()
        elif self.every and (history.epochs % self.every == 0 or history.epochs in (1, self.epochs)):
            line = f"{self.description}: epoch {history.epochs} of {self.epochs}, {_latest(history)}"
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()


def _latest(history: History) -> str:
    validation = f", validation loss {history.held_out[-1]:.4g}" if history.held_out else ""
    return f"loss {history.train[-1]:.4g}{validation}"
