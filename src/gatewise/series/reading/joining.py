"""Joining: the covariates of a table beside its checked series, step by step.

Letters: N steps of all series, S series, h steps ahead, K known-future features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gatewise.series.covariates.calendar import choose_cycles
from gatewise.series.covariates.features import Features, Places, Source, features
from gatewise.series.covariates.roles import Covariates, as_names, is_given, listed
from gatewise.series.panel import Panel, Series, joined
from gatewise.series.reading.columns import Columns, Table
from gatewise.series.reading.dates import DataError, future
from gatewise.series.reading.rows import Exclusions, Rows, Stack, moments


@dataclass(frozen=True)
class Asked:
    """The covariates that were asked for: columns and the calendar, or those of another panel.

    Attributes:
        past, known, static: columns.
        calendar: True, or cycles by name.
        like: covariates to be read again.
    """

    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    calendar: bool | str | Sequence[str] = False
    like: Covariates | None = None

    @classmethod
    def of(
        cls,
        past: str | Sequence[str],
        known: str | Sequence[str],
        static: str | Sequence[str],
        calendar: bool | str | Sequence[str],
        like: Panel | None,
    ) -> "Asked":
        """What was asked for by name, or `like` another panel.

        Raises:
            DataError: both at once, and not the same.
        """
        asked = cls(as_names(past), as_names(known), as_names(static), calendar)
        if like is None:
            return asked
        old = like.covariates or Covariates()
        again = cls(old.past, old.known, old.static, old.calendar, like.covariates)
        cycles = choose_cycles(calendar, like.freq)
        if asked and (asked.past, asked.known, asked.static, cycles) != (old.past, old.known, old.static, old.calendar):
            raise DataError(
                f"other covariates are asked for than {listed([*again.columns, *old.calendar]) or 'none'}, those of "
                "the series before; leave past=, known=, static= and calendar= out, or train another model"
            )
        return again

    def __bool__(self) -> bool:
        return bool(self.columns) or bool(self.calendar)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column."""
        return (*self.past, *self.known, *self.static)

    @property
    def read_by(self) -> Mapping[str, str | list[str]]:
        """How the table of the other panel was read."""
        return {} if self.like is None else self.like.read_by

    @property
    def id_column(self) -> str | None:
        """The column that named the series of the other panel."""
        column = self.read_by.get("id_column")
        return None if column is None else str(column)

    def named(self, table: Table, **given: Any) -> dict[str, Any]:
        """The id, time and target column as given, else as in the other panel if the table has them."""
        has = set(table.frame.columns)

        def before(name: str) -> Any:
            one = self.read_by.get(name)
            return one if one and has.issuperset([one] if isinstance(one, str) else one) else None

        return {name: before(name) if one is None else one for name, one in given.items()}

    def check(self, layout: str) -> None:
        """Refuse what a layout has no place for."""
        if layout == "rows" and self:
            raise DataError(
                "layout='rows' has no covariates, as each row holds nothing but the values of a series; leave past=, "
                "known=, static= and calendar= out, or pass a table with a row for each date"
            )
        if layout == "columns" and self.static:
            raise DataError(
                f"layout='columns' has no static covariates, as a column such as {self.static[0]!r} is one of all "
                "series; pass a long table with a column that names the series"
            )

    def covariates(
        self, table: Table, columns: Columns, layout: str, freq: str | int, guesses: list[str]
    ) -> Covariates | None:
        """The covariates found in a table; None if none were asked for."""
        if not self:
            return None
        taken = dict.fromkeys(columns.targets, "target") | dict.fromkeys(columns.time, "time")
        taken |= {} if columns.id is None else {columns.id: "series"}
        if self.like is not None:
            return self.like.again(table.frame, taken=taken, guesses=guesses)
        roles = {"past": self.past, "known": self.known, "static": self.static, "calendar": self.calendar}
        found = Covariates.of(table.frame, **roles, freq=freq, taken=taken, guesses=guesses)  # type: ignore[arg-type]  # by name
        return replace(found, read_by=_read_by(columns, layout))


def _read_by(columns: Columns, layout: str) -> dict[str, str | list[str]]:
    """How `read` finds the same columns in another table; in a wide one the series may be others."""
    if layout == "columns":
        return {"layout": layout, "time_column": list(columns.time)}
    by: dict[str, str | list[str]] = {"target_column": list(columns.targets), "time_column": list(columns.time)}
    return by if columns.id is None else {**by, "id_column": columns.id}


# -------------------------------------------------------------------------------------------------------- joining


def joined_to(
    series: tuple[Series, ...],
    stacks: tuple[Stack, Stack],
    covariates: Covariates,
    freq: str | int,
    fill: str | None,
    aside: Exclusions,
    guesses: list[str],
) -> tuple[Series, ...]:
    """The series with their features.

    Arguments:
        series: those of the stacks that have no error so far, on their whole calendars.
        stacks: the rows of the history and of the future, see `gatewise.series.reading.future.split_future`.
        covariates: what to read.
        freq: the calendar.
        fill: how to repair missing values; see `gatewise.read`.
        aside: where series with errors go.
        guesses: takes a sentence for every repair.
    """
    history, later = stacks
    frame, numbers, beside = history.table.frame, np.flatnonzero(aside.good(len(history.names))), Features(*[None] * 3)
    while True:
        said, known = list[str](), None
        places, ahead = _places(series, history, numbers), _places_ahead(series, later, numbers, covariates, freq)
        with aside.catching(numbers[places.codes]):
            beside = features(frame, places, covariates, freq, fill=fill, guesses=said)
        with aside.catching(numbers[ahead.codes]):
            known = Source(frame, ahead, covariates, None, []).known(freq)
        good = aside.good(len(history.names))[numbers]
        if good.all():
            guesses.extend(said)
            return _with_features(series, beside, places.codes, known, ahead.codes)
        series, numbers = tuple(one for one, kept in zip(series, good, strict=True) if kept), numbers[good]


def _with_features(
    series: tuple[Series, ...], beside: Features, codes: np.ndarray, known: np.ndarray | None, ahead: np.ndarray
) -> tuple[Series, ...]:
    """The series, each with its part of the features (N, ...) and of what is known (n, K) ahead."""
    bounds, later = (np.searchsorted(one, np.arange(len(series) + 1)).tolist() for one in (codes, ahead))

    def part(values: np.ndarray | None, at: list[int], k: int) -> np.ndarray | None:
        return None if values is None or at[k] == at[k + 1] else values[at[k] : at[k + 1]]

    return tuple(
        replace(
            one,
            past=part(beside.past, bounds, k),
            known=part(beside.known, bounds, k),
            static=None if beside.static is None else beside.static[k],
            ahead=part(known, later, k),
        )
        for k, one in enumerate(series)
    )


def _places(series: tuple[Series, ...], stack: Stack, numbers: np.ndarray) -> Places:
    """The places of the steps of all series, of which `numbers` (S,) are the numbers in the stack."""
    lengths = np.array([len(one) for one in series])
    starts, codes = lengths.cumsum() - lengths, np.repeat(np.arange(len(series)), lengths)
    rows = np.arange(len(codes)) + np.repeat(stack.bounds[numbers] - starts, lengths)
    positions = stack.positions[np.minimum(rows, len(stack.positions) - 1)]
    as_it_is = (lengths == stack.lengths[numbers]) & np.array([one.filled is None for one in series])
    for k in np.flatnonzero(~as_it_is).tolist():
        positions[starts[k] : starts[k] + lengths[k]] = _on_grid(series[k], stack.rows(int(numbers[k])))
    names, ds = [one.unique_id for one in series], joined([one.ds for one in series])
    return Places(names, codes, ds, positions, stack.table.row)


def _on_grid(one: Series, rows: Rows) -> np.ndarray:
    """(T,) the row of the table of each step, -1 where it has none; rows before the first step belong to none."""
    positions, steps, time = np.full(len(one), -1), moments(one.ds), moments(rows.ds)
    inside = time >= steps[0]
    positions[np.searchsorted(steps, time[inside])] = rows.positions[inside]
    return positions


def _places_ahead(
    series: tuple[Series, ...], later: Stack, numbers: np.ndarray, covariates: Covariates, freq: str | int
) -> Places:
    """The places of the steps after the end of each series that the table holds whole, up to the first it does not."""
    whole = np.ones(len(later.table.frame), bool)
    for column in covariates.known:
        whole &= is_given(later.table.frame[column])
    counts, at, following = np.zeros(len(series), np.int64), [np.empty(0, np.int64)], dict[object, np.ndarray]()
    most = int(later.lengths.max(initial=0))
    for k in np.flatnonzero(later.lengths[numbers]).tolist():
        rows, end = np.arange(*later.bounds[numbers[k] : numbers[k] + 2]), series[k].ds[-1]
        if end not in following:
            following[end] = moments(future(series[k].ds, freq, most))
        fits = (moments(later.ds[rows]) == following[end][: len(rows)]) & whole[later.positions[rows]]
        counts[k] = len(rows) if fits.all() else fits.argmin()
        at.append(rows[: counts[k]])
    taken, codes = np.concatenate(at), np.repeat(np.arange(len(series)), counts)
    names = [one.unique_id for one in series]
    return Places(names, codes, later.ds[taken], later.positions[taken], later.table.row)
