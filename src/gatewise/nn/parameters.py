"""Parameters: weights under torch's names, initial values, states, validation of arguments; for layers and cells.

Letters: `B` batch, `I` input size, `H` hidden size, `P` projection size, `G` gates of the cell.
"""

import math
import operator
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, ClassVar, TypedDict

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from gatewise import engines
from gatewise.cells import Cell, Weights

State = Tensor | tuple[Tensor, ...]  # h, or for an LSTM (h, c)


class Options(TypedDict, total=False):
    """Keyword arguments of every layer and cell, in addition to torch's.

    - `engine`: the computation engine: `"auto"` for the fastest that accepts, or a name; see `gatewise.engines`.
    - `init`: `"torch"`, weights and biases from U(-1/sqrt(H), 1/sqrt(H)); `"uniform"`, weights from U(-bound, bound),
      biases zero.
    - `init_bound`: the bound of `"uniform"`; 1/sqrt(H) if not given. Networks written from scratch often use 1.
    - `generator`: random generator of the initial weights; torch's global generator if not given.
    """

    engine: str
    init: str
    init_bound: float | None
    generator: torch.Generator | None


class Weighted(Module):
    """A module with the weights of one or more cells, run by an engine."""

    cell: Cell
    _defaults: ClassVar[Mapping[str, Any]]  # defaults of the arguments that `repr` may show, in this order

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, engine: str, init: str, init_bound: float | None
    ) -> None:
        super().__init__()
        check_init(init, init_bound)
        self.input_size = positive("input_size", input_size)
        self.hidden_size = positive("hidden_size", hidden_size)
        self.bias = boolean("bias", bias)
        self.engine = engines.check_name(engine)
        self.init = init
        self.init_bound = init_bound

    def add_weights(self, suffix: str, inputs: int, projection: int, device: Any, dtype: Any) -> None:
        """Register one parameter for each field of `cells.Weights`, named by field and suffix; None if not used."""
        H, rows = self.hidden_size, len(self.cell.gates) * self.hidden_size
        shapes = {
            "weight_ih": (rows, inputs),
            "weight_hh": (rows, projection or H),
            "bias_ih": (rows,) if self.bias else None,
            "bias_hh": (rows,) if self.bias else None,
            "weight_hr": (projection, H) if projection else None,
        }
        for name, shape in shapes.items():
            weight = None if shape is None else Parameter(torch.empty(shape, device=device, dtype=dtype))
            self.register_parameter(name + suffix, weight)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the weights again as `init` specifies, in the order and with the random numbers of torch.nn."""
        bound = 1 / math.sqrt(self.hidden_size) if self.init_bound is None else self.init_bound
        with torch.no_grad():
            for name, weight in self.named_parameters():
                # "bias_ih_l0", or "parametrizations.bias_ih_l0.original" if it is parametrised
                is_bias = any(part.startswith("bias_") for part in name.split("."))
                if self.init == "uniform" and is_bias:
                    weight.zero_()
                else:
                    draw_uniform(weight, bound, generator)

    def weights(self, names: Sequence[str]) -> Weights:
        """The current weights by name. A parametrised weight is not in `_parameters`; getattr computes it."""
        parameters: Mapping[str, Any] = self._parameters
        return Weights(*[parameters[name] if name in parameters else getattr(self, name) for name in names])

    def checked_state(self, hx: State, lead: tuple[int, ...], sizes: Sequence[int]) -> tuple[Tensor, ...]:
        """The fields of a state, after a check that each has the shape `(*lead, size)`."""
        names = self.cell.state._fields
        fields = (hx,) if isinstance(hx, Tensor) else tuple(hx)
        if len(fields) != len(names):
            actual = "a tensor" if isinstance(hx, Tensor) else f"a tuple of {len(fields)}"
            expected = "a tensor, h" if len(names) == 1 else f"the tuple ({', '.join(names)})"
            raise TypeError(f"the state is {actual}, expected {expected} for {type(self).__name__}")
        for name, tensor, size in zip(names, fields, sizes, strict=True):
            if tensor.shape != (*lead, size):
                raise RuntimeError(
                    f"{name} of the state has shape {tuple(tensor.shape)}, expected {(*lead, size)}; "
                    "pass a state of that shape, or none to start from zeros"
                )
        return fields

    def final_state(self, fields: Sequence[Tensor]) -> State:
        """The state that a call returns: like torch, a tensor if the state is h alone, otherwise a plain tuple.

        A plain tuple saved with torch.save can be loaded without this library.
        """
        return fields[0] if len(fields) == 1 else tuple(fields)

    def check_features(self, x: Tensor, weight: Tensor) -> None:
        """Raise unless the input has the number of features and the dtype that the weights expect."""
        if x.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input has {x.shape[-1]} features, expected input_size={self.input_size}; "
                f"pass input_size={x.shape[-1]} to {type(self).__name__}, or reshape the input"
            )
        if x.dtype != weight.dtype and not engines.under_autocast(x.device):
            raise ValueError(
                f"input is {x.dtype}, expected {weight.dtype} like the weights; "
                f"convert the input, input.to({weight.dtype}), or the layer, layer.to({x.dtype})"
            )

    def extra_repr(self) -> str:
        """The sizes, and every argument that differs from its default, as in torch.nn."""
        changed = [
            f"{name}={value}"
            for name, default in self._defaults.items()
            if (value := getattr(self, name, default)) != default
        ]
        return ", ".join([str(self.input_size), str(self.hidden_size), *changed])


def draw_uniform(weight: Tensor, bound: float, generator: torch.Generator | None) -> None:
    """Fill a weight from U(-bound, bound), drawn on the generator's device: a CPU generator serves any device."""
    if generator is None or generator.device.type == weight.device.type:
        weight.uniform_(-bound, bound, generator=generator)
    else:
        weight.copy_(torch.empty_like(weight, device=generator.device).uniform_(-bound, bound, generator=generator))


def check_init(init: str, bound: float | None) -> None:
    """Raise unless `init` and `init_bound` are valid together."""
    if init not in ("torch", "uniform"):
        raise ValueError(f"init is {init!r}, expected 'torch' or 'uniform'")
    if init == "torch" and bound is not None:
        raise ValueError("init_bound is for init='uniform'; pass init='uniform' too, or leave init_bound out")
    if bound is not None and not 0 <= bound < math.inf:
        raise ValueError(f"init_bound is {bound}, expected a finite number, 0 or more")


def integer(name: str, value: int) -> int:
    """The value, if it is an integer (a numpy integer is accepted)."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}, expected an integer") from None


def positive(name: str, value: int) -> int:
    """The value, if it is a positive integer."""
    if integer(name, value) <= 0:
        raise ValueError(f"{name} is {value}, expected 1 or more")
    return integer(name, value)


def probability(name: str, value: Any) -> float:
    """The value, if it is a number from 0 to 1 (a numpy number is accepted)."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise ValueError(f"{name} is {value!r}, expected a probability from 0 to 1")
    return float(value)


def boolean(name: str, value: bool) -> bool:
    """The value, if it is True or False; a number is often an argument in the wrong position."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, expected True or False")
    return value
