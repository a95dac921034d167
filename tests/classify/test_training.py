"""Training: default epochs, early stopping and the best epoch."""

import numpy as np
import pytest

from gatewise import Classifier
from gatewise.classify import training
from gatewise.classify.labels import validation_mask
from gatewise.training import History
from tests.classify.walks import SMALL, walks


@pytest.mark.parametrize(("count", "batch_size", "epochs"), [(30, 8, 100), (200, 1, 38), (60, 64, 100)])
def test_default_epochs_depend_on_the_number_of_sequences(count, batch_size, epochs, monkeypatch):
    default_epochs = []
    monkeypatch.setattr(training, "fit", lambda *_, epochs, **__: default_epochs.append(epochs) or History())
    x, y = walks(count)
    Classifier(hidden_size=4, batch_size=batch_size).fit(x, y)
    assert default_epochs == [epochs]


def test_training_stops_early_and_uses_the_best_epoch():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(60, 10)), generator.integers(0, 2, 60)  # random labels: the network can only overfit
    model = Classifier(hidden_size=32, epochs=40, lr=1e-2, patience=4, validation_fraction=0.3).fit(x, y)
    assert model.history_.stopped == "patience"
    best = model.history_.best_epoch
    assert model.history_.epochs == best + 4
    validation = validation_mask(y, 0.3, np.random.default_rng(0))
    probabilities = model.predict_proba(x[validation])[np.arange(validation.sum()), y[validation]]
    assert -np.log(probabilities).mean() == pytest.approx(model.history_.held_out[best - 1], rel=1e-4)
    without_validation_set = Classifier(**SMALL, validation_fraction=0.0).fit(x, y)
    assert without_validation_set.history_.held_out == []


def test_the_best_epoch_is_used_without_patience_too():
    """The network overfits random labels: the validation loss rises after a few epochs."""
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(80, 5, 1)), generator.integers(0, 2, 80)
    model = Classifier(hidden_size=32, epochs=40, lr=0.05, batch_size=8, validation_fraction=0.25).fit(x, y)
    validation = validation_mask(y, 0.25, np.random.default_rng(0))
    probabilities = model.predict_proba(x[validation])[np.arange(validation.sum()), y[validation]]
    assert model.history_.best_epoch < 40
    assert -np.log(probabilities).mean() == pytest.approx(min(model.history_.held_out), rel=1e-4)
    assert min(model.history_.held_out) < 0.8 * model.history_.held_out[-1]


def test_patience_without_a_validation_set_is_refused():
    message = (
        "patience needs a validation set, but validation_fraction=0 of 4 sequences selects none; raise it, or leave "
        "patience out"
    )
    with pytest.raises(ValueError, match=message):
        Classifier(hidden_size=4, epochs=1, patience=2, validation_fraction=0).fit(np.eye(4), [0, 1, 0, 1])
