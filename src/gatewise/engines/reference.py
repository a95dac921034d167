"""The reference engine: a Python loop over `gatewise.cells`.

It is the specification. Every other engine is tested against it, values and gradients, and it accepts every request
and every `Cell`, a user's own too. Letters: `T` time steps, `B` batch, `H` hidden size, `P` projection size, `G` gates
of the cell.
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
    """Never: what the specification cannot do has no meaning."""
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
    """Run one layer in one direction, step by step, as the contract in `gatewise.engines` says."""
    T, B, _, H, P = sizes = check(cell, x, state, weights, lengths)
    state = zeros(cell, x, sizes) if state is None else state
    valid = None if lengths is None else _valid(T, lengths.to(x.device))
    if valid is not None:
        x = x.masked_fill(~valid, 0)  # so that not even a NaN in the padding reaches a gradient
    states: list[Any] = []
    gates: list[Gates] = []
    for t in reversed(range(T)) if reverse else range(T):
        after, opened = cell.step(x[t], state, weights)
        states.append(after)
        gates.append(opened if "gates" in keep else {})
        # Where the sequence is over (or, in reverse, has not begun) the state stays as it was; its dtype is that of the
        # steps, which autocast may have made another.
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
        gates={one: over_time([step[one] for step in gates], H) for one in names} if "gates" in keep else None,
    )


def _valid(T: int, lengths: Tensor) -> Tensor:
    """Which steps belong to which sequence: `(T, B, 1)`."""
    return (torch.arange(T, device=lengths.device)[:, None] < lengths)[..., None]
