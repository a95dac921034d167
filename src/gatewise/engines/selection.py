"""Selection: which engine runs a request, and the functions that run one on the engine chosen.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from gatewise.cells import Cell, Weights
from gatewise.engines import aten, native, reference
from gatewise.engines.contract import KEPT, Engine, Request, Scan, Stepper, packed_lengths

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (native, aten, reference)}  # fastest first

_override: ContextVar[str | None] = ContextVar("gatewise engine", default=None)
_blocks = 0  # open use_engine blocks in all threads; at 0, torch.compile need not read the context variable


@contextmanager
def use_engine(name: str) -> Iterator[None]:
    """Run every layer called inside the block on one engine, whatever its own `engine=`.

    Blocks can be nested. The choice is a context variable: asynchronous tasks started inside the block (and
    asyncio.to_thread) inherit it; a `threading.Thread` does not, unless Python runs with -X thread_inherit_context. A
    generator that yields inside its block leaves the choice set for its caller.

    Arguments:
        name: an engine's name, or `"auto"`.

    Raises:
        ValueError: no engine has this name; or, inside the block, the engine refuses a request.

    Examples:
        >>> import torch
        >>> from gatewise.nn import GRU
        >>> gru = GRU(3, 8, generator=torch.Generator().manual_seed(0))
        >>> with use_engine("reference"):
        ...     explain(gru, torch.zeros(5, 2, 3))
        GRU(3, 8) on x (5, 2, 3), torch.float32, cpu; use_engine('reference')
          native     not considered: use_engine('reference')
          aten       not considered: use_engine('reference')
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
    """Whether a block of `use_engine` is open in this context."""
    return _blocks > 0 and _override.get() is not None


def check_name(name: str) -> str:
    """Return the name if it is `"auto"` or the name of an engine; otherwise raise a ValueError that lists the names."""
    if name != "auto" and name not in ENGINES:
        raise ValueError(f"engine is {name!r}, expected one of {', '.join(map(repr, ('auto', *ENGINES)))}")
    return name


def divides_work(engine: str = "auto") -> bool:
    """Whether layers with this engine usually run on `native`, which divides its work among threads itself."""
    name = (_override.get() if _blocks else None) or engine
    return name in ("auto", native.name) and native.available()


def choose(request: Request, engine: str = "auto") -> Engine:
    """The engine for a request: the one named, or with `"auto"` the fastest that accepts.

    Raises:
        ValueError: the named engine refuses, or no engine accepts; the message lists every reason.
    """
    name = (_override.get() if _blocks else None) or engine
    candidates = ENGINES.values() if name == "auto" else [ENGINES[check_name(name)]]
    reasons = []
    for candidate in candidates:
        reason = candidate.refuses(request)
        if reason is None:
            return candidate
        reasons.append(f"engine {candidate.name!r} cannot run this: {reason}")
    raise ValueError("; ".join(reasons) + ("" if name == "auto" else "; use engine='auto' to select one that can"))


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
    """Run one layer in one direction on the chosen engine; for arguments and result see `gatewise.engines.contract`.

    Examples:
        >>> import torch
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
        raise ValueError(f"keep is {keep!r}, expected a tuple of names from {KEPT}")
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
    """Run one layer in one direction over packed sequences on the chosen engine; see `gatewise.engines.contract`.

    Examples:
        >>> import torch
        >>> from gatewise import cells
        >>> weights = Weights(torch.ones(1, 1), torch.ones(1, 1))  # h' = x + h: a running sum
        >>> start, batch_sizes = cells.RNNState(torch.zeros(2, 1)), torch.tensor([2, 1])
        >>> scan_packed(cells.RNN_IDENTITY, torch.ones(3, 1), batch_sizes, start, weights).output[:, 0]
        tensor([1., 1., 2.])
    """
    # `refuses` reads shapes, not values: one row, expanded to the padded shape, stands for x, and batch_sizes for the
    # lengths.
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


def stepper(
    cell: Cell,
    x: Tensor,
    state: Any,
    parameters: Mapping[str, Tensor | None],
    names: Sequence[str],
    engine: str = "auto",
) -> Stepper | None:
    """A `Stepper` that runs one layer step by step and updates its state in place; None if the chosen engine has none.

    A call takes the address of an x `(B, I)` and the address of an output `(B, width)` (0 for no output), runs one
    step and returns the address of h. The stepper is valid only while `holds()` is true: until weights are replaced or
    moved. The values of the weights may change.

    Arguments:
        cell: the cell to run.
        x: `(1, B, I)`, an example of the input.
        state: the cell's state tuple, contiguous; each step overwrites it.
        parameters: the mapping that holds the weights; every call looks them up.
        names: names of the weights in `parameters`, in the order of `Weights`.
        engine: as for `scan`.
    """
    if any(name not in parameters for name in names):
        return None  # a parametrised weight is a new tensor each time
    weights = Weights(*[parameters[name] for name in names])  # type: ignore[arg-type]  # the first two are never None
    create = getattr(choose(Request(cell, x, state, weights), engine), "stepper", None)
    created: Stepper | None = None if create is None else create(cell, x, state, weights, parameters, names)
    return created


class Explainable(Protocol):
    """The part of a layer that `explain` uses; every layer of `gatewise.nn` has it."""

    engine: str

    def requests(self, x: Tensor, lengths: Tensor | None = None) -> list[Request]: ...


def explain(layer: Explainable, x: Tensor, lengths: Tensor | None = None) -> None:
    """Print which engine would run `layer(x, lengths=lengths)`, and why the others would not.

    Arguments:
        layer: a layer of `gatewise.nn`.
        x: the input of that call; only its shape, dtype and device matter.
        lengths: the lengths of that call.

    Raises:
        TypeError: the layer runs single steps (LSTMCell), or x is a PackedSequence.

    Examples:
        >>> import torch
        >>> from gatewise.nn import RNN
        >>> options = {"dtype": torch.bfloat16, "generator": torch.Generator().manual_seed(0)}
        >>> rnn = RNN(1, 8, nonlinearity="identity", **options)
        >>> explain(rnn, torch.zeros(24, 2, 1, dtype=torch.bfloat16))
        RNN(1, 8, nonlinearity=identity) on x (24, 2, 1), torch.bfloat16, cpu; engine='auto'
          native     refuses: the kernels support only float32 and float64, and x is torch.bfloat16
          aten       refuses: torch has no fused kernel for the step 'rnn_identity_step' of the cell 'rnn_identity'
          reference  runs: a Python loop over gatewise.cells, the specification
    """
    if not hasattr(layer, "requests"):
        raise TypeError(f"layer is of type {type(layer).__name__}, expected an RNN, LSTM or GRU; explain one of those")
    override, requests = _override.get(), layer.requests(x, lengths)
    name = override or layer.engine
    choice = f"engine={name!r}" if override is None else f"use_engine({name!r})"
    print(f"{layer} on x {tuple(x.shape)}, {x.dtype}, {x.device}; {choice}")
    candidates = [engine for engine in ENGINES.values() if name in ("auto", engine.name)]
    chosen = [
        next((engine.name for engine in candidates if engine.refuses(request) is None), None) for request in requests
    ]
    for engine in ENGINES.values():
        decision = _decision(engine, requests, chosen) if engine in candidates else f"not considered: {choice}"
        print(f"  {engine.name:<10} {decision}")


def _decision(engine: Engine, requests: list[Request], chosen: list[str | None]) -> str:
    """Which scans of a layer an engine runs; a stack has one scan for each layer and direction."""
    reasons = "; ".join(dict.fromkeys(filter(None, map(engine.refuses, requests))))
    runs = chosen.count(engine.name)
    if runs == 0:
        return f"refuses: {reasons}" if reasons else "accepts, but a faster engine runs"
    part = "" if runs == len(requests) else f" {runs} of {len(requests)} scans (one for each layer and direction)"
    return f"runs{part}: {engine.summary}" + (f"; refuses the others: {reasons}" if reasons else "")
