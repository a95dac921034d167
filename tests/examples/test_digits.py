"""The example on digits: its cell, its data sets and its output, in short runs on generated digits."""

import numpy as np
import pytest
import torch

from gatewise import nn
from tests.examples.test_systems import example
from tests.tolerance import assert_close

example_of_digits = example("lstm_reads_digits")
Cell = example_of_digits.Cell


def write_idx(path, array):
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes())


@pytest.fixture
def folder(tmp_path):
    """A folder with the file names of MNIST: 2,100 training images, 40 test images."""
    for name, count, seed in (("train", 2100, 1), ("t10k", 40, 2)):
        part = example_of_digits.digits(count, seed)
        write_idx(tmp_path / f"{name}-images-idx3-ubyte", part.images)
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte", part.y.astype(np.uint8))
    return tmp_path


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("steps", "inputs", "hidden"), [(28, 28, 16), (1, 784, 4)])
def test_the_cell_agrees_with_gatewise_and_torch(steps, inputs, hidden, bias):
    cell = Cell(inputs, hidden, torch.Generator().manual_seed(0), bias=bias)
    x = torch.randn(steps, 5, inputs, generator=torch.Generator().manual_seed(1))
    assert (cell.input_map.out_features, cell.state_map.out_features) == (4 * hidden, 4 * hidden)
    assert (cell.input_map.bias is not None) == bias
    bound = hidden**-0.5
    assert all(0.9 * bound < weight.abs().max() <= bound for weight in (cell.input_map.weight, cell.state_map.weight))
    assert example_of_digits.difference(cell, x) < 2e-6
    torch_layer = torch.nn.LSTM(inputs, hidden, bias=bias, device="meta").to_empty(device="cpu")
    torch_layer.load_state_dict(cell.state_in_torch_layout())
    assert_close(cell.last_state(x), torch_layer(x)[1][0][0])


def test_the_cell_starts_from_zero_and_accepts_weights_and_states():
    layer = nn.LSTM(3, 4, generator=torch.Generator().manual_seed(0))
    cell = Cell(3, 4, torch.Generator()).copy_weights(layer)
    x, zero = torch.ones(2, 3), torch.zeros(2, 4)
    h, c = cell(x)
    assert all(map(torch.equal, cell(x, (zero, zero)), (h, c)))
    state = (zero + 0.3, zero - 0.5)
    _, expected = layer(x[None], tuple(part[None] for part in state))
    for part, layer_part in zip(cell(x, state), expected, strict=True):
        assert_close(part, layer_part[0])


def test_fixed_gates_do_what_the_table_in_the_docstring_says():
    cell = Cell(3, 4, torch.Generator().manual_seed(0))
    x, state = torch.ones(2, 3), (torch.zeros(2, 4), torch.full((2, 4), 0.8))
    h, c = cell(x, state, {"forget": 1, "input": 0})
    assert torch.equal(c, state[1])  # a memory that stays as it is
    assert torch.equal(cell(x, state, {"forget": 0.5, "input": 0})[1], state[1] / 2)
    assert_close(cell(x, state, {"forget": 0, "input": 1, "candidate": -1})[1], torch.full((2, 4), -1.0))
    assert not cell(x, state, {"output": 0})[0].any()
    h, c = cell(x, state, {"output": 1})
    assert_close(h, c.tanh())


def test_digits_depend_on_the_seed_and_consist_of_segments():
    part, again, other = (example_of_digits.digits(300, seed) for seed in (0, 0, 1))
    assert part.images.shape == (300, 12, 12)
    assert part.images.dtype == np.uint8
    assert np.array_equal(part.images, again.images)
    assert not np.array_equal(part.images, other.images)
    assert set(part.y.tolist()) == set(range(10))
    ink = [part.images[part.y == digit].astype(float).sum((1, 2)).mean() for digit in range(10)]
    assert np.argmin(ink) == 1
    assert np.argmax(ink) == 8
    assert len(set(example_of_digits.LIT)) == 10


def test_parts_are_disjoint_and_reading_the_test_images_needs_the_option(folder):
    parts = example_of_digits.split_parts(folder, 100, False, 0)
    assert {name: len(part.y) for name, part in parts.items()} == {"training": 100, "validation": 1000, "test": 1000}
    known = [{image.tobytes() for image in part.images} for part in parts.values()]
    assert not known[0] & known[1] | known[0] & known[2] | known[1] & known[2]
    (folder / "t10k-images-idx3-ubyte").rename(folder / "hidden")
    example_of_digits.split_parts(folder, 100, False, 0)
    with pytest.raises(FileNotFoundError, match="t10k-images"):
        example_of_digits.split_parts(folder, 100, True, 0)
    (folder / "hidden").rename(folder / "t10k-images-idx3-ubyte")
    parts = example_of_digits.split_parts(folder, 100, True, 0)
    assert np.array_equal(parts["test"].images, example_of_digits.digits(40, 2).images)
    with pytest.raises(SystemExit, match="there are 2100 images, expected 101 and 2000 more; give a smaller --images"):
        example_of_digits.split_parts(folder, 101, False, 0)


def test_the_example_trains_selects_a_view_and_prints_the_gates(tmp_path, capsys):
    arguments = ["--quiet", "--images", "800", "--epochs", "20", "--plots", str(tmp_path / "figures")]
    accuracies = example_of_digits.main(arguments)
    printed = capsys.readouterr().out
    assert accuracies["rows"] > 0.5 > accuracies["vector"] > 0.1
    assert accuracies["test"] > 0.5
    assert "Best in validation: rows; test accuracy" in printed
    assert "on 500 images" in printed
    names = ["confusion.png", "examples.png", "gates.png", "learning-curve.png"]
    assert sorted(file.name for file in (tmp_path / "figures").iterdir()) == names
    table = printed.split("left at the end\n")[1].splitlines()
    assert table[0].split() == ["step", "input", "forget", "candidate", "output", "retained"]
    rows = np.array([line.split() for line in table[1:13]], dtype=float)
    assert np.array_equal(rows[:, 0], np.arange(12))
    assert ((rows[:, 1:] >= 0) & (rows[:, 1:] <= 1)).all()
    assert rows[-1, -1] == 1  # nothing comes after the last step
    assert (np.diff(rows[:, -1]) >= 0).all()
    fixed = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line.endswith("%")}
    highest = max(float(percentage[:-1]) for percentage in fixed["candidate"])
    assert highest < 25  # a fixed candidate ignores the input: the accuracy is that of guessing
    assert f"Accuracy with one gate fixed (as trained: {accuracies['rows']:.1%}" in printed


def test_gate_means_agree_with_the_trace():
    part = example_of_digits.digits(60, 0)
    model = example_of_digits.train(part, "rows", 1, 0, True)
    x = example_of_digits.sequences(part, "rows")
    means = example_of_digits.gates_by_step(model, x)
    forget = model.network_.body.trace(x).gates["forget"].detach()
    assert means["forget"][3] == pytest.approx(float(forget[3].mean()))
    assert means["retained"][9] == pytest.approx(float((forget[10] * forget[11]).mean()), rel=1e-5)


def test_no_file_is_written_by_default_and_mnist_is_read(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    accuracies = example_of_digits.main(
        [str(folder), "--test", "--quiet", "--images", "100", "--epochs", "1", "--views", "vector"]
    )
    assert sorted(tmp_path.rglob("*")) == before
    assert list(accuracies) == ["vector", "test"]
    assert "on 40 images" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        example_of_digits.main(["--test"])
    assert "give the folder with the MNIST files" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--images", "0"), ("--images", "-5"), ("--epochs", "0"), ("--seed", "-1")])
def test_numbers_out_of_range_are_errors(arguments, capsys):
    with pytest.raises(SystemExit):
        example_of_digits.main(list(arguments))
    assert f"{arguments[0]} is {arguments[1]}, expected an integer of at least" in capsys.readouterr().err
