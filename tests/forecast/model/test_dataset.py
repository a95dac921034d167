"""Each window is a slice of its series, with its features, and only observed values are targets."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.forecast.model.dataset import Dataset
from gatewise.windows import Difference, Scale
from tests.waves import STRATEGY_NAMES, noisy, ragged_series, series, short_scaling, window_scaling, with_features

DIFFERENCES = [Difference(0), Difference(1), Difference(1, 1, 6)]


def by_hand(y, scaling, until=None):
    """The scaled differences of one series, from the definitions."""
    d = np.asarray(scaling.difference.apply(y), float)
    known = d if until is None else d[: until - scaling.difference.lag]
    shift, scale = known.mean(), known.std() if known.std() > 1e-9 else 1.0
    if scaling.spread == "season" and len(known) > scaling.season:
        change = np.abs(known[scaling.season :] - known[: -scaling.season]).mean()
        scale = change if change > 1e-3 * scale else scale
    return (d - shift) / scale


def padded(d, scaling):
    """The values with padding, which repeats the first season, so that windows can be cut from the middle on."""
    front = scaling.length - min(scaling.length, max(len(d) // 2, 1))
    season = min(len(d), scaling.season)
    return np.concatenate([[d[-step % season] for step in range(front, 0, -1)], d]), front


@pytest.mark.parametrize("kind", ["standard", "minmax", "robust", "none"])
def test_series_have_the_requested_scale(kind):
    several = ragged_series((60, 33))
    dataset = Dataset.of(several, window_scaling(scale=kind, season=6), until=[40, 33])
    for k, (one_series, stop) in enumerate(zip(several, (40, 33), strict=True)):
        expected = Scale(kind).fit(one_series.y[:stop])
        np.testing.assert_allclose([dataset.shift[k], dataset.scale[k]], [expected.shift, expected.scale], rtol=1e-12)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("difference", DIFFERENCES)
def test_each_window_is_a_slice_of_its_series(strategy, difference):
    scaling = short_scaling(strategy, difference=difference)
    several = ragged_series((60, 9, 8, 33, 120))
    dataset = Dataset.of(several, scaling)
    for k, one_series in enumerate(several):
        values, front = padded(by_hand(one_series.y, scaling), scaling)
        start = int(dataset.starts[k])
        assert int(dataset.ends[k]) - start == len(values)
        assert int(dataset.fronts[k]) - start == front
        cuts = torch.arange(start + scaling.length, int(dataset.ends[k]) + 1)
        assert len(cuts) >= 1
        expected = np.stack([values[cut - start - scaling.length : cut - start] for cut in cuts.tolist()], 1)
        np.testing.assert_allclose(dataset.raw(cuts), expected, rtol=1e-4, atol=1e-5)
        assert (dataset.owner(cuts) == k).all()


def test_a_single_value_is_repeated_in_front():
    dataset = Dataset.of([series([5.0])], short_scaling())
    np.testing.assert_array_equal(dataset.raw(dataset.ends), np.zeros((17, 1)))
    assert dataset.observed.tolist() == [False] * 16 + [True]
    assert dataset.unit.tolist() == [5.0]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.sampled_from(STRATEGY_NAMES), st.integers(0, 1))
def test_the_dataset_of_several_series_is_that_of_each(lengths, strategy, order):
    lengths = [n + order for n in lengths]
    scaling, several = short_scaling(strategy, difference=Difference(order)), ragged_series(lengths)
    dataset = Dataset.of(several, scaling)
    for k, one_series in enumerate(several):
        alone = Dataset.of([one_series], scaling)
        assert torch.equal(dataset.values[int(dataset.starts[k]) : int(dataset.ends[k])], alone.values)
        assert torch.equal(dataset.observed[int(dataset.starts[k]) : int(dataset.ends[k])], alone.observed)
        assert (dataset.shift[k], dataset.scale[k]) == pytest.approx((alone.shift[0], alone.scale[0]), rel=1e-9)
        assert dataset.unit[k] == pytest.approx(alone.unit[0], rel=1e-9)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_scales_come_only_from_before_the_limit(strategy):
    scaling, several = short_scaling(strategy, difference=Difference(1)), ragged_series((60, 33))
    changed = [
        replace(one_series, y=np.where(np.arange(len(one_series)) < 20, one_series.y, 1e5)) for one_series in several
    ]
    first, other = (Dataset.of(versions, scaling, until=[20, 20]) for versions in (several, changed))
    for name in ("shift", "scale", "unit"):
        np.testing.assert_array_equal(getattr(first, name), getattr(other, name))
    for k in range(2):
        part = slice(int(first.starts[k]), int(first.fronts[k]) + 19)
        assert torch.equal(first.values[part], other.values[part])
    np.testing.assert_allclose(
        first.values[: int(first.ends[0])], padded(by_hand(several[0].y, scaling, 20), scaling)[0], rtol=1e-3, atol=1e-5
    )


def test_the_unit_is_the_naive_error():
    flat = np.full(30, 4.0)
    dataset = Dataset.of(
        [series(y) for y in (noisy(30, 6), noisy(5, 6), flat, np.tile(np.arange(6.0), 5))], short_scaling()
    )
    y, few = noisy(30, 6), noisy(5, 6)
    expected = [np.abs(y[6:] - y[:-6]).mean(), np.abs(np.diff(few)).mean(), 4.0]
    np.testing.assert_allclose(dataset.unit[:3], expected, rtol=1e-12)
    assert dataset.unit[3] == pytest.approx(
        np.abs(np.diff(np.tile(np.arange(6.0), 5))).mean()
    )  # no change over a season


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("difference", DIFFERENCES)
def test_scaled_values_after_a_cut_invert_to_the_series(strategy, difference):
    scaling, several = short_scaling(strategy, difference=difference), ragged_series((60, 33))
    dataset = Dataset.of(several, scaling)
    cuts = dataset.fronts + torch.tensor([31, 20]) - difference.lag
    ahead = dataset.values[cuts + torch.arange(5)[:, None]].T
    expected = np.stack([several[0].y[31:36], several[1].y[20:25]])
    np.testing.assert_allclose(dataset.original(ahead, cuts), expected, rtol=1e-4)
    np.testing.assert_allclose(dataset.after(cuts, 5), expected, rtol=1e-12)


def test_values_after_the_end_and_filled_values_are_unknown():
    filled = np.zeros(33, bool)
    filled[30] = True
    one_series = replace(ragged_series((33,))[0], filled=filled)
    dataset = Dataset.of([one_series], short_scaling(difference=Difference(1)))
    known = dataset.after(dataset.fronts + 28, 6)[0]  # 29 values are known, because the difference drops one
    np.testing.assert_array_equal(known, [one_series.y[29], np.nan, one_series.y[31], one_series.y[32], np.nan, np.nan])


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_targets_are_the_values_on_the_scale_of_their_window(strategy):
    scaling, several = short_scaling(strategy), ragged_series((60, 33))
    dataset = Dataset.of(several, scaling)
    cuts = torch.tensor([int(dataset.starts[0]) + scaling.length + 3, int(dataset.ends[1]) - scaling.reach])
    window, (target, weight) = dataset.pair(cuts, dataset.ends)
    assert (weight == 1).all()
    restored = target * window.spread + window.shift
    for k, one_series in enumerate(several):
        at = int(cuts[k] - dataset.fronts[k])
        expected = by_hand(one_series.y, scaling)[at - scaling.length : at + scaling.reach]
        np.testing.assert_allclose(restored[:, k], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_padding_filled_values_and_values_beyond_the_limit_have_no_weight(strategy):
    scaling = short_scaling(strategy)
    filled = np.zeros(60, bool)
    filled[[3, 40, 41]] = True
    one_series, short = replace(ragged_series((60,))[0], filled=filled), ragged_series((7,))[0]
    dataset = Dataset.of([one_series, short], scaling)
    limits = torch.stack([dataset.fronts[0] + 45, dataset.ends[1]])
    for k, (each, limit) in enumerate(((one_series, 45), (short, 7))):
        for cut in range(int(dataset.starts[k]) + scaling.length, int(dataset.ends[k]) + 1):
            _, (_, weight) = dataset.pair(torch.tensor([cut]), limits)
            at = cut - int(dataset.fronts[k]) + np.arange(-scaling.length, scaling.reach)
            observed = [0 <= t < limit and not (each.filled is not None and each.filled[t]) for t in at]
            assert weight[:, 0].tolist() == observed


def test_differences_of_a_filled_value_are_not_observed():
    filled = np.zeros(60, bool)
    filled[20] = True
    dataset = Dataset.of([replace(ragged_series((60,))[0], filled=filled)], short_scaling(difference=Difference(1)))
    lost = (np.flatnonzero(~dataset.observed.numpy()) - int(dataset.fronts[0])).tolist()
    assert [at for at in lost if at >= 0] == [19, 20]


def test_features_are_aligned_with_their_values():
    rng = np.random.default_rng(0)
    several = [
        series(noisy(n, 6, k), past=rng.normal(size=(n, 2)), known=rng.normal(size=(n, 3)), static=rng.normal(size=2))
        for k, n in enumerate((40, 9))
    ]
    scaling = with_features(short_scaling("segment", difference=Difference(1), reach=4), several)
    dataset = Dataset.of(several, scaling)
    scaled = {
        "past": lambda one_series: scaling.features.past.apply(one_series.past),
        "known": lambda one_series: scaling.features.known.apply(one_series.known),
    }
    assert scaling.features.counts == (2, 3, 2)
    stacked = np.concatenate([one_series.past for one_series in several])
    np.testing.assert_allclose(scaling.features.past.apply(stacked).std(0), 1)
    cuts = dataset.ends - torch.tensor([5, 2])
    past, known, static = dataset.features(cuts, 4)
    for k, one_series in enumerate(several):
        at = int(cuts[k] - dataset.fronts[k]) + 1 + np.arange(-12, 4)  # rows: the difference drops one
        front = int(dataset.fronts[k] - dataset.starts[k])
        at = np.where(at < 1, 1 + (at - 1) % 6, at) if front else at  # padding repeats the first season
        at = np.minimum(at, len(one_series) - 1)  # the last row is repeated beyond the end
        np.testing.assert_allclose(past[:, k], scaled["past"](one_series)[at[:12]], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(known[:, k], scaled["known"](one_series)[at], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(static[k], scaling.features.static.apply(one_series.static), rtol=1e-5)
