"""torch.nn and Gatewise as contestants: the same weights, the same input, the same calls.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from benchmarks.shapes import Task
from benchmarks.timing import Contestant, Outputs
from gatewise import nn

TORCH_LAYERS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
GATEWISE_LAYERS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
TORCH_CELLS = {"lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell, "rnn": torch.nn.RNNCell}
GATEWISE_CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn": nn.RNNCell}
STEPS = 5  # steps before the states of single-step contestants are compared


class Problem:
    """The data of a task: input, weights, lengths, and the gradient of the output.

    The gradient of the output is dense, as from a loss over all steps; the gradient of a plain sum would be constant.
    """

    def __init__(self, task: Task, seed: int = 0) -> None:
        T, B, I, H = task.shape
        self.task = task
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.x = torch.randn(T, B, I)
            self.layer = TORCH_LAYERS[task.cell](I, H)
            self.lengths = torch.randint(1, T + 1, (B,)) if task.mode.startswith("packed") else None
            self.grad = torch.randn(T, B, H)
        self.weights = {name: weight.detach() for name, weight in self.layer.named_parameters()}
        self.input = self.x if self.lengths is None else self.pack(self.x)
        self.grad_output = self.grad if self.lengths is None else self.pack(self.grad).data
        self.rows = T * B if self.lengths is None else int(self.lengths.sum())

    @property
    def trains(self) -> bool:
        return self.task.mode.endswith("train")

    def pack(self, padded: Tensor) -> PackedSequence:
        """The packed sequences, in any order of lengths."""
        assert self.lengths is not None
        return pack_padded_sequence(padded, self.lengths, enforce_sorted=False)

    def outputs(self, output: Tensor, state: tuple[Tensor, ...], grads: dict[str, Tensor] | None = None) -> Outputs:
        """The compared tensors: the output at valid steps, the final state, and the gradients of the weights."""
        named: Outputs = {"output": output}
        named |= {name: tensor.reshape(tensor.shape[-2:]) for name, tensor in zip(("h", "c"), state, strict=False)}
        return {name: tensor.detach().clone() for name, tensor in named.items()} | {
            f"gradient of {name}": grad.clone() for name, grad in (grads or {}).items()
        }


def fields(state: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else tuple(state)


def torch_contestants(problem: Problem) -> list[Contestant]:
    """The layer of torch.nn; for single steps its cell."""
    if problem.task.mode == "step":
        with torch.random.fork_rng():
            cell = TORCH_CELLS[problem.task.cell](*problem.task.shape[2:])
        return [cell_contestant("torch.nn", cell, problem)]
    return [layer_contestant("torch.nn", problem.layer, problem)]


def gatewise_contestants(problem: Problem, engine: str) -> list[Contestant]:
    """The layer of Gatewise on an engine; for single steps its cell, `step` of its layer, and `Stream`."""
    _, B, I, H = problem.task.shape
    options = {"engine": engine, "generator": torch.Generator()}
    layer = GATEWISE_LAYERS[problem.task.cell](I, H, **options)
    layer.load_state_dict(problem.weights)
    if problem.task.mode != "step":
        return [layer_contestant("Gatewise", layer, problem)]
    cell = GATEWISE_CELLS[problem.task.cell](I, H, **options)
    contestants = [cell_contestant("Gatewise cell", cell, problem), step_contestant("Gatewise step", layer, problem)]
    if stream := getattr(nn, "Stream", None):
        contestants.append(stream_contestant("Gatewise stream", lambda: stream(layer, B), problem))
    return contestants


def layer_contestant(name: str, layer: Module, problem: Problem) -> Contestant:
    """A layer over whole sequences, forward or forward and backward."""
    weights = dict(layer.named_parameters())

    def infer() -> Any:
        return layer(problem.input)

    def train() -> Any:
        for weight in weights.values():
            weight.grad = None
        output, state = layer(problem.input)
        torch.autograd.backward(steps(output), problem.grad_output)
        return output, state

    call = train if problem.trains else infer

    def outputs() -> Outputs:
        output, state = call()
        grads = {key: weight.grad for key, weight in weights.items() if weight.grad is not None}
        return problem.outputs(steps(output), fields(state), grads)

    return Contestant(name, call, outputs)


def steps(output: Tensor | PackedSequence) -> Tensor:
    """The valid steps of an output."""
    return output.data if isinstance(output, PackedSequence) else output


def streaming(
    name: str, start: Callable[[], Any], advance: Callable[[Any], Any], read: Callable[[Any], Any]
) -> Contestant:
    """A contestant that continues from call to call; its outputs are the state after `STEPS` steps from zero.

    Arguments:
        start: returns a zero state.
        advance: returns the state after one more step.
        read: returns the tensors of a state, h or (h, c).
    """
    state = start()

    def call() -> None:
        nonlocal state
        state = advance(state)

    def outputs() -> Outputs:
        last = start()
        for _ in range(STEPS):
            last = advance(last)
        tensors = [tensor.reshape(1, -1).clone() for tensor in fields(read(last))]
        return dict(zip(("h", "c"), tensors, strict=False))

    return Contestant(name, call, outputs)


def cell_contestant(name: str, cell: Module, problem: Problem) -> Contestant:
    """A cell of torch.nn or Gatewise; both have the same call."""
    cell.load_state_dict({key.removesuffix("_l0"): weight for key, weight in problem.weights.items()})
    x = problem.x[0]
    return streaming(name, lambda: None, lambda state: cell(x, state), lambda state: state)


def step_contestant(name: str, layer: Any, problem: Problem) -> Contestant:
    """`step` of a layer of Gatewise."""
    x = problem.x[0]
    return streaming(name, lambda: None, lambda state: layer.step(x, state)[1], lambda state: state)


def stream_contestant(name: str, start: Callable[[], Any], problem: Problem) -> Contestant:
    """`Stream` of Gatewise: a call with one step returns the output and keeps the state."""
    x = problem.x[0]

    def advance(stream: Any) -> Any:
        stream(x)
        return stream

    return streaming(name, start, advance, lambda stream: stream.state)
