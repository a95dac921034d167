"""The state of a fitted classifier, used for predictions, figures and files.

Letters: `N` sequences, `C` channels, `K` classes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatewise.classify.axes import channels_hint, refuse_one_sequence
from gatewise.classify.errors import SequenceError
from gatewise.classify.network import BatchNetwork
from gatewise.classify.scaling import Standardization, scale_values
from gatewise.classify.sequences import Batch, Sequences
from gatewise.networks import Body, Pooled, limited_threads
from gatewise.training import History


@dataclass(frozen=True, eq=False)
class ClassifierState:
    """A fitted classifier.

    Attributes:
        batch_network: the trained network.
        classes: (K,) in order.
        channels: C.
        scaling: statistics of each channel; None for scale="none".
        history: losses of each epoch.
        weighted: whether the training loss has class weights.
        seed: random seed of the examples in figures.
        shortest: steps of the shortest training sequence, 0 if unknown.
    """

    batch_network: BatchNetwork
    classes: np.ndarray
    channels: int
    scaling: Standardization | None
    history: History
    weighted: bool
    seed: int
    shortest: int = 0

    @property
    def network(self) -> Pooled:
        """The recurrent body with its pooling and head."""
        return self.batch_network.network

    @property
    def body(self) -> Body:
        """The recurrent layers."""
        return self.network.body

    def sequences(self, x: Any, lengths: Any) -> Sequences:
        """Validated sequences with the channels of the training.

        Raises:
            SequenceError: sequences that cannot be used, or another number of channels.
        """
        if self.channels == 1 and self.shortest > 1:
            refuse_one_sequence(x)
        sequences = Sequences.of(x, lengths)
        if sequences.channels != self.channels:
            hint = channels_hint(x, self.channels)
            raise SequenceError(f"x has {sequences.channels} channel(s), expected {self.channels}, as in fit{hint}")
        return sequences

    def logits(self, sequences: Sequences) -> Tensor:
        """(N, K) class scores."""
        logits = torch.empty(len(sequences), len(self.classes), dtype=torch.float32, device="cpu")
        rows = float(sequences.lengths.sum())
        with (
            limited_threads(self.network, rows),
            torch.inference_mode(),
            torch.autocast("cpu", enabled=False),
        ):
            for part in sequences.parts(self.body.hidden_size * (1 + self.body.bidirectional)):
                batch = sequences.batch(part)
                logits[part] = self.batch_network(Batch(scale_values(batch.x, self.scaling), batch.lengths))
        return logits

    def probabilities(self, sequences: Sequences) -> np.ndarray:
        """(N, K) probability of each class."""
        probabilities: np.ndarray = torch.softmax(self.logits(sequences).double(), 1).numpy()
        return probabilities
