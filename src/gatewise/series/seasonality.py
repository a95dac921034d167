"""Seasonality: the test for a season in many series at once.

Letters: `B` windows, `N` values of the longest, `m` steps of a season.
"""

import numpy as np

QUANTILE = 1.645  # of the normal distribution, for a two-sided test at 90 %
SEASONS_NEEDED = 3  # in a series; shorter ones are not tested


def seasonal(values: np.ndarray, sizes: np.ndarray, season: int) -> np.ndarray:
    """Whether the autocorrelation of windows at the lag of a season is significant at 90 %.

    |r_m| > 1.645 sqrt((1 + 2 (r_1² + ... + r_{m-1}²)) / n).

    Reference: S. Makridakis, E. Spiliotis, V. Assimakopoulos, The M4 competition: 100,000 time series and 61
    forecasting methods, International Journal of Forecasting 36(1), 2020 (the adjustment of its benchmarks).

    Arguments:
        values: (B, N), left-aligned.
        sizes: (B,) n, values of each window.
        season: m, steps.

    >>> y = np.tile([1.0, 3.0, 2.0, 5.0], 6)
    >>> seasonal(np.stack([y, np.arange(24.0) ** 2]), np.array([24, 24]), 4).tolist()
    [True, False]
    """
    inside = np.arange(values.shape[1]) < sizes[:, None]
    centred = np.where(inside, values - values.sum(1, keepdims=True) / sizes[:, None], 0.0)
    length = 1 << int(values.shape[1] + season).bit_length()
    spectrum = np.fft.rfft(centred, length, axis=1)
    products = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, length, axis=1)[:, : season + 1]
    varies = np.abs(centred).max(1, initial=0.0) > 1e-9 * np.abs(values).max(1, initial=0.0)
    correlations = products[:, 1:] / np.where(varies, products[:, 0], 1.0)[:, None]
    limit = QUANTILE * np.sqrt((1 + 2 * (correlations[:, :-1] ** 2).sum(1)) / sizes)
    return np.asarray(varies & (np.abs(correlations[:, -1]) > limit))
