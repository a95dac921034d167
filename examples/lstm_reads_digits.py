"""An LSTM reads digits row by row, and shows its gates while it does.

Why an LSTM. A plain recurrent network writes its whole state anew at every step, h' = tanh(W x + U h + b). What it saw
k steps ago reaches the answer through k of these products, and so does the gradient on its way back: where each shrinks
it by a tenth, 0.9^28 = 5 % of it are left after the 28 rows of an image, and after 784 pixels nothing (1e-36). That is
the vanishing gradient: the network cannot learn from what is far back. (Where each lets it grow, it explodes.) The LSTM
has a memory c beside its state h, which is not written anew but changed:

    i = sigmoid(...)    input gate        c' = f c + i g
    f = sigmoid(...)    forget gate       h' = o tanh(c')
    g = tanh(...)       candidate
    o = sigmoid(...)    output gate       (...) = W x + U h + b, with weights of its own for each of the four

Along c the gradient is multiplied by f alone. Where the network holds f near 1 it goes back undiminished, and that is
learnt: for each unit and each step anew, from what is being read.

What the values mean, for one unit at one step:

                    0                               0.5                             1
    forget    f     the memory is wiped             half is left; after 10 steps    all of it is kept
                                                    a thousandth
    input     i     nothing is written              half of the candidate           the whole candidate is added
    candidate g     nothing to write                moves the memory up by i/2;     up by i; at -1 down by i
                    (it goes from -1 to 1)          at -0.5 down
    output    o     the memory is kept, but         half of it is seen              tanh(c) is seen in full, by the
                    nobody sees it                                                  next step and by the answer

So f = 1 and i = 0 is a memory that stays as it is; f = 0 and i = 1 starts afresh; f = i = 0.5 is a moving average.

What LSTMs are used for: time series and sensors (this library's first job), speech and handwriting, text and
translation before transformers took over, music, anomalies in logs and machines, control; best where data come one step
at a time and an answer is due at once, since a step costs the same however long the past is.

Drawbacks: steps run one after the other, so a long sequence cannot be spread over a processor as a convolution or a
transformer can; 4 times the weights of a plain network of this size; all of the past must fit into H numbers; f below 1
still fades over hundreds of steps (see --views pixels); and single units rarely mean something that has a name.

The script trains classifiers on a training part, chooses among ways of reading by a validation part, and says once how
well the chosen one does on a test part that nothing was chosen by. It shows what the gates do on average row by row,
and what becomes of the accuracy when a gate is held at 0, 0.5 or 1.

    python examples/lstm_reads_digits.py                             digits made here, 12 x 12 pixels
    python examples/lstm_reads_digits.py FOLDER                      a few thousand of MNIST's training images
    python examples/lstm_reads_digits.py FOLDER --test --plots out   the test images themselves, and figures
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import Linear, Module
from torch.nn.utils import skip_init

from gatewise import Classifier, datasets, nn, plot

GATES = ("input", "forget", "candidate", "output")  # in the order of the chunks
HELD = (0.0, 0.5, 1.0)
UNITS = {"rows": 64, "columns": 64, "pixels": 64, "permuted": 64, "vector": 4}
CORRECTED = """
Finished: in the original notebook the stacked classifier, on the state after the last step, was left undone.
Corrected: parts for training, validation and test; in the original notebook the test set is the training set.
Shown beside it: rows of an image are a sequence; flattened to one step of 784, as in the original, the forget gate and
the recurrent weights have nothing to do: the state before the only step is zero.
"""


# ---- the cell, written out


class Cell(Module):
    """An LSTM cell of two fused linear maps, from the input and from the state to all four gates.

    Arguments:
        inputs: I.
        hidden: H.
        generator: draws the weights from U(-1/sqrt(H), 1/sqrt(H)).
        bias: whether each map has one.
    """

    def __init__(self, inputs: int, hidden: int, generator: torch.Generator, *, bias: bool = True) -> None:
        super().__init__()
        self.hidden = hidden
        self.of_input = skip_init(Linear, inputs, 4 * hidden, bias=bias)
        self.of_state = skip_init(Linear, hidden, 4 * hidden, bias=bias)
        bound = 1 / math.sqrt(hidden)
        for weight in self.parameters():
            torch.nn.init.uniform_(weight, -bound, bound, generator=generator)

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None, held: Mapping[str, float] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The state h and c, each (B, H), after an input (B, I); zero before it if none is given.

        Gates that are `held` take that value, whatever the input.
        """
        h, c = x.new_zeros(2, len(x), self.hidden) if state is None else state
        i, f, g, o = (self.of_input(x) + self.of_state(h)).chunk(4, 1)
        gates = {"input": i.sigmoid(), "forget": f.sigmoid(), "candidate": g.tanh(), "output": o.sigmoid()}
        for name, value in (held or {}).items():
            gates[name] = torch.full_like(gates[name], value)
        c = gates["forget"] * c + gates["input"] * gates["candidate"]
        h = gates["output"] * c.tanh()
        return h, c

    def last_state(self, x: Tensor, held: Mapping[str, float] | None = None) -> Tensor:
        """The state h (B, H) after sequences (T, B, I)."""
        state = None
        for x_t in x:
            state = self(x_t, state, held)
        return state[0]

    def in_torchs_names(self) -> dict[str, Tensor]:
        """The weights as a layer of one direction has them; the order of the gates is the same."""
        maps = {"ih": self.of_input, "hh": self.of_state}
        return {f"{k}_{name}_l0": one.detach() for name, part in maps.items() for k, one in part.named_parameters()}

    def take(self, layer: nn.LSTM) -> "Cell":
        """Copy the weights of a layer."""
        weights = layer.state_dict()
        with torch.no_grad():
            for name, own in self.in_torchs_names().items():
                own.copy_(weights[name])
        return self


@torch.inference_mode()
def difference(cell: Cell, x: Tensor) -> float:
    """How far its last state is at most from gatewise.nn.LSTM's with the same weights, for sequences (T, B, I)."""
    weights = cell.in_torchs_names()
    layer = nn.LSTM(x.shape[2], cell.hidden, bias="bias_ih_l0" in weights, device="meta").to_empty(device="cpu")
    layer.load_state_dict(weights)
    _, (h, _) = layer(x)
    return float((h[-1] - cell.last_state(x)).abs().max())


# ---- digits


class Part(NamedTuple):
    """Images (N, height, width), bytes, and their labels (N,)."""

    images: np.ndarray
    y: np.ndarray


SEGMENTS = {  # on 9 x 5 pixels: top, upper right, lower right, bottom, lower left, upper left, middle
    "a": np.s_[0, 1:4],
    "b": np.s_[1:4, 4],
    "c": np.s_[5:8, 4],
    "d": np.s_[8, 1:4],
    "e": np.s_[5:8, 0],
    "f": np.s_[1:4, 0],
    "g": np.s_[4, 1:4],
}
LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgecd", "abc", "abcdefg", "abcdfg")


def digits(count: int, seed: int) -> Part:
    """Digits of seven segments on 12 x 12 pixels, moved about, of uneven brightness, in noise."""
    chance = np.random.default_rng(seed)
    y = chance.integers(0, 10, count)
    images = np.zeros((count, 12, 12))
    for image, digit, down, right in zip(
        images, y, chance.integers(0, 4, count), chance.integers(2, 6, count), strict=True
    ):
        field = image[down : down + 9, right : right + 5]
        for segment in LIT[digit]:
            field[SEGMENTS[segment]] = chance.uniform(0.4, 1)
    noisy = images + chance.normal(0, 0.2, images.shape)
    return Part((255 * noisy.clip(0, 1)).astype(np.uint8), y)


def parts_of(folder: Path | None, images: int, test: bool, seed: int) -> dict[str, Part]:
    """Training, validation and test, without an image in common; the first has so many images.

    Without `test`, the test part is the end of the training images: the test images stay unseen.
    """
    if folder is None:
        whole, cuts = digits(images + 1000, seed), (images, images + 500)
    else:
        whole, cuts = Part(*datasets.mnist(folder)), (images, images + 1000)
        if images + 2000 > len(whole.y):
            raise SystemExit(f"there are {len(whole.y)} images, expected {images} and 2000 more; ask for fewer")
    known, other = (Part(*(one[start:stop] for one in whole)) for start, stop in ((0, cuts[0]), cuts))
    held_back = Part(*(one[-(cuts[1] - cuts[0]) :] for one in whole))
    unseen = Part(*datasets.mnist(folder, "test")) if folder is not None and test else held_back
    return {"training": known, "validation": other, "test": unseen}


# ---- the classifier


def train(part: Part, view: str, epochs: int, seed: int, quiet: bool) -> Classifier:
    """A classifier of images that are read in this manner.

    A tenth of the part watches the training: the weights of its best epoch are kept.
    """
    model = Classifier(hidden_size=UNITS[view], scale="none", epochs=epochs, lr=0.01, seed=seed, quiet=quiet)
    return model.fit(datasets.view(part.images, view), part.y)


def score(model: Classifier, part: Part, view: str) -> float:
    """The share of a part that is read right."""
    return model.score(datasets.view(part.images, view), part.y)


def sequences(part: Part, view: str) -> Tensor:
    """Images as a network reads them, (T, B, I)."""
    return torch.from_numpy(datasets.view(part.images, view)).transpose(0, 1)


@torch.inference_mode()
def gates_by_step(model: Classifier, x: Tensor) -> dict[str, np.ndarray]:
    """The mean of each gate (T,) over sequences and units; of the candidate its size; and what is kept to the end.

    What is kept is the product of all forget gates to come: so much of the memory after a step is left at the end.
    """
    gates = model.network_.body.trace(x).gates
    ahead = torch.cat([gates["forget"][1:], torch.ones_like(gates["forget"][:1])])
    shown = {**gates, "candidate": gates["candidate"].abs(), "kept": ahead.flip(0).cumprod(0).flip(0)}
    return {name: gate.mean((1, 2)).numpy() for name, gate in shown.items()}


@torch.inference_mode()
def with_gates_held(model: Classifier, x: Tensor, y: np.ndarray) -> dict[str, list[float]]:
    """The accuracy where a gate is held at 0, 0.5 and 1, by the cell written out, with the trained weights."""
    body, head = model.network_.body, model.network_.head
    cell = Cell(body.input_size, body.hidden_size, torch.Generator()).take(body)

    def accuracy(held: Mapping[str, float]) -> float:
        return float((head(cell.last_state(x, held)).argmax(1).numpy() == y).mean())

    return {"none": [accuracy({})], **{gate: [accuracy({gate: value}) for value in HELD] for gate in GATES}}


def save_figures(folder: Path, model: Classifier, part: Part, view: str) -> list[Path]:
    """Confusion, examples, the gates while one image is read, and the learning curve."""
    x, y = datasets.view(part.images, view), part.y
    figures = {
        "confusion": model.plot("confusion", x, y),
        "examples": model.plot("examples", x, y, image=part.images),
        "gates": model.plot("gates", x[:1], y[:1], image=view in ("rows", "columns")),
        "learning-curve": model.plot("learning_curve"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    return [plot.save(figure, folder / f"{name}.png") for name, figure in figures.items()]


# ---- what is printed


def report_cell(part: Part, seed: int) -> None:
    """The cell written out beside gatewise.nn.LSTM, with and without bias, on rows and on whole images."""
    for view in ("rows", "vector"):
        for bias in (True, False):
            x = sequences(Part(part.images[:64], part.y), view)
            cell = Cell(x.shape[2], UNITS[view], torch.Generator().manual_seed(seed), bias=bias)
            words = f"{len(x)} step(s) of {x.shape[2]}, {UNITS[view]} units, {'with' if bias else 'no'} bias"
            print(f"Largest difference from gatewise.nn.LSTM, {words}: {difference(cell, x):.1e}")


def report_gates(gates: Mapping[str, np.ndarray]) -> None:
    """A line for each step, or for some 14 of many."""
    print(f"{'step':>6}" + "".join(f"{name:>12}" for name in gates))
    steps = len(gates["forget"])
    for t in sorted({*range(0, steps, max(1, steps // 14)), steps - 1}):
        print(f"{t:>6}" + "".join(f"{means[t]:>12.2f}" for means in gates.values()))


def report_held(table: Mapping[str, list[float]]) -> None:
    """A line for each gate."""
    print(f"Accuracy with a gate held, by the cell written out (as trained: {table['none'][0]:.1%})")
    print(f"{'held at':>12}" + "".join(f"{value:>10g}" for value in HELD))
    for gate in GATES:
        print(f"{gate:>12}" + "".join(f"{right:>10.1%}" for right in table[gate]))


def options() -> argparse.ArgumentParser:
    """What can be asked for."""
    asked = argparse.ArgumentParser(description="An LSTM reads digits, and shows its gates while it does.")
    asked.add_argument("folder", type=Path, nargs="?", help="with MNIST's files; digits made here without one")
    asked.add_argument("--test", action="store_true", help="take MNIST's test images as the test part")
    asked.add_argument("--images", type=int, help="in the training part; 2000, or 5000 of MNIST, by default")
    asked.add_argument("--views", nargs="+", choices=datasets.VIEWS, default=["rows", "vector"], help="ways of reading")
    asked.add_argument("--epochs", type=int, default=30, help="length of each training (default: 30)")
    asked.add_argument("--seed", type=int, default=0, help="of the made digits, the first weights and the shuffling")
    asked.add_argument("--plots", type=Path, metavar="FOLDER", help="write figures there, created if missing")
    asked.add_argument("--quiet", action="store_true", help="show no progress while training")
    return asked


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Compare, train, choose, test, look inside; the accuracies are returned, that of the test last."""
    given = options().parse_args(argv)
    if given.test and given.folder is None:
        options().error("--test takes MNIST's test images, and there is no folder of MNIST's files; name one")
    for name, least in (("images", 1), ("epochs", 1), ("seed", 0)):
        if getattr(given, name) is not None and getattr(given, name) < least:
            options().error(f"--{name} is {getattr(given, name)}, expected a whole number of at least {least}")
    images = given.images or (2000 if given.folder is None else 5000)
    parts = parts_of(given.folder, images, given.test, given.seed)
    report_cell(parts["training"], given.seed)

    models, right = {}, {}
    for view in given.views:
        models[view] = train(parts["training"], view, given.epochs, given.seed, given.quiet)
        scores = {name: score(models[view], parts[name], view) for name in ("training", "validation")}
        right[view] = scores["validation"]
        print(f"{view}, {UNITS[view]} units: " + ", ".join(f"{name} {share:.1%}" for name, share in scores.items()))
    best = max(right, key=lambda view: right[view])
    right["test"] = score(models[best], parts["test"], best)
    print(f"Chosen by validation: {best}; test {right['test']:.1%} of {len(parts['test'].y)} images")

    part = parts["validation"]
    x = sequences(Part(part.images[:500], part.y), best)
    print("\nMeans of the gates; of the candidate its size; kept: so much of the memory is left at the end")
    report_gates(gates_by_step(models[best], x))
    report_held(with_gates_held(models[best], x, part.y[:500]))
    if given.plots is not None:
        print(f"{len(save_figures(given.plots, models[best], part, best))} figures in {given.plots}")
    print(CORRECTED)
    return right


if __name__ == "__main__":
    main(sys.argv[1:])
