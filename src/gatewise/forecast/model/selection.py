"""Selection: compares strategies on the validation set, trains the best on all data and measures the baselines.

Letters: `S` series, `B` cuts, `h` horizon, `K` features known in advance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor
from torch.nn import Module

from gatewise.forecast import baselines
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.limits import NO_LIMITS, Limits
from gatewise.forecast.model.alignment import MOST_SEARCHED, NO_SHIFTS, Alignment
from gatewise.forecast.model.constant_end import constant_ends
from gatewise.forecast.model.constant_end import describe as describe_constant_ends
from gatewise.forecast.model.dataset import Dataset, stack_features
from gatewise.forecast.model.delivery import AVERAGE, BEST, Method, choose, partner
from gatewise.forecast.model.ensemble import Ensemble
from gatewise.forecast.model.plan import Plan, Sizes, is_small
from gatewise.forecast.model.point import describe, mean_lift, point_name
from gatewise.forecast.model.ranges import capped, largest_half_widths
from gatewise.forecast.model.recent_break import recent_break
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.forecast.model.window import WindowScaling
from gatewise.parallel import Report, Steps, Task, run_all
from gatewise.series import Panel, Series

MOST_REFITTED = 1  # networks of an ensemble that are trained again for a later window of a backtest


@dataclass(frozen=True)
class Selection:
    """The selected model of a panel, and the choices that led to it.

    Attributes:
        ensemble: the networks and their scaling.
        configuration: of their training.
        season: of the baselines, 1 for none.
        freq: of the series.
        delivered: the method whose forecasts are delivered.
        choices: lines for `guesses`, one for each choice.
        alignment: of series with a level shift.
        baselines: all baselines, measured on the validation set; none after loading.
        limits: of all forecasts.
        point: of the predictive distribution that is delivered, "median" or "mean".
    """

    ensemble: Ensemble
    configuration: TrainingConfiguration
    season: int
    freq: str | int
    delivered: Method
    choices: tuple[str, ...]
    alignment: Alignment = NO_SHIFTS
    baselines: tuple[Method, ...] = ()
    limits: Limits = NO_LIMITS
    point: str = "median"

    @property
    def point_name(self) -> str:
        """What the delivered forecasts are: "median" or "mean"."""
        return point_name(self.point, self.configuration.loss)

    def dataset(self, series: Sequence[Series], until: Sequence[int] | None = None) -> Dataset:
        """Series prepared for the ensemble."""
        return Dataset.of(self.alignment.apply(series), self.ensemble.scaling, until)

    def bounds(
        self,
        mean: np.ndarray,
        spread: np.ndarray,
        most: np.ndarray,
        level: float,
        calibration: Calibration | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The bounds (B, h) of the intervals of forecasts.

        Arguments:
            mean, spread: (B, h), of `forecast`.
            most: (B, 1), of `largest_half_widths`.
            level: in percent.
            calibration: by default that of the delivered method.
        """
        bounds = (calibration or self.delivered.calibration).bounds(mean, spread, level)
        return self.limits.interval(*capped(mean, bounds, most))

    def delivered_point(
        self, median: np.ndarray, spread: np.ndarray, most: np.ndarray, calibration: Calibration | None = None
    ) -> np.ndarray:
        """The forecasts (B, h) to deliver; for the arguments see `bounds`."""
        if self.point == "median":
            return median
        errors = (calibration or self.delivered.calibration).mean_errors(spread)
        return self.limits.point(median + np.clip(errors, -most, most))

    def largest_half_widths(self, dataset: Dataset, cuts: Tensor) -> np.ndarray:
        """How far (B, 1) the bounds of intervals may lie from the forecasts after cuts (B,)."""
        if self.delivered.calibration.profile is None:  # of an old file, whose intervals stay as they were
            return np.full((len(cuts), 1), np.inf)
        return largest_half_widths(dataset.series, *dataset.windows(cuts))

    def describe(self, series: Sequence[Series]) -> tuple[str, ...]:
        """Lines for `guesses`: what was found in the series, and the choices."""
        aligned = self.alignment.apply(series)
        found = *self.alignment.describe(series), *describe_constant_ends(aligned, self.season)
        few = aligned if len(aligned) <= MOST_SEARCHED else ()
        breaks = [text for one in few if (text := recent_break(one, self.season))]
        more = f"; {len(breaks) - 1} more series have one" if len(breaks) > 1 else ""
        return *found, *(f"{text}{more}" for text in breaks[:1]), *self.choices

    def fitted(self, series: Sequence[Series]) -> list[np.ndarray]:
        """The in-sample fit of the network: for each series the one-step forecasts after its first whole window."""
        fitted = self.ensemble.fitted(self.dataset(series))
        return [self.limits.point(self.alignment.undo(one, values)) for one, values in zip(series, fitted, strict=True)]

    def forecast(
        self,
        dataset: Dataset,
        cuts: Tensor,
        horizon: int,
        future: np.ndarray | None = None,
        method: Method | None = None,
        fitted_on: Sequence[Series] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The forecasts of a method after cuts, and their spreads: both (B, h).

        Arguments:
            dataset: the series.
            cuts: (B,).
            horizon: steps, h.
            future: (B, h, K) future covariates, where the cuts are the ends of the series.
            method: by default the delivered one.
            fitted_on: the series with the covariates on which the baseline is fitted; by default those of the dataset.
        """
        method = method or self.delivered
        weight, name = method.weight, method.baseline
        if weight:
            mean, spread = self.ensemble.extrapolate(dataset, cuts, horizon, future)
        else:
            mean, spread = np.zeros((len(cuts), horizon)), spreads_of_baseline(dataset, cuts, horizon)
        if weight < 1:
            options = {"names": (name,), "future": future, "fitted_on": fitted_on}
            by_name = baseline_forecasts(dataset, cuts, horizon, self.season, self.freq, **options)
            mean = weight * mean + (1 - weight) * by_name[name]
        value = constant_ends(dataset.series, *dataset.windows(cuts), self.season)[:, None]
        return self.limits.point(np.where(np.isnan(value), mean, value)), np.where(np.isnan(value), spread, 0.0)

    def train_further(self, series: Sequence[Series], max_steps: int) -> "Selection":
        """The selection with networks that are fine-tuned on series; see `TrainingConfiguration.train_further`."""
        ensemble = self.configuration.train_further(self.ensemble, self.dataset(series), max_steps)
        return replace(self, ensemble=ensemble)


class Candidate(NamedTuple):
    """A strategy to compare.

    Attributes:
        configuration: of its training.
        dataset: the series, prepared for it.
        context: the line for `guesses` about its context.
    """

    configuration: TrainingConfiguration
    dataset: Dataset
    context: str

    @property
    def name(self) -> str:
        """The strategy with its dropout."""
        return strategy_name(self.dataset.scaling)

    def train(self, report: Report) -> Ensemble:
        """One network, with its validation error."""
        return self.configuration.train_with_validation(self.dataset, report)


def train(plan: Plan, sizes: Sizes, panel: Panel, season: int) -> Selection:
    """Compare the candidate strategies on the validation set, and train the best on all data."""
    steps, (total, _) = training_steps(plan, sizes, panel, panel.series, season), network_counts(plan, sizes, panel)
    return run_all([steps], sizes.jobs, total=total, description="training", quiet=sizes.quiet)[0]


def network_counts(plan: Plan, sizes: Sizes, panel: Panel, quick: bool = False) -> tuple[int, int]:
    """The number of networks that `training_steps` trains, and of those that `refitted` trains."""
    strategies = plan.candidates(panel)
    size = sizes(strategies[-1][0], panel.series).ensemble_size
    measured = is_small(panel) and not quick
    return len(strategies) + (2 * size - 1 if measured else size), min(size, MOST_REFITTED)


def training_steps(
    plan: Plan,
    sizes: Sizes,
    panel: Panel,
    series: Sequence[Series],
    season: int,
    remainder: str = "",
    quick: bool = False,
) -> Steps[Selection]:
    """The steps of `train`, which yield the networks that can be trained side by side.

    With `quick`, the validation errors are those of one network, not of the ensemble.
    """
    alignment = Alignment.find(series, season, plan.shift, required=not remainder)
    series, candidates = alignment.apply(series), []
    for strategy, dropout in plan.candidates(panel):
        scaling, context = plan.scaling(series, season, strategy, dropout, remainder)
        dataset = Dataset.of(series, scaling.with_features(*stack_features(series)))
        candidates.append(Candidate(sizes(strategy, series), dataset, context))
    trained: list[Ensemble] = yield [candidate.train for candidate in candidates]
    errors = [ensemble.error for ensemble in trained]
    chosen = int(np.argmin(errors))
    configuration, dataset, context = candidates[chosen]
    ensemble = yield from configuration.train_ensemble(trained[chosen], dataset, measured=is_small(panel) and not quick)
    network, *others = _measure_methods(ensemble, configuration, dataset, season, panel.freq, plan.limits)
    delivered = choose(plan.fallback, network, others, configuration.validation_set(dataset).independent)
    guesses = (
        _strategy_guess(plan, candidates, errors, chosen),
        context,
        configuration.describe(),
        delivered.calibration.describe(),
        f"{_delivery_guess(plan.fallback, delivered, configuration.cell.upper(), (network, *others))}; "
        f"{describe(plan.point, configuration.loss, delivered.lift)}",
    )
    measured = tuple(method for method in others if not method.weight)
    choices = delivered, guesses, alignment, measured, plan.limits, plan.point
    return Selection(ensemble, configuration, season, panel.freq, *choices)


def refitted(
    first: Selection, plan: Plan, sizes: Sizes, series: Sequence[Series]
) -> tuple[Selection, list[Task[Module]]]:
    """A selection for newer values of the series, with the choices of an earlier one and a single network.

    Returns:
        The selection without its networks, and the tasks that train them.
    """
    alignment, earlier = Alignment.find(series, first.season, plan.shift), first.ensemble.scaling
    series = alignment.apply(series)
    scaling, _ = plan.scaling(series, first.season, earlier.strategy, earlier.dropout)
    dataset = Dataset.of(series, scaling.with_features(*stack_features(series)))
    configuration = sizes(scaling.strategy, series)
    ensemble = replace(first.ensemble, scaling=dataset.scaling, networks=())
    selection = replace(first, ensemble=ensemble, configuration=configuration, alignment=alignment)
    return selection, configuration.tasks(dataset)[:MOST_REFITTED]


def baseline_forecasts(
    dataset: Dataset, cuts: Tensor, horizon: int, season: int, freq: str | int, **options: Any
) -> dict[str, np.ndarray]:
    """The forecasts (B, h) of the baselines after cuts (B,), by name; for the options see `baselines.forecasts`."""
    return baselines.forecasts(dataset.series, *dataset.windows(cuts), horizon, season, freq=freq, **options)


def spreads_of_baseline(dataset: Dataset, cuts: Tensor, horizon: int) -> np.ndarray:
    """The spreads (B, h) of the forecasts of a baseline: the naive error of each series."""
    return np.repeat(dataset.unit[dataset.owner(cuts).numpy(), None], horizon, axis=1)


def _measure_methods(
    ensemble: Ensemble,
    configuration: TrainingConfiguration,
    dataset: Dataset,
    season: int,
    freq: str | int,
    limits: Limits,
) -> list[Method]:
    """The network, every baseline, and the average of the network with one of them, on the validation set."""
    validation = configuration.validation_set(dataset)
    cuts, steps = validation.cutoffs()
    truth, mean, spread = dataset.after(cuts, steps), *ensemble.validation_forecasts
    calibrated = validation.calibrator(cuts, steps)

    def measured(weight: float, name: str, forecast: np.ndarray, spread: np.ndarray) -> Method:
        errors = truth - (forecast := limits.point(forecast))
        calibration = calibrated(errors, spread)
        return Method(
            weight, name, validation.mase(cuts, errors), calibration, mean_lift(calibration, forecast, spread)
        )

    unit, forecasts = spreads_of_baseline(dataset, cuts, steps), baseline_forecasts(dataset, cuts, steps, season, freq)
    methods = [measured(0.0, name, forecast, unit) for name, forecast in forecasts.items()]
    name = partner(methods, validation.independent).baseline
    average = measured(AVERAGE, name, AVERAGE * mean + (1 - AVERAGE) * forecasts[name], spread)
    return [measured(1.0, "", mean, spread), *methods, average]


def strategy_name(scaling: WindowScaling) -> str:
    """A strategy with its dropout, such as "segment with dropout 0.5"."""
    return scaling.strategy if not scaling.dropout else f"{scaling.strategy} with dropout {scaling.dropout:g}"


def _strategy_guess(plan: Plan, candidates: Sequence[Candidate], errors: Sequence[float], chosen: int) -> str:
    name = candidates[chosen].name
    if len(candidates) > 1:
        pairs = zip(candidates, errors, strict=True)
        compared = ", ".join(f"{candidate.name} {error:.3g}" for candidate, error in pairs)
        return f"strategy: {name} (lowest validation MASE: {compared})"
    return f"strategy: {name}" + ("" if plan.strategy == "auto" else " (as given)")


def _delivery_guess(fallback: str, delivered: Method, network: str, methods: Sequence[Method]) -> str:
    by_error = sorted(methods, key=lambda method: method.error)
    compared = ", ".join(f"{method.describe(network)} {method.error:.3g}" for method in by_error)
    asked = "" if fallback == BEST else f"; fallback={fallback!r}"
    if fallback == BEST and delivered.error > min(method.error for method in methods):
        asked = "; few independent errors decide little, the average is safer"
    return f"forecast: {delivered.describe(network)} (validation MASE: {compared}{asked})"
