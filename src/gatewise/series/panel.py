"""Panel: series, forecasts, and their tables.

Letters: T time steps, h horizon, S sample paths.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.backends import Backend, Kind, to_table
from gatewise.series.covariates.roles import Covariates
from gatewise.series.errors import DataError
from gatewise.series.frequency import future, season_length
from gatewise.series.read_by import ReadBy
from gatewise.series.wording import counted

FEWEST = 10  # values to train on, however short the context
FEWEST_OF_MANY = 3  # values of each series, if there are several


@dataclass(frozen=True)
class Treatment:
    """How the outliers of a series were treated.

    Attributes:
        values: (T,) the values before the treatment, NaN where they were missing.
        freq: the calendar of the series.
        how: "clip" or "missing"; see `gatewise.read`.
        fill: how missing values are filled; see `gatewise.read`.
    """

    values: np.ndarray
    freq: str | int
    how: str
    fill: str | None


@dataclass(frozen=True)
class Series:
    """One checked series: sorted dates on a calendar without gaps, finite values.

    Attributes:
        unique_id: its name.
        ds: (T,) dates, or integers.
        y: (T,) values, float64.
        filled: (T,) whether `fill` replaced a missing value or added a missing date; None if it did neither.
        past: (T, P) covariates known only up to the end.
        known: (T, K) covariates known in advance.
        static: (C,) covariates with one value for the whole series.
        ahead: (h, K) covariates known in advance, for the h steps after the end that the table covers.
        masked: whether missing values stay missing (fill="none"): y then repeats the last observed value where `filled`
            is True, and a network reads which values these are.
        treatment: of outliers; None if values stay as they were read.
    """

    unique_id: Any
    ds: pd.Index
    y: np.ndarray
    filled: np.ndarray | None = None
    past: np.ndarray | None = None
    known: np.ndarray | None = None
    static: np.ndarray | None = None
    ahead: np.ndarray | None = None
    masked: bool = False
    treatment: Treatment | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def recorded(self) -> np.ndarray:
        """(T,) y, with NaN for the values that stay missing."""
        return np.where(self.filled, np.nan, self.y) if self.masked and self.filled is not None else self.y


@dataclass(frozen=True)
class ExcludedSeries:
    """A series with an error, excluded by on_bad="skip" or "naive".

    Attributes:
        unique_id: its name.
        reason: the message of its error, with the remedy.
        series: its repaired values for a naive forecast: sorted, only the last of duplicates, gaps filled with the
            previous value; None if it has no values or was skipped.
    """

    unique_id: Any
    reason: str
    series: Series | None = None


@dataclass(frozen=True)
class Panel:
    """One or more checked series that share a calendar.

    Attributes:
        series: the series, in the order of the table.
        freq: pandas offset alias ("MS", "W-SUN", "15min"), or the step of integer time.
        guesses: a sentence for everything that was guessed, repaired or left out.
        backend: the library of the tables that are returned.
        date_only: whether returned tables have dates without a time of day (polars' `Date`).
        categorical: type of unique_id in returned tables: True for polars' `Categorical`; the categories for polars'
            `Enum` and pandas; False if the names are not categorical.
        covariates: names and categories of the covariates of the series.
        excluded_series: the series with an error, in the order of the table.
        on_bad: how series with an error are treated; see `gatewise.read`.
        fill: how missing values and dates were repaired; see `gatewise.read`.
        warnings: a sentence for everything in the data that the user should look at.
        outliers: how outliers are treated: "report", "clip" or "missing"; see `gatewise.read`.
        read_by: how the table was read, for later tables.
    """

    series: tuple[Series, ...]
    freq: str | int
    guesses: tuple[str, ...] = ()
    backend: Backend = "pandas"
    date_only: bool = False
    covariates: Covariates | None = None
    excluded_series: tuple[ExcludedSeries, ...] = ()
    on_bad: str = "raise"
    categorical: Kind = False
    fill: str | None = None
    warnings: tuple[str, ...] = ()
    outliers: str = "report"
    read_by: ReadBy = field(default_factory=ReadBy, compare=False)

    def frame(self) -> Any:
        """The series as a table with columns unique_id, ds and y, in the library of the data.

        Values that stay missing (fill="none") are NaN.

        >>> from gatewise.series import read
        >>> read([1.0, np.nan, 3.0], fill="none").frame()["y"].tolist()
        [1.0, nan, 3.0]
        """
        columns = {"unique_id": _names(self.series), "ds": concatenated([series.ds for series in self.series])}
        y = np.concatenate([series.recorded for series in self.series])
        return self.table(pd.DataFrame({**columns, "y": y}))

    def table(self, frame: pd.DataFrame) -> Any:
        """A pandas table in the library of the data, with names and dates of the same type."""
        return to_table(frame, self.backend, date_only=self.date_only, categorical=self.categorical)

    def excluded(self) -> Any:
        """The excluded series as a table with columns unique_id and reason, in the library of the data.

        >>> from gatewise.series import read
        >>> panel = read(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, np.nan]}), layout="rows", on_bad="skip")
        >>> panel.excluded().columns.tolist(), len(panel.excluded())
        (['unique_id', 'reason'], 1)
        """
        eligible = [series.unique_id for series in self.series]
        excluded = [series.unique_id for series in self.excluded_series]
        names = pd.Index(eligible + excluded)[len(eligible) :]  # an empty index keeps the type of the names
        reasons = pd.Series([series.reason for series in self.excluded_series], dtype="str")
        return self.table(pd.DataFrame({"unique_id": names, "reason": reasons}))

    @property
    def season(self) -> int:
        """The usual season of the frequency, 1 if none is known."""
        return season_length(self.freq)

    def __len__(self) -> int:
        return len(self.series)


@dataclass(frozen=True)
class Forecast:
    """A forecast of one series.

    Attributes:
        unique_id: the name of the series.
        ds: (h,) dates.
        mean: (h,) the forecast itself.
        model: name of its column, such as "LSTM".
        intervals: level in percent -> (lower, upper), each (h,).
        paths: (S, h) sample paths, if there are any; the table does not hold them.
        quantiles: probability -> (h,).
    """

    unique_id: Any
    ds: pd.Index
    mean: np.ndarray
    model: str
    intervals: dict[float, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    paths: np.ndarray | None = None
    quantiles: dict[float, np.ndarray] = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        """The forecast as a table; see `to_frame`."""
        return to_frame([self])


def to_frame(forecasts: Sequence[Forecast], backend: Backend = "pandas", *, date_only: bool = False) -> Any:
    """Forecasts as one long table: unique_id, ds, the model, lower and upper bound of each level, and the quantiles.

    Arguments:
        forecasts: of any number of series, with one model name and the same levels and quantiles.
        backend: "pandas" or "polars", see `Panel.backend`.
        date_only: whether polars dates are `Date` instead of `Datetime`, see `Panel.date_only`.

    Returns:
        A table of that library with one row per series and date, columns such as LSTM, LSTM-lo-80, LSTM-hi-80,
        LSTM-q-0.5; levels and quantiles are ascending.

    Raises:
        ValueError: if the forecasts differ in model, levels or quantiles, or there are none.

    >>> ds = pd.date_range("1961-01-01", periods=1, freq="MS")
    >>> to_frame([Forecast("A", ds, np.ones(1), "LSTM", {80: (np.zeros(1), np.full(1, 2.0))})]).columns.tolist()
    ['unique_id', 'ds', 'LSTM', 'LSTM-lo-80', 'LSTM-hi-80']
    """
    kinds = {(f.model, tuple(sorted(f.intervals)), tuple(sorted(f.quantiles))) for f in forecasts}
    if len(kinds) != 1:
        raise ValueError(
            f"expected forecasts of one model with the same levels and quantiles, got {sorted(kinds) or 'none'}; make "
            "a table of each"
        )
    columns = {"unique_id": _names(forecasts), "ds": concatenated([forecast.ds for forecast in forecasts])}
    columns[forecasts[0].model] = np.concatenate([forecast.mean for forecast in forecasts])
    for level in sorted(forecasts[0].intervals):
        for side, name in enumerate(("lo", "hi")):
            bound = np.concatenate([forecast.intervals[level][side] for forecast in forecasts])
            columns[f"{forecasts[0].model}-{name}-{level:g}"] = bound
    for p in sorted(forecasts[0].quantiles):
        values = np.concatenate([forecast.quantiles[p] for forecast in forecasts])
        columns[f"{forecasts[0].model}-q-{p:g}"] = values
    return to_table(pd.DataFrame(columns), backend, date_only=date_only)


def _names(forecasts: Sequence[Series | Forecast]) -> pd.Index:
    """The name of each series or forecast, once per date."""
    names = pd.Index([forecast.unique_id for forecast in forecasts])
    return names.repeat([len(forecast.ds) for forecast in forecasts])


def concatenated(indexes: Sequence[pd.Index]) -> pd.Index:
    """Concatenate time indexes; fast if many series share one index object."""
    if len(indexes) == 1:
        return indexes[0]
    distinct = {id(index): index for index in indexes}
    place = {key: i for i, key in enumerate(distinct)}
    first, *others = distinct.values()
    starts = np.cumsum([0, *(len(index) for index in distinct.values())])
    at = [np.arange(starts[i], starts[i + 1]) for i in (place[id(index)] for index in indexes)]
    return first.append(others).take(np.concatenate(at))


def futures(series: Panel | Sequence[Series], freq: str | int, horizon: int) -> list[pd.Index]:
    """The next dates of many series; series with the same last date share one index.

    Arguments:
        series: S series, or a panel of them.
        freq: their calendar.
        horizon: number of dates, h.

    Returns:
        S indexes of h dates; see `gatewise.series.future`, also for the errors.

    >>> ds = pd.date_range("1961-01-01", periods=2, freq="MS")
    >>> a, b = futures([Series("A", ds, np.ones(2)), Series("B", ds[1:], np.ones(1))], "MS", 12)
    >>> a is b, str(a[-1].date())
    (True, '1962-02-01')
    """
    by_index: dict[int, pd.Index] = {}
    by_end: dict[Any, pd.Index] = {}
    indexes = [one_series.ds for one_series in (series.series if isinstance(series, Panel) else series)]
    for ds in indexes:
        if id(ds) not in by_index:
            end = (ds[-1], ds.dtype)
            if end not in by_end:
                by_end[end] = future(ds, freq, horizon)
            by_index[id(ds)] = by_end[end]
    return [by_index[id(ds)] for ds in indexes]


def length_of(series: Series) -> str:
    """The start of a message about a series that is too short."""
    return f"series {str(series.unique_id)!r} has {counted(len(series), 'value')}"


def check_length(panel: Panel, minimum: int, why: str) -> None:
    """Refuse series shorter than `minimum`; the error states the reason.

    >>> from gatewise.series import read
    >>> check_length(read([1.0, 2.0]), 20, "context of 19 and one target")
    Traceback (most recent call last):
        ...
    gatewise.series.errors.DataError: series 'y' has 2 values, expected at least 20 (context of 19 and one target);
    give a longer series or reduce the minimum
    """
    for series in panel.series:
        if len(series) < minimum:
            raise DataError(
                f"{length_of(series)}, expected at least {minimum} ({why}); give a longer series or reduce the minimum"
            )
