"""The training configuration: builds the networks of an ensemble, trains them and measures their validation errors.

Letters: `S` series, `r` steps that one network output covers, `B` cuts, `K` steps of the validation forecasts.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from gatewise.dropout import drawing_from
from gatewise.forecast.model.batches import Cuts, FixedBatches, RandomBatches, training_cuts
from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.ensemble import Ensemble
from gatewise.forecast.model.loss import loss_of
from gatewise.forecast.model.strategies import STRATEGIES
from gatewise.forecast.model.validation_set import ValidationSet
from gatewise.forecast.model.window import WindowScaling
from gatewise.networks import limited_threads
from gatewise.parallel import Report, Steps, Task, run, silent
from gatewise.series import DataError
from gatewise.series.wording import counted
from gatewise.training import History, fit, latest_loss

EPOCH = (10, 50)  # training steps between two evaluations of the validation loss, at least and at most
MOST_VALIDATION_WINDOWS = 1024  # for the validation loss


@dataclass(frozen=True)
class TrainingConfiguration:
    """How networks are built and trained; see `gatewise.Forecaster` for each argument."""

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
    jobs: int | None
    quiet: bool

    def train_with_validation(self, dataset: Dataset, report: Report = silent) -> Ensemble:
        """Train the first network without the validation set, and measure its errors there."""
        validation = self._validation_set(dataset)
        network, history = self._fit(0, validation.dataset, validation.starts, report)
        return self._measure(Ensemble(dataset.scaling, (network,), history), validation)

    def train_ensemble(self, first: Ensemble, dataset: Dataset, *, measured: bool) -> Steps[Ensemble]:
        """Train all networks of the ensemble from scratch on the whole series.

        Arguments:
            first: one network, trained with the validation set.
            dataset: the series.
            measured: whether the validation forecasts are those of the whole ensemble, for which its other networks are
                also trained with the validation set; otherwise they are those of `first`.
        """
        tasks = self.tasks(dataset)
        validation = self._validation_set(dataset) if measured and self.ensemble_size > 1 else None
        if validation is not None:
            starts = validation.starts
            tasks += [self._fit_task(k, validation.dataset, starts) for k in range(1, self.ensemble_size)]
        trained = yield tasks
        if validation is not None:
            others = trained[self.ensemble_size :]
            first = self._measure(replace(first, networks=(*first.networks, *others)), validation)
        return replace(first, networks=tuple(trained[: self.ensemble_size]))

    def tasks(self, dataset: Dataset) -> list[Task[Module]]:
        """The trainings of the networks of an ensemble on the whole series."""
        return [self._fit_task(k, dataset, dataset.ends) for k in range(self.ensemble_size)]

    def train_further(self, ensemble: Ensemble, dataset: Dataset, max_steps: int) -> Ensemble:
        """Continue the training of all networks on the whole series, at a tenth of the learning rate."""
        configuration = replace(self, max_steps=max_steps, lr=self.lr / 10)

        def task(k: int, report: Report) -> Module:
            network = copy.deepcopy(ensemble.networks[k])
            configuration._train(network, dataset, dataset.ends, None, self._generator(k), report)
            return network

        tasks = [partial(task, k) for k in range(len(ensemble.networks))]
        networks = run(tasks, self.jobs, description="further training", quiet=self.quiet)
        return replace(ensemble, networks=tuple(networks))

    def describe(self) -> str:
        """The sizes of the ensemble and of its training, for `guesses`."""
        layers = "" if self.num_layers == 1 else f" in {self.num_layers} layers"
        return (
            f"training: {counted(self.ensemble_size, 'network')} of {self.hidden_size} {self.cell.upper()} units"
            f"{layers}, {counted(self.max_steps, 'step')} with batches of {counted(self.batch_size, 'window')}"
        )

    def validation_set(self, dataset: Dataset) -> ValidationSet:
        """The last part of each series of a dataset."""
        return ValidationSet(dataset, self.validation_fraction)

    def _validation_set(self, dataset: Dataset) -> ValidationSet:
        """The validation set of a dataset whose scales are fitted on the training part only."""
        return self.validation_set(self.validation_set(dataset).without_leakage())

    def _measure(self, ensemble: Ensemble, validation: ValidationSet) -> Ensemble:
        """The ensemble with its forecasts of the validation set and their error."""
        cuts, steps = validation.cutoffs()
        ensemble = ensemble.with_bounded_scales(validation.dataset, cuts, validation.independent)
        mean, spread = ensemble.extrapolate(validation.dataset, cuts, steps)
        errors = validation.dataset.after(cuts, steps) - mean
        if np.isnan(errors).all():
            kind = "filled" if validation.dataset.mask is None else "missing"
            raise DataError(
                f"the last {self.validation_fraction:.0%} of the series holds only {kind} values; "
                "increase validation_fraction, or end the series earlier"
            )
        return replace(ensemble, error=validation.mase(cuts, errors), validation_forecasts=(mean, spread))

    def _fit_task(self, k: int, dataset: Dataset, limits: Tensor) -> Task[Module]:
        """Train the k-th network on the values before the limits (S,)."""
        return lambda report: self._fit(k, dataset, limits, report)[0]

    def _fit(self, k: int, dataset: Dataset, limits: Tensor, report: Report) -> tuple[Module, History]:
        """Train the k-th network on the values before the limits (S,); the first one records the loss after them."""
        generator = self._generator(k)
        network = self._network(dataset.scaling, generator)
        validation = None
        if k == 0 and (limits < dataset.ends).any():
            validation = FixedBatches(dataset, Cuts(limits, dataset.ends - 1).spread(MOST_VALIDATION_WINDOWS))
        return network, self._train(network, dataset, limits, validation, generator, report)

    def _generator(self, k: int) -> torch.Generator:
        """The random generator of the k-th network, for its initial weights and its batches."""
        state = np.random.SeedSequence((self.seed, k)).generate_state(1)[0]
        return torch.Generator().manual_seed(int(state))

    def _train(
        self,
        network: Module,
        dataset: Dataset,
        limits: Tensor,
        validation: FixedBatches | None,
        generator: torch.Generator,
        report: Report,
    ) -> History:
        cuts = training_cuts(dataset, limits)
        if not len(cuts):
            raise DataError(
                f"validation_fraction={self.validation_fraction} leaves no value to train on; use a smaller fraction, "
                "or longer series"
            )
        batches = RandomBatches(dataset, cuts, limits, self.batch_size, self._steps_of_epoch(len(cuts)), generator)
        epochs = math.ceil(self.max_steps / len(batches))
        rows = dataset.scaling.context * min(len(cuts), self.batch_size)
        with limited_threads(network, rows), drawing_from(network, generator):
            history = fit(
                network,
                batches,
                loss=loss_of(self.loss),
                lr=self.lr,
                epochs=epochs,
                schedule="onecycle",
                clip_norm=1.0,
                held_out=validation,
                on_epoch=lambda epoch, history: report(epoch / epochs, latest_loss(history)),
            )
        network.eval()
        return history

    def _steps_of_epoch(self, windows: int) -> int:
        """Training steps between two evaluations of the validation loss: one pass, but neither few nor many."""
        return min(self.max_steps, max(EPOCH[0], min(EPOCH[1], math.ceil(windows / self.batch_size))))

    def load_networks(self, scaling: WindowScaling, states: Sequence[Mapping[str, Tensor]]) -> tuple[Module, ...]:
        """Build networks with saved weights.

        Raises:
            ValueError: the weights do not fit the networks.
        """
        generator = torch.Generator()
        expected = _shapes(self._network(scaling, generator, "meta").state_dict())  # takes no memory
        networks = []
        for k, state in enumerate(states):
            for name in {**expected, **state}:
                shape, needed = _shapes(state).get(name), expected.get(name)
                if shape != needed:
                    raise ValueError(f"weight {name[:80]!r} of network {k} has shape {shape}, expected {needed}")
            networks.append(self._network(scaling, generator).eval())
            networks[-1].load_state_dict(state)
        return tuple(networks)

    def _network(self, scaling: WindowScaling, generator: torch.Generator, device: str = "cpu") -> Module:
        options = {"device": device, "dtype": torch.float32, "engine": self.engine, "generator": generator}
        return STRATEGIES[scaling.strategy](scaling, self.cell, self.hidden_size, self.num_layers, **options)


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(weight.shape) for name, weight in state.items()}
