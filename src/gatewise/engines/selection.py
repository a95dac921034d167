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
    """Run one layer in one direction on the engine chosen; arguments and returns see `gatewise.engines.contract`.

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
    """Run one layer in one direction over packed sequences on the engine chosen; see `gatewise.engines.contract`.

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
