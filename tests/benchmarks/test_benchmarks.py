"""The benchmark of layers: different outputs stop it before anything is timed, and its tables are correct."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import figure, in_jax, in_onnxruntime, layers, peak, report, timing
from benchmarks.contestants import Problem, gatewise_contestants, torch_contestants
from benchmarks.report import Result
from benchmarks.shapes import CELLS, GROUPS, LAYER_MODES, QUICK, Shape, Task, operations, select
from benchmarks.timing import Contestant, Timing, check_then_time, disagreements, measure, mismatch
from gatewise import nn

SMALL = Shape(T=4, B=3, I=2, H=5)
EVERYTHING = [Task(cell, mode, SMALL) for cell in CELLS for mode in LAYER_MODES]
EVERYTHING += [Task(cell, "step", SMALL._replace(T=1)) for cell in CELLS]


def result(task: Task, rate: float = 1.0, **seconds: float) -> Result:
    """A result with these seconds, and with the number of operations for which Gatewise reaches `rate` GF/s."""
    times = {
        name.replace("_", " ").replace("torch", "torch.nn"): Timing(value, 0.0, 5) for name, value in seconds.items()
    }
    return Result(task, times, round(rate * 1e9 * seconds["Gatewise"]))


def never() -> None:
    raise AssertionError("a call was timed")


@pytest.mark.parametrize("task", EVERYTHING, ids=str)
def test_all_contestants_agree_with_torch(task: Task):
    problem = Problem(task)
    contestants = torch_contestants(problem) + gatewise_contestants(problem, "aten")
    for peer in (in_onnxruntime, in_jax):
        contestants += peer.contestants(problem, threads=1) if peer.available() else []
    assert disagreements(contestants) == []
    # A call leaves no gradient or state for the next one.
    assert [mismatch(contestant.outputs(), contestant.outputs()) for contestant in contestants] == [None] * len(
        contestants
    )
    expected = {"output", "h"} if task.mode != "step" else {"h"}
    expected |= {"c"} if task.cell == "lstm" else set()
    expected |= {f"gradient of {name}" for name in problem.weights} if problem.trains else set()
    assert contestants[0].outputs().keys() == expected


@pytest.mark.parametrize("mode", ["train", "packed-train"])
def test_a_wrong_gradient_alone_is_a_mismatch(mode: str):
    problem = Problem(Task("gru", mode, SMALL))
    reference = torch_contestants(problem)[0].outputs()
    for name in reference:
        wrong = reference | {name: reference[name] + 3e-4 * reference[name].abs().max()}
        assert name in (mismatch(wrong, reference) or "")
        assert mismatch(reference | {name: reference[name] * (1 + 3e-5)}, reference) is None


def test_nan_missing_tensors_and_other_shapes_are_mismatches():
    reference = {"h": torch.ones(2, 3)}
    assert "differs by up to nan" in (mismatch({"h": torch.full((2, 3), torch.nan)}, reference) or "")
    assert mismatch({}, reference) == "has , expected h"
    assert mismatch({"h": torch.ones(3, 2)}, reference) == "h is torch.float32 (3, 2), expected torch.float32 (2, 3)"
    assert "torch.float64" in (mismatch({"h": torch.ones(2, 3).double()}, reference) or "")


def test_nothing_is_timed_if_outputs_differ():
    reference = Contestant("torch.nn", never, lambda: {"h": torch.ones(2)})
    wrong = Contestant("Gatewise", never, lambda: {"h": torch.tensor([1.0, 1.1])})
    with pytest.raises(
        ValueError, match=r"Gatewise: h differs by up to 0.1, the largest value is 1 \(expected as torch.nn\)"
    ):
        check_then_time([reference, wrong], seconds=1)


class WrongRNN(nn.RNN):
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        output, h = super().forward(*args, **kwargs)
        return output, h * 1.01


def test_a_wrong_layer_prints_only_the_mismatch_and_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("benchmarks.contestants.GATEWISE_LAYERS", {"rnn": WrongRNN})
    monkeypatch.setattr(timing, "measure", lambda *_: never())
    arguments = ["--group", "one", "--cell", "rnn", "--mode", "infer", "--engine", "aten", "--out", str(tmp_path)]
    monkeypatch.setitem(GROUPS, "one", (GROUPS["peers"][0]._replace(shapes=(SMALL,)),))
    assert layers.main([*arguments, "--without", "onnxruntime", "jax", "--threads", "1"]) == 1
    output = capsys.readouterr()
    assert "- RNN, inference, 4×3×2×5: Gatewise: h differs by up to" in output.out
    assert "| " not in output.out
    assert "Gatewise: h differs by up to" in output.err
    written = json.loads((tmp_path / "layers.json").read_text())["results"]
    assert [(entry["times"], entry["to_torch"]) for entry in written] == [({}, None)]


class Clock:
    """A clock that only calls of contestants advance; the first call of a turn takes ten times as long."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.last, self.turns = 0.0, "", [""]
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)

    def contestant(self, name: str, seconds: float) -> Contestant:
        def call() -> None:
            self.now += seconds if self.last == name else 10 * seconds
            self.turns += [name] * (self.turns[-1] != name)
            self.last = name

        return Contestant(name, call, dict)


def test_calls_after_another_contestant_are_not_measured(monkeypatch: pytest.MonkeyPatch):
    clock = Clock(monkeypatch)
    times = measure([clock.contestant("a", 0.001), clock.contestant("b", 0.003)], seconds=1)
    assert times["a"].seconds == pytest.approx(0.001)
    assert times["b"].seconds == pytest.approx(0.003)
    assert times["a"].spread == pytest.approx(0, abs=1e-9)
    assert 0.5 < clock.now < 2
    assert len(clock.turns) > 10


def test_slow_contestants_get_five_rounds(monkeypatch: pytest.MonkeyPatch):
    clock = Clock(monkeypatch)
    times = measure([clock.contestant("a", 2.0), clock.contestant("b", 3.0)], seconds=1)
    assert times["a"].calls == times["b"].calls == 5


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("mode", ["train", "infer"])
def test_operations_agree_with_those_counted_by_torch(cell: str, mode: str):
    T, B, _, H = SMALL
    task = Task(cell, mode, SMALL)
    with FlopCounterMode(display=False) as counter:
        gatewise_contestants(Problem(task), "reference")[0].call()
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[cell]
    first = 2 * B * gates * H * H if mode == "train" else 0  # the initial state has no gradient
    assert operations(task, rows=T * B) == counter.get_total_flops() + first


def test_packed_rows_are_the_valid_steps():
    problem = Problem(Task("rnn", "packed-infer", Shape(20, 10, 2, 3)))
    assert problem.rows == int(problem.lengths.sum()) == len(problem.input.data) < 200
    assert 1 <= int(problem.lengths.min()) <= int(problem.lengths.max()) <= 20


def test_ratios():
    single = result(Task("lstm", "infer", SMALL), rate=50, torch=6.0, Gatewise=2.0, JAX=5.0)
    assert (single.to_torch, single.to_best, single.rate) == (3.0, 2.5, 50.0)
    several = result(Task("lstm", "step", SMALL), torch=6.0, Gatewise=4.0, Gatewise_step=3.0)
    assert several.to_torch == 2.0
    assert report.geometric_mean([1.0, 4.0, 2.0]) == pytest.approx(2.0)


def test_numbers_have_three_digits():
    assert [report.significant(value) for value in (0.01234, 1.5, 12.34, 1234.5)] == ["0.0123", "1.50", "12.3", "1234"]


def test_unsteady_times_are_marked():
    assert [report.format_time(Timing(0.002, spread, 5), 1e3) for spread in (0.1, 0.3)] == ["2.00", "2.00~"]


def test_tables():
    large = Shape(10, 32, 8, 256)
    first = result(Task("gru", "infer", SMALL), rate=10, torch=0.008, Gatewise=0.001, JAX=0.002)
    second = result(Task("gru", "infer", large), rate=70, torch=0.02, Gatewise=0.01)
    text = report.markdown([first, second], {"Machine": "this one"}, ceiling=100)
    assert "| 4×3×2×5 | 8.00 | 1.00 | 2.00 | 8.00 | 2.00 | 10 | 10% |" in text
    assert "| 10×32×8×256 | 20.0 | 10.0 |  | 2.00 | 2.00 | 70 | 70% |" in text
    summary = "| GRU, inference | 2 | 4.00 | 3: met | 2.00 at 10×32×8×256 | 1.15: met | 2.00 |"
    assert f"{summary} 70% at 10×32×8×256, 75%: **not met** |" in text
    assert all(line.count("|") in (9, 10) for line in text.splitlines() if line.startswith("|"))


def test_floors_are_reported_as_met_or_not_met():
    slow = result(Task("lstm", "train", SMALL), torch=1.05, Gatewise=1.0)
    fast = result(Task("lstm", "train", Shape(1, 1, 1, 1)), torch=5.0, Gatewise=1.0)
    text = report.markdown([slow, fast], {}, ceiling=None)
    assert "| LSTM, training step | 2 | 2.29 | 2: met | 1.05 at 4×3×2×5 | 1.1: **not met** |" in text
    assert "ceiling" not in text


def test_the_lowest_fraction_of_the_ceiling_counts_large_padded_layers_only():
    rates = [(Shape(9, 32, 1, 256), 66), (Shape(9, 31, 1, 256), 10), (Shape(9, 64, 1, 255), 10)]
    results = [result(Task("rnn", "train", shape), rate=rate, torch=1, Gatewise=1) for shape, rate in rates]
    assert report.lowest_fraction(results, "train", ceiling=100) == "66% at 9×32×1×256, 65%: met"
    assert report.lowest_fraction(results, "packed-train", ceiling=100) == ""


def test_a_ceiling_below_the_measured_rate_is_reported():
    single = result(Task("rnn", "train", SMALL), rate=90, torch=1, Gatewise=1)
    assert "the ceiling was measured too low, and its fractions are invalid" in report.markdown(
        [single], {}, ceiling=80
    )
    assert "its fractions are invalid" not in report.markdown([single], {}, ceiling=100)


def test_every_task_is_selected_once():
    everything = select(list(GROUPS), list(CELLS), [*LAYER_MODES, "step", "memory"])
    assert len(set(everything)) == len(everything)
    assert select(["peers"], ["gru"], ["train"])[0] == Task("gru", "train", Shape(19, 180, 1, 16))
    quick = select(list(GROUPS), list(CELLS), list(LAYER_MODES), quick=True)
    assert {task.shape for task in quick} <= set(QUICK)
    assert {(task.cell, task.mode) for task in quick} == set(itertools.product(CELLS, LAYER_MODES))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engine", "typo"], "engine is 'typo', expected one of"),
        (["--group", "memory", "--mode", "step"], "no task is selected; omit --group"),
    ],
)
def test_wrong_options_are_errors(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        layers.main(["--engine", "aten", *arguments])
    assert message in capsys.readouterr().err


def test_the_figure_is_written(tmp_path: Path):
    pytest.importorskip("matplotlib")
    grown = [Task("lstm", "train", shape) for group in GROUPS["sweep"] for shape in group.shapes]
    results = [result(task, torch=0.02, Gatewise=0.01) for task in grown]
    figure.draw([*results, Result(EVERYTHING[0], {}, error="no")], tmp_path / "layers.png")
    assert (tmp_path / "layers.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def peak_of() -> Callable[[Callable[[], Any]], int]:
    if not peak.available():
        pytest.skip("no /proc/self/clear_refs here")

    def above(call: Callable[[], Any]) -> int:
        peak.reset_peak()
        before = peak.status("VmRSS")
        call()
        return peak.status("VmHWM") - before

    return above


def test_peak_memory_is_that_of_one_step(peak_of: Callable[[Callable[[], Any]], int]):
    size = 64 * 2**20
    torch.ones(2 * size // 4)  # an earlier and higher peak
    assert peak_of(lambda: torch.ones(size // 4)) == pytest.approx(size, rel=0.1)
    assert peak.Peak(3 * 4 * 60, {}).planes(SMALL) == 3
