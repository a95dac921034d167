"""Control charts."""

import numpy as np
import pytest

from gatewise import datasets
from gatewise.datasets import control_charts


def test_control_charts_follow_their_equations():
    charts = control_charts(each=200, seed=3)
    x = charts.x[..., 0].reshape(6, 200, 60)
    assert charts.y[::200].tolist() == list(datasets.charts.CHARTS)
    normal, cyclic, rising, falling, upward, downward = x
    assert np.abs(normal - 30).max() <= 6
    assert (normal - 30).std() == pytest.approx(np.sqrt(12), rel=0.02)  # 2 times a uniform variable in [-3, 3]
    slopes = [np.polyfit(np.arange(60), row, 1)[0] for row in rising]
    assert np.mean(slopes) == pytest.approx(0.35, abs=0.02)
    assert 0.1 < min(slopes) < max(slopes) < 0.6
    assert np.mean(falling[:, -1] - falling[:, 0]) == pytest.approx(-0.35 * 59, rel=0.05)
    steps = upward[:, 45:].mean(1) - upward[:, :15].mean(1)
    assert 5 < steps.min() < steps.max() < 23
    assert np.mean(downward[:, 45:] - downward[:, :15]) == pytest.approx(-13.75, rel=0.05)
    spectrum = np.abs(np.fft.rfft(cyclic - cyclic.mean(1, keepdims=True))).argmax(1)
    assert set(spectrum.tolist()) <= {4, 5, 6}  # periods of 10 to 15 steps in 60


@pytest.mark.parametrize("each", [0, -1, 1.5, "3", True])
def test_an_invalid_number_of_charts_is_refused(each):
    with pytest.raises(ValueError, match="each is"):
        control_charts(each)


def test_control_charts_are_reproducible():
    assert (control_charts(5).x == control_charts(5).x).all()
    assert (control_charts(5).x != control_charts(5, seed=1).x).any()
    assert control_charts(1).x[0, :2, 0].tolist() == pytest.approx([27.174667345, 33.290804273])
