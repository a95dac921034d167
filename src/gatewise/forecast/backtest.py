"""Backtests: forecasts of a past that was not looked at, scored beside naive ones, and a verdict in words.

Letters: `h` horizon.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gatewise import metrics, plot
from gatewise.forecast import verdict
from gatewise.forecast.verdict import DRIFT, NAIVE, SEASONAL
from gatewise.series import DataError, Forecast, Panel, Series, to_table


def naive(y: np.ndarray, horizon: int) -> np.ndarray:
    """The last value, again and again.

    >>> naive(np.array([1.0, 2.0, 3.0]), 2)
    array([3., 3.])
    """
    return np.repeat(y[-1], horizon)


def drift(y: np.ndarray, horizon: int) -> np.ndarray:
    """On along the line from the first value to the last: the naive forecast of a series that grows or falls.

    Reference: R. J. Hyndman, G. Athanasopoulos, Forecasting: principles and practice, 3rd edition 2021, section 5.2.

    >>> drift(np.array([1.0, 4.0, 3.0]), 2)
    array([4., 5.])
    """
    slope = (y[-1] - y[0]) / max(len(y) - 1, 1)
    return np.asarray(y[-1] + slope * np.arange(1, horizon + 1))


def seasonal_naive(y: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The values of the last season, again and again.

    >>> seasonal_naive(np.array([1.0, 2.0, 3.0]), 3, season=2)
    array([2., 3., 2.])
    """
    return np.resize(y[-season:], horizon)


def known(one: Series, cut: int) -> Series:
    """A series as it was known before a cut: values filled in with the help of later ones become the last true one."""
    y = one.y[:cut].copy()
    if one.filled is not None:
        true = np.flatnonzero(~one.filled[:cut])
        if len(true):  # else all are zeros, which tell nothing of what came later
            y[true[-1] + 1 :] = y[true[-1]]
    return Series(one.unique_id, one.ds[:cut], y)


def observed(one: Series, cut: int, horizon: int) -> np.ndarray:
    """The values after a cut, NaN where they were filled in: what nobody observed is no measure of a forecast."""
    part = slice(cut, cut + horizon)
    y = one.y[part] if one.filled is None else np.where(one.filled[part], np.nan, one.y[part])
    if np.isnan(y).all():
        raise DataError(
            f"series {str(one.unique_id)!r}: nothing was observed in the {horizon} steps after {one.ds[cut - 1]}, "
            "all values are filled in; choose another horizon or number of windows (--windows)"
        )
    return y


@dataclass(frozen=True)
class Stretch:
    """One forecast of the past.

    Attributes:
        past: what was known.
        y: (h,) what then happened; NaN where nobody knows, as the value was filled in.
        forecast: what the model had said, with its intervals.
        season: that the naive forecast and the scores go by.
    """

    past: Series
    y: np.ndarray
    forecast: Forecast
    season: int

    @property
    def known(self) -> np.ndarray:
        """(h,) whether it is known what happened."""
        known: np.ndarray = ~np.isnan(self.y)
        return known

    @property
    def rivals(self) -> dict[str, np.ndarray]:
        """Every forecast of this stretch by name, the model's first; without a season the naive ones are the same."""
        h, past = len(self.y), self.past.y
        answers = {self.forecast.model: self.forecast.mean, NAIVE: naive(past, h), DRIFT: drift(past, h)}
        return answers if self.season == 1 else {**answers, SEASONAL: seasonal_naive(past, h, self.season)}

    def scores(self, f: np.ndarray) -> dict[str, float]:
        """Scores of a forecast of this stretch, where it is known what happened."""
        y, f = self.y[self.known], f[self.known]
        return {
            "MAE": metrics.mae(y, f),
            "RMSE": metrics.rmse(y, f),
            "sMAPE": metrics.smape(y, f),
            "MASE": _mase(self, y, f),
        }

    def bounds(self, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The known values, with the lower and the upper bound of a level."""
        lower, upper = self.forecast.intervals[level]
        return self.y[self.known], lower[self.known], upper[self.known]


def _mase(stretch: Stretch, y: np.ndarray, f: np.ndarray) -> float:
    """MASE, or NaN where the past repeats itself, so that there is no scale."""
    past, season = stretch.past.y, stretch.season
    if len(past) <= season or np.allclose(past[season:], past[:-season], rtol=1e-12, atol=0):
        return float("nan")
    return metrics.mase(y, f, train=past, season=season)


@dataclass(frozen=True)
class Backtest:
    """What a backtest found; prints as its scores and its verdict.

    Attributes:
        scores: table with a row per stretch and forecast: unique_id, cutoff (the last date known), model, MAE, RMSE,
            sMAPE, MASE; for the model also coverage-80 and so on, as a fraction. See `gatewise.metrics` for each.
        forecasts: table of everything forecast: unique_id, ds, cutoff, y, the model with its intervals, the naive ones.
        overall: mean of each score over the stretches, by model.
        coverage: level in percent -> fraction of all values inside.
        verdict: whether to trust the model, in words and numbers.
        season: that the scores and the seasonal naive forecast go by; 1 for none.
        guesses: everything that was guessed or chosen.
        trained: on how much the model was trained, the last one if it was trained for each stretch.
        stretches: the held-out windows themselves.
    """

    scores: Any
    forecasts: Any
    overall: dict[str, dict[str, float]]
    coverage: dict[float, float]
    verdict: str
    season: int
    guesses: tuple[str, ...]
    trained: str
    stretches: tuple[Stretch, ...]

    @classmethod
    def of(cls, stretches: Sequence[Stretch], panel: Panel, *, guesses: tuple[str, ...], trained: str) -> "Backtest":
        """Score stretches of equal length."""
        rows = [row for stretch in stretches for row in _score_rows(stretch)]
        overall = {
            model: {
                score: _mean([row[score] for row in rows if row["model"] == model])
                for score in ("MAE", "RMSE", "sMAPE", "MASE")
            }
            for model in stretches[0].rivals
        }
        frames = [_forecast_rows(one) for one in stretches]
        levels = sorted(stretches[0].forecast.intervals)
        coverage = {level: _coverage(stretches, level) for level in levels}
        return cls(
            scores=to_table(pd.DataFrame(rows), panel.backend, date_only=panel.date_only),
            forecasts=to_table(pd.concat(frames, ignore_index=True), panel.backend, date_only=panel.date_only),
            overall=overall,
            coverage=coverage,
            verdict=_verdict(stretches, rows, overall, coverage),
            season=stretches[0].season,
            guesses=guesses,
            trained=trained,
            stretches=tuple(stretches),
        )

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the forecasts over what happened, on matplotlib Axes `ax` or a new figure; returns the Axes."""
        last = self.stretches[-1]
        h, model = len(last.y), last.forecast.model
        made = [(one.forecast.ds, one.forecast.mean, one.forecast.intervals) for one in self.stretches]
        return plot.backtest(
            last.past.ds.append(last.forecast.ds),
            np.concatenate([last.past.y, last.y]),
            made,
            last=h * (len(made) + 3),
            model=model,
            name=str(last.past.unique_id),
            ax=ax,
        )

    def __str__(self) -> str:
        return f"{self.table()}\n{self.verdict}"

    def table(self) -> str:
        """The mean scores as text, a line for each forecast."""
        header = f"{'':<14}" + "".join(f"{score:>10}" for score in next(iter(self.overall.values())))
        lines = [
            f"{model:<14}" + "".join(f"{'-' if np.isnan(value) else f'{value:.4g}':>10}" for value in scores.values())
            for model, scores in self.overall.items()
        ]
        return "\n".join([header, *lines])


def _mean(scores: list[float]) -> float:
    """The mean of the scores there are: MASE has none where the past repeats itself."""
    known = [score for score in scores if not np.isnan(score)]
    return float(np.mean(known)) if known else float("nan")


def _coverage(stretches: Sequence[Stretch], level: float) -> float:
    """The fraction of all known values inside the interval of a level."""
    y, lower, upper = (np.concatenate(parts) for parts in zip(*(one.bounds(level) for one in stretches), strict=True))
    return metrics.coverage(y, lower, upper)


def _score_rows(stretch: Stretch) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"unique_id": stretch.past.unique_id, "cutoff": stretch.past.ds[-1], "model": model, **stretch.scores(f)}
        for model, f in stretch.rivals.items()
    ]
    rows[0] |= {f"coverage-{level:g}": _coverage([stretch], level) for level in sorted(stretch.forecast.intervals)}
    return rows


def _forecast_rows(stretch: Stretch) -> pd.DataFrame:
    made = stretch.forecast.frame()
    made.insert(2, "cutoff", stretch.past.ds[-1])
    made.insert(3, "y", stretch.y)
    return made.assign(**{name: f for name, f in stretch.rivals.items() if name != stretch.forecast.model})


def _verdict(
    stretches: Sequence[Stretch],
    rows: list[dict[str, Any]],
    overall: dict[str, dict[str, float]],
    coverage: dict[float, float],
) -> str:
    model, *others = overall
    best = min(others, key=lambda name: overall[name]["MAE"])
    ours, theirs = ([row["MAE"] for row in rows if row["model"] == name] for name in (model, best))
    numbers = f"Mean absolute error {overall[model]['MAE']:.4g} against {overall[best]['MAE']:.4g}"
    if np.isfinite(overall[model]["MASE"]):
        numbers += f" (MASE {overall[model]['MASE']:.3g} against {overall[best]['MASE']:.3g})"
    values = sum(int(one.known.sum()) for one in stretches)
    sentences = (
        verdict.judgement(model, best, ours, theirs),
        f"{numbers}.",
        verdict.evidence(len(stretches)),
        verdict.band(coverage, values),
    )
    return " ".join(sentence for sentence in sentences if sentence)
