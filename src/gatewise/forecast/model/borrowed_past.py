"""Borrowed past: a new series continued into the past by a longer series of the panel, moved to its own level.

    past(t) = longer(t) * mean of the new series / mean of the longer one

with both means over the dates that the two share; if a value is negative, mean and standard deviation are matched.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from gatewise.forecast.model.window import WindowScaling
from gatewise.series import Series, future

SEASONS = 4  # a series with fewer of them is new
FEWEST_DONORS, MOST_DONORS = 3, 8  # longer series whose past is borrowed
MOST_SEARCHED = 100  # longer series among which donors are searched
FEWEST_SHARED = 3  # dates on which a new series and all its donors are observed
OWN_PATTERN = 0.5  # change from season to season, relative to the deviation from the donors
LARGEST_NOISE = 100.0  # relative to that of the donors
BORROWED = 2  # values of a past, in units of those from which on a series is not new


class NewSeries(NamedTuple):
    """A new series at a cut.

    Attributes:
        series: the values after the cut are not used.
        cut: number of its known values.
    """

    series: Series
    cut: int


class Placed(NamedTuple):
    """A longer series beside a new one.

    Attributes:
        series: reaches to the cut of the new one at least.
        place: the position there of the first date of the new one.
    """

    series: Series
    place: int


class Extended(NamedTuple):
    """A new series with borrowed pasts.

    Attributes:
        series: one for each past.
        noise: of `relative_noise`.
    """

    series: list[NewSeries]
    noise: float


def fewest(scaling: WindowScaling) -> int:
    """The number of values from which on a series is not new: a whole window, and four seasons."""
    return max(scaling.needed, SEASONS * scaling.season)


class Pool:
    """The longer series of which new ones borrow the past: those with the same categories, if there are enough.

    Arguments:
        series: all series.
        scaling: of the model.
        freq: of the series.
    """

    def __init__(self, series: Sequence[Series], scaling: WindowScaling, freq: str | int) -> None:
        self.least, self.season, self.freq = fewest(scaling), scaling.season, freq
        longer = {one.unique_id: one for one in series if len(one) >= self.least}
        self.longer = _shuffled(list(longer.values()))
        self._categorical = _categorical(self.longer)
        self._after: dict[Any, Any] = {}  # the dates after the end of longer series, by that end
        self._by_category: dict[Any, list[Series]] = {}
        for one in self.longer:
            self._by_category.setdefault(self._category(one), []).append(one)

    def extended(self, new: NewSeries) -> Extended:
        """A new series with the past of each of up to eight longer ones; none, if fewer than three fit it."""
        donors = self.donors(new)
        noise = relative_noise(new, donors, self.season) if donors else np.inf
        if noise == np.inf:
            return Extended([], 1.0)
        return Extended([with_past(new, donor, BORROWED * self.least) for donor in donors], noise)

    def donors(self, new: NewSeries) -> list[Placed]:
        """Up to eight longer series that cover the dates before those of a new one, and share a date with it."""
        for candidates in (self._by_category.get(self._category(new.series), []), self.longer):
            if len(donors := self._placed(candidates, new)) >= FEWEST_DONORS:
                return donors
        return []

    def _placed(self, candidates: Sequence[Series], new: NewSeries) -> list[Placed]:
        donors = list[Placed]()
        for one in candidates[:MOST_SEARCHED]:
            place = None if one.unique_id == new.series.unique_id else self._place(one, new.series.ds[0])
            if place is not None and place >= self.least:
                donor = Placed(self._continued(one, place + new.cut), place)
                moving = np.ptp(donor.series.y[place - self.least : place]) > 0
                donors += [donor] if moving and _shared(new, donor).any() else []
            if len(donors) == MOST_DONORS:
                break
        return donors

    def _place(self, series: Series, first: Any) -> int | None:
        """The position of a date in a longer series, or shortly after its end; None if it is elsewhere."""
        ds, end, before = series.ds, series.ds[-1], 0
        if first > end:
            if end not in self._after:
                self._after[end] = future(ds, self.freq, self.least)
            ds, before = self._after[end], len(ds)
        place = int(ds.searchsorted(first))
        return before + place if place < len(ds) and ds[place] == first else None

    def _continued(self, series: Series, length: int) -> Series:
        """A longer series of at least this length: after its end, its last seasons are repeated."""
        size, more = len(series), length - len(series)
        if more <= 0:
            return series
        repeated = self.season * max(
            1, self.least // self.season
        )  # a single one would not change from season to season
        rows = np.concatenate([np.arange(size), size - repeated + np.arange(more) % repeated])
        ds = series.ds.append(future(series.ds, self.freq, more))
        parts: dict[str, Any] = {name: _rows(getattr(series, name), rows) for name in ("filled", "past", "known")}
        return replace(series, ds=ds, y=series.y[rows], **parts)

    def _category(self, series: Series) -> Any:
        return None if series.static is None else tuple(series.static[self._categorical])


def with_past(new: NewSeries, donor: Placed, length: int) -> NewSeries:
    """A new series with at most `length` values of a longer one before its first value.

    >>> import pandas as pd
    >>> old = Series("old", pd.RangeIndex(6), np.array([1.0, 2.0, 3.0, 1.0, 2.0, 3.0]))
    >>> new = NewSeries(Series("new", pd.RangeIndex(4, 6), np.array([20.0, 30.0])), cut=2)
    >>> with_past(new, Placed(old, place=4), 3).series.y.tolist()
    [20.0, 30.0, 10.0, 20.0, 30.0]
    """
    series, before = new.series, slice(max(0, donor.place - length), donor.place)
    shared = _shared(new, donor)
    other = donor.series.y[donor.place : donor.place + new.cut][shared]
    past = _at_level(donor.series.y[before], other, series.y[: new.cut][shared])
    filled = np.concatenate([~_observed(donor.series, before), ~_observed(series, slice(None))])
    parts: dict[str, Any] = {
        name: np.concatenate([getattr(donor.series, name)[before], getattr(series, name)])
        for name in ("past", "known")
        if getattr(series, name) is not None
    }
    ds, y = donor.series.ds[before].append(series.ds), np.concatenate([past, series.y])
    masked = series.masked or donor.series.masked
    extended = replace(series, ds=ds, y=y, filled=filled if filled.any() else None, masked=masked, **parts)
    return NewSeries(extended, new.cut + len(past))


def relative_noise(new: NewSeries, donors: Sequence[Placed], season: int) -> float:
    """How much a new series deviates from the pattern of its donors, relative to each of them; at least 1.

    Deviations of few values say little, so that the ratio is shrunk to 1. If the new series changes much less from
    season to season than it deviates, it has a pattern of its own, and the ratio is infinite.
    """
    shared = np.logical_and.reduce([_shared(new, donor) for donor in donors])
    count, own = int(shared.sum()), new.series.y[: new.cut]
    if count < FEWEST_SHARED:
        return 1.0
    rows = [donor.series.y[donor.place : donor.place + new.cut] for donor in donors]
    moved = np.stack([_at_level(row, row[shared], own[shared]) for row in rows])
    pattern = np.median(moved, axis=0)
    deviation = float(np.abs(own - pattern)[shared].mean())
    usual = float(np.abs(moved - pattern)[:, shared].mean()) * len(donors) / (len(donors) - 1)
    pairs = shared[season:] & shared[:-season]
    if season > 1 and pairs.sum() >= 2 * season:
        change = float(np.abs(own[season:] - own[:-season])[pairs].mean()) / np.sqrt(2)
        if change < OWN_PATTERN * deviation:
            return np.inf
    if not usual > 0 or not deviation > usual:
        return 1.0
    return float(min(deviation / usual, LARGEST_NOISE) ** (count / (count + FEWEST_SHARED)))


def _at_level(past: np.ndarray, other: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The past of a longer series at the level of a new one; `other` and `own` are their values at shared dates."""
    if min(past.min(), other.min(), own.min()) >= 0 and other.sum() > 0:
        return np.asarray(past * (own.sum() / other.sum()))
    spread = float(other.std())
    ratio = float(own.std()) / spread if spread > 0 else 1.0
    return np.asarray(own.mean() + ratio * (past - other.mean()))


def _shared(new: NewSeries, donor: Placed) -> np.ndarray:
    """(n,) at which known values of a new series both series are observed."""
    rows = slice(donor.place, donor.place + new.cut)
    return np.asarray(_observed(new.series, slice(new.cut)) & _observed(donor.series, rows))


def _observed(series: Series, rows: slice) -> np.ndarray:
    filled = np.zeros(len(series), bool) if series.filled is None else series.filled
    return np.asarray(~filled[rows])


def _rows(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if values is None else values[rows]


def _categorical(series: Sequence[Series]) -> np.ndarray:
    """(C,) which static features are 0 or 1 in all series, as those of categories are."""
    static = [one.static for one in series if one.static is not None]
    return np.asarray(np.isin(np.stack(static), (0.0, 1.0)).all(0)) if static else np.zeros(0, bool)


def _shuffled(series: list[Series]) -> list[Series]:
    """The series in an order that only depends on their names, so that the first ones are spread over all."""
    series = sorted(series, key=lambda one: str(one.unique_id))
    return [series[k] for k in np.random.default_rng(0).permutation(len(series))]
