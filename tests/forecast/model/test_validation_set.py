"""The validation set: naive errors of the past, and the dates at which forecasts of different series start."""

import numpy as np
import pandas as pd
import pytest
import torch

from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.validation_set import ValidationSet
from gatewise.series import Series
from gatewise.windows import Difference
from tests.waves import noisy, series, window_scaling


@pytest.mark.parametrize("season", [1, 12])
def test_the_past_is_compared_with_the_validation_set(season):
    y = noisy() * np.where(np.arange(120) < 90, 1.0, 3.0)
    scaling = window_scaling("one-step", scale="standard", season=season, difference=Difference(0))
    dataset = Dataset.of([series(y)], scaling)
    validation = ValidationSet(dataset, 0.2)
    cuts, steps = validation.cutoffs()

    def size(cutoffs):
        return np.mean([np.abs(y[c : c + steps] - np.resize(y[c - season : c], steps)).mean() for c in cutoffs])

    first = int(dataset.starts[0] + scaling.length - dataset.fronts[0])
    everywhere = size(range(max(first, season), 120 - steps + 1))
    here = size((cuts - dataset.fronts[0]).tolist())
    assert validation.past(cuts, steps) == pytest.approx(everywhere / here)
    assert everywhere < here


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_the_correlation_is_that_of_errors_at_the_same_dates(zone):
    """One series starts 50 days later than the other; the same error happens at the same dates."""
    generator = np.random.default_rng(0)
    common, dates = generator.normal(size=300), pd.date_range("2020-01-01", periods=300, tz=zone)
    several = [
        Series("A", dates, common + 0.1 * generator.normal(size=300)),
        Series("B", dates[50:], common[50:] + 0.1 * generator.normal(size=250)),
        Series("C", dates[50:], common[50:] + 0.1 * generator.normal(size=250)),
    ]
    dataset = Dataset.of(several, window_scaling("one-step", season=1, context=4))
    validation = ValidationSet(dataset, 0.2)
    starts = [int(dataset.fronts[k]) + n - 40 for k, n in enumerate((300, 250, 250))]
    cuts = torch.cat([torch.arange(a, a + 36) for a in starts])
    errors, spreads = dataset.after(cuts, 4), np.ones((len(cuts), 1))
    assert validation.calibration(cuts, errors, spreads).rho > 0.9
    shifted = torch.cat([torch.arange(a - k * 60, a - k * 60 + 36) for k, a in enumerate(starts)])
    assert validation.calibration(shifted, dataset.after(shifted, 4), spreads).rho < 0.3
