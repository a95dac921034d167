"""Backtests: forecasts of a past that was not looked at, scored beside naive ones, and a verdict in words.

Letters: `W` held-out windows (series x cutoffs), `h` horizon, `S` series that have windows.

How means are taken. A score of one window is its mean over the steps whose outcome was observed (RMSE: the root of
that mean). A series has the mean over its windows, and the whole the mean over the series, each series counting alike
as in the M4 competition. At one step of the horizon a series has the mean over its windows (RMSE: the root of the mean
square), and the step the mean over the series. A score that does not exist, MASE after a past that repeats itself, is
left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from gatewise import plot
from gatewise.arguments import one_of
from gatewise.forecast import baselines as baselines
from gatewise.forecast.evaluation import verdict
from gatewise.forecast.evaluation.holdout import Holdout, mean
from gatewise.plot import Example

EXAMPLES = 3  # best and worst series that are drawn
Scores = Mapping[str, np.ndarray]  # by the name of the score


@dataclass(frozen=True)
class Backtest:
    """What a backtest found; prints as its scores, what they mean, and its verdict.

    Attributes:
        held: the held-out windows themselves, by series and cutoff.
        by_window: forecast -> score -> (W,), in the order of `held`.
        by_step: forecast -> score -> (h,).
        guesses: everything that was guessed or chosen.
        trained: on how much the model was trained, the last one if it was trained for each window.
        replaced: the naive forecast that took the place of each model that was trained, "" for none.
    """

    held: Holdout
    by_window: Mapping[str, Scores]
    by_step: Mapping[str, Scores]
    guesses: tuple[str, ...]
    trained: str
    replaced: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, held: Holdout, *, guesses: Sequence[str] = (), trained: str = "", replaced: Sequence[str] = ()
    ) -> "Backtest":
        """Score held-out windows.

        Arguments:
            held: the windows; those in which nothing was observed are left out, which a guess then says.
            guesses: what was guessed or chosen before.
            trained: on how much the model was trained.
            replaced: the naive forecast that took the place of each model that was trained, "" for none.

        Raises:
            DataError: nothing was observed in any window.
        """
        scored = held.scored()
        lost = len(held.which) - len(scored.which)
        if lost:
            guesses = (*guesses, f"left out: {lost} held-out window{'s' * (lost > 1)} in which nothing was observed")
        scale, by_window, by_step = scored.scale(), {}, {}
        for name, f in scored.forecasts().items():
            intervals = scored.intervals if name == scored.model else {}
            by_window[name], by_step[name] = _reduced(scored, _losses(scored.truth, f, intervals, scale))
        return cls(scored, by_window, by_step, tuple(guesses), trained, tuple(replaced))

    @property
    def season(self) -> int:
        """Steps that the scores and the seasonal naive forecast go by; 1 for none."""
        return self.held.season

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.held.model

    @cached_property
    def scores(self) -> Any:
        """Table with a row per series, cutoff and forecast: unique_id, cutoff (the last date known), model, MAE, RMSE,
        sMAPE, MASE, CRPS; for the model also, per level, MSIS-80 and coverage-80, as a fraction. See `definitions`.
        """
        held, models = self.held, list(self.by_window)
        columns = {
            "unique_id": held.names(np.repeat(held.which, len(models))),
            "cutoff": held.dates(held.cuts[:, None] - 1).repeat(len(models)),
            "model": np.tile(models, len(held.which)),
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
        """The mean over the series of each score but the coverage, by forecast; NaN where a forecast has none."""
        names = [name for name in self._names if not name.startswith("coverage")]
        return {
            model: {name: float(mean(scores[name])) if name in scores else float("nan") for name in names}
            for model, scores in self._series_means.items()
        }

    @cached_property
    def coverage(self) -> dict[float, float]:
        """Level in percent -> fraction of all observed values inside, each value counting alike."""
        y, found = self.held.truth, {}
        for level in self.held.levels:
            lower, upper = self.held.intervals[level]
            found[level] = float(((lower <= y) & (y <= upper)).sum() / self._values)
        return found

    @cached_property
    def forecasts(self) -> Any:
        """Long table of everything forecast: unique_id, ds, cutoff, y, the model with its intervals, the naive ones.

        What nobody observed is missing in `y`. The columns are those that `utilsforecast.evaluation.evaluate` reads.
        """
        held, h = self.held, self.held.horizon
        model, *others = held.forecasts().items()
        bounds = [
            (f"{held.model}-{side}-{level:g}", bound)
            for level in held.levels
            for side, bound in zip(("lo", "hi"), held.intervals[level], strict=True)
        ]
        columns = {
            "unique_id": held.names(np.repeat(held.which, h)),
            "ds": held.dates(held.cuts[:, None] + np.arange(h)),
            "cutoff": held.dates(held.cuts[:, None] - 1).repeat(h),
            **{name: f.ravel() for name, f in (("y", held.truth), model, *bounds, *others)},
        }
        return self._finished(pd.DataFrame(columns))

    @property
    def best(self) -> str:
        """The naive forecast with the smallest error, that which the verdict goes by."""
        others = [name for name in self.overall if name != self.model]
        return min(others, key=lambda name: self.overall[name][self._ruler])

    @property
    def trusted(self) -> bool:
        """Whether the verdict calls the model worth using: ahead of the best naive one by more than 5 %, and surely."""
        return verdict.standing(*self._cases[1:]) == "ahead"

    @cached_property
    def verdict(self) -> str:
        """Whether to trust the model, in words and numbers."""
        judged, *sentences = self._of_one() if len(self.held.series) == 1 else self._of_many()
        sentences = [verdict.stood_in(self.model, self.replaced, judged), *sentences]
        thin, held = verdict.evidence(len(self.held.which)), verdict.band(self.coverage, self._values)
        return " ".join(sentence for sentence in (*sentences, thin, held) if sentence)

    def definitions(self) -> str:
        """What each score is, a line for each, and how the means are taken."""
        seasonal = f"seasonal naive forecast (season {self.season})" if self.season > 1 else "naive forecast"
        said = {
            "MAE": "mean absolute error, in the unit of the series.",
            "RMSE": "root of the mean squared error, in the unit of the series; large errors weigh more.",
            "sMAPE": "200 |y - f| / (|y| + |f|), averaged, in percent.",
            "MASE": f"absolute error over that of the {seasonal} in what was known before; 1 is as good.",
            "CRPS": f"{self._quantiles()}.",
        }
        for level in self.held.levels:
            fine = f"{200 / (100 - level):.3g} times"
            said[f"MSIS-{level:g}"] = f"width of the {level:g} % interval and {fine} any miss of it, scaled as MASE is."
        lines = [f"  {name}: {words}" for name, words in said.items()]
        if len(self.held.series) > 1:
            lines.append("  Each is the mean over the windows of a series, then over the series, which count alike.")
        return "\n".join(lines)

    def table(self) -> str:
        """The mean scores as text, a line for each forecast."""
        cells = [["", *self.overall[self.model]]]
        for model, scores in self.overall.items():
            cells.append([model, *("-" if np.isnan(value) else f"{value:.4g}" for value in scores.values())])
        width = max(10, *(1 + len(cell) for row in cells for cell in row[1:]))  # of -8.237e-201 and the like
        return "\n".join(f"{model:<14}" + "".join(f"{cell:>{width}}" for cell in row) for model, *row in cells)

    def plot(self, kind: str = "forecast", *, unique_id: Any = None, score: str = "MAE", ax: Any = None) -> Any:
        """Draw the forecasts over what happened, the scores over the horizon, or how often the intervals held.

        Arguments:
            kind: "forecast", those of one series, side by side (where they overlap, the last and those before it that
                do not); "examples", the same for the series that came out best and worst; "horizon", the score at each
                step beside that of the naive forecasts; or "coverage", of the intervals beside what they promise.
            unique_id: name of the series of "forecast"; the first by default.
            score: of "horizon", a column of `by_horizon`.
            ax: matplotlib Axes to draw on, a new figure by default; not for "examples", which has many.

        Returns:
            The Axes; for "examples" the Figure.

        Raises:
            ValueError: for an unknown kind, series or score.
            ImportError: without matplotlib.
        """
        one_of("kind", kind, ("forecast", "examples", "horizon", "coverage"))
        if kind == "forecast":
            example = self._example(self._find(unique_id))
            return plot.backtest(
                example.ds, example.y, example.forecasts, last=example.last, model=self.model, name=example.title, ax=ax
            )
        if kind == "examples":
            if ax is not None:
                raise ValueError("kind='examples' draws several Axes of its own; leave ax out")
            return self._draw_examples()
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
        """Names of the scores, of which the model has all."""
        return tuple(self.by_window[self.model])

    @property
    def _values(self) -> int:
        return int((~np.isnan(self.held.truth)).sum())

    @property
    def _ruler(self) -> str:
        """The score that the verdict goes by: of many series one without a unit, if there is any."""
        many = len(self.held.series) > 1 and np.isfinite(self.overall[self.model]["MASE"])
        return "MASE" if many else "MAE"

    @property
    def _cases(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Series, or the windows of a single one, that have the score of the verdict: which, and both their errors."""
        means = self.by_window if len(self.held.series) == 1 else self._series_means
        ours, theirs = self._ruled(means)
        there = np.flatnonzero(~np.isnan(ours))
        return there, ours[there], theirs[there]

    def _ruled(self, scores: Mapping[str, Scores]) -> tuple[np.ndarray, np.ndarray]:
        """The score of the verdict, of the model and of the best naive forecast."""
        return scores[self.model][self._ruler], scores[self.best][self._ruler]

    def _of_one(self) -> tuple[str, ...]:
        ours, theirs = self.overall[self.model], self.overall[self.best]
        numbers = f"Mean absolute error {ours['MAE']:.4g} against {theirs['MAE']:.4g}"
        if np.isfinite(ours["MASE"]):
            numbers += f" (MASE {ours['MASE']:.3g} against {theirs['MASE']:.3g})"
        return verdict.judgement(self.model, self.best, *self._cases[1:]), f"{numbers}."

    def _of_many(self) -> tuple[str, ...]:
        ours, theirs = self.overall[self.model], self.overall[self.best]
        there, mine, other = self._cases
        each = [scores[~np.isnan(scores)] for scores in self._ruled(self.by_window)]
        windows = verdict.wins(each[0], each[1])
        where = f"in {verdict.wins(mine, other)} series and {windows} held-out windows"
        numbers = f"mean absolute error {ours['MAE']:.4g} against {theirs['MAE']:.4g}."
        scaled = f"MASE {ours['MASE']:.3g} against {theirs['MASE']:.3g}, "
        lost = len(self.held.series) - len(there)
        series = f"{lost} of {len(self.held.series)} series"
        return (
            verdict.judgement(self.model, self.best, mine, other, where),
            f"Mean over the series: {scaled if self._ruler == 'MASE' else ''}{numbers}",
            f"No MASE in {series}, whose past repeats itself or is shorter than a season." if lost else "",
            verdict.worst(self.held.names(self.held.series[there]), mine, other, self._ruler),
        )

    def _quantiles(self) -> str:
        if not self.held.levels:
            return "the MAE here, as there are no intervals"
        below = [50 - level / 2 for level in reversed(self.held.levels)]
        shares = ", ".join(f"{share:g}" for share in (*below, 50, *(100 - share for share in reversed(below))))
        return f"twice the mean pinball loss of the quantiles {shares} %, the forecast as the median; else the MAE"

    def _table(self, columns: dict[str, Any], scores: Mapping[str, Scores]) -> Any:
        """A table of scores (n,) by forecast, with the forecasts of each row side by side."""
        missing = np.full(len(scores[self.model]["MAE"]), np.nan)
        for name in self._names:
            columns[name] = np.stack([of.get(name, missing) for of in scores.values()], axis=1).ravel()
        return self._finished(pd.DataFrame(columns))

    def _finished(self, frame: pd.DataFrame) -> Any:
        panel = self.held.panel
        return _missing(panel.table(frame))

    def _find(self, unique_id: Any) -> int:
        """Position of a series that has windows."""
        names = {self.held.panel.series[k].unique_id: int(k) for k in self.held.series}
        if unique_id is None:
            return int(self.held.series[0])
        if unique_id not in names:
            raise ValueError(f"unique_id is {unique_id!r}, expected one of {', '.join(map(repr, list(names)[:5]))}")
        return names[unique_id]

    def _draw_examples(self) -> Any:
        """The best and the worst series, by the score of the verdict."""
        there, errors, _ = self._cases
        if len(self.held.series) == 1 or not len(there):
            there, errors = np.zeros(1, int), np.zeros(1)
        order = there[np.argsort(errors, kind="stable")]
        few = len(order) <= 2 * EXAMPLES
        parts = {"": order} if few else {"best: ": order[:EXAMPLES], "worst: ": order[-EXAMPLES:]}
        panels = [
            replace(example, title=f"{which}{example.title}")
            for which, chosen in parts.items()
            for example in (self._example(int(self.held.series[place])) for place in chosen)
        ]
        return plot.examples(panels, title=f"{self.model} beside what happened, by {self._ruler}", model=self.model)

    def _example(self, k: int) -> Example:
        """The held-out windows of one series, as far as they lie side by side, and what came before."""
        held, one, h = self.held, self.held.panel.series[k], self.held.horizon
        rows = _side_by_side(np.flatnonzero(held.which == k), held.cuts, h)
        end = int(held.cuts[rows[-1]])
        ds = held.calendar(k, end + h - 1)
        past = baselines.known(one, end).y
        made = [
            (ds[cut : cut + h], held.mean[w], {level: (lo[w], hi[w]) for level, (lo, hi) in held.intervals.items()})
            for w, cut in zip(rows, held.cuts[rows], strict=True)
        ]
        return Example(
            str(one.unique_id),
            ds[: end + h],
            np.concatenate([past, held.truth[rows[-1]]]),
            made,
            last=end - int(held.cuts[rows[0]]) + 4 * h,  # three horizons before the first window
        )


# -------------------------------------------------------------------------------------------------- one window each


def _losses(
    y: np.ndarray, f: np.ndarray, intervals: Mapping[float, tuple[np.ndarray, np.ndarray]], scale: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """What each score takes the mean of, (W, h), one after the other; NaN where nothing was observed."""
    error = np.abs(y - f)
    size = np.abs(y) + np.abs(f)
    yield "MAE", error
    yield "RMSE", error  # squared later
    yield "sMAPE", np.divide(200 * error, size, out=0 * error, where=size > 0)
    yield "MASE", error / scale[:, None]
    yield "CRPS", _crps(y, f, intervals)
    for level in sorted(intervals):
        lower, upper = intervals[level]
        outside = np.maximum(lower - y, 0) + np.maximum(y - upper, 0)
        yield f"MSIS-{level:g}", (upper - lower + 200 / (100 - level) * outside) / scale[:, None]
    for level in sorted(intervals):
        lower, upper = intervals[level]
        yield f"coverage-{level:g}", np.where(np.isnan(y), np.nan, (lower <= y) & (y <= upper))


def _crps(y: np.ndarray, f: np.ndarray, intervals: Mapping[float, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Twice the mean pinball loss over the median, which is `f`, and the bounds of the intervals."""
    total = np.abs(y - f)
    for level, (lower, upper) in intervals.items():
        tail = (100 - level) / 200
        for q, bound in ((tail, lower), (1 - tail, upper)):
            total = total + 2 * np.maximum(q * (y - bound), (q - 1) * (y - bound))
    return np.asarray(total / (1 + 2 * len(intervals)))


def _reduced(held: Holdout, losses: Iterator[tuple[str, np.ndarray]]) -> tuple[dict[str, np.ndarray], ...]:
    """The scores of each window (W,), and of each step (h,)."""
    windows, steps = {}, {}
    for name, loss in losses:
        if name == "RMSE":
            windows[name], steps[name] = _roots(held, loss)
            continue
        windows[name] = mean(loss, axis=1)
        steps[name] = mean(held.mean_by_series(loss), axis=0)
    return windows, steps


def _roots(held: Holdout, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The roots of mean squared errors (W,) and (h,), in units of each series' largest, as small squares vanish."""
    starts = np.searchsorted(held.which, held.series)
    largest = np.maximum.reduceat(np.nan_to_num(error).max(axis=1), starts)
    unit = np.where(largest > 0, largest, 1.0)
    each = unit[np.searchsorted(held.series, held.which)]
    square = np.square(error / each[:, None])
    return each * np.sqrt(mean(square, axis=1)), mean(unit[:, None] * np.sqrt(held.mean_by_series(square)), axis=0)


def _side_by_side(rows: np.ndarray, cuts: np.ndarray, horizon: int) -> list[int]:
    """The last window, and going back from it those that end before the one that was taken."""
    taken = [int(rows[-1])]
    for row in rows[-2::-1]:
        if cuts[row] + horizon <= cuts[taken[-1]]:
            taken.append(int(row))
    return taken[::-1]


def _missing(table: Any) -> Any:
    """NaN as what the library calls missing: polars tells the two apart, and its means skip only the latter."""
    if isinstance(table, pd.DataFrame):
        return table
    import narwhals as nw

    frame = nw.from_native(table)
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    return frame.with_columns(nw.when(~nw.col(name).is_nan()).then(nw.col(name)) for name in floats).to_native()
