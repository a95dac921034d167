"""Every strategy trains on every kind of series and learns from features."""

import numpy as np
import pytest

from gatewise import Forecaster
from gatewise.forecast.model.dataset import Dataset
from tests.waves import SMALL, STRATEGY_NAMES, configuration, noisy, series, table, wave, window_scaling, with_features


def test_networks_learn_from_known_features():
    """Every strategy learns a series that is a function of its known feature."""
    rng = np.random.default_rng(0)
    known = rng.normal(size=(300, 1))
    one_series = series(10 + 3 * known[:, 0], known=known)
    for strategy in STRATEGY_NAMES:
        reach = 1 if strategy == "one-step" else 3
        scaling = with_features(window_scaling(strategy, season=1, segment=1, context=8, reach=reach), [one_series])
        used = configuration(ensemble_size=1, max_steps=400, hidden_size=16, lr=1e-2)
        result = used.train_with_validation(Dataset.of([one_series], scaling))
        assert result.error < 0.5, strategy  # 0.7 without the feature, because the values are independent


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("season", [1, 7])
@pytest.mark.parametrize("difference", [0, 1])
def test_every_strategy_trains_on_every_kind_of_series(strategy, cell, season, difference):
    sizes = {"hidden_size": 4, "max_steps": 3, "ensemble_size": 1, "batch_size": 8, "horizon": 5}
    for scale in ("window", "standard", "minmax", "robust", "none"):
        model = Forecaster(
            cell, strategy=strategy, season=season, difference=difference, scale=scale, dropout=0.0, **sizes
        )
        forecast = model.fit(table(noisy(60, 7) / 50, freq="D")).predict(8)
        assert np.isfinite(forecast.iloc[:, 2:]).all(axis=None)
        assert forecast[f"{cell.upper()}-lo-95"].lt(forecast[f"{cell.upper()}-hi-95"]).all()


@pytest.mark.parametrize("context", [1, 6, 12])
@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_a_context_can_be_shorter_than_two_seasons(strategy, context):
    model = Forecaster(hidden_size=4, max_steps=3, ensemble_size=1, season=12, context=context, strategy=strategy)
    forecast = model.fit(table(noisy())).predict(15)
    assert np.isfinite(forecast.iloc[:, 2:]).all(axis=None)


def test_training_is_bounded_by_max_steps(monkeypatch):
    seen, pair = [], Dataset.pair
    monkeypatch.setattr("gatewise.forecast.model.batches.MOST_CUT_ONCE", 0)
    monkeypatch.setattr(Dataset, "pair", lambda self, cuts, limits: seen.append(len(cuts)) or pair(self, cuts, limits))
    Forecaster(**{**SMALL, "max_steps": 5}, batch_size=16, context=4).fit(wave(6000))
    assert seen == [16] * 5 + [1024] + [16] * 5  # training with a validation set, its loss, training on all data
