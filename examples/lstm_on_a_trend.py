"""An LSTM on a noisy trend: one-step-ahead predictions of the past, and a forecast of five steps beyond the end.

One LSTM of 16 units reads windows of 19 differences and predicts the next difference at every step. Its weights start
from U(-1, 1), its biases from zero; it trains by gradient descent on the mean squared error, all 180 windows in one
batch.

    python examples/lstm_on_a_trend.py
"""

import sys
from collections.abc import Sequence

import torch
from command_line import parser
from noisy_trend import VALIDATION_SEED, Trend, noisy_trend, report, save_figures, with_one_bias

from gatewise import nn
from gatewise.networks import OneStep
from gatewise.training import History, fit

CORRECTED = """
Corrected: the validation loss is reported too; the original notebook reports a training loss of 79, which looks good.
Corrected: windows are views of one tensor; in the original notebook two loader workers take most of each epoch's time.
Added: the forecast is also on the original scale; the original notebook stops at differences.
"""


def lstm(generator: torch.Generator) -> OneStep:
    """1 -> 16 -> 1 with an output at every step, weights from U(-1, 1), biases zero."""
    body = nn.LSTM(input_size=1, hidden_size=16, init="uniform", init_bound=1, generator=generator)
    return OneStep(with_one_bias(body), init="uniform", init_bound=1, generator=generator)


def train(
    training: Trend,
    validation: Trend,
    *,
    epochs: int,
    seed: int = 0,
    clip_size: float | None = None,
    quiet: bool = True,
) -> tuple[OneStep, History]:
    """Train a new network on one series; another series is the validation set."""
    generator = torch.Generator().manual_seed(seed)
    network = lstm(generator)
    history = fit(
        network,
        training.windows.batches(shuffle=True, generator=generator),
        held_out=validation.windows.batches(),
        loss="mse",
        optimizer="sgd",
        lr=0.003,
        epochs=epochs,
        clip_size=clip_size,
        quiet=quiet,
        description="LSTM",
    )
    return network, history


def main(argv: Sequence[str] | None = None) -> History:
    """Train, report and plot."""
    options = parser("An LSTM on a noisy trend.", epochs=5000, out="out/lstm_on_a_trend")
    options.add_argument(
        "--clip-size",
        type=float,
        metavar="ALPHA",
        help="scale a parameter's gradient down to the norm ALPHA * its number of elements (the matrices of the four "
        "gates are one parameter here)",
    )
    arguments = options.parse_args(argv)
    training, validation = noisy_trend(arguments.seed), noisy_trend(arguments.seed + VALIDATION_SEED)
    network, history = train(
        training,
        validation,
        epochs=arguments.epochs,
        seed=arguments.seed,
        clip_size=arguments.clip_size,
        quiet=arguments.quiet,
    )
    print(history.summary())
    print(report("LSTM", history, training, validation))
    files = save_figures(arguments.out, training, network, history, "LSTM")
    print(CORRECTED)
    print(f"{len(files)} figures in {arguments.out}")
    return history


if __name__ == "__main__":
    main(sys.argv[1:])
