"""One training loop for any module and any batches: `fit`, and the `History` that it returns.

Whatever ends the loop (all epochs done, early stopping, divergence, Ctrl-C, an error in a callback), the module is left
with weights worth having: those of the epoch with the lowest held-out loss where `patience` is given, otherwise those
of the last finished epoch.

    loop.py      fit; clipping; the weights worth having
    rates.py     optimizers, and their learning rates by stage or schedule
    history.py   the record of a training, its progress on the screen, its error
    checks.py    batches, losses and numbers that are refused, in words
"""

from gatewise.training.history import DivergenceError, History
from gatewise.training.loop import clip_by_size, fit
from gatewise.training.validation import LOSSES

__all__ = ["LOSSES", "DivergenceError", "History", "clip_by_size", "fit"]
