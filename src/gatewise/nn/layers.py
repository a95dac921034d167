"""The layers and their cells, with torch's names and torch's arguments in torch's order.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `P` projection size, `L` layers, `D` directions.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from gatewise import cells, engines
from gatewise.cells import Cell, Weights
from gatewise.nn.parameters import State, Weighted
from gatewise.nn.recurrent import Recurrent

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from gatewise.nn.parameters import Options


class RNN(Recurrent):
    """Elman's recurrent network.

        h' = nonlinearity(W_ih x + b_ih + W_hh h + b_hh)

    Reference: J. L. Elman, Finding structure in time, Cognitive Science 14, 1990.

    Arguments:
        nonlinearity: `"tanh"`, `"relu"`, or `"identity"` for a linear network (not in torch.nn).
        others: see `Recurrent` and `Options`.

    Returns:
        From a call (see `Recurrent.forward`): the output `(T, B, D*H)`, and h `(L*D, B, H)`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of range.

    Examples:
        >>> generator = torch.Generator().manual_seed(0)
        >>> rnn = RNN(3, 8, nonlinearity="identity", init="uniform", init_bound=1, generator=generator)
        >>> output, h = rnn(torch.ones(5, 2, 3))
        >>> output.shape, h.shape
        (torch.Size([5, 2, 8]), torch.Size([1, 2, 8]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        **options: "Unpack[Options]",
    ) -> None:
        _refuse_projection(options)
        self.cell = _rnn_cell(nonlinearity)
        self.nonlinearity = nonlinearity
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype, **options
        )


class LSTM(Recurrent):
    """Long short-term memory with forget gate, without peepholes: `gatewise.cells.lstm_step` at every step.

        i, f, o = sigmoid(W x + b + U h + d)      each gate has its own W, b, U, d
        g = tanh(W x + b + U h + d)
        c' = f * c + i * g
        h' = o * tanh(c')                         with a projection: h' = W_hr (o * tanh(c'))

    Reference: S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997.

    Arguments:
        proj_size: `P`, number of units that h is projected to (fewer than H); 0 for no projection.
        others: see `Recurrent` and `Options`.

    Returns:
        From a call (see `Recurrent.forward`): the output `(T, B, D*H)`, or `(T, B, D*P)`, and the state `(h, c)`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of range.

    Examples:
        >>> lstm = LSTM(3, 8, num_layers=2, generator=torch.Generator().manual_seed(0))
        >>> output, (h, c) = lstm(torch.ones(5, 2, 3))
        >>> output.shape, c.shape
        (torch.Size([5, 2, 8]), torch.Size([2, 2, 8]))
    """

    cell = cells.LSTM

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        **options: "Unpack[Options]",
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
            **options,
        )


class GRU(Recurrent):
    """Gated recurrent unit with the reset gate after the product: `gatewise.cells.gru_step` at every step.

        r, z = sigmoid(W x + b + U h + d)         each gate has its own W, b, U, d
        n = tanh(W x + b + r * (U h + d))
        h' = (1 - z) * n + z * h

    Reference: K. Cho et al., Learning phrase representations using RNN encoder-decoder for statistical machine
    translation, 2014.

    Arguments:
        all: see `Recurrent` and `Options`.

    Returns:
        From a call (see `Recurrent.forward`): the output `(T, B, D*H)`, and h `(L*D, B, H)`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of range.

    Examples:
        >>> gru = GRU(3, 8, bidirectional=True, batch_first=True, generator=torch.Generator().manual_seed(0))
        >>> output, h = gru(torch.ones(2, 5, 3), lengths=[5, 4])
        >>> output.shape, h.shape
        (torch.Size([2, 5, 16]), torch.Size([2, 2, 8]))
    """

    cell = cells.GRU

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        **options: "Unpack[Options]",
    ) -> None:
        _refuse_projection(options)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype, **options
        )


class RecurrentCell(Weighted):
    """The base class of RNNCell, LSTMCell and GRUCell: the weights of one layer, run one step at a time."""

    _defaults: ClassVar[Mapping[str, Any]] = {"bias": True, "nonlinearity": "tanh"}

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        device: Any,
        dtype: Any,
        *,
        engine: str = "auto",
        init: str = "torch",
        init_bound: float | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, engine, init, init_bound)
        self.add_weights("", input_size, 0, device, dtype)
        self.reset_parameters(generator)

    def forward(self, input: Tensor, hx: State | None = None) -> State:
        """Run one step.

        Arguments:
            input: `(B, I)`, or `(I,)` for one sequence.
            hx: the state before the step, h `(B, H)`, or `(h, c)` for an LSTMCell; without B for one sequence; zeros if
                not given.

        Returns:
            The state after the step, in the shape of `hx`.

        Raises:
            RuntimeError, ValueError, TypeError: a shape or dtype does not match; or the named engine refuses.
        """
        dimensions = input.dim()
        if dimensions not in (1, 2):
            raise ValueError(f"input has shape {tuple(input.shape)}, expected (B, I), or (I,) for one sequence")
        weights = self.weights(Weights._fields)
        self.check_features(input, weights.weight_ih)
        sizes = [self.hidden_size] * len(self.cell.state._fields)
        fields = None if hx is None else self.checked_state(hx, input.shape[:-1], sizes)
        if dimensions == 2:
            return self.final_state(self._step(input, fields, weights))
        rows = None if fields is None else [field[None] for field in fields]
        return self.final_state([field[0] for field in self._step(input[None], rows, weights)])

    def _step(self, x: Tensor, fields: Any, weights: Weights) -> Any:
        state = None if fields is None else self.cell.state(*fields)
        return engines.scan(self.cell, x[None], state, weights, engine=self.engine).state


class RNNCell(RecurrentCell):
    """One step of an `RNN`, with the arguments of torch.nn.RNNCell; nonlinearity may also be `"identity"`.

    Examples:
        >>> cell = RNNCell(3, 8, generator=torch.Generator().manual_seed(0))
        >>> cell(torch.ones(2, 3)).shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
        **options: "Unpack[Options]",
    ) -> None:
        self.cell = _rnn_cell(nonlinearity)
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, bias, device, dtype, **options)


class LSTMCell(RecurrentCell):
    """One step of an `LSTM`, with the arguments of torch.nn.LSTMCell.

    Examples:
        >>> cell = LSTMCell(3, 8, generator=torch.Generator().manual_seed(0))
        >>> h, c = cell(torch.ones(2, 3))
        >>> h.shape, c.shape
        (torch.Size([2, 8]), torch.Size([2, 8]))
    """

    cell = cells.LSTM

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        **options: "Unpack[Options]",
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype, **options)


class GRUCell(RecurrentCell):
    """One step of a `GRU`, with the arguments of torch.nn.GRUCell.

    Examples:
        >>> cell = GRUCell(3, 8, generator=torch.Generator().manual_seed(0))
        >>> cell(torch.ones(2, 3)).shape
        torch.Size([2, 8])
    """

    cell = cells.GRU

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        **options: "Unpack[Options]",
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype, **options)


def _rnn_cell(nonlinearity: str) -> Cell:
    if nonlinearity not in cells.RNN:
        raise ValueError(f"nonlinearity is {nonlinearity!r}, expected one of {', '.join(map(repr, cells.RNN))}")
    return cells.RNN[nonlinearity]


def _refuse_projection(options: "Options") -> None:
    if "proj_size" in options:
        raise ValueError("proj_size is for the LSTM only, not for RNN or GRU; leave it out")
