"""The reference engine: a Python loop over `gatewise.cells`.

It is the specification: every other engine is tested against it, values and gradients. It accepts every request and
every `Cell`, user-defined cells included. Letters: `T` time steps, `B` batch, `H` hidden size, `P` projection size,
`G` gates of the cell.
"""

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor

from gatewise.cells import Cell, Gates, Weights
from gatewise.engines.contract import Request, Scan, check, zeros

name = "reference"
summary = "a Python loop over gatewise.cells, the specification"


def refuses(request: Request) -> str | None:
    """None: the specification accepts every request."""
    return None


def scan(
    cell: Cell,
    x: Tensor,
    state: Any,
    weights: Weights,
    *,
    lengths: Tensor | None = None,
    reverse: bool = False,
    keep: Collection[str] = (),
) -> Scan:
    """Run one layer in one direction, step by step, as specified in `gatewise.engines.contract`."""
    T, B, _, H, P = sizes = check(cell, x, state, weights, lengths)
    state = zeros(cell, x, sizes) if state is None else state
    valid = None if lengths is None else _valid(T, lengths.to(x.device))
    if valid is not None:
        x = x.masked_fill(~valid, 0)  # a NaN in the padding must not reach a gradient
    states: list[Any] = []
    gates: list[Gates] = []
    for t in reversed(range(T)) if reverse else range(T):
        after, gates_at_t = cell.step(x[t], state, weights)
        states.append(after)
        gates.append(gates_at_t if "gates" in keep else {})
        # Outside a sequence the state does not change. Its dtype follows the new state, because autocast may change it.
        state = (
            after
            if valid is None
            else cell.state(*(torch.where(valid[t], a, s.to(a.dtype)) for a, s in zip(after, state, strict=True)))
        )

    def over_time(steps: list[Tensor], size: int) -> Tensor:
        stacked = torch.stack(steps[::-1] if reverse else steps) if steps else x.new_zeros(0, B, size)
        return stacked if valid is None else stacked.masked_fill(~valid, 0)

    names = gates[0] if gates else cell.gates
    return Scan(
        output=over_time([after[0] for after in states], P),
        state=state,
        cells=over_time([after.c for after in states], H) if "cells" in keep and "c" in cell.state._fields else None,
        gates={name: over_time([step[name] for step in gates], H) for name in names} if "gates" in keep else None,
    )


def _valid(T: int, lengths: Tensor) -> Tensor:
    """Mask of the steps that belong to each sequence: `(T, B, 1)`."""
    return (torch.arange(T, device=lengths.device)[:, None] < lengths)[..., None]
