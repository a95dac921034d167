"""How a table was read, so that a later table of the same series is read in the same way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Columns = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class ReadBy:
    """How a table was read: what was given, and what all its cells decided.

    Attributes:
        columns: layout, id_column, time_column, target_column and aggregate; see `gatewise.read`.
        time_format: format of the dates, given or found; None if the dates were no text or numbers.
        dayfirst: whether the day stood before the month, given or found.
        decimal: decimal separator, as given.
        thousands: separator of thousands, as given.
        missing: cells that mean a missing value, as given.
        decimals: column -> decimal separator of its cells, given or found.

    >>> ReadBy.of_content(ReadBy(dayfirst=True, decimals={"sales": ","}).content()).decimal_of("sales")
    ','
    """

    columns: Columns = field(default_factory=dict)
    time_format: str | None = None
    dayfirst: bool | None = None
    decimal: str | None = None
    thousands: str | None = None
    missing: tuple[str, ...] = ()
    decimals: Mapping[str, str] = field(default_factory=dict)

    def decimal_of(self, column: str) -> str | None:
        """The decimal separator of a column; None if it is unknown."""
        given = self.decimal or {".": ",", ",": "."}.get(self.thousands or "")
        return self.decimals.get(column, given)

    def content(self) -> dict[str, Any]:
        """The fields that are known, as plain JSON content."""
        content = {**vars(self), "columns": dict(self.columns), "decimals": dict(self.decimals)}
        content["missing"] = list(self.missing)
        return {name: value for name, value in content.items() if value not in (None, [], {})}

    @classmethod
    def of_content(cls, content: Any) -> "ReadBy":
        """The memory of plain JSON content, validated before use.

        Raises:
            ValueError: an invalid field; the message names it.
        """
        if not isinstance(content, dict) or not set(content) <= set(_VALID):
            raise ValueError(f"'read_by' is {content!r:.80}, expected some of the fields {', '.join(_VALID)}")
        for name, value in content.items():
            if not _VALID[name](value):
                raise ValueError(f"'read_by' has {name} {value!r:.80}, which is not valid")
        return cls(**{**content, "missing": tuple(content.get("missing", ()))})


def _is_columns(value: Any) -> bool:
    kinds: dict[str, tuple[type, ...]] = {"layout": (str,), "aggregate": (str,), "id_column": (str, list)}
    kinds |= dict.fromkeys(("time_column", "target_column"), (list,))
    return isinstance(value, dict) and all(
        type(columns) in kinds.get(name, ()) and all(isinstance(column, str) for column in columns)
        for name, columns in value.items()
    )


def _is_separator(value: Any) -> bool:
    return isinstance(value, str) and value in (".", ",")


_VALID: Mapping[str, Any] = {
    "columns": _is_columns,
    "time_format": lambda value: isinstance(value, str),
    "dayfirst": lambda value: isinstance(value, bool),
    "decimal": _is_separator,
    "thousands": lambda value: isinstance(value, str) and value in (".", ",", " ", "'", ""),
    "missing": lambda value: isinstance(value, list) and all(isinstance(cell, str) for cell in value),
    "decimals": lambda value: isinstance(value, dict) and all(map(_is_separator, value.values())),
}
