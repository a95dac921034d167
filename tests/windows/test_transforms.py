"""Differences and scales invert exactly; each window is normalised on its own."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gatewise.datasets import trend
from gatewise.windows import Difference, Scale, normalise_windows, restore_windows
from tests.tolerance import assert_close

DIFFERENCES = st.builds(
    Difference, order=st.integers(0, 3), seasonal_order=st.integers(0, 2), season=st.integers(1, 12)
)


def series(elements, longest=80):
    """A difference, and a series that is longer than its lag."""
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
def test_differences_of_integers_invert_exactly(case):
    difference, y = case
    d, lag = difference.apply(y), difference.lag
    assert len(d) == len(y) - lag
    np.testing.assert_array_equal(difference.extend(d, y[:lag]), y[lag:])
    np.testing.assert_array_equal(difference.restore(d, y), y[lag:])


@given(series(REAL, longest=40))
def test_differences_of_reals_invert_up_to_rounding(case):
    difference, y = case
    d, lag = torch.from_numpy(difference.apply(y)), difference.lag
    # Summing repeats each rounding error; the tolerance is relative to the largest of these sums.
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
    extended = difference.extend(paths, y)
    assert_close(extended, torch.stack([difference.extend(path, y) for path in paths]))
    assert_close(difference.apply(torch.cat([y, extended[2]]))[-24:], paths[2])


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_small_integer_types_do_not_overflow(kind, dtype):
    y = kind([5, 3, 120, 0, 100], dtype=getattr(np if kind is np.array else torch, dtype))
    d = Difference(2).apply(y)
    assert d.tolist() == [119, -237, 220]
    assert Difference(2).extend(d, y).tolist() == [100 + 119 + 100, 319 + 219 - 237, 301 - 18 + 220]
    assert Difference().restore(y[:2], y).tolist() == [5 + 120, 3]


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_order_zero_changes_nothing(kind):
    difference, y = Difference(0), kind([3.0, 1.0])
    for unchanged in (difference.apply(y), difference.restore(y, y), difference.extend(y, y[:0])):
        assert unchanged.tolist() == [3.0, 1.0]


def test_invalid_differences():
    with pytest.raises(
        ValueError, match=r"has 13 values, expected at least 14: .* need 13 earlier values; use a longer series"
    ):
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


def test_scales_have_the_statistics_of_their_kind():
    x = np.random.default_rng(0).normal(3, 2, (101, 2))
    standard, minmax, robust = (Scale(kind).fit(x).apply(x) for kind in ("standard", "minmax", "robust"))
    np.testing.assert_allclose([standard.mean(0), standard.std(0) - 1], 0, atol=1e-12)
    assert (minmax.min(0).tolist(), minmax.max(0).tolist()) == ([0, 0], [1, 1])
    quartiles = np.quantile(robust, [0.25, 0.5, 0.75], axis=0)
    np.testing.assert_allclose([quartiles[1], quartiles[2] - quartiles[0] - 1], 0, atol=1e-12)
    torch.testing.assert_close(Scale().fit(torch.from_numpy(x)).apply(torch.from_numpy(x)), torch.from_numpy(standard))


@pytest.mark.parametrize("kind", ["standard", "minmax", "robust"])
def test_a_constant_series_has_scale_one(kind):
    """Seven times 0.1 have a standard deviation of 1e-17, which is rounding error, not variation."""
    scale = Scale(kind).fit(np.full((7, 2), [0.1, 1e9]))
    assert scale.scale.tolist() == [1, 1]


def test_robust_falls_back_where_most_values_are_equal():
    x = np.array([0.0] * 9 + [5.0])
    assert Scale("robust").fit(x).scale == x.std()


@pytest.mark.parametrize("kind", ["standard", "minmax", "robust"])
def test_small_variation_is_not_taken_for_rounding(kind):
    x = 1 + 1e-9 * np.array([-1.0, 1.0, -1.0, 1.0])
    z = Scale(kind).fit(x).apply(x)
    assert np.ptp(z) == pytest.approx({"standard": 2, "minmax": 1, "robust": 1}[kind], rel=1e-5)


def test_integers_are_scaled_as_reals():
    scale = Scale().fit(np.array([0.25, 0.5, 0.75]))
    integers = torch.tensor([0, 1, 2])
    for way in (scale.apply, scale.invert):
        assert torch.equal(way(integers), way(integers.float()))


@pytest.mark.parametrize("shape", [(3,), (4, 1), (4, 3), ()])
def test_a_different_number_of_features_is_refused(shape):
    scale = Scale().fit(np.arange(8.0).reshape(4, 2))
    for way, x in itertools.product((scale.apply, scale.invert), (np.zeros(shape), torch.zeros(shape))):
        with pytest.raises(ValueError, match=r"the scale was fitted on 2 feature\(s\); pass values \(\.\.\., 2\)"):
            way(x)
    assert scale.apply(np.zeros((5, 4, 2))).shape == (5, 4, 2)


def test_scale_keeps_precision_and_rejects_values_that_are_not_finite():
    assert Scale().fit(np.arange(5.0)).apply(torch.zeros(3)).dtype == torch.float32
    with pytest.raises(ValueError, match=r"kind is 'log', expected standard, minmax, robust or none"):
        Scale("log")
    for invalid in (np.array([]), np.array([1.0, np.nan])):
        with pytest.raises(ValueError, match="expected finite values"):
            Scale().fit(invalid)


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
def test_rounding_in_a_window_is_not_amplified(spread):
    x = torch.full((24, 2, 1), 1e4)
    x[::2, 0] = torch.nextafter(x[0, 0], torch.tensor(torch.inf))  # one rounding up and down
    x[::2, 1] += 1
    z = normalise_windows(x, spread=spread)[0].abs().amax((0, 2))
    assert z[0] < 0.2
    assert 0.9 < z[1] < 1.1


def test_normalising_rejects_unknown_options():
    with pytest.raises(ValueError, match=r"centre='first', .* expected centre 'mean', 'last' or 'none'"):
        normalise_windows(torch.zeros(3, 1, 1), centre="first")
    with pytest.raises(ValueError, match=r"shape \(3, 1\), expected windows \(T, B, C\)"):
        normalise_windows(torch.zeros(3, 1))
    for floor in (0.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="a finite floor above 0"):
            normalise_windows(torch.zeros(3, 1, 1), floor=floor)
    with pytest.raises(TypeError, match=r"x is torch.int64, expected a floating type; pass x\.float\(\)"):
        normalise_windows(torch.zeros(3, 1, 1, dtype=torch.int64))
