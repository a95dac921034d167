"""The tasks of long memory: the sequences follow the papers, and the networks learn the tasks."""

import argparse
import math

import numpy as np
import pytest
import torch

from benchmarks import digits, memory, timing
from gatewise import nn


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_adding_problem_marks_one_number_in_each_half():
    x, y = memory.adding(51, 200, generator())
    numbers, marks = x.unbind(-1)
    assert ((numbers >= 0) & (numbers < 1)).all()
    assert (marks[:25].sum(0) == 1).all()
    assert (marks[25:].sum(0) == 1).all()
    assert (numbers * marks).sum(0).tolist() == y[:, 0].tolist()
    assert float(((y - 1) ** 2).mean()) == pytest.approx(1 / 6, rel=0.2)  # the error of the constant prediction 1
    assert marks[:25].argmax(0).unique().numel() > 20


def test_copy_memory_has_the_symbols_as_targets_at_the_end():
    x, y = memory.copy(30, 50, generator())
    symbols = x.argmax(-1)
    assert x.shape == (50, 50, 10)
    assert bool((x.sum(-1) == 1).all())
    assert symbols[:10].tolist() == y[-10:].tolist()
    assert set(symbols[:10].flatten().tolist()) == set(range(1, 9))
    assert not symbols[10:39].any()
    assert not y[:40].any()
    assert (symbols[39:] == 9).all()


def test_guessing_the_symbols_costs_the_loss_without_memory():
    _, y = memory.copy(30, 400, generator())
    outputs = torch.full((50, 400, 9), -100.0)
    outputs[:40, :, 0] = 100.0
    outputs[40:, :, 1:] = 0.0
    assert float(memory.recalled(outputs, y)) == pytest.approx(math.log(8), rel=1e-4)


def test_initial_forget_gates_remember_for_the_requested_spans():
    body = memory.with_long_memory(nn.LSTM(3, 500, generator=generator()), 100, generator())
    write, keep, *_ = (body.bias_ih_l0 + body.bias_hh_l0).detach().chunk(4)
    spans = 1 / (1 - torch.sigmoid(keep))  # steps after which 1/e is left, roughly
    assert float(spans.min()) >= 2
    assert float(spans.max()) <= 100
    assert float(spans.mean()) == pytest.approx(51, rel=0.1)
    assert (torch.sigmoid(write) + torch.sigmoid(keep)).tolist() == pytest.approx([1.0] * 500)


def test_a_network_learns_to_add_on_short_sequences(monkeypatch):
    monkeypatch.setattr(memory, "ADDED", 8)
    result = memory.run_adding(argparse.Namespace(seed=0, epochs=8, quiet=True))
    assert float(result.score.split()[-1]) < 0.02


def test_pixels_need_the_folder_of_mnist(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["memory", "pixels"])
    with pytest.raises(SystemExit):
        memory.main()
    assert "give their folder with --data" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["adding", "--epochs", "0"], ["copy", "--epochs", "3"]])
def test_epochs_without_effect_are_an_error(arguments, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["memory", *arguments])
    with pytest.raises(SystemExit):
        memory.main()
    assert "--epochs is an integer of at least 1, and not for copy" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--speed", "--only", "rows, a minute"], ["--only", "pixels"]])
def test_unknown_rows_of_a_table_of_digits_are_an_error(arguments, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["digits", "folder", *arguments])
    with pytest.raises(SystemExit):
        digits.main()
    assert "--only names rows that this table does not have" in capsys.readouterr().err


def test_the_network_for_copy_is_trained_on_longer_and_longer_sequences(monkeypatch, capsys):
    monkeypatch.setattr(memory, "COPIED", 12)
    monkeypatch.setattr(memory, "SOLVED", 10.0)  # which any network reaches
    result = memory.run_copy(argparse.Namespace(seed=0, epochs=None, quiet=False))
    printed = capsys.readouterr().err
    assert [int(line.split(" now ")[1].split()[0]) for line in printed.splitlines()] == [7, 10, 12]
    assert result.baseline == f"without memory: {10 * math.log(8) / 32:.4f}"
    assert float(result.score.split()[1].rstrip(",")) < 10 * math.log(9) / 32 + 0.1  # blanks are learnt at once
    monkeypatch.setattr(memory, "SOLVED", 0.0)
    monkeypatch.setattr(memory, "MAX_STEPS", 50)
    with pytest.raises(SystemExit, match="not learnt in 50 steps, up to 5 blanks"):
        memory.run_copy(argparse.Namespace(seed=0, epochs=None, quiet=True))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_both_libraries_learn_the_same(cell):
    source = generator()
    batches = [(torch.randn(7, 5, 3, generator=source), torch.randint(10, (5,), generator=source)) for _ in range(3)]
    in_torch, in_gatewise = (digits.contestant(library, cell, batches) for library in digits.LIBRARIES)
    assert timing.disagreements([in_torch, in_gatewise]) == []
    losses = in_gatewise.outputs()["losses"]
    assert (losses > 1).all()
    in_gatewise.call()
    assert torch.equal(
        in_gatewise.outputs()["losses"], losses
    )  # outputs start from the initial weights, whatever was trained before


def test_digits_are_scored_on_the_selected_part(tmp_path, monkeypatch):
    for part, count in (("train", 40), ("t10k", 10)):
        y = np.arange(count, dtype=np.uint8) % 2
        x = np.zeros((count, 4, 4), np.uint8)
        x[np.arange(count), 3 * y] = 200 if part == "train" else 0  # test images are all black
        for name, array in (("images-idx3", x), ("labels-idx1", y)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            (tmp_path / f"{part}-{name}-ubyte").write_bytes(head + array.tobytes())
    monkeypatch.setattr(digits, "TRAINING_IMAGES", 30)
    arguments = argparse.Namespace(data=tmp_path, seed=0, quiet=True, validate=True)
    assert "| validation 100.00 % |" in digits.accuracy("rows", arguments)
    assert "| test 50.00 % |" in digits.accuracy("rows", argparse.Namespace(**{**vars(arguments), "validate": False}))
