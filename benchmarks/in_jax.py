"""JAX as a contestant: `lax.scan`, jitted, in the faster of two implementations of the layer.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `G` gates.

Threads. XLA reads the number of threads from the environment variable NPROC when JAX is imported; there is no other
setting. Call `limit_threads` before the import. With one thread, it also disables XLA's parallel matrix products.
"""

import importlib
import os
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from benchmarks.contestants import Problem, streaming
from benchmarks.timing import Contestant, Outputs, estimate

NAME = "JAX"
VARIANTS = ("hoisted", "inside")  # the product with the input: for all steps before the scan, or in each step


def available() -> bool:
    return find_spec("jax") is not None and find_spec("jaxlib") is not None


def version() -> str:
    return str(importlib.import_module("jax").__version__)


def limit_threads(threads: int) -> None:
    """Set the environment of XLA; call this before JAX is imported."""
    os.environ.update(NPROC=str(threads), JAX_PLATFORMS="cpu")
    if threads == 1:
        os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"


def contestants(problem: Problem, threads: int) -> list[Contestant]:
    """The faster of both variants."""
    if problem.task.mode == "step":
        return [streaming_contestant(problem)]
    both = [layer_contestant(problem, variant) for variant in VARIANTS]
    for contestant in both:
        contestant.call()  # compiles
    return [min(both, key=lambda contestant: estimate(contestant.call))]


def advance(jnp: Any, cell: str, state: tuple[Any, ...], from_x: Any, from_h: Any) -> tuple[Any, ...]:
    """The state after a step, from the products with x and h and their biases; gates in the order of torch."""
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
    """The weights as in layers of JAX, (inputs, G*H)."""
    return {name: jnp.asarray(weight.t().contiguous().numpy()) for name, weight in problem.weights.items()}


def zero_state(jnp: Any, problem: Problem) -> tuple[Any, ...]:
    zeros = jnp.zeros((problem.task.shape.B, problem.task.shape.H), jnp.float32)
    return (zeros,) * (2 if problem.task.cell == "lstm" else 1)


def layer_contestant(problem: Problem, variant: str) -> Contestant:
    """A layer over whole sequences; with lengths they are padded, and steps after the end do not change the state."""
    jax: Any = importlib.import_module("jax")
    jnp, cell = jax.numpy, problem.task.cell
    start = zero_state(jnp, problem)
    x, grad = jnp.asarray(problem.x.numpy()), jnp.asarray(problem.grad.numpy())
    valid = None
    if problem.lengths is not None:
        valid = jnp.arange(len(x))[:, None, None] < jnp.asarray(problem.lengths.int().numpy())[None, :, None]

    def layer(weights: dict[str, Any], x: Any) -> Any:
        def from_input(x: Any) -> Any:
            return x @ weights["weight_ih_l0"] + weights["bias_ih_l0"]

        def step(state: tuple[Any, ...], inputs: Any) -> Any:
            x_t, valid_t = inputs
            from_x = x_t if variant == "hoisted" else from_input(x_t)
            from_h = state[0] @ weights["weight_hh_l0"] + weights["bias_hh_l0"]
            after = advance(jnp, cell, state, from_x, from_h)
            if valid_t is None:
                return after, after[0]
            masked = tuple(jnp.where(valid_t, new, old) for new, old in zip(after, state, strict=True))
            return masked, after[0] * valid_t

        state, output = jax.lax.scan(step, start, (from_input(x) if variant == "hoisted" else x, valid))
        return output, state

    def infer(weights: dict[str, Any], x: Any, grad: Any) -> Any:
        return layer(weights, x)

    def train(weights: dict[str, Any], x: Any, grad: Any) -> Any:
        output, backward, state = jax.vjp(lambda weights: layer(weights, x), weights, has_aux=True)
        return output, state, backward(grad)[0]

    run, arrays = jax.jit(train if problem.trains else infer), weights(jnp, problem)

    def call() -> Any:
        return jax.block_until_ready(run(arrays, x, grad))

    def outputs() -> Outputs:
        output, state, *grads = call()
        steps = tensor(output) if problem.lengths is None else problem.pack(tensor(output)).data
        named = {name: tensor(grad).t().contiguous() for by_name in grads for name, grad in by_name.items()}
        return problem.outputs(steps, tuple(tensor(array) for array in state), named)

    return Contestant(NAME, call, outputs)


def streaming_contestant(problem: Problem) -> Contestant:
    """Single steps, jitted; the state remains a JAX array."""
    jax: Any = importlib.import_module("jax")
    jnp, cell = jax.numpy, problem.task.cell
    arrays, x = weights(jnp, problem), jnp.asarray(problem.x[0].numpy())

    def step(weights: dict[str, Any], x: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
        from_x = x @ weights["weight_ih_l0"] + weights["bias_ih_l0"]
        return advance(jnp, cell, state, from_x, state[0] @ weights["weight_hh_l0"] + weights["bias_hh_l0"])

    run = jax.jit(step)
    return streaming(
        NAME,
        lambda: zero_state(jnp, problem),
        lambda state: jax.block_until_ready(run(arrays, x, state)),
        lambda state: tuple(tensor(array) for array in state),
    )


def tensor(array: Any) -> Tensor:
    """A copy as a torch tensor."""
    return torch.tensor(importlib.import_module("numpy").asarray(array))
