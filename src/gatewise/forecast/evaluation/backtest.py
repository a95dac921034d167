"""Backtests: forecasts of test windows in the past, their scores beside naive forecasts, and a verdict.

Letters: `W` test windows (series x cutoffs), `h` horizon, `S` series that have windows.

How scores are averaged. The score of a window is the mean over the steps whose outcome was observed (RMSE: the root of
that mean). The score of a series is the mean over its windows; the overall score is the mean over the series, with
equal weights as in the M4 competition. At one step of the horizon the score of a series is the mean over its windows
(RMSE: the root of the mean square), and the score of the step is the mean over the series. Scores that do not exist,
such as the MASE after a past that repeats exactly, are skipped.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from gatewise import plot
from gatewise.arguments import one_of
from gatewise.forecast.baselines import classical, longer_seasons
from gatewise.forecast.evaluation import constant_past, figures, verdict
from gatewise.forecast.evaluation.constant_past import constant_windows
from gatewise.forecast.evaluation.holdout import Holdout, WindowForecasts, mean
from gatewise.forecast.evaluation.importance import Importance
from gatewise.forecast.evaluation.scores import Scores, definitions, score
from gatewise.forecast.evaluation.tables import missing_for_nan
from gatewise.series.wording import counted

SUGGESTED_WINDOWS = 10  # suggested for each series if a backtest has fewer


@dataclass(frozen=True)
class Backtest:
    """The result of a backtest; prints as its scores, their definitions, and its verdict.

    Attributes:
        held: the test windows, by series and cutoff.
        by_window: forecast -> score -> (W,), in the order of `held`.
        by_step: forecast -> score -> (h,).
        guesses: one sentence for each guess or choice.
        trained: the amount of training data; with `refit`, of the last model.
        delivered: for each trained model the name of the delivered method, such as "LSTM"; none for the model.
        affordable: windows of each series, at most 10, that leave enough values for training; for the verdict.
        importances: of the covariates.
        rho: correlation of the errors of different series, for the verdict.
        point: what the forecasts are, "median" or "mean".
    """

    held: Holdout
    by_window: Mapping[str, Scores]
    by_step: Mapping[str, Scores]
    guesses: tuple[str, ...]
    trained: str
    delivered: tuple[str, ...] = ()
    affordable: int = SUGGESTED_WINDOWS
    importances: tuple[Importance, ...] = ()
    rho: float = 0.0
    point: str = "median"

    @classmethod
    def of(
        cls,
        holdout: Holdout,
        *,
        guesses: Sequence[str] = (),
        trained: str = "",
        delivered: Sequence[str] = (),
        affordable: int = SUGGESTED_WINDOWS,
    ) -> "Backtest":
        """Score test windows.

        Arguments:
            holdout: the windows. Those without any observed value are excluded, and `guesses` counts them.
            guesses: one sentence for each earlier guess or choice.
            trained: the amount of training data.
            delivered: for each trained model the name of the delivered method; none for the model.
            affordable: windows of each series that leave enough values for training.

        Raises:
            DataError: no window has an observed value.
        """
        scored = holdout.scored()
        if excluded := len(holdout.which) - len(scored.which):
            guesses = (*guesses, f"excluded: {counted(excluded, 'test window')} without observed values")
        scales = scored.scale(), scored.root_scale() if scored.mostly_counts else None
        scores = {name: score(scored, forecast, *scales) for name, forecast in scored.forecasts.items()}
        by_window, by_step = ({name: parts[k] for name, parts in scores.items()} for k in (0, 1))
        return cls(scored, by_window, by_step, tuple(guesses), trained, tuple(delivered), affordable)

    @property
    def season(self) -> int:
        """Steps of the season of the seasonal naive forecast and of the MASE; 1 for none."""
        return self.held.season

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.held.model

    @cached_property
    def scores(self) -> Any:
        """Table with a row per series, cutoff and forecast: unique_id, cutoff (the last known date), model, MAE, RMSE,
        sMAPE, MASE, CRPS; for the model and each level also MSIS-80 and coverage-80, a fraction. See `definitions`.
        """
        holdout, models = self.held, list(self.by_window)
        columns = {
            "unique_id": holdout.names(np.repeat(holdout.which, len(models))),
            "cutoff": holdout.dates(holdout.cuts[:, None] - 1).repeat(len(models)),
            "model": np.tile(models, len(holdout.which)),
        }
        return self._table(columns, self.by_window)

    @cached_property
    def by_series(self) -> Any:
        """Table with a row per series and forecast: unique_id, model, and the mean over its windows of each score."""
        models = list(self.by_window)
        columns = {
            "unique_id": self.held.names(np.repeat(self.held.series, len(models))),
            "model": np.tile(models, len(self.held.series)),
        }
        return self._table(columns, self._series_means)

    @cached_property
    def by_horizon(self) -> Any:
        """Table with a row per step and forecast: step (1 to h), model, and the mean over the series of each score."""
        models, steps = list(self.by_step), np.arange(1, self.held.horizon + 1)
        return self._table({"step": np.repeat(steps, len(models)), "model": np.tile(models, len(steps))}, self.by_step)

    @cached_property
    def overall(self) -> dict[str, dict[str, float]]:
        """Forecast -> score -> mean over the series, without the coverage; NaN where a forecast lacks a score."""
        names = [name for name in self._names if not name.startswith("coverage")]
        return {
            model: {name: float(mean(scores[name])) if name in scores else float("nan") for name in names}
            for model, scores in self._series_means.items()
        }

    @cached_property
    def coverage(self) -> dict[float, float]:
        """Level in percent -> fraction of the observed values inside the interval."""
        return self._coverage(np.ones(len(self.held.which), bool))[0]

    def _coverage(self, windows: np.ndarray) -> tuple[dict[float, float], int]:
        """The coverage in some windows (W,), and how many values were observed there."""
        y, coverage = self.held.truth[windows], {}
        count = int((~np.isnan(y)).sum())
        for level in self.held.levels if count else ():
            lower, upper = (bound[windows] for bound in self.held.intervals[level])
            coverage[level] = float(((lower <= y) & (y <= upper)).sum() / count)
        return coverage, count

    @cached_property
    def forecasts(self) -> Any:
        """Long table of all forecasts: unique_id, ds, cutoff, y, the model and the baselines with their intervals.

        `y` is missing where nothing was observed. The columns are those that `utilsforecast.evaluation.evaluate` reads.
        """
        holdout, h = self.held, self.held.horizon
        numbers = {"y": holdout.truth}
        for name, forecast in holdout.forecasts.items():
            numbers[name] = forecast.mean
            for level, bounds in sorted(forecast.intervals.items()):
                numbers |= zip((f"{name}-lo-{level:g}", f"{name}-hi-{level:g}"), bounds, strict=True)
        columns = {
            "unique_id": holdout.names(np.repeat(holdout.which, h)),
            "ds": holdout.dates(holdout.cuts[:, None] + np.arange(h)),
            "cutoff": holdout.dates(holdout.cuts[:, None] - 1).repeat(h),
            **{name: values.ravel() for name, values in numbers.items()},
        }
        return self._finished(pd.DataFrame(columns))

    @cached_property
    def importance(self) -> Any:
        """Table with a row per covariate and calendar cycle: covariate, role (past, known, calendar or static), the
        relative increase of the error in the test windows without its information, a fraction, and its standard_error.
        See `gatewise.forecast.evaluation.importance`.
        """
        columns = {
            "covariate": pd.Series([each.covariate for each in self.importances], dtype="str"),
            "role": pd.Series([each.role for each in self.importances], dtype="str"),
            "increase": np.array([each.increase for each in self.importances], np.float64),
            "standard_error": np.array([each.standard_error for each in self.importances], np.float64),
        }
        return self._finished(pd.DataFrame(columns))

    @property
    def best(self) -> str:
        """The baseline with the smallest error, with which the verdict compares the model."""
        others = [name for name in self.overall if name != self.model]
        return min(others, key=lambda name: self.overall[name][self.verdict_score])

    @property
    def trusted(self) -> bool:
        """Whether the model is worth using: significantly better than the best baseline, by more than 5 %."""
        return verdict.standing(*self._cases[1:], self._overlap, self._correlation) == "ahead"

    @cached_property
    def verdict(self) -> str:
        """Whether to trust the model, with the numbers that support it."""
        judgement, *numbers = self._single_series() if len(self.held.series) == 1 else self._many_series()
        more, constant = self.affordable if self.affordable > self._windows else 0, constant_windows(self.held)
        sentences = (
            judgement,
            verdict.delivery(self.model, self.delivered),
            *numbers,
            verdict.counts(self.held.counts, self.held.mean, self.held.truth, self.verdict_score),
            verdict.evidence(len(self.held.which), more, len(self.held.series)),
            verdict.single_model(self._windows) if len(self.delivered) == 1 < self._windows else "",
            verdict.coverage(*self._coverage(~constant)),
            constant_past.describe(self.held, constant) if self.held.levels else "",
            verdict.of_means(self.verdict_score) if self.point == "mean" and not self.held.mostly_counts else "",
            verdict.covariates(self.importances),
        )
        return " ".join(sentence for sentence in sentences if sentence)

    def against(self, *names: str) -> "Backtest":
        """The backtest with further baselines, models of statsforecast (`pip install "gatewise[classical]"`).

        Each is chosen and fitted anew for each test window; this may take seconds for each.

        Arguments:
            names: AutoETS, AutoARIMA, AutoTheta, MSTL, CrostonSBA.

        Raises:
            ValueError: an unknown name.
            ImportError: statsforecast is not installed.
        """
        held = self.held
        windows = held.panel.series, held.which, held.cuts, held.horizon, held.season
        longer = longer_seasons(held.forecasts) or ((168,) if held.season == 24 else ())  # for MSTL
        seasons = tuple(dict.fromkeys((held.season, *longer)))
        means = {name: held.limits.point(classical(name, *windows, seasons)) for name in names}
        added = {name: WindowForecasts(mean, {}) for name, mean in means.items()}
        more = replace(held, forecasts={**held.forecasts, **added})
        options = {name: getattr(self, name) for name in ("guesses", "trained", "delivered", "affordable")}
        return replace(Backtest.of(more, **options), importances=self.importances, rho=self.rho, point=self.point)

    def definitions(self) -> str:
        """The definition of each score, a line each, and how the scores are averaged."""
        texts = definitions(self.season, self.held.levels, self.held.mostly_counts)
        averaged = "\n  Each score is averaged over the windows of a series, then over the series with equal weights."
        lines = "\n".join(f"  {name}: {text}" for name, text in texts.items())
        return lines + (averaged if len(self.held.series) > 1 else "")

    def table(self) -> str:
        """The mean scores as text, a line for each forecast."""
        cells = [["", *self.overall[self.model]]]
        for model, scores in self.overall.items():
            cells.append([model, *("-" if np.isnan(value) else f"{value:.4g}" for value in scores.values())])
        first = max(14, *(1 + len(row[0]) for row in cells))  # more for SeasonalNaive168
        width = max(10, *(1 + len(cell) for row in cells for cell in row[1:]))  # more for -8.237e-201
        return "\n".join(f"{model:<{first}}" + "".join(f"{cell:>{width}}" for cell in row) for model, *row in cells)

    def plot(self, kind: str = "forecast", *, unique_id: Any = None, score: str = "MAE", ax: Any = None) -> Any:
        """Plot the forecasts over the outcomes, the scores over the horizon, or the coverage of the intervals.

        Arguments:
            kind: "forecast", the test windows of one series (of overlapping windows only those that do not overlap with
                a later one); "examples", the same for the best and the worst series; "horizon", the score at each
                step, beside the naive forecasts; or "coverage", of the intervals, beside their levels.
            unique_id: name of the series for "forecast"; by default the first.
            score: for "horizon", a column of `by_horizon`.
            ax: matplotlib Axes to draw on; by default a new figure. "examples" draws its own.

        Returns:
            The Axes; for "examples" the Figure.

        Raises:
            ValueError: for an unknown kind, series or score.
            ImportError: without matplotlib.
        """
        one_of("kind", kind, ("forecast", "examples", "horizon", "coverage"))
        if kind == "forecast":
            return figures.draw_series(self.held, self._position(unique_id), ax)
        if kind == "examples":
            if ax is not None:
                raise ValueError("kind='examples' draws several Axes of its own; leave ax out")
            cases, errors, _ = self._cases
            return figures.draw_examples(self.held, cases, errors, self.verdict_score)
        if kind == "coverage":
            return plot.coverage(list(self.coverage), list(self.coverage.values()), values=self._values, ax=ax)
        one_of("score", score, self._names)
        curves = {name: scores[score] for name, scores in self.by_step.items() if score in scores}
        return plot.by_horizon(np.arange(1, self.held.horizon + 1), curves, score=score, ax=ax)

    def __str__(self) -> str:
        return f"{self.table()}\n{self.definitions()}\n{self.verdict}"

    @cached_property
    def _series_means(self) -> dict[str, dict[str, np.ndarray]]:
        return {
            model: {name: self.held.mean_by_series(values) for name, values in scores.items()}
            for model, scores in self.by_window.items()
        }

    @property
    def _names(self) -> tuple[str, ...]:
        """Names of all scores, which the model has."""
        return tuple(self.by_window[self.model])

    @property
    def _windows(self) -> int:
        """The largest number of test windows of a series."""
        return int(np.bincount(self.held.which).max())

    @property
    def _values(self) -> int:
        """How many values were observed."""
        return int((~np.isnan(self.held.truth)).sum())

    @property
    def verdict_score(self) -> str:
        """The score of the verdict: the MAE; for many series the MASE; for mostly intermittent ones the RMSSE."""
        scores = self.overall[self.model]
        many = len(self.held.series) > 1 and np.isfinite(scores["MASE"])
        return "RMSSE" if np.isfinite(scores.get("RMSSE", np.nan)) else "MASE" if many else "MAE"

    @property
    def _cases(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The series, or the windows of a single one, that have the score of the verdict: positions, errors of the
        model, errors of the best naive forecast."""
        errors, baseline = self._errors(self.by_window if len(self.held.series) == 1 else self._series_means)
        cases = np.flatnonzero(~np.isnan(errors))
        return cases, errors[cases], baseline[cases]

    def _errors(self, scores: Mapping[str, Scores]) -> tuple[np.ndarray, np.ndarray]:
        """The score of the verdict, of the model and of the best naive forecast."""
        return scores[self.model][self.verdict_score], scores[self.best][self.verdict_score]

    def _single_series(self) -> tuple[str, ...]:
        """The judgement and the numbers for a single series."""
        model, naive = self.overall[self.model], self.overall[self.best]
        numbers = f"Mean absolute error {model['MAE']:.4g} against {naive['MAE']:.4g}"
        scaled = "RMSSE" if self.held.mostly_counts else "MASE"
        if np.isfinite(model[scaled]):
            numbers += f" ({scaled} {model[scaled]:.3g} against {naive[scaled]:.3g})"
        return self._judgement("", *self._cases[1:]), f"{numbers}."

    def _judgement(self, where: str, errors: np.ndarray, baseline: np.ndarray) -> str:
        """Whether the model is worth using instead of the best baseline."""
        delivered = set(self.delivered) or {self.model}
        if delivered == {self.best}:
            return verdict.baseline_only(self.model, self.best)
        subject = self.model if delivered == {self.model} else "forecast"
        return verdict.judgement(subject, self.best, errors, baseline, where, self._overlap, self._correlation)

    @property
    def _overlap(self) -> int:
        """The windows to each side that overlap with a window of a single series; 0 for the means of many series."""
        if len(self.held.series) > 1 or len(self.held.cuts) < 2:
            return 0
        return math.ceil(self.held.horizon / int(np.diff(self.held.cuts).min())) - 1

    @property
    def _correlation(self) -> float:
        """The correlation of the errors of different series; 0 for the windows of a single one."""
        return self.rho if len(self.held.series) > 1 else 0.0

    def _many_series(self) -> tuple[str, ...]:
        """The judgement and the numbers for several series."""
        model, naive = self.overall[self.model], self.overall[self.best]
        cases, errors, baseline = self._cases
        windows = verdict.wins(*(scores[~np.isnan(scores)] for scores in self._errors(self.by_window)))
        where = f"in {verdict.wins(errors, baseline)} series and {windows} test windows"
        numbers = f"mean absolute error {model['MAE']:.4g} against {naive['MAE']:.4g}."
        if (scaled := self.verdict_score) != "MAE":
            numbers = f"{scaled} {model[scaled]:.3g} against {naive[scaled]:.3g}, {numbers}"
        count = len(self.held.series)
        unscaled = f"{count - len(cases)} of {count} series" if len(cases) < count else ""
        return (
            self._judgement(where, errors, baseline),
            f"Mean over the series: {numbers}",
            f"No {scaled} for {unscaled}, whose past repeats exactly or is shorter than a season." if unscaled else "",
            verdict.worst(self.held.names(self.held.series[cases]), errors, baseline, self.verdict_score),
        )

    def _table(self, columns: dict[str, Any], scores: Mapping[str, Scores]) -> Any:
        """A table of scores (n,) by forecast, with the forecasts of each row side by side."""
        missing = np.full(len(scores[self.model]["MAE"]), np.nan)
        for name in self._names:
            columns[name] = np.stack([of_model.get(name, missing) for of_model in scores.values()], axis=1).ravel()
        return self._finished(pd.DataFrame(columns))

    def _finished(self, table: pd.DataFrame) -> Any:
        return missing_for_nan(self.held.panel.table(table))

    def _position(self, unique_id: Any) -> int:
        """The position of a series that has windows."""
        positions = {self.held.panel.series[k].unique_id: int(k) for k in self.held.series}
        if unique_id is None:
            return int(self.held.series[0])
        if unique_id not in positions:
            names = ", ".join(map(repr, list(positions)[:5]))
            raise ValueError(f"unique_id is {unique_id!r}, expected one of {names}")
        return positions[unique_id]
