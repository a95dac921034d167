"""Request: the covariates to read, by name or as in an earlier panel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gatewise.series.covariates.calendar import choose_cycles
from gatewise.series.covariates.roles import Covariates, as_names
from gatewise.series.errors import DataError
from gatewise.series.panel import Panel
from gatewise.series.reading.table import Columns, Table
from gatewise.series.wording import listed


@dataclass(frozen=True)
class CovariateRequest:
    """The covariates to read: columns and calendar, or those of an earlier panel.

    Attributes:
        past, known, static: columns.
        calendar: True, or cycles by name.
        like: covariates of an earlier panel, to be read in the same way.
        names: the names of its series.
        columns_before: how the table of the earlier panel was read; see `ReadBy.columns`.
    """

    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    calendar: bool | str | Sequence[str] = False
    like: Covariates | None = None
    names: frozenset[Any] = frozenset()
    columns_before: Mapping[str, str | list[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        past: str | Sequence[str],
        known: str | Sequence[str],
        static: str | Sequence[str],
        calendar: bool | str | Sequence[str],
        like: Panel | None,
    ) -> "CovariateRequest":
        """The covariates given by name, or those of the panel `like`.

        Raises:
            DataError: both are given and they differ.
        """
        requested = cls(as_names(past), as_names(known), as_names(static), calendar)
        if like is None:
            return requested
        old = like.covariates or Covariates()
        known_names = frozenset(series.unique_id for series in like.series)
        earlier = cls(old.past, old.known, old.static, old.calendar, like.covariates, known_names, like.read_by.columns)
        cycles = choose_cycles(calendar, like.freq)
        names = (requested.past, requested.known, requested.static, cycles)
        if requested and names != (old.past, old.known, old.static, old.calendar):
            raise DataError(
                f"the covariates differ from those of the earlier series, "
                f"{listed([*earlier.columns, *old.calendar]) or 'none'}; omit past=, known=, static= and calendar=, or "
                "train a new model"
            )
        return earlier

    def __bool__(self) -> bool:
        return bool(self.columns) or bool(self.calendar)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column."""
        return (*self.past, *self.known, *self.static)

    @property
    def read_by(self) -> Mapping[str, str | list[str]]:
        """How the table of the earlier panel was read."""
        return self.columns_before if self.like is None else self.like.read_by

    @property
    def id_column(self) -> str | list[str] | None:
        """The id column of the earlier panel, or several."""
        return self.read_by.get("id_column")

    @property
    def aggregate(self) -> str | None:
        """How the earlier panel made one value of several."""
        return str(self.read_by["aggregate"]) if "aggregate" in self.read_by else None

    @property
    def layout(self) -> str | None:
        """The layout of the earlier table, if it was wide."""
        return str(self.read_by["layout"]) if "layout" in self.read_by else None

    def named(self, table: Table, **given: Any) -> dict[str, Any]:
        """The id, time and target columns as given, else those of the earlier panel if the table has them."""
        has = set(table.frame.columns)

        def earlier_column(name: str) -> Any:
            columns = self.read_by.get(name)
            present = columns and has.issuperset([columns] if isinstance(columns, str) else columns)
            return columns if present else None

        return {name: earlier_column(name) if columns is None else columns for name, columns in given.items()}

    def check(self, layout: str, has_dates: bool) -> None:
        """Refuse covariates that the layout does not support; a row with dates supports those of the whole series."""
        if layout == "rows" and self and (not has_dates or self.past or self.known):
            raise DataError(
                "layout='rows' supports no covariates, because each row holds only the values of a series; omit past=, "
                "known=, static= and calendar=, or pass a table with one row per date"
            )
        if layout == "columns" and self.static:
            raise DataError(
                f"layout='columns' supports no static covariates, because a column such as {self.static[0]!r} applies "
                "to all series; pass a long table with a column that names the series"
            )

    def covariates(
        self, table: Table, columns: Columns, layout: str, freq: str | int, aggregate: str | None
    ) -> tuple[Covariates | None, tuple[str, ...]]:
        """The covariates of a table, None if the request names none; and the guesses that state them."""
        if not self:
            return None, ()
        reserved = dict.fromkeys(columns.targets, "target") | dict.fromkeys(columns.time, "time")
        reserved |= {} if columns.id is None else {columns.id: "series"}
        if self.like is not None:
            self.like.check_columns(table.frame, reserved)
            return self.like, self.like.describe(table.frame)
        covariates = Covariates.of(
            table.frame, self.past, self.known, self.static, self.calendar, freq, reserved=reserved
        )
        return replace(covariates, read_by=columns_of(columns, layout, aggregate)), covariates.describe(table.frame)


def columns_of(columns: Columns, layout: str, aggregate: str | None) -> dict[str, str | list[str]]:
    """The arguments with which `read` finds the same columns in another table; a wide one may hold other series."""
    if layout == "columns":
        return {"layout": layout, "time_column": list(columns.time)}
    ids = list(columns.ids) if len(columns.ids) > 1 else columns.id
    if columns.wide:
        return {"layout": "rows", **({"id_column": ids} if columns.ids and ids else {})}
    by: dict[str, str | list[str]] = {"target_column": list(columns.targets), "time_column": list(columns.time)}
    by |= {} if aggregate is None else {"aggregate": aggregate}
    return by if ids is None else {**by, "id_column": ids}
