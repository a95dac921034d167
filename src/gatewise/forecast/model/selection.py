"""From checked series to a model that forecasts them: strategies tried, the better one trained, baselines measured.

Letters: `S` series, `h` horizon, `K` features known in advance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gatewise.forecast import baselines as baselines
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.ensemble import Ensemble
from gatewise.forecast.model.plan import Plan, is_small
from gatewise.forecast.model.training import TrainingConfiguration, mean_error
from gatewise.forecast.model.window import WindowScaling
from gatewise.series import Panel, Series

Sizes = Callable[[str, Sequence[Series]], TrainingConfiguration]


@dataclass(frozen=True)
class BestBaseline:
    """The best naive forecast on the held-out part.

    Attributes:
        name: see `gatewise.forecast.baselines`.
        error: mean absolute error there, in units of each series' in-sample naive error.
        calibration: how large its errors were.
    """

    name: str
    error: float
    calibration: Calibration


@dataclass(frozen=True)
class Selection:
    """A model for a panel, and how it came about.

    Attributes:
        model: the networks and their scaling.
        configuration: that they were trained by.
        season: of the naive forecasts, 1 for none.
        baseline: the best of them on the held-out part.
        choices: a sentence for each choice that was made.
    """

    ensemble: Ensemble
    configuration: TrainingConfiguration
    season: int
    baseline: BestBaseline
    choices: tuple[str, ...]

    def dataset(self, series: Sequence[Series], until: Sequence[int] | None = None) -> Dataset:
        """Series prepared for the model."""
        return Dataset.of(series, self.ensemble.scaling, until)

    def forecast(
        self, dataset: Dataset, cuts: Tensor, horizon: int, *, naive: bool = False, future: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, Calibration]:
        """Forecasts (B, h) after cuts (B,), their spreads, and what sizes their intervals; the baseline's if `naive`."""
        if not naive:
            return *self.ensemble.extrapolate(dataset, cuts, horizon, future), self.ensemble.calibrated
        mean = naive_forecasts(dataset, cuts, horizon, self.season)[self.baseline.name]
        return mean, np.broadcast_to(dataset.unit[dataset.owner(cuts), None], mean.shape), self.baseline.calibration


def train(
    plan: Plan, sizes: Sizes, panel: Panel, series: Sequence[Series], season: int, left: str = "", title: str = ""
) -> Selection:
    """Try the strategies that come into question with the end held out; train the best on everything."""
    tried: list[tuple[Ensemble, TrainingConfiguration, Dataset, str]] = []
    candidates = plan.candidates(panel)
    for strategy, dropout in candidates:
        scaling, words = plan.scaling(series, season, strategy, dropout, left)
        configuration = sizes(strategy, series)
        dataset = Dataset.of(series, scaling.with_features(*stack_features(series)))
        name = f"{title}{called(scaling)}, " if len(candidates) > 1 else title
        tried.append((configuration.tried(dataset, name), configuration, dataset, words))
    model, configuration, dataset, words = min(tried, key=lambda one: one[0].error)
    why = _why(plan, [one[0] for one in tried], model)
    if is_small(panel):
        model = configuration.joined(model, dataset, title)
    baseline = _best_baseline(dataset, configuration, season)
    said = (why, words, configuration.in_words(), _beside(model, baseline))
    model = configuration.finished(model, dataset, title)
    return Selection(model, configuration, season, baseline, (*said, model.calibrated.in_words()))


def fallback_message(selection: Selection, name: str) -> str:
    """That the baseline took the place of a model."""
    return f"fallback: the {selection.baseline.name} forecast takes the place of the {name}, which was no better"


def naive_forecasts(dataset: Dataset, cuts: Tensor, horizon: int, season: int) -> dict[str, np.ndarray]:
    """The naive forecasts (B, h) after cuts (B,), by name."""
    which = dataset.owner(cuts)
    known = cuts - dataset.fronts[which] + dataset.scaling.difference.lag
    return baselines.forecasts(dataset.series, which.numpy(), known.numpy(), horizon, season)


def _best_baseline(dataset: Dataset, configuration: TrainingConfiguration, season: int) -> BestBaseline:
    cuts, steps = configuration.cutoffs(dataset)
    truth = dataset.after(cuts, steps)
    spread = dataset.unit[dataset.owner(cuts), None]
    errors = {name: truth - made for name, made in naive_forecasts(dataset, cuts, steps, season).items()}
    sizes = {name: mean_error(dataset, cuts, error) for name, error in errors.items()}
    name = min(sizes, key=lambda one: sizes[one])
    spreads = np.broadcast_to(spread, errors[name].shape)
    return BestBaseline(name, sizes[name], configuration.calibration(dataset, cuts, errors[name], spreads))


def called(scaling: WindowScaling) -> str:
    """A strategy with its dropout."""
    return scaling.strategy if not scaling.dropout else f"{scaling.strategy} with dropout {scaling.dropout:g}"


def _why(plan: Plan, tried: Sequence[Ensemble], best: Ensemble) -> str:
    name = called(best.scaling)
    if len(tried) > 1:
        errors = ", ".join(f"{called(one.scaling)} {one.error:.3g}" for one in tried)
        return f"strategy: {name}, the smallest held-out error as a MASE ({errors})"
    return f"strategy: {name}" + ("" if plan.strategy == "auto" else ", as given")


def _beside(model: Ensemble, baseline: BestBaseline) -> str:
    return (
        f"held-out end: mean absolute error {model.error:.3g}, of the best naive forecast ({baseline.name}) "
        f"{baseline.error:.3g}, as a MASE"
    )


def stack_features(series: Sequence[Series]) -> list[np.ndarray | None]:
    """Past (N, P), known (N, K) and static (S, C) features of all series, None where there are none."""
    found: list[np.ndarray | None] = []
    for name, join in (("past", np.concatenate), ("known", np.concatenate), ("static", np.stack)):
        parts: list[np.ndarray] = [getattr(one, name) for one in series if getattr(one, name) is not None]
        found.append(join(parts) if parts else None)
    return found
