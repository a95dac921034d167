"""The weights of the best or the last finished epoch, with everything that belongs to them."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer


class Checkpoint:
    """A copy of the trained parameters and buffers of a module, and of the state of the caller's optimizer, if any.

    All belong to one epoch; epoch 0 is before the first.
    """

    def __init__(self, module: torch.nn.Module, parameters: Sequence[Tensor], optimizer: Optimizer | None) -> None:
        self.module, self.optimizer = module, optimizer
        self.live = [parameter.detach() for parameter in parameters]
        self.copies = [torch.empty_like(tensor) for tensor in self.live]
        self.save(0)

    def save(self, epoch: int) -> None:
        """Save the current state."""
        self.complete = False  # an interrupt here leaves valid live weights and inconsistent copies
        for saved, tensor in zip(self.copies, self.live, strict=True):
            saved.copy_(tensor)
        self.buffers = {name: buffer.detach().clone() for name, buffer in self.module.named_buffers()}
        states = {} if self.optimizer is None else self.optimizer.state
        self.states = {parameter: copy.deepcopy(state) for parameter, state in states.items()}
        self.epoch, self.complete = epoch, True

    def restore(self) -> None:
        """Put the saved state back into the module and the optimizer."""
        if not self.complete:
            return
        for saved, tensor in zip(self.copies, self.live, strict=True):
            tensor.copy_(saved)
        live = dict(self.module.named_buffers())  # looked up again, as a module may replace its buffers
        for name, buffer in self.buffers.items():
            if name in live and live[name].shape == buffer.shape:
                live[name].detach().copy_(buffer)
            else:
                path, _, attribute = name.rpartition(".")
                setattr(self.module.get_submodule(path), attribute, buffer)
        if self.optimizer is not None:
            self.optimizer.state.clear()
            self.optimizer.state.update(self.states)
