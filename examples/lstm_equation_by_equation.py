"""An LSTM written as its equations, with explicit state, checked against gatewise.nn.LSTM and torch.nn.LSTM.

Notation: fn features, hs hidden size, bs batch size; W (fn, hs), U (hs, hs), b (1, hs), x_t (bs, fn), h_t (bs, hs).

    python examples/lstm_equation_by_equation.py
"""

import copy
import math
import sys
from collections.abc import Sequence

import torch
from command_line import parser
from torch import Tensor
from torch.nn import Module, Parameter, ParameterDict

from gatewise import nn

State = tuple[Tensor, Tensor]  # h and c, each (bs, hs)
CORRECTED = """
Corrected: the input gate has a recurrent matrix of its own; in the original notebook it uses the forget gate's.
Corrected: weights are parameters, so they train, move and are saved; in the original notebook they are plain tensors.
Corrected: the final state is returned; in the original notebook the second return value is undefined.
"""


class EquationLSTM(Module):
    """An LSTM with one line per gate; every weight is a parameter.

    Arguments:
        fn: features of the input.
        hs: hidden size.
        generator: draws the weights from U(-1/sqrt(hs), 1/sqrt(hs)); biases start at zero.
    """

    def __init__(self, fn: int, hs: int, generator: torch.Generator) -> None:
        super().__init__()
        bound = 1 / math.sqrt(hs)

        def draw(*shape: int) -> Parameter:
            return Parameter(torch.empty(shape).uniform_(-bound, bound, generator=generator))

        self.W = ParameterDict({gate: draw(fn, hs) for gate in "fiog"})
        self.U = ParameterDict({gate: draw(hs, hs) for gate in "fiog"})
        self.b = ParameterDict({gate: Parameter(torch.zeros(1, hs)) for gate in "fiog"})

    def step(self, x_t: Tensor, state: State) -> State:
        """The state after one time step."""
        W, U, b, (h, c) = self.W, self.U, self.b, state
        f = torch.sigmoid(x_t @ W["f"] + h @ U["f"] + b["f"])  # fraction of the memory that remains
        i = torch.sigmoid(x_t @ W["i"] + h @ U["i"] + b["i"])  # fraction of the candidate that is written
        o = torch.sigmoid(x_t @ W["o"] + h @ U["o"] + b["o"])  # fraction of the memory that is output
        g = torch.tanh(x_t @ W["g"] + h @ U["g"] + b["g"])  # candidate for the memory
        c = f * c + i * g
        h = o * torch.tanh(c)
        return h, c

    def forward(self, X: Tensor, state: State) -> tuple[Tensor, State]:
        """All hidden states (bs, time, hs) and the final state, for X (bs, time, fn) and the initial state."""
        hidden = []
        for x_t in X.unbind(1):
            state = self.step(x_t, state)
            hidden.append(state[0])
        return torch.stack(hidden, 1), state

    def fused(self) -> dict[str, Tensor]:
        """The weights in the layout of torch: gates i, f, g, o stacked and transposed, and two biases."""

        def stack(weights: ParameterDict) -> Tensor:
            return torch.cat([weights[gate] for gate in "ifgo"], 1).T.detach()

        bias = stack(self.b)[:, 0]
        return {
            "weight_ih_l0": stack(self.W),
            "weight_hh_l0": stack(self.U),
            "bias_ih_l0": bias,
            "bias_hh_l0": torch.zeros_like(bias),
        }


def largest_differences(lstm: EquationLSTM, X: Tensor, state: State) -> dict[str, float]:
    """Largest differences of all states from gatewise.nn.LSTM and torch.nn.LSTM with the same weights."""
    weights, (hidden, final) = lstm.fused(), lstm(X, state)
    rows, fn = weights["weight_ih_l0"].shape
    differences = {}
    for kind in (nn.LSTM, torch.nn.LSTM):
        layer = kind(fn, rows // 4, batch_first=True, device="meta", dtype=X.dtype).to_empty(device=X.device)
        layer.load_state_dict(weights)
        output, (h, c) = layer(X, (state[0][None], state[1][None]))
        pairs = ((hidden, output), (final[0], h[0]), (final[1], c[0]))
        differences[f"{kind.__module__.split('.')[0]}.nn.LSTM"] = max((a - b).abs().max().item() for a, b in pairs)
    return differences


def train(lstm: EquationLSTM, X: Tensor, state: State, target: Tensor, epochs: int) -> list[str]:
    """Train by gradient descent on the mean squared error; returns the names of the weights that have changed."""
    before = {name: weight.detach().clone() for name, weight in lstm.named_parameters()}
    optimizer = torch.optim.SGD(lstm.parameters(), lr=0.1)
    for _ in range(epochs):
        optimizer.zero_grad()
        hidden, _ = lstm(X, state)
        torch.nn.functional.mse_loss(hidden, target).backward()
        optimizer.step()
    return [name for name, weight in lstm.named_parameters() if not torch.equal(weight, before[name])]


def main(argv: Sequence[str] | None = None) -> None:
    """Run, compare, train, save, load and move the LSTM."""
    arguments = parser("An LSTM, equation by equation.", epochs=1, out="out/lstm_equation_by_equation").parse_args(argv)
    bs, time, fn, hs = 30, 10, 20, 10
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    generator = torch.Generator().manual_seed(arguments.seed)
    lstm = EquationLSTM(fn, hs, generator).to(device)
    X = torch.randn(bs, time, fn, generator=generator).to(device)
    h0, c0 = torch.randn(2, bs, hs, generator=generator).to(device)
    hidden, (h, c) = lstm(X, (h0, c0))
    print(f"On {device}: X {(*X.shape,)} -> hidden {(*hidden.shape,)}, final h {(*h.shape,)}, final c {(*c.shape,)}")

    for dtype in (torch.float32, torch.float64):
        same = copy.deepcopy(lstm).to(dtype)
        for other, gap in largest_differences(same, X.to(dtype), (h0.to(dtype), c0.to(dtype))).items():
            print(f"Largest difference from {other} with the same weights, {dtype}: {gap:.1e}")

    shared = copy.deepcopy(lstm)
    shared.U["i"] = shared.U["f"]
    gap = (shared(X, (h0, c0))[0] - hidden).abs().max().item()
    print(f"With the recurrent matrix of the forget gate in the input gate, hidden states differ by up to {gap:.2f}")

    target = torch.rand(hidden.shape, generator=generator).to(device)
    changed = train(lstm, X, (h0, c0), target, arguments.epochs)
    print(f"{arguments.epochs} training step(s) changed {len(changed)} of {len(list(lstm.parameters()))} weights")

    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "lstm.pt"
    torch.save(lstm.state_dict(), file)
    loaded = EquationLSTM(fn, hs, generator)
    loaded.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    equal = torch.equal(loaded.to(device)(X, (h0, c0))[0], lstm(X, (h0, c0))[0])
    print(f"Saved to {file}, loaded, moved to {device}: {'the same' if equal else 'different'} hidden states")
    print(CORRECTED)


if __name__ == "__main__":
    main(sys.argv[1:])
