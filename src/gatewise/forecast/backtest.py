"""Backtests: forecasts of a past that was not looked at, scored beside naive ones, and a verdict in words.

Letters: `h` horizon.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gatewise import metrics, plot
from gatewise.series import Forecast, Panel, Series, to_table

NAIVE, SEASONAL = "Naive", "SeasonalNaive"
MARGIN = 0.05  # a difference of less than 5 % in mean absolute error is called none
LOOSE = 0.10  # an interval whose coverage is off by more than 10 points is called too narrow or too wide


def naive(y: np.ndarray, horizon: int) -> np.ndarray:
    """The last value, again and again.

    >>> naive(np.array([1.0, 2.0, 3.0]), 2)
    array([3., 3.])
    """
    return np.repeat(y[-1], horizon)


def seasonal_naive(y: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The values of the last season, again and again.

    >>> seasonal_naive(np.array([1.0, 2.0, 3.0]), 3, season=2)
    array([2., 3., 2.])
    """
    return np.resize(y[-season:], horizon)


@dataclass(frozen=True)
class Stretch:
    """One forecast of the past.

    Attributes:
        past: what was known.
        y: (h,) what then happened.
        forecast: what the model had said, with its intervals.
        season: that the naive forecast and the scores go by.
    """

    past: Series
    y: np.ndarray
    forecast: Forecast
    season: int

    @property
    def rivals(self) -> dict[str, np.ndarray]:
        """Every forecast of this stretch by name, the model's first; without a season the naive ones are the same."""
        h, past = len(self.y), self.past.y
        answers = {self.forecast.model: self.forecast.mean, NAIVE: naive(past, h)}
        return answers if self.season == 1 else {**answers, SEASONAL: seasonal_naive(past, h, self.season)}

    def scores(self, f: np.ndarray) -> dict[str, float]:
        """Scores of a forecast of this stretch."""
        return {
            "MAE": metrics.mae(self.y, f),
            "RMSE": metrics.rmse(self.y, f),
            "sMAPE": metrics.smape(self.y, f),
            "MASE": _mase(self, f),
        }

    def inside(self, share: float) -> float:
        """Fraction of the values inside the interval of a level."""
        return metrics.coverage(self.y, *self.forecast.intervals[share])


def _mase(stretch: Stretch, f: np.ndarray) -> float:
    """MASE, or NaN where the past repeats itself exactly, so that there is no scale."""
    past, season = stretch.past.y, stretch.season
    if len(past) <= season or not np.any(past[season:] != past[:-season]):
        return float("nan")
    return metrics.mase(stretch.y, f, train=past, season=season)


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
        guesses: everything that was guessed or chosen.
        stretches: the held-out windows themselves.
    """

    scores: Any
    forecasts: Any
    overall: dict[str, dict[str, float]]
    coverage: dict[float, float]
    verdict: str
    guesses: tuple[str, ...]
    stretches: tuple[Stretch, ...]

    @classmethod
    def of(cls, stretches: Sequence[Stretch], panel: Panel, *, guesses: tuple[str, ...]) -> "Backtest":
        """Score stretches of equal length."""
        rows = [row for stretch in stretches for row in _score_rows(stretch)]
        overall = {
            model: {
                score: float(np.mean([row[score] for row in rows if row["model"] == model]))
                for score in ("MAE", "RMSE", "sMAPE", "MASE")
            }
            for model in stretches[0].rivals
        }
        frames = [_forecast_rows(one) for one in stretches]
        levels = sorted(stretches[0].forecast.intervals)
        coverage = {share: float(np.mean([one.inside(share) for one in stretches])) for share in levels}
        return cls(
            scores=to_table(pd.DataFrame(rows), panel.backend, date_only=panel.date_only),
            forecasts=to_table(pd.concat(frames, ignore_index=True), panel.backend, date_only=panel.date_only),
            overall=overall,
            coverage=coverage,
            verdict=_verdict(stretches, overall, coverage),
            guesses=guesses,
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
            f"{model:<14}" + "".join(f"{value:>10.4g}" for value in scores.values())
            for model, scores in self.overall.items()
        ]
        return "\n".join([header, *lines])


def _score_rows(stretch: Stretch) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"unique_id": stretch.past.unique_id, "cutoff": stretch.past.ds[-1], "model": model, **stretch.scores(f)}
        for model, f in stretch.rivals.items()
    ]
    rows[0] |= {f"coverage-{share:g}": stretch.inside(share) for share in sorted(stretch.forecast.intervals)}
    return rows


def _forecast_rows(stretch: Stretch) -> pd.DataFrame:
    made = stretch.forecast.frame()
    made.insert(2, "cutoff", stretch.past.ds[-1])
    made.insert(3, "y", stretch.y)
    return made.assign(**{name: f for name, f in stretch.rivals.items() if name != stretch.forecast.model})


def _verdict(stretches: Sequence[Stretch], overall: dict[str, dict[str, float]], coverage: dict[float, float]) -> str:
    model, *others = overall
    best = min(others, key=lambda name: overall[name]["MAE"])
    ours, theirs = overall[model]["MAE"], overall[best]["MAE"]
    wins = sum(one.scores(one.rivals[model])["MAE"] < one.scores(one.rivals[best])["MAE"] for one in stretches)
    numbers = (
        f"mean absolute error {ours:.4g} against {theirs:.4g} (MASE {overall[model]['MASE']:.3g} against "
        f"{overall[best]['MASE']:.3g}), better in {wins} of {len(stretches)} held-out windows of "
        f"{len(stretches[0].y)} steps"
    )
    return " ".join(
        [_judgement(model, best, ours, theirs, wins, len(stretches)) + ": " + numbers + ".", _band(coverage)]
    ).strip()


def _judgement(model: str, best: str, ours: float, theirs: float, wins: int, windows: int) -> str:
    if ours > theirs * (1 + MARGIN):
        return f"Do not trust the {model} here; {_called(best)} does better"
    if ours >= theirs * (1 - MARGIN):
        return f"The {model} is no better than {_called(best)}; use that, it is simpler"
    gain = f"{1 - ours / theirs:.0%}" if theirs else "nothing"
    if 2 * wins <= windows:
        return (
            f"The {model} is {gain} better than {_called(best)} on average, but not in most windows; use it with care"
        )
    return f"The {model} is worth using: {gain} better than {_called(best)}"


def _called(name: str) -> str:
    return {NAIVE: "the naive forecast (the last value)", SEASONAL: "the seasonal naive forecast (last season again)"}[
        name
    ]


def _band(coverage: dict[float, float]) -> str:
    """What was measured of the intervals, in words."""
    if not coverage:
        return ""
    found = " and ".join(f"the {share:g} % interval held {inside:.0%}" for share, inside in coverage.items())
    worst = min(coverage, key=lambda share: coverage[share] - share / 100)
    widest = max(coverage, key=lambda share: coverage[share] - share / 100)
    if coverage[worst] < worst / 100 - LOOSE:
        return f"Of the values, {found}: too narrow, expect more surprises than they promise."
    if coverage[widest] > widest / 100 + LOOSE:
        return f"Of the values, {found}: wider than need be."
    return f"Of the values, {found}."
