"""From checked series to a model that forecasts them: strategies tried, the better one trained, rivals measured.

Letters: `S` series, `h` horizon, `K` features known in advance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gatewise.forecast import baselines as rivals
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.dataset import Corpus
from gatewise.forecast.model.ensemble import Fitted
from gatewise.forecast.model.plan import Plan, is_small
from gatewise.forecast.model.training import Recipe, mean_error
from gatewise.forecast.model.window import Frame
from gatewise.series import Panel, Series

Sizes = Callable[[str, Sequence[Series]], Recipe]


@dataclass(frozen=True)
class Rival:
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
class Trained:
    """A model for a panel, and how it came about.

    Attributes:
        model: the networks and their frame.
        recipe: that they were trained by.
        season: of the naive forecasts, 1 for none.
        rival: the best of them on the held-out part.
        said: what was chosen, in words.
    """

    model: Fitted
    recipe: Recipe
    season: int
    rival: Rival
    said: tuple[str, ...]

    def corpus(self, series: Sequence[Series], until: Sequence[int] | None = None) -> Corpus:
        """Series prepared for the model."""
        return Corpus.of(series, self.model.frame, until)

    def forecast(
        self, corpus: Corpus, cuts: Tensor, horizon: int, *, naive: bool = False, future: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, Calibration]:
        """Forecasts (B, h) after cuts (B,), their spreads, and what sizes their intervals; the rival's if `naive`."""
        if not naive:
            return *self.model.extrapolate(corpus, cuts, horizon, future), self.model.calibrated
        mean = naive_forecasts(corpus, cuts, horizon, self.season)[self.rival.name]
        return mean, np.broadcast_to(corpus.unit[corpus.owner(cuts), None], mean.shape), self.rival.calibration


def train(
    plan: Plan, sizes: Sizes, panel: Panel, series: Sequence[Series], season: int, left: str = "", title: str = ""
) -> Trained:
    """Try the strategies that come into question with the end held out; train the best on everything."""
    tried: list[tuple[Fitted, Recipe, Corpus, str]] = []
    candidates = plan.candidates(panel)
    for strategy, dropout in candidates:
        frame, words = plan.frame(series, season, strategy, dropout, left)
        recipe = sizes(strategy, series)
        corpus = Corpus.of(series, frame.with_features(*_features(series)))
        name = f"{title}{called(frame)}, " if len(candidates) > 1 else title
        tried.append((recipe.tried(corpus, name), recipe, corpus, words))
    model, recipe, corpus, words = min(tried, key=lambda one: one[0].error)
    why = _why(plan, [one[0] for one in tried], model)
    if is_small(panel):
        model = recipe.joined(model, corpus, title)
    rival = _best_rival(corpus, recipe, season)
    said = (why, words, recipe.in_words(), _beside(model, rival))
    model = recipe.finished(model, corpus, title)
    return Trained(model, recipe, season, rival, (*said, model.calibrated.in_words()))


def fallen_back(trained: Trained, name: str) -> str:
    """That the rival took the place of a model."""
    return f"fallback: the {trained.rival.name} forecast takes the place of the {name}, which was no better"


def naive_forecasts(corpus: Corpus, cuts: Tensor, horizon: int, season: int) -> dict[str, np.ndarray]:
    """The naive forecasts (B, h) after cuts (B,), by name."""
    which = corpus.owner(cuts)
    known = cuts - corpus.fronts[which] + corpus.frame.difference.lag
    return rivals.forecasts(corpus.series, which.numpy(), known.numpy(), horizon, season)


def _best_rival(corpus: Corpus, recipe: Recipe, season: int) -> Rival:
    cuts, steps = recipe.origins(corpus)
    truth = corpus.after(cuts, steps)
    spread = corpus.unit[corpus.owner(cuts), None]
    errors = {name: truth - made for name, made in naive_forecasts(corpus, cuts, steps, season).items()}
    sizes = {name: mean_error(corpus, cuts, error) for name, error in errors.items()}
    name = min(sizes, key=lambda one: sizes[one])
    spreads = np.broadcast_to(spread, errors[name].shape)
    return Rival(name, sizes[name], recipe.calibration(corpus, cuts, errors[name], spreads))


def called(frame: Frame) -> str:
    """A strategy with its dropout."""
    return frame.strategy if not frame.dropout else f"{frame.strategy} with dropout {frame.dropout:g}"


def _why(plan: Plan, tried: Sequence[Fitted], best: Fitted) -> str:
    name = called(best.frame)
    if len(tried) > 1:
        errors = ", ".join(f"{called(one.frame)} {one.error:.3g}" for one in tried)
        return f"strategy: {name}, the smallest held-out error as a MASE ({errors})"
    return f"strategy: {name}" + ("" if plan.strategy == "auto" else ", as given")


def _beside(model: Fitted, rival: Rival) -> str:
    return (
        f"held-out end: mean absolute error {model.error:.3g}, of the best naive forecast ({rival.name}) "
        f"{rival.error:.3g}, as a MASE"
    )


def _features(series: Sequence[Series]) -> list[np.ndarray | None]:
    """Past (N, P), known (N, K) and static (S, C) features of all series, None where there are none."""
    found: list[np.ndarray | None] = []
    for name, join in (("past", np.concatenate), ("known", np.concatenate), ("static", np.stack)):
        parts: list[np.ndarray] = [getattr(one, name) for one in series if getattr(one, name) is not None]
        found.append(join(parts) if parts else None)
    return found
