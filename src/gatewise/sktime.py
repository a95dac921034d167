"""A forecaster for sktime's pipelines, parameter search and evaluation.

    from gatewise.sktime import GatewiseForecaster

This module needs sktime, `pip install "gatewise[sktime]"`; no other module of Gatewise imports it.

Reference: Löning, Bagnall, Ganesh, Kazakov, Lines and Király, sktime: a unified interface for machine learning with
time series, 2019.

Letters: `I` instances of a panel (one without), `C` columns of y, `S` series, C times I; `F` steps of sktime's horizon
`fh`, `h` steps up to its last one; `Q` quantities of a forecast (the mean, or the bounds of its intervals).
"""

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd

from gatewise.forecast import Forecaster
from gatewise.series import DataError, Panel, read

try:
    from sktime.forecasting.base import BaseForecaster, ForecastingHorizon
except ImportError as reason:
    raise ImportError('gatewise.sktime needs sktime, which is missing; run: pip install "gatewise[sktime]"') from reason

SERIES, TIME, VALUE = "(series)", "(time)", "(value)"  # names that columns of X are unlikely to have
READ_BY: dict[str, Any] = {"id_column": SERIES, "time_column": TIME, "target_column": VALUE}
MTYPES = ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"]


class GatewiseForecaster(BaseForecaster):
    """`gatewise.Forecaster` as an sktime forecaster.

    The arguments are those of `gatewise.Forecaster`, with the same defaults; `fit` checks them.

    - One model learns from all series of a panel, a hierarchy or several columns. The series may start and end at
      different times; a relative horizon counts from the end of each.
    - If `horizon` is None, the last step of the `fh` passed to `fit` is the horizon of the network.
    - `X` holds covariates known in advance, numbers or categories. `fit` and `update` need them for the dates of y,
      `predict` for every date after the end up to the last step of `fh`, also for steps that `fh` skips; dates of an
      earlier `X` need not be repeated. A missing row is an error.
    - Steps beyond the end get the forecast. Steps in the past get the in-sample fit, one step ahead; NaN without a
      whole context before them.
    - `predict_interval` and `predict_quantiles` return the forecaster's intervals, only beyond the end.
      `predict_var` and `predict_proba` are sktime's, which assume normal errors.
    - `update` with `update_params=True` trains from scratch on old and new values; with False the networks and
      intervals stay as they are, and forecasts start at the new end. A panel may gain series.
    - `pretrain` trains on many series; a second call trains further on other series, at a tenth of the learning rate.
      `fit` and `update` then keep the networks, which forecast series that they have not seen.
    - sktime refuses missing values in y or `X`; Gatewise refuses missing dates.

    Attributes:
        forecaster_: the `gatewise.Forecaster`, once fitted, with its `history`, `guesses` and `plot`.
        pretrained_: the `gatewise.Forecaster` that `pretrain` trained.

    Raises:
        TypeError: an unknown argument.
        ValueError: by `fit`, if an argument is out of range.
        DataError: by `fit`, `update` and `predict`, if the data cannot be used; the message names place and remedy.

    Examples:
        >>> import pandas as pd
        >>> from gatewise import datasets
        >>> from gatewise.sktime import GatewiseForecaster
        >>> table = datasets.air_passengers()
        >>> y = table.set_index("ds")["y"].to_period("M")
        >>> model = GatewiseForecaster(hidden_size=8, ensemble_size=1, max_steps=20).fit(y)
        >>> model.predict(fh=[1, 12]).index.astype(str).tolist()
        ['1961-01', '1961-12']
        >>> model.predict_interval(fh=1, coverage=0.8).columns.tolist()
        [('y', 0.8, 'lower'), ('y', 0.8, 'upper')]
    """

    _tags = {  # noqa: RUF012 (sktime copies them)
        "authors": "gatewise",
        "maintainers": "gatewise",
        "python_dependencies": "gatewise",
        "y_inner_mtype": MTYPES,
        "X_inner_mtype": MTYPES,
        "requires-fh-in-fit": False,
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:categorical_in_X": True,
        "capability:non_contiguous_X": False,
        "capability:unequal_length": True,
        "capability:missing_values": False,
        "capability:insample": True,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:update": True,
        "capability:pretrain": True,
    }

    def __init__(self, *positional: Any, **named: Any) -> None:
        bound = signature(Forecaster).bind(*positional, **named)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            setattr(self, name, value)
        super().__init__()

    # sktime reads the arguments from this signature, as inspect does; mypy does not support it.
    __init__.__signature__ = signature(Forecaster.__init__)  # type: ignore[attr-defined]

    def _fit(self, y: pd.DataFrame, X: Any, fh: Any) -> "GatewiseForecaster":
        self._cur_y, self._cur_X = y, X
        if hasattr(self, "pretrained_"):
            self.forecaster_ = _with_series(self.pretrained_, y, X)
            self._freq = self.forecaster_.state.panel.freq
            return self
        panel = _read(y, X)
        self._freq = panel.freq
        self.forecaster_ = self._trained(panel, None if fh is None else int(self._where(self._dated(fh)).max()) + 1)
        return self

    def _pretrain(self, y: pd.DataFrame, X: Any = None, fh: Any = None) -> "GatewiseForecaster":
        self.pretrained_ = self._trained(_read(y, X), _last_step(fh))
        return self

    def _pretrain_update(self, y: pd.DataFrame, X: Any = None, fh: Any = None) -> "GatewiseForecaster":
        if not hasattr(self, "pretrained_"):
            return self._pretrain(y, X, fh)
        max_steps = self.max_steps or self.pretrained_.state.selection.configuration.max_steps
        self.pretrained_ = _with_series(self.pretrained_, y, X).update(_table(y, X), max_steps, **READ_BY)
        return self

    def _update(self, y: pd.DataFrame, X: Any = None, update_params: bool = True) -> "GatewiseForecaster":
        if len(y.columns) == len(self._cur_y.columns) == 1:  # sktime ignores its name
            y = y.set_axis(self._cur_y.columns, axis=1)
        y, X = _joined(self._cur_y, y, cut=True), self._all_rows(X)
        if update_params and not hasattr(self, "pretrained_"):
            self.forecaster_ = self._trained(_read(y, X), self.forecaster_.horizon)
        else:
            self.forecaster_ = _with_series(self.forecaster_, y, X)
        self._cur_y, self._cur_X = y, X
        return self

    def _all_rows(self, X: Any) -> pd.DataFrame | None:
        """The rows of X and of earlier ones; None if `fit` had no X."""
        return self._cur_X if self._cur_X is None or X is None else _joined(self._cur_X, X)

    def _trained(self, panel: Panel, reach: int | None) -> Forecaster:
        """A forecaster trained on a panel; `reach` is its horizon unless that argument is given."""
        arguments = self.get_params(deep=False)
        if self.horizon is None and reach is not None and reach > 0:
            arguments["horizon"] = reach
        return Forecaster(**arguments).fit(panel)

    def _predict(self, fh: ForecastingHorizon, X: Any) -> pd.DataFrame:
        where = self._where(fh := self._dated(fh))
        past = max(0, -int(where.min()))
        forecasts = self._in_sample_fit(past) if past else {}
        for name, ahead in self._ahead(int(where.max()) + 1, (), X).items():
            forecasts[name] = np.concatenate([forecasts[name], ahead], axis=1) if past else ahead
        return self._arranged(fh, where + past, forecasts, self._cur_y.columns)

    def _predict_interval(self, fh: ForecastingHorizon, X: Any, coverage: list[float]) -> pd.DataFrame:
        where = self._where(fh := self._dated(fh))
        levels = [float(f"{100 * fraction:g}") for fraction in coverage]  # 100 * 0.29 is 28.999999999999996
        bounds = self._ahead(int(where.max()) + 1, levels, X)
        columns = pd.MultiIndex.from_product([self._cur_y.columns, coverage, ["lower", "upper"]])
        return self._arranged(fh, where, bounds, columns)

    def _by_instance(self, function: Callable[[pd.Index], pd.Index]) -> list[pd.Index]:
        """(I,) the result of `function` for the end of each instance, computed once for all with the same end."""
        if self._cur_y.index.nlevels == 1:
            return [function(self.cutoff)]
        times, last = self._cur_y.index.get_level_values(-1), ~_instances(self._cur_y.index).duplicated(keep="last")
        codes, ends = times[last].factorize()
        freq = {"freq": self._freq} if isinstance(ends, pd.DatetimeIndex) else {}
        results = [function(type(ends)(ends[[k]], **freq)) for k in range(len(ends))]
        return [results[code] for code in codes]

    def _dated(self, fh: ForecastingHorizon) -> ForecastingHorizon:
        """The horizon with its frequency, which sktime does not infer for the dates of a panel."""
        if not isinstance(self._cur_y.index.get_level_values(-1), pd.DatetimeIndex) or fh.freq is not None:
            return fh
        return ForecastingHorizon(fh.to_pandas(), is_relative=fh.is_relative, freq=self._freq)

    def _where(self, fh: ForecastingHorizon) -> np.ndarray:
        """(I, F) steps after the end of each instance, 0 for the first step beyond it."""
        return np.stack(self._by_instance(fh.to_indexer))

    def _in_sample_fit(self, steps: int) -> dict[str, np.ndarray]:
        """The in-sample fit of the last steps of each series, (1, steps); NaN where there is none."""
        fitted = self.forecaster_.fitted().groupby("unique_id", sort=False)[self.forecaster_.name]
        last = {name: values.to_numpy()[-steps:] for name, values in fitted}
        series = _series_names(self._cur_y)
        parts = {name: last.get(name, np.empty(0)) for name in series}
        return {name: np.append(np.full(steps - len(part), np.nan), part)[None] for name, part in parts.items()}

    def _ahead(self, steps: int, levels: Sequence[float], X: Any) -> dict[str, np.ndarray]:
        """(Q, steps) for each series: lower and upper bound of each level or, without levels, the forecast."""
        if steps < 1:
            return {name: np.empty((1, 0)) for name in _series_names(self._cur_y)}
        forecasts = self.forecaster_.forecasts(steps, tuple(level for level in levels if level), self._future(steps, X))
        if not levels:
            return {f.unique_id: f.mean[None] for f in forecasts}
        intervals = {f.unique_id: {0.0: (f.mean, f.mean), **f.intervals} for f in forecasts}  # level 0 is the median
        return {
            name: np.stack([bound for level in levels for bound in bounds[level]]) for name, bounds in intervals.items()
        }

    def _future(self, steps: int, X: Any) -> pd.DataFrame | None:
        """The covariates of the steps after the end of each series, from X and earlier ones."""
        if (X := self._all_rows(X)) is None:
            return None
        fh = ForecastingHorizon(range(1, steps + 1), is_relative=True, freq=self.cutoff)
        index = self._index(self._dated(fh))
        return _table(pd.DataFrame(np.nan, index, self._cur_y.columns), X)

    def _index(self, fh: ForecastingHorizon) -> pd.Index:
        """The dates of a horizon after the end of each instance."""
        times = self._by_instance(fh.to_absolute_index)
        index = self._cur_y.index
        if index.nlevels == 1:
            return times[0]
        instances = _instances(index).unique().repeat(len(fh))
        levels = [instances.get_level_values(level) for level in range(instances.nlevels)]
        return pd.MultiIndex.from_arrays([*levels, times[0].append(times[1:])], names=index.names)

    def _arranged(
        self, fh: ForecastingHorizon, where: np.ndarray, values: dict[str, np.ndarray], columns: pd.Index
    ) -> pd.DataFrame:
        """The steps of each series, (Q, steps), in the rows and columns of sktime, (I * F, C * Q)."""
        names = _series_names(self._cur_y)
        rows = np.stack([values[name][:, where[k % len(where)]] for k, name in enumerate(names)])
        rows = rows.reshape(-1, len(where), *rows.shape[1:]).transpose(1, 3, 0, 2)
        return pd.DataFrame(rows.reshape(where.size, -1), self._index(fh), columns)

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Arguments for sktime's tests, quick to train; the same for every `parameter_set`."""
        quick = {
            "hidden_size": 4,
            "context": 4,
            "season": 1,
            "ensemble_size": 1,
            "max_steps": 1,
            "strategy": "one-step",
        }
        other = {"cell": "gru", "difference": 1, "scale": "standard", "loss": "huber", "strategy": "segment"}
        return [quick, {**quick, **other, "dropout": 0.0}]


def _with_series(forecaster: Forecaster, y: pd.DataFrame, X: pd.DataFrame | None) -> Forecaster:
    """The forecaster with the same networks, and these series in place of its own."""
    known = forecaster.state.panel
    expected = list(known.covariates.known) if known.covariates else []
    if set(expected) != set(_names(X)):
        raise DataError(
            f"X has the columns {_names(X)}, but the networks were trained on {expected}; pass those columns"
        )
    return forecaster.with_series(_table(y, X), **READ_BY)


def _last_step(fh: Any) -> int | None:
    """The last step of a relative horizon; None for an absolute one."""
    return int(fh.to_pandas().max()) if fh is not None and fh.is_relative else None


# ---------------------------------------------------------------------------------------- sktime's data as one table


def _instances(index: pd.Index) -> pd.Index:
    """The instance of each row; the same for all rows without instances."""
    return index.droplevel(-1) if index.nlevels > 1 else pd.Index([""] * len(index), dtype=object)


def _as_text(key: Any) -> str:
    return "/".join(str(part) for part in (key if isinstance(key, tuple) else (key,)))


def _series_names(y: pd.DataFrame) -> list[str]:
    """(S,) the names of the series: instance, column, or both joined by a slash."""
    instances = [_as_text(instance) for instance in _instances(y.index).unique()]
    columns = [_as_text(column) for column in y.columns]
    if len(columns) > 1 or y.index.nlevels == 1:
        names = [f"{instance}/{column}" if instance else column for column in columns for instance in instances]
    else:
        names = instances
    return _distinct(names, "series of y")


def _names(X: pd.DataFrame | None) -> list[str]:
    return [] if X is None else _distinct([_as_text(column) for column in X.columns], "columns of X")


def _distinct(names: list[str], kind: str) -> list[str]:
    duplicated = pd.Index(names).duplicated()
    if duplicated.any():
        raise DataError(
            f"two {kind} have the same name {names[int(duplicated.argmax())]!r} as text; rename one of them"
        )
    return names


def _table(y: pd.DataFrame, X: pd.DataFrame | None) -> pd.DataFrame:
    """A row for each series and date, with the covariates of that date."""
    _check_steps(y.index)
    codes, unique = _instances(y.index).factorize()
    names = np.array(_series_names(y), dtype=object).reshape(-1, len(unique))
    frame = pd.DataFrame({TIME: y.index.get_level_values(-1)})
    if X is not None:
        covariates = _rows(X, y.index).set_axis(_names(X), axis=1).reset_index(drop=True)
        frame = pd.concat([frame, covariates], axis=1)
    parts = [
        frame.assign(**{SERIES: instance_names[codes], VALUE: y.iloc[:, k].to_numpy()})
        for k, instance_names in enumerate(names)
    ]
    return pd.concat(parts, ignore_index=True)


def _read(y: pd.DataFrame, X: pd.DataFrame | None) -> Panel:
    return read(_table(y, X), **READ_BY, known=_names(X))


def _rows(X: pd.DataFrame, index: pd.Index) -> pd.DataFrame:
    """The rows of X for these dates.

    Raises:
        DataError: X lacks some of them; the message names the first.
    """
    where = X.index.get_indexer(index)
    lacking = index[where < 0]
    if len(lacking):
        columns = ", ".join(repr(name) for name in _names(X))
        names = ", ".join(_as_text(name) for name in lacking[:3]) + (", ..." if len(lacking) > 3 else "")
        raise DataError(
            f"X lacks {len(lacking)} of the {len(index)} required rows: {names}; pass {columns} to fit "
            "and update for every date of y, and to predict for every date after y up to the last step of fh"
        )
    return X.iloc[where]


def _joined(old: pd.DataFrame, new: pd.DataFrame, cut: bool = False) -> pd.DataFrame:
    """The rows of both, sorted by date within each instance; new rows replace old ones.

    With `cut`, old rows after the last new row of their instance are dropped: the new end is before them.
    """
    lacking = [column for column in old.columns if column not in new.columns]
    if lacking:
        raise DataError(f"the data lack the columns {lacking} passed to fit; pass the same columns")
    rows = pd.concat([old, new[old.columns]])
    codes, _ = _instances(rows.index).factorize()
    ranks, _ = rows.index.get_level_values(-1).factorize(sort=True)
    last = np.full(codes.max() + 1, ranks.max())
    if cut:
        newest = pd.Series(ranks[len(old) :]).groupby(codes[len(old) :]).max()
        last[newest.index] = newest
    remains = (ranks <= last[codes]) & ~rows.index.duplicated(keep="last")
    order = np.lexsort((ranks, codes))
    return rows.iloc[order[remains[order]]]


def _check_steps(index: pd.Index) -> None:
    """Refuse integer indexes with gaps, for which sktime and the forecaster have different next steps."""
    times, codes = index.get_level_values(-1), _instances(index).factorize()[0]
    if not pd.api.types.is_integer_dtype(times.dtype):
        return
    gaps = (np.diff(times) != 1) & (np.diff(codes) == 0)
    if gaps.any():
        values = times[codes == codes[int(gaps.argmax())]]
        raise ValueError(
            f"the index goes from {values[0]} to {values[-1]} in {len(values)} values, expected steps of 1, as sktime "
            "assumes for integers; renumber the values, such as by y.reset_index(drop=True)"
        )
