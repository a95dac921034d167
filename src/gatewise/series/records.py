"""Records: series that came in, forecasts that go out, and the tables they are handed back as.

Letters: T time steps, h horizon, S sample paths.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gatewise import atomic
from gatewise.series.dates import season_length
from gatewise.series.tables import Backend, load


@dataclass(frozen=True)
class Series:
    """One checked series: sorted dates on a calendar without gaps, finite values.

    Attributes:
        unique_id: its name.
        ds: (T,) dates, or whole numbers.
        y: (T,) values, float64.
        filled: (T,) whether fill= invented the value, for a missing value or a missing date; None if it invented none.
    """

    unique_id: Any
    ds: pd.Index
    y: np.ndarray
    filled: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Panel:
    """One or more checked series that share a calendar.

    Attributes:
        series: the series, in the order of the table.
        freq: pandas offset alias ("MS", "W-SUN", "15min"), or the step of a time in whole numbers.
        guesses: a sentence for everything that was guessed, repaired or left out.
        backend: the library that tables are to be answered in.
        date_only: whether dates are answered without a time of day (polars' `Date`).
    """

    series: tuple[Series, ...]
    freq: str | int
    guesses: tuple[str, ...] = ()
    backend: Backend = "pandas"
    date_only: bool = False

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
        paths: (S, h) sampled futures, if there are any; they are no part of the table.
    """

    unique_id: Any
    ds: pd.Index
    mean: np.ndarray
    model: str
    intervals: dict[float, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    paths: np.ndarray | None = None

    def frame(self) -> pd.DataFrame:
        """The forecast in columns: unique_id, ds, the model, and per level, ascending, its lower and upper bound."""
        bounds = {
            f"{self.model}-{side}-{level:g}": values
            for level in sorted(self.intervals)
            for side, values in zip(("lo", "hi"), self.intervals[level], strict=True)
        }
        names = [self.unique_id] * len(self.ds)
        return pd.DataFrame({"unique_id": names, "ds": self.ds, self.model: self.mean, **bounds})


def to_frame(forecasts: Sequence[Forecast], backend: Backend = "pandas", *, date_only: bool = False) -> Any:
    """Forecasts as one long table: unique_id, ds, the model, and per level, ascending, its lower and upper bound.

    Arguments:
        forecasts: of any number of series, with one model name and the same levels.
        backend: "pandas" or "polars", see `Panel.backend`.
        date_only: give polars' `Date` instead of `Datetime`, see `Panel.date_only`.

    Returns:
        A table of that library with one row per series and date, columns such as LSTM, LSTM-lo-80, LSTM-hi-80.

    Raises:
        ValueError: if the forecasts differ in model or levels, or there are none.

    >>> ds = pd.date_range("1961-01-01", periods=1, freq="MS")
    >>> to_frame([Forecast("A", ds, np.ones(1), "LSTM", {80: (np.zeros(1), np.full(1, 2.0))})]).columns.tolist()
    ['unique_id', 'ds', 'LSTM', 'LSTM-lo-80', 'LSTM-hi-80']
    """
    kinds = {(one.model, tuple(sorted(one.intervals))) for one in forecasts}
    if len(kinds) != 1:
        raise ValueError(
            f"expected forecasts of one model with the same levels, got {sorted(kinds) or 'none'}; make a table of each"
        )
    frame = pd.concat([one.frame() for one in forecasts], ignore_index=True)
    return to_table(frame, backend, date_only=date_only)


def to_table(frame: pd.DataFrame, backend: Backend = "pandas", *, date_only: bool = False) -> Any:
    """A pandas table in the library asked for; see `to_frame`."""
    if backend == "pandas":
        return frame
    import narwhals as nw

    columns = {name: _polars_column(frame[name], date_only).to_native() for name in frame.columns}
    return nw.from_dict(columns, backend="polars").to_native()


def _polars_column(column: pd.Series, date_only: bool) -> Any:
    """One pandas column in polars, without needing pyarrow: dates with a time zone through UTC."""
    import narwhals as nw

    def made(values: Any) -> Any:
        return nw.new_series(str(column.name), values, backend="polars")

    if not pd.api.types.is_datetime64_any_dtype(column):
        return made(column.to_numpy() if pd.api.types.is_numeric_dtype(column) else column.tolist())
    column = column.dt.as_unit("us") if column.dt.unit == "s" else column  # polars knows no seconds
    zone = column.dt.tz
    if zone is None:
        dates = made(column.to_numpy())
        return dates.cast(nw.Date) if date_only else dates
    moments = made(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
    return moments.dt.replace_time_zone("UTC").dt.convert_time_zone(str(zone))


def as_pandas(table: Any) -> pd.DataFrame:
    """A pandas or polars table as a pandas table."""
    return load(table).frame


def write_csv(frame: Any, path: str | Path) -> None:
    """Write a pandas or polars table to a CSV file, whole or not at all; a date without a time of day stays a date.

    Raises:
        OSError: if the file cannot be written; what stood there before is then untouched.
    """
    atomic.write(path, as_pandas(frame).to_csv(index=False).encode())
