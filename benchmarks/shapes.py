"""The tasks: shapes in named groups, their numbers of operations, and the speed-ups that Gatewise guarantees.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `G` gates of the cell.
"""

from typing import NamedTuple

CELLS = ("lstm", "gru", "rnn")
LAYER_MODES = ("train", "infer", "packed-train", "packed-infer")
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


class Shape(NamedTuple):
    """Sizes of one layer and its input; printed as T x B x I x H."""

    T: int
    B: int
    I: int
    H: int

    def __str__(self) -> str:
        return "×".join(map(str, self))


class Task(NamedTuple):
    """The computation of one entry of the tables."""

    cell: str
    mode: str
    shape: Shape


class Group(NamedTuple):
    """Related shapes, with their cells and modes."""

    about: str
    shapes: tuple[Shape, ...]
    cells: tuple[str, ...] = CELLS
    modes: tuple[str, ...] = ("train", "infer")

    def tasks(self) -> list[Task]:
        """All combinations."""
        return [Task(cell, mode, shape) for mode in self.modes for cell in self.cells for shape in self.shapes]


def square(H: int, batches: tuple[int, ...], T: int) -> tuple[Shape, ...]:
    """Shapes with as many features as units, as in DeepBench and fastrnns."""
    return tuple(Shape(T, B, H, H) for B in batches)


PEERS = (
    Shape(19, 180, 1, 16),
    Shape(19, 32, 1, 16),
    Shape(96, 32, 7, 64),
    Shape(28, 64, 28, 128),
    Shape(100, 64, 128, 256),
    Shape(100, 64, 512, 512),
    Shape(50, 1, 32, 64),
    Shape(512, 8, 64, 256),
    Shape(31, 1, 48, 32),
)
CENTRE = Shape(64, 32, 16, 64)
SWEEPS = {
    "T": tuple(CENTRE._replace(T=T) for T in (4, 16, 64, 256, 1024)),
    "B": tuple(CENTRE._replace(B=B) for B in (1, 8, 32, 128)),
    "H": tuple(CENTRE._replace(H=H) for H in (16, 32, 64, 128, 256)),
}
# A name may stand for several groups with different cells.
GROUPS: dict[str, tuple[Group, ...]] = {
    "peers": (Group("from tiny to the 512 units of fastrnns, 1 to 180 sequences", PEERS, modes=LAYER_MODES),),
    "systems": (
        Group("the systems in examples/: noisy trend", (Shape(19, 180, 1, 16), Shape(19, 1, 1, 16)), ("lstm",)),
        Group("deep network on a trend, both its layers", (Shape(19, 180, 1, 8), Shape(19, 180, 8, 8)), ("rnn",)),
        Group("equation by equation; multivariate", (Shape(10, 30, 20, 10), Shape(3, 8, 2, 20)), ("lstm",)),
        Group("digits as one vector, by rows, by pixels", (Shape(1, 64, 784, 4), Shape(784, 64, 1, 128)), ("lstm",)),
    ),
    "deepbench": (
        Group("DeepBench, LSTM", square(256, (16, 32, 64), 150), ("lstm",)),
        Group("DeepBench, LSTM", square(512, (16, 32, 64, 128), 25), ("lstm",)),
        Group("DeepBench, LSTM", square(1024, (16, 32), 25), ("lstm",)),
        Group("DeepBench, GRU", square(512, (32,), 1), ("gru",)),
        Group("DeepBench, vanilla", square(1760, (16, 32), 50), ("rnn",)),
    ),
    "device": (
        Group("small devices, LSTM", square(256, (1,), 150), ("lstm",)),
        Group("small devices, vanilla", (*square(32, (1,), 672), *square(64, (1,), 96)), ("rnn",)),
    ),
    "haste": (
        Group(
            "grid of haste, 64 features",
            tuple(Shape(50, B, 64, H) for B in (1, 32, 64, 128) for H in (64, 128, 256, 512)),
            ("lstm", "gru"),
        ),
    ),
    "one": (
        Group(
            "one sequence, issue 837 of oneDNN",
            tuple(Shape(T, 1, I, 32) for T in (15, 31, 63) for I in (24, 48, 96)),
            ("lstm",),
        ),
    ),
    "sweep": tuple(
        Group(f"growth in {letter} around {CENTRE}", shapes, ("lstm", "gru")) for letter, shapes in SWEEPS.items()
    ),
    "step": (
        Group("streaming, one sequence", tuple(Shape(1, 1, H, H) for H in (16, 32, 64, 128, 256)), modes=("step",)),
    ),
    "memory": (Group("peak memory of a training step", (Shape(784, 64, 1, 128),), ("lstm",), ("memory",)),),
    "large": (
        Group("DeepBench, LSTM", square(1024, (64, 128), 25), ("lstm",)),
        Group("DeepBench, GRU", square(1024, (32,), 1500), ("gru",)),
        Group("DeepBench, vanilla", square(1760, (64, 128), 50), ("rnn",)),
    ),
}
QUICK = (PEERS[1], PEERS[2], PEERS[6], Shape(1, 1, 64, 64))

# Lower bounds of the geometric mean and the minimum of (time of torch.nn / time of Gatewise), by cell and mode.
FLOORS: dict[tuple[str, str], tuple[float, float]] = {
    ("lstm", "train"): (2.0, 1.1),
    ("lstm", "infer"): (2.0, 1.0),
    **{(cell, mode): (3.0, 1.15) for cell in ("gru", "rnn") for mode in ("train", "infer")},
    **{(cell, mode): (5.0, 2.0) for cell in CELLS for mode in ("packed-train", "packed-infer")},
    **{(cell, "step"): (3.0, 2.0) for cell in CELLS},
}
# Lower bound of the fraction of the multiply-add rate of the machine, for padded layers of at least this size.
CEILING_FLOORS = {"train": 0.65, "infer": 0.75}
CEILING_H, CEILING_B = 256, 32


def select(groups: list[str], cells: list[str], modes: list[str], quick: bool = False) -> list[Task]:
    """The matching tasks of the groups without duplicates, ordered by mode, cell and group."""
    candidates = [task for name in groups for group in GROUPS[name] for task in group.tasks()]
    selected = [
        task
        for task in dict.fromkeys(candidates)
        if task.cell in cells and task.mode in modes and (not quick or task.shape in QUICK)
    ]
    order = (*LAYER_MODES, "step", "memory")
    return sorted(selected, key=lambda task: (order.index(task.mode), CELLS.index(task.cell)))


def operations(task: Task, rows: int) -> int:
    """Floating-point operations of all products over rows of input; a multiply-add counts as two.

    Forward: 2 * rows * G * H * (I + H). Training: three times that, as the gradients of inputs and weights cost as
    much each; without the gradient of x, which is data.
    """
    _, _, I, H = task.shape
    once = 2 * rows * GATES[task.cell] * H
    if not task.mode.endswith("train"):
        return once * (I + H)
    return 3 * once * (I + H) - once * I
