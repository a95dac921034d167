"""Streaming: a layer that keeps its state between steps.

Letters: `B` batch, `I` input size, `H` hidden size, `P` projection size, `L` layers.
"""

import threading
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gatewise import engines
from gatewise.nn.parameters import State, positive
from gatewise.nn.recurrent import Recurrent


class Stream:
    """A layer that runs one time step per call and keeps its state in place, for data that arrive step by step.

    It returns the same outputs as `layer.step`, without gradients, in a fraction of the time and in the dtype of the
    weights. Each call uses the current weights: after training the layer or loading other weights, the stream stays
    valid.

    Arguments:
        layer: an RNN, LSTM or GRU in one direction.
        batch_size: `B`, number of parallel sequences; None for one sequence, without a batch dimension.
        state: the initial state in the layer's shape, h `(L, B, H)` or `(L, B, P)`, for an LSTM `(h, c)`; zeros if not
            given.

    Raises:
        TypeError, RuntimeError: the layer is not one of those or is bidirectional; the state does not match.

    Examples:
        >>> from gatewise.nn import GRU
        >>> gru = GRU(3, 8, generator=torch.Generator().manual_seed(0))
        >>> stream, x = Stream(gru), torch.ones(5, 3)
        >>> outputs = [stream(x_t) for x_t in x]
        >>> torch.allclose(torch.stack(outputs), gru(x)[0])
        True
        >>> stream.reset()  # start again from zeros
        >>> torch.equal(stream(x[0]), outputs[0])
        True
    """

    def __init__(self, layer: Recurrent, batch_size: int | None = None, state: State | None = None) -> None:
        if not isinstance(layer, Recurrent):
            raise TypeError(f"layer is of type {type(layer).__name__}, expected an RNN, LSTM or GRU")
        if layer.bidirectional:
            raise RuntimeError(
                "a stream runs forward in time, but a bidirectional layer needs whole sequences; call layer(x)"
            )
        self.layer = layer
        self.batch_size = None if batch_size is None else positive("batch_size", batch_size)
        self._lead = () if batch_size is None else (self.batch_size or 0,)
        self._steppers: list[engines.Stepper] = []
        self._lock = threading.Lock()
        self.reset(state)

    @property
    def state(self) -> State:
        """A copy of the state after the last step, in the layer's shape."""
        fields = [field.clone() if self._lead else field.squeeze(1).clone() for field in self._fields]
        return self.layer.final_state(fields)

    def __getstate__(self) -> dict[str, Any]:
        """A copy has its own state, and creates steppers for it at the next call."""
        attributes = {name: value for name, value in self.__dict__.items() if name != "_lock"}
        return {**attributes, "_steppers": [], "_fields": [field.clone() for field in self._fields]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def reset(self, state: State | None = None) -> None:
        """Start again, from `state` or from zeros."""
        like = self.layer._weights(0).weight_ih
        sizes = [self.layer.proj_size or self.layer.hidden_size, self.layer.hidden_size]
        sizes = sizes[: len(self.layer.cell.state._fields)]
        lead = (self.layer.num_layers, *self._lead)
        fields: Sequence[Tensor] = (
            [like.new_zeros(*lead, size) for size in sizes]
            if state is None
            else self.layer.checked_state(state, lead, sizes)
        )
        batched = fields if self._lead else [field.unsqueeze(1) for field in fields]
        with torch.inference_mode(False), torch.no_grad():  # a stream created in inference mode must work outside it
            self._fields = [field.detach().to(like).clone(memory_format=torch.contiguous_format) for field in batched]
        self._steppers = []

    def __call__(self, x_t: Tensor) -> Tensor:
        """Run one step.

        Arguments:
            x_t: `(B, I)`, or `(I,)` without a batch dimension.

        Returns:
            The output of the last layer, `(B, H)` or `(B, P)`; without B if the input has none.

        Raises:
            RuntimeError, ValueError: a shape or dtype does not match.
        """
        with self._lock:  # threads that share a stream share its state: one step at a time
            return self._advance(x_t)

    def _advance(self, x_t: Tensor) -> Tensor:
        if not self._ready():
            return self._step_by_layer(x_t)
        first = self._steppers[0]
        if x_t.shape != self._shape or x_t.dtype != first.dtype or not x_t.is_cpu:
            raise RuntimeError(
                f"x_t is {x_t.dtype} {tuple(x_t.shape)} on {x_t.device}, expected {first.dtype} {self._shape} on cpu"
            )
        if not x_t.is_contiguous() or x_t.is_neg():
            x_t = x_t.detach().contiguous().resolve_neg()
        output, address = torch.empty_like(self._example), x_t.data_ptr()
        for stepper in self._steppers[:-1]:
            address = stepper(address, 0)
        self._steppers[-1](address, output.data_ptr())
        return output

    def _ready(self) -> bool:
        """Whether the steppers can run now on the current weights."""
        layer = self.layer
        if engines.overridden() or torch._C._is_any_autocast_enabled() or (layer.dropout and layer.training):
            return False
        if self._steppers and layer.engine == self._engine:
            for stepper in self._steppers:
                if not stepper.holds():
                    break
            else:
                return True
        self._steppers = self._new_steppers()
        return bool(self._steppers)  # empty if another engine runs the layer

    def _new_steppers(self) -> list[engines.Stepper]:
        """One stepper for each layer; an empty list if the layer's engine has no stepper."""
        layer, B = self.layer, self._fields[0].shape[1]
        self._engine = layer.engine
        last = self._fields[0][-1]
        self._example = last if self._lead else last[0]  # an output, for its shape and dtype
        self._shape = (*self._lead, layer.input_size)
        steppers = []
        for k in range(layer.num_layers):
            state = layer.cell.state(*[field[k] for field in self._fields])
            width = layer.input_size if k == 0 else state[0].shape[1]
            x = state[0].new_empty(1, B, width)
            stepper = engines.stepper(layer.cell, x, state, layer._parameters, layer._names[k], layer.engine)
            if stepper is None:
                return []
            steppers.append(stepper)
        return steppers

    @torch.no_grad()
    def _step_by_layer(self, x_t: Tensor) -> Tensor:
        x = x_t if self._lead else x_t.unsqueeze(0)
        output, state = self.layer.step(x, self.layer.final_state(self._fields))
        for field, new in zip(self._fields, (state,) if isinstance(state, Tensor) else state, strict=True):
            field.copy_(new)
        return output if self._lead else output[0]
