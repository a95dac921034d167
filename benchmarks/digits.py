"""MNIST digits as sequences: accuracy, and training time compared with torch.nn.

    python -m benchmarks.digits DATA [--only rows pixels ...] [--validate] [--speed]

DATA is a folder with the MNIST files. Each row is one run with the given seed. All settings were selected with
--validate, which trains on the first 54,000 training images, scores the other 6,000 and does not read the test images.
With --speed, Gatewise and torch.nn take turns to train the same model on the same batches, from the same initial
weights. Their losses and weights are compared before anything is timed.

Letters: `T` steps, `B` sequences of a batch, `C` channels.
"""

import argparse
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import cross_entropy

from benchmarks import machine
from benchmarks.contestants import GATEWISE_LAYERS, TORCH_LAYERS
from benchmarks.timing import Contestant, Outputs, check_then_time
from gatewise import Classifier, datasets
from gatewise.networks import Pooled

TRAINING_IMAGES = 54_000
CLASSES = 10


class Experiment(NamedTuple):
    """A view of the digits, the options of the classifier, and the required accuracy."""

    view: str
    options: dict[str, Any]
    reference: str


EXPERIMENTS = {
    "rows": Experiment("rows", {"cell": "lstm", "hidden_size": 128, "epochs": 8}, "at least 98.9"),
    "rows, a minute": Experiment(
        "rows", {"cell": "lstm", "hidden_size": 128, "epochs": 4}, "at least 97.5 within 60 s"
    ),
    "vector, 4 units": Experiment("vector", {"cell": "lstm", "hidden_size": 4, "epochs": 10}, "accuracy to report"),
    "vector, 128 units": Experiment("vector", {"cell": "lstm", "hidden_size": 128, "epochs": 10}, "at least 97.5"),
}
SPEEDS = {
    "rows": ("rows", "lstm", 40),
    "pixels": ("pixels", "gru", 3),
    "pixels, LSTM": ("pixels", "lstm", 3),
}  # view, cell, batches
H, B = 128, 64
LIBRARIES = ("torch.nn", "Gatewise")


# --------------------------------------------------------------------------------------------------------- accuracy


def parts(folder: Path, kind: str, validate: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training sequences and labels, and those to score."""
    images, y = datasets.mnist(folder)
    x = datasets.view(images, kind)
    if validate:
        return x[:TRAINING_IMAGES], y[:TRAINING_IMAGES], x[TRAINING_IMAGES:], y[TRAINING_IMAGES:]
    test_images, test_y = datasets.mnist(folder, "test")
    return x, y, datasets.view(test_images, kind), test_y


def accuracy(name: str, arguments: argparse.Namespace) -> str:
    """A row of the table of accuracies."""
    experiment = EXPERIMENTS[name]
    x, y, test_x, test_y = parts(arguments.data, experiment.view, arguments.validate)
    start = time.perf_counter()
    model = Classifier(**experiment.options, seed=arguments.seed, quiet=arguments.quiet).fit(x, y, channels_first=False)
    seconds = time.perf_counter() - start
    part = "validation" if arguments.validate else "test"
    percent = 100 * model.score(test_x, test_y)
    network = f"{model.cell.upper()} {model.hidden_size}, {model.epochs} epochs"
    return f"| {name} | {network} | {part} {percent:.2f} % | {experiment.reference} | {seconds:.0f} |"


# ------------------------------------------------------------------------------------------------------------ speed


class TorchNetwork(Module):
    """The same network with torch.nn."""

    def __init__(self, body: Module, head: Module) -> None:
        super().__init__()
        self.body, self.head = body, head

    def forward(self, x: Tensor) -> Tensor:
        _, state = self.body(x)
        outputs: Tensor = self.head((state[0] if isinstance(state, tuple) else state)[-1])
        return outputs


def speed(name: str, arguments: argparse.Namespace) -> str:
    """A row of the table of times: a training step with forward, backward and Adam."""
    view, cell, count = SPEEDS[name]
    x, y, *_ = parts(arguments.data, view, validate=True)
    batches = [
        (torch.from_numpy(x[k : k + B]).transpose(0, 1), torch.tensor(y[k : k + B]).long()) for k in starts(count)
    ]
    timings = check_then_time([contestant(library, cell, batches) for library in LIBRARIES], arguments.seconds)
    torch_seconds, gatewise_seconds = (timings[library].seconds / count for library in LIBRARIES)
    T, _, C = batches[0][0].shape
    shape = f"{cell.upper()} {H}, {T} steps of {C}, batch {B}"
    times = f"{1e3 * torch_seconds:.1f} | {1e3 * gatewise_seconds:.1f}"
    return f"| {name} | {shape} | {times} | {torch_seconds / gatewise_seconds:.2f} |"


def starts(count: int) -> range:
    return range(0, count * B, B)


def contestant(library: str, cell: str, batches: list[tuple[Tensor, Tensor]]) -> Contestant:
    """A contestant that trains on the batches: calls continue the training, outputs start from the initial weights."""

    def outputs() -> Outputs:
        network = build_network(library, cell, batches[0][0].shape[-1])
        losses = torch.stack(training_epoch(network)())
        head = network.head.weight.detach().clone()  # type: ignore[union-attr, operator]
        return {"losses": losses, "weights of the head": head}

    def training_epoch(network: Module) -> Any:
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

        def epoch() -> list[Tensor]:
            losses = []
            for x, y in batches:
                optimizer.zero_grad()
                loss = cross_entropy(network(x), y)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                losses.append(loss.detach())
            return losses

        return epoch

    return Contestant(library, training_epoch(build_network(library, cell, batches[0][0].shape[-1])), outputs)


def build_network(library: str, cell: str, channels: int) -> Module:
    """The network of a contestant; all have the same initial weights."""
    generator = torch.Generator().manual_seed(0)
    network = Pooled(GATEWISE_LAYERS[cell](channels, H, generator=generator), CLASSES, generator=generator)
    if library == "Gatewise":
        return network
    with torch.random.fork_rng(devices=[]):
        body = TORCH_LAYERS[cell](channels, H)
    body.load_state_dict(network.body.state_dict())
    return TorchNetwork(body, network.head)


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    print(
        f"{machine.processor()}, {arguments.threads} threads{'' if arguments.speed else f', seed {arguments.seed}'}\n"
    )
    if arguments.speed:
        print("| view | model | torch.nn, ms per step | Gatewise, ms per step | ratio |\n|---|---|---|---|---|")
    else:
        print("| view | model | accuracy | goal | s |\n|---|---|---|---|---|")
    for name in SPEEDS if arguments.speed else EXPERIMENTS:
        if name in (arguments.only or (name,)):
            print(speed(name, arguments) if arguments.speed else accuracy(name, arguments), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with the MNIST files")
    parser.add_argument("--only", nargs="+", choices=sorted({*EXPERIMENTS, *SPEEDS}), help="rows to run (all)")
    parser.add_argument(
        "--validate", action="store_true", help="score the end of the training images instead of the test images"
    )
    parser.add_argument("--speed", action="store_true", help="compare the training time with torch.nn")
    parser.add_argument("--seconds", type=float, default=60.0, help="seconds of timing for each row (60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=machine.cores())
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    rows = SPEEDS if arguments.speed else EXPERIMENTS
    if arguments.only and not set(arguments.only) <= set(rows):
        parser.error(
            f"--only names rows that this table does not have; with{'' if arguments.speed else 'out'} --speed: "
            f"{', '.join(rows)}"
        )
    return arguments


if __name__ == "__main__":
    main()
