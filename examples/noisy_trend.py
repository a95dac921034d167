"""What the two forecasts of a noisy trend share: the data, the best possible error, the forecasts, the figures.

The data are y_x = 5 + 7 x + N(0, 10), x = 0, ..., 199. A network reads 19 differences d_x = y_{x+1} - y_x and says, at
every step, what the next difference will be.

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
HELD_OUT = 1000  # added to the seed: another draw of the same noise, which no network sees while it learns
DIFFERENCE = Difference(order=1)


@dataclass(frozen=True)
class Trend:
    """One draw: 200 values, their 199 differences, and 180 windows over these."""

    y: np.ndarray
    d: np.ndarray
    windows: Windows


def noisy_trend(seed: int) -> Trend:
    """A draw of the trend; another seed gives independent noise on the same line."""
    y = datasets.trend(LENGTH, slope=SLOPE, noise=NOISE, seed=seed)
    d = DIFFERENCE.apply(y)
    return Trend(y, d, Windows(torch.from_numpy(d).float()[:, None], length=CONTEXT))


def with_one_bias(body: Body) -> Body:
    """The body with one bias per gate, as the equations have it.

    torch's layout adds up two. The second stays at zero here: were both trained, their sum would move twice as fast.
    """
    for name, weight in body.named_parameters():
        if name.startswith("bias_hh"):
            weight.requires_grad_(False)
    return body


# ---- the best that any forecast can do


def best_possible(steps: int = CONTEXT, noise: float = NOISE) -> np.ndarray:
    """Smallest mean squared error of a forecast that has seen k = 1, ..., steps differences: noise^2 (1 + 1/(k+1)).

    With e the noise of the data, the next difference is slope + e_{k+1} - e_k. No one can know e_{k+1}: noise^2. The k
    differences seen tell e_0, ..., e_k up to one constant that all share; as the mean of these k+1 values has variance
    noise^2/(k+1), so has the constant, and with it e_k. (Differences of noise are a moving average of order 1 with
    coefficient -1; as k grows the error falls to noise^2, the variance of its innovations.)
    """
    k = np.arange(1, steps + 1)
    return noise**2 * (1 + 1 / (k + 1))


def best_possible_by_algebra(steps: int = CONTEXT, noise: float = NOISE) -> np.ndarray:
    """The same from the covariance of the differences, by solving the normal equations for each k."""
    covariance = noise**2 * (2 * np.eye(steps + 1) - np.eye(steps + 1, k=1) - np.eye(steps + 1, k=-1))

    def error(k: int) -> float:
        past, cross = covariance[:k, :k], covariance[:k, k]
        return float(covariance[k, k] - cross @ np.linalg.solve(past, cross))

    return np.array([error(k) for k in range(1, steps + 1)])


def best_forecast(x: Tensor) -> Tensor:
    """The forecast that reaches it, knowing the slope: (T, B, 1) next differences for windows (T, B, 1)."""
    path = (x - SLOPE).cumsum(0)  # e_k - e_0
    count = torch.arange(2, len(x) + 2).reshape(-1, 1, 1)
    return SLOPE - (path - path.cumsum(0) / count)  # slope - e_k, with the mean of e_0, ..., e_k taken for 0


def report(name: str, history: History, seen: Trend, unseen: Trend) -> str:
    """The last training and held-out error beside the best possible ones, and what follows from them."""
    (x, y), (x_unseen, y_unseen) = seen.windows[:], unseen.windows[:]
    network = history.train[-1], history.held_out[-1]
    best = metrics.mse(y, best_forecast(x)), metrics.mse(y_unseen, best_forecast(x_unseen))
    slope = metrics.mse(y, torch.full_like(y, SLOPE)), metrics.mse(y_unseen, torch.full_like(y, SLOPE))
    rows = {name: network, "best possible forecast, which knows the slope": best, "always the slope": slope}
    theory = best_possible()
    gap = np.abs(theory - best_possible_by_algebra()).max()
    return "\n".join(
        [
            f"\n{'Mean squared error over all steps and windows':<46}   training   held out",
            *(f"  {row:<44} {train:>10.1f} {held_out:>10.1f}" for row, (train, held_out) in rows.items()),
            "Best possible, averaged over all draws: 100 (1 + 1/(k+1)) after k differences. That is "
            f"{theory[-1]:.1f} after {CONTEXT},",
            f"and {theory.mean():.1f} over k = 1, ..., {CONTEXT}. (The normal equations agree to {gap:.0e}.)",
            _verdict(name, history, best),
        ]
    )


def _verdict(name: str, history: History, best: tuple[float, float]) -> str:
    own, new = history.train[-1] / best[0] - 1, history.held_out[-1] / best[1] - 1
    distances = f"{name}: {own:+.0%} from the best possible on its own draw, {new:+.0%} on one it has not seen"
    if new - own < 0.25:
        return f"{distances}: little or no overfitting."
    by_heart = "On average no forecast is below the best possible: it knows its own noise by heart. " if own < 0 else ""
    lowest = f"Held out, it was best in epoch {history.best_epoch}, with {min(history.held_out):.1f}."
    return f"{distances}: overfitting.\n{by_heart}{lowest}"


# ---- approximation of the past, extrapolation beyond the end


@torch.no_grad()
def approximate(network: OneStep, windows: Windows) -> np.ndarray:
    """One step ahead: the last output of each window, in order, (B,)."""
    x, _ = windows[:]
    return network(x)[-1, :, 0].double().numpy()


@torch.no_grad()
def extrapolate(network: OneStep, d: np.ndarray, steps: int = 5) -> np.ndarray:
    """Beyond the end: take the last output, append it to the window, drop the oldest, repeat; (steps,) differences."""
    # The last input window ends one difference earlier; from there the first answer would be known already.
    window, future = torch.from_numpy(d[-CONTEXT:]).float()[:, None, None], []
    for _ in range(steps):
        answer = network(window)[-1:]
        window = torch.cat([window[1:], answer])
        future.append(answer.item())
    return np.array(future)


# ---- figures


def save_figures(folder: Path, trend: Trend, network: OneStep, history: History, name: str) -> list[Path]:
    """Seven figures and the learning curve, all of what this very network says."""
    y, d = trend.y, trend.d
    approximation, future = approximate(network, trend.windows), extrapolate(network, d)
    # Window i says what d[i + 19] = y[i + 20] - y[i + 19] will be: with y[19:-1] added, it is about y[20:].
    reconstruction = DIFFERENCE.restore(approximation, y)
    x, ends, ahead = np.arange(len(y)), np.arange(1, len(y)), len(y) + np.arange(len(future))
    fitted, restored = _at_the_end(approximation, len(d)), _at_the_end(reconstruction, len(y))
    title = f"{name}: approximation one step ahead"
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


def _at_the_end(values: np.ndarray, length: int) -> np.ndarray:
    """The values as the last of so many, NaN before them."""
    return np.concatenate([np.full(length - len(values), np.nan), values])
