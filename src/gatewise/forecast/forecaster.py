"""The Forecaster: trains on a table, forecasts with intervals, and backtests.

Letters: `h` horizon.
"""

import copy
import os
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from gatewise.arguments import Arguments, boolean, whole
from gatewise.forecast.choices import CHOICES
from gatewise.forecast.evaluation import running
from gatewise.forecast.evaluation.backtest import Backtest
from gatewise.forecast.evaluation.cross_validation import CrossValidation
from gatewise.forecast.evaluation.cutoffs import affordable_windows
from gatewise.forecast.evaluation.recalibration import after_update
from gatewise.forecast.fitted import FittedState
from gatewise.forecast.inspection import Inspection
from gatewise.forecast.model.eligibility import eligible
from gatewise.forecast.model.plan import Plan, Sizes, is_small
from gatewise.forecast.model.selection import Selection, train, training_steps
from gatewise.forecast.persistence import forecaster_state
from gatewise.forecast.reading import read_alike, read_eligible
from gatewise.forecast.update import extended
from gatewise.forecast.validation import as_levels, as_quantiles, check_arguments, check_horizon, divergence_remedies
from gatewise.series import Forecast, Panel
from gatewise.training import History


class Forecaster(Arguments, Inspection):
    """Forecast one or many series with one recurrent network, and measure whether it beats naive forecasts.

    The network (Hochreiter and Schmidhuber, Long short-term memory, 1997) is trained on windows of all series, each on
    its own scale (`gatewise.forecast.model.strategies`). The prediction intervals are calibrated on the errors in the
    validation set, the end of each series (`gatewise.forecast.conformal`); `backtest` measures their coverage.

    Arguments:
        cell: "lstm", "gru" or "rnn".
        hidden_size: units of each layer. Like all sizes below, it depends on strategy and data by default.
        num_layers: number of stacked recurrent layers.
        context: past steps that the network reads; by default whole seasons.
        season: steps of a season, 1 for none; by default that of the calendar, if the series contain four seasons. Or
            several, such as (24, 168): the shortest is that of the windows, the network and the MASE; the baselines
            use the longer ones too (SeasonalNaive168, Ridge). Those of the calendar that are longer may join them.
        difference: order of differencing, for a series without a stable level.
        seasonal_difference: order of seasonal differencing.
        shift: a level shift, before which values are moved to the new level: "auto" searches for one, "none" does not;
            or the date of the first value at the new level.
        scale: "window" normalises each window by its own mean and spread, so that level and spread may drift;
            "standard", "minmax", "robust" and "none" treat all windows alike.
        strategy: "one-step", "segment" or "flatten". "auto" is "segment"; for a few short series it compares the
            validation errors of "one-step" and "segment".
        horizon: steps that "segment" and "flatten" forecast at once, ideally the horizon of `predict`; further steps
            are forecast recursively. By default two seasons, or 12 steps without a season.
        ensemble_size: number of networks whose forecasts are averaged; a single one depends strongly on its seed.
        seed: random seed of the initial weights and the shuffling.
        max_steps: training steps, rounded up to whole epochs.
        batch_size: windows of a training step.
        lr: peak learning rate of a one-cycle schedule.
        dropout: fraction of the hidden values that "segment" drops in training; by default 0 or 0.5, the better one.
        loss: training loss on normalised values: "mae", "mse" or "huber".
        lower, upper: smallest and largest possible value, such as lower=0 for sales; None for no limit. Forecasts,
            intervals and sample paths stay within them, also those of the baselines.
        integer: True for whole numbers: forecasts and paths are rounded to the nearest one, intervals outward.
        point: "median", or "mean" for totals of skewed values, such as sales, whose medians have too low a sum. With
            loss="mse" (in part with "huber"), networks forecast the mean, and "median" leaves it so.
        fallback: the forecast to deliver. "best" is the network, a baseline or their average, by their validation
            errors (`gatewise.forecast.model.delivery`), or the mean of counts (`.counts`); "none" is the network;
            "naive" or the name of a baseline is that baseline if its validation error is not higher than the network's.
        validation_fraction: fraction at the end of each series to measure errors on, before training on all data.
        engine: computation engine; see `gatewise.engines`.
        jobs: networks trained at a time, each on one core (by default all available). It does not change results.
        quiet: False prints the progress of training.

    Raises:
        ValueError: if an argument is unknown or out of range.

    Attributes:
        history: losses of each epoch of the first network, on the training set and the validation set, once fitted.
        guesses: one sentence for each guess or choice, once fitted.

    Every argument is also an attribute; `get_params` lists them and `set_params` changes them, as in scikit-learn.

    Examples:
        >>> from gatewise import datasets
        >>> model = Forecaster(hidden_size=8, max_steps=20).fit(datasets.air_passengers())
        >>> forecast = model.predict(2, level=(80,))
        >>> forecast.columns.tolist(), forecast["ds"].dt.strftime("%Y-%m").tolist()
        (['unique_id', 'ds', 'LSTM', 'LSTM-lo-80', 'LSTM-hi-80'], ['1961-01', '1961-02'])
    """

    history: History
    guesses: tuple[str, ...]

    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: int | None = None,
        num_layers: int = 1,
        context: int | None = None,
        season: int | Sequence[int] | None = None,
        difference: int = 0,
        seasonal_difference: int = 0,
        shift: str | int = "auto",
        scale: str = "window",
        strategy: str = "auto",
        horizon: int | None = None,
        ensemble_size: int | None = None,
        seed: int = 0,
        max_steps: int | None = None,
        batch_size: int | None = None,
        lr: float | None = None,
        dropout: float | None = None,
        loss: str = "mae",
        fallback: str = "best",
        validation_fraction: float = 0.2,
        engine: str = "auto",
        jobs: int | None = None,
        quiet: bool = True,
        lower: float | None = None,
        upper: float | None = None,
        integer: bool = False,
        point: str = "median",
    ) -> None:
        self.cell, self.hidden_size, self.num_layers = cell, hidden_size, num_layers
        self.context, self.season, self.horizon = context, season, horizon
        self.difference, self.seasonal_difference, self.scale = difference, seasonal_difference, scale
        self.strategy, self.fallback, self.loss, self.shift = strategy, fallback, loss, shift
        self.ensemble_size, self.seed, self.max_steps, self.batch_size = ensemble_size, seed, max_steps, batch_size
        self.lr, self.dropout, self.validation_fraction = lr, dropout, validation_fraction
        self.engine, self.jobs, self.quiet = engine, jobs, quiet
        self.lower, self.upper, self.integer, self.point = lower, upper, integer, point
        check_arguments(self.get_params(), CHOICES)
        self.plan = Plan.of(self.get_params())
        self.sizes = Sizes(**{field.name: getattr(self, field.name) for field in fields(Sizes)})
        self._state: FittedState | None = None

    @property
    def name(self) -> str:
        """The column of the forecasts: LSTM, GRU or RNN."""
        return self.cell.upper()

    @property
    def state(self) -> FittedState:
        """The series and the trained networks.

        Raises:
            RuntimeError: before `fit`.
        """
        if self._state is None:
            raise RuntimeError("the forecaster is not fitted; call fit(table) first")
        return self._state

    def fit(self, table: Any, **columns: Any) -> "Forecaster":
        """Read and validate series, train on them from scratch, and return the forecaster.

        Arguments:
            table: path to a CSV or Parquet file; a pandas or polars table (long: unique_id, ds, y) or series; a 1-D
                array; or a panel from `gatewise.read`.
            columns: id_column, time_column, target_column, freq, fill, sort, layout, past, known, static, calendar,
                on_bad; see `gatewise.read`.

        Raises:
            DataError: the table cannot be used; the message names the place and the remedy. Nothing is trained.
            DivergenceError: training met a NaN or infinity; use a smaller lr.
        """
        panel = read_eligible(table, self.plan, columns)
        season, why = self.plan.choose_season(panel)
        with divergence_remedies(self.scale):
            self._set_fitted(panel, why, train(self.plan, self.sizes, panel, season))
        return self

    def update(self, table: Any, max_steps: int = 0, **columns: Any) -> "Forecaster":
        """Add newer observations, from which later forecasts start; optionally fine-tune the networks.

        The intervals are recalibrated on the errors of the forecasts of the newer values.

        Arguments:
            table, columns: as for `fit`. The newest values of a known series suffice, if they start no later than the
                step after its end; they replace known values of the same dates. New series are added, and series
                that are not in the table stay as they are.
            max_steps: training steps on the extended series, at a tenth of the learning rate; 0 for none.

        Raises:
            RuntimeError: before `fit`.
            DataError: the table cannot be used, or holds none of the known series. The forecaster stays
                unchanged.
        """
        old, selection = self.state.panel, self.state.selection
        whole("max_steps", max_steps, 0)
        new = read_alike(self.state, table, columns)
        panel = eligible(extended(old, new), self.plan)
        selection = after_update(selection, old.series, panel.series)
        if max_steps:
            with divergence_remedies(self.scale):
                selection = selection.train_further(panel.series, max_steps)
        season = self.guesses[len(old.guesses)]
        self.guesses = (*panel.guesses, season, *selection.describe(panel.series))
        self._set(replace(self.state, panel=panel, selection=selection))
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted forecaster to a file, completely or not at all.

        The file holds the networks, the arguments and the series (dates and values), because forecasts start at their
        ends: sharing the file shares the data. Its format is safetensors, see `gatewise.persistence`.

        Arguments:
            path: of the file; an existing file is replaced.

        Raises:
            RuntimeError: before `fit`.
            ValueError: a series has a name or a time zone that a file cannot hold.
            OSError: the file cannot be written.

        >>> import tempfile
        >>> model = Forecaster(hidden_size=8, max_steps=20).fit([1.0, 2.0, 4.0, 3.0] * 10)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.safetensors")
        ...     again = Forecaster.load(f"{folder}/model.safetensors")
        >>> again, again.predict(8).equals(model.predict(8))
        (Forecaster(hidden_size=8, max_steps=20), True)
        """
        panel, selection = self.state.panel, self.state.selection
        choices = self.guesses[len(panel.guesses) :]
        forecaster_state.save(path, self.get_params(), panel, selection, choices)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Forecaster":
        """Read a forecaster that `save` wrote: it forecasts the same, bit for bit. No code from the file is run.

        Arguments:
            path: of the file.

        Raises:
            OSError: the file cannot be read.
            FormatError: the file was not written by `save`, is of another version, or is damaged; see
                `gatewise.persistence`.
        """
        forecaster, stored = forecaster_state.load(path, cls, cls._defaults())
        forecaster._set(FittedState(stored.panel, stored.selection, forecaster.name))
        forecaster.guesses = (*stored.panel.guesses, *stored.choices)
        return forecaster

    def predict(
        self,
        horizon: int,
        *,
        level: float | Sequence[float] = (80, 95),
        quantiles: float | Sequence[float] = (),
        table: Any = None,
        future: Any = None,
    ) -> Any:
        """Forecast beyond the end. Intervals wider than the range of a series raise a warning with the cause.

        Arguments:
            horizon: steps, h.
            level: percentages of the intervals, each above 1 and below 100; an empty sequence for no intervals.
            quantiles: probabilities between 0 and 1, such as (0.1, 0.5, 0.9): 0.1 and 0.9 are the bounds of the 80 %
                interval, 0.5 is the median.
            table: series to forecast instead of those of `fit`: a table with the same columns, or a panel; the
                frequency must match, the series may be new.
            future: table of the future covariates, a row for each series and each of the h steps after its end; by
                default the rows at the end of the table that hold covariates but no value yet. Calendar features need
                none.

        Returns:
            Table (pandas or polars, like the data) with h rows for each series: unique_id, ds on the data's calendar,
            the model's forecast, for each level the lower and upper bound, such as LSTM-lo-80 and LSTM-hi-80, and for
            each quantile a column such as LSTM-q-0.9. Series excluded by on_bad="naive" come last, with naive
            forecasts, missing bounds and missing quantiles; see `excluded`.

        Raises:
            RuntimeError: before `fit`.
            ValueError: if the horizon is below 1, or a level or quantile out of range.
            DataError: the table cannot be used; future covariates are missing.
        """
        levels, probabilities = as_levels(level), as_quantiles(quantiles)
        panel = self.state.panel
        if table is not None:
            panel = eligible(read_alike(self.state, table, {}), self.plan, alone=True)
        return self.state.table(self.state.forecasts(horizon, levels, future, panel, probabilities), panel)

    def forecasts(
        self, horizon: int, levels: tuple[float, ...], future: Any = None, panel: Panel | None = None
    ) -> list[Forecast]:
        """One record for each series of a panel, by default the fitted series; see `predict`."""
        return self.state.forecasts(horizon, levels, future, panel)

    def sample(self, horizon: int, paths: int = 100, *, seed: int = 0, future: Any = None) -> Any:
        """Sample paths beyond the end, for questions that intervals cannot answer, such as the sum over a month.

        Arguments:
            horizon: steps, h.
            paths: number of paths of each series.
            seed: random seed of the paths.
            future: as for `predict`.

        Returns:
            Table with columns unique_id, ds, path (1, 2, ...) and the forecast (such as LSTM). See
            `gatewise.forecast.conformal`.

        Raises:
            as `predict`.
        """
        check_horizon(horizon)
        whole("paths", paths, 1)
        whole("seed", seed, 0)
        return self.state.panel.table(self.state.sample(horizon, int(paths), seed, future))

    def backtest(
        self,
        table: Any,
        horizon: int,
        *,
        windows: int = 3,
        step: int | None = None,
        level: float | Sequence[float] = (80, 95),
        refit: bool | None = None,
        fit: bool = False,
        **columns: Any,
    ) -> Backtest:
        """Forecast test windows in the past, and compare the errors with those of naive forecasts.

        The test windows are the last `windows` stretches of `horizon` values of each series; each is forecast from
        the values before it. Copies are trained; the forecaster itself stays unchanged, unless `fit`.

        Arguments:
            table, columns: as for `fit`.
            horizon: steps of each forecast, h.
            windows: number of test windows of each series, the last one at its end.
            step: steps between windows; by default the horizon, so that windows do not overlap.
            level: percentages of the prediction intervals.
            refit: True trains for each window on all values before it, as the delivered model is trained; False
                trains once, on the values before the first window, and recalibrates the intervals from window to
                window as `update` does. By default False; for a few short series a network is trained for each later
                window, with the strategy and method chosen before the first.
            fit: True also trains the forecaster on all values, as `fit` does, at the same time.

        Returns:
            A `Backtest`: scores, forecasts, coverage, and the verdict.

        Raises:
            DataError: as for `fit`, also if too few values are left to train on.
            ValueError: if an argument is out of range.
        """
        check_horizon(horizon)
        whole("windows", windows, 1)
        whole("step", step := horizon if step is None else step, 1)
        boolean("refit", False if refit is None else refit)
        boolean("fit", fit)
        levels = as_levels(level)
        panel = read_eligible(table, self.plan, columns)
        season, why = self.plan.choose_season(panel)  # from all values: it leaks no future value
        plan = replace(self.plan, horizon=self.plan.horizon or horizon)
        validation = CrossValidation(plan, self.sizes, panel, season, self.name)
        other = training_steps(self.plan, self.sizes, panel, panel.series, season) if fit else None
        with divergence_remedies(self.scale):
            guesses, refit = (*panel.guesses, why), refit if is_small(panel) else bool(refit)
            result, selection = running.run(validation, horizon, windows, step, levels, refit, guesses, other)
        if selection is not None:
            self._set_fitted(panel, why, selection)
        return result

    def affordable_windows(self, table: Any, horizon: int, **columns: Any) -> int:
        """The number of backtest windows, 0 to 3, that leave half of the series and enough values for training.

        Arguments:
            table, columns: as for `fit`.
            horizon: steps of each forecast.
        """
        check_horizon(horizon)
        panel = read_eligible(table, self.plan, columns)
        return affordable_windows(panel, self.plan, self.plan.choose_season(panel)[0], horizon, horizon, 3)

    def with_series(self, table: Any, **columns: Any) -> "Forecaster":
        """A copy that forecasts other series with the same networks and intervals.

        Arguments:
            table, columns: as for `fit`; the series replace all of the fitted ones.

        Raises:
            RuntimeError: before `fit`.
            DataError: the table cannot be used, or its series differ in frequency or covariates.
        """
        known = self.state.panel
        panel = eligible(read_alike(self.state, table, columns), self.plan, alone=True)
        other = copy.copy(self)
        other._set_fitted(panel, self.guesses[len(known.guesses)], self.state.selection)
        return other

    def _set_fitted(self, panel: Panel, season: str, selection: Selection) -> None:
        self._set(FittedState(panel, selection, self.name))
        self.guesses = (*panel.guesses, season, *selection.describe(panel.series))

    def _set(self, state: FittedState) -> None:
        self._state, self.history = state, state.history
