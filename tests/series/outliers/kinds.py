"""Generated series of many kinds without outliers, by name."""

from collections.abc import Callable

import numpy as np

Kind = Callable[[np.random.Generator, int], np.ndarray]


def _autoregressive(generator: np.random.Generator, size: int, coefficient: float) -> np.ndarray:
    noise, values = generator.normal(size=size + 50), np.zeros(size + 50)
    for t in range(1, size + 50):
        values[t] = coefficient * values[t - 1] + noise[t]
    return values[50:]


def _pattern(generator: np.random.Generator, size: int, season: int) -> np.ndarray:
    return np.resize(generator.normal(size=season), size)


def _growth(generator: np.random.Generator, size: int, season: float = 0.0) -> np.ndarray:
    return np.exp(
        5 + 0.01 * np.arange(size) + season * _pattern(generator, size, 12) + 0.05 * generator.normal(size=size)
    )


def _solar(generator: np.random.Generator, size: int) -> np.ndarray:
    return np.maximum(0, np.sin((np.arange(size) % 24 - 6) * np.pi / 12)) * generator.beta(3, 1, size=size) * 500


# name -> (series, seasons of its calendar)
KINDS: dict[str, tuple[Kind, list[int]]] = {
    "normal": (lambda g, n: 100 + 5 * g.normal(size=n), [1]),
    "autoregressive": (lambda g, n: 100 + 5 * _autoregressive(g, n, 0.8), [1]),
    "random walk": (lambda g, n: 100 + g.normal(size=n).cumsum(), [12]),
    "trend": (lambda g, n: 100 + 2 * np.arange(n) + g.normal(size=n), [1]),
    "growth": (_growth, [1]),
    "season": (lambda g, n: 100 + 30 * _pattern(g, n, 12) + 3 * g.normal(size=n), [12]),
    "multiplicative": (lambda g, n: _growth(g, n, 0.3), [12]),
    "December": (lambda g, n: 100 + 300 * (np.arange(n) % 12 == 11) + 5 * g.normal(size=n), [12]),
    "unknown season": (lambda g, n: 100 + 30 * np.sin(np.arange(n) / 4.6) + g.normal(size=n), [1]),
    "level shift": (lambda g, n: 100 + 50 * (np.arange(n) > n // 2) + 2 * g.normal(size=n), [1]),
    "ramp": (lambda g, n: 100 + 5 * np.clip(np.arange(n) - n // 2, 0, 20) + 2 * g.normal(size=n), [1]),
    "lognormal": (lambda g, n: np.exp(3 + g.normal(size=n)), [1]),
    "counts": (lambda g, n: g.poisson(3, size=n).astype(float), [7]),
    "intermittent": (lambda g, n: g.poisson(0.3, size=n).astype(float), [7]),
    "prices": (lambda g, n: 20 + np.round((g.random(n) < 0.03) * g.normal(size=n), 2).cumsum(), [7]),
    "closed on Sundays": (lambda g, n: np.where(np.arange(n) % 7 == 6, 0, 100 + 8 * g.normal(size=n)), [7]),
    "frequent promotions": (lambda g, n: 100 * (1.0 + (g.random(n) < 0.1)) + 8 * g.normal(size=n), [7]),
    "zero at night": (_solar, [24]),
    "constant": (lambda g, n: np.full(n, 5.0), [7]),
    "rounded": (lambda g, n: np.round(20 + 0.3 * g.normal(size=n)), [24]),
    "bounded": (lambda g, n: g.random(n), [1]),
}
HEAVY: dict[str, tuple[Kind, list[int]]] = {
    "t5": (lambda g, n: 100 + 5 * g.standard_t(5, size=n), [1]),
    "t3": (lambda g, n: 100 + 5 * g.standard_t(3, size=n), [1]),
    "Laplace": (lambda g, n: 100 + 5 * g.laplace(size=n), [1]),
    "exponential": (lambda g, n: g.exponential(10, size=n), [1]),
    "varying spread": (lambda g, n: 100 + (1 + 9 * np.arange(n) / n) * g.normal(size=n), [1]),
}
