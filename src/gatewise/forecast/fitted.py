"""The state of a fitted forecaster: the series it knows and the model that forecasts them.

Letters: `S` series, `h` horizon.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gatewise.forecast.conformal import too_wide
from gatewise.forecast.model.counts import NAME
from gatewise.forecast.model.prediction import extrapolate, forecasts
from gatewise.forecast.model.selection import Selection
from gatewise.forecast.validation import check_paths
from gatewise.series import Forecast, Panel, futures, to_frame
from gatewise.training import History


@dataclass(frozen=True)
class FittedState:
    """Everything that a fitted forecaster needs to forecast, to plot and to be saved.

    Attributes:
        panel: the series; forecasts start after their last values.
        selection: the trained networks and the delivered method.
        name: column of the forecasts, such as "LSTM".
    """

    panel: Panel
    selection: Selection
    name: str

    @property
    def history(self) -> History:
        """Losses of each epoch of the first network."""
        return self.selection.ensemble.history

    @property
    def delivered(self) -> str:
        """The method that forecasts, such as "LSTM" or "average of LSTM and Theta"."""
        counts = self.selection.counts_ahead(self.panel.series, 1)
        return self.selection.method_name(self.name, counts, len(self.panel))

    @property
    def point(self) -> str:
        """What the forecasts are: "median" or "mean"."""
        return "mean" if self.delivered == NAME else self.selection.point_name

    def forecasts(
        self,
        horizon: int,
        levels: tuple[float, ...],
        future: Any = None,
        panel: Panel | None = None,
        quantiles: tuple[float, ...] = (),
    ) -> list[Forecast]:
        """The forecast of each series of a panel, by default of the known series; see `gatewise.Forecaster.predict`."""
        pool = self.panel.series  # of which new series borrow the past
        return forecasts(panel or self.panel, self.selection, horizon, levels, future, self.name, quantiles, pool)

    def table(self, forecasts: list[Forecast], panel: Panel) -> Any:
        """The table of forecasts, in the library of the data; with a warning if intervals are too wide."""
        if message := self.width_warning(forecasts, panel):
            warnings.warn(message, stacklevel=3)  # the caller of `Forecaster.predict`
        return panel.table(to_frame(forecasts))

    def width_warning(self, forecasts: list[Forecast], panel: Panel) -> str:
        """A warning of intervals wider than the range of their series, with the cause; "" if none is.

        It names the first such series; of several levels, the lowest counts.
        """
        level = min(forecasts[0].intervals, default=None) if forecasts else None
        if level is None:
            return ""
        wide = [
            (series.unique_id, found)
            for series, forecast in zip(panel.series, forecasts, strict=False)  # excluded series have no intervals
            if (found := too_wide(*forecast.intervals[level], series.y)) is not None
            and not len(self.selection.counts_ahead([series], 1).rows)
        ]
        if not wide:
            return ""
        (name, found), n = wide[0], self.selection.delivered.calibration.effective_size
        more = f"; {len(wide) - 1} more series have such intervals" if len(wide) > 1 else ""
        return f"{found.sentence(str(name), level, n)}{more}"

    def sample(self, horizon: int, paths: int, seed: int, future: Any = None) -> pd.DataFrame:
        """Sample paths of each series, one after the other; see `gatewise.Forecaster.sample`."""
        panel = self.panel
        check_paths(len(panel), paths, horizon)
        mean, spread, most = extrapolate(panel, self.selection, horizon, future)
        generator, counts = np.random.default_rng(seed), self.selection.counts_ahead(panel.series, horizon)
        samples = self.selection.delivered.calibration.paths(mean, spread, paths, generator)
        samples = np.clip(samples, (mean - most)[:, None], (mean + most)[:, None])
        samples = counts.paths(self.selection.limits.point(samples), generator)
        dates = futures(panel.series, panel.freq, horizon)
        records = [
            Forecast(series.unique_id, ds, path, self.name)
            for series, ds, series_paths in zip(panel.series, dates, samples, strict=True)
            for path in series_paths
        ]
        table = to_frame(records)
        table.insert(2, "path", np.tile(np.repeat(np.arange(1, paths + 1), horizon), len(panel)))
        return table
