"""The Forecaster: from a table to a forecast that says how far to trust it.

Letters: `N` values of the series, `T` steps of context, `h` horizon.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gatewise import plot, storage
from gatewise.engines import ENGINES
from gatewise.forecast import keeping
from gatewise.forecast.arguments import Arguments
from gatewise.forecast.backtest import Backtest, Stretch, known, observed
from gatewise.forecast.checks import LARGEST, as_levels, check_horizon, number, one_of, whole
from gatewise.forecast.one_step import CELLS, Fitted, Recipe
from gatewise.forecast.plan import FEWEST, SCALES, Plan
from gatewise.series import DataError, Forecast, Panel, Series, future, read, to_frame, to_table
from gatewise.training import LOSSES, History
from gatewise.windows import Difference

STRATEGIES = ("auto", keeping.STRATEGY)
OVERFIT = 1.5  # a held-out loss so many times the training loss is pointed out
MOST_WEIGHTS = 10**8  # more are refused before memory is taken


class Forecaster(Arguments):
    """Forecast a series with a recurrent network, and measure whether that is worth it.

    The network forecasts the next value and goes on from its own forecasts. It is trained on windows of the past, each
    normalised by itself, with the target shifted by one, and an answer at every step (see
    `gatewise.forecast.one_step`). Intervals are as wide as the errors made on the held-out end of the series say
    (see `gatewise.forecast.intervals`); `backtest` measures how often they hold.

    Reference: the network, Hochreiter and Schmidhuber, Long short-term memory, 1997; the intervals, see there.

    Arguments:
        cell: "lstm", "gru" or "rnn".
        hidden_size: units of each layer.
        num_layers: recurrent layers, stacked.
        context: steps of the past that the network reads; by default whole seasons, about 96 steps but no more than a
            fifth of the series.
        season: steps of a season, 1 for none; by default that of the calendar (12 for months, 7 for days, ...), if the
            series has four of them or more.
        difference: how often to take differences first; for a series whose level wanders without end.
        seasonal_difference: how often to take differences over a season first.
        scale: "window" normalises each window by its own mean and spread, so that level and spread may drift;
            "standard", "minmax", "robust" or "none" treat all windows alike.
        strategy: "one-step", or "auto", which at present chooses it.
        networks: how many networks are trained and averaged; one alone depends much on its seed.
        seed: of the initial weights and the shuffling.
        updates: training steps, rounded up to whole epochs.
        batch_size: windows of a training step.
        lr: highest learning rate; it rises and falls in one cycle.
        loss: "mae", "mse" or "huber", on normalised values.
        held_out: the last part of the series, as a fraction, by which errors are measured. The network that forecasts
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
        >>> model = Forecaster(hidden_size=8, updates=20).fit(datasets.air_passengers())
        >>> forecast = model.predict(2, level=(80,))
        >>> forecast.columns.tolist(), forecast["ds"].dt.strftime("%Y-%m").tolist()
        (['unique_id', 'ds', 'LSTM', 'LSTM-lo-80', 'LSTM-hi-80'], ['1961-01', '1961-02'])
    """

    history: History
    guesses: tuple[str, ...]

    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: int = 64,
        num_layers: int = 1,
        context: int | None = None,
        season: int | None = None,
        difference: int = 0,
        seasonal_difference: int = 0,
        scale: str = "window",
        strategy: str = "auto",
        networks: int = 3,
        seed: int = 0,
        updates: int = 500,
        batch_size: int = 64,
        lr: float = 3e-3,
        loss: str = "mae",
        held_out: float = 0.2,
        engine: str = "auto",
        quiet: bool = True,
    ) -> None:
        one_of("cell", cell, CELLS)
        one_of("scale", scale, SCALES)
        one_of("strategy", strategy, STRATEGIES)
        one_of("loss", loss, LOSSES)
        one_of("engine", engine, ("auto", *ENGINES))
        sizes = {"hidden_size": hidden_size, "num_layers": num_layers, "updates": updates, "batch_size": batch_size}
        chosen = {name: size for name, size in {"context": context, "season": season}.items() if size is not None}
        for name, size in {**sizes, "networks": networks, **chosen}.items():
            whole(name, size, 1)
        for name, size in {"difference": difference, "seasonal_difference": seasonal_difference, "seed": seed}.items():
            whole(name, size, 0)
        if 8 * hidden_size**2 * num_layers * networks > MOST_WEIGHTS:
            raise ValueError(
                f"hidden_size {hidden_size}, num_layers {num_layers} and networks {networks} make some "
                f"{8 * hidden_size**2 * num_layers * networks:.0e} weights, expected at most {MOST_WEIGHTS:.0e}; "
                "lower one of them"
            )
        number("lr", lr, float("inf"), "a number above 0, such as 0.003")
        number("held_out", held_out, 1, "a fraction of the series between 0 and 1, such as 0.2")
        self.cell, self.hidden_size, self.num_layers = cell, hidden_size, num_layers
        self.context, self.season, self.scale, self.strategy = context, season, scale, strategy
        self.difference, self.seasonal_difference = difference, seasonal_difference
        self.networks, self.seed, self.updates, self.batch_size = networks, seed, updates, batch_size
        self.lr, self.loss, self.held_out, self.engine, self.quiet = lr, loss, held_out, engine, quiet
        context, season = (None if one is None else int(one) for one in (context, season))  # numpy's too
        self.plan = Plan(context, season, int(difference), int(seasonal_difference), scale)
        self.recipe = Recipe(
            cell, hidden_size, num_layers, loss, updates, batch_size, lr, held_out, networks, seed, engine, quiet
        )
        self._panel: Panel | None = None
        self._model: Fitted | None = None

    @property
    def name(self) -> str:
        """What its column is called: LSTM, GRU or RNN."""
        return self.recipe.cell.upper()

    def fit(self, table: Any, **columns: Any) -> "Forecaster":
        """Read and check a series, and train on it, afresh.

        Arguments:
            table: path to a CSV or Parquet file; a pandas or polars table (long: unique_id, ds, y) or series; a 1-D
                array. One series.
            columns: id_column, time_column, target_column, freq, fill, sort; see `gatewise.series.read`.

        Returns:
            The forecaster itself.

        Raises:
            DataError: the data cannot be used as they are; says where, and the remedy. Nothing has been trained then.
            DivergenceError: training met a NaN or infinity; use a smaller lr.
        """
        panel, one = self._read(table, columns)
        season, why = self.plan.choose_season(panel, one)
        pipeline, context = self.plan.pipeline(one, season)
        model = self.recipe.train(pipeline, one.y)
        self._panel, self._model, self.history = panel, model, model.history
        self.guesses = (*panel.guesses, why, context, model.calibrated.in_words())
        return self

    def update(self, table: Any, **columns: Any) -> "Forecaster":
        """Forecast from a newer history of the same series, with the networks and intervals as they are.

        Arguments:
            table, columns: as for `fit`; a series of the same name and frequency that ends no earlier.

        Returns:
            The forecaster itself.

        Raises:
            RuntimeError: before `fit`.
            DataError: the data cannot be used as they are, or belong to another series. Nothing has changed then.
        """
        old, _before, model = self._fitted()
        panel, _one = self._read(table, columns)
        keeping.check_newer(old, panel, model.pipeline)
        self.guesses = (*panel.guesses, *self.guesses[len(old.guesses) :])
        self._panel = panel
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Keep the fitted forecaster in a file, whole or not at all.

        The file holds the networks, the arguments and the series itself, dates and values: a forecast begins at its
        end. Who gets the file gets the data. It is in the safetensors format, see `gatewise.storage`.

        Arguments:
            path: where to; what stands there is replaced.

        Raises:
            RuntimeError: before `fit`.
            ValueError: the series has a name or a time zone that a file cannot keep.
            OSError: the file cannot be written.

        >>> import tempfile
        >>> model = Forecaster(hidden_size=8, updates=20).fit([1.0, 2.0, 4.0, 3.0] * 10)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.safetensors")
        ...     again = Forecaster.load(f"{folder}/model.safetensors")
        >>> again, again.predict(8).equals(model.predict(8))
        (Forecaster(hidden_size=8, updates=20), True)
        """
        panel, _, model = self._fitted()
        chosen = self.guesses[len(panel.guesses) :]
        storage.save(path, keeping.KIND, *keeping.pack(self.get_params(), panel, model, chosen))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Forecaster":
        """The forecaster that `save` kept: it forecasts the same, bit for bit. No code from the file is run.

        Arguments:
            path: of the file.

        Raises:
            OSError: the file cannot be read.
            FormatError: it is no file that `save` wrote, one of another version, or damaged; see `gatewise.storage`.
        """
        content, arrays = storage.load(path, keeping.KIND)
        try:
            forecaster = cls(**keeping.arguments(content, cls._defaults()))
            panel, model, chosen = keeping.unpack(content, arrays, forecaster.plan, forecaster.recipe)
        except ValueError as reason:
            raise storage.FormatError(f"{path} holds no whole forecaster: {reason}; save it again") from None
        forecaster._panel, forecaster._model, forecaster.history = panel, model, model.history
        forecaster.guesses = (*panel.guesses, *chosen)
        return forecaster

    def summary(self) -> str:
        """How the training went, in words: the losses, and whether the network learnt noise by heart.

        Raises:
            RuntimeError: before `fit`.
        """
        self._fitted()
        train, held_out = self.history.train[-1], self.history.held_out[-1]
        text = f"{self.history.summary()}."
        if train and held_out > OVERFIT * train:
            text += (
                f" The held-out loss is {held_out / train:.1f} times the training loss: part of what the network "
                "learnt is noise; fewer updates or a smaller hidden_size learn less of that."
            )
        return text

    def fitted(self) -> Any:
        """The past as the network would have forecast it one step ahead.

        Returns:
            Table with columns unique_id, ds, y and the model's, on the original scale, for every value that has a whole
            window before it. The network has seen these values in training; `backtest` shows what it does without.
        """
        panel, one, model = self._fitted()
        approximation = model.fitted(one.y)
        n = len(approximation)
        columns = {"unique_id": one.unique_id, "ds": one.ds[-n:], "y": one.y[-n:], self.name: approximation}
        return to_table(pd.DataFrame(columns), panel.backend, date_only=panel.date_only)

    def predict(self, horizon: int, *, level: float | Sequence[float] = (80, 95)) -> Any:
        """Forecast beyond the end.

        Arguments:
            horizon: steps, h.
            level: percentages of the prediction intervals, each between 0 and 100; none for the forecast alone.

        Returns:
            Table, in the library of the data, with h rows: unique_id, ds on the data's calendar, the model's forecast,
            and per level its lower and upper bound, such as LSTM-lo-80 and LSTM-hi-80.

        Raises:
            RuntimeError: before `fit`.
            ValueError: if the horizon is below 1 or a level not between 0 and 100.
        """
        panel, one, model = self._fitted()
        return to_frame(
            [self._forecast(panel, one, model, horizon, as_levels(level))], panel.backend, date_only=panel.date_only
        )

    def plot(
        self,
        horizon: int | None = None,
        *,
        kind: str = "forecast",
        level: float | Sequence[float] = (80, 95),
        zoom: tuple[int, int] | None = None,
        ax: Any = None,
    ) -> Any:
        """Draw the series, or what the network makes of it.

        Arguments:
            horizon: steps, for "forecast"; by default a season, or 12 without one.
            kind: "forecast" after the last stretch of the series; "series"; "differences", those the network gets or
                else first ones; "approximation", the past one step ahead; "learning_curve"; or "gates", what each gate
                does while the last window is read.
            level: percentages of the intervals of a forecast.
            zoom: positions (start, stop) of an approximation, counted from the first that is drawn.
            ax: matplotlib Axes to draw on, a new figure by default; not for "gates", which has many.

        Returns:
            The Axes; for "gates" the Figure. `gatewise.plot.save` writes either.

        Raises:
            RuntimeError: before `fit`.
            ValueError: for an unknown kind, or options that do not belong to it.
            ImportError: without matplotlib.
        """
        one_of("kind", kind, ("forecast", "series", "differences", "approximation", "learning_curve", "gates"))
        for option, given, owner in (("horizon", horizon, "forecast"), ("zoom", zoom, "approximation")):
            if given is not None and kind != owner:
                raise ValueError(f"{option} belongs to kind={owner!r}, got kind={kind!r}; leave it out")
        panel, one, model = self._fitted()
        name, line = str(one.unique_id), model.pipeline
        if kind == "series":
            return plot.series(one.ds, one.y, name=name, ax=ax)
        if kind == "differences":
            difference = line.difference if line.difference.lag else Difference()
            return plot.differences(one.ds[difference.lag :], difference.apply(one.y), name=name, ax=ax)
        if kind == "approximation":
            fitted = model.fitted(one.y)
            n = len(fitted)
            return plot.approximation(one.ds[-n:], one.y[-n:], fitted, zoom=zoom, name=name, ax=ax)
        if kind == "learning_curve":
            loss = f"{self.recipe.loss} of normalised values"
            return plot.learning_curve(self.history.train, self.history.held_out, name=loss, ax=ax)
        if kind == "gates":
            if ax is not None:
                raise ValueError("kind='gates' draws one Axes for each gate; leave ax out")
            return plot.gates(*model.gates(one.y), title=f"{self.name}: gates while it reads the end of {name}")
        if horizon is None:
            horizon = line.season if line.season > 1 else 12
        made = self._forecast(panel, one, model, horizon, as_levels(level))
        last = max(4 * horizon, line.length)
        return plot.forecast(
            one.ds, one.y, made.ds, made.mean, made.intervals, last=last, model=self.name, name=name, ax=ax
        )

    def backtest(
        self,
        table: Any,
        horizon: int,
        *,
        windows: int = 3,
        level: float | Sequence[float] = (80, 95),
        refit: bool = False,
        **columns: Any,
    ) -> Backtest:
        """Forecast parts of the past that were not looked at, and compare with naive forecasts.

        The last `windows` stretches of `horizon` values are forecast in turn, each from the values before it. The
        forecaster itself is left as it is: copies of it are trained.

        Arguments:
            table, columns: as for `fit`.
            horizon: steps of each forecast, h.
            windows: how many stretches, side by side, the last one at the end of the series.
            level: percentages of the prediction intervals.
            refit: False trains once, on what lies before the first stretch; True trains anew for each stretch on
                everything before it, as one would have then, which takes longer and is fairer to short series.

        Returns:
            A `Backtest`: scores, forecasts, coverage, and the verdict in words.

        Raises:
            DataError: as for `fit`, also if what is left to train on is too short.
            ValueError: if an argument is out of range.
        """
        check_horizon(horizon)
        whole("windows", windows, 1)
        levels = as_levels(level)
        panel, one = self._read(table, columns)
        first = len(one) - windows * horizon
        if first < FEWEST:
            raise DataError(
                f"series {str(one.unique_id)!r} has {len(one)} values; {windows} windows of {horizon} leave "
                f"{max(first, 0)} to train on, expected at least {FEWEST}; lower windows (--windows) or the horizon"
            )
        season, why = self.plan.choose_season(panel, one)  # of the whole series: the calendar gives nothing away
        truth = {cut: observed(one, cut, horizon) for cut in range(first, len(one), horizon)}
        stretches: list[Stretch] = []
        for cut, y in truth.items():
            past = known(one, cut)
            if refit or not stretches:
                left = f" left by {windows} windows of {horizon}"
                pipeline, context = self.plan.pipeline(past, season, left)
                title = f"backtest {len(stretches) + 1} of {windows}: " if refit else "backtest: "
                model = self.recipe.train(pipeline, past.y, title)
                trained = f"trained on the first {cut} values, {context}"
            made = self._forecast(panel, past, model, horizon, levels)
            stretches.append(Stretch(past, y, made, season))
        return Backtest.of(stretches, panel, guesses=(*panel.guesses, why), trained=trained)

    def affordable_windows(self, table: Any, horizon: int, **columns: Any) -> int:
        """How many windows a backtest of a series can have: up to 3 that leave half of it, and enough to train on.

        Arguments:
            table, columns: as for `fit`.
            horizon: steps of each forecast.

        Returns:
            0 to 3.
        """
        panel, one = self._read(table, columns)
        season, _ = self.plan.choose_season(panel, one)
        enough = (
            windows
            for windows in (3, 2, 1)
            if (left := len(one) - windows * horizon) >= max(len(one) / 2, self.plan.needed(left, season)[0])
        )
        return next(enough, 0)

    def _read(self, table: Any, columns: dict[str, Any]) -> tuple[Panel, Series]:
        panel = read(table, **columns)
        if len(panel) != 1:
            names = ", ".join(repr(str(one.unique_id)) for one in panel.series[:3])
            raise DataError(
                f"the table holds {len(panel)} series ({names}{', ...' if len(panel) > 3 else ''}), expected one; "
                "select one, as by table[table['unique_id'] == ...] (--series NAME)"
            )
        one = panel.series[0]
        if np.abs(one.y).max() > LARGEST:
            worst = int(np.abs(one.y).argmax())
            raise DataError(
                f"series {str(one.unique_id)!r}, {one.ds[worst]}: {one.y[worst]:g} is too large, expected at most "
                f"{LARGEST:g} either way; use a larger unit"
            )
        return panel, one

    def _fitted(self) -> tuple[Panel, Series, Fitted]:
        if self._panel is None or self._model is None:
            raise RuntimeError("the forecaster is not fitted; call fit(table) first")
        return self._panel, self._panel.series[0], self._model

    def _forecast(self, panel: Panel, one: Series, model: Fitted, horizon: int, levels: tuple[float, ...]) -> Forecast:
        check_horizon(horizon)
        past = one.y[None]
        mean, spread = model.extrapolate(past, horizon)[0], float(model.spreads(past)[0])
        reach = {level: model.calibrated.reach(spread, horizon, level) for level in levels}
        intervals = {level: (mean - away, mean + away) for level, away in reach.items()}
        return Forecast(one.unique_id, future(one.ds, panel.freq, horizon), mean, self.name, intervals)
