"""An LSTM classifies digits row by row; the script prints its gates.

Why an LSTM. A plain recurrent network replaces its whole state at every step, h' = tanh(W x + U h + b). An input k
steps ago influences the prediction through k of these products, and the gradient flows back through them: if each
reduces it by a tenth, 0.9^28 = 5 % are left after the 28 rows of an image, and nothing (1e-36) after 784 pixels. This
is the vanishing gradient: the network cannot learn long dependencies. (If each product increases the gradient, it
explodes.) The LSTM has a second state, the memory c, which is updated instead of replaced:

    i = sigmoid(...)    input gate        c' = f c + i g
    f = sigmoid(...)    forget gate       h' = o tanh(c')
    g = tanh(...)       candidate
    o = sigmoid(...)    output gate       (...) = W x + U h + b, with separate weights for each gate

Along c the gradient is multiplied by f only. Where f is near 1, it flows back unchanged. The network learns f: for each
unit and each step, from the input and the state.

What the values mean, for one unit at one step:

                    0                               0.5                             1
    forget    f     the memory is erased            half is kept; a thousandth      all of it is kept
                                                    after 10 steps
    input     i     nothing is written              half of the candidate           the whole candidate is added
    candidate g     nothing to write                raises the memory by i/2;       raises it by i; at -1
                    (values from -1 to 1)           at -0.5 lowers it               lowers it
    output    o     the memory is kept,             half of tanh(c) is output       tanh(c) is output, to the next
                    but not output                                                  step and the prediction

So f = 1 and i = 0 keep the memory, f = 0 and i = 1 replace it, and f = i = 0.5 is a moving average.

Applications: time series and sensors (the main purpose of this library), speech and handwriting, text and translation
before transformers, music, anomalies in logs and machines, control. LSTMs suit data that arrive one step at a time and
need an immediate prediction, since a step costs the same however long the past is.

Drawbacks: steps run one after the other, so a long sequence cannot be computed in parallel as in a convolution or a
transformer; an LSTM has 4 times the weights of a plain network of the same size; the whole past must fit into H
numbers; memories with f below 1 fade over hundreds of steps (see --views pixels); single units rarely have a meaning.

The script trains a classifier for each view, selects a view on a validation set, and evaluates it once on a test set.
It prints the mean of each gate by step, and the accuracy with a gate fixed at 0, 0.5 or 1.

    python examples/lstm_reads_digits.py                             generated digits, 12 x 12 pixels
    python examples/lstm_reads_digits.py FOLDER                      a few thousand of the MNIST training images
    python examples/lstm_reads_digits.py FOLDER --test --plots out   tested on the MNIST test images, with figures
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
FIXED = (0.0, 0.5, 1.0)
UNITS = {"rows": 64, "columns": 64, "pixels": 64, "permuted": 64, "vector": 4}
CORRECTED = """
Completed: the classifier on the state after the last step, which is unfinished in the original notebook.
Corrected: separate training, validation and test sets; in the original notebook the test set is the training set.
Added: the rows of an image as a sequence. In the original, an image is one step of 784 values; then the forget gate and
the recurrent weights have no effect, because the state before the only step is zero.
"""


# ---- the cell from its equations


class Cell(Module):
    """An LSTM cell with two linear maps, from the input and from the state to all four gates.

    Arguments:
        inputs: I.
        hidden: H.
        generator: draws the weights from U(-1/sqrt(H), 1/sqrt(H)).
        bias: whether each map has a bias.
    """

    def __init__(self, inputs: int, hidden: int, generator: torch.Generator, *, bias: bool = True) -> None:
        super().__init__()
        self.hidden = hidden
        self.input_map = skip_init(Linear, inputs, 4 * hidden, bias=bias)
        self.state_map = skip_init(Linear, hidden, 4 * hidden, bias=bias)
        bound = 1 / math.sqrt(hidden)
        for weight in self.parameters():
            torch.nn.init.uniform_(weight, -bound, bound, generator=generator)

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None, fixed: Mapping[str, float] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The state h and c, each (B, H), after an input (B, I); the initial state is zero by default.

        Gates named in `fixed` have these constant values.
        """
        h, c = x.new_zeros(2, len(x), self.hidden) if state is None else state
        i, f, g, o = (self.input_map(x) + self.state_map(h)).chunk(4, 1)
        gates = {"input": i.sigmoid(), "forget": f.sigmoid(), "candidate": g.tanh(), "output": o.sigmoid()}
        for name, value in (fixed or {}).items():
            gates[name] = torch.full_like(gates[name], value)
        c = gates["forget"] * c + gates["input"] * gates["candidate"]
        h = gates["output"] * c.tanh()
        return h, c

    def last_state(self, x: Tensor, fixed: Mapping[str, float] | None = None) -> Tensor:
        """The state h (B, H) after sequences (T, B, I)."""
        state = None
        for x_t in x:
            state = self(x_t, state, fixed)
        return state[0]

    def state_in_torch_layout(self) -> dict[str, Tensor]:
        """The weights under the names of a torch layer; the order of the gates is the same."""
        maps = {"ih": self.input_map, "hh": self.state_map}
        return {
            f"{k}_{name}_l0": weight.detach() for name, part in maps.items() for k, weight in part.named_parameters()
        }

    def copy_weights(self, layer: nn.LSTM) -> "Cell":
        """Copy the weights of a layer."""
        weights = layer.state_dict()
        with torch.no_grad():
            for name, own in self.state_in_torch_layout().items():
                own.copy_(weights[name])
        return self


@torch.inference_mode()
def difference(cell: Cell, x: Tensor) -> float:
    """Largest difference of the last state from gatewise.nn.LSTM with the same weights, for sequences (T, B, I)."""
    weights = cell.state_in_torch_layout()
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
    """Seven-segment digits on 12 x 12 pixels, randomly shifted, with random brightness and noise."""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 10, count)
    images = np.zeros((count, 12, 12))
    for image, digit, down, right in zip(
        images, y, generator.integers(0, 4, count), generator.integers(2, 6, count), strict=True
    ):
        field = image[down : down + 9, right : right + 5]
        for segment in LIT[digit]:
            field[SEGMENTS[segment]] = generator.uniform(0.4, 1)
    noisy = images + generator.normal(0, 0.2, images.shape)
    return Part((255 * noisy.clip(0, 1)).astype(np.uint8), y)


def split_parts(folder: Path | None, images: int, test: bool, seed: int) -> dict[str, Part]:
    """Disjoint training, validation and test sets; the first has `images` images.

    Without `test`, the test set is the end of the training images: the test images are not read.
    """
    if folder is None:
        whole, cuts = digits(images + 1000, seed), (images, images + 500)
    else:
        whole, cuts = Part(*datasets.mnist(folder)), (images, images + 1000)
        if images + 2000 > len(whole.y):
            raise SystemExit(
                f"there are {len(whole.y)} images, expected {images} and 2000 more; give a smaller --images"
            )
    training, validation = (Part(*(array[start:stop] for array in whole)) for start, stop in ((0, cuts[0]), cuts))
    end = Part(*(array[-(cuts[1] - cuts[0]) :] for array in whole))
    test_part = Part(*datasets.mnist(folder, "test")) if folder is not None and test else end
    return {"training": training, "validation": validation, "test": test_part}


# ---- the classifier


def train(part: Part, view: str, epochs: int, seed: int, quiet: bool) -> Classifier:
    """A classifier of images in this view.

    A tenth of the images is the validation set; the model has the weights of the best epoch.
    """
    model = Classifier(hidden_size=UNITS[view], scale="none", epochs=epochs, lr=0.01, seed=seed, quiet=quiet)
    return model.fit(datasets.view(part.images, view), part.y, channels_first=False)


def score(model: Classifier, part: Part, view: str) -> float:
    """The accuracy on a part."""
    return model.score(datasets.view(part.images, view), part.y)


def sequences(part: Part, view: str) -> Tensor:
    """Images as sequences (T, B, I)."""
    return torch.from_numpy(datasets.view(part.images, view)).transpose(0, 1)


@torch.inference_mode()
def gates_by_step(model: Classifier, x: Tensor) -> dict[str, np.ndarray]:
    """The mean of each gate (T,) over sequences and units, of the candidate's absolute value, and the retained memory.

    The retained memory is the product of all later forget gates: the fraction of the memory left at the end.
    """
    gates = model.network_.body.trace(x).gates
    later = torch.cat([gates["forget"][1:], torch.ones_like(gates["forget"][:1])])
    values = {**gates, "candidate": gates["candidate"].abs(), "retained": later.flip(0).cumprod(0).flip(0)}
    return {name: gate.mean((1, 2)).numpy() for name, gate in values.items()}


@torch.inference_mode()
def accuracy_with_fixed_gates(model: Classifier, x: Tensor, y: np.ndarray) -> dict[str, list[float]]:
    """The accuracy of the trained weights with one gate fixed at 0, 0.5 and 1, computed by `Cell`."""
    body, head = model.network_.body, model.network_.head
    cell = Cell(body.input_size, body.hidden_size, torch.Generator()).copy_weights(body)

    def accuracy(fixed: Mapping[str, float]) -> float:
        return float((head(cell.last_state(x, fixed)).argmax(1).numpy() == y).mean())

    return {"none": [accuracy({})], **{gate: [accuracy({gate: value}) for value in FIXED] for gate in GATES}}


def save_figures(folder: Path, model: Classifier, part: Part, view: str) -> list[Path]:
    """Plot the confusion matrix, examples, the gates for one image, and the learning curve."""
    x, y = datasets.view(part.images, view), part.y
    figures = {
        "confusion": model.plot("confusion", x, y),
        "examples": model.plot("examples", x, y, image=part.images),
        "gates": model.plot("gates", x[:1], y[:1], image=view in ("rows", "columns")),
        "learning-curve": model.plot("learning_curve"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    return [plot.save(figure, folder / f"{name}.png") for name, figure in figures.items()]


# ---- printed tables


def report_cell(part: Part, seed: int) -> None:
    """Compare `Cell` with gatewise.nn.LSTM, with and without bias, on rows and on whole images."""
    for view in ("rows", "vector"):
        for bias in (True, False):
            x = sequences(Part(part.images[:64], part.y), view)
            cell = Cell(x.shape[2], UNITS[view], torch.Generator().manual_seed(seed), bias=bias)
            description = f"{len(x)} step(s) of {x.shape[2]}, {UNITS[view]} units, {'with' if bias else 'no'} bias"
            print(f"Largest difference from gatewise.nn.LSTM, {description}: {difference(cell, x):.1e}")


def report_gates(gates: Mapping[str, np.ndarray]) -> None:
    """Print a line for each step, for about 14 of many steps."""
    print(f"{'step':>6}" + "".join(f"{name:>12}" for name in gates))
    steps = len(gates["forget"])
    for t in sorted({*range(0, steps, max(1, steps // 14)), steps - 1}):
        print(f"{t:>6}" + "".join(f"{means[t]:>12.2f}" for means in gates.values()))


def report_fixed(table: Mapping[str, list[float]]) -> None:
    """Print a line for each gate."""
    print(f"Accuracy with one gate fixed (as trained: {table['none'][0]:.1%})")
    print(f"{'fixed at':>12}" + "".join(f"{value:>10g}" for value in FIXED))
    for gate in GATES:
        print(f"{gate:>12}" + "".join(f"{accuracy:>10.1%}" for accuracy in table[gate]))


def options() -> argparse.ArgumentParser:
    """The command-line options."""
    parser = argparse.ArgumentParser(description="Train an LSTM that classifies digits, and print its gates.")
    parser.add_argument("folder", type=Path, nargs="?", help="folder with the MNIST files (generated digits)")
    parser.add_argument("--test", action="store_true", help="test on the MNIST test images")
    parser.add_argument("--images", type=int, help="training images (2000, or 5000 of MNIST)")
    parser.add_argument(
        "--views",
        nargs="+",
        choices=datasets.VIEWS,
        default=["rows", "vector"],
        help="how an image becomes a sequence (rows vector)",
    )
    parser.add_argument("--epochs", type=int, default=30, help="training epochs (30)")
    parser.add_argument("--seed", type=int, default=0, help="random seed of digits, initial weights and shuffling")
    parser.add_argument(
        "--plots", type=Path, metavar="FOLDER", help="folder for figures, created if missing (no figures)"
    )
    parser.add_argument("--quiet", action="store_true", help="show no training progress")
    return parser


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Compare the cell, train, select a view, test and inspect; returns the accuracies, the test accuracy last."""
    arguments = options().parse_args(argv)
    if arguments.test and arguments.folder is None:
        options().error("--test needs the MNIST test images; give the folder with the MNIST files")
    for name, minimum in (("images", 1), ("epochs", 1), ("seed", 0)):
        if getattr(arguments, name) is not None and getattr(arguments, name) < minimum:
            options().error(f"--{name} is {getattr(arguments, name)}, expected an integer of at least {minimum}")
    images = arguments.images or (2000 if arguments.folder is None else 5000)
    parts = split_parts(arguments.folder, images, arguments.test, arguments.seed)
    report_cell(parts["training"], arguments.seed)

    models, accuracies = {}, {}
    for view in arguments.views:
        models[view] = train(parts["training"], view, arguments.epochs, arguments.seed, arguments.quiet)
        scores = {name: score(models[view], parts[name], view) for name in ("training", "validation")}
        accuracies[view] = scores["validation"]
        print(
            f"{view}, {UNITS[view]} units: "
            + ", ".join(f"{name} accuracy {value:.1%}" for name, value in scores.items())
        )
    best = max(accuracies, key=lambda view: accuracies[view])
    accuracies["test"] = score(models[best], parts["test"], best)
    print(f"Best in validation: {best}; test accuracy {accuracies['test']:.1%} on {len(parts['test'].y)} images")

    part = parts["validation"]
    x = sequences(Part(part.images[:500], part.y), best)
    print("\nMean of each gate (of the candidate: absolute value); retained: fraction of the memory left at the end")
    report_gates(gates_by_step(models[best], x))
    report_fixed(accuracy_with_fixed_gates(models[best], x, part.y[:500]))
    if arguments.plots is not None:
        print(f"{len(save_figures(arguments.plots, models[best], part, best))} figures in {arguments.plots}")
    print(CORRECTED)
    return accuracies


if __name__ == "__main__":
    main(sys.argv[1:])
