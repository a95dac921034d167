"""MNIST's digits as sequences: how many are told right, and how fast that is learnt beside torch.nn.

    python -m benchmarks.digits DATA [--only rows pixels ...] [--validate] [--speed]

DATA is a folder with MNIST's files. One run each, the seed given. Whatever was chosen was chosen with --validate, which
trains on the first 54,000 training images, scores the other 6,000 and never opens the test images. With --speed, the
same model is trained on the same batches, from the same weights, by Gatewise and by torch.nn in turns, once their
losses and weights were seen to agree.

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
from benchmarks.contestants import LAYERS, OURS
from benchmarks.timing import Answer, Contestant, check_then_time
from gatewise import Classifier, datasets
from gatewise.networks import Pooled

TRAINING_IMAGES = 54_000
CLASSES = 10


class Reading(NamedTuple):
    """How digits are read, by which network, and what is known of it."""

    view: str
    options: dict[str, Any]
    reference: str


READINGS = {
    "rows": Reading("rows", {"cell": "lstm", "hidden_size": 128, "epochs": 8}, "at least 98.9"),
    "rows, a minute": Reading("rows", {"cell": "lstm", "hidden_size": 128, "epochs": 4}, "at least 97.5 within 60 s"),
    "vector, 4 units": Reading("vector", {"cell": "lstm", "hidden_size": 4, "epochs": 10}, "to be told"),
    "vector, 128 units": Reading("vector", {"cell": "lstm", "hidden_size": 128, "epochs": 10}, "at least 97.5"),
}
SPEEDS = {
    "rows": ("rows", "lstm", 40),
    "pixels": ("pixels", "gru", 3),
    "pixels, LSTM": ("pixels", "lstm", 3),
}  # batches
H, B = 128, 64


# --------------------------------------------------------------------------------------------------------- accuracy


def parts(folder: Path, kind: str, validate: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sequences and labels to train on, and those to score."""
    images, y = datasets.mnist(folder)
    x = datasets.view(images, kind)
    if validate:
        return x[:TRAINING_IMAGES], y[:TRAINING_IMAGES], x[TRAINING_IMAGES:], y[TRAINING_IMAGES:]
    test_images, test_y = datasets.mnist(folder, "test")
    return x, y, datasets.view(test_images, kind), test_y


def accuracy(name: str, given: argparse.Namespace) -> str:
    """A line of the table."""
    reading = READINGS[name]
    x, y, test_x, test_y = parts(given.data, reading.view, given.validate)
    began = time.perf_counter()
    model = Classifier(**reading.options, seed=given.seed, quiet=given.quiet).fit(x, y)
    seconds = time.perf_counter() - began
    part = "validation" if given.validate else "test"
    share = 100 * model.score(test_x, test_y)
    network = f"{model.cell.upper()} {model.hidden_size}, {model.epochs} epochs"
    return f"| {name} | {network} | {part} {share:.2f} % | {reading.reference} | {seconds:.0f} |"


# ------------------------------------------------------------------------------------------------------------ speed


class InTorch(Module):
    """The same network on torch.nn."""

    def __init__(self, body: Module, head: Module) -> None:
        super().__init__()
        self.body, self.head = body, head

    def forward(self, x: Tensor) -> Tensor:
        _, state = self.body(x)
        answers: Tensor = self.head((state[0] if isinstance(state, tuple) else state)[-1])
        return answers


def speed(name: str, given: argparse.Namespace) -> str:
    """A line of the table: seconds of a training step, forward, backward and Adam."""
    view, cell, count = SPEEDS[name]
    x, y, *_ = parts(given.data, view, validate=True)
    batches = [
        (torch.from_numpy(x[k : k + B]).transpose(0, 1), torch.tensor(y[k : k + B]).long()) for k in starts(count)
    ]
    found = check_then_time([contestant(who, cell, batches) for who in ("torch.nn", "Gatewise")], given.seconds)
    theirs, ours = (found[who].seconds / count for who in ("torch.nn", "Gatewise"))
    T, _, C = batches[0][0].shape
    shape = f"{cell.upper()} {H}, {T} steps of {C}, batch {B}"
    return f"| {name} | {shape} | {1e3 * theirs:.1f} | {1e3 * ours:.1f} | {theirs / ours:.2f} |"


def starts(count: int) -> range:
    return range(0, count * B, B)


def contestant(who: str, cell: str, batches: list[tuple[Tensor, Tensor]]) -> Contestant:
    """One who trains on the batches: once more for each call, and from the first weights on for the answer."""

    def trained() -> Answer:
        network = made(who, cell, batches[0][0].shape[-1])
        losses = torch.stack(training(network)())
        head = network.head.weight.detach().clone()  # type: ignore[union-attr, operator]
        return {"losses": losses, "weights of the head": head}

    def training(network: Module) -> Any:
        update = torch.optim.Adam(network.parameters(), lr=1e-3)

        def once() -> list[Tensor]:
            losses = []
            for x, y in batches:
                update.zero_grad()
                loss = cross_entropy(network(x), y)
                loss.backward()  # type: ignore[no-untyped-call]
                update.step()
                losses.append(loss.detach())
            return losses

        return once

    return Contestant(who, training(made(who, cell, batches[0][0].shape[-1])), trained)


def made(who: str, cell: str, channels: int) -> Module:
    """The network of a contestant, with the same weights for each."""
    chance = torch.Generator().manual_seed(0)
    network = Pooled(OURS[cell](channels, H, generator=chance), CLASSES, generator=chance)
    if who == "Gatewise":
        return network
    with torch.random.fork_rng(devices=[]):
        theirs = LAYERS[cell](channels, H)
    theirs.load_state_dict(network.body.state_dict())
    return InTorch(theirs, network.head)


def main() -> None:
    given = _arguments()
    torch.set_num_threads(given.threads)
    print(f"{machine.processor()}, {given.threads} threads{'' if given.speed else f', seed {given.seed}'}\n")
    if given.speed:
        print("| view | model | torch.nn, ms a step | Gatewise, ms a step | ratio |\n|---|---|---|---|---|")
    else:
        print("| view | model | accuracy | aim | s |\n|---|---|---|---|---|")
    for name in SPEEDS if given.speed else READINGS:
        if name in (given.only or (name,)):
            print(speed(name, given) if given.speed else accuracy(name, given), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with MNIST's files")
    parser.add_argument("--only", nargs="+", choices=sorted({*READINGS, *SPEEDS}), help="some of the lines")
    parser.add_argument("--validate", action="store_true", help="score the end of the training images instead")
    parser.add_argument("--speed", action="store_true", help="time training beside torch.nn")
    parser.add_argument("--seconds", type=float, default=60.0, help="to time each line for")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=machine.cores())
    parser.add_argument("--quiet", action="store_true")
    given = parser.parse_args()
    known = SPEEDS if given.speed else READINGS
    if given.only and not set(given.only) <= set(known):
        parser.error(
            f"--only names lines that this table has not; with{'' if given.speed else 'out'} --speed: "
            f"{', '.join(known)}"
        )
    return given


if __name__ == "__main__":
    main()
