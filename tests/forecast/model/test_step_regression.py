"""The step regression against generalised least squares on the values themselves."""

import numpy as np
import pytest

from gatewise.forecast.model import step_regression
from gatewise.forecast.model.step_regression import best_step, step


def least_squares(x, season, position):
    """Size of the step and sum of squares with white noise: ordinary least squares with trend and season."""
    time = np.arange(len(x))
    design = np.column_stack([np.eye(season)[time % season], time, time >= position])
    coefficients, squares, *_ = np.linalg.lstsq(design, x)
    return coefficients[-1], squares[0]


@pytest.mark.parametrize("season", [1, 4])
def test_with_white_noise_it_is_ordinary_least_squares(season, monkeypatch):
    monkeypatch.setattr(step_regression, "MOVING_AVERAGE", (1.0,))
    monkeypatch.setattr(step_regression, "SMOOTH", ())
    step_regression._noise_models.cache_clear()
    try:
        x = np.random.default_rng(0).normal(size=40) + 3.0 * (np.arange(40) >= 25)
        result = step(x, season, 10, 34)
    finally:
        step_regression._noise_models.cache_clear()
    squares = {position: least_squares(x, season, position)[1] for position in range(10, 35)}
    best = min(squares, key=squares.__getitem__)
    assert result.position == best
    assert result.size == pytest.approx(least_squares(x, season, best)[0], rel=1e-9)
    degrees = 39 - season
    assert result.log_likelihood == pytest.approx(-0.5 * (degrees * np.log(squares[best] / degrees) + np.log(40)))


def test_in_a_random_walk_the_size_is_the_change_beside_the_drift():
    x = np.random.default_rng(1).normal(size=64).cumsum()
    x[40:] += 30
    result = step(x, 1, 40, 40)
    change = np.diff(x)
    expected = change[39] - np.delete(change, 39).mean()
    assert result.size == pytest.approx(expected, abs=1.5)  # the noise model may differ a little from a random walk


@pytest.mark.parametrize("index", range(len(step_regression.STEADY)))
def test_noise_models_are_inverse_covariances_of_changes_without_trend_and_season(index):
    models = step_regression._noise_models(30, 4)
    weights = models.weights[index]
    design = np.column_stack([np.ones(29), np.diff(np.eye(4)[np.arange(30) % 4, 1:], axis=0)])
    np.testing.assert_allclose(weights @ design, 0, atol=1e-10)
    orthogonal = np.linalg.svd(design)[0][:, 4:]  # columns that trend and season do not reach
    covariance = simulated_covariance(index, 29)
    expected = orthogonal @ np.linalg.inv(orthogonal.T @ covariance @ orthogonal) @ orthogonal.T
    np.testing.assert_allclose(weights, expected, rtol=1e-7, atol=1e-9)
    assert models.log_determinant[index] == pytest.approx(np.linalg.slogdet(covariance)[1])


def simulated_covariance(index, size):
    """Covariance of the changes from their weights on independent shocks."""
    averages, past = len(step_regression.MOVING_AVERAGE), 400
    if index < averages:
        response = np.array([1.0, -step_regression.MOVING_AVERAGE[index]])
    else:
        response = step_regression.SMOOTH[index - averages] ** np.arange(past)
    responses = np.zeros((size, past + size))
    for at in range(size):
        responses[at, at : at + len(response)] = response[::-1]
    return responses @ responses.T


def test_logarithms_are_chosen_where_season_and_noise_scale_with_the_level():
    time = np.arange(96)
    season, noise = np.sin(2 * np.pi * time / 12), np.random.default_rng(2).normal(size=96)
    level = np.where(time >= 70, 40.0, 100.0)
    scaled = level * np.exp(0.3 * season + 0.03 * noise)
    assert best_step(scaled, 12, 24, 84, True)[1]
    assert not best_step(level + 15 * season + 2 * noise, 12, 24, 84, True)[1]
    assert not best_step(scaled, 12, 24, 84, False)[1]
