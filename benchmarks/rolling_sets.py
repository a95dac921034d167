"""The sets of the rolling benchmark: a table, its season and horizon, and the origins of the forecasts.

Letters: `O` origins, `S` series, `h` horizon, `T` steps of the calendar of a table.

Of the files, the end that `benchmarks.accuracy` tests on is cut off: settings may be compared here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import generated
from gatewise import read

M4_SERIES = 50  # of 414, so that a run takes minutes
Part = Callable[[list[str], pd.Index], np.ndarray]  # names (S,), dates (T,) -> the values (S, T) to score


@dataclass(frozen=True)
class Rolling:
    """A table, and the origins of its forecasts.

    Attributes:
        table: long: unique_id, ds, y, and the covariates.
        horizon: steps of each forecast, h.
        season: steps of the season of the MASE and the seasonal naive forecast.
        freq: of the calendar, as in pandas; 1 for whole numbers.
        origins: number of origins; the last one is h steps before the end.
        step: steps between origins.
        known: covariates that are known in advance.
        counts: whether the values are counts.
        fill: of missing dates, see `gatewise.read`.
        parts: name -> a part of the values that is scored by itself, too.
    """

    table: pd.DataFrame
    horizon: int
    season: int
    freq: str | int
    origins: int
    step: int
    known: tuple[str, ...] = ()
    counts: bool = False
    fill: str | None = None
    parts: dict[str, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.positions()[0] <= self.season:
            raise ValueError(f"{self.origins} origins leave less than a season to train on; use fewer (--origins)")

    @cached_property
    def wide(self) -> pd.DataFrame:
        """The values, a column for each series, on the whole calendar (T, S)."""
        wide = side_by_side(self.table, "y")
        if isinstance(self.freq, int):
            return wide.reindex(range(wide.index[0], wide.index[-1] + 1, self.freq))
        return wide.asfreq(self.freq)

    @property
    def names(self) -> list[str]:
        """The series, in the order of all arrays (S,)."""
        return list(self.wide.columns)

    def positions(self) -> list[int]:
        """(O,) number of steps of the calendar before each origin, ascending."""
        last = len(self.wide) - self.horizon
        return [last - k * self.step for k in reversed(range(self.origins))]

    def windows(self) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        """For each origin the past, and the h future steps without the values."""
        for at in self.positions():
            dates = self.wide.index[at : at + self.horizon]
            future = self.table[self.table["ds"].isin(dates)]
            yield self.table[self.table["ds"] < dates[0]], future[["unique_id", "ds", *self.known]]

    def truth(self) -> np.ndarray:
        """(O, S, h) the outcomes."""
        return self._cut(self.wide.to_numpy().T)

    def chosen(self, part: Part) -> np.ndarray:
        """(O, S, h) whether a value belongs to a part."""
        return self._cut(np.broadcast_to(part(self.names, self.wide.index), self.wide.shape[::-1]))

    def _cut(self, values: np.ndarray) -> np.ndarray:
        return np.stack([values[:, at : at + self.horizon] for at in self.positions()])

    def aligned(self, table: pd.DataFrame, column: str, at: int) -> np.ndarray:
        """(S, h) a column of forecasts from the origin at a position; NaN where there is none."""
        dates = self.wide.index[at : at + self.horizon]
        wide = side_by_side(table, column).reindex(index=dates, columns=self.names)
        return np.asarray(wide, float).T


def side_by_side(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A column of a long table, with a row for each date and a column for each series."""
    return table.pivot(index="ds", columns="unique_id", values=column)  # noqa: PD010  (pivot_table averages)


def shops(seed: int, origins: int) -> Rolling:
    """Eleven shops: at the first origin one opened 21 days ago, one closed 30 days ago, one sells rarely."""
    tail = 28 + 7 * (origins - 1)
    table = generated.shops(seed, opened={8: 21 + tail}, closed={9: 30 + tail}, intermittent=(10,))
    parts: dict[str, Part] = {
        "new": partial(_series, names=["shop08"]),
        "closed": partial(_series, names=["shop09"]),
        "intermittent": partial(_series, names=["shop10"]),
        "others": _others,
        "holidays": _holidays,
    }
    return Rolling(table, 28, 7, "D", origins, 7, ("promotion", "holiday"), counts=True, parts=parts)


def _series(present: list[str], dates: pd.Index, names: list[str]) -> np.ndarray:
    return np.repeat(np.isin(present, names), len(dates)).reshape(len(present), len(dates))


def _others(present: list[str], dates: pd.Index) -> np.ndarray:
    return _series(present, dates, [f"shop{k:02}" for k in range(8)])


def _holidays(present: list[str], dates: pd.Index) -> np.ndarray:
    """Holidays of the eight shops that are open all the time."""
    return np.asarray(_others(present, dates) & generated.holidays(pd.DatetimeIndex(dates)))


def _collection(freq: str, length: int, horizon: int) -> Callable[[int, int], Rolling]:
    def make(seed: int, origins: int) -> Rolling:
        table = generated.collection(freq, length, seed=seed)
        return Rolling(table, horizon, generated.SEASONS[freq], freq, origins, horizon)

    return make


def _admissions(shift: float) -> Callable[[int, int], Rolling]:
    def make(seed: int, origins: int) -> Rolling:
        before = 12 + (24, 18, 30)[seed % 3]  # months of the shift before the last origin
        return Rolling(generated.admissions(shift, before, seed), 12, 12, "MS", origins, 3)

    return make


GENERATED: dict[str, Callable[[int, int], Rolling]] = {  # arguments: seed, origins
    "admissions-35": _admissions(-0.35),
    "admissions+60": _admissions(0.6),
    "years": lambda seed, origins: Rolling(generated.years(seed), 3, 1, "YS", origins, 1),
    "yearly": _collection("YS", 30, 4),
    "quarterly": _collection("QS", 48, 8),
    "monthly": _collection("MS", 96, 12),
    "weekly": _collection("W-SUN", 208, 13),
    "load": lambda seed, origins: Rolling(generated.load(seed), 48, 168, "h", origins, 48, ("temperature",)),
    "shops": shops,
}
ORIGINS = {"admissions-35": 4, "admissions+60": 4, "years": 4, "yearly": 2, "quarterly": 2, "monthly": 2, "weekly": 2}
MANY = 6  # origins of the other sets, whose networks are trained once
REFITTED = ("admissions-35", "admissions+60", "years", "AirPassengers")  # trained at every origin, in seconds


def _daily(file: str, season: int, tested: int) -> Callable[[Path, int], Rolling]:
    def make(folder: Path, origins: int) -> Rolling:
        return Rolling(_file(folder / file, tested), 28, season, "D", origins, 28, fill="interpolate")

    return make


def _air(folder: Path, origins: int) -> Rolling:
    return Rolling(_file(folder / "AirPassengers.csv", 24), 12, 12, "MS", origins, 6)


def _m4(folder: Path, origins: int) -> Rolling:
    """The training file, the last 48 values of which are the test: the official test file is not read."""
    panel = read(folder / "m4" / "Hourly-train.csv", layout="rows")
    longest = max(map(len, panel.series))
    tables = [
        pd.DataFrame({"unique_id": s.unique_id, "ds": np.arange(longest - len(s), longest), "y": s.y})
        for s in panel.series[:: len(panel) // M4_SERIES][:M4_SERIES]
    ]
    return Rolling(pd.concat(tables, ignore_index=True), 48, 24, 1, origins, 48)


FILES: dict[str, Callable[[Path, int], Rolling]] = {  # arguments: folder, origins
    "AirPassengers": _air,
    "temperatures": _daily("daily-min-temperatures.csv", 7, 364),
    "Peyton": _daily("example_wp_log_peyton_manning.csv", 7, 294),
    "M4Hourly": _m4,
}
ORIGINS |= {"AirPassengers": 4, "M4Hourly": 1}


def _file(path: Path, tested: int) -> pd.DataFrame:
    """A single series, without the values that another benchmark tests on."""
    table = pd.read_csv(path)
    table.columns = pd.Index(["ds", "y"])
    table = table.assign(unique_id=path.stem, ds=pd.to_datetime(table["ds"])).dropna()
    return table.sort_values("ds", ignore_index=True).iloc[:-tested]


def make(name: str, seed: int, origins: int | None, folder: Path | None) -> Rolling:
    """The set of a name; the seed is that of generated series.

    Raises:
        FileNotFoundError: the folder does not hold the file.
    """
    count = origins or ORIGINS.get(name, MANY)
    if name in GENERATED:
        return GENERATED[name](seed, count)
    if folder is None:
        raise FileNotFoundError(f"--data, the folder of {name}")
    return FILES[name](folder, count)
