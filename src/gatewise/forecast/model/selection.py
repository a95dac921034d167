"""Selection: compares strategies on the validation set, trains the best on all data and measures the baselines.

Letters: `S` series, `B` cuts, `h` horizon, `K` features known in advance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from torch import Tensor

from gatewise.forecast import baselines
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.dataset import Dataset, stack_features
from gatewise.forecast.model.ensemble import Ensemble
from gatewise.forecast.model.plan import Plan, Sizes, is_small
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.forecast.model.window import WindowScaling
from gatewise.parallel import Report, Steps, run_all
from gatewise.series import Panel, Series


@dataclass(frozen=True)
class BestBaseline:
    """The best naive forecast on the validation set.

    Attributes:
        name: see `gatewise.forecast.baselines`.
        error: validation MASE.
        calibration: of its intervals, from its validation errors.
    """

    name: str
    error: float
    calibration: Calibration


@dataclass(frozen=True)
class Selection:
    """The selected model of a panel, and the choices that led to it.

    Attributes:
        ensemble: the networks and their scaling.
        configuration: of their training.
        season: of the naive forecasts, 1 for none.
        baseline: the best naive forecast on the validation set.
        choices: lines for `guesses`, one for each choice.
    """

    ensemble: Ensemble
    configuration: TrainingConfiguration
    season: int
    baseline: BestBaseline
    choices: tuple[str, ...]

    def dataset(self, series: Sequence[Series], until: Sequence[int] | None = None) -> Dataset:
        """Series prepared for the ensemble."""
        return Dataset.of(series, self.ensemble.scaling, until)

    def forecast(
        self, dataset: Dataset, cuts: Tensor, horizon: int, *, naive: bool = False, future: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, Calibration]:
        """Forecasts (B, h) after cuts (B,), their spreads and their calibration; those of the baseline if `naive`."""
        if not naive:
            return *self.ensemble.extrapolate(dataset, cuts, horizon, future), self.ensemble.calibrated
        mean = naive_forecasts(dataset, cuts, horizon, self.season)[self.baseline.name]
        return mean, np.broadcast_to(dataset.unit[dataset.owner(cuts), None], mean.shape), self.baseline.calibration


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
    return train_all([training_steps(plan, sizes, panel, panel.series, season)], plan, sizes, panel, "training")[0]


def train_all(
    generators: Sequence[Steps[Selection]], plan: Plan, sizes: Sizes, panel: Panel, description: str
) -> list[Selection]:
    """Train several selections side by side; all have the same plan, sizes and panel."""
    strategies = plan.candidates(panel)
    size = sizes(strategies[-1][0], panel.series).ensemble_size
    networks = len(strategies) + (2 * size - 1 if is_small(panel) else size)
    total = networks * len(generators)
    return run_all(generators, sizes.jobs, total=total, description=description, quiet=sizes.quiet)


def training_steps(
    plan: Plan, sizes: Sizes, panel: Panel, series: Sequence[Series], season: int, remainder: str = ""
) -> Steps[Selection]:
    """The steps of `train`, which yield the networks that can be trained side by side."""
    candidates = []
    for strategy, dropout in plan.candidates(panel):
        scaling, context = plan.scaling(series, season, strategy, dropout, remainder)
        dataset = Dataset.of(series, scaling.with_features(*stack_features(series)))
        candidates.append(Candidate(sizes(strategy, series), dataset, context))
    trained: list[Ensemble] = yield [candidate.train for candidate in candidates]
    errors = [ensemble.error for ensemble in trained]
    chosen = int(np.argmin(errors))
    configuration, dataset, context = candidates[chosen]
    ensemble = yield from configuration.train_ensemble(trained[chosen], dataset, measured=is_small(panel))
    baseline = _best_baseline(dataset, configuration, season)
    guesses = (
        _strategy_guess(plan, candidates, errors, chosen),
        context,
        configuration.describe(),
        _validation_guess(configuration, ensemble, baseline),
        ensemble.calibrated.describe(),
    )
    return Selection(ensemble, configuration, season, baseline, guesses)


def fallback_message(selection: Selection, name: str) -> str:
    """The line for `guesses` where the baseline replaces the model."""
    return f"fallback: the {selection.baseline.name} forecast replaces the {name} (whose validation MASE is not lower)"


def naive_forecasts(dataset: Dataset, cuts: Tensor, horizon: int, season: int) -> dict[str, np.ndarray]:
    """The naive forecasts (B, h) after cuts (B,), by name."""
    which, known = dataset.owner(cuts).numpy(), dataset.original_cuts(cuts).numpy()
    return baselines.forecasts(dataset.series, which, known, horizon, season, names=baselines.NAIVE_NAMES)


def _best_baseline(dataset: Dataset, configuration: TrainingConfiguration, season: int) -> BestBaseline:
    validation = configuration.validation_set(dataset)
    cuts, steps = validation.cutoffs()
    truth = dataset.after(cuts, steps)
    errors = {name: truth - mean for name, mean in naive_forecasts(dataset, cuts, steps, season).items()}
    mase = {name: validation.mase(cuts, error) for name, error in errors.items()}
    best = min(mase, key=lambda name: mase[name])
    spreads = np.broadcast_to(dataset.unit[dataset.owner(cuts), None], errors[best].shape)
    return BestBaseline(best, mase[best], validation.calibration(cuts, errors[best], spreads))


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


def _validation_guess(configuration: TrainingConfiguration, ensemble: Ensemble, baseline: BestBaseline) -> str:
    return (
        f"validation MASE: {configuration.cell.upper()} {ensemble.error:.3g}, best naive forecast ({baseline.name}) "
        f"{baseline.error:.3g}"
    )
