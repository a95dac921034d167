"""Computation engines: each runs the equations of a cell over whole sequences.

The engines, fastest first:

`native`     Gatewise's own C++ kernels for CPUs: float32 and float64, every cell of `gatewise.cells`, with gates.
`aten`       torch's fused kernels: oneDNN and ATen on a CPU, cuDNN on CUDA, MPS. They do not return gates.
`reference`  a Python loop over `gatewise.cells`: the specification that the other engines are tested against. It
             accepts every request.

How an engine is chosen. `engine="auto"` selects the fastest engine that accepts the request. A named engine that
refuses raises an error with its reason; there is no silent fallback. `use_engine` overrides the `engine=` of every
layer called inside its block. `explain` prints which engine runs a layer, and why the others do not.

How to add an engine. Write one file that fulfils the contract in `contract.py` and add it to `ENGINES` in
`selection.py`. A test may add an entry to `ENGINES` temporarily.

`contract.py`   Request, Scan, the Engine protocol, shape checks
`selection.py`  ENGINES, choosing an engine, use_engine, explain, scan
`reference.py`  the loop over the equations
`aten.py`       torch's fused kernels
`native/`       Gatewise's own kernels: the library, the calls into it, autograd and torch.compile
"""

from gatewise.engines import aten, native, reference
from gatewise.engines.contract import (
    INTEGERS,
    KEPT,
    Engine,
    Request,
    Scan,
    Sizes,
    Stepper,
    check,
    packed_lengths,
    under_autocast,
    zeros,
)
from gatewise.engines.selection import (
    ENGINES,
    Explainable,
    check_name,
    choose,
    divides_work,
    explain,
    overridden,
    scan,
    scan_packed,
    stepper,
    use_engine,
)

__all__ = [
    "ENGINES",
    "INTEGERS",
    "KEPT",
    "Engine",
    "Explainable",
    "Request",
    "Scan",
    "Sizes",
    "Stepper",
    "aten",
    "check",
    "check_name",
    "choose",
    "divides_work",
    "explain",
    "native",
    "overridden",
    "packed_lengths",
    "reference",
    "scan",
    "scan_packed",
    "stepper",
    "under_autocast",
    "use_engine",
    "zeros",
]
