"""The state of a fitted forecaster: the series it knows and the model that forecasts them.

Letters: `S` series, `h` horizon.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gatewise.forecast.model.prediction import extrapolate, forecasts
from gatewise.forecast.model.selection import Selection
from gatewise.forecast.validation import check_paths
from gatewise.series import Forecast, Panel, futures, to_frame
from gatewise.training import History


def replaces_network(fallback: str, selection: Selection) -> bool:
    """Whether the best naive forecast replaces the network: with fallback="naive" and no higher validation error."""
    return fallback == "naive" and selection.baseline.error <= selection.ensemble.error


@dataclass(frozen=True)
class FittedState:
    """Everything that a fitted forecaster needs to forecast, to plot and to be saved.

    Attributes:
        panel: the series; forecasts start after their last values.
        selection: the trained networks and the best naive forecast.
        name: column of the forecasts, such as "LSTM".
        fallback: "naive" or "none", as for `gatewise.Forecaster`.
    """

    panel: Panel
    selection: Selection
    name: str
    fallback: str

    @property
    def history(self) -> History:
        """Losses of each epoch of the first network."""
        return self.selection.ensemble.history

    @property
    def baseline_replaces_network(self) -> bool:
        """Whether forecasts come from the best naive forecast instead of the network."""
        return replaces_network(self.fallback, self.selection)

    def forecasts(
        self, horizon: int, levels: tuple[float, ...], future: Any = None, panel: Panel | None = None
    ) -> list[Forecast]:
        """The forecast of each series of a panel, by default of the known series; see `gatewise.Forecaster.predict`."""
        naive = self.baseline_replaces_network
        return forecasts(panel or self.panel, self.selection, horizon, levels, future, self.name, naive)

    def sample(self, horizon: int, paths: int, seed: int, future: Any = None) -> pd.DataFrame:
        """Sample paths of each series, one after the other; see `gatewise.Forecaster.sample`."""
        panel = self.panel
        check_paths(len(panel), paths, horizon)
        mean, spread, calibration = extrapolate(panel, self.selection, horizon, future, self.baseline_replaces_network)
        samples = calibration.paths(mean, spread, paths, np.random.default_rng(seed))
        dates = futures(panel.series, panel.freq, horizon)
        records = [
            Forecast(series.unique_id, ds, path, self.name)
            for series, ds, series_paths in zip(panel.series, dates, samples, strict=True)
            for path in series_paths
        ]
        table = to_frame(records)
        table.insert(2, "path", np.tile(np.repeat(np.arange(1, paths + 1), horizon), len(panel)))
        return table
