"""Long memory: standard tasks of recurrent networks, compared with published results.

    python -m benchmarks.memory adding copy
    python -m benchmarks.memory pixels permuted --data FOLDER [--validate]

| task | input | target |
|---|---|---|
| adding | 600 numbers from [0, 1], two of them marked, one in each half | the sum of the two marked numbers |
| copy | 10 symbols out of 8, 999 blanks, 11 recall signs | the 10 symbols at the last 10 steps, blanks before |
| pixels | the 784 pixels of an MNIST digit, one at a time | the digit |
| permuted | these pixels in a fixed random order | the digit |

Each training step of adding and copy draws new random sequences; the test set has 2,000 others. The network for copy is
trained on short sequences first. Whenever it recalls the symbols, the number of blanks grows by half, up to that of the
test.
FOLDER contains the MNIST files. The settings for pixels were selected with --validate, which trains on the first 54,000
training images, scores the other 6,000 and does not read the test images.

References: adding, Hochreiter and Schmidhuber, Long short-term memory, 1997; copy, Arjovsky, Shah and Bengio, Unitary
evolution recurrent neural networks, 2016; pixels, Le, Jaitly and Hinton, A simple way to initialize recurrent networks
of rectified linear units, 2015; growing lengths, Zaremba and Sutskever, Learning to execute, 2014; initial biases of
long memory, Tallec and Ollivier, Can recurrent neural networks warp time?, 2018. Published results: Bai, Kolter and
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

ADDED, COPIED = 600, 1000  # steps of the adding problem; blanks of copy memory, including the first sign
SYMBOLS, ALPHABET, BLANK, SIGN = 10, 8, 0, 9
TEST_SIZE, TEST_BATCH = 2000, 500
SOLVED = 0.05  # nats per symbol; the loss of a guess is ln 8 = 2.08
MAX_STEPS = 60_000  # several times the usual number
Draw = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]


class Result(NamedTuple):
    """A row of the table."""

    task: str
    network: str
    score: str
    baseline: str
    published: str

    def line(self, seconds: float) -> str:
        return f"| {' | '.join(self)} | {seconds:.0f} |"


HEADER = "| task | network | score | baseline | published | s |\n|---|---|---|---|---|---|"


# ------------------------------------------------------------------------------------------------------ sequences


def adding(T: int, B: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Numbers and marks (T, B, 2), and the sum of the two marked numbers (B, 1)."""
    numbers = torch.rand(T, B, generator=generator)
    half = T // 2
    first = torch.randint(half, (B,), generator=generator)
    second = torch.randint(half, T, (B,), generator=generator)
    marks = one_hot(first, T) + one_hot(second, T)
    return torch.stack([numbers, marks.T.float()], -1), (numbers * marks.T).sum(0)[:, None]


def copy(T: int, B: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Symbols, blanks and signs (T + 20, B, 10), one-hot, and the target of each step (T + 20, B)."""
    symbols = torch.randint(1, ALPHABET + 1, (SYMBOLS, B), generator=generator)
    blanks = torch.full((T - 1, B), BLANK)
    x = torch.cat([symbols, blanks, torch.full((SYMBOLS + 1, B), SIGN)])
    y = torch.cat([torch.full((T + SYMBOLS, B), BLANK), symbols])
    return one_hot(x, SIGN + 1).float(), y


class RandomBatches:
    """A number of random batches, new ones in each iteration."""

    def __init__(self, draw: Callable[[], tuple[Tensor, Tensor]], steps: int) -> None:
        self.draw, self.steps = draw, steps

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (self.draw() for _ in range(self.steps))


# ------------------------------------------------------------------------------------------------------------- tasks


def run_adding(arguments: argparse.Namespace) -> Result:
    """The adding problem: the mean squared error of the prediction at the end."""
    generator = torch.Generator().manual_seed(arguments.seed)
    network = Pooled(nn.GRU(2, 64, generator=generator), 1, generator=generator)
    batches = RandomBatches(lambda: adding(ADDED, 32, generator), 100)
    options: dict[str, Any] = {"lr": 5e-3, "schedule": "onecycle", "clip_norm": 1.0, "epochs": arguments.epochs or 60}
    fit(network, batches, loss="mse", quiet=arguments.quiet, description="adding", **options)
    test_generator = torch.Generator().manual_seed(arguments.seed + 1)
    parts = [adding(ADDED, TEST_BATCH, test_generator) for _ in range(TEST_SIZE // TEST_BATCH)]
    with torch.inference_mode():
        error = sum(float(mse_loss(network(x), y)) for x, y in parts) / len(parts)
    published = "TCN 5.8e-5, GRU 5.3e-5, LSTM 0.164"
    return Result(f"adding, T = {ADDED}", "GRU 64", f"squared error {error:.2g}", "predicting 1: 0.167", published)


class OutputAtEachStep(Module):
    """A recurrent body and a head for the output at each step."""

    def __init__(self, body: Any, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        self.body = body
        self.head = linear(body.hidden_size, outputs, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.body(x)[0])
        return outputs


def run_copy(arguments: argparse.Namespace) -> Result:
    """Copy memory: the cross-entropy over all steps."""
    generator = torch.Generator().manual_seed(arguments.seed)
    network = OutputAtEachStep(
        with_long_memory(nn.LSTM(SIGN + 1, 128, generator=generator), COPIED, generator), ALPHABET + 1, generator
    )
    learn_to_copy(network, generator, arguments)
    test_generator = torch.Generator().manual_seed(arguments.seed + 1)
    losses, accuracies = [], []
    with torch.inference_mode():
        for _ in range(TEST_SIZE // TEST_BATCH):
            x, y = copy(COPIED, TEST_BATCH, test_generator)
            outputs = network(x)
            losses.append(float(cross_entropy(outputs.flatten(0, 1), y.flatten())))
            accuracies.append(float((outputs[-SYMBOLS:].argmax(-1) == y[-SYMBOLS:]).float().mean()))
    score = (
        f"loss {sum(losses) / len(losses):.2g}, {100 * sum(accuracies) / len(accuracies):.4g} % of the symbols right"
    )
    memoryless = SYMBOLS * math.log(ALPHABET) / (COPIED + 2 * SYMBOLS)
    published = "TCN 3.5e-5, GRU 0.0197, LSTM 0.0204"
    return Result(f"copy, T = {COPIED}", "LSTM 128", score, f"without memory: {memoryless:.4f}", published)


def learn_to_copy(network: Module, generator: torch.Generator, arguments: argparse.Namespace) -> None:
    """Train on short sequences first, and on longer ones when the symbols are recalled."""
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    T, steps, start = 5, 0, time.perf_counter()
    options: dict[str, Any] = {"loss": recalled, "optimizer": optimizer, "clip_norm": 1.0}
    while steps < MAX_STEPS:
        batches = RandomBatches(lambda: copy(T, 64, generator), 50)  # noqa: B023 - all batches are used before T changes
        loss = fit(network, batches, epochs=1, **options).train[-1]
        steps += len(batches)
        if loss < SOLVED and T == COPIED:
            break
        if loss < SOLVED:
            T = min(COPIED, T + T // 2)
            if not arguments.quiet:
                print(f"copy: {steps} steps, now {T} blanks, {time.perf_counter() - start:.0f} s", file=sys.stderr)
    else:
        raise SystemExit(f"copy: not learnt in {steps} steps, up to {T} blanks; try another --seed")
    fit(network, RandomBatches(lambda: copy(T, 64, generator), 50), epochs=6, schedule="cosine", **options)


def recalled(outputs: Tensor, y: Tensor) -> Tensor:
    """The cross-entropy summed over all steps, per symbol; it does not depend on the number of blanks."""
    return cross_entropy(outputs.flatten(0, 1), y.flatten()) * (len(y) / SYMBOLS)


def with_long_memory(body: Any, steps: int, generator: torch.Generator) -> Any:
    """Initialise the biases of an LSTM for memories of up to `steps` steps: b_f = log(span), b_i = -b_f."""
    H = body.hidden_size
    with torch.no_grad():
        log_spans = torch.empty(H).uniform_(1, steps - 1, generator=generator).log()
        body.bias_ih_l0[: 2 * H] = torch.cat([-log_spans, log_spans])
        body.bias_hh_l0[: 2 * H] = 0.0
    return body


def run_digits(arguments: argparse.Namespace, kind: str, published: str) -> Result:
    """MNIST pixel by pixel: the accuracy."""
    x, y, test_x, test_y = parts(arguments.data, kind, arguments.validate)
    options = {**PIXELS, "epochs": arguments.epochs or PIXELS["epochs"]}
    accuracy = Classifier("gru", seed=arguments.seed, quiet=arguments.quiet, **options).fit(x, y).score(test_x, test_y)
    score = f"{'validation' if arguments.validate else 'test'} accuracy {100 * accuracy:.2f} %"
    baseline = f"most frequent digit: {100 * np.bincount(test_y).max() / len(test_y):.1f} %"
    return Result(f"MNIST, {kind}", f"GRU {PIXELS['hidden_size']}", score, baseline, published)


PIXELS: dict[str, Any] = {"hidden_size": 128, "pooling": "last", "epochs": 10, "batch_size": 64, "lr": 4e-3}
TASKS: dict[str, Callable[[argparse.Namespace], Result]] = {
    "adding": run_adding,
    "copy": run_copy,
    "pixels": lambda arguments: run_digits(arguments, "pixels", "coRNN 99.4, TCN 99.0, GRU 96.2, LSTM 87.2"),
    "permuted": lambda arguments: run_digits(arguments, "permuted", "TCN 97.2, coRNN 97.3, GRU 87.3, LSTM 85.7"),
}


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    print(f"{machine.processor()}, {arguments.threads} threads, seed {arguments.seed}\n\n{HEADER}")
    for name in arguments.tasks:
        start = time.perf_counter()
        result = TASKS[name](arguments)
        print(result.line(time.perf_counter() - start), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("tasks", nargs="+", choices=TASKS, metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--data", type=Path, help="folder with the MNIST files, for pixels and permuted")
    parser.add_argument(
        "--validate", action="store_true", help="score the end of the training images instead of the test images"
    )
    parser.add_argument("--epochs", type=int, help="training epochs, instead of those of the task; not for copy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=machine.cores())
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    if arguments.data is None and {"pixels", "permuted"} & set(arguments.tasks):
        parser.error("pixels and permuted read the MNIST files; give their folder with --data")
    if arguments.epochs is not None and (arguments.epochs < 1 or "copy" in arguments.tasks):
        parser.error(
            "--epochs is an integer of at least 1, and not for copy, which trains until it recalls the symbols"
        )
    return arguments


if __name__ == "__main__":
    main()
