"""Metrics compared with numbers worked by hand, an independent computation in plain Python, and their properties."""

import math
import statistics

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gatewise.metrics import coverage, crps, interval_score, mae, mase, mse, msis, pinball, rmse, smape

numbers = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
pairs = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30).map(lambda rows: tuple(zip(*rows, strict=True)))
scales = st.floats(0.01, 100)

Y, F = [2.0, 0.0, -4.0, 10.0], [3.0, 0.0, 4.0, 6.0]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (mae, (1 + 0 + 8 + 4) / 4),
        (mse, (1 + 0 + 64 + 16) / 4),
        (rmse, (81 / 4) ** 0.5),
        (smape, (200 / 5 + 0 + 200 + 200 * 4 / 16) / 4),
    ],
)
@pytest.mark.parametrize("convert", [list, np.array, torch.tensor, lambda v: torch.tensor(v, requires_grad=True)])
def test_values_worked_by_hand(score, expected, convert):
    result = score(convert(Y), convert(F))
    assert type(result) is float
    assert result == pytest.approx(expected, rel=1e-12)


def test_mase_worked_by_hand():
    train = [1.0, 5.0, 2.0, 8.0, 4.0, 9.0]  # season 2: |2-1|, |8-5|, |4-2|, |9-8|; season 1: 4, 3, 6, 4, 5
    assert mase([10.0, 6.0], [7.0, 5.0], train=train, season=2) == pytest.approx(2.0 / (7 / 4))
    assert mase([10.0, 6.0], [7.0, 5.0], train=train) == pytest.approx(2.0 / (22 / 5))


def test_seasonal_naive_over_its_own_past_has_mase_one():
    train = np.random.default_rng(0).normal(size=60)
    assert mase(train[12:], train[:-12], train=train, season=12) == pytest.approx(1.0)


def test_interval_scores_worked_by_hand():
    y, lo, hi = [0.0, 5.0, 12.0], [1.0, 1.0, 1.0], [11.0, 11.0, 11.0]
    assert coverage(y, lo, hi) == pytest.approx(1 / 3)
    assert interval_score(y, lo, hi, level=95) == pytest.approx(10 + 2 / 0.05 * 2 / 3)
    assert pinball([0.0, 5.0], [1.0, 1.0], quantile=0.9) == pytest.approx((0.1 * 1 + 0.9 * 4) / 2)


def test_msis_worked_by_hand():
    train = [1.0, 5.0, 2.0, 8.0, 4.0, 9.0]  # season 2: 7 / 4
    y, lo, hi = [0.0, 5.0, 12.0], [1.0, 1.0, 1.0], [11.0, 11.0, 11.0]
    expected = (10 + 2 / 0.05 * (1 + 0 + 1) / 3) / (7 / 4)
    assert msis(y, lo, hi, level=95, train=train, season=2) == pytest.approx(expected)
    assert msis(y, lo, hi, level=95, train=[0.0, 1.0]) == pytest.approx(expected * 7 / 4)


def test_crps_worked_by_hand():
    quantiles = {0.1: [0.0, 2.0], 0.5: [1.0, 3.0], 0.9: [4.0, 5.0]}  # y = 2, 1: 0.2, 0.9; 0.5, 1.0; 0.2, 0.4
    assert crps([2.0, 1.0], quantiles) == pytest.approx(2 * (0.2 + 0.9 + 0.5 + 1.0 + 0.2 + 0.4) / 6)


@given(pairs)
def test_a_point_forecast_has_its_absolute_error_as_crps(pair):
    y, f = pair
    assert crps(y, dict.fromkeys((0.025, 0.1, 0.5, 0.9, 0.975), f)) == pytest.approx(mae(y, f))
    assert crps(y, {0.5: f}) == pytest.approx(mae(y, f))


@pytest.mark.parametrize("y", [-2.0, 0.0, 0.7])
def test_crps_by_many_quantiles_is_that_of_the_normal_distribution(y):
    normal = statistics.NormalDist()
    quantiles = (np.arange(1000) + 0.5) / 1000
    score = crps([y], {q: [normal.inv_cdf(q)] for q in quantiles})
    # Gneiting and Raftery (2007), the closed form below equation 21
    expected = y * (2 * normal.cdf(y) - 1) + 2 * normal.pdf(y) - 1 / math.sqrt(math.pi)
    assert score == pytest.approx(expected, rel=2e-3)


@given(pairs)
def test_scores_agree_with_plain_python(pair):
    y, f = pair
    gaps = [abs(a - b) for a, b in zip(y, f, strict=True)]
    assert mae(y, f) == pytest.approx(statistics.fmean(gaps))
    assert rmse(y, f) ** 2 == pytest.approx(mse(y, f)) == pytest.approx(statistics.fmean(g * g for g in gaps))
    assert 0 <= mae(y, f) <= rmse(y, f) * (1 + 1e-12)
    assert pinball(y, f, quantile=0.5) == pytest.approx(mae(y, f) / 2)


@given(pairs, scales)
def test_smape_is_symmetric_bounded_and_free_of_units(pair, scale):
    y, f = map(np.array, pair)
    assert smape(y, f) == pytest.approx(smape(f, y)) == pytest.approx(smape(scale * y, scale * f))
    assert 0 <= smape(y, f) <= 200 * (1 + 1e-12)


def test_smape_of_the_largest_numbers():
    assert smape([1.7e308, 1e308, 0.0], [-1.7e308, 1e308, 0.0]) == pytest.approx(200 / 3)


@given(pairs, scales, numbers)
def test_mase_is_free_of_units_and_of_the_origin(pair, scale, cutoff):
    y, f = map(np.array, pair)
    train = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
    moved = mase(scale * y + cutoff, scale * f + cutoff, train=scale * train + cutoff, season=2)
    assert moved == pytest.approx(mase(y, f, train=train, season=2), rel=1e-4, abs=1e-4)


@given(pairs)
def test_coverage_limits(pair):
    y = np.array(pair[0])
    assert coverage(y, y, y) == 1.0
    assert coverage(y, y - 1, y + 1) == 1.0
    assert coverage(y, y + 1, y + 2) == 0.0
    assert interval_score(y, y - 1, y + 1, level=80) == pytest.approx(2.0)


def test_the_interval_score_is_the_mean_of_the_two_pinball_losses():
    rng = np.random.default_rng(1)
    y, lo, hi = rng.normal(size=50), np.full(50, -0.5), np.full(50, 1.0)
    losses = pinball(y, lo, quantile=0.1) + pinball(y, hi, quantile=0.9)
    assert interval_score(y, lo, hi, level=80) == pytest.approx(losses * 2 / 0.2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: mae([1.0, 2.0], [1.0]),
            ValueError,
            r"f has shape \(1,\), expected \(2,\) like y; shapes are not broadcast",
        ),
        (lambda: mae([[1.0], [2.0]], [1.0, 2.0]), ValueError, r"f has shape \(2,\), expected \(2, 1\) like y"),
        (lambda: mae([], []), ValueError, r"y is empty \(shape \(0,\)\), expected one value or more"),
        (lambda: mse([1.0, float("nan")], [1.0, 2.0]), ValueError, r"y\[1\] is nan, .* drop or fill the 1 such value"),
        (lambda: rmse([[1.0, 2.0]], [[1.0, float("-inf")]]), ValueError, r"f\[0, 1\] is -inf, expected finite"),
        (lambda: smape([1.0, None], [1.0, 2.0]), ValueError, r"y\[1\] is nan"),
        (lambda: mae(["1.0"], [1.0]), TypeError, "y must hold real numbers in a rectangular shape: got <U3"),
        (lambda: mae(np.array(["2020-01"], "datetime64[M]"), [1.0]), TypeError, r"y must hold .* got datetime64\[M\]"),
        (lambda: mae(np.array(["1.0"], object), [1.0]), TypeError, "y must hold real numbers .* got text"),
        (lambda: mae([1.0], torch.tensor([1j])), TypeError, "f must hold real numbers .* got torch.complex64"),
        (
            lambda: mae(np.ma.masked_values([1.0, 9.0], 9.0), [1.0, 1.0]),
            TypeError,
            "y must hold .* masked array; pass the unm",
        ),
        (lambda: mase([1.0], [1.0], train=[0.3, 0.1 + 0.2] * 5), ValueError, "repeats itself .* 0 up to rounding"),
        (lambda: mae([1.0], [1j]), TypeError, "f must hold real numbers"),
        (lambda: mae([[1.0], [1.0, 2.0]], [1.0]), TypeError, "y must hold real numbers in a rectangular shape"),
        (lambda: mase([1.0], [1.0], train=[1.0, 2.0], season=2), ValueError, "train has 2 values, .* at least 3"),
        (
            lambda: mase([1.0], [1.0], train=[1.0, 2.0, 1.0], season=2),
            ValueError,
            "repeats itself every 2 step.* use mae",
        ),
        (lambda: mase([1.0], [1.0], train=[1.0, 2.0], season=0), ValueError, "season is 0, expected an integer"),
        (
            lambda: mase([1.0], [1.0], train=[[1.0, 2.0]]),
            ValueError,
            r"train has shape \(1, 2\), expected one dimension",
        ),
        (lambda: mase([1.0], [1.0], train=[1.0, float("inf")]), ValueError, r"train\[1\] is inf"),
        (lambda: coverage([1.0], [2.0], [0.0]), ValueError, r"lo\[0\] is 2, above hi\[0\] = 0; swap the bounds"),
        (lambda: coverage([1.0], [2.0], [3.0, 4.0]), ValueError, r"hi has shape \(2,\), expected \(1,\) like y"),
        (lambda: interval_score([1.0], [0.0], [2.0], level=100), ValueError, "level is 100, expected a percentage"),
        (
            lambda: msis([1.0], [0.0], [2.0], level=100, train=[1.0, 2.0]),
            ValueError,
            "level is 100, expected a percent",
        ),
        (lambda: msis([1.0], [2.0], [0.0], level=80, train=[1.0, 2.0]), ValueError, r"lo\[0\] is 2, above hi\[0\] = 0"),
        (
            lambda: msis([1.0], [0.0], [2.0], level=80, train=[1.0, 1.0]),
            ValueError,
            "train repeats itself every 1 step",
        ),
        (lambda: crps([1.0], {}), ValueError, "quantiles is empty, expected one or more, such as {0.1: low"),
        (lambda: crps([1.0], {1.5: [1.0]}), ValueError, "quantile is 1.5, expected a number between 0 and 1"),
        (lambda: pinball([1.0], [0.0], quantile=1.0), ValueError, "quantile is 1.0, expected a number between 0 and 1"),
    ],
)
def test_invalid_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
