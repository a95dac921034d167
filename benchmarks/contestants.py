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
from benchmarks.timing import Answer, Contestant
from gatewise import nn

LAYERS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
OURS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
TORCH_CELLS = {"lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell, "rnn": torch.nn.RNNCell}
OUR_CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn": nn.RNNCell}
STEPS = 5  # whose states are compared where single steps are timed


class Problem:
    """The numbers of a task: input, weights, lengths, and the gradient that comes into the output.

    That gradient is dense, as any head or loss over all steps sends it; a plain sum would send a single repeated 1.
    """

    def __init__(self, task: Task, seed: int = 0) -> None:
        T, B, I, H = task.shape
        self.task = task
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.x = torch.randn(T, B, I)
            self.layer = LAYERS[task.cell](I, H)
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
        """Packed in any order of lengths, as batches come."""
        assert self.lengths is not None
        return pack_padded_sequence(padded, self.lengths, enforce_sorted=False)

    def answer(self, output: Tensor, state: tuple[Tensor, ...], grads: dict[str, Tensor] | None = None) -> Answer:
        """What is compared: the output at valid steps, the final state, and gradients by the weights' names."""
        named: Answer = {"output": output}
        named |= {name: one.reshape(one.shape[-2:]) for name, one in zip(("h", "c"), state, strict=False)}
        return {name: one.detach().clone() for name, one in named.items()} | {
            f"gradient of {name}": one.clone() for name, one in (grads or {}).items()
        }


def fields(state: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else tuple(state)


def torch_contestants(problem: Problem) -> list[Contestant]:
    """torch.nn's layer; for single steps its cell."""
    if problem.task.mode == "step":
        with torch.random.fork_rng():
            cell = TORCH_CELLS[problem.task.cell](*problem.task.shape[2:])
        return [cell_contestant("torch.nn", cell, problem)]
    return [layer_contestant("torch.nn", problem.layer, problem)]


def our_contestants(problem: Problem, engine: str) -> list[Contestant]:
    """Gatewise's layer on an engine; for single steps its cell, the layer's `step`, and `Stream` where there is one."""
    _, B, I, H = problem.task.shape
    options = {"engine": engine, "generator": torch.Generator()}
    layer = OURS[problem.task.cell](I, H, **options)
    layer.load_state_dict(problem.weights)
    if problem.task.mode != "step":
        return [layer_contestant("Gatewise", layer, problem)]
    cell = OUR_CELLS[problem.task.cell](I, H, **options)
    found = [cell_contestant("Gatewise cell", cell, problem), step_contestant("Gatewise step", layer, problem)]
    if stream := getattr(nn, "Stream", None):
        found.append(stream_contestant("Gatewise stream", lambda: stream(layer, B), problem))
    return found


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

    def answer() -> Answer:
        output, state = call()
        grads = {key: weight.grad for key, weight in weights.items() if weight.grad is not None}
        return problem.answer(steps(output), fields(state), grads)

    return Contestant(name, call, answer)


def steps(output: Tensor | PackedSequence) -> Tensor:
    """The valid steps of an output."""
    return output.data if isinstance(output, PackedSequence) else output


def streaming(
    name: str, start: Callable[[], Any], advance: Callable[[Any], Any], read: Callable[[Any], Any]
) -> Contestant:
    """A contestant that goes on from call to call; its answer is the state after the first `STEPS` steps.

    Arguments:
        start: a new state, all zero.
        advance: the state after one more step.
        read: the tensors of a state, h or (h, c).
    """
    state = start()

    def call() -> None:
        nonlocal state
        state = advance(state)

    def answer() -> Answer:
        reached = start()
        for _ in range(STEPS):
            reached = advance(reached)
        H = [one.reshape(1, -1).clone() for one in fields(read(reached))]
        return dict(zip(("h", "c"), H, strict=False))

    return Contestant(name, call, answer)


def cell_contestant(name: str, cell: Module, problem: Problem) -> Contestant:
    """torch.nn's cells, and ours, which are called alike."""
    cell.load_state_dict({key.removesuffix("_l0"): weight for key, weight in problem.weights.items()})
    x = problem.x[0]
    return streaming(name, lambda: None, lambda state: cell(x, state), lambda state: state)


def step_contestant(name: str, layer: Any, problem: Problem) -> Contestant:
    """Our layers' `step`."""
    x = problem.x[0]
    return streaming(name, lambda: None, lambda state: layer.step(x, state)[1], lambda state: state)


def stream_contestant(name: str, start: Callable[[], Any], problem: Problem) -> Contestant:
    """Our streaming object: called with one step, it returns the output and keeps the state."""
    x = problem.x[0]

    def advance(stream: Any) -> Any:
        stream(x)
        return stream

    return streaming(name, start, advance, lambda stream: stream.state)
