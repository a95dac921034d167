"""The configuration: how networks are built, trained and measured.

Letters: `S` series, `r` steps that an answer reaches, `B` windows, `O` held-out forecasts of `K` steps.
"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import huber_loss

from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.dataset import Cuts, Dataset, FixedBatches, RandomBatches, training_cuts
from gatewise.forecast.model.ensemble import LARGEST, Ensemble
from gatewise.forecast.model.strategies import STRATEGIES
from gatewise.forecast.model.window import WindowScaling
from gatewise.series import DataError
from gatewise.training import History, fit

EPOCH = 50  # max_steps at most between two looks at the held-out loss
MOST_HELD_OUT = 1024  # windows by which it is measured
CUTOFFS, EACH, MOST_CUTOFFS, LONGEST_HELD_OUT = 200, 5, 4096, 96  # of the forecasts by which intervals are sized
LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "mae": lambda error: error.abs(),
    "mse": lambda error: error.square(),
    "huber": lambda error: huber_loss(error, torch.zeros_like(error), reduction="none"),
}


@dataclass(frozen=True)
class TrainingConfiguration:
    """How networks are built and trained; see `gatewise.Forecaster` for each."""

    cell: str
    hidden_size: int
    num_layers: int
    loss: str
    max_steps: int
    batch_size: int
    lr: float
    validation_fraction: float
    ensemble_size: int
    seed: int
    engine: str
    quiet: bool

    def tried(self, dataset: Dataset, title: str = "") -> Ensemble:
        """One network trained with the last part of each series held out, and how large its errors are there."""
        held = self._held(dataset)
        network, history = self._fit(0, held, self.limits(held), f"{title}the end held out")
        return self._measured(Ensemble(dataset.scaling, (network,), history), held)

    def joined(self, tried: Ensemble, dataset: Dataset, title: str = "") -> Ensemble:
        """The same with all networks, each trained with the end held out: how large their errors are together."""
        if self.ensemble_size == 1:
            return tried
        held = self._held(dataset)
        more = self._fit_all(range(1, self.ensemble_size), held, self.limits(held), f"{title}the end held out")
        return self._measured(replace(tried, networks=(*tried.networks, *more)), held)

    def finished(self, measured: Ensemble, dataset: Dataset, title: str = "") -> Ensemble:
        """The same with networks trained anew on everything."""
        return replace(
            measured, networks=self._fit_all(range(self.ensemble_size), dataset, dataset.ends, f"{title}on everything")
        )

    def tuned(self, model: Ensemble, dataset: Dataset, max_steps: int) -> Ensemble:
        """The same networks trained a little further, on everything."""
        configuration = replace(self, max_steps=max_steps, lr=self.lr / 10)
        networks = copy.deepcopy(model.networks)
        for k, network in enumerate(networks):
            title = f"further, network {k + 1} of {len(networks)}"
            configuration._train(network, dataset, dataset.ends, None, self._chance(k), title)
        return replace(model, networks=networks)

    def in_words(self) -> str:
        """The sizes."""
        layers = "" if self.num_layers == 1 else f" in {self.num_layers} layers"
        return (
            f"training: {self.ensemble_size} network(s) of {self.hidden_size} {self.cell.upper()} units{layers}, "
            f"{self.max_steps} max_steps of {self.batch_size} windows"
        )

    def cutoffs(self, dataset: Dataset) -> tuple[Tensor, int]:
        """Cuts spread over the held-out parts, and of how many steps forecasts from there are to be measured."""
        limits = self.limits(dataset)
        longest = LONGEST_HELD_OUT if dataset.past is None else min(LONGEST_HELD_OUT, dataset.scaling.reach)
        steps = max(1, min(self.span(dataset) // 2, longest))
        last = torch.maximum(limits, dataset.ends - steps)
        cuts = Cuts(limits, last).spread(min(max(CUTOFFS, EACH * len(limits)), MOST_CUTOFFS))
        return after_observed(dataset, torch.unique(cuts)), steps

    def calibration(self, dataset: Dataset, cuts: Tensor, errors: np.ndarray, spreads: np.ndarray) -> Calibration:
        """By errors (B, K) of forecasts with spreads (B, K); those of series that never change have no measure."""
        if dataset.moving.any():
            errors = dataset.measurable(cuts, errors)
        return Calibration.of(errors, spreads, self.span(dataset), len(dataset.series))

    def span(self, dataset: Dataset) -> int:
        """Steps that are held out of a series of usual (median) length."""
        return int((dataset.ends - self.limits(dataset)).median())

    def limits(self, dataset: Dataset) -> Tensor:
        """(S,) where the held-out part of each series starts."""
        sizes = (dataset.ends - dataset.fronts).double()
        return dataset.ends - (sizes * self.validation_fraction).round().long().clamp_min(1)

    def _held(self, dataset: Dataset) -> Dataset:
        """The dataset, on scales that know nothing of the held-out part; those of windows never do."""
        if dataset.scaling.scale == "window":
            return dataset
        until = self.limits(dataset) - dataset.fronts + dataset.scaling.difference.lag
        return Dataset.of(dataset.series, dataset.scaling, until.tolist())

    def _measured(self, model: Ensemble, dataset: Dataset) -> Ensemble:
        """A model with the size of its errors on the held-out part."""
        cuts, steps = self.cutoffs(dataset)
        mean, spread = model.extrapolate(dataset, cuts, steps)
        errors = dataset.after(cuts, steps) - mean
        if np.isnan(errors).all():
            raise DataError(
                f"nothing was observed in the last {self.validation_fraction:.0%} of the series, all values are filled in: there "
                "is no telling how good forecasts are; hold out a larger part (validation_fraction=), or end the series earlier"
            )
        calibration = self.calibration(dataset, cuts, errors, spread)
        return replace(model, calibration=calibration, error=mean_error(dataset, cuts, errors))

    def _fit_all(self, places: Sequence[int], dataset: Dataset, limits: Tensor, title: str) -> tuple[Module, ...]:
        return tuple(self._fit(k, dataset, limits, title)[0] for k in places)

    def _fit(self, k: int, dataset: Dataset, limits: Tensor, title: str) -> tuple[Module, History]:
        """The k-th network, trained on what lies before the limits; what lies behind them is looked at by the first."""
        generator = self._chance(k)
        network = self._network(dataset.scaling, generator)
        held = None
        if k == 0 and (limits < dataset.ends).any():
            held = FixedBatches(dataset, Cuts(limits, dataset.ends - 1).spread(MOST_HELD_OUT))
        title = f"{title}, network {k + 1} of {self.ensemble_size}"
        return network, self._train(network, dataset, limits, held, generator, title)

    def _chance(self, k: int) -> torch.Generator:
        """Where the k-th network's weights and windows come from."""
        state = np.random.SeedSequence((self.seed, k)).generate_state(1)[0]
        return torch.Generator().manual_seed(int(state))

    def _train(
        self,
        network: Module,
        dataset: Dataset,
        limits: Tensor,
        held: FixedBatches | None,
        generator: torch.Generator,
        description: str,
    ) -> History:
        cuts = training_cuts(dataset, limits)
        if not len(cuts):
            raise DataError(
                f"validation_fraction={self.validation_fraction} leaves nothing to train on; hold out a smaller part, or give longer series"
            )
        steps = min(self.max_steps, EPOCH, math.ceil(len(cuts) / self.batch_size))
        with torch.random.fork_rng(devices=[]):  # torch's dropout knows no other than its global generator
            torch.default_generator.manual_seed(int(torch.randint(2**62, (), generator=generator)))
            history = fit(
                network,
                RandomBatches(dataset, cuts, limits, self.batch_size, steps, generator),
                loss=loss_of(self.loss),
                lr=self.lr,
                epochs=math.ceil(self.max_steps / steps),
                schedule="onecycle",
                clip_norm=1.0,
                held_out=held,
                quiet=self.quiet,
                description=description,
            )
        network.eval()
        return history

    def restored(self, scaling: WindowScaling, states: Sequence[Mapping[str, Tensor]]) -> tuple[Module, ...]:
        """Networks with weights that were kept.

        Raises:
            ValueError: the weights are those of other networks.
        """
        generator = torch.Generator()
        expected = _shapes(self._network(scaling, generator, "meta").state_dict())  # which takes no memory
        networks = []
        for k, state in enumerate(states):
            for name in {**expected, **state}:
                came, wanted = _shapes(state).get(name), expected.get(name)
                if came != wanted:
                    raise ValueError(f"weight {name[:80]!r} of network {k} has shape {came}, expected {wanted}")
            networks.append(self._network(scaling, generator).eval())
            networks[-1].load_state_dict(state)
        return tuple(networks)

    def _network(self, scaling: WindowScaling, generator: torch.Generator, device: str = "cpu") -> Module:
        options = {"device": device, "dtype": torch.float32, "engine": self.engine, "generator": generator}
        return STRATEGIES[scaling.strategy](scaling, self.cell, self.hidden_size, self.num_layers, **options)


def loss_of(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of answers (A, B, Q) beside the last A of the values and weights (2, L + r, B).

    Where a network answers how far off it may be as well (Q = 2), its gradient is that of a Laplace distribution of
    that scale around the answer, `|e| / s + log s`; the answer itself, and the value of the loss, know nothing of it.
    """
    measure = LOSSES[name]

    def loss(answer: Tensor, y: Tensor) -> Tensor:
        target, weight = y[:, -len(answer) :]
        error = answer[..., 0] - target
        count = weight.sum().clamp_min(1.0)
        value: Tensor = (weight * measure(error)).sum() / count
        if answer.shape[-1] == 1:
            return value
        scale = answer[..., 1].clamp(-LARGEST, LARGEST)
        distribution = (weight * (error.detach().abs() * (-scale).exp() + scale)).sum() / count
        both: Tensor = value + (distribution - distribution.detach())
        return both

    return loss


def after_observed(dataset: Dataset, cuts: Tensor) -> Tensor:
    """Those of cuts that come after an observed value, if there are such: what fills a gap may know its end."""
    known = dataset.observed[cuts - 1]
    return cuts[known] if known.any() else cuts


def mean_error(dataset: Dataset, cuts: Tensor, errors: np.ndarray) -> float:
    """The mean absolute error (B, K) in units of each series' in-sample naive error."""
    return float(np.nanmean(np.abs(errors) / dataset.unit[dataset.owner(cuts), None]))


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(weight.shape) for name, weight in state.items()}
