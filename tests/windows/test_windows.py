"""Transforms invert exactly; windows share memory, equal plain slices and leak nothing."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gatewise.datasets import sums, trend
from gatewise.windows import Difference, Scale, Windows, normalise_windows, restore_windows
from tests.tolerance import assert_close

DIFFERENCES = st.builds(
    Difference, order=st.integers(0, 3), seasonal_order=st.integers(0, 2), season=st.integers(1, 12)
)


def series(elements, longest=80):
    """A difference, and a series of at least one value more than its lag."""
    return DIFFERENCES.flatmap(
        lambda d: st.tuples(
            st.just(d),
            st.integers(d.lag + 1, d.lag + longest).flatmap(lambda n: arrays(np.float64, n, elements=elements)),
        )
    )


WHOLE = st.integers(-(10**6), 10**6).map(float)
REAL = st.floats(-1e6, 1e6)


# --------------------------------------------------------------------------------------------------- differences


@given(series(WHOLE))
def test_whole_numbers_come_back_exactly(case):
    difference, y = case
    d, lag = difference.apply(y), difference.lag
    assert len(d) == len(y) - lag
    np.testing.assert_array_equal(difference.extend(d, y[:lag]), y[lag:])
    np.testing.assert_array_equal(difference.restore(d, y), y[lag:])


@given(series(REAL, longest=40))
def test_reals_come_back_to_rounding(case):
    difference, y = case
    d, lag = torch.from_numpy(difference.apply(y)), difference.lag
    # Cumulating multiplies each rounding error by how often it is summed: measure against the largest of these sums.
    growth = Difference.extend(difference, np.ones(len(d)), np.zeros(lag)).max()
    size = float(np.abs(y).max() * 2.0 ** (difference.order + difference.seasonal_order) * growth) + 1
    assert_close(difference.extend(d, torch.from_numpy(y[:lag])) / size, torch.from_numpy(y[lag:]) / size)
    assert_close(difference.restore(d, torch.from_numpy(y)) / size, torch.from_numpy(y[lag:]) / size)


@given(series(WHOLE))
def test_differences_are_the_polynomial_in_the_backward_shift(case):
    difference, y = case
    expected = np.convolve(y, difference.coefficients, mode="valid")
    np.testing.assert_array_equal(difference.apply(y), expected)


def test_one_step_reconstruction_is_system_a():
    """`approx + y[19:-1]`, for predictions of the last 180 differences."""
    y, approx = trend(), np.random.default_rng(0).normal(7, 10, 180)
    np.testing.assert_array_equal(Difference().restore(approx, y), approx + y[19:-1])


def test_extending_sample_paths_is_extending_each():
    difference, y = Difference(1, 1, 12), torch.from_numpy(trend())
    paths = torch.randn(5, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    together = difference.extend(paths, y)
    assert_close(together, torch.stack([difference.extend(path, y) for path in paths]))
    assert_close(difference.apply(torch.cat([y, together[2]]))[-24:], paths[2])


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_small_whole_numbers_do_not_wrap_around(kind, dtype):
    y = kind([5, 3, 120, 0, 100], dtype=getattr(np if kind is np.array else torch, dtype))
    d = Difference(2).apply(y)
    assert d.tolist() == [119, -237, 220]
    assert Difference(2).extend(d, y).tolist() == [100 + 119 + 100, 319 + 219 - 237, 301 - 18 + 220]
    assert Difference().restore(y[:2], y).tolist() == [5 + 120, 3]


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_order_zero_changes_nothing(kind):
    difference, y = Difference(0), kind([3.0, 1.0])
    for same in (difference.apply(y), difference.restore(y, y), difference.extend(y, y[:0])):
        assert same.tolist() == [3.0, 1.0]


def test_differences_refuse_what_they_cannot_do():
    with pytest.raises(ValueError, match=r"has 13 values, expected at least 14: .* look back 13; give a longer series"):
        Difference(1, 1, 12).apply(np.ones(13))
    with pytest.raises(ValueError, match="has 5 values, expected at least 6"):
        Difference(1).restore(np.ones(5), np.ones(5))
    with pytest.raises(ValueError, match="has 2 values, expected at least 3"):
        Difference(3).extend(np.ones(5), np.ones(2))
    with pytest.raises(ValueError, match="expected orders of at least 0"):
        Difference(-1)


# --------------------------------------------------------------------------------------------------------- scale


@pytest.mark.parametrize("kind", ["standard", "minmax", "robust", "none"])
@given(x=st.integers(1, 60).flatmap(lambda n: arrays(np.float64, n, elements=REAL)))
def test_scales_invert(kind, x):
    scale = Scale(kind).fit(x)
    size = float(np.abs(x).max()) + 1
    back = scale.invert(scale.apply(torch.from_numpy(x)))
    assert_close(back / size, torch.from_numpy(x) / size)
    assert np.isfinite(scale.apply(x)).all()


def test_scales_are_what_they_are_called():
    x = np.random.default_rng(0).normal(3, 2, (101, 2))
    standard, minmax, robust = (Scale(kind).fit(x).apply(x) for kind in ("standard", "minmax", "robust"))
    np.testing.assert_allclose([standard.mean(0), standard.std(0) - 1], 0, atol=1e-12)
    assert (minmax.min(0).tolist(), minmax.max(0).tolist()) == ([0, 0], [1, 1])
    quartiles = np.quantile(robust, [0.25, 0.5, 0.75], axis=0)
    np.testing.assert_allclose([quartiles[1], quartiles[2] - quartiles[0] - 1], 0, atol=1e-12)
    torch.testing.assert_close(Scale().fit(torch.from_numpy(x)).apply(torch.from_numpy(x)), torch.from_numpy(standard))


@pytest.mark.parametrize("kind", ["standard", "minmax", "robust"])
def test_a_constant_series_has_scale_one(kind):
    """Seven times 0.1 have a standard deviation of 1e-17, which is rounding and no spread."""
    scale = Scale(kind).fit(np.full((7, 2), [0.1, 1e9]))
    assert scale.scale.tolist() == [1, 1]


def test_robust_falls_back_where_most_values_are_equal():
    x = np.array([0.0] * 9 + [5.0])
    assert Scale("robust").fit(x).scale == x.std()


@pytest.mark.parametrize("kind", ["standard", "minmax", "robust"])
def test_small_variation_is_no_rounding(kind):
    x = 1 + 1e-9 * np.array([-1.0, 1.0, -1.0, 1.0])
    z = Scale(kind).fit(x).apply(x)
    assert np.ptp(z) == pytest.approx({"standard": 2, "minmax": 1, "robust": 1}[kind], rel=1e-5)


def test_whole_numbers_are_scaled_as_reals():
    scale = Scale().fit(np.array([0.25, 0.5, 0.75]))
    whole = torch.tensor([0, 1, 2])
    for way in (scale.apply, scale.invert):
        assert torch.equal(way(whole), way(whole.float()))


@pytest.mark.parametrize("shape", [(3,), (4, 1), (4, 3), ()])
def test_other_features_than_fitted_are_refused(shape):
    scale = Scale().fit(np.arange(8.0).reshape(4, 2))
    for way, x in itertools.product((scale.apply, scale.invert), (np.zeros(shape), torch.zeros(shape))):
        with pytest.raises(ValueError, match=r"the scale was fitted on 2 feature\(s\); pass values \(\.\.\., 2\)"):
            way(x)
    assert scale.apply(np.zeros((5, 4, 2))).shape == (5, 4, 2)


def test_scale_keeps_precision_and_refuses_what_it_cannot_fit():
    assert Scale().fit(np.arange(5.0)).apply(torch.zeros(3)).dtype == torch.float32
    with pytest.raises(ValueError, match=r"kind is 'log', expected standard, minmax, robust or none"):
        Scale("log")
    for bad in (np.array([]), np.array([1.0, np.nan])):
        with pytest.raises(ValueError, match="expected finite values"):
            Scale().fit(bad)


@pytest.mark.parametrize("centre", ["mean", "last", "none"])
@pytest.mark.parametrize("spread", ["std", "abs", "none"])
def test_normalised_windows_invert_and_keep_gradients_finite(centre, spread):
    x = torch.randn(6, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 5 + 100
    x[:, 1] = 7.0  # a constant window
    x.requires_grad_()
    z, shift, scale = normalise_windows(x, centre=centre, spread=spread)
    assert (shift.shape, scale.shape) == ((1, 4, 2), (1, 4, 2))
    assert_close(restore_windows(z, shift, scale), x)
    (gradient,) = torch.autograd.grad(z.square().sum(), x)
    assert torch.isfinite(z).all()
    assert torch.isfinite(gradient).all()
    centred = x - {"mean": x.mean(0), "last": x[-1], "none": 0 * x[0]}[centre]
    size = {"std": x.std(0, correction=0), "abs": centred.abs().mean(0), "none": torch.ones_like(x[0])}[spread]
    assert_close(scale[0], size.clamp_min(1e-5))


def test_normalising_ignores_level_and_size_of_a_window():
    x = torch.randn(6, 4, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert_close(normalise_windows(x * 300 + 20)[0], normalise_windows(x)[0])


@pytest.mark.parametrize("spread", ["std", "abs"])
@pytest.mark.parametrize(
    ("level", "dtype"),
    [(123.456, torch.float32), (1e6 + 0.1, torch.float32), (0.0, torch.float16), (3.3, torch.float16)],
)
def test_constant_windows_become_zero_in_every_precision(level, dtype, spread):
    x = torch.full((24, 2, 1), level, dtype=dtype, requires_grad=True)
    z, shift, scale = normalise_windows(x, spread=spread)
    (gradient,) = torch.autograd.grad(z.square().sum(), x)
    assert torch.equal(z, torch.zeros_like(z))
    assert torch.equal(restore_windows(z, shift, scale), x)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("spread", ["std", "abs"])
def test_rounding_in_a_window_is_not_blown_up(spread):
    x = torch.full((24, 2, 1), 1e4)
    x[::2, 0] = torch.nextafter(x[0, 0], torch.tensor(torch.inf))  # one rounding up and down
    x[::2, 1] += 1
    z = normalise_windows(x, spread=spread)[0].abs().amax((0, 2))
    assert z[0] < 0.2
    assert 0.9 < z[1] < 1.1


def test_normalising_refuses_other_words():
    with pytest.raises(ValueError, match=r"centre='first', .* expected centre mean, last or none"):
        normalise_windows(torch.zeros(3, 1, 1), centre="first")
    with pytest.raises(ValueError, match=r"shape \(3, 1\), expected windows \(T, B, C\)"):
        normalise_windows(torch.zeros(3, 1))
    for floor in (0.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="a finite floor above 0"):
            normalise_windows(torch.zeros(3, 1, 1), floor=floor)
    with pytest.raises(TypeError, match=r"x is torch.int64, expected a floating type; pass x\.float\(\)"):
        normalise_windows(torch.zeros(3, 1, 1, dtype=torch.int64))


# ------------------------------------------------------------------------------------------------------- windows


def naive(inputs, targets, starts, length, shift, every_step):
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
        expected = naive(inputs, targets, [range(count)[i] for i in chosen], length, shift, every_step)
        for ours, theirs in zip(windows[chosen], expected, strict=True):
            assert torch.equal(ours, theirs)
    x, y = windows[2]
    expected = naive(inputs, targets, [2], length, shift, every_step)
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
    """A thousand windows of a thousand steps live in the 2,000 values of the series."""
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


def test_batches_deal_every_window_once_and_anew_each_time():
    windows = Windows(torch.arange(30.0)[:, None], length=4)
    batches = windows.batches(10, shuffle=True, generator=torch.Generator().manual_seed(0))
    rounds = [[x[0, :, 0].tolist() for x, _ in batches] for _ in range(2)]
    assert len(batches) == 3
    assert [len(batch) for batch in rounds[0]] == [10, 10, 6]
    assert rounds[0] != rounds[1]
    assert all(sorted(itertools.chain(*dealt)) == list(range(26)) for dealt in rounds)
    again = windows.batches(10, shuffle=True, generator=torch.Generator().manual_seed(0))
    assert [x[0, :, 0].tolist() for x, _ in again] == rounds[0]
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
def test_split_leaks_nothing_and_wastes_nothing(size, length, shift, every_step, held_out):
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


def test_many_series_are_never_straddled():
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
    assert test.split(1)[1][:][1].tolist() == [n - 1 for n in lengths]  # the parts still know where each series ends


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


def test_any_whole_number_is_an_index():
    windows = Windows(torch.arange(300.0)[:, None], length=3)
    many = torch.tensor([200, 3], dtype=torch.uint8)  # len(windows) does not fit its type
    assert torch.equal(windows[many][0], windows[[200, 3]][0])
    for two in (2, np.int64(2), torch.tensor(2), torch.tensor(2, dtype=torch.uint8)):
        assert [part.flatten().tolist() for part in windows[two]] == [[2, 3, 4], [3, 4, 5]]
    assert windows[[]][0].shape == windows[0:0][0].shape == (3, 0, 1)


def test_the_default_device_does_not_matter():
    series = torch.arange(12.0)[:, None]
    torch.set_default_device("meta")  # nothing made there could be read
    try:
        windows = Windows(series, length=3)
        train, test = windows.split(4)
        shuffled = windows.batches(2, shuffle=True, generator=torch.Generator("cpu").manual_seed(0))
        seen = sorted(first for x, _ in shuffled for first in x[0, :, 0].tolist())
        picked = windows[[5, 2]][0][0, :, 0].tolist()
        joined = len(Windows.over([series, series], length=3))
        array = Windows(np.arange(5.0), length=2)[:][0].device.type
    finally:
        torch.set_default_device(None)
    assert (seen, picked, joined, array) == ([float(s) for s in range(9)], [5, 2], 18, "cpu")
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
        ({"inputs": torch.zeros(5, 1), "length": 5}, r"5 steps hold no window of length 5 with its target 1 steps on"),
        ({"inputs": torch.zeros(5, 1), "length": 0}, "length is 0, expected a whole number of at least 1"),
        ({"inputs": torch.zeros(5, 1), "length": 2.0}, r"length is 2\.0, expected a whole number of at least 1"),
        ({"inputs": torch.zeros(5, 1), "length": 1, "shift": -1}, "shift is -1, expected a whole number of at least 0"),
        (
            {"inputs": torch.zeros(5, 1), "length": 2, "starts": torch.tensor([0, 3])},
            "starts run from 0 to 3, expected 0 to 2",
        ),
        ({"inputs": torch.zeros(5, 1), "length": 2, "starts": torch.tensor([0.0])}, r"expected torch.int64 \(M,\)"),
    ],
)
def test_sizes_are_checked_first(arguments, message):
    with pytest.raises(ValueError, match=message):
        Windows(**arguments)


def test_wrong_requests_say_so():
    windows = Windows(torch.zeros(9, 1), length=2)
    with pytest.raises(IndexError, match="there is no window 7: there are 7, counted from 0"):
        windows[7]
    with pytest.raises(TypeError, match="expected whole numbers"):
        windows[torch.ones(7, dtype=torch.bool)]
    with pytest.raises(ValueError, match="shuffling needs a generator"):
        windows.batches(2, shuffle=True)
    with pytest.raises(ValueError, match="batch_size is 0"):
        windows.batches(0)
    with pytest.raises(ValueError, match=r"batch_size is 2\.0, expected a whole number of at least 1, or None"):
        windows.batches(2.0)
    for held_out in (0, True):
        with pytest.raises(
            ValueError, match=rf"held_out is {held_out}, expected a whole .* or a fraction between 0 and"
        ):
            windows.split(held_out)
    with pytest.raises(TypeError, match="inputs are of type list, expected a tensor or a numpy array"):
        Windows([[1.0], [2.0]], length=1)
    with pytest.raises(TypeError, match="expected whole numbers"):
        windows[True]
    with pytest.raises(ValueError, match=r"held_out=1\.5: expected a fraction"):
        windows.split(1.5)
    with pytest.raises(ValueError, match=r"series 1: 2 steps hold no window of length 2"):
        Windows.over([torch.zeros(9, 1), torch.zeros(2, 1)], length=2)
    with pytest.raises(ValueError, match="got 0 input series"):
        Windows.over([], length=2)
