"""Features: covariate columns as arrays, for the past of many series and for the dates to forecast.

Every step works on all rows of all series at once.

Letters: N rows, S series, h horizon, P past-only features, K known-future features, C static features.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from gatewise.series.covariates.calendar import calendar_features
from gatewise.series.covariates.roles import Covariates, is_blank, is_given
from gatewise.series.errors import DataError, RowError
from gatewise.series.frequency import as_integers
from gatewise.series.values import FILLS, LARGEST, NO_FILL, last_valid, next_valid
from gatewise.series.wording import and_more, counted, format_date, listed, quoted

OWN_CATEGORY = 'give empty cells their own category, for example table[column].fillna("none")'
FILL = 'pass fill="previous" (--fill previous)'  # the remedy for a missing value that a repair can fill


def row_of(position: int) -> str:
    """The name of a row in a message, counted from 1."""
    return f"row {position + 1}"


@dataclass(frozen=True)
class Places:
    """N places, sorted by series, then by date: the series, the date, and the row of the table that has its values.

    Attributes:
        names: (S,) the names of the series.
        codes: (N,) number of the series of each place, ascending from 0.
        ds: (N,) date of each place.
        positions: (N,) row of each place in the table, -1 for a date without a row.
        row: function that names a row in a message.
        remedy: the remedy for a missing value.
    """

    names: Sequence[Any]
    codes: np.ndarray
    ds: pd.Index
    positions: np.ndarray
    row: Callable[[int], str] = row_of
    remedy: str = FILL

    @classmethod
    def of(cls, ids: Any, ds: pd.Index, row: Callable[[int], str] = row_of) -> "Places":
        """The places of the rows of a table; series are in order of appearance.

        >>> Places.of(["B", "A", "B"], pd.Index([2, 1, 1])).positions
        array([2, 0, 1])
        """
        codes, names = pd.factorize(pd.Series(ids, dtype=object) if isinstance(ids, list) else ids)
        order = np.lexsort((as_integers(ds), codes))
        return cls(list(names), codes[order], ds[order], order, row)

    def where(self, place: int) -> str:
        """The name of a place in a message."""
        position = int(self.positions[place])
        row = self.row(position) if position >= 0 else "no row"
        return f"series {str(self.names[self.codes[place]])!r}, {row} ({format_date(self.ds[place])})"

    def cells(self, column: pd.Series) -> pd.Series:
        """(N,) the cells of a column; a date without a row has a missing cell."""
        cells = column.take(np.maximum(self.positions, 0)).reset_index(drop=True)
        has_row = self.positions >= 0
        return cells if has_row.all() else cells.where(has_row)


class Features(NamedTuple):
    """Past-only (N, P) and known-future (N, K) features of each place, static ones (S, C) of each series, or None."""

    past: np.ndarray | None
    known: np.ndarray | None
    static: np.ndarray | None
    guesses: tuple[str, ...] = ()  # one for each column that was repaired


def features(
    frame: pd.DataFrame,
    places: Places,
    covariates: Covariates,
    freq: str | int,
    *,
    fill: str | None = None,
) -> Features:
    """The features of every place: numbers unchanged, categories one-hot, calendar features from -1 to 1.

    Arguments:
        frame: long table with the columns of the covariates.
        places: the rows to read, with their series and dates.
        covariates: the columns, their categories, the cycles of the calendar.
        freq: pandas offset alias, or the step of integer time.
        fill: repair missing values within each series: "interpolate" (linear in time; "previous" for past covariates,
            whose later values are not known yet), "previous" or "zero" for numbers; "previous" for categories.

    Returns:
        The features, float64, and a guess for every column that was repaired.

    Raises:
        DataError: naming series, row and remedy: missing values, infinite or huge ones, text among numbers, unknown
            categories, static covariates that change within a series.

    >>> table = pd.DataFrame({"ds": [1, 2], "price": [3, 4], "size": ["big", "big"]})
    >>> covariates = Covariates.of(table, past="price", static="size")
    >>> features(table, Places.of(["A", "A"], pd.Index(table["ds"])), covariates, 1)
    Features(past=array([[3.],
           [4.]]), known=None, static=array([[1.]]), guesses=())
    """
    reader = CovariateReader(frame, places, covariates, fill)
    # Past covariates are never interpolated: the later value is not known yet at the date of the missing one.
    past_reader = replace(reader, fill="previous") if fill == "interpolate" else reader
    past, past_guesses = past_reader.encoded(covariates.past)
    known, known_guesses = reader.known(freq)
    return Features(past, known, reader.static(), (*past_guesses, *known_guesses))


Encoded: TypeAlias = tuple[np.ndarray | None, tuple[str, ...]]  # features, and a guess for each repaired column


@dataclass(frozen=True)
class CovariateReader:
    """Reads the covariates of a table at given places.

    Attributes:
        frame: table with the columns of the covariates.
        places: the rows to read, with their series and dates.
        covariates: the columns and their categories.
        fill: how to repair missing values; see `features`.
    """

    frame: pd.DataFrame
    places: Places
    covariates: Covariates
    fill: str | None = None

    def known(self, freq: str | int) -> Encoded:
        """(N, K) features known in advance: of the columns, then of the calendar."""
        cycles = self.covariates.calendar
        columns, guesses = self.encoded(self.covariates.known)
        if not cycles:
            return columns, guesses
        _, waves = calendar_features(self.places.ds, freq, cycles)
        return waves if columns is None else np.concatenate([columns, waves], axis=1), guesses

    def encoded(self, columns: Sequence[str]) -> Encoded:
        """(N, features) of columns that change along a series; `fill` repairs missing values."""
        parts = [self._filled(column, *self._values(column)) for column in columns]
        guesses = tuple(guess for _, guess in parts if guess is not None)
        return self._features(columns, [values for values, _ in parts]), guesses

    def static(self) -> np.ndarray | None:
        """(S, C) of columns that are constant within each series."""
        columns = self.covariates.static
        return self._features(columns, [self._constant(column, *self._values(column)) for column in columns])

    def _features(self, columns: Sequence[str], parts: Sequence[np.ndarray]) -> np.ndarray | None:
        if not columns:
            return None
        out, at = np.zeros((len(parts[0]), self.covariates.width(columns))), 0
        for column, values in zip(columns, parts, strict=True):
            if column in self.covariates.categories:
                out[np.arange(len(out)), at + values] = 1.0
            else:
                out[:, at] = values
            at += self.covariates.width([column])
        return out

    # ---------------------------------------------------------------------------------------------------- values

    def _values(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """A column as numbers, or as indices of its categories, and where it is missing."""
        if column not in self.frame.columns:
            columns = listed(self.frame.columns)
            raise DataError(f"{self.covariates.role(column)} is not among the columns {columns}; add it for every date")
        cells = self.places.cells(self.frame[column])
        if column not in self.covariates.categories:
            return self._numbers(column, cells)
        return self._codes(column, cells, self.covariates.categories[column])

    def _numbers(self, column: str, cells: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        if not pd.api.types.is_numeric_dtype(cells):
            cells = cells.astype(object)
            numbers = pd.to_numeric(cells, errors="coerce")
            self._refuse(
                column, np.asarray(numbers.isna()) & is_given(cells), "is not a number", "give a number such as 12.5"
            )
            cells = numbers
        values = np.array(cells.to_numpy(np.float64, na_value=np.nan))
        empty = f", or leave the cell empty and {FILL}" if self.places.remedy == FILL else ""
        self._refuse(column, np.isinf(values), "is infinite", f"give a finite number{empty}")
        fault = f"is too large, expected at most {LARGEST:g} in magnitude"
        self._refuse(column, np.abs(values) > LARGEST, fault, "use a larger unit")
        return values, np.isnan(values)

    def _codes(self, column: str, cells: pd.Series, known: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        codes, distinct = pd.factorize(cells)
        order = {value: i for i, value in enumerate(known)}
        ranks = [-1 if is_blank(value) else order.get(value, -2) for value in distinct]
        values = np.array([*ranks, -1])[codes]  # a missing cell has code -1, the last
        self._refuse(
            column,
            values == -2,
            f"is a new category, expected one of {listed(known)}",
            "correct it, or train on a table that contains it",
        )
        return values, values == -1

    def _refuse(self, column: str, wrong: np.ndarray, fault: str | Callable[[int], str], remedy: str) -> None:
        """Raise an error for the places where a column is wrong."""

        def describe(places: np.ndarray) -> str:
            first, more = int(places[0]), and_more(len(places) - 1)
            where, message = self.places.where(first), fault if isinstance(fault, str) else fault(first)
            return f"{where}: {self.covariates.role(column)}: {self._cell(column, first)} {message}{more}; {remedy}"

        if wrong.any():
            raise RowError(np.flatnonzero(wrong), describe)

    def _cell(self, column: str, place: int) -> str:
        value = self.frame[column].iloc[self.places.positions[place]]
        return quoted(value) if isinstance(value, str) else str(value)

    # ---------------------------------------------------------------------------------------------------- repair

    def _filled(self, column: str, values: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, str | None]:
        """Values without gaps, filled within each series, and the guess that states the repair."""
        if not missing.any():
            return values, None
        is_category = column in self.covariates.categories
        if self.fill in (None, NO_FILL) or (is_category and self.fill != "previous"):
            self._refuse_missing(column, missing, is_category)
        if self.fill == "zero":
            values[missing] = 0
        else:
            values = self._between(column, values, missing)
        first, count = int(missing.argmax()), int(missing.sum())
        amount = f"{counted(count, 'value')} of {self.covariates.role(column)}"
        return values, f"filled {FILLS[str(self.fill)]}: {amount}, the first at {self.places.where(first)}"

    def _between(self, column: str, values: np.ndarray, missing: np.ndarray) -> np.ndarray:
        before, after = last_valid(~missing, self.places.codes), next_valid(~missing, self.places.codes)
        linear = self.fill == "interpolate"
        unfilled = missing & ((before < 0) | (linear & (after < 0)))
        if unfilled.any():
            raise RowError(
                np.flatnonzero(unfilled),
                lambda places: (
                    f"{self.places.where(int(places[0]))}: no "
                    f"{'earlier' if before[places[0]] < 0 else 'later'} value of "
                    f"{self.covariates.role(column)} in the series to fill this one; add a value, or remove the row"
                ),
            )
        absent = np.flatnonzero(missing)
        left, right = before[absent], after[absent]
        if linear:
            time = as_integers(self.places.ds)
            passed = (time[absent] - time[left]) / (time[right] - time[left])
            values[absent] = values[left] * (1 - passed) + values[right] * passed
        else:
            values[absent] = values[left]
        return values

    def _refuse_missing(self, column: str, missing: np.ndarray, is_category: bool) -> None:
        limit = "keeps only values of the target missing" if self.fill == NO_FILL else "repairs only numbers"
        fill = "" if self.fill is None else f"; fill={self.fill!r} {limit}"
        remedy = f"{self.places.remedy}, or {OWN_CATEGORY}" if is_category else self.places.remedy
        raise RowError(
            np.flatnonzero(missing),
            lambda places: (
                f"{self.places.where(int(places[0]))}: no value in {self.covariates.role(column)}"
                f"{and_more(len(places) - 1)}{fill}; {remedy}"
            ),
        )

    def _constant(self, column: str, values: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """(S,) the value of each series; with `fill`, missing values are ignored if other rows have the value."""
        absent = missing & (self.places.positions >= 0)
        if absent.any() and self.fill in (None, NO_FILL):
            self._refuse_missing(column, absent, column in self.covariates.categories)
        present = np.flatnonzero(~missing)
        first = np.full(len(self.places.names), -1)
        backwards = present[::-1]  # so that the first place of each series is assigned last
        first[self.places.codes[backwards]] = backwards
        if (first < 0).any():
            raise RowError(np.flatnonzero((first < 0)[self.places.codes]), partial(self._no_value, column))

        def differs(place: int) -> str:
            start = int(first[self.places.codes[place]])
            return f"differs from {self._cell(column, start)} in {self.places.row(int(self.places.positions[start]))}"

        others = ~missing & (values != values[first[self.places.codes]])
        remedy = "give one value for the whole series, or pass the column as past= or known="
        self._refuse(column, others, differs, remedy)
        return np.asarray(values[first])

    def _no_value(self, column: str, places: np.ndarray) -> str:
        name = str(self.places.names[self.places.codes[places[0]]])
        return f"series {name!r} has no value in {self.covariates.role(column)}; add it in every row"
