"""Data, lowest possible error, forecasts and figures for the two examples on a noisy trend.

The data are y_x = 5 + 7 x + N(0, 10), x = 0, ..., 199. A network reads 19 differences d_x = y_{x+1} - y_x and predicts
the next difference at every step.

Letters: T = 19 time steps of a window, B = 180 windows.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gatewise import datasets, metrics, plot
from gatewise.networks import Body, OneStep
from gatewise.training import History
from gatewise.windows import Difference, Windows

LENGTH, CONTEXT, SLOPE, NOISE = 200, 19, 7.0, 10.0
VALIDATION_SEED = 1000  # added to the seed, for the independent series of the validation set
DIFFERENCE = Difference(order=1)


@dataclass(frozen=True)
class Trend:
    """One draw: 200 values, their 199 differences, and 180 windows over these."""

    y: np.ndarray
    d: np.ndarray
    windows: Windows


def noisy_trend(seed: int) -> Trend:
    """A draw of the trend; another seed gives independent noise around the same line."""
    y = datasets.trend(LENGTH, slope=SLOPE, noise=NOISE, seed=seed)
    d = DIFFERENCE.apply(y)
    return Trend(y, d, Windows(torch.from_numpy(d).float()[:, None], length=CONTEXT))


def with_one_bias(body: Body) -> Body:
    """The body with one trained bias per gate, as in the equations.

    torch's layout has two biases, which are added. Here the second one stays at zero: if both were trained, their sum
    would change twice as fast.
    """
    for name, weight in body.named_parameters():
        if name.startswith("bias_hh"):
            weight.requires_grad_(False)
    return body


# ---- the lowest possible error


def best_possible(steps: int = CONTEXT, noise: float = NOISE) -> np.ndarray:
    """Lowest mean squared error of a forecast from k = 1, ..., steps differences: noise^2 (1 + 1/(k+1)).

    With e the noise of the data, the next difference is slope + e_{k+1} - e_k. No forecast knows e_{k+1}, which
    contributes noise^2. The k differences determine e_0, ..., e_k up to a common constant. The mean of these k+1 values
    has variance noise^2/(k+1), hence so has the constant, and e_k. (Differences of noise are a moving average of order
    1 with coefficient -1; as k grows, the error falls to noise^2, the variance of its innovations.)
    """
    k = np.arange(1, steps + 1)
    return noise**2 * (1 + 1 / (k + 1))


def best_possible_by_algebra(steps: int = CONTEXT, noise: float = NOISE) -> np.ndarray:
    """The same error from the covariance of the differences, by the normal equations for each k."""
    covariance = noise**2 * (2 * np.eye(steps + 1) - np.eye(steps + 1, k=1) - np.eye(steps + 1, k=-1))

    def error(k: int) -> float:
        past, cross = covariance[:k, :k], covariance[:k, k]
        return float(covariance[k, k] - cross @ np.linalg.solve(past, cross))

    return np.array([error(k) for k in range(1, steps + 1)])


def best_forecast(x: Tensor) -> Tensor:
    """The best possible forecast, for a known slope: the next differences (T, B, 1) of windows (T, B, 1)."""
    path = (x - SLOPE).cumsum(0)  # e_k - e_0
    count = torch.arange(2, len(x) + 2).reshape(-1, 1, 1)
    return SLOPE - (path - path.cumsum(0) / count)  # slope - e_k, where the mean of e_0, ..., e_k is estimated as 0


def report(name: str, history: History, training: Trend, validation: Trend) -> str:
    """The final training and validation errors, the lowest possible ones, and whether the network overfits."""
    (x, y), (x_validation, y_validation) = training.windows[:], validation.windows[:]
    network = history.train[-1], history.held_out[-1]
    best = metrics.mse(y, best_forecast(x)), metrics.mse(y_validation, best_forecast(x_validation))
    slope = metrics.mse(y, torch.full_like(y, SLOPE)), metrics.mse(y_validation, torch.full_like(y, SLOPE))
    rows = {name: network, "best possible forecast, with known slope": best, "always the slope": slope}
    theory = best_possible()
    gap = np.abs(theory - best_possible_by_algebra()).max()
    return "\n".join(
        [
            f"\n{'Mean squared error over all steps and windows':<46}   training validation",
            *(f"  {row:<44} {train:>10.1f} {held_out:>10.1f}" for row, (train, held_out) in rows.items()),
            "Expected error of the best possible forecast: 100 (1 + 1/(k+1)) after k differences. This is "
            f"{theory[-1]:.1f} after {CONTEXT},",
            f"and {theory.mean():.1f} over k = 1, ..., {CONTEXT}. (The normal equations agree to {gap:.0e}.)",
            _verdict(name, history, best),
        ]
    )


def _verdict(name: str, history: History, best: tuple[float, float]) -> str:
    own, new = history.train[-1] / best[0] - 1, history.held_out[-1] / best[1] - 1
    distances = f"{name}: {own:+.0%} from the best possible error in training, {new:+.0%} in validation"
    if new - own < 0.25:
        return f"{distances}: little or no overfitting."
    memorised = (
        "On average no forecast is better than the best possible: the network memorises noise. " if own < 0 else ""
    )
    lowest = f"The lowest validation error is {min(history.held_out):.1f}, in epoch {history.best_epoch}."
    return f"{distances}: overfitting.\n{memorised}{lowest}"


# ---- in-sample fit, and forecast beyond the end


@torch.no_grad()
def approximate(network: OneStep, windows: Windows) -> np.ndarray:
    """One-step-ahead predictions: the last output of each window, in order, (B,)."""
    x, _ = windows[:]
    return network(x)[-1, :, 0].double().numpy()


@torch.no_grad()
def extrapolate(network: OneStep, d: np.ndarray, steps: int = 5) -> np.ndarray:
    """Recursive forecast: append the last output to the window, drop the oldest value, repeat; (steps,) differences."""
    # The last training window ends one difference earlier: its prediction is already observed.
    window, future = torch.from_numpy(d[-CONTEXT:]).float()[:, None, None], []
    for _ in range(steps):
        prediction = network(window)[-1:]
        window = torch.cat([window[1:], prediction])
        future.append(prediction.item())
    return np.array(future)


# ---- figures


def save_figures(folder: Path, trend: Trend, network: OneStep, history: History, name: str) -> list[Path]:
    """Plot seven figures and the learning curve of this network."""
    y, d = trend.y, trend.d
    approximation, future = approximate(network, trend.windows), extrapolate(network, d)
    # Window i predicts d[i + 19] = y[i + 20] - y[i + 19]: adding y[19:-1] gives predictions of y[20:].
    reconstruction = DIFFERENCE.restore(approximation, y)
    x, ends, ahead = np.arange(len(y)), np.arange(1, len(y)), len(y) + np.arange(len(future))
    fitted, restored = _pad_start(approximation, len(d)), _pad_start(reconstruction, len(y))
    title = f"{name}: in-sample fit, one step ahead"
    figures = {
        "1-data": plot.series(x, y, title="A noisy trend, y = 5 + 7 x + N(0, 10)"),
        "2-differences": plot.differences(ends, d),
        "3-approximation": plot.approximation(ends, d, fitted, name="difference", title=title),
        "4-zoom": plot.approximation(
            ends, d, fitted, zoom=(74, 125), name="difference", title=f"{title}, time steps 75 to 125"
        ),
        "5-reconstruction": plot.reconstruction(x, y, restored, title=f"{title}, on the original scale"),
        "6-extrapolation": plot.forecast(
            ends, d, ahead, future, last=20, model=name, name="difference", title=f"{name}: the next 5 differences"
        ),
        "7-extrapolation-original-scale": plot.forecast(
            x, y, ahead, DIFFERENCE.extend(future, y), last=20, model=name, title=f"{name}: the next 5 values"
        ),
        "learning-curve": plot.learning_curve(
            history.train, history.held_out, best_epoch=history.best_epoch, name="mean squared error"
        ),
    }
    folder.mkdir(parents=True, exist_ok=True)
    return [plot.save(figure, folder / f"{file}.png") for file, figure in figures.items()]


def _pad_start(values: np.ndarray, length: int) -> np.ndarray:
    """The values at the end of an array of this length, NaN before them."""
    return np.concatenate([np.full(length - len(values), np.nan), values])
