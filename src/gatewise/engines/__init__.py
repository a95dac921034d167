"""Engines: what runs a cell over a sequence, and how one is chosen.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `P` projection size, `G` gates of the cell.

An engine is a module (or any object) with a `name`, a `summary`, and two functions:

`refuses(request)` returns `None` if the engine can serve the request, or the reason why not, in words. It looks at
the request only: it is cheap, raises nothing and runs nothing.

`scan(cell, x, state, weights, *, lengths, reverse, keep)` runs one layer in one direction and returns a `Scan`. It
gets tensors, never modules, and only requests that it accepts; it starts with `check`, so that tensors which do not fit
together are an error before any kernel runs.

- `x` is `(T, B, I)` with any strides. `state` is the cell's state tuple, `h (B, H)`, or `(B, P)` with a projection,
  and `c (B, H)`; or None for zeros, see `zeros`.
- `lengths (B,)`, integers from 0 to T on any device, in any order: sequence `b` is `x[:lengths[b], b]` and nothing
  in `x` after that has any influence. The output, kept gates and kept cells are zero after each sequence's end; the
  state is that after the last valid step, and the initial state for a sequence of length zero.
- `reverse` runs each sequence from its last valid step to its first; the output at `t` still belongs to `x[t]`.
- `keep` may name `"gates"` and `"cells"`.

An engine may also have `scan_packed(cell, data, batch_sizes, state, weights, *, reverse)`, for the `data (N, I)` and
`batch_sizes (T,)`, on the CPU, of torch's PackedSequence: the valid steps of all sequences, time by time, longest
sequence first, as are the rows of the state. The output is packed as `data`; nothing is kept. For an engine without it
the sequences are padded, which takes the memory of `T x B` steps. `refuses` answers for both. And it may have
`stepper(cell, x, state, weights, parameters, names)`, see the function of this name below: for streams.

The engines, fastest first:

`native`     Gatewise's own kernels for CPUs, in C++: float32 and float64, every cell of `gatewise.cells`, gates too.
`aten`       torch's own fused kernels: oneDNN and ATen on a CPU, cuDNN on CUDA, MPS. The gates stay inside.
`reference`  a Python loop over `gatewise.cells`: the specification that the others are tested against. Accepts all.

Choosing. `engine="auto"` is the fastest that accepts. A named engine that refuses is an error with its reason; nothing
falls back silently. `use_engine` overrides the `engine=` of every layer called inside its block, being the more local
wish. A new engine is one file and one line at the end of this one; a test may put one into `ENGINES` for its time.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from gatewise.cells import Cell, Gates, Weights


class Request(NamedTuple):
    """Everything that an engine may look at before it accepts: the arguments of `scan`."""

    cell: Cell
    x: Tensor  # (T, B, I)
    state: tuple[Tensor, ...] | None  # the cell's state tuple, h (B, H or P) and for an LSTM c (B, H); None for zeros
    weights: Weights
    lengths: Tensor | None = None  # (B,)
    reverse: bool = False
    keep: Collection[str] = ()


class Scan(NamedTuple):
    """What a scan returns."""

    output: Tensor  # (T, B, H), or (T, B, P) with a projection
    state: Any  # the cell's state tuple, after each sequence's last valid step
    cells: Tensor | None = None  # (T, B, H): c after every step, if kept and if the cell has one
    gates: Gates | None = None  # each (T, B, H), if kept


class Engine(Protocol):
    """The contract of the module docstring, as types."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...

    def refuses(self, request: Request) -> str | None: ...

    def scan(
        self,
        cell: Cell,
        x: Tensor,
        state: Any,
        weights: Weights,
        *,
        lengths: Tensor | None = None,
        reverse: bool = False,
        keep: Collection[str] = (),
    ) -> Scan: ...


KEPT = ("gates", "cells")
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)  # those that torch can compare and sort


def under_autocast(device: torch.device) -> bool:
    """Whether autocast mixes dtypes on a device."""
    return device.type != "meta" and torch.is_autocast_enabled(device.type)


class Sizes(NamedTuple):
    """The sizes of one scan."""

    T: int
    B: int
    I: int
    H: int
    P: int  # of h: H without a projection


def check(
    cell: Cell, x: Tensor, state: tuple[Tensor, ...] | None, weights: Weights, lengths: Tensor | None = None
) -> Sizes:
    """The sizes of one scan; raise unless its tensors fit together in shape, dtype and device.

    The values of lengths are looked at on the CPU only: elsewhere that would wait for the device.

    Raises:
        RuntimeError: naming the first tensor that does not fit, what was expected and what came.

    Examples:
        >>> from gatewise import cells
        >>> weights = Weights(torch.zeros(8, 3), torch.zeros(8, 8))
        >>> check(cells.RNN_TANH, torch.zeros(5, 2, 3), None, weights)
        Sizes(T=5, B=2, I=3, H=8, P=8)
        >>> check(cells.RNN_TANH, torch.zeros(5, 2, 4), (torch.zeros(2, 8),), weights)
        Traceback (most recent call last):
        ...
        RuntimeError: x (T, B, I) has shape (5, 2, 4), expected (5, 2, 3) to go with weight_ih (8, 3)
    """
    shape, (like, hidden, bias_ih, bias_hh, projection), G = x.shape, weights, len(cell.gates)
    if len(shape) != 3:
        raise RuntimeError(f"x has shape {tuple(shape)}, expected (T, B, I)")
    weight = like.shape
    if len(weight) != 2 or weight[0] % G:
        raise RuntimeError(f"weight_ih has shape {tuple(weight)}, expected ({G}*H, I)")
    (T, B, _), (rows, inputs) = shape, weight
    H = rows // G
    P = H if projection is None else projection.shape[0]
    # One list and one loop, plainly written: this runs at every call.
    expected = [("x (T, B, I)", x, (T, B, inputs)), ("weight_hh", hidden, (rows, P))]
    if state is not None:
        if len(state) != len(cell.state._fields):
            raise RuntimeError(f"the state has {len(state)} parts, expected {cell.state._fields} for {cell.name!r}")
        expected.append(("the state's h", state[0], (B, P)))
        expected += [("the state's c", one, (B, H)) for one in state[1:]]
    if bias_ih is not None:
        expected.append(("bias_ih", bias_ih, (rows,)))
    if bias_hh is not None:
        expected.append(("bias_hh", bias_hh, (rows,)))
    if projection is not None:
        expected.append(("weight_hr", projection, (P, H)))
    device, dtype, on_cpu = like.device, like.dtype, like.is_cpu  # to compare devices takes twice as long
    for name, tensor, wanted in expected:
        if tensor.shape != wanted:
            came = tuple(tensor.shape)
            raise RuntimeError(f"{name} has shape {came}, expected {wanted} to go with weight_ih {tuple(weight)}")
        if tensor.dtype != dtype and not under_autocast(device):
            raise RuntimeError(f"{name} is {tensor.dtype}, expected {dtype} as weight_ih; convert it with .to()")
        if not (on_cpu and tensor.is_cpu) and tensor.device != device:
            raise RuntimeError(f"{name} is on {tensor.device}, expected {device} as weight_ih; move it with .to()")
    if lengths is not None:
        _check_lengths(lengths, T, B)
    return Sizes(T, B, inputs, H, P)


def _check_lengths(lengths: Tensor, T: int, B: int) -> None:
    if lengths.shape != (B,) or lengths.dtype not in INTEGERS:
        raise RuntimeError(f"lengths is {lengths.dtype} {tuple(lengths.shape)}, expected integers of shape ({B},)")
    seen = lengths.device.type == "cpu" and B and not torch.compiler.is_compiling()
    if seen and not 0 <= int(lengths.min()) <= int(lengths.max()) <= T:
        raise RuntimeError(
            f"lengths go from {lengths.min()} to {lengths.max()}, expected from 0 to {T}, the steps of x"
        )


def zeros(cell: Cell, x: Tensor, sizes: Sizes) -> Any:
    """The state tuple that no state stands for, in the dtype of x and where x is."""
    h, c = (sizes.B, sizes.P), (sizes.B, sizes.H)
    return cell.state(*[x.new_zeros(c if k else h) for k in range(len(cell.state._fields))])


_override: ContextVar[str | None] = ContextVar("gatewise engine", default=None)
_blocks = 0  # of use_engine that are open anywhere: while there are none, torch.compile need not read the variable


@contextmanager
def use_engine(name: str) -> Iterator[None]:
    """Run everything inside the block on one engine, whatever the layers were built with.

    Blocks nest. The choice is a context variable: asynchronous tasks begun inside the block (and asyncio.to_thread)
    inherit it, a `threading.Thread` does not, unless Python is told to (-X thread_inherit_context). A generator that
    yields inside its block leaves the choice set for whoever reads it.

    Arguments:
        name: an engine's name, or `"auto"`.

    Raises:
        ValueError: there is no such engine; and, inside the block, the engine refuses a request.

    Examples:
        >>> from gatewise.nn import GRU
        >>> gru = GRU(3, 8, generator=torch.Generator().manual_seed(0))
        >>> with use_engine("reference"):
        ...     explain(gru, torch.zeros(5, 2, 3))
        GRU(3, 8) on x (5, 2, 3), torch.float32, cpu; use_engine('reference')
          native     is not asked: use_engine('reference')
          aten       is not asked: use_engine('reference')
          reference  runs: a Python loop over gatewise.cells, the specification
    """
    global _blocks
    token = _override.set(check_name(name))
    _blocks += 1
    try:
        yield
    finally:
        _blocks -= 1
        _override.reset(token)


def overridden() -> bool:
    """Whether a block of `use_engine` is open here."""
    return _blocks > 0 and _override.get() is not None


def check_name(name: str) -> str:
    """The name itself, if it is `"auto"` or an engine's; else a ValueError that lists the names."""
    if name != "auto" and name not in ENGINES:
        raise ValueError(f"engine is {name!r}, expected one of {', '.join(map(repr, ('auto', *ENGINES)))}")
    return name


def choose(request: Request, engine: str = "auto") -> Engine:
    """The engine that serves a request: the named one, or with `"auto"` the fastest that accepts.

    Raises:
        ValueError: the named engine refuses, or none accepts; with every reason.
    """
    name = (_override.get() if _blocks else None) or engine
    asked = ENGINES.values() if name == "auto" else [ENGINES[check_name(name)]]
    reasons = []
    for one in asked:
        reason = one.refuses(request)
        if reason is None:
            return one
        reasons.append(f"engine {one.name!r} refuses: {reason}")
    raise ValueError("; ".join(reasons) + ("" if name == "auto" else "; use engine='auto' for one that accepts"))


def scan(
    cell: Cell,
    x: Tensor,
    state: Any,
    weights: Weights,
    *,
    lengths: Tensor | None = None,
    reverse: bool = False,
    keep: Collection[str] = (),
    engine: str = "auto",
) -> Scan:
    """Run one layer in one direction on the engine chosen; arguments and returns as in the contract above.

    Examples:
        >>> from gatewise import cells
        >>> weights = Weights(torch.ones(1, 1), torch.ones(1, 1))  # h' = x + h: a running sum
        >>> ones = torch.ones(4, 2, 1)
        >>> start, lengths = cells.RNNState(torch.zeros(2, 1)), torch.tensor([4, 2])
        >>> result = scan(cells.RNN_IDENTITY, ones, start, weights, lengths=lengths)
        >>> result.output[:, :, 0]
        tensor([[1., 1.],
                [2., 2.],
                [3., 0.],
                [4., 0.]])
        >>> result.state.h[:, 0]
        tensor([4., 2.])
    """
    if keep and (isinstance(keep, str) or not set(keep) <= set(KEPT)):
        raise ValueError(f"keep is {keep!r}, expected a tuple of names out of {KEPT}")
    chosen = choose(Request(cell, x, state, weights, lengths, reverse, keep), engine)
    return chosen.scan(cell, x, state, weights, lengths=lengths, reverse=reverse, keep=keep)


def scan_packed(
    cell: Cell,
    data: Tensor,
    batch_sizes: Tensor,
    state: Any,
    weights: Weights,
    *,
    reverse: bool = False,
    engine: str = "auto",
) -> Scan:
    """Run one layer in one direction over packed sequences on the engine chosen; as in the contract above.

    Examples:
        >>> from gatewise import cells
        >>> weights = Weights(torch.ones(1, 1), torch.ones(1, 1))  # h' = x + h: a running sum
        >>> start, batch_sizes = cells.RNNState(torch.zeros(2, 1)), torch.tensor([2, 1])
        >>> scan_packed(cells.RNN_IDENTITY, torch.ones(3, 1), batch_sizes, start, weights).output[:, 0]
        tensor([1., 1., 2.])
    """
    # Engines look at no values before they accept: one row, in the shape that padding would give, stands for all of x,
    # and any integers for the lengths.
    sequences = int(batch_sizes[0]) if state is None else state[0].shape[0]
    x = data[:1].expand(batch_sizes.shape[0], sequences, -1)
    request = Request(cell, x, state, weights, batch_sizes, reverse)
    chosen = choose(request, engine)
    if packed := getattr(chosen, "scan_packed", None):
        result: Scan = packed(cell, data, batch_sizes, state, weights, reverse=reverse)
        return result
    lengths = packed_lengths(batch_sizes)
    x, _ = pad_packed_sequence(PackedSequence(data, batch_sizes))
    padded = chosen.scan(cell, x, state, weights, lengths=lengths, reverse=reverse)
    return padded._replace(output=pack_padded_sequence(padded.output, lengths).data)


class Stepper(Protocol):
    """One layer run step by step on fixed memory; see `stepper`."""

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def width(self) -> int: ...

    def holds(self) -> bool: ...

    def __call__(self, x: int, output: int) -> int: ...


def stepper(
    cell: Cell,
    x: Tensor,
    state: Any,
    parameters: Mapping[str, Tensor | None],
    names: Sequence[str],
    engine: str = "auto",
) -> Stepper | None:
    """What runs one layer step by step, its state carried on in place; None if the engine chosen cannot do that.

    Called with the address of an x `(B, I)` and that of an output `(B, width)` (0 for none), it runs one step and
    returns the address of h. It is good only while `holds()`: until weights are replaced or moved; the values in them
    may change.

    Arguments:
        cell: what to run.
        x: `(1, B, I)`, an example.
        state: the cell's state tuple, contiguous; it is written.
        parameters: where the weights are looked up, again and again.
        names: theirs, in the order of `Weights`.
        engine: as for `scan`.
    """
    if any(name not in parameters for name in names):
        return None  # parametrised: made anew each time
    weights = Weights(*[parameters[name] for name in names])  # type: ignore[arg-type]  # the first two are there
    make = getattr(choose(Request(cell, x, state, weights), engine), "stepper", None)
    made: Stepper | None = None if make is None else make(cell, x, state, weights, parameters, names)
    return made


def packed_lengths(batch_sizes: Tensor) -> Tensor:
    """The lengths of packed sequences, longest first: for each, the steps at which it is still on.

    Examples:
        >>> packed_lengths(torch.tensor([3, 2, 2]))
        tensor([3, 3, 1])
    """
    sequences = torch.arange(int(batch_sizes[0]), device="cpu")
    return len(batch_sizes) - torch.searchsorted(batch_sizes.flip(0), sequences, right=True)


class Explainable(Protocol):
    """What `explain` needs of a layer; those of `gatewise.nn` have it."""

    engine: str

    def requests(self, x: Tensor, lengths: Tensor | None = None) -> list[Request]: ...


def explain(layer: Explainable, x: Tensor, lengths: Tensor | None = None) -> None:
    """Print which engine would run `layer(x, lengths=lengths)`, and why the others would not; returns nothing.

    Arguments:
        layer: a layer of `gatewise.nn`.
        x: the input it would be called with; only its shape, dtype and device count.
        lengths: the lengths it would be called with.

    Raises:
        TypeError: the layer runs single steps (LSTMCell), or x is a PackedSequence.

    Examples:
        >>> from gatewise.nn import RNN
        >>> options = {"dtype": torch.bfloat16, "generator": torch.Generator().manual_seed(0)}
        >>> rnn = RNN(1, 8, nonlinearity="identity", **options)
        >>> explain(rnn, torch.zeros(24, 2, 1, dtype=torch.bfloat16))
        RNN(1, 8, nonlinearity=identity) on x (24, 2, 1), torch.bfloat16, cpu; engine='auto'
          native     refuses: the kernels are for float32 and float64, and x is torch.bfloat16
          aten       refuses: torch has no fused kernel for the step 'rnn_identity_step' of the cell 'rnn_identity'
          reference  runs: a Python loop over gatewise.cells, the specification
    """
    if not hasattr(layer, "requests"):
        raise TypeError(f"layer is of type {type(layer).__name__}, expected an RNN, LSTM or GRU; explain one of those")
    override, requests = _override.get(), layer.requests(x, lengths)
    asked = override or layer.engine
    wish = f"engine={asked!r}" if override is None else f"use_engine({asked!r})"
    print(f"{layer} on x {tuple(x.shape)}, {x.dtype}, {x.device}; {wish}")
    candidates = [engine for engine in ENGINES.values() if asked in ("auto", engine.name)]
    winners = [next((one.name for one in candidates if one.refuses(request) is None), None) for request in requests]
    for engine in ENGINES.values():
        verdict = _verdict(engine, requests, winners) if engine in candidates else f"is not asked: {wish}"
        print(f"  {engine.name:<10} {verdict}")


def _verdict(engine: Engine, requests: list[Request], winners: list[str | None]) -> str:
    """What an engine does with the scans of a layer: one for each layer of the stack in each direction."""
    reasons = "; ".join(dict.fromkeys(filter(None, map(engine.refuses, requests))))
    runs = winners.count(engine.name)
    if runs == 0:
        return f"refuses: {reasons}" if reasons else "would run, but a faster engine does"
    share = "" if runs == len(requests) else f" {runs} of {len(requests)} scans"
    return f"runs{share}: {engine.summary}" + (f"; refuses the others: {reasons}" if reasons else "")


from gatewise.engines import aten, native, reference  # noqa: E402 - they import the contract above

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (native, aten, reference)}  # fastest first
