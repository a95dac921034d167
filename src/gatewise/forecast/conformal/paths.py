"""Sample paths: errors of whole validation forecasts, drawn for all series together.

Letters: `B` forecasts, `h` horizon, `M` stored errors of whole forecasts, `K` steps of each.

A path takes the ranks of a stored error, which preserves the dependence between steps. At each step, these ranks are
uniform, so that the path takes each quantile of the forecast with the right frequency. Series are drawn together by a
Gaussian copula with one factor: in normal scores x = Phi^-1(u), a path is

    x_k = sqrt(rho) c_k + sqrt(1 - rho) o_k

where c is a stored error that all series share and o another one for each series. Both are standard normal at each
step, and so is x; both have the dependence between steps of the stored errors.

References: Nelsen, An introduction to copulas, 2nd edition 2006. Schefzik, Thorarinsdottir and Gneiting, Uncertainty
quantification in complex simulation models using ensemble copula coupling, 2013, for the ranks.
"""

import numpy as np
import torch

LEAST = 1e-9  # probability of a path value


def path_probabilities(
    errors: np.ndarray, shape: tuple[int, int, int], rho: float, generator: np.random.Generator
) -> np.ndarray:
    """The probabilities (B, count, h) of the quantiles that sample paths take, each uniform between 0 and 1.

    Arguments:
        errors: (M, K) errors of whole forecasts; if there is none, steps are independent.
        shape: (B, count, h).
        rho: correlation between series.
        generator: random generator.
    """
    batch, count, horizon = shape
    own = _drawn(errors, (batch, count, horizon), generator)
    if rho == 0 or batch == 1:
        return own
    common = _drawn(errors, (1, count, horizon), generator)
    scores = np.sqrt(rho) * _normal(common) + np.sqrt(1 - rho) * _normal(own)
    together: np.ndarray = torch.special.ndtr(torch.from_numpy(scores)).numpy().clip(LEAST, 1 - LEAST)
    return together


def _drawn(errors: np.ndarray, shape: tuple[int, int, int], generator: np.random.Generator) -> np.ndarray:
    """Probabilities (B, count, h): ranks of whole errors (M, K), at one random position within the ranks of each."""
    batch, count, horizon = shape
    ranks = errors.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") if len(errors) else np.zeros((1, 1))
    rows, steps = ranks.shape
    blocks = (batch, count, -(-horizon // steps))
    drawn = (ranks[generator.integers(rows, size=blocks)] + generator.random(blocks)[..., None]) / rows
    probabilities: np.ndarray = drawn.reshape(batch, count, -1)[..., :horizon].clip(LEAST, 1 - LEAST)
    return probabilities


def _normal(probabilities: np.ndarray) -> np.ndarray:
    scores: np.ndarray = torch.special.ndtri(torch.from_numpy(probabilities)).numpy()
    return scores
