"""ONNX Runtime as a contestant, for inference: one node, weights as initializers, bound inputs and outputs.

Letters: `T` time steps, `B` batch, `I` input size, `H` hidden size, `G` gates.

Threads. By default, the threads of a session also spin between calls. On two cores this slowed the next contestant by
up to a factor of two. `session.force_spinning_stop` stops the spinning at the end of a call: ONNX Runtime alone is as
fast with it, and does not disturb the others. Without any spinning (`session.intra_op.allow_spinning=0`) it was no
faster, and calls with many short parts may be slower.
"""

import importlib
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.contestants import Problem, streaming
from benchmarks.timing import Contestant, Outputs

NAME = "ONNX Runtime"
ORDERS = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}  # torch's gates in the order of ONNX: iofc, zrh
SPINNING = {"session.force_spinning_stop": "1"}
OPSET, IR_VERSION = 17, 10


def available() -> bool:
    return all(find_spec(name) is not None for name in ("onnxruntime", "onnx"))


def version() -> str:
    return str(importlib.import_module("onnxruntime").__version__)


def contestants(problem: Problem, threads: int) -> list[Contestant]:
    """One contestant, or none if the task is training."""
    if problem.trains:
        return []
    run = streaming_contestant if problem.task.mode == "step" else layer_contestant
    return [run(problem, session(problem, threads))]


def session(problem: Problem, threads: int) -> Any:
    """A session for the layer of the problem."""
    runtime: Any = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    for key, setting in SPINNING.items():
        options.add_session_config_entry(key, setting)
    return runtime.InferenceSession(model(problem), options, providers=["CPUExecutionProvider"])


def model(problem: Problem) -> bytes:
    """The layer as an ONNX file: inputs x, and the lengths or the state if the task has them."""
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
    """The weights with the names and the gate order of ONNX: (1, G*H, .), the two biases concatenated."""
    order = ORDERS[problem.task.cell]
    reordered = {
        name: torch.cat([weight.chunk(len(order))[k] for k in order]).unsqueeze(0).numpy()
        for name, weight in problem.weights.items()
    }
    bias = np.concatenate([reordered["bias_ih_l0"], reordered["bias_hh_l0"]], 1)
    return {"W": reordered["weight_ih_l0"], "R": reordered["weight_hh_l0"], "bias": bias}


def layer_contestant(problem: Problem, run: Any) -> Contestant:
    """A layer over whole sequences; with lengths they are padded, as ONNX expects."""
    binding = run.io_binding()
    binding.bind_ortvalue_input("x", value(problem.x))
    if problem.lengths is not None:
        binding.bind_ortvalue_input("lengths", value(problem.lengths.int()))
    buffers = {output.name: torch.empty(output.shape) for output in run.get_outputs()}
    for name, buffer in buffers.items():
        binding.bind_ortvalue_output(name, value(buffer))

    def call() -> None:
        run.run_with_iobinding(binding)

    def outputs() -> Outputs:
        call()
        output = buffers["output"].squeeze(1)
        if problem.lengths is not None:
            output = problem.pack(output).data
        return problem.outputs(output, tuple(buffers[name] for name in ("h", "c") if name in buffers))

    return Contestant(NAME, call, outputs)


def streaming_contestant(problem: Problem, run: Any) -> Contestant:
    """Single steps: two alternating bindings; each writes the state that the other reads."""
    (_, B, _, H), letters = problem.task.shape, [output.name for output in run.get_outputs()]
    states = [[torch.zeros(1, B, H) for _ in letters] for _ in range(2)]
    bindings = [run.io_binding() for _ in range(2)]
    for k, binding in enumerate(bindings):
        binding.bind_ortvalue_input("x", value(problem.x))
        for n, letter in enumerate(letters):
            binding.bind_ortvalue_input(f"{letter}0", value(states[k][n]))
            binding.bind_ortvalue_output(letter, value(states[1 - k][n]))

    def start() -> int:
        for state in states[0]:
            state.zero_()
        return 0

    def advance(k: int) -> int:
        run.run_with_iobinding(bindings[k])
        return 1 - k

    return streaming(NAME, start, advance, lambda k: tuple(states[k]))


def value(tensor: Tensor) -> Any:
    """The memory of the tensor, as a value of ONNX Runtime."""
    runtime: Any = importlib.import_module("onnxruntime")
    return runtime.OrtValue.ortvalue_from_numpy(tensor.numpy())
