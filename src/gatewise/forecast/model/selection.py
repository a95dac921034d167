"""Selection: compares strategies on the validation set, trains the best on all data and measures the baselines.

Letters: `S` series, `B` cuts, `h` horizon, `K` features known in advance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor
from torch.nn import Module

from gatewise.forecast import baselines
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.limits import NO_LIMITS, Limits
from gatewise.forecast.model.alignment import MOST_SEARCHED, NO_SHIFTS, Alignment
from gatewise.forecast.model.borrowed_past import Pool
from gatewise.forecast.model.cold_start import NOT_MEASURED, ColdStart, measure
from gatewise.forecast.model.constant_end import constant_ends
from gatewise.forecast.model.constant_end import describe as describe_constant_ends
from gatewise.forecast.model.counts import NAME, Counts, intermittent_ends
from gatewise.forecast.model.counts import describe as describe_counts
from gatewise.forecast.model.dataset import Dataset, stack_features
from gatewise.forecast.model.delivery import BEST, COUNTING, NAIVE, NETWORK, NONE, Method, average_weights, choose
from gatewise.forecast.model.ensemble import Ensemble
from gatewise.forecast.model.plan import Plan, Sizes, is_small
from gatewise.forecast.model.point import describe, mean_lift, point_name
from gatewise.forecast.model.ranges import capped, largest_half_widths
from gatewise.forecast.model.recent_break import recent_break
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.forecast.model.window import WindowScaling
from gatewise.parallel import Report, Steps, Task, run_all
from gatewise.series import DataError, Panel, Series

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
        longer: longer seasons of the baselines.
        counting: whether intermittent series are forecast as counts.
        cold_start: how new series are forecast.
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
    longer: tuple[int, ...] = ()
    counting: bool = False
    cold_start: ColdStart = NOT_MEASURED
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
        every, lengths = np.arange(len(series)), np.array([len(one) for one in series])
        replaced = ~np.isnan(constant_ends(aligned, every, lengths, self.season))
        counts, intervals = intermittent_ends(series, self.season) if self.counting else (every[:0], every[:0])
        replaced[counts] = True
        found += self.cold_start.describe(aligned, self.ensemble.scaling, self.freq, replaced)
        found += describe_counts(series, counts, intervals, self.limits.integer)
        few = aligned if len(aligned) <= MOST_SEARCHED else ()
        breaks = [text for one in few if (text := recent_break(one, self.season))]
        more = f"; {len(breaks) - 1} more series have one" if len(breaks) > 1 else ""
        choices = self.choices[:-2] if len(counts) == len(series) else self.choices  # without intervals and method
        return *found, *(f"{text}{more}" for text in breaks[:1]), *choices

    def counts(self, series: Sequence[Series], which: np.ndarray, cuts: np.ndarray, horizon: int) -> Counts:
        """The distributions (h steps) of intermittent series at windows (W,), which replace other forecasts."""
        return Counts.of(series, which, cuts, horizon, self.season, self.limits) if self.counting else Counts()

    def counts_ahead(self, series: Sequence[Series], horizon: int) -> Counts:
        """The distributions of the intermittent series beyond the ends of all series."""
        return self.counts(series, np.arange(len(series)), np.array([len(one) for one in series]), horizon)

    def method_name(self, network: str, counts: Counts, windows: int) -> str:
        """The name of the delivered method, for a network of this name; some or all windows may be counts."""
        if len(counts.rows) == windows:
            return NAME
        return self.delivered.describe(network) + (f", for intermittent series {NAME}" if len(counts.rows) else "")

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
        pool: Sequence[Series] = (),
    ) -> tuple[np.ndarray, np.ndarray]:
        """The forecasts of a method after cuts, and their spreads: both (B, h).

        Arguments:
            dataset: the series.
            cuts: (B,).
            horizon: steps, h.
            future: (B, h, K) future covariates, where the cuts are the ends of the series.
            method: by default the delivered one, with which new series borrow the past of longer ones.
            fitted_on: the series with the covariates on which the baseline is fitted; by default those of the dataset.
            pool: longer series beside those of the dataset.
        """
        if method is None:
            forecast = partial(self.forecast, method=self.delivered)
            longer = partial(self._pool, pool, dataset)
            mean, spread = self.cold_start.forecasts(forecast, longer, dataset, cuts, horizon, future)
            return self.limits.point(mean), spread
        parts: dict[str, np.ndarray] = {}
        if method.baselines:
            options = {"names": method.baselines, "longer": self.longer, "future": future, "fitted_on": fitted_on}
            parts = baseline_forecasts(dataset, cuts, horizon, self.season, self.freq, **options)
            spread = spreads_of_baseline(dataset, cuts, horizon)
        if NETWORK in method.weights:
            parts[NETWORK], spread = self.ensemble.extrapolate(dataset, cuts, horizon, future)
        mean = _averaged(method.weights, parts)
        gaps = _gaps(dataset, cuts)
        if gaps.any():
            spread = spread * method.calibration.growth_after_gaps(gaps, horizon)
        value = constant_ends(dataset.series, *dataset.windows(cuts), self.season)[:, None]
        return self.limits.point(np.where(np.isnan(value), mean, value)), np.where(np.isnan(value), spread, 0.0)

    def _pool(self, series: Sequence[Series], dataset: Dataset) -> Pool:
        """The longer series among those of a dataset and others, of which new series borrow the past."""
        return Pool([*self.alignment.apply(series), *dataset.series], dataset.scaling, self.freq)

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
    longer = plan.longer_seasons(panel)
    _check_fallback(plan.fallback, season, longer)
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
    network, *others = _measure_methods(ensemble, configuration, dataset, season, panel.freq, plan.limits, longer)
    delivered = choose(plan.fallback, network, others)
    guesses = (
        _strategy_guess(plan, candidates, errors, chosen),
        context,
        configuration.describe(),
        delivered.calibration.describe(),
        f"{_delivery_guess(plan.fallback, delivered, configuration.cell.upper(), (network, *others))}; "
        f"{describe(plan.point, configuration.loss, delivered.lift)}",
    )
    measured = tuple(others[:-1])  # without the average
    parts = ensemble, configuration, season, panel.freq, delivered, guesses, alignment, measured
    result = Selection(*parts, limits=plan.limits, longer=longer, counting=plan.fallback in COUNTING, point=plan.point)
    before_validation = partial(replace(result, ensemble=trained[chosen]).forecast, method=delivered)
    validation = configuration.validation_set(dataset)
    return replace(result, cold_start=measure(before_validation, delivered.calibration, validation, panel.freq))


def _check_fallback(fallback: str, season: int, longer: tuple[int, ...]) -> None:
    """Refuse a baseline that does not exist for the seasons."""
    known = BEST, NONE, NAIVE, *baselines.applicable(season, longer=longer)
    if fallback in known:
        return
    seasons = "no season" if season == 1 else f"seasons of {', '.join(map(str, (season, *longer)))} steps"
    raise DataError(
        f"fallback is {fallback!r}, but these series have {seasons}; pass that season as season= (--season), or use "
        f"fallback= (--fallback) {', '.join(known[:-1])} or {known[-1]}"
    )


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


def _gaps(dataset: Dataset, cuts: Tensor) -> np.ndarray:
    """(B,) the number of values just before each cut that were not observed."""
    which, known = dataset.windows(cuts)
    gaps = np.zeros(len(which), np.int64)
    for k, rows in baselines.grouped(which):
        if dataset.series[k].filled is not None:
            gaps[rows] = known[rows] - 1 - baselines.last_observed(dataset.series[k], known[rows])
    return gaps


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
    longer: tuple[int, ...] = (),
) -> list[Method]:
    """The network, every baseline, and their average, on the validation set."""
    validation = configuration.validation_set(dataset)
    cuts, steps = validation.cutoffs()
    truth, mean, spread = dataset.after(cuts, steps), *ensemble.validation_forecasts
    calibrated = validation.calibrator(cuts, steps)

    def measured(weights: Mapping[str, float], forecast: np.ndarray, spread: np.ndarray) -> Method:
        errors = truth - (forecast := limits.point(forecast))
        calibration = calibrated(errors, spread)
        return Method(weights, validation.mase(cuts, errors), calibration, mean_lift(calibration, forecast, spread))

    unit = spreads_of_baseline(dataset, cuts, steps)
    parts = baseline_forecasts(dataset, cuts, steps, season, freq, longer=longer)
    network = measured({NETWORK: 1.0}, mean, spread)
    methods = [network, *(measured({name: 1.0}, forecast, unit) for name, forecast in parts.items())]
    weights = average_weights(methods, validation.independent)
    average = _averaged(weights, {**parts, NETWORK: mean})
    return [*methods, measured(weights, average, spread if NETWORK in weights else unit)]


def _averaged(weights: Mapping[str, float], parts: Mapping[str, np.ndarray]) -> np.ndarray:
    """The weighted sum of forecasts (B, h) by name."""
    (first, weight), *others = weights.items()
    return np.asarray(sum((weight * parts[name] for name, weight in others), weight * parts[first]))


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
    by_name = {method.describe(network): method.error for method in methods}
    compared = ", ".join(f"{name} {error:.3g}" for name, error in sorted(by_name.items(), key=lambda pair: pair[1]))
    asked = "" if fallback == BEST else f"; fallback={fallback!r}"
    described = f"{delivered.describe(network)} (validation MASE: {compared}{asked}"
    return f"forecast: {described}{delivered.describe_weights()})"
