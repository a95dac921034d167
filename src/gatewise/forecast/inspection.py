"""What a fitted forecaster shows of itself: how it was trained, how it fits the past, pictures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from gatewise.forecast import figures as pictures
from gatewise.forecast.model.selection import Selection
from gatewise.forecast.validation import as_levels
from gatewise.series import Panel
from gatewise.series.panel import concatenated
from gatewise.training import History

if TYPE_CHECKING:
    from gatewise.forecast.forecaster import Forecaster

OVERFIT = 1.5  # a held-out loss so many times the training loss is pointed out


class Shown:
    """The part of `gatewise.Forecaster` that looks at what was fitted."""

    history: History

    @property
    def name(self) -> str:
        """What its column is called."""
        raise NotImplementedError

    def _fitted(self) -> tuple[Panel, Selection]:
        raise NotImplementedError

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
                "learnt is noise; fewer max_steps or a smaller hidden_size learn less of that."
            )
        return text

    def fitted(self) -> Any:
        """The past as the network would have forecast it one step ahead.

        Returns:
            Table with columns unique_id, ds, y and the model's, on the original scale, for every value that has a whole
            window before it. The network has seen these values in training; `backtest` shows what it does without.
        """
        panel, selection = self._fitted()
        made = selection.ensemble.fitted(selection.dataset(panel.series))
        sizes = np.array([len(f) for f in made])
        past = concatenated([one.ds for one in panel.series])
        ends = np.cumsum([len(one) for one in panel.series])
        at = np.arange(sizes.sum()) + np.repeat(ends - sizes.cumsum(), sizes)
        columns = {
            "unique_id": pd.Index([one.unique_id for one in panel.series]).repeat(sizes),
            "ds": past.take(at),
            "y": np.concatenate([one.y for one in panel.series])[at],
            self.name: np.concatenate(made),
        }
        return panel.table(pd.DataFrame(columns))

    def excluded(self) -> Any:
        """Table of the series that could not be used, with on_bad="skip" or "naive": unique_id, reason.

        With on_bad="naive" `predict` has naive forecasts of them, but no intervals: how far off they may be would have
        to come from a past that is known to be broken.
        """
        return self._fitted()[0].excluded()

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
        """Draw a series, or what the network makes of it.

        Arguments:
            horizon: steps, for "forecast"; by default a season, or 12 without one.
            kind: "forecast" after the last stretch of the series (of several series: a grid of the first ones);
                "series"; "differences", those the network gets or else first ones; "approximation", the past one step
                ahead; "residuals" of that; "learning_curve"; or "gates", what each gate does while the last window is
                read.
            level: percentages of the intervals of a forecast.
            zoom: positions (start, stop) of an approximation, counted from the first that is drawn.
            series: name of the series, where there are several.
            future: of a forecast, as for `predict`.
            ax: matplotlib Axes to draw on, a new figure by default; not for what has many.

        Returns:
            The Axes, or the Figure where there are many. `gatewise.plot.save` writes either.

        Raises:
            RuntimeError: before `fit`.
            ValueError: for an unknown kind, or options that do not belong to it.
            ImportError: without matplotlib.
        """
        return pictures.draw(cast("Forecaster", self), horizon, kind, as_levels(level), zoom, series, future, ax)
