"""The network of a classifier: a recurrent body, pooling over time and a linear head.

Letters: `T` steps, `B` sequences of a batch, `C` channels, `K` classes.
"""

import torch
from torch import Tensor
from torch.nn import Module

from gatewise.classify.sequences import Batch
from gatewise.networks import Pooled
from gatewise.nn import GRU, LSTM, RNN

CELLS = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


class BatchNetwork(Module):
    """Apply a network to a `Batch` of sequences: class scores (B, K)."""

    def __init__(self, network: Pooled) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.network(*batch)
        return logits


def build_network(
    channels: int,
    classes: int,
    *,
    cell: str,
    hidden_size: int,
    num_layers: int,
    bidirectional: bool,
    pooling: str,
    dropout: float,
    engine: str,
    generator: torch.Generator,
    device: str = "cpu",
) -> BatchNetwork:
    """An untrained network, its weights drawn from `generator`; see `Classifier` for the arguments."""
    body = CELLS[cell](
        channels,
        hidden_size,
        num_layers,
        bidirectional=bidirectional,
        dropout=dropout if num_layers > 1 else 0.0,
        engine=engine,
        generator=generator,
        device=device,
        dtype=torch.float32,
    )
    return BatchNetwork(Pooled(body, classes, pooling=pooling, dropout=dropout, generator=generator))
