"""Random walks in two classes, for the tests of the classifier."""

import numpy as np

SMALL = {"hidden_size": 8, "epochs": 3, "batch_size": 16}


def walks(count=120, steps=15, seed=0, channels=1):
    """Sums of noise that drifts up or down: x (N, T, C) and y (N,)."""
    generator = np.random.default_rng(seed)
    y = np.array(["down", "up"])[generator.integers(0, 2, count)]
    drift = np.where(y == "up", 0.5, -0.5)[:, None, None]
    return np.cumsum(drift + generator.normal(size=(count, steps, channels)), axis=1), y
