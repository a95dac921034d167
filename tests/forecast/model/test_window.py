"""Each window is put on its own scale, and back."""

import numpy as np
import pytest
import torch

from gatewise.forecast.model.window import FLOORS
from tests.waves import STRATEGY_NAMES, window_scaling


def raw_windows(batch=5, length=24):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(length, batch, generator=generator, dtype=torch.float64) * 3 + 7


def test_the_std_spread_is_the_standard_deviation_of_the_window():
    x = raw_windows()
    window = window_scaling().window(x)
    np.testing.assert_allclose(window.shift, x.numpy().mean(0), rtol=1e-12)
    np.testing.assert_allclose(window.spread, x.numpy().std(0), rtol=1e-12)


def test_the_season_spread_is_the_mean_change_over_a_season():
    x = raw_windows()
    window = window_scaling("segment").window(x)
    np.testing.assert_allclose(window.shift, x[-1], rtol=1e-12)
    np.testing.assert_allclose(window.spread, (x[12:] - x[:-12]).abs().mean(0), rtol=1e-12)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("kind", ["random", "constant", "season", "large"])
def test_windows_invert_exactly_and_none_is_amplified(strategy, kind):
    x = raw_windows()
    x = {
        "random": x,
        "constant": torch.full_like(x, 3.0),
        "season": (x[:12] * 1e-3).repeat(2, 1),
        "large": 1e6 + x,
    }[kind]
    scaling = window_scaling(strategy)
    window = scaling.window(x)
    np.testing.assert_allclose(window.z * window.spread + window.shift, x, rtol=1e-12)
    assert window.spread.min() >= FLOORS[scaling.spread] * (1 - 1e-12)
    if kind in ("constant", "season"):
        np.testing.assert_allclose(window.spread, FLOORS[scaling.spread])
        assert window.z.abs().max() < 1


@pytest.mark.parametrize("scale", ["standard", "none"])
def test_other_scales_leave_windows_as_they_are(scale):
    x = raw_windows()
    window = window_scaling(scale=scale).window(x)
    assert torch.equal(window.z, x)
    assert (window.shift == 0).all()
    assert (window.spread == 1).all()
