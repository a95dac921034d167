"""Training of a classifier's network: cross-entropy, early stopping on the validation set.

Letters: `N` sequences, `K` classes.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from gatewise.classify.network import BatchNetwork
from gatewise.classify.sequences import Batches, Sequences
from gatewise.dropout import drawing_from
from gatewise.networks import limited_threads
from gatewise.training import History, fit

STEPS = 7000  # training steps by default
EPOCHS = (8, 100)  # fewest and most by default
FEW_SEQUENCES = 1000


def train(
    network: BatchNetwork,
    sequences: Sequences,
    targets: np.ndarray,
    validation: np.ndarray,
    class_weights: np.ndarray,
    *,
    generator: torch.Generator,
    epochs: int | None,
    batch_size: int,
    lr: float,
    patience: int | None,
    quiet: bool,
) -> History:
    """Train a network in place.

    Arguments:
        network: untrained.
        sequences: N scaled sequences.
        targets: (N,) index of the class of each.
        validation: (N,) bool, True for the sequences of the validation set.
        class_weights: (K,).
        generator: of the shuffling and the dropout.
        epochs, batch_size, lr, patience, quiet: as in `Classifier`.

    Raises:
        DivergenceError: a loss is NaN or infinite.
    """
    classes, weights = torch.from_numpy(targets), torch.from_numpy(class_weights).float()
    training, held_out = (torch.from_numpy(np.flatnonzero(mask)) for mask in (~validation, validation))
    epochs = epochs or default_epochs(len(training), batch_size)
    rows = min(int(batch_size), len(training)) * int(sequences.lengths.max())
    # dropout between layers draws from torch's global generator only
    with (
        limited_threads(network.network, rows),
        drawing_from(network, generator),
        torch.autocast("cpu", enabled=False),
        torch.random.fork_rng(devices=[]),
    ):
        torch.default_generator.manual_seed(int(torch.randint(2**62, (), generator=generator, device="cpu")))
        return fit(
            network,
            Batches(sequences, classes, training, batch_size, generator),
            loss=lambda logits, y: _loss(logits, y, weights),
            lr=lr,
            epochs=epochs,
            schedule="onecycle",
            clip_norm=1.0,
            held_out=Batches(sequences, classes, held_out, 4 * int(batch_size), None) if len(held_out) else None,
            patience=(patience or epochs) if len(held_out) else None,
            quiet=quiet,
            description=f"{len(training)} sequences",
        )


def default_epochs(sequences: int, batch_size: int) -> int:
    """Epochs for some 7,000 training steps: at least 8 and at most 100."""
    return int(np.clip(STEPS * int(batch_size) // sequences, *EPOCHS))


def default_hidden_size(sequences: int) -> int:
    """Units of each layer: fewer for few training sequences, which makes training three times as fast."""
    return 64 if sequences < FEW_SEQUENCES else 128


def _loss(logits: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    return cross_entropy(logits, y, weights, reduction="none").mean()
