"""One training loop for any module and any batches: `fit`, and the `History` that it returns.

However the loop ends (all epochs done, early stopping, divergence, Ctrl-C, an error in a callback), the module is left
with valid weights: with `patience`, those of the epoch with the lowest validation loss, otherwise those of the last
finished epoch.

    loop.py            fit
    optimizer.py       optimizers by name, or the caller's
    learning_rate.py   learning rates by stage or schedule
    clipping.py        gradient clipping
    checkpoint.py      the weights to restore
    history.py         the record of a training, and its error
    progress.py        the progress on the screen
    validation.py      validation of batches, losses and numbers
"""

from gatewise.training.clipping import clip_by_size
from gatewise.training.history import DivergenceError, History
from gatewise.training.loop import fit
from gatewise.training.progress import TaskProgress, latest_loss
from gatewise.training.validation import LOSSES

__all__ = ["LOSSES", "DivergenceError", "History", "TaskProgress", "clip_by_size", "fit", "latest_loss"]
