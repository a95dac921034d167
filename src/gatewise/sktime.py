"""The forecaster as sktime's forecasters are: for its pipelines, its search for arguments and its evaluation.

    from gatewise.sktime import GatewiseForecaster

This module needs sktime, `pip install "gatewise[sktime]"`; no other module of Gatewise imports it.

Reference: Löning, Bagnall, Ganesh, Kazakov, Lines and Király, sktime: a unified interface for machine learning with
time series, 2019.

Letters: `N` values of the series, `h` horizon.
"""

from inspect import signature
from typing import Any

import numpy as np
import pandas as pd

from gatewise.forecast import Forecaster

try:
    from sktime.forecasting.base import BaseForecaster, ForecastingHorizon
except ImportError as reason:
    raise ImportError('gatewise.sktime needs sktime, which is missing; run: pip install "gatewise[sktime]"') from reason


class GatewiseForecaster(BaseForecaster):
    """`gatewise.Forecaster` as a forecaster of sktime.

    Its arguments are those of `gatewise.Forecaster`, with the same defaults; they are checked by `fit`. Several series
    or columns are fitted one by one, as sktime does for forecasters of one series; covariates are left aside.

    - Horizons beyond the end get the forecast. Horizons in the past get what the network would have forecast one step
      ahead, having seen these values in training; NaN where no whole context lies before.
    - `predict_interval` and `predict_quantiles` give the forecaster's intervals, beyond the end alone.
      `predict_var` and `predict_proba` are sktime's, which take errors for normal.
    - `update` with `update_params=True` trains afresh on the old values and the new; with False the networks and
      intervals stay as they are, and forecasts begin at the new end.

    Attributes:
        forecaster_: the `gatewise.Forecaster`, once fitted, with its `history`, `guesses` and `plot`.

    Raises:
        TypeError: an unknown argument.
        ValueError: by `fit`, if an argument is out of range.
        DataError: by `fit` and `update`, if the data cannot be used as they are; says where, and the remedy.

    Examples:
        >>> import pandas as pd
        >>> from gatewise import datasets
        >>> from gatewise.sktime import GatewiseForecaster
        >>> table = datasets.air_passengers()
        >>> y = table.set_index("ds")["y"].to_period("M")
        >>> model = GatewiseForecaster(hidden_size=8, networks=1, updates=20).fit(y)
        >>> model.predict(fh=[1, 12]).index.astype(str).tolist()
        ['1961-01', '1961-12']
        >>> model.predict_interval(fh=1, coverage=0.8).columns.tolist()
        [('y', 0.8, 'lower'), ('y', 0.8, 'upper')]
    """

    _tags = {  # noqa: RUF012 (sktime copies them)
        "authors": "gatewise",
        "maintainers": "gatewise",
        "python_dependencies": "gatewise",
        "y_inner_mtype": "pd.Series",
        "X_inner_mtype": "pd.DataFrame",
        "requires-fh-in-fit": False,
        "capability:multivariate": False,
        "capability:exogenous": False,
        "capability:missing_values": False,
        "capability:insample": True,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:update": True,
    }

    def __init__(self, *positional: Any, **named: Any) -> None:
        given = signature(Forecaster).bind(*positional, **named)
        given.apply_defaults()
        for name, value in given.arguments.items():
            setattr(self, name, value)
        super().__init__()

    # The one list of the arguments is the forecaster's. sktime reads it off here, as inspect does; mypy does not know.
    __init__.__signature__ = signature(Forecaster.__init__)  # type: ignore[attr-defined]

    def _fit(self, y: pd.Series, X: Any, fh: Any) -> "GatewiseForecaster":
        _check_steps(y.index)
        self.forecaster_ = Forecaster(**self.get_params(deep=False)).fit(y)
        self._cur_y = y
        return self

    def _update(self, y: pd.Series, X: Any = None, update_params: bool = True) -> "GatewiseForecaster":
        history = y.combine_first(self._cur_y).loc[: y.index[-1]]  # what follows is not known at the new end
        if update_params:
            return self._fit(history, X, None)
        self.forecaster_.update(history)
        self._cur_y = history
        return self

    def _predict(self, fh: ForecastingHorizon, X: Any) -> pd.Series:
        where = fh.to_indexer(self.cutoff)
        parts = []
        if where.min() < 0:
            parts.append(self._approximation())
        if where.max() >= 0:
            parts.append(self._forecast(where, ())[self.forecaster_.name])
        values = pd.concat(parts).reindex(where).to_numpy()
        return pd.Series(values, index=fh.to_absolute_index(self.cutoff), name=self._cur_y.name)

    def _predict_interval(self, fh: ForecastingHorizon, X: Any, coverage: list[float]) -> pd.DataFrame:
        where = fh.to_indexer(self.cutoff)
        levels = [float(f"{100 * one:g}") for one in coverage]  # 100 * 0.29 is 28.999999999999996
        made = self._forecast(where, [level for level in levels if level]).loc[where]
        bounds = [self._bound(made, side, level) for level in levels for side in ("lo", "hi")]
        columns = pd.MultiIndex.from_product([self._get_varnames(), coverage, ["lower", "upper"]])
        return pd.DataFrame(np.column_stack(bounds), fh.to_absolute_index(self.cutoff), columns)

    def _approximation(self) -> pd.Series:
        """The past one step ahead, at -1 for its last value, -2 for that before, and so on."""
        values = self.forecaster_.fitted()[self.forecaster_.name].to_numpy()
        return pd.Series(values, index=range(-len(values), 0))

    def _forecast(self, where: pd.Index, levels: Any) -> pd.DataFrame:
        """The table of the forecast as far as needed, its rows numbered from 0."""
        table: pd.DataFrame = self.forecaster_.predict(int(where.max()) + 1, level=levels)
        return table

    def _bound(self, made: pd.DataFrame, side: str, level: float) -> np.ndarray:
        """A bound of a level; an interval of level 0, the median that sktime asks for, is the forecast itself."""
        name = f"{self.forecaster_.name}-{side}-{level:g}" if level else self.forecaster_.name
        values: np.ndarray = made[name].to_numpy()
        return values

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Arguments that sktime's tests try, quick to train; one set of them, whatever its name."""
        quick = {"hidden_size": 4, "context": 4, "season": 1, "networks": 1, "updates": 1}
        return [quick, {**quick, "cell": "gru", "difference": 1, "scale": "standard", "loss": "huber"}]


def _check_steps(index: pd.Index) -> None:
    """Refuse whole numbers with gaps, where sktime's next step is not the forecaster's."""
    if pd.api.types.is_integer_dtype(index.dtype) and (np.diff(index) != 1).any():
        raise ValueError(
            f"the index goes from {index[0]} to {index[-1]} in {len(index)} values, expected steps of 1, by which "
            "sktime counts whole numbers; number the values anew, as by y.reset_index(drop=True)"
        )
