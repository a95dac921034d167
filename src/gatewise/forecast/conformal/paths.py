"""Sample paths: errors of whole validation forecasts, drawn for all series together.

Letters: `B` forecasts, `h` horizon, `M` stored errors of whole forecasts, `K` steps of each.

A path takes the ranks of a stored error, which preserves the dependence between steps. At each step, these ranks are
uniform, so that the path takes each quantile of the forecast with the right frequency. Series are drawn together by a
Gaussian copula with one factor: for each path, u = Phi(sqrt(rho) Z + sqrt(1 - rho) Z') with a normal Z that all series
share and a Z' of each series; u picks among the stored errors, which are ordered by their mean.

Reference: Nelsen, An introduction to copulas, 2nd edition 2006; Schefzik, Thorarinsdottir and Gneiting, Uncertainty
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
    ranks = _ranks(errors) if len(errors) else np.zeros((1, 1))
    rows, steps = ranks.shape
    u = _correlated_uniforms((batch, count, -(-horizon // steps)), rho, generator) * rows
    row = np.minimum(u.astype(int), rows - 1)
    probabilities = (ranks[row] + (u - row)[..., None]) / rows
    drawn: np.ndarray = probabilities.reshape(batch, count, -1)[..., :horizon].clip(LEAST, 1 - LEAST)
    return drawn


def _ranks(errors: np.ndarray) -> np.ndarray:
    """The rank (M, K) of each error among those of its step, from 0; rows are ordered by their mean error."""
    ordered = errors[errors.mean(axis=1).argsort(kind="stable")]
    ranks: np.ndarray = ordered.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    return ranks


def _correlated_uniforms(shape: tuple[int, int, int], rho: float, generator: np.random.Generator) -> np.ndarray:
    """Uniform numbers (B, count, blocks) that are correlated along the first axis."""
    normal = np.sqrt(1 - rho) * generator.standard_normal(shape)
    if rho > 0:
        normal += np.sqrt(rho) * generator.standard_normal((1, *shape[1:]))
    uniforms: np.ndarray = torch.special.ndtr(torch.from_numpy(normal)).numpy()
    return uniforms
