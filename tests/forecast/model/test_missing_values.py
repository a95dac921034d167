"""The network inputs of series with missing values."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.scales import is_moving, mean_changes, naive_errors, series_scales
from gatewise.forecast.model.validation_set import after_observed
from gatewise.series.gaps import carried, mask_features
from gatewise.windows import Difference
from tests.waves import STRATEGY_NAMES, noisy, series, untrained, window_scaling

GAPS = np.random.default_rng(1).random(120) < 0.25
GAPS[[0, -1]], GAPS[60:75], GAPS[-3:] = False, True, True


def masked(y=None, missing=GAPS):
    y = noisy() if y is None else y
    return series(carried(np.where(missing, np.nan, y), missing), filled=missing, masked=True)


def scaling_of(strategy, **changes):
    return replace(window_scaling(strategy, **changes), masked=True)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_windows_hold_earlier_values_and_the_mask(strategy):
    scaling, one_series = scaling_of(strategy), masked()
    dataset = Dataset.of([one_series], scaling)
    cuts = dataset.fronts + torch.tensor([70, 80, 100])
    window, (target, weight) = dataset.pair(cuts, dataset.ends)
    seasonal = carried(one_series.y, GAPS, 12)
    for k, cut in enumerate((70, 80, 100)):
        at = slice(cut - scaling.length, cut)
        np.testing.assert_allclose(window.past[:, k], mask_features(GAPS)[at], rtol=1e-6)
        scaled = window.z[:, k] * window.spread[k] + window.shift[k]
        expected = torch.from_numpy((one_series.y[at] - dataset.shift[0]) / dataset.scale[0]).float()
        torch.testing.assert_close(scaled, expected, rtol=1e-4, atol=1e-4)
        base = window.base[:, k] * window.spread[k] + window.shift[k]
        expected = torch.from_numpy((seasonal[at] - dataset.shift[0]) / dataset.scale[0]).float()
        torch.testing.assert_close(base, expected, rtol=1e-4, atol=1e-4)
        after = slice(cut - scaling.length, cut + scaling.reach)
        assert weight[:, k].tolist() == (~GAPS[after]).tolist()
    assert torch.isfinite(target).all()


@pytest.mark.parametrize("lag", [0, 1, 12])
@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_nothing_depends_on_a_later_value(strategy, lag):
    difference = {0: Difference(0), 1: Difference(1), 12: Difference(0, 1, 12)}[lag]
    scaling = scaling_of(strategy, difference=difference)
    model = untrained(scaling)
    changed = noisy()
    changed[75:] *= 5  # the first values after the long gap
    before, after = (Dataset.of([masked(y)], scaling, [60]) for y in (noisy(), changed))
    for cut in (60, 66, 75):
        cuts = before.fronts + cut - lag
        for x, y in zip(model.extrapolate(before, cuts, 20), model.extrapolate(after, cuts, 20), strict=True):
            assert x.tobytes() == y.tobytes()
    last = before.fronts + 100 - lag
    assert not np.allclose(model.extrapolate(before, last, 3)[0], model.extrapolate(after, last, 3)[0])


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_values_in_a_gap_are_not_read(strategy):
    scaling = scaling_of(strategy)
    model, one_series = untrained(scaling), masked()
    other = replace(one_series, y=np.where(GAPS, 1e6, one_series.y))
    first, second = (model.extrapolate(dataset, dataset.ends, 20)[0] for dataset in map(_prepared, (one_series, other)))
    assert first.tobytes() == second.tobytes()


def _prepared(one_series, scaling=None):
    return Dataset.of([one_series], scaling or scaling_of("one-step"))


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_forecasts_that_are_fed_back_count_as_observed(strategy):
    scaling = scaling_of(strategy)
    model, one_series = untrained(scaling), masked()
    reach = scaling.reach
    dataset = _prepared(replace(one_series), scaling)
    together, _ = model.extrapolate(dataset, dataset.ends, 2 * reach)
    longer = series(
        np.append(one_series.y, together[0, :reach]), filled=np.append(GAPS, np.zeros(reach, bool)), masked=True
    )
    extended = Dataset.of([longer], scaling, [120])
    second, _ = model.extrapolate(extended, extended.ends, reach)
    np.testing.assert_allclose(second[0], together[0, reach:], rtol=1e-4)


def test_the_network_reads_the_mask():
    scaling, observed = scaling_of("segment"), np.zeros(120, bool)
    model = untrained(scaling)
    gap = observed.copy()
    gap[-20:-4] = True
    y = np.where(gap, 50.0, 50 + np.arange(120) % 12)
    y[-21] = 50.0
    whole = series(y, filled=observed, masked=True)
    forecasts = [
        model.extrapolate(data, data.ends, 5)[0]
        for data in (_prepared(one, scaling) for one in (whole, masked(y, gap)))
    ]
    assert not np.allclose(*forecasts)


def test_the_spread_of_a_window_counts_observed_pairs():
    scaling = scaling_of("segment")
    dataset = _prepared(masked(), scaling)
    cut = dataset.fronts + 90
    window = scaling.window(dataset.raw(cut), dataset.features(cut, 0)[0])
    y, seen = dataset.raw(cut)[:, 0].numpy(), ~GAPS[90 - scaling.length : 90]
    changes = [abs(y[t] - y[t - 12]) if seen[t] and seen[t - 12] else 1.0 for t in range(12, len(y))]
    assert window.spread.item() == pytest.approx(max(np.mean(changes), 0.1), rel=1e-4)


@pytest.mark.parametrize(("first", "last"), [(0, 0), (1, 20), (1, 24), (0, 24)])
def test_mean_and_deviation_of_a_window_are_those_of_observed_values(first, last):
    scaling, missing = scaling_of("flatten"), np.zeros(120, bool)
    missing[60 + first : 60 + last] = True
    dataset = _prepared(masked(missing=missing), scaling)
    cut = dataset.fronts + 84
    window = scaling.window(dataset.raw(cut), dataset.features(cut, 0)[0])
    observed = dataset.raw(cut)[:, 0].numpy()[~missing[60:84]]
    mean = observed.mean() if len(observed) else dataset.raw(cut)[-1, 0]
    assert window.shift.item() == pytest.approx(float(mean), abs=1e-6)
    assert window.spread.item() == pytest.approx(float(observed.std()) if len(observed) > 3 else 1.0, rel=1e-5)
    np.testing.assert_allclose(window.z * window.spread + window.shift, dataset.raw(cut), rtol=1e-5, atol=1e-6)


def test_scales_count_observed_values():
    y = noisy()
    gappy = np.where(GAPS, np.nan, y)
    for lag in (1, 12):
        pairs = [abs(y[t] - y[t - lag]) for t in range(lag, 120) if not GAPS[t] and not GAPS[t - lag]]
        assert mean_changes([gappy, y], lag)[0] == pytest.approx(np.mean(pairs))
        assert mean_changes([gappy, y], lag)[1] == mean_changes([y], lag)[0]
    assert naive_errors([gappy], 12)[0] == mean_changes([gappy], 12)[0]
    every_second = np.where(np.arange(20) % 2, np.nan, np.arange(20.0))
    assert is_moving([every_second]).tolist() == [True]
    assert naive_errors([every_second], 1)[0] == 2  # no pairs of neighbours: between consecutive observed values
    shift, scale = series_scales([gappy], window_scaling(scale="standard"))
    assert (shift[0], scale[0]) == (pytest.approx(y[~GAPS].mean()), pytest.approx(y[~GAPS].std()))
    shift, scale = series_scales([gappy], window_scaling(scale="minmax"))
    assert (shift[0], scale[0]) == (pytest.approx(y[~GAPS].min()), pytest.approx(np.ptp(y[~GAPS])))


def test_every_cutoff_is_measured_and_only_observed_values_count():
    dataset = _prepared(masked(), scaling_of("segment"))
    cuts = dataset.fronts + torch.arange(60, 115)
    assert after_observed(dataset, cuts).tolist() == cuts.tolist()
    errors = dataset.after(cuts, 3)
    for k, cut in enumerate(range(60, 115)):
        assert np.isnan(errors[k]).tolist() == GAPS[cut : cut + 3].tolist()
