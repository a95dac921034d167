"""The Forecaster: from a table to a forecast that says how far to trust it.

Letters: `S` series, `T` steps of context, `h` horizon, `W` held-out forecasts.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gatewise import persistence
from gatewise.arguments import Arguments, boolean, number, one_of, whole
from gatewise.engines import ENGINES
from gatewise.forecast import update as histories
from gatewise.forecast import validation as checks
from gatewise.forecast.evaluation.backtest import Backtest
from gatewise.forecast.evaluation.cross_validation import CrossValidation
from gatewise.forecast.evaluation.cutoffs import Cutoffs
from gatewise.forecast.evaluation.holdout import Holdout, observed
from gatewise.forecast.evaluation.recalibration import after_update
from gatewise.forecast.inspection import Shown
from gatewise.forecast.model.eligibility import eligible, long_enough
from gatewise.forecast.model.loss import LOSSES
from gatewise.forecast.model.plan import SCALES, Plan, Sizes, usual_length
from gatewise.forecast.model.prediction import extrapolate, forecasts
from gatewise.forecast.model.selection import Selection, fallback_message, train
from gatewise.forecast.model.strategies import CELLS, STRATEGIES
from gatewise.forecast.persistence import forecaster_state as keeping
from gatewise.forecast.validation import as_levels, check_horizon
from gatewise.series import Forecast, Panel, futures, read, to_frame
from gatewise.series.wording import counted
from gatewise.training import History

FALLBACKS = ("none", "naive")


class Forecaster(Arguments, Shown):
    """Forecast one or many series with one recurrent network, and measure whether that is worth it.

    The network is trained on windows of the past of all series, each window normalised by itself; see
    `gatewise.forecast.model.strategies` for the kinds there are. Intervals are as wide as the errors made on the held-out end
    of the series say (see `gatewise.forecast.conformal`); `backtest` measures how often they hold.

    Reference: the network, Hochreiter and Schmidhuber, Long short-term memory, 1997; the intervals, see there.

    Arguments:
        cell: "lstm", "gru" or "rnn".
        hidden_size: units of each layer; by default as the strategy and the data ask for, like all sizes below.
        num_layers: recurrent layers, stacked.
        context: steps of the past that the network reads; by default whole seasons.
        season: steps of a season, 1 for none; by default that of the calendar (12 for months, 7 for days, ...), if the
            series has four of them or more.
        difference: how often to take differences first; for a series whose level wanders without end.
        seasonal_difference: how often to take differences over a season first.
        scale: "window" normalises each window by its own mean and spread, so that level and spread may drift;
            "standard", "minmax", "robust" or "none" treat all windows alike.
        strategy: "one-step", "segment", "flatten"; or "auto", which chooses between the first two: for a few short
            series by the errors made on the held-out end.
        horizon: steps that "segment" and "flatten" forecast at once, beyond which they go on from their own forecasts;
            by default two seasons, or 12 steps without one. Best the horizon that `predict` will be asked for.
        ensemble_size: how many networks are trained and averaged; one alone depends much on its seed.
        seed: of the initial weights and the shuffling.
        max_steps: training steps, rounded up to whole epochs.
        batch_size: windows of a training step.
        lr: highest learning rate; it rises and falls in one cycle.
        dropout: share of hidden values that "segment" leaves out in training, to learn less by heart; by default 0 or
            0.5, whichever makes the smaller errors on the held-out end.
        loss: "mae", "mse" or "huber", on normalised values.
        fallback: "naive" forecasts by the best naive forecast where the network was no better on the held-out end.
        validation_fraction: the last part of each series, as a fraction, by which errors are measured. The network that forecasts
            is then trained anew on everything.
        engine: what runs the equations; see `gatewise.engines`.
        quiet: False shows the progress of training.

    Raises:
        ValueError: if an argument is unknown or out of range.

    Attributes:
        history: losses of each epoch of the first network, on the training part and the held-out part, once fitted.
        guesses: sentences for everything that was guessed or chosen, once fitted.

    Every argument is an attribute too; `get_params` lists them and `set_params` changes them, as scikit-learn's
    estimators do, so that its `clone` works.

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
        season: int | None = None,
        difference: int = 0,
        seasonal_difference: int = 0,
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
        fallback: str = "none",
        validation_fraction: float = 0.2,
        engine: str = "auto",
        quiet: bool = True,
    ) -> None:
        one_of("cell", cell, CELLS)
        one_of("scale", scale, SCALES)
        one_of("strategy", strategy, ("auto", *STRATEGIES))
        one_of("loss", loss, LOSSES)
        one_of("fallback", fallback, FALLBACKS)
        one_of("engine", engine, ("auto", *ENGINES))
        chosen = {
            "hidden_size": hidden_size,
            "context": context,
            "season": season,
            "horizon": horizon,
            "ensemble_size": ensemble_size,
            "max_steps": max_steps,
            "batch_size": batch_size,
        }
        for name, size in {"num_layers": num_layers, **chosen}.items():
            if size is not None or name == "num_layers":
                whole(name, size, 1)
        whole("seed", seed, 0)
        checks.check_differences(difference, seasonal_difference)
        if horizon is not None:
            check_horizon(horizon)
        checks.check_size(hidden_size or 1, num_layers, ensemble_size or 1)
        if lr is not None:
            number("lr", lr, float("inf"), "a number above 0, such as 0.003")
        boolean("quiet", quiet)
        number("validation_fraction", validation_fraction, 1, "a fraction of the series between 0 and 1, such as 0.2")
        self.cell, self.hidden_size, self.num_layers = cell, hidden_size, num_layers
        self.context, self.season, self.scale = context, season, scale
        self.strategy, self.horizon, self.fallback = strategy, horizon, fallback
        self.difference, self.seasonal_difference = difference, seasonal_difference
        self.ensemble_size, self.seed, self.max_steps, self.batch_size = ensemble_size, seed, max_steps, batch_size
        if dropout is not None and (isinstance(dropout, bool) or dropout != 0):
            number("dropout", dropout, 1, "a share of hidden values from 0 to below 1, such as 0.3")
            one_of("strategy, with a dropout,", strategy, ("auto", "segment"))
        self.dropout, self.lr, self.loss = dropout, lr, loss
        self.validation_fraction, self.engine, self.quiet = validation_fraction, engine, quiet
        context, season, horizon = (None if one is None else int(one) for one in (context, season, horizon))
        self.plan = Plan(strategy, context, season, horizon, int(difference), int(seasonal_difference), scale, dropout)
        self.sizes = Sizes(
            cell,
            hidden_size,
            num_layers,
            loss,
            max_steps,
            batch_size,
            lr,
            validation_fraction,
            ensemble_size,
            int(seed),
            engine,
            quiet,
        )
        self._panel: Panel | None = None
        self._selection: Selection | None = None

    @property
    def name(self) -> str:
        """What its column is called: LSTM, GRU or RNN."""
        return self.cell.upper()

    def fit(self, table: Any, **columns: Any) -> "Forecaster":
        """Read and check series, and train on them, afresh.

        Arguments:
            table: path to a CSV or Parquet file; a pandas or polars table (long: unique_id, ds, y) or series; a 1-D
                array; or a panel from `gatewise.read`.
            columns: id_column, time_column, target_column, freq, fill, sort, layout, past, known, static, calendar,
                on_bad; see `gatewise.read`.

        Returns:
            The forecaster itself.

        Raises:
            DataError: the data cannot be used as they are; says where, and the remedy. Nothing has been trained then.
            DivergenceError: training met a NaN or infinity; use a smaller lr.
        """
        panel = self._read(table, columns)
        season, why = self.plan.choose_season(panel)
        with checks.training(self.scale):
            selection = train(self.plan, self.sizes, panel, panel.series, season)
        self._keep(panel, selection)
        self.guesses = (*panel.guesses, why, *selection.choices, *self._fallen_back())
        return self

    def update(self, table: Any, max_steps: int = 0, **columns: Any) -> "Forecaster":
        """Forecast from newer observations, with the networks as they are, or trained a little further.

        How far the newer values are off their forecasts tells how wide the intervals are to be from now on.

        Arguments:
            table, columns: as for `fit`. Of a series that is known, its newest values are enough, from the step after
                its end at the latest; values for dates that are known take the place of the old ones. Series that are
                new are added, those that are missing stay as they are.
            max_steps: training steps on the extended series, at a tenth of the learning rate; 0 for none.

        Returns:
            The forecaster itself.

        Raises:
            RuntimeError: before `fit`.
            DataError: the data cannot be used as they are, or are of other series. Nothing has changed then.
        """
        old, selection = self._fitted()
        whole("max_steps", max_steps, 0)
        new = self._like(old, table, columns)
        panel = eligible(histories.extended(old, new), self.plan)
        selection = after_update(selection, old.series, panel.series)
        if max_steps:
            with checks.training(self.scale):
                tuned = selection.configuration.train_further(
                    selection.ensemble, selection.dataset(panel.series), max_steps
                )
            selection = replace(selection, ensemble=tuned)
        self.guesses = (*new.guesses, *self.guesses[len(old.guesses) :])
        self._keep(panel, selection)
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Keep the fitted forecaster in a file, whole or not at all.

        The file holds the networks, the arguments and the series themselves, dates and values: a forecast begins at
        their ends. Who gets the file gets the data. It is in the safetensors format, see `gatewise.persistence`.

        Arguments:
            path: where to; what stands there is replaced.

        Raises:
            RuntimeError: before `fit`.
            ValueError: a series has a name or a time zone that a file cannot keep.
            OSError: the file cannot be written.

        >>> import tempfile
        >>> model = Forecaster(hidden_size=8, max_steps=20).fit([1.0, 2.0, 4.0, 3.0] * 10)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.safetensors")
        ...     again = Forecaster.load(f"{folder}/model.safetensors")
        >>> again, again.predict(8).equals(model.predict(8))
        (Forecaster(hidden_size=8, max_steps=20), True)
        """
        panel, selection = self._fitted()
        chosen = self.guesses[len(panel.guesses) :]
        persistence.save(path, keeping.KIND, *keeping.pack(self.get_params(), panel, selection, chosen))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Forecaster":
        """The forecaster that `save` kept: it forecasts the same, bit for bit. No code from the file is run.

        Arguments:
            path: of the file.

        Raises:
            OSError: the file cannot be read.
            FormatError: it is no file that `save` wrote, one of another version, or damaged; see `gatewise.persistence`.
        """
        content, arrays = persistence.load(path, keeping.KIND, keeping.UPGRADES)
        try:
            forecaster = cls(**keeping.arguments(content, cls._defaults()))
            panel, selection, chosen = keeping.unpack(content, arrays, forecaster.plan, forecaster.sizes)
        except ValueError as reason:
            raise persistence.FormatError(f"{path} holds no whole forecaster: {reason}; save it again") from None
        forecaster._keep(panel, selection)
        forecaster.guesses = (*panel.guesses, *chosen)
        return forecaster

    def predict(
        self,
        horizon: int,
        *,
        level: float | Sequence[float] = (80, 95),
        table: Any = None,
        future: Any = None,
    ) -> Any:
        """Forecast beyond the end.

        Arguments:
            horizon: steps, h.
            level: percentages of the prediction intervals, each between 0 and 100; none for the forecast alone.
            table: histories to forecast from instead of those that `fit` saw, of any series of the same frequency,
                known or not: a table with the same columns, or a panel.
            future: table with the covariates known in advance, a row for each series and each of the h steps after its
                end; by default the rows at the end of the table of the series that hold them and no value yet. The
                calendar needs none.

        Returns:
            Table, in the library of the data, with h rows for each series: unique_id, ds on the data's calendar, the
            model's forecast, and per level its lower and upper bound, such as LSTM-lo-80 and LSTM-hi-80. Series put
            aside by on_bad="naive" come last, forecast naively; their bounds are missing, see `report`.

        Raises:
            RuntimeError: before `fit`.
            ValueError: if the horizon is below 1 or a level not between 0 and 100.
            DataError: the table cannot be used; features known in advance are missing.
        """
        levels = as_levels(level)
        panel, _ = self._fitted()
        if table is not None:
            panel = eligible(self._like(panel, table), self.plan, alone=True)
        return panel.table(to_frame(self.forecasts(horizon, levels, future, panel)))

    def sample(self, horizon: int, paths: int = 100, *, seed: int = 0, future: Any = None) -> Any:
        """Sample paths beyond the end, for questions that no interval answers, such as the sum over a month.

        Arguments:
            horizon: steps, h.
            paths: how many of each series.
            seed: of the paths.
            future: as for `predict`.

        Returns:
            Table with columns unique_id, ds, path (1, 2, ...) and the model's. See `gatewise.forecast.conformal`.

        Raises:
            as `predict`.
        """
        check_horizon(horizon)
        whole("paths", paths, 1)
        whole("seed", seed, 0)
        panel, selection = self._fitted()
        checks.check_paths(len(panel), int(paths), horizon)
        mean, spread, calibration = extrapolate(panel, selection, horizon, future, self._naive(selection))
        drawn = calibration.paths(mean, spread, int(paths), np.random.default_rng(seed))
        made = [
            Forecast(one.unique_id, ds, path, self.name)
            for one, ds, of_one in zip(panel.series, futures(panel.series, panel.freq, horizon), drawn, strict=True)
            for path in of_one
        ]
        table = to_frame(made)
        table.insert(2, "path", np.tile(np.repeat(np.arange(1, paths + 1), horizon), len(panel)))
        return panel.table(table)

    def backtest(
        self,
        table: Any,
        horizon: int,
        *,
        windows: int = 3,
        step: int | None = None,
        level: float | Sequence[float] = (80, 95),
        refit: bool = False,
        **columns: Any,
    ) -> Backtest:
        """Forecast parts of the past that were not looked at, and compare with naive forecasts.

        The last `windows` stretches of `horizon` values of each series are forecast in turn, each from the values
        before it. The forecaster itself is left as it is: copies of it are trained.

        Arguments:
            table, columns: as for `fit`.
            horizon: steps of each forecast, h.
            windows: how many stretches of each series, the last one at its end.
            step: from one stretch to the next; by default the horizon, so that they lie side by side.
            level: percentages of the prediction intervals.
            refit: False trains once, on what lies before the first stretch, and lets the intervals learn from stretch
                to stretch as `update` does; True trains anew for each stretch on everything before it, as one would
                have then, which takes longer and is fairer to short series.

        Returns:
            A `Backtest`: scores, forecasts, coverage, and the verdict in words.

        Raises:
            DataError: as for `fit`, also if what is left to train on is too short.
            ValueError: if an argument is out of range.
        """
        check_horizon(horizon)
        whole("windows", windows, 1)
        whole("step", step := horizon if step is None else step, 1)
        boolean("refit", refit)
        levels = as_levels(level)
        panel = self._read(table, columns)
        season, why = self.plan.choose_season(panel)  # of the whole series: the calendar gives nothing away
        histories.check_reach(panel, self.plan.horizon or horizon, horizon)
        held_out, what = horizon + (windows - 1) * step, f"{counted(windows, 'window')} of {horizon}"
        left, short = long_enough(panel, self.plan, held_out, what)
        cutoffs = Cutoffs.of(left.series, horizon, windows, step)
        truth = observed(left, cutoffs.which, cutoffs.cuts, horizon)
        job = CrossValidation(
            replace(self.plan, horizon=self.plan.horizon or horizon), self.sizes, left, season, self._naive
        )
        with checks.training(self.scale):
            mean, bounds, said, baselines = job.forecasts(cutoffs, truth, levels, refit, self.name)
        held = Holdout(left, season, cutoffs.which, cutoffs.cuts, truth, mean, bounds, self.name)
        first = cutoffs.first(windows - 1 if refit else 0)[0]
        trained_on = f"trained on the first {first} values" if len(left) == 1 else f"trained on {len(left)} series"
        return Backtest.of(held, guesses=(*panel.guesses, why, *short, *said), trained=trained_on, replaced=baselines)

    def affordable_windows(self, table: Any, horizon: int, **columns: Any) -> int:
        """How many windows a backtest can have: up to 3 that leave half of the series, and enough to train on.

        Arguments:
            table, columns: as for `fit`.
            horizon: steps of each forecast.

        Returns:
            0 to 3.
        """
        check_horizon(horizon)
        panel = self._read(table, columns)
        season, _ = self.plan.choose_season(panel)
        values = usual_length(panel.series)
        enough = (
            windows
            for windows in (3, 2, 1)
            if (left := values - windows * horizon) >= max(values / 2, self.plan.needed(left, season)[0])
        )
        return next(enough, 0)

    def _read(self, table: Any, columns: dict[str, Any]) -> Panel:
        """The series of a table that are long enough to be forecast."""
        checks.check_columns(columns)
        return eligible(read(table, **columns), self.plan)

    def _like(self, known: Panel, table: Any, columns: dict[str, Any] | None = None) -> Panel:
        """Series of any length, of the frequency and with the features of those that were fitted."""
        checks.check_columns(columns or {})
        usual = {} if isinstance(table, Panel) else {"like": known, "on_bad": known.on_bad}
        panel = read(table, **{**usual, **(columns or {})})
        histories.check_alike(known, panel)
        return panel

    def _fitted(self) -> tuple[Panel, Selection]:
        if self._panel is None or self._selection is None:
            raise RuntimeError("the forecaster is not fitted; call fit(table) first")
        return self._panel, self._selection

    def _keep(self, panel: Panel, selection: Selection) -> None:
        self._panel, self._selection, self.history = panel, selection, selection.ensemble.history

    def _naive(self, selection: Selection) -> bool:
        """Whether the best naive forecast is to take the place of the network."""
        return self.fallback == "naive" and selection.baseline.error <= selection.ensemble.error

    def forecasts(
        self, horizon: int, levels: tuple[float, ...], future: Any = None, panel: Panel | None = None
    ) -> list[Forecast]:
        """A record for each series of a panel, by default of those that were fitted; see `predict`."""
        known, selection = self._fitted()
        return forecasts(panel or known, selection, horizon, levels, future, self.name, self._naive(selection))

    def _fallen_back(self) -> tuple[str, ...]:
        _, selection = self._fitted()
        if not self._naive(selection):
            return ()
        return (fallback_message(selection, self.name),)
