"""Inspection of a fitted forecaster: its training, in-sample fit, excluded series and figures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gatewise.forecast import figures, past_range
from gatewise.forecast.fitted import FittedState
from gatewise.forecast.outlier_effect import OutlierEffect, outlier_effects
from gatewise.forecast.validation import as_levels, check_horizon
from gatewise.series import as_pandas
from gatewise.series.panel import concatenated

OVERFIT = 1.5  # ratio of validation loss to training loss from which a network overfits


class Inspection:
    """Methods of a forecaster that read its fitted state."""

    @property
    def state(self) -> FittedState:
        """The series and the trained networks."""
        raise NotImplementedError

    @property
    def delivered(self) -> str:
        """The method that forecasts: the network, a baseline, or their average, such as "average of LSTM and Theta".

        Raises:
            RuntimeError: before `fit`.
        """
        return self.state.delivered

    def summary(self) -> str:
        """The losses of the training, and whether the network overfits.

        Raises:
            RuntimeError: before `fit`.
        """
        return training_summary(self.state)

    def fitted(self) -> Any:
        """The in-sample fit: one-step-ahead forecasts of the past.

        Returns:
            Table with columns unique_id, ds, y and the forecast (such as LSTM), on the original scale, for every value
            that follows a complete window; y is NaN where a value stays missing (fill="none"). The network was trained
            on these values; `backtest` measures unseen ones.
        """
        return self.state.panel.table(in_sample_fit(self.state))

    def outlier_effects(self, horizon: int, future: Any = None) -> tuple[OutlierEffect, ...]:
        """How much the forecast would change without the outliers that `Panel.warnings` reports, series by series.

        Arguments:
            horizon, future: as for `predict`.

        Returns:
            An effect for each series with outliers; `str` gives a sentence, `change` and `fraction` the size.

        >>> import gatewise as gw
        >>> y = 100 + np.random.default_rng(0).normal(size=60)
        >>> y[58] = 900.0
        >>> model = gw.Forecaster(hidden_size=8, max_steps=20, fallback="none").fit(y)
        >>> [effect.rows.tolist() for effect in model.outlier_effects(4)]
        [[58]]
        """
        check_horizon(horizon)
        return outlier_effects(self.state, horizon, future)

    def excluded(self) -> Any:
        """Table of the series that on_bad="skip" or "naive" excluded: unique_id, reason.

        With on_bad="naive", `predict` returns naive forecasts of them without intervals, because their past is too
        unreliable to measure errors.
        """
        return self.state.panel.excluded()

    def beyond_range(self, forecast: Any) -> str:
        """A sentence about forecasts outside the range of all past values; "" if there is nothing to say.

        A forecast is named if it is further outside than a fifth of the range, or than the series has ever moved in as
        many steps. `gatewise forecast` prints the sentence below the forecast.

        Arguments:
            forecast: table of `predict`, for the series of this forecaster (for others see `with_series`).

        Raises:
            RuntimeError: before `fit`.
            ValueError: the table lacks a series of this forecaster.
        """
        return past_range.describe(self.state.panel.series, as_pandas(forecast), self.state.name)

    def plot(
        self,
        horizon: int | None = None,
        *,
        kind: str = "forecast",
        level: float | Sequence[float] = (80, 95),
        zoom: tuple[int, int] | None = None,
        series: Any = None,
        future: Any = None,
        ax: Any = None,
    ) -> Any:
        """Plot a series, its forecast, or the network.

        Arguments:
            horizon: steps, for "forecast"; by default a season, or 12 without one.
            kind: "forecast" after the last values (for several series, a grid of the first ones); "series";
                "differences" (those that the network reads, or first differences if none); "approximation", the
                in-sample fit; "residuals" of it; "learning_curve"; or "gates", the gate values over the last window.
            level: percentages of the intervals of a forecast.
            zoom: positions (start, stop) of an approximation, counted from its first value.
            series: name of the series, if there are several.
            future: for a forecast, as for `predict`.
            ax: matplotlib Axes to draw on; by default a new figure. Kinds with several Axes draw their own.

        Returns:
            The Axes, or the Figure of several Axes. `gatewise.plot.save` writes either.

        Raises:
            RuntimeError: before `fit`.
            ValueError: for an unknown kind, or options that do not belong to it.
            ImportError: without matplotlib.
        """
        figures.check_options(horizon, kind, zoom, ax)
        return figures.draw(self.state, horizon, kind, as_levels(level), zoom, series, future, ax)


def training_summary(state: FittedState) -> str:
    """The losses of the training, and whether the network overfits."""
    history = state.history
    train, validation = history.train[-1], history.held_out[-1]
    text = f"{history.summary()}."
    if train and validation > OVERFIT * train:
        text += (
            f" The network overfits: its validation loss is {validation / train:.1f} times its training loss; use a "
            "smaller max_steps or hidden_size."
        )
    return text


def in_sample_fit(state: FittedState) -> pd.DataFrame:
    """One-step-ahead forecasts of the past: unique_id, ds, y and the forecast (such as LSTM), a row for each value."""
    series = state.panel.series
    fitted = state.selection.fitted(series)
    counts = np.array([len(values) for values in fitted])
    ends = np.cumsum([len(one_series) for one_series in series])
    rows = np.arange(counts.sum()) + np.repeat(ends - counts.cumsum(), counts)
    columns = {
        "unique_id": pd.Index([one_series.unique_id for one_series in series]).repeat(counts),
        "ds": concatenated([one_series.ds for one_series in series]).take(rows),
        "y": np.concatenate([one_series.recorded for one_series in series])[rows],
        state.name: np.concatenate(fitted),
    }
    return pd.DataFrame(columns)
