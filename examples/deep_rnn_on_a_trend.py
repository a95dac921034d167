"""A deep recurrent network on a noisy trend, from scratch and in its concise form.

From scratch: two linear recurrent layers of 8 units and a linear output. Weights from U(-1, 1) make the products of the
recurrent matrices grow with every step, so the first losses and gradients are huge; clipping the gradients keeps the
steps small until the loss has fallen.

Concise: two tanh layers of 8 units, torch's initial weights, and a learning rate that falls in three stages.

    python examples/deep_rnn_on_a_trend.py
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
Corrected: every layer is registered and trained; the original notebook keeps the parameters of the last only.
Corrected: each network has its own figures; in the original notebook the concise form shows those of the first network.
"""
Weights = dict[str, torch.Tensor]


def deep_rnn(generator: torch.Generator) -> OneStep:
    """1 -> 8 -> 8 -> 1 without any activation, weights from U(-1, 1), biases zero."""
    body = nn.RNN(1, 8, num_layers=2, nonlinearity="identity", init="uniform", init_bound=1, generator=generator)
    return OneStep(with_one_bias(body), init="uniform", init_bound=1, generator=generator)


def concise_rnn(generator: torch.Generator) -> OneStep:
    """1 -> 8 -> 8 -> 1 with tanh, torch's initial weights."""
    return OneStep(nn.RNN(1, 8, num_layers=2, generator=generator), generator=generator)


def train_deep(
    training: Trend, validation: Trend, *, epochs: int, seed: int = 0, quiet: bool = True
) -> tuple[OneStep, History, Weights]:
    """Train the linear network; returns the network, the losses, and the distance that each weight has moved."""
    generator = torch.Generator().manual_seed(seed)
    network = deep_rnn(generator)
    before = copy_weights(network)
    history = fit(
        network,
        training.windows.batches(shuffle=True, generator=generator),
        held_out=validation.windows.batches(),
        optimizer="sgd",
        lr=0.0001,
        epochs=epochs,
        clip_size=1.0,
        quiet=quiet,
        description="deep RNN",
    )
    return network, history, weight_distances(before, network)


def train_concise(
    training: Trend, validation: Trend, *, stage: int, seed: int = 0, quiet: bool = True
) -> tuple[OneStep, History]:
    """Train the tanh network in three stages of `stage` epochs each."""
    generator = torch.Generator().manual_seed(seed)
    network = concise_rnn(generator)
    history = fit(
        network,
        training.windows.batches(shuffle=True, generator=generator),
        held_out=validation.windows.batches(),
        optimizer="sgd",
        stages=[(stage, 0.03), (stage, 0.003), (stage, 0.0003)],
        quiet=quiet,
        description="concise RNN",
    )
    return network, history


def copy_weights(network: OneStep) -> Weights:
    """A copy of the current weights."""
    return {name: weight.detach().clone() for name, weight in network.named_parameters()}


def weight_distances(before: Weights, network: OneStep) -> Weights:
    """The distance that each weight has moved, except the biases that `with_one_bias` fixes at zero."""
    now = copy_weights(network)
    return {name: (now[name] - weight).norm() for name, weight in before.items() if "bias_hh" not in name}


def main(argv: Sequence[str] | None = None) -> tuple[History, History]:
    """Train, report and plot both networks."""
    options = parser("A deep recurrent network on a noisy trend.", epochs=5000, out="out/deep_rnn_on_a_trend")
    options.add_argument(
        "--stage", type=int, default=500, help="epochs of each of the three stages of the concise form"
    )
    arguments = options.parse_args(argv)
    training, validation = noisy_trend(arguments.seed), noisy_trend(arguments.seed + VALIDATION_SEED)
    deep, history, distances = train_deep(
        training, validation, epochs=arguments.epochs, seed=arguments.seed, quiet=arguments.quiet
    )
    print(history.summary())
    print("Distance that each weight has moved during training:")
    for name, distance in distances.items():
        print(f"  {name:<20} {distance:.3f}")
    print(report("linear deep RNN", history, training, validation))
    files = save_figures(arguments.out / "from-scratch", training, deep, history, "linear deep RNN")

    concise, concise_history = train_concise(
        training, validation, stage=arguments.stage, seed=arguments.seed, quiet=arguments.quiet
    )
    print(f"\nConcise form: {concise_history.summary()}")
    print(report("concise tanh RNN", concise_history, training, validation))
    files += save_figures(arguments.out / "concise", training, concise, concise_history, "concise tanh RNN")
    print(CORRECTED)
    print(f"{len(files)} figures in {arguments.out}")
    return history, concise_history


if __name__ == "__main__":
    main(sys.argv[1:])
