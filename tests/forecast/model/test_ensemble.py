"""Forecasts of an ensemble: for many windows at once, and with features."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gatewise.forecast.model import ensemble
from gatewise.forecast.model.dataset import Dataset
from gatewise.windows import Difference
from tests.waves import STRATEGY_NAMES, featured, noisy, series, untrained, window_scaling, with_features


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_fitted_is_the_first_step_from_every_window(strategy):
    several = [series(noisy(n, seed=k), k) for k, n in enumerate((120, 40))]
    model = untrained(window_scaling(strategy, difference=Difference(1)))
    dataset = Dataset.of(several, model.scaling)
    for k, fitted in enumerate(model.fitted(dataset)):
        for back in (1, 7, len(fitted)):
            first_step = model.extrapolate(dataset, dataset.ends[[k]] - back, 1)[0][0, 0]
            np.testing.assert_allclose(fitted[-back], first_step, rtol=1e-5)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_several_windows_are_extrapolated_independently(strategy, monkeypatch):
    several = [series(noisy(n, seed=k), k) for k, n in enumerate((120, 100, 33))]
    model = untrained(window_scaling(strategy))
    dataset = Dataset.of(several, model.scaling)
    cuts = torch.cat([dataset.ends, dataset.ends[:1] - 20])
    mean, spread = model.extrapolate(dataset, cuts, 20)
    for k, one_series in enumerate(several):
        alone = Dataset.of([one_series], model.scaling)
        predicted = model.extrapolate(alone, alone.ends, 20)
        np.testing.assert_allclose(mean[k], predicted[0][0], rtol=1e-5)
        np.testing.assert_allclose(spread[k], predicted[1][0], rtol=1e-4)
    cut = Dataset.of([series(several[0].y[:100])], model.scaling)
    np.testing.assert_allclose(mean[3], model.extrapolate(cut, cut.ends, 20)[0][0], rtol=1e-2)  # other floors
    monkeypatch.setattr(ensemble, "MOST_VALUES", 60)  # values, so one window at a time
    in_parts = model.extrapolate(dataset, cuts, 20)
    np.testing.assert_allclose(in_parts[0], mean, rtol=1e-5)
    np.testing.assert_allclose(in_parts[1], spread, rtol=1e-4)
    monkeypatch.undo()
    fitted = model.fitted(dataset)
    monkeypatch.setattr(ensemble, "MOST_VALUES", 60)
    for one_series, other in zip(fitted, model.fitted(dataset), strict=True):
        np.testing.assert_allclose(one_series, other, rtol=1e-5)


def forecasts(model, one_series, cut, horizon, future=None):
    dataset = Dataset.of([one_series], model.scaling)
    cuts = dataset.fronts + cut
    return model.extrapolate(dataset, cuts, horizon, None if future is None else future[None])[0][0]


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_no_value_after_the_cut_changes_a_forecast(strategy):
    one_series = featured(past=strategy != "one-step")
    model = untrained(with_features(window_scaling(strategy), [one_series]))
    base, later = forecasts(model, one_series, 60, 15), np.arange(120) >= 60
    y = np.where(later, -5.0, one_series.y)
    dataset = [Dataset.of([replace(one_series, y=values)], model.scaling, until=[60]) for values in (one_series.y, y)]
    predicted = [model.extrapolate(version, version.fronts + 60, 15)[0] for version in dataset]
    np.testing.assert_array_equal(*predicted)
    if one_series.past is not None:
        changed = replace(one_series, past=np.where(later[:, None], 9.0, one_series.past))
        np.testing.assert_array_equal(forecasts(model, changed, 60, 15), base)
        assert (forecasts(model, replace(one_series, past=one_series.past + 1), 60, 15) != base).any()
    beyond = replace(one_series, known=np.where((np.arange(120) >= 75)[:, None], 9.0, one_series.known))
    np.testing.assert_array_equal(forecasts(model, beyond, 60, 15), base)


@pytest.mark.parametrize(("strategy", "changes"), [("one-step", range(7, 15)), ("segment", range(6, 12))])
def test_a_known_feature_acts_from_its_step_or_segment_on(strategy, changes):
    one_series = featured(past=False)
    model = untrained(with_features(window_scaling(strategy), [one_series]))
    known = one_series.known.copy()
    known[67, 0] += 5  # the eighth step ahead
    base, other = (forecasts(model, replace(one_series, known=values), 60, 15) for values in (one_series.known, known))
    assert np.flatnonzero(base != other).tolist() == list(changes)


def test_a_known_feature_acts_on_all_steps_in_flatten():
    one_series = featured()
    model = untrained(with_features(window_scaling("flatten"), [one_series]))
    known = one_series.known.copy()
    known[67, 0] += 5
    base, other = (forecasts(model, replace(one_series, known=values), 60, 15) for values in (one_series.known, known))
    assert (base != other).all()


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_a_given_future_replaces_the_missing_rows(strategy):
    one_series = featured(past=strategy != "one-step")
    model = untrained(with_features(window_scaling(strategy), [one_series]))
    past = None if one_series.past is None else one_series.past[:90]
    cut_off = replace(one_series, y=one_series.y[:90], ds=one_series.ds[:90], known=one_series.known[:90], past=past)
    scale = Dataset.of([one_series], model.scaling, until=[90])
    within = model.extrapolate(scale, scale.fronts + 90, 30)[0][0]
    np.testing.assert_allclose(forecasts(model, cut_off, 90, 30, one_series.known[90:]), within, rtol=1e-5)
    assert (forecasts(model, cut_off, 90, 30) != within).any()
    repeated = one_series.known[90:].copy()
    repeated[20:] = repeated[19]  # the last row is repeated beyond the horizon
    predicted = forecasts(model, cut_off, 90, 20, one_series.known[90:110])
    np.testing.assert_allclose(predicted, forecasts(model, cut_off, 90, 30, repeated)[:20], rtol=1e-5)
    static = replace(one_series, static=one_series.static + 1)
    assert (forecasts(model, static, 60, 3) != forecasts(model, one_series, 60, 3)).all()


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_each_series_has_its_own_future_also_in_batches(strategy, monkeypatch):
    several = [featured(n, past=False, seed=n) for n in (120, 60)]
    model = untrained(with_features(window_scaling(strategy), several))
    dataset = Dataset.of(several, model.scaling)
    future = np.random.default_rng(0).normal(size=(2, 15, 2))
    extrapolated = model.extrapolate(dataset, dataset.ends, 15, future)[0]
    for k, one_series in enumerate(several):
        np.testing.assert_allclose(
            extrapolated[k], forecasts(model, one_series, len(one_series), 15, future[k]), rtol=1e-5
        )
    monkeypatch.setattr(ensemble, "MOST_VALUES", 60)
    np.testing.assert_allclose(model.extrapolate(dataset, dataset.ends, 15, future)[0], extrapolated, rtol=1e-5)


@pytest.mark.parametrize("strategy", ["segment", "flatten"])
def test_scales_stay_within_those_of_the_validation_set(strategy):
    """A level shift after the validation set makes the networks' scales neither huge nor tiny."""
    calm = noisy(200)
    shifted = calm.copy()
    shifted[190:] += 500
    model = untrained(window_scaling(strategy), spread=1.0)
    before, after = (Dataset.of([series(y)], model.scaling, [160]) for y in (calm, shifted))
    cuts = before.ends - torch.arange(15, 40)
    bounded = model.with_bounded_scales(before, cuts, 1e9)

    def log_scales(ensemble, dataset, cuts):
        spread = ensemble.extrapolate(dataset, cuts, model.scaling.reach)[1]
        window = model.scaling.window(dataset.raw(cuts)).spread.double().numpy() * dataset.scale
        return np.log(spread / window[:, None])

    known = log_scales(model, before, cuts)
    low, high = np.percentile(known, [2, 98], axis=0)
    np.testing.assert_allclose(bounded.log_scales, [low, high], atol=1e-4)
    free, limited = (log_scales(ensemble, after, after.ends) for ensemble in (model, bounded))
    assert ((free < low) | (free > high)).any()
    np.testing.assert_allclose(limited, np.clip(free, low, high), atol=1e-4)
    few = model.with_bounded_scales(before, cuts, 10.0).log_scales
    middle = np.median(known, axis=0)
    np.testing.assert_allclose(few, [(low + middle) / 2, (high + middle) / 2], atol=1e-4)


def test_an_ensemble_without_scales_has_no_bounds():
    model = untrained(window_scaling("one-step"))
    dataset = Dataset.of([series(noisy())], model.scaling)
    assert model.with_bounded_scales(dataset, dataset.ends, 10.0).log_scales is None
