"""Scaling: standardization by the training sequences, clipping, and independence of units."""

import numpy as np
import pytest

from gatewise import Classifier
from gatewise.classify.labels import encode_labels, validation_mask
from tests.classify.walks import SMALL, walks


def test_predictions_do_not_depend_on_units():
    x, y = walks(60, channels=2)
    plain = Classifier(**SMALL).fit(x, y).predict_proba(x)
    factors = np.array([1e4, 1e-6])
    np.testing.assert_allclose(Classifier(**SMALL).fit(x * factors, y).predict_proba(x * factors), plain, atol=1e-3)
    unscaled = Classifier(**SMALL, scale="none").fit(x, y).predict_proba(x)
    assert not np.allclose(unscaled, plain)


@pytest.mark.parametrize(("level", "unit"), [(1e12, 1e2), (1.7e9, 1.0), (0.0, 1e-60)])
@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_small_differences_between_large_values_are_learned(level, unit, dtype):
    x, y = walks(100)
    x = np.round(1000 * x)
    moved = x * unit + level
    if np.issubdtype(dtype, np.integer) and unit < 1:
        pytest.skip("no integers")
    plain, other = (Classifier(**SMALL).fit(values, y).predict_proba(values) for values in (x, moved.astype(dtype)))
    np.testing.assert_allclose(other, plain, atol=1e-4)


def test_constant_channels_and_rare_values_give_finite_probabilities():
    x, y = walks(80, channels=3)
    x[..., 1] = 7
    x[..., 2] = 0
    x[3, 2, 2] = 1e-3  # more than 30 standard deviations away
    probabilities = Classifier(**SMALL).fit(x, y).predict_proba(x)
    assert np.isfinite(probabilities).all()


def test_the_validation_set_does_not_affect_scaling_and_training():
    x, y = walks(100)
    validation = validation_mask(encode_labels(y, 100)[1], 0.3, np.random.default_rng(0))
    other = x.copy()
    other[validation] = 50 * other[validation] + 3
    first, second = (Classifier(**SMALL, validation_fraction=0.3, patience=3).fit(values, y) for values in (x, other))
    assert first.history_.train == second.history_.train
    assert first.history_.held_out != second.history_.held_out


def test_values_are_clipped_at_ten_standard_deviations():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(40, 6, 1))
    model = Classifier(hidden_size=4, epochs=1).fit(x, np.arange(40) % 2)
    mean, spread = model._state.scaling.mean.item(), model._state.scaling.deviation.item()
    edge, far = (model.predict_proba(np.full((1, 6, 1), mean + times * spread)) for times in (10, 1e6))
    assert edge == pytest.approx(far, abs=1e-6)
    assert edge != pytest.approx(model.predict_proba(np.full((1, 6, 1), mean + 5 * spread)), abs=1e-6)
