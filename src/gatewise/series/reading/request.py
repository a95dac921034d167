"""Request: the covariates that a caller asks for, by name or as those of a panel read before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gatewise.series.covariates.calendar import choose_cycles
from gatewise.series.covariates.roles import Covariates, as_names
from gatewise.series.errors import DataError
from gatewise.series.panel import Panel
from gatewise.series.reading.table import Columns, Table
from gatewise.series.wording import listed


@dataclass(frozen=True)
class CovariateRequest:
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
    ) -> "CovariateRequest":
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
        self, table: Table, columns: Columns, layout: str, freq: str | int
    ) -> tuple[Covariates | None, tuple[str, ...]]:
        """The covariates found in a table, None if none were asked for; and the guesses that state them."""
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
        return replace(covariates, read_by=_read_by(columns, layout)), covariates.describe(table.frame)


def _read_by(columns: Columns, layout: str) -> dict[str, str | list[str]]:
    """How `read` finds the same columns in another table; in a wide one the series may be others."""
    if layout == "columns":
        return {"layout": layout, "time_column": list(columns.time)}
    by: dict[str, str | list[str]] = {"target_column": list(columns.targets), "time_column": list(columns.time)}
    return by if columns.id is None else {**by, "id_column": columns.id}
