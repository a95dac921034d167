"""Windows share the memory of their series, equal plain slices, and split without leaking targets."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gatewise.datasets import sums, trend
from gatewise.windows import Windows


def slices(inputs, targets, starts, length, shift, every_step):
    """The definition, one slice at a time."""
    x = torch.stack([inputs[s : s + length] for s in starts], 1)
    if every_step:
        return x, torch.stack([targets[s + shift : s + shift + length] for s in starts], 1)
    return x, torch.stack([targets[s + length - 1 + shift] for s in starts])


@pytest.mark.parametrize("every_step", [True, False])
@pytest.mark.parametrize("shift", [0, 1, 3])
@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("layout", ["plain", "strided", "one target"])
def test_windows_equal_plain_slices(every_step, shift, length, layout):
    inputs, targets = torch.arange(60.0).reshape(20, 3), -torch.arange(40.0).reshape(20, 2)
    if layout == "strided":  # every second row of a transposed tensor, from the second on
        inputs, targets = torch.arange(120.0).reshape(3, 40).T[1::2], torch.arange(80.0).reshape(40, 2)[1::2]
    if layout == "one target":
        targets = targets[:, 0]
    windows = Windows(inputs, targets, length=length, shift=shift, every_step=every_step)
    count = 20 - length - shift + 1
    assert len(windows) == count
    for chosen in (list(range(count)), [3, 0, 3, -1], list(range(4, 9)), [2]):
        expected = slices(inputs, targets, [range(count)[i] for i in chosen], length, shift, every_step)
        for actual, reference in zip(windows[chosen], expected, strict=True):
            assert torch.equal(actual, reference)
    x, y = windows[2]
    expected = slices(inputs, targets, [2], length, shift, every_step)
    assert torch.equal(x, expected[0][:, 0])
    assert torch.equal(y, expected[1][:, 0] if every_step else expected[1][0])


def test_windows_of_system_a():
    d = torch.from_numpy(np.diff(trend()))[:, None]
    ((x, y),) = Windows(d, length=19).batches()
    assert (x.shape, y.shape) == ((19, 180, 1), (19, 180, 1))
    assert torch.equal(x[1:], y[:-1])
    assert torch.equal(y[-1], d[19:])


def test_windows_of_system_e():
    table = torch.tensor(sums().to_numpy())
    windows = Windows(table[:, :2], table[:, 2], length=3, shift=0, every_step=False)
    x, y = windows[:]
    assert x.transpose(0, 1).shape == (8, 3, 2)
    assert x[:, 0].tolist() == [[0, 5], [10, 15], [20, 25]]
    assert y.tolist() == [45, 65, 85, 105, 125, 145, 165, 185]


@pytest.mark.parametrize("every_step", [True, False])
def test_windows_copy_nothing(every_step):
    """A thousand windows of a thousand steps share the 2,000 values of the series."""
    inputs, targets = torch.randn(2000, 1, generator=torch.Generator().manual_seed(0)), torch.zeros(2000, 1)
    windows = Windows(inputs, targets, length=1000, every_step=every_step)
    for x, y in [
        windows[:],
        windows[5:17],
        windows[torch.arange(3, 9)],
        windows[4],
        *windows.batches(),
        *windows.batches(300),
    ]:
        for view, series in ((x, inputs), (y, targets)):
            assert view.untyped_storage().data_ptr() == series.untyped_storage().data_ptr()
            assert view.untyped_storage().nbytes() == 8000
    assert windows[5:17][0].data_ptr() == inputs[5].data_ptr()
    gathered, _ = windows[torch.tensor([7, 3])]
    assert gathered.untyped_storage().nbytes() == 2 * 1000 * 4


def test_gradients_flow_to_the_series():
    inputs = torch.zeros(6, 1, dtype=torch.float64, requires_grad=True)
    x, _ = Windows(inputs, length=3)[:]
    (gradient,) = torch.autograd.grad(x.sum(), inputs)
    assert gradient.flatten().tolist() == [1, 2, 3, 2, 1, 0]


def test_batches_hold_every_window_once_in_a_new_order_each_time():
    windows = Windows(torch.arange(30.0)[:, None], length=4)
    batches = windows.batches(10, shuffle=True, generator=torch.Generator().manual_seed(0))
    rounds = [[x[0, :, 0].tolist() for x, _ in batches] for _ in range(2)]
    assert len(batches) == 3
    assert [len(batch) for batch in rounds[0]] == [10, 10, 6]
    assert rounds[0] != rounds[1]
    assert all(sorted(itertools.chain(*batch)) == list(range(26)) for batch in rounds)
    second = windows.batches(10, shuffle=True, generator=torch.Generator().manual_seed(0))
    assert [x[0, :, 0].tolist() for x, _ in second] == rounds[0]
    in_order = [x[0, :, 0].tolist() for x, _ in windows.batches(10)]
    assert list(itertools.chain(*in_order)) == list(range(26))
    ((x, _),) = windows.batches(shuffle=True, generator=torch.Generator().manual_seed(0))
    assert x.shape == (4, 26, 1)


@given(
    size=st.integers(4, 60),
    length=st.integers(1, 8),
    shift=st.integers(0, 3),
    every_step=st.booleans(),
    held_out=st.one_of(st.integers(1, 30), st.floats(0.05, 0.95)),
)
def test_split_leaks_no_target_and_drops_no_other_window(size, length, shift, every_step, held_out):
    if size < length + shift:
        return
    time = torch.arange(size)[:, None]
    windows = Windows(time, length=length, shift=shift, every_step=every_step)
    cut = size - (round(size * held_out) if isinstance(held_out, float) else held_out)
    spans = [windows[i][1].flatten().tolist() for i in range(len(windows))]
    before, after = [s for s in spans if s[-1] < cut], [s for s in spans if s[0] >= cut]
    if not before or not after:
        with pytest.raises(ValueError, match=r"leaves no (training|held-out) window"):
            windows.split(held_out)
        return
    train, test = windows.split(held_out)
    assert [train[i][1].flatten().tolist() for i in range(len(train))] == before
    assert [test[i][1].flatten().tolist() for i in range(len(test))] == after
    assert max(max(s) for s in before) < cut <= min(min(s) for s in after)
    assert int(train[:][0].max()) < cut  # no input of a training window reaches the held-out part either


def test_each_window_lies_within_one_series():
    lengths, inputs = [5, 9, 6], []
    for k, n in enumerate(lengths):
        inputs.append(torch.stack([torch.full((n,), k), torch.arange(n)], 1))
    windows = Windows.over(inputs, length=3)
    assert len(windows) == sum(n - 3 for n in lengths)
    x, y = windows[:]
    for part in (x, y):
        assert (part[..., 0] == part[0, :, 0]).all()  # one series
        assert (part[1:, :, 1] - part[:-1, :, 1] == 1).all()  # consecutive steps
    assert torch.equal(y[..., 1] - x[..., 1], torch.ones_like(y[..., 1]))
    train, test = Windows.over(inputs, [x[:, 1] for x in inputs], length=2, every_step=False).split(2)
    for k, n in enumerate(lengths):
        assert train[:][1][train[:][0][0, :, 0] == k].max() == n - 3
        assert test[:][1][test[:][0][0, :, 0] == k].tolist() == [n - 2, n - 1]
    assert test.split(1)[1][:][1].tolist() == [n - 1 for n in lengths]  # the parts keep the ends of the series


def test_chosen_starts_and_their_split():
    windows = Windows(torch.arange(20)[:, None], length=3, starts=torch.tensor([10, 0, 5]))
    assert windows[:][0][0, :, 0].tolist() == [10, 0, 5]
    train, test = windows.split(9)
    assert (train.starts.tolist(), test.starts.tolist()) == ([0, 5], [10])


def test_arrays_and_single_features_are_series():
    values = np.arange(10.0)
    values.flags.writeable = False
    ((x, y),) = Windows(values, length=3).batches()
    assert (x.shape, y.shape) == ((3, 7, 1), (3, 7, 1))
    column = Windows(torch.arange(10.0)[:, None], length=3)
    for series in (values, torch.arange(10.0), values[::-1][::-1]):
        assert torch.equal(Windows(series, length=3)[:][0].double(), column[:][0].double())
    assert Windows.over([values, values[:5]], length=3)[:][0].shape == (3, 9, 1)
    assert Windows(values, length=3, starts=[4, 1]).starts.tolist() == [4, 1]
    assert Windows(values, length=np.int64(3)).split(np.float32(0.5))[1].starts.tolist() == [4, 5, 6]


def test_any_integer_is_an_index():
    windows = Windows(torch.arange(300.0)[:, None], length=3)
    many = torch.tensor([200, 3], dtype=torch.uint8)  # len(windows) does not fit its type
    assert torch.equal(windows[many][0], windows[[200, 3]][0])
    for two in (2, np.int64(2), torch.tensor(2), torch.tensor(2, dtype=torch.uint8)):
        assert [part.flatten().tolist() for part in windows[two]] == [[2, 3, 4], [3, 4, 5]]
    assert windows[[]][0].shape == windows[0:0][0].shape == (3, 0, 1)


def test_the_default_device_does_not_matter():
    series = torch.arange(12.0)[:, None]
    torch.set_default_device("meta")  # values on this device cannot be read
    try:
        windows = Windows(series, length=3)
        train, test = windows.split(4)
        shuffled = windows.batches(2, shuffle=True, generator=torch.Generator("cpu").manual_seed(0))
        first_values = sorted(first for x, _ in shuffled for first in x[0, :, 0].tolist())
        picked = windows[[5, 2]][0][0, :, 0].tolist()
        joined = len(Windows.over([series, series], length=3))
        array = Windows(np.arange(5.0), length=2)[:][0].device.type
    finally:
        torch.set_default_device(None)
    assert (first_values, picked, joined, array) == ([float(s) for s in range(9)], [5, 2], 18, "cpu")
    assert (len(train), len(test)) == (5, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"inputs": torch.zeros(5, 1, 1), "length": 2},
            r"shape \(5, 1, 1\), expected \(N, C\), or \(N,\) for one feature",
        ),
        (
            {"inputs": torch.zeros(5, 1), "targets": torch.zeros(4), "length": 2},
            r"expected \(N, Q\) or \(N,\) with N = 5",
        ),
        (
            {"inputs": torch.zeros(5, 1), "length": 5},
            r"5 steps are too few for a window of length=5 with shift=1",
        ),
        ({"inputs": torch.zeros(5, 1), "length": 0}, "length is 0, expected an integer of at least 1"),
        ({"inputs": torch.zeros(5, 1), "length": 2.0}, r"length is 2\.0, expected an integer of at least 1"),
        ({"inputs": torch.zeros(5, 1), "length": 1, "shift": -1}, "shift is -1, expected an integer of at least 0"),
        (
            {"inputs": torch.zeros(5, 1), "length": 2, "starts": torch.tensor([0, 3])},
            "starts range from 0 to 3, expected 0 to 2, so that every window fits",
        ),
        ({"inputs": torch.zeros(5, 1), "length": 2, "starts": torch.tensor([0.0])}, r"expected torch.int64 \(M,\)"),
    ],
)
def test_invalid_sizes(arguments, message):
    with pytest.raises(ValueError, match=message):
        Windows(**arguments)


def test_invalid_requests():
    windows = Windows(torch.zeros(9, 1), length=2)
    with pytest.raises(IndexError, match="window 7 is out of range: there are 7 windows, counted from 0"):
        windows[7]
    with pytest.raises(TypeError, match="expected integers"):
        windows[torch.ones(7, dtype=torch.bool)]
    with pytest.raises(ValueError, match="shuffle=True needs a generator"):
        windows.batches(2, shuffle=True)
    with pytest.raises(ValueError, match="batch_size is 0"):
        windows.batches(0)
    with pytest.raises(ValueError, match=r"batch_size is 2\.0, expected an integer of at least 1, or None"):
        windows.batches(2.0)
    for held_out in (0, True):
        with pytest.raises(
            ValueError, match=rf"held_out is {held_out}, expected an integer .* or a fraction between 0 and"
        ):
            windows.split(held_out)
    with pytest.raises(TypeError, match="inputs are of type list, expected a tensor or a NumPy array"):
        Windows([[1.0], [2.0]], length=1)
    with pytest.raises(TypeError, match="expected integers"):
        windows[True]
    with pytest.raises(ValueError, match=r"held_out is 1\.5, expected a fraction"):
        windows.split(1.5)
    with pytest.raises(ValueError, match=r"series 1: 2 steps are too few for a window of length=2 with shift=1"):
        Windows.over([torch.zeros(9, 1), torch.zeros(2, 1)], length=2)
    with pytest.raises(ValueError, match="got 0 input series"):
        Windows.over([], length=2)
