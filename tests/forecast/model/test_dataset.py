"""The frame and the dataset: every window is the slice of its series, and nothing made up is learnt from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.forecast.model import batches as batches_module
from gatewise.forecast.model.batches import Cuts, FixedBatches, RandomBatches, training_cuts
from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.window import FLOORS
from gatewise.windows import Difference, Scale
from tests.tolerance import assert_close
from tests.waves import STRATEGY_NAMES, noisy, series, window_scaling, with_features

LENGTHS = (60, 7, 1, 33, 120)
DIFFERENCES = [Difference(0), Difference(1), Difference(1, 1, 6)]


def ragged(lengths=LENGTHS, **parts):
    return [series((k + 1) * noisy(n, 6, seed=k), f"{k}", **parts) for k, n in enumerate(lengths)]


def small(strategy="one-step", **changes):
    """Six steps are a season, windows have 17 (12 for networks of segments and flatten) values."""
    return window_scaling(
        strategy, **{"season": 6, "context": 12, "segment": 3 if strategy == "segment" else 1, **changes}
    )


def by_hand(y, around, until=None):
    """The scaled differences of one series, and what its padding starts with, from the definitions."""
    d = np.asarray(around.difference.apply(y), float)
    known = d if until is None else d[: until - around.difference.lag]
    shift, scale = known.mean(), known.std() if known.std() > 1e-9 else 1.0
    if around.spread == "season" and len(known) > around.season:
        change = np.abs(known[around.season :] - known[: -around.season]).mean()
        scale = change if change > 1e-3 * scale else scale
    return (d - shift) / scale


def padded(d, around):
    """Windows can be cut from its middle on: values before it repeat its first season."""
    front = around.length - min(around.length, max(len(d) // 2, 1))
    season = min(len(d), around.season)
    return np.concatenate([[d[-step % season] for step in range(front, 0, -1)], d]), front


# ------------------------------------------------------------------------------------------------- the frame


def raw_windows(batch=5, length=24):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(length, batch, generator=generator, dtype=torch.float64) * 3 + 7


def test_the_spread_of_a_window_is_its_standard_deviation():
    x = raw_windows()
    made = window_scaling().window(x)
    np.testing.assert_allclose(made.shift, x.numpy().mean(0), rtol=1e-12)
    np.testing.assert_allclose(made.spread, x.numpy().std(0), rtol=1e-12)


def test_or_the_mean_change_over_a_season():
    x = raw_windows()
    made = window_scaling("segment").window(x)
    np.testing.assert_allclose(made.shift, x[-1], rtol=1e-12)
    np.testing.assert_allclose(made.spread, (x[12:] - x[:-12]).abs().mean(0), rtol=1e-12)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("kind", ["random", "constant", "season", "large"])
def test_windows_are_given_back_exactly_and_none_is_blown_up(strategy, kind):
    x = raw_windows()
    x = {
        "random": x,
        "constant": torch.full_like(x, 3.0),
        "season": (x[:12] * 1e-3).repeat(2, 1),
        "large": 1e6 + x,
    }[kind]
    around = window_scaling(strategy)
    made = around.window(x)
    np.testing.assert_allclose(made.z * made.spread + made.shift, x, rtol=1e-12)
    assert made.spread.min() >= FLOORS[around.spread] * (1 - 1e-12)
    if kind in ("constant", "season"):
        np.testing.assert_allclose(made.spread, FLOORS[around.spread])
        assert made.z.abs().max() < 1


@pytest.mark.parametrize("scale", ["standard", "none"])
def test_other_scales_leave_windows_as_they_are(scale):
    x = raw_windows()
    made = window_scaling(scale=scale).window(x)
    assert torch.equal(made.z, x)
    assert (made.shift == 0).all()
    assert (made.spread == 1).all()


@pytest.mark.parametrize("kind", ["standard", "minmax", "robust", "none"])
def test_series_have_the_scale_that_was_asked_for(kind):
    several = ragged((60, 33))
    made = Dataset.of(several, window_scaling(scale=kind, season=6), until=[40, 33])
    for k, (one, stop) in enumerate(zip(several, (40, 33), strict=True)):
        expected = Scale(kind).fit(one.y[:stop])
        np.testing.assert_allclose([made.shift[k], made.scale[k]], [expected.shift, expected.scale], rtol=1e-12)


# ------------------------------------------------------------------------------------------------- windows


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("difference", DIFFERENCES)
def test_every_window_is_the_slice_of_its_series(strategy, difference):
    around = small(strategy, difference=difference)
    several = ragged((60, 9, 8, 33, 120))
    made = Dataset.of(several, around)
    for k, one in enumerate(several):
        values, front = padded(by_hand(one.y, around), around)
        start = int(made.starts[k])
        assert int(made.ends[k]) - start == len(values)
        assert int(made.fronts[k]) - start == front
        cuts = torch.arange(start + around.length, int(made.ends[k]) + 1)
        assert len(cuts) >= 1
        expected = np.stack([values[cut - start - around.length : cut - start] for cut in cuts.tolist()], 1)
        np.testing.assert_allclose(made.raw(cuts), expected, rtol=1e-4, atol=1e-5)
        assert (made.owner(cuts) == k).all()


def test_a_single_value_is_repeated_in_front():
    made = Dataset.of([series([5.0])], small())
    np.testing.assert_array_equal(made.raw(made.ends), np.zeros((17, 1)))
    assert made.observed.tolist() == [False] * 16 + [True]
    assert made.unit.tolist() == [5.0]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.sampled_from(STRATEGY_NAMES), st.integers(0, 1))
def test_the_corpus_of_several_is_that_of_each_one(lengths, strategy, order):
    lengths = [n + order for n in lengths]
    around, several = small(strategy, difference=Difference(order)), ragged(lengths)
    made = Dataset.of(several, around)
    for k, one in enumerate(several):
        alone = Dataset.of([one], around)
        assert torch.equal(made.values[int(made.starts[k]) : int(made.ends[k])], alone.values)
        assert torch.equal(made.observed[int(made.starts[k]) : int(made.ends[k])], alone.observed)
        assert (made.shift[k], made.scale[k]) == pytest.approx((alone.shift[0], alone.scale[0]), rel=1e-9)
        assert made.unit[k] == pytest.approx(alone.unit[0], rel=1e-9)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_scales_come_only_from_before_the_limit(strategy):
    around, several = small(strategy, difference=Difference(1)), ragged((60, 33))
    changed = [replace(one, y=np.where(np.arange(len(one)) < 20, one.y, 1e5)) for one in several]
    first, other = (Dataset.of(of, around, until=[20, 20]) for of in (several, changed))
    for name in ("shift", "scale", "unit"):
        np.testing.assert_array_equal(getattr(first, name), getattr(other, name))
    for k in range(2):
        part = slice(int(first.starts[k]), int(first.fronts[k]) + 19)
        assert torch.equal(first.values[part], other.values[part])
    np.testing.assert_allclose(
        first.values[: int(first.ends[0])], padded(by_hand(several[0].y, around, 20), around)[0], rtol=1e-3, atol=1e-5
    )


def test_the_unit_is_the_naive_error():
    flat = np.full(30, 4.0)
    made = Dataset.of([series(y) for y in (noisy(30, 6), noisy(5, 6), flat, np.tile(np.arange(6.0), 5))], small())
    y, few = noisy(30, 6), noisy(5, 6)
    expected = [np.abs(y[6:] - y[:-6]).mean(), np.abs(np.diff(few)).mean(), 4.0]
    np.testing.assert_allclose(made.unit[:3], expected, rtol=1e-12)
    assert made.unit[3] == pytest.approx(np.abs(np.diff(np.tile(np.arange(6.0), 5))).mean())  # no seasonal change


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("difference", DIFFERENCES)
def test_scaled_values_after_a_cut_are_taken_back_to_the_series(strategy, difference):
    around, several = small(strategy, difference=difference), ragged((60, 33))
    made = Dataset.of(several, around)
    cuts = made.fronts + torch.tensor([31, 20]) - difference.lag
    ahead = made.values[cuts + torch.arange(5)[:, None]].T
    expected = np.stack([several[0].y[31:36], several[1].y[20:25]])
    np.testing.assert_allclose(made.original(ahead, cuts), expected, rtol=1e-4)
    np.testing.assert_allclose(made.after(cuts, 5), expected, rtol=1e-12)


def test_what_comes_after_the_end_or_was_filled_in_is_unknown():
    filled = np.zeros(33, bool)
    filled[30] = True
    one = replace(ragged((33,))[0], filled=filled)
    made = Dataset.of([one], small(difference=Difference(1)))
    known = made.after(made.fronts + 28, 6)[0]  # 29 values are known, as one is lost by the difference
    np.testing.assert_array_equal(known, [one.y[29], np.nan, one.y[31], one.y[32], np.nan, np.nan])


# ------------------------------------------------------------------------------------------------- targets


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_targets_are_the_values_on_the_scale_of_their_window(strategy):
    around, several = small(strategy), ragged((60, 33))
    made = Dataset.of(several, around)
    cuts = torch.tensor([int(made.starts[0]) + around.length + 3, int(made.ends[1]) - around.reach])
    window, (target, weight) = made.pair(cuts, made.ends)
    assert (weight == 1).all()
    restored = target * window.spread + window.shift
    for k, one in enumerate(several):
        at = int(cuts[k] - made.fronts[k])
        expected = by_hand(one.y, around)[at - around.length : at + around.reach]
        np.testing.assert_allclose(restored[:, k], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_made_up_values_and_those_beyond_the_limit_weigh_nothing(strategy):
    around = small(strategy)
    filled = np.zeros(60, bool)
    filled[[3, 40, 41]] = True
    one, short = replace(ragged((60,))[0], filled=filled), ragged((7,))[0]
    made = Dataset.of([one, short], around)
    limits = torch.stack([made.fronts[0] + 45, made.ends[1]])
    for k, (of, limit) in enumerate(((one, 45), (short, 7))):
        for cut in range(int(made.starts[k]) + around.length, int(made.ends[k]) + 1):
            _, (_, weight) = made.pair(torch.tensor([cut]), limits)
            at = cut - int(made.fronts[k]) + np.arange(-around.length, around.reach)
            there = [0 <= t < limit and not (of.filled is not None and of.filled[t]) for t in at]
            assert weight[:, 0].tolist() == there


def test_differences_of_a_filled_value_are_made_up():
    filled = np.zeros(60, bool)
    filled[20] = True
    made = Dataset.of([replace(ragged((60,))[0], filled=filled)], small(difference=Difference(1)))
    lost = (np.flatnonzero(~made.observed.numpy()) - int(made.fronts[0])).tolist()
    assert [at for at in lost if at >= 0] == [19, 20]


def test_features_stand_beside_their_values():
    rng = np.random.default_rng(0)
    several = [
        series(noisy(n, 6, k), past=rng.normal(size=(n, 2)), known=rng.normal(size=(n, 3)), static=rng.normal(size=2))
        for k, n in enumerate((40, 9))
    ]
    around = with_features(small("segment", difference=Difference(1), reach=4), several)
    made = Dataset.of(several, around)
    scaled = {
        "past": lambda one: around.features.past.apply(one.past),
        "known": lambda one: around.features.known.apply(one.known),
    }
    assert around.features.counts == (2, 3, 2)
    stacked = np.concatenate([one.past for one in several])
    np.testing.assert_allclose(around.features.past.apply(stacked).std(0), 1)
    cuts = made.ends - torch.tensor([5, 2])
    past, known, static = made.features(cuts, 4)
    for k, one in enumerate(several):
        at = int(cuts[k] - made.fronts[k]) + 1 + np.arange(-12, 4)  # rows of the series, as one is lost
        front = int(made.fronts[k] - made.starts[k])
        at = np.where(at < 1, 1 + (at - 1) % 6, at) if front else at  # the first season again in front
        at = np.minimum(at, len(one) - 1)  # the last row again beyond the end
        np.testing.assert_allclose(past[:, k], scaled["past"](one)[at[:12]], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(known[:, k], scaled["known"](one)[at], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(static[k], around.features.static.apply(one.static), rtol=1e-5)


# ------------------------------------------------------------------------------------------------- cuts


spans = st.lists(st.tuples(st.integers(0, 50), st.integers(-3, 8)), min_size=1, max_size=6)


@given(spans)
def test_cuts_are_indexed_like_the_list_of_them(pairs):
    first = torch.tensor([a for a, _ in pairs])
    cuts = Cuts(first, first + torch.tensor([n for _, n in pairs]))
    listed = [cut for a, n in pairs for cut in range(a, a + n + 1)]
    assert len(cuts) == len(listed)
    assert cuts[torch.arange(len(listed))].tolist() == listed


@given(spans, st.integers(1, 20))
def test_cuts_are_spread_evenly(pairs, most):
    first = torch.tensor([a for a, _ in pairs])
    cuts = Cuts(first, first + torch.tensor([n for _, n in pairs]))
    listed = [cut for a, n in pairs for cut in range(a, a + n + 1)]
    chosen = cuts.spread(most).tolist()
    assert len(chosen) == min(most, len(listed))
    if len(listed) <= most:
        assert chosen == listed
    elif most > 1:
        assert (chosen[0], chosen[-1]) == (listed[0], listed[-1])


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_training_cuts_keep_their_targets_below_the_limit(strategy):
    around = small(strategy)
    made = Dataset.of(ragged(), around)
    limits = made.ends - torch.tensor([10, 2, 0, 5, 100])  # of the single value nothing is left to learn
    found = training_cuts(made, limits)
    expected = []
    for start, limit in zip(made.starts.tolist(), limits.tolist(), strict=True):
        first = start + around.length
        whole = [cut for cut in range(first, limit) if cut + around.reach <= limit]
        expected += whole or [first] * (first < limit)  # as many targets as there are
    assert found[torch.arange(len(found))].tolist() == expected


# ------------------------------------------------------------------------------------------------- batches


def dealt(made, batch_size, steps, seed=0):
    cuts = training_cuts(made, made.ends)
    generator = torch.Generator().manual_seed(seed)
    return cuts, RandomBatches(made, cuts, made.ends, batch_size, steps, generator)


def watched(monkeypatch):
    seen, pair = [], Dataset.pair
    monkeypatch.setattr(Dataset, "pair", lambda self, cuts, limits: seen.append(cuts) or pair(self, cuts, limits))
    return seen


def test_a_pass_deals_every_window_once(monkeypatch):
    seen = watched(monkeypatch)
    cuts, batches = dealt(Dataset.of(ragged(), small()), 16, 50)
    for _ in range(2):
        assert len(list(batches)) == -(-len(cuts) // 16)
    half = len(seen) // 2
    first, second = torch.cat(seen[:half]), torch.cat(seen[half:])
    assert sorted(first.tolist()) == sorted(second.tolist()) == cuts[torch.arange(len(cuts))].tolist()
    assert not torch.equal(first, second)


@pytest.mark.parametrize("large", [False, True])
def test_no_more_windows_are_cut_than_are_learnt_from(monkeypatch, large):
    monkeypatch.setattr(batches_module, "MOST_PERMUTED", 10 if large else 2**20)
    seen = watched(monkeypatch)
    cuts, batches = dealt(Dataset.of(ragged(), small()), 8, 5)
    windows = list(batches)
    assert (len(batches), len(windows)) == (5, 5)
    assert [len(one) for one in seen] == [8] * 5
    assert set(torch.cat(seen).tolist()) <= set(cuts[torch.arange(len(cuts))].tolist())
    again = list(dealt(Dataset.of(ragged(), small()), 8, 5)[1])
    assert all(torch.equal(a[1], b[1]) for a, b in zip(windows, again, strict=True))


def test_listed_windows_come_in_order():
    made = Dataset.of(ragged(), small())
    cuts = training_cuts(made, made.ends).spread(50)
    batches = FixedBatches(made, cuts, batch_size=16)
    targets = torch.cat([target for _, target in batches], -1)
    assert len(batches) == len(list(batches)) == 4
    assert_close(targets, made.pair(cuts, made.ends)[1])
