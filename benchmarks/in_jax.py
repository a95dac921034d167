"""JAX as a contestant: `lax.scan`, jitted, in the better of two ways of writing the layer.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `G` gates.

Threads. XLA reads how many its CPU client starts from the environment variable NPROC, once, when it is imported; there
is no other way to say it. `limit_threads` therefore comes first. For one thread XLA's own splitting of products is
switched off as well.
"""

import importlib
import os
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from benchmarks.contestants import Problem, streaming
from benchmarks.timing import Answer, Contestant, estimate

NAME = "JAX"
WAYS = ("hoisted", "inside")  # the product of the input: over all steps before the scan, or in every step


def available() -> bool:
    return find_spec("jax") is not None and find_spec("jaxlib") is not None


def version() -> str:
    return str(importlib.import_module("jax").__version__)


def limit_threads(threads: int) -> None:
    """Set the environment for XLA; to be called before JAX is imported."""
    os.environ.update(NPROC=str(threads), JAX_PLATFORMS="cpu")
    if threads == 1:
        os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"


def contestants(problem: Problem, threads: int) -> list[Contestant]:
    """One: of both ways the faster."""
    if problem.task.mode == "step":
        return [streaming_contestant(problem)]
    both = [layer_contestant(problem, way) for way in WAYS]
    for one in both:
        one.call()  # compiles
    return [min(both, key=lambda one: estimate(one.call))]


def advance(jnp: Any, cell: str, state: tuple[Any, ...], from_x: Any, from_h: Any) -> tuple[Any, ...]:
    """The state after a step, from the products with x and with h, biases added; gates in torch's order."""
    sigmoid = importlib.import_module("jax").nn.sigmoid
    if cell == "lstm":
        i, f, g, o = jnp.split(from_x + from_h, 4, axis=1)
        c = sigmoid(f) * state[1] + sigmoid(i) * jnp.tanh(g)
        return sigmoid(o) * jnp.tanh(c), c
    if cell == "gru":
        (rx, zx, nx), (rh, zh, nh) = jnp.split(from_x, 3, axis=1), jnp.split(from_h, 3, axis=1)
        n, z = jnp.tanh(nx + sigmoid(rx + rh) * nh), sigmoid(zx + zh)
        return ((1 - z) * n + z * state[0],)
    return (jnp.tanh(from_x + from_h),)


def weights(jnp: Any, problem: Problem) -> dict[str, Any]:
    """As JAX's layers keep them, (inputs, G*H)."""
    return {name: jnp.asarray(weight.t().contiguous().numpy()) for name, weight in problem.weights.items()}


def zero_state(jnp: Any, problem: Problem) -> tuple[Any, ...]:
    zeros = jnp.zeros((problem.task.shape.B, problem.task.shape.H), jnp.float32)
    return (zeros,) * (2 if problem.task.cell == "lstm" else 1)


def layer_contestant(problem: Problem, way: str) -> Contestant:
    """Whole sequences; those with lengths are padded, and steps after the end do not change the state."""
    jax: Any = importlib.import_module("jax")
    jnp, cell = jax.numpy, problem.task.cell
    start = zero_state(jnp, problem)
    x, grad = jnp.asarray(problem.x.numpy()), jnp.asarray(problem.grad.numpy())
    on = None
    if problem.lengths is not None:
        on = jnp.arange(len(x))[:, None, None] < jnp.asarray(problem.lengths.int().numpy())[None, :, None]

    def layer(weights: dict[str, Any], x: Any) -> Any:
        def from_input(x: Any) -> Any:
            return x @ weights["weight_ih_l0"] + weights["bias_ih_l0"]

        def step(state: tuple[Any, ...], inputs: Any) -> Any:
            x_t, on_t = inputs
            from_x = x_t if way == "hoisted" else from_input(x_t)
            from_h = state[0] @ weights["weight_hh_l0"] + weights["bias_hh_l0"]
            after = advance(jnp, cell, state, from_x, from_h)
            if on_t is None:
                return after, after[0]
            return tuple(jnp.where(on_t, new, old) for new, old in zip(after, state, strict=True)), after[0] * on_t

        state, output = jax.lax.scan(step, start, (from_input(x) if way == "hoisted" else x, on))
        return output, state

    def infer(weights: dict[str, Any], x: Any, grad: Any) -> Any:
        return layer(weights, x)

    def train(weights: dict[str, Any], x: Any, grad: Any) -> Any:
        output, backward, state = jax.vjp(lambda weights: layer(weights, x), weights, has_aux=True)
        return output, state, backward(grad)[0]

    run, given = jax.jit(train if problem.trains else infer), weights(jnp, problem)

    def call() -> Any:
        return jax.block_until_ready(run(given, x, grad))

    def answer() -> Answer:
        output, state, *grads = call()
        valid = tensor(output) if problem.lengths is None else problem.pack(tensor(output)).data
        named = {name: tensor(one).t().contiguous() for one_dict in grads for name, one in one_dict.items()}
        return problem.answer(valid, tuple(tensor(one) for one in state), named)

    return Contestant(NAME, call, answer)


def streaming_contestant(problem: Problem) -> Contestant:
    """Single steps, jitted; the state stays with JAX."""
    jax: Any = importlib.import_module("jax")
    jnp, cell = jax.numpy, problem.task.cell
    given, x = weights(jnp, problem), jnp.asarray(problem.x[0].numpy())

    def step(weights: dict[str, Any], x: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
        from_x = x @ weights["weight_ih_l0"] + weights["bias_ih_l0"]
        return advance(jnp, cell, state, from_x, state[0] @ weights["weight_hh_l0"] + weights["bias_hh_l0"])

    run = jax.jit(step)
    return streaming(
        NAME,
        lambda: zero_state(jnp, problem),
        lambda state: jax.block_until_ready(run(given, x, state)),
        lambda state: tuple(tensor(one) for one in state),
    )


def tensor(array: Any) -> Tensor:
    """A copy for torch."""
    return torch.tensor(importlib.import_module("numpy").asarray(array))
