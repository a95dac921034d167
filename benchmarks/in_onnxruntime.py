"""ONNX Runtime as a contestant, in inference: one node, weights as initializers, inputs and outputs bound in advance.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `G` gates.

Threads. Sessions get the number of threads asked for. By default these spin between calls too, and on two cores whoever
came next was seen to take up to twice as long. `session.force_spinning_stop` lets them spin while a call runs and stops
them at its end: ONNX Runtime alone was as fast with it, and nobody is disturbed. Without any spinning
(`session.intra_op.allow_spinning=0`) it was no faster, and it may lose where a call has many short parts.
"""

import importlib
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.contestants import Problem, streaming
from benchmarks.timing import Answer, Contestant

NAME = "ONNX Runtime"
ORDERS = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}  # torch's gates in the order of ONNX: iofc, zrh
SPINNING = {"session.force_spinning_stop": "1"}
OPSET, IR_VERSION = 17, 10


def available() -> bool:
    return all(find_spec(name) is not None for name in ("onnxruntime", "onnx"))


def version() -> str:
    return str(importlib.import_module("onnxruntime").__version__)


def contestants(problem: Problem, threads: int) -> list[Contestant]:
    """One, or none where the task is training."""
    if problem.trains:
        return []
    run = streaming_contestant if problem.task.mode == "step" else layer_contestant
    return [run(problem, session(problem, threads))]


def session(problem: Problem, threads: int) -> Any:
    """A session for the problem's layer."""
    runtime: Any = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    for key, setting in SPINNING.items():
        options.add_session_config_entry(key, setting)
    return runtime.InferenceSession(model(problem), options, providers=["CPUExecutionProvider"])


def model(problem: Problem) -> bytes:
    """The layer as an ONNX file: inputs x, and lengths or the state where the task has them."""
    onnx: Any = importlib.import_module("onnx")
    helper, cell = onnx.helper, problem.task.cell
    T, B, I, H = problem.task.shape
    letters = ["h", "c"] if cell == "lstm" else ["h"]
    single = problem.task.mode == "step"
    lengths = [] if problem.lengths is None else ["lengths"]
    states = [f"{letter}0" for letter in letters] if single else []
    inputs = ["x", "W", "R", "bias", *(lengths or [""]), *states]
    outputs = ["" if single else "output", *letters]
    extra = {"linear_before_reset": 1} if cell == "gru" else {}
    node = helper.make_node(cell.upper(), inputs, outputs, hidden_size=H, **extra)

    def declare(name: str, shape: list[int], kind: int = onnx.TensorProto.FLOAT) -> Any:
        return helper.make_tensor_value_info(name, kind, shape)

    graph = helper.make_graph(
        [node],
        "layer",
        [
            declare("x", [T, B, I]),
            *(declare(name, [B], onnx.TensorProto.INT32) for name in lengths),
            *(declare(name, [1, B, H]) for name in states),
        ],
        [declare(name, [T, 1, B, H] if name == "output" else [1, B, H]) for name in outputs if name],
        [onnx.numpy_helper.from_array(array, name) for name, array in weights(problem).items()],
    )
    opset = [helper.make_opsetid("", OPSET)]
    file: bytes = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION).SerializeToString()
    return file


def weights(problem: Problem) -> dict[str, Any]:
    """The weights under ONNX's names, with ONNX's order of gates: (1, G*H, .), the two biases side by side."""
    order = ORDERS[problem.task.cell]
    turned = {
        name: torch.cat([weight.chunk(len(order))[k] for k in order]).unsqueeze(0).numpy()
        for name, weight in problem.weights.items()
    }
    bias = np.concatenate([turned["bias_ih_l0"], turned["bias_hh_l0"]], 1)
    return {"W": turned["weight_ih_l0"], "R": turned["weight_hh_l0"], "bias": bias}


def layer_contestant(problem: Problem, run: Any) -> Contestant:
    """Whole sequences; those with lengths are padded, which is what ONNX has."""
    binding = run.io_binding()
    binding.bind_ortvalue_input("x", value(problem.x))
    if problem.lengths is not None:
        binding.bind_ortvalue_input("lengths", value(problem.lengths.int()))
    buffers = {one.name: torch.empty(one.shape) for one in run.get_outputs()}
    for name, buffer in buffers.items():
        binding.bind_ortvalue_output(name, value(buffer))

    def call() -> None:
        run.run_with_iobinding(binding)

    def answer() -> Answer:
        call()
        output = buffers["output"].squeeze(1)
        if problem.lengths is not None:
            output = problem.pack(output).data
        return problem.answer(output, tuple(buffers[name] for name in ("h", "c") if name in buffers))

    return Contestant(NAME, call, answer)


def streaming_contestant(problem: Problem, run: Any) -> Contestant:
    """Single steps: two bindings in turn, the one writing the state that the other reads."""
    (_, B, _, H), letters = problem.task.shape, [one.name for one in run.get_outputs()]
    states = [[torch.zeros(1, B, H) for _ in letters] for _ in range(2)]
    bindings = [run.io_binding() for _ in range(2)]
    for k, binding in enumerate(bindings):
        binding.bind_ortvalue_input("x", value(problem.x))
        for n, letter in enumerate(letters):
            binding.bind_ortvalue_input(f"{letter}0", value(states[k][n]))
            binding.bind_ortvalue_output(letter, value(states[1 - k][n]))

    def start() -> int:
        for one in states[0]:
            one.zero_()
        return 0

    def advance(k: int) -> int:
        run.run_with_iobinding(bindings[k])
        return 1 - k

    return streaming(NAME, start, advance, lambda k: tuple(states[k]))


def value(tensor: Tensor) -> Any:
    """The tensor's own memory, as ONNX Runtime takes it."""
    runtime: Any = importlib.import_module("onnxruntime")
    return runtime.OrtValue.ortvalue_from_numpy(tensor.numpy())
