"""Small built-in data sets: one real series, one generated trend, one table of two features."""

import numpy as np
import pandas as pd

AIR_PASSENGERS = """
112 118 132 129 121 135 148 148 136 119 104 118
115 126 141 135 125 149 170 170 158 133 114 140
145 150 178 163 172 178 199 199 184 162 146 166
171 180 193 181 183 218 230 242 209 191 172 194
196 196 236 235 229 243 264 272 237 211 180 201
204 188 235 227 234 264 302 293 259 229 203 229
242 233 267 269 270 315 364 347 312 274 237 278
284 277 317 313 318 374 413 405 355 306 271 306
315 301 356 348 355 422 465 467 404 347 305 336
340 318 362 348 363 435 491 505 404 359 310 337
360 342 406 396 420 472 548 559 463 407 362 405
417 391 419 461 472 535 622 606 508 461 390 432
"""


def air_passengers() -> pd.DataFrame:
    """International airline passengers, thousands a month, January 1949 to December 1960.

    Reference: Box and Jenkins, Time Series Analysis: Forecasting and Control, 1976, series G.

    Returns:
        144 rows: unique_id "AirPassengers", ds the first day of each month, y float64.

    >>> air_passengers().tail(1)
             unique_id         ds      y
    143  AirPassengers 1960-12-01  432.0
    """
    y = np.array(AIR_PASSENGERS.split(), dtype=np.float64)
    return pd.DataFrame(
        {"unique_id": "AirPassengers", "ds": pd.date_range("1949-01-01", periods=len(y), freq="MS"), "y": y}
    )


def trend(n: int = 200, intercept: float = 5.0, slope: float = 7.0, noise: float = 10.0, seed: int = 0) -> np.ndarray:
    """A straight line with normal noise, y_x = intercept + slope x + N(0, noise), x = 0, ..., n - 1.

    Arguments:
        n: number of values.
        intercept: value of the line at x = 0.
        slope: rise per step.
        noise: standard deviation, in units of y.
        seed: random seed.

    Returns:
        (n,) float64.

    >>> trend(3, noise=0.0)
    array([ 5., 12., 19.])
    """
    return intercept + slope * np.arange(n) + np.random.default_rng(seed).normal(0.0, noise, n)


def sums() -> pd.DataFrame:
    """Two features and their sum over ten steps, a = 0, 10, ..., 90 and b = 5, 15, ..., 95.

    Returns:
        10 rows of a, b and target = a + b, float64.

    >>> sums().head(2)
          a     b  target
    0   0.0   5.0     5.0
    1  10.0  15.0    25.0
    """
    a = 10.0 * np.arange(10)
    return pd.DataFrame({"a": a, "b": a + 5, "target": 2 * a + 5})
