"""Long memory: the tasks on which recurrent networks are judged, with published figures beside ours.

    python -m benchmarks.memory adding copy
    python -m benchmarks.memory pixels permuted --data FOLDER [--validate]

| task | what comes in | what is asked |
|---|---|---|
| adding | 600 pairs: a number of [0, 1], and a mark at two of them, one in each half | the sum of the two marked |
| copy | 10 symbols of 8, then 999 blanks, then 11 signs to recall | the 10 symbols at the last 10 steps, else blank |
| pixels | the 784 pixels of an MNIST digit, one at a time | the digit |
| permuted | the same in one random order | the digit |

Adding and copy are drawn anew for each training step, and tested on 2,000 sequences of their own. The network that
copies is trained on short sequences first: once it recalls, they get half as long again, up to the length of the test.
FOLDER holds MNIST's files. Whatever was chosen of pixels was chosen with --validate, which trains on the first 54,000
training images, scores the other 6,000 and never opens the test images.

References: adding, Hochreiter and Schmidhuber, Long short-term memory, 1997; copy, Arjovsky, Shah and Bengio, Unitary
evolution recurrent neural networks, 2016; pixels, Le, Jaitly and Hinton, A simple way to initialize recurrent networks
of rectified linear units, 2015; growing lengths, Zaremba and Sutskever, Learning to execute, 2014; initial biases of
long memory, Tallec and Ollivier, Can recurrent neural networks warp time?, 2018. Figures of others: Bai, Kolter and
Koltun, An empirical evaluation of generic convolutional and recurrent networks for sequence modeling, 2018 (TCN); Rusch
and Mishra, Coupled oscillatory recurrent neural network, 2021 (coRNN).

Letters: `T` steps, `B` sequences of a batch.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import cross_entropy, mse_loss, one_hot

from benchmarks import machine
from benchmarks.digits import parts
from gatewise import Classifier, nn
from gatewise.networks import Pooled, linear
from gatewise.training import fit

ADDED, COPIED = 600, 1000  # steps of the adding problem; blanks of copy memory, the first sign among them
SYMBOLS, KINDS, BLANK, SIGN = 10, 8, 0, 9
TESTED, AT_ONCE = 2000, 500
SOLVED = 0.05  # nats for each symbol, of the ln 8 = 2.08 of one who guesses
MOST = 60_000  # steps, several times as many as are needed
Draw = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]


class Result(NamedTuple):
    """A line of the table."""

    task: str
    network: str
    found: str
    baseline: str
    published: str

    def line(self, seconds: float) -> str:
        return f"| {' | '.join(self)} | {seconds:.0f} |"


HEADER = "| task | network | ours | to beat | published | s |\n|---|---|---|---|---|---|"


# ------------------------------------------------------------------------------------------------------ what is drawn


def adding(T: int, B: int, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    """Numbers and marks (T, B, 2), and the sum of the two marked (B, 1)."""
    numbers = torch.rand(T, B, generator=chance)
    half = T // 2
    first = torch.randint(half, (B,), generator=chance)
    second = torch.randint(half, T, (B,), generator=chance)
    marks = one_hot(first, T) + one_hot(second, T)
    return torch.stack([numbers, marks.T.float()], -1), (numbers * marks.T).sum(0)[:, None]


def copy(T: int, B: int, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    """Symbols, blanks and signs (T + 20, B, 10), one-hot, and what is asked at each step (T + 20, B)."""
    symbols = torch.randint(1, KINDS + 1, (SYMBOLS, B), generator=chance)
    blanks = torch.full((T - 1, B), BLANK)
    x = torch.cat([symbols, blanks, torch.full((SYMBOLS + 1, B), SIGN)])
    y = torch.cat([torch.full((T + SYMBOLS, B), BLANK), symbols])
    return one_hot(x, SIGN + 1).float(), y


class Drawn:
    """So many batches, other ones each time."""

    def __init__(self, draw: Callable[[], tuple[Tensor, Tensor]], steps: int) -> None:
        self.draw, self.steps = draw, steps

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (self.draw() for _ in range(self.steps))


# ------------------------------------------------------------------------------------------------------------- tasks


def run_adding(given: argparse.Namespace) -> Result:
    """The adding problem: the mean squared error of one answer at the end."""
    chance = torch.Generator().manual_seed(given.seed)
    network = Pooled(nn.GRU(2, 64, generator=chance), 1, generator=chance)
    drawn = Drawn(lambda: adding(ADDED, 32, chance), 100)
    options: dict[str, Any] = {"lr": 5e-3, "schedule": "onecycle", "clip_norm": 1.0, "epochs": given.epochs or 60}
    fit(network, drawn, loss="mse", quiet=given.quiet, description="adding", **options)
    other = torch.Generator().manual_seed(given.seed + 1)
    parts = [adding(ADDED, AT_ONCE, other) for _ in range(TESTED // AT_ONCE)]
    with torch.inference_mode():
        error = sum(float(mse_loss(network(x), y)) for x, y in parts) / len(parts)
    published = "TCN 5.8e-5, GRU 5.3e-5, LSTM 0.164"
    return Result(f"adding, T = {ADDED}", "GRU 64", f"squared error {error:.2g}", "always 1: 0.167", published)


class EachStep(Module):
    """An answer at each step."""

    def __init__(self, body: Any, outputs: int, chance: torch.Generator) -> None:
        super().__init__()
        self.body = body
        self.head = linear(body.hidden_size, outputs, generator=chance)

    def forward(self, x: Tensor) -> Tensor:
        answers: Tensor = self.head(self.body(x)[0])
        return answers


def run_copy(given: argparse.Namespace) -> Result:
    """Copy memory: the cross-entropy of the answers at all steps."""
    chance = torch.Generator().manual_seed(given.seed)
    network = EachStep(remembering(nn.LSTM(SIGN + 1, 128, generator=chance), COPIED, chance), KINDS + 1, chance)
    learn_to_copy(network, chance, given)
    other = torch.Generator().manual_seed(given.seed + 1)
    losses, right = [], []
    with torch.inference_mode():
        for _ in range(TESTED // AT_ONCE):
            x, y = copy(COPIED, AT_ONCE, other)
            answers = network(x)
            losses.append(float(cross_entropy(answers.flatten(0, 1), y.flatten())))
            right.append(float((answers[-SYMBOLS:].argmax(-1) == y[-SYMBOLS:]).float().mean()))
    found = f"loss {sum(losses) / len(losses):.2g}, {100 * sum(right) / len(right):.4g} % of the symbols right"
    memoryless = SYMBOLS * math.log(KINDS) / (COPIED + 2 * SYMBOLS)
    published = "TCN 3.5e-5, GRU 0.0197, LSTM 0.0204"
    return Result(f"copy, T = {COPIED}", "LSTM 128", found, f"without memory: {memoryless:.4f}", published)


def learn_to_copy(network: Module, chance: torch.Generator, given: argparse.Namespace) -> None:
    """Train on short sequences first, and on longer ones once the symbols are recalled."""
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    T, steps, began = 5, 0, time.perf_counter()
    options: dict[str, Any] = {"loss": recalled, "optimizer": optimizer, "clip_norm": 1.0}
    while steps < MOST:
        drawn = Drawn(lambda: copy(T, 64, chance), 50)  # noqa: B023 - it is used up before T changes
        loss = fit(network, drawn, epochs=1, **options).train[-1]
        steps += len(drawn)
        if loss < SOLVED and T == COPIED:
            break
        if loss < SOLVED:
            T = min(COPIED, T + T // 2)
            if not given.quiet:
                print(f"copy: {steps} steps, now {T} blanks, {time.perf_counter() - began:.0f} s", file=sys.stderr)
    else:
        raise SystemExit(f"copy: not learnt in {steps} steps, which got as far as {T} blanks; try another --seed")
    fit(network, Drawn(lambda: copy(T, 64, chance), 50), epochs=6, schedule="cosine", **options)


def recalled(answers: Tensor, y: Tensor) -> Tensor:
    """The cross-entropy of all steps for each symbol: its size is the same however many blanks there are."""
    return cross_entropy(answers.flatten(0, 1), y.flatten()) * (len(y) / SYMBOLS)


def remembering(body: Any, steps: int, chance: torch.Generator) -> Any:
    """An LSTM whose units remember over up to so many steps from the start: b_f = log(span), b_i = -b_f."""
    H = body.hidden_size
    with torch.no_grad():
        keeping = torch.empty(H).uniform_(1, steps - 1, generator=chance).log()
        body.bias_ih_l0[: 2 * H] = torch.cat([-keeping, keeping])
        body.bias_hh_l0[: 2 * H] = 0.0
    return body


def run_digits(given: argparse.Namespace, kind: str, published: str) -> Result:
    """MNIST pixel by pixel: the share of digits that are told right."""
    x, y, test_x, test_y = parts(given.data, kind, given.validate)
    options = {**PIXELS, "epochs": given.epochs or PIXELS["epochs"]}
    share = Classifier("gru", seed=given.seed, quiet=given.quiet, **options).fit(x, y).score(test_x, test_y)
    found = f"{'validation' if given.validate else 'test'} accuracy {100 * share:.2f} %"
    guess = f"the commonest digit: {100 * np.bincount(test_y).max() / len(test_y):.1f} %"
    return Result(f"MNIST, {kind}", f"GRU {PIXELS['hidden_size']}", found, guess, published)


PIXELS: dict[str, Any] = {"hidden_size": 128, "pooling": "last", "epochs": 10, "batch_size": 64, "lr": 4e-3}
TASKS: dict[str, Callable[[argparse.Namespace], Result]] = {
    "adding": run_adding,
    "copy": run_copy,
    "pixels": lambda given: run_digits(given, "pixels", "coRNN 99.4, TCN 99.0, GRU 96.2, LSTM 87.2"),
    "permuted": lambda given: run_digits(given, "permuted", "TCN 97.2, coRNN 97.3, GRU 87.3, LSTM 85.7"),
}


def main() -> None:
    given = _arguments()
    torch.set_num_threads(given.threads)
    print(f"{machine.processor()}, {given.threads} threads, seed {given.seed}\n\n{HEADER}")
    for name in given.tasks:
        began = time.perf_counter()
        found = TASKS[name](given)
        print(found.line(time.perf_counter() - began), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("tasks", nargs="+", choices=TASKS, metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--data", type=Path, help="folder with MNIST's files, for pixels and permuted")
    parser.add_argument("--validate", action="store_true", help="score the end of the training images instead")
    parser.add_argument("--epochs", type=int, help="of training, in place of those of the task; copy has none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=machine.cores())
    parser.add_argument("--quiet", action="store_true")
    given = parser.parse_args()
    if given.data is None and {"pixels", "permuted"} & set(given.tasks):
        parser.error("pixels and permuted read MNIST's files; give their folder as --data")
    if given.epochs is not None and (given.epochs < 1 or "copy" in given.tasks):
        parser.error("--epochs is a whole number of at least 1, and not for copy, which trains until it recalls")
    return given


if __name__ == "__main__":
    main()
