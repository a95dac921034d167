"""Dropout that can draw from its own random generator.

torch's dropout draws from torch's global generator only: a training would have to replace its state, and trainings in
several threads would share it.

Reference: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout: a simple way to prevent neural networks
from overfitting, 2014.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import Module


class Dropout(torch.nn.Dropout):
    """torch.nn.Dropout, which draws from a given random generator inside `drawing_from`, faster than from torch's.

    The probability p is then rounded to a multiple of 1 / 65536.

    >>> layer, generator = Dropout(0.5), torch.Generator().manual_seed(0)
    >>> with drawing_from(layer, generator):
    ...     sorted(set(layer(torch.ones(100)).tolist()))
    [0.0, 2.0]
    """

    generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """x with a fraction p of its values set to zero and the others divided by 1 - p, in training mode."""
        if self.generator is None or not self.training or not self.p:
            return super().forward(x)
        if self.p == 1:
            return x * 0.0
        words = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=self.generator.device)
        words.random_(-(2**63), None, generator=self.generator)
        uniform = words.view(torch.int16)[: x.numel()].view(x.shape)  # four random integers in each word
        dropped = min(round(2**16 * self.p), 2**16 - 1)
        kept = (uniform >= dropped - 2**15).to(x)
        return x * (kept * (2**16 / (2**16 - dropped)))


@contextmanager
def drawing_from(network: Module, generator: torch.Generator) -> Iterator[None]:
    """Let the dropout of a network draw from a random generator, so that the global one stays unchanged."""
    layers = [layer for layer in network.modules() if isinstance(layer, Dropout)]
    try:
        for layer in layers:
            layer.generator = generator
        yield
    finally:
        for layer in layers:
            layer.generator = None
