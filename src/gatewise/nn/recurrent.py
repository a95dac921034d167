"""Stacked recurrent layers, in one direction or both.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `P` projection size, `L` layers, `D` directions.
Each layer and direction is one scan of an engine; scan `k` is layer `k // D` in direction `k % D`, as in torch's
states.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from gatewise import engines
from gatewise.cells import Gates, Weights
from gatewise.engines import Request, Scan
from gatewise.nn.parameters import State, Weighted, boolean, integer, positive, probability

Lengths = Tensor | Sequence[int] | None


class LayerTrace(NamedTuple):
    """Output, gates and cell states of one layer in one direction; time and batch are laid out as in the input."""

    layer: int
    reverse: bool
    output: Tensor  # (T, B, H), or (T, B, P) with a projection
    gates: Gates  # each (T, B, H)
    cells: Tensor | None  # (T, B, H); None if the cell has no c


class Trace(NamedTuple):
    """Output and state of a stack, with every gate and cell state at every step."""

    output: Tensor
    state: State
    layers: list[LayerTrace]  # in the order of the state: layer 0, layer 0 in reverse, layer 1, ...

    @property
    def gates(self) -> Gates:
        """The gates of the last layer, forward in time; `layers` has those of every layer."""
        return self._last.gates

    @property
    def cells(self) -> Tensor | None:
        """The cell states of the last layer, forward in time; None if the cell has none."""
        return self._last.cells

    @property
    def _last(self) -> LayerTrace:
        return next(layer for layer in reversed(self.layers) if not layer.reverse)


class Recurrent(Weighted):
    """The base class of RNN, LSTM and GRU: stacking, directions, lengths, `step` and `trace`.

    Layer 0 reads the input; every other layer reads the output of the layer below. A bidirectional layer has a second
    set of weights, which runs from the end to the beginning; the two outputs are concatenated.

    References: for two directions, M. Schuster, K. K. Paliwal, Bidirectional recurrent neural networks, IEEE
    Transactions on Signal Processing 45(11), 1997; for dropout between layers, W. Zaremba, I. Sutskever, O. Vinyals,
    Recurrent neural network regularization, 2014.

    Arguments:
        input_size: `I`, features of the input at each step.
        hidden_size: `H`, units of each layer in each direction.
        num_layers: `L`, layers of the stack.
        bias: whether the layer has biases.
        batch_first: input and output are `(B, T, .)` instead of `(T, B, .)`; states do not change.
        dropout: probability of zeroing each output of every layer but the last, in training mode; may be changed later.
        bidirectional: run each layer in both directions.
        proj_size: `P`, for an LSTM: number of units that h is projected to; 0 for no projection.
        device, dtype: of the weights.
        engine, init, init_bound, generator: see `gatewise.nn.Options`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of range.
    """

    _defaults: ClassVar[Mapping[str, Any]] = {
        "proj_size": 0,
        "num_layers": 1,
        "nonlinearity": "tanh",
        "bias": True,
        "batch_first": False,
        "dropout": 0.0,
        "bidirectional": False,
    }

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        device: Any,
        dtype: Any,
        *,
        engine: str = "auto",
        init: str = "torch",
        init_bound: float | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, engine, init, init_bound)
        self.proj_size = integer("proj_size", proj_size)
        if not 0 <= self.proj_size < self.hidden_size:
            raise ValueError(
                f"proj_size is {proj_size}, expected 0 for no projection, or less than hidden_size={hidden_size}"
            )
        self.num_layers = positive("num_layers", num_layers)
        self.batch_first = boolean("batch_first", batch_first)
        self.dropout = probability("dropout", dropout)
        self.bidirectional = boolean("bidirectional", bidirectional)
        if self.dropout > 0 and self.num_layers == 1:
            warnings.warn(
                f"dropout={dropout} has no effect: dropout acts between layers, and num_layers=1", stacklevel=3
            )
        self._names: list[list[str]] = []  # names of the weights of each scan
        for k in range(self.num_layers * self._directions):
            suffix = f"_l{k // self._directions}" + "_reverse" * self._reverse(k)
            inputs = self.input_size if k < self._directions else self._width
            self.add_weights(suffix, inputs, self.proj_size, device, dtype)
            self._names.append([name + suffix for name in Weights._fields])
        self.reset_parameters(generator)

    def forward(
        self, input: Tensor | PackedSequence, hx: State | None = None, *, lengths: Lengths = None
    ) -> tuple[Tensor | PackedSequence, State]:
        """Run whole sequences.

        Arguments:
            input: `(T, B, I)`; `(B, T, I)` with `batch_first`; `(T, I)` for one sequence; or a PackedSequence.
            hx: the initial state, h `(L*D, B, H)`, or `(L*D, B, P)` with a projection; for an LSTM `(h, c)` with c
                `(L*D, B, H)`; without B for one sequence; zeros if not given.
            lengths: `(B,)` integers from 0 to T, in any order: the number of valid steps of each sequence.

        Returns:
            The last layer's output, `(T, B, D*H)`, or `(T, B, D*P)` with a projection, laid out like the input and zero
            after each sequence's end; and the state after each sequence's last step, shaped as `hx`.

        Raises:
            RuntimeError, ValueError, TypeError: a shape, dtype or length does not match; or the named engine refuses.
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx, lengths)
        weights = self._all_weights()
        x, batched = self._time_major(input, weights)
        checked = None if lengths is None else self._lengths(lengths, x)
        output, scans = self._scan(x, self._states(hx, x.shape[1], batched), weights, engines.scan, lengths=checked)
        return self._like_input(output, batched), self._stacked_state(scans, batched)

    def step(self, x_t: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Run one time step, for streaming data: `T` calls give the same result as `layer(x)`.

        Arguments:
            x_t: `(B, I)`, or `(I,)` for one sequence.
            state: the state returned by the last call (of `step` or of the layer); zeros if not given.

        Returns:
            The output `(B, H)`, or `(H,)`, and the state after the step.

        Raises:
            RuntimeError, ValueError, TypeError: the layer is bidirectional; otherwise as for `forward`.

        Examples:
            >>> from gatewise.nn import GRU
            >>> gru = GRU(3, 8, generator=torch.Generator().manual_seed(0))
            >>> x, state = torch.ones(5, 2, 3), None
            >>> for x_t in x:
            ...     output_t, state = gru.step(x_t, state)
            >>> torch.allclose(output_t, gru(x)[0][-1])
            True
        """
        if self.bidirectional:
            raise RuntimeError(
                "step runs forward in time, but a bidirectional layer needs whole sequences; call layer(x)"
            )
        if x_t.dim() not in (1, 2):
            raise ValueError(f"x_t has shape {tuple(x_t.shape)}, expected (B, I), or (I,) for one sequence")
        batched, weights = x_t.dim() == 2, self._all_weights()
        self.check_features(x_t, weights[0].weight_ih)
        x = x_t[None] if batched else x_t[None, None]
        output, scans = self._scan(x, self._states(state, x.shape[1], batched), weights, engines.scan)
        return output[0] if batched else output[0, 0], self._stacked_state(scans, batched)

    def trace(self, x: Tensor, hx: State | None = None, lengths: Lengths = None) -> Trace:
        """Run whole sequences and return every gate and cell state, with gradients.

        A trace never applies dropout, even in training mode: it shows the network as it predicts.

        Arguments:
            x, hx, lengths: as for `forward`, except that x cannot be a PackedSequence.

        Returns:
            A `Trace`: `output` and `state` as from `forward`; `gates` by name and `cells` of the last layer, forward in
            time, each `(T, B, H)`, laid out like the input and zero after each sequence's end; and `layers`, with those
            of every layer and direction.

        Raises:
            TypeError: x is a PackedSequence.
            RuntimeError, ValueError: as for `forward`; or the named engine cannot return gates.

        Examples:
            >>> from gatewise.nn import LSTM
            >>> lstm = LSTM(3, 8, generator=torch.Generator().manual_seed(0))
            >>> trace = lstm.trace(torch.ones(5, 2, 3))
            >>> trace.gates["forget"].shape, trace.cells.shape
            (torch.Size([5, 2, 8]), torch.Size([5, 2, 8]))
        """
        _refuse_packed(x)
        weights = self._all_weights()
        time_major, batched = self._time_major(x, weights)
        states = self._states(hx, time_major.shape[1], batched)
        options = {"lengths": self._lengths(lengths, time_major), "keep": ("gates", "cells")}
        output, scans = self._scan(time_major, states, weights, engines.scan, 0.0, **options)
        layers = [self._layer_trace(k, scan, batched) for k, scan in enumerate(scans)]
        return Trace(self._like_input(output, batched), self._stacked_state(scans, batched), layers)

    def requests(self, x: Tensor, lengths: Lengths = None) -> list[Request]:
        """The requests that `layer(x, lengths=lengths)` sends to an engine, one for each scan; for `explain`."""
        _refuse_packed(x)
        weights = self._all_weights()
        x, _ = self._time_major(x, weights)
        checked = self._lengths(lengths, x)
        inner = x.new_empty(*x.shape[:2], self._width)
        return [
            Request(self.cell, x if k < self._directions else inner, None, layer_weights, checked, self._reverse(k))
            for k, layer_weights in enumerate(weights)
        ]

    def flatten_parameters(self) -> None:
        """Do nothing; the method exists because code for torch.nn calls it."""

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The weights: one list for each layer and direction."""
        return [[weight for weight in weights if weight is not None] for weights in self._all_weights()]

    @property
    def _flat_weights(self) -> list[Tensor]:
        return [weight for weights in self.all_weights for weight in weights]

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _width(self) -> int:
        """Features of a layer's output."""
        return self._directions * (self.proj_size or self.hidden_size)

    def _reverse(self, k: int) -> bool:
        return k % self._directions == 1

    def _weights(self, k: int) -> Weights:
        return self.weights(self._names[k])

    def _all_weights(self) -> list[Weights]:
        """The weights of each scan, looked up at each call, so that replaced or parametrised weights are used."""
        return [self.weights(names) for names in self._names]

    def _scan(
        self,
        x: Tensor,
        states: list[Any],
        weights: list[Weights],
        scan: Callable[..., Scan],
        dropout: float | None = None,
        **options: Any,
    ) -> tuple[Tensor, list[Scan]]:
        """Run the stack with `scan`, on `x (T, B, I)` or on packed `x (N, I)`."""
        scans: list[Scan] = []
        dropout = self.dropout * self.training if dropout is None else dropout
        cell, engine, bidirectional = self.cell, self.engine, self.bidirectional
        for k, state in enumerate(states):
            reverse = bidirectional and k % 2 == 1
            if k and not reverse:  # the layer below is complete
                x = self._joined(scans)
                if dropout:
                    x = torch.dropout(x, dropout, True)
            scans.append(scan(cell, x, state=state, weights=weights[k], reverse=reverse, engine=engine, **options))
        return self._joined(scans), scans

    def _joined(self, scans: list[Scan]) -> Tensor:
        """The output of the last layer run so far, its directions concatenated."""
        return torch.cat((scans[-2].output, scans[-1].output), -1) if self.bidirectional else scans[-1].output

    def _forward_packed(
        self, packed: PackedSequence, hx: State | None, lengths: Lengths
    ) -> tuple[PackedSequence, State]:
        if lengths is not None:
            raise ValueError("input is a PackedSequence, which contains its lengths; leave lengths out")
        data, batch_sizes, order, inverse_order = packed
        if data.dim() != 2:
            raise RuntimeError(f"input.data has shape {tuple(data.shape)}, expected (steps of all sequences, I)")
        weights = self._all_weights()
        self.check_features(data, weights[0].weight_ih)
        sequences = 0 if hx is None else int(batch_sizes[0])
        states = self._states(hx, sequences, True, order)
        output, scans = self._scan(data, states, weights, engines.scan_packed, batch_sizes=batch_sizes)
        return PackedSequence(output, batch_sizes, order, inverse_order), self._stacked_state(
            scans, True, inverse_order
        )

    def _time_major(self, x: Tensor, weights: list[Weights]) -> tuple[Tensor, bool]:
        """The input as a view `(T, B, I)`, and whether it has a batch dimension."""
        dimensions = x.dim()
        if dimensions not in (2, 3):
            raise ValueError(f"input has shape {tuple(x.shape)}, expected 3 dimensions, or 2 for one sequence")
        self.check_features(x, weights[0].weight_ih)
        if dimensions == 2:
            return x.unsqueeze(1), False
        return x.transpose(0, 1) if self.batch_first else x, True

    def _like_input(self, x: Tensor, batched: bool) -> Tensor:
        """The inverse of `_time_major`."""
        if not batched:
            return x.squeeze(1)
        return x.transpose(0, 1) if self.batch_first else x

    def _states(self, hx: State | None, B: int, batched: bool, order: Tensor | None = None) -> list[Any]:
        """One initial state tuple of `(B, .)` for each scan, its rows sorted by `order`; None for zeros."""
        if hx is None:
            return [None] * len(self._names)
        sizes = [self.proj_size or self.hidden_size] + [self.hidden_size] * (len(self.cell.state._fields) - 1)
        lead = (len(self._names), B) if batched else (len(self._names),)
        fields = self.checked_state(hx, lead, sizes)
        if not batched:
            fields = tuple(field.unsqueeze(1) for field in fields)
        if order is not None:
            fields = tuple(field.index_select(1, order) for field in fields)
        if lead[0] == 1:
            return [self.cell.state(*[field[0] for field in fields])]
        return [self.cell.state(*parts) for parts in zip(*(field.unbind(0) for field in fields), strict=True)]

    def _stacked_state(self, scans: list[Scan], batched: bool, order: Tensor | None = None) -> State:
        """The inverse of `_states`."""
        if len(scans) == 1:
            fields = [field[None] for field in scans[0].state]
        else:
            fields = [torch.stack(parts) for parts in zip(*(scan.state for scan in scans), strict=True)]
        if order is not None:
            fields = [field.index_select(1, order) for field in fields]
        return self.final_state(fields if batched else [field.squeeze(1) for field in fields])

    def _lengths(self, lengths: Lengths, x: Tensor) -> Tensor | None:
        if lengths is None:
            return None
        T, B, _ = x.shape
        checked = lengths if isinstance(lengths, Tensor) else torch.as_tensor(lengths, device="cpu")
        if len(lengths) == 0:
            checked = checked.long()  # an empty list gives a float tensor
        if checked.shape != (B,) or checked.dtype not in engines.INTEGERS:
            raise ValueError(
                f"lengths is {checked.dtype} {tuple(checked.shape)}, expected integers, one for each of {B} sequences"
            )
        if B and not torch.compiler.is_compiling() and not 0 <= int(checked.min()) <= int(checked.max()) <= T:
            raise ValueError(
                f"lengths range from {checked.min()} to {checked.max()}, expected from 0 to {T}, the number of steps"
            )
        return checked

    def _layer_trace(self, k: int, scan: Scan, batched: bool) -> LayerTrace:
        return LayerTrace(
            layer=k // self._directions,
            reverse=self._reverse(k),
            output=self._like_input(scan.output, batched),
            gates={name: self._like_input(gate, batched) for name, gate in (scan.gates or {}).items()},
            cells=None if scan.cells is None else self._like_input(scan.cells, batched),
        )


def _refuse_packed(x: Tensor | PackedSequence) -> None:
    if isinstance(x, PackedSequence):
        raise TypeError(
            "x is a PackedSequence, expected a tensor; pass the x and lengths that pad_packed_sequence returns"
        )
