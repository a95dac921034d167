"""Cross-validation over time: train on the values before each cutoff, and forecast from there.

Letters: `S` series, `W` cutoffs of all series, `h` horizon.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from gatewise.forecast.evaluation.cutoffs import Cutoffs
from gatewise.forecast.evaluation.holdout import WindowForecasts
from gatewise.forecast.evaluation.recalibration import by_cutoff
from gatewise.forecast.model.counts import Counts
from gatewise.forecast.model.delivery import Method
from gatewise.forecast.model.plan import Plan, Sizes
from gatewise.forecast.model.selection import Selection, network_counts, refitted, training_steps
from gatewise.parallel import Steps
from gatewise.series import Panel
from gatewise.series.wording import counted


class CutoffForecasts(NamedTuple):
    """The forecasts from all cutoffs.

    Attributes:
        forecasts: of the model, then of each baseline, by name.
        choices: sentences about the last trained model.
        delivered: for each trained model the name of the delivered method, such as "LSTM" or "Theta".
    """

    forecasts: dict[str, WindowForecasts]
    choices: tuple[str, ...]
    delivered: tuple[str, ...]


@dataclass(frozen=True)
class CrossValidation:
    """Which models a backtest trains, and on which series.

    Attributes:
        plan, sizes: of the models.
        panel: the series; all are long enough.
        season: of all series.
        name: of the models, such as "LSTM".
    """

    plan: Plan
    sizes: Sizes
    panel: Panel
    season: int
    name: str

    def training_steps(self, cutoffs: Cutoffs, refit: bool | None) -> tuple[list[Steps[list[Selection]]], int]:
        """The trainings of the models, each on the values before the cutoffs of its stage, and the number of networks.

        Arguments:
            cutoffs: where forecasts start.
            refit: True trains a model for each cutoff, with its own choices; None trains networks for each cutoff, with
                the choices made before the first; False trains one model for all, before the first.
        """
        whole, again = network_counts(self.plan, self.sizes, self.panel, quick=refit is None and cutoffs.count > 1)
        if refit:
            steps = [listed(self._training_steps(cutoffs, stage)) for stage in range(cutoffs.count)]
            return steps, whole * cutoffs.count
        later = 0 if refit is False else cutoffs.count - 1
        return [self._with_later(cutoffs, later)], whole + again * later

    def _with_later(self, cutoffs: Cutoffs, later: int) -> Steps[list[Selection]]:
        """The model of the first stage, and those of later stages with its choices."""
        first = yield from self._training_steps(cutoffs, 0, quick=later > 0)
        pairs = [refitted(first, self.plan, self.sizes, cutoffs.past(stage)) for stage in range(1, later + 1)]
        trained = yield [task for _, tasks in pairs for task in tasks]
        networks, selections = iter(trained), [first]
        for selection, tasks in pairs:
            ensemble = replace(selection.ensemble, networks=tuple(next(networks) for _ in tasks))
            selections.append(replace(selection, ensemble=ensemble))
        return selections

    def _training_steps(self, cutoffs: Cutoffs, stage: int, quick: bool = False) -> Steps[Selection]:
        """The training of one model; its series are cut off when it starts."""
        remainder = f" before {counted(cutoffs.count, 'window')} of {cutoffs.horizon}"
        past = cutoffs.past(stage)
        return (yield from training_steps(self.plan, self.sizes, self.panel, past, self.season, remainder, quick))

    def forecasts(
        self,
        cutoffs: Cutoffs,
        truth: np.ndarray,
        levels: Sequence[float],
        selections: Sequence[Selection],
        refit: bool | None,
    ) -> CutoffForecasts:
        """Forecast from all cutoffs.

        Arguments:
            cutoffs: where forecasts start.
            truth: (W, h) the outcomes, on which the intervals of later cutoffs are recalibrated.
            levels: percentages of the intervals.
            selections: the models, one for each cutoff of a series; or one for all.
            refit: as for `training_steps`; unless it is True, the intervals of the first model are recalibrated from
                cutoff to cutoff.
        """
        names = (self.name, *(name for method in selections[0].baselines for name in method.baselines))
        shape = len(names), *truth.shape
        means, spreads, errors = np.empty(shape), np.empty(shape), np.empty(shape)
        most = np.empty((len(truth), 1))  # half widths of the intervals
        for stage, selection in enumerate(selections):
            rows: Any = cutoffs.stages == stage if len(selections) > 1 else slice(None)
            dataset, cuts = cutoffs.dataset(selection, rows, cutoffs.first(stage))
            most[rows] = selection.largest_half_widths(dataset, cuts)
            for k, method in enumerate(_methods(selection)):
                chosen = method if k else None  # new series borrow the past of longer ones for the delivered method
                means[k, rows], spreads[k, rows] = selection.forecast(dataset, cuts, cutoffs.horizon, method=chosen)
                errors[k, rows] = dataset.measurable(cuts, truth[rows] - means[k, rows])
        forecasts = {}
        for k, (name, mean) in enumerate(zip(names, means, strict=True)):
            intervals = {level: (np.empty_like(mean), np.empty_like(mean)) for level in levels}
            point = mean.copy()
            if refit:
                own = [_methods(selection)[k].calibration for selection in selections]
                calibrations: Any = [(cutoffs.stages == stage, one) for stage, one in enumerate(own)]
            else:
                calibrations = by_cutoff(_methods(selections[0])[k].calibration, cutoffs, errors[k], spreads[k])
            for rows, calibration in calibrations:
                within = mean[rows], spreads[k, rows], most[rows]
                if k == 0:  # baselines keep their own
                    point[rows] = selections[0].delivered_point(*within, calibration)
                for level, (lower, upper) in intervals.items():
                    lower[rows], upper[rows] = selections[0].bounds(*within, level, calibration)
            forecasts[name] = WindowForecasts(point, intervals)
        counts = _counts(cutoffs, selections)
        forecasts[self.name] = _with_counts(forecasts[self.name], [found for _, found in counts])
        delivered = tuple(
            selection.method_name(self.name, found, windows)
            for selection, (windows, found) in zip(selections, counts, strict=True)
        )
        guesses = selections[-1].describe(cutoffs.past(len(selections) - 1))
        return CutoffForecasts(forecasts, guesses, delivered)


def listed(steps: Steps[Selection]) -> Steps[list[Selection]]:
    """Steps that return a list of what the steps return."""
    return [(yield from steps)]


def _methods(selection: Selection) -> tuple[Method, ...]:
    """The delivered method, and each baseline."""
    return selection.delivered, *selection.baselines


def _counts(cutoffs: Cutoffs, selections: Sequence[Selection]) -> list[tuple[int, Counts]]:
    """For each model the number of its windows, and the distributions of counts that it forecasts."""
    counts = []
    for stage, selection in enumerate(selections):
        rows = np.flatnonzero((cutoffs.stages == stage) | (len(selections) == 1))
        series, places, _ = cutoffs.known(rows)
        found = selection.counts(series, np.array(places), cutoffs.cuts[rows], cutoffs.horizon)
        counts.append((len(rows), replace(found, rows=rows[found.rows])))
    return counts


def _with_counts(forecasts: WindowForecasts, counts: Sequence[Counts]) -> WindowForecasts:
    """Forecasts in which distributions of counts replace others."""
    for each in counts:
        if len(each.rows):
            mean, intervals, median = forecasts
            median = np.full_like(mean, np.nan) if median is None else median
            bounds = {level: each.bounds(pair, level) for level, pair in intervals.items()}
            forecasts = WindowForecasts(each.point(mean), bounds, each.quantile(median, 0.5))
    return forecasts
