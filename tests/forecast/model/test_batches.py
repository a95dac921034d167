"""Cuts of windows, random batches and fixed batches."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gatewise.forecast.model import batches as batches_module
from gatewise.forecast.model.batches import Cuts, FixedBatches, RandomBatches, training_cuts
from gatewise.forecast.model.dataset import Dataset
from tests.tolerance import assert_close
from tests.waves import STRATEGY_NAMES, featured, ragged_series, short_scaling, with_features

spans = st.lists(st.tuples(st.integers(0, 50), st.integers(-3, 8)), min_size=1, max_size=6)


@given(spans)
def test_cuts_are_indexed_like_a_list(pairs):
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
    scaling = short_scaling(strategy)
    dataset = Dataset.of(ragged_series(), scaling)
    limits = dataset.ends - torch.tensor([10, 2, 0, 5, 100])  # no target remains in the single value
    result = training_cuts(dataset, limits)
    expected = []
    for start, limit in zip(dataset.starts.tolist(), limits.tolist(), strict=True):
        first = start + scaling.length
        complete = [cut for cut in range(first, limit) if cut + scaling.reach <= limit]
        expected += complete or [first] * (first < limit)  # as many targets as possible
    assert result[torch.arange(len(result))].tolist() == expected


def random_batches(dataset, batch_size, steps, seed=0):
    cuts = training_cuts(dataset, dataset.ends)
    generator = torch.Generator().manual_seed(seed)
    return cuts, RandomBatches(dataset, cuts, dataset.ends, batch_size, steps, generator)


def record_cuts(monkeypatch):
    recorded, pair = [], Dataset.pair
    monkeypatch.setattr(Dataset, "pair", lambda self, cuts, limits: recorded.append(cuts) or pair(self, cuts, limits))
    return recorded


def test_a_pass_holds_every_window_once(monkeypatch):
    monkeypatch.setattr(batches_module, "MOST_CUT_ONCE", 0)
    recorded = record_cuts(monkeypatch)
    dataset = Dataset.of(ragged_series(), short_scaling())
    steps = -(-len(training_cuts(dataset, dataset.ends)) // 16)
    cuts, batches = random_batches(dataset, 16, 2 * steps)
    assert len(list(batches)) == 2 * steps
    half = len(recorded) // 2
    first, second = torch.cat(recorded[:half]), torch.cat(recorded[half:])
    assert sorted(first.tolist()) == sorted(second.tolist()) == cuts[torch.arange(len(cuts))].tolist()
    assert not torch.equal(first, second)


@pytest.mark.parametrize("large", [False, True])
def test_no_more_windows_are_cut_than_are_trained_on(monkeypatch, large):
    monkeypatch.setattr(batches_module, "MOST_PERMUTED", 10 if large else 2**20)
    monkeypatch.setattr(batches_module, "MOST_CUT_ONCE", 0)
    recorded = record_cuts(monkeypatch)
    cuts, batches = random_batches(Dataset.of(ragged_series(), short_scaling()), 8, 5)
    windows = list(batches)
    assert (len(batches), len(windows)) == (5, 5)
    assert [len(cuts_of_batch) for cuts_of_batch in recorded] == [8] * 5
    assert set(torch.cat(recorded).tolist()) <= set(cuts[torch.arange(len(cuts))].tolist())
    repeated = list(random_batches(Dataset.of(ragged_series(), short_scaling()), 8, 5)[1])
    assert all(torch.equal(a[1], b[1]) for a, b in zip(windows, repeated, strict=True))


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("batch_size", [8, 16])
def test_windows_cut_once_are_those_cut_for_each_batch(monkeypatch, strategy, batch_size):
    several = [featured(seed=seed) for seed in range(2)]
    dataset = Dataset.of(several, with_features(short_scaling(strategy), several))
    _, once = random_batches(dataset, batch_size, 30)
    recorded = record_cuts(monkeypatch)
    windows = list(once)
    assert recorded == []
    monkeypatch.setattr(batches_module, "MOST_CUT_ONCE", 0)
    for (window, target), (other, expected) in zip(windows, random_batches(dataset, batch_size, 30)[1], strict=True):
        assert_close(target, expected)
        for part, expected_part in zip(window, other, strict=True):
            if part is None or expected_part is None:
                assert part is expected_part
            else:
                assert_close(part, expected_part)


def test_a_batch_that_holds_all_windows_is_cut_once(monkeypatch):
    recorded = record_cuts(monkeypatch)
    cuts, batches = random_batches(Dataset.of(ragged_series(), short_scaling()), 1000, 7)
    windows = list(batches)
    assert len(windows) == 7
    assert [len(cuts_of_batch) for cuts_of_batch in recorded] == [len(cuts)]
    assert all(window is windows[0] for window in windows)


def test_fixed_batches_keep_the_order():
    dataset = Dataset.of(ragged_series(), short_scaling())
    cuts = training_cuts(dataset, dataset.ends).spread(50)
    batches = FixedBatches(dataset, cuts, batch_size=16)
    targets = torch.cat([target for _, target in batches], -1)
    assert len(batches) == len(list(batches)) == 4
    assert_close(targets, dataset.pair(cuts, dataset.ends)[1])
