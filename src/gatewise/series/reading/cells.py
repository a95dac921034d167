"""Cells: how the cells of a table are written, as far as the caller says so; the rest is found by their shape."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from gatewise.series.errors import DataError
from gatewise.series.read_by import ReadBy

SEPARATORS = (".", ",", " ", "'", "")  # of thousands; a space stands for every kind of space, "" for none


@dataclass(frozen=True)
class CellFormat:
    """How cells are written, and which lines hold them; None where the shape of the data decides.

    Attributes:
        time_format: format of the dates; see `gatewise.read`.
        dayfirst: whether the day stands before the month in dates such as 01/02/2024.
        decimal: decimal separator, "." or ",".
        thousands: separator of thousands, one of `SEPARATORS`.
        missing: cells that mean a missing value, such as "-999".
        header_row: line of the column names, counted from 1; 0 if there is none.
        skip_footer: number of lines at the end that are no data.
        sheet: sheet of a spreadsheet, by name or number from 0.
        earlier: how an earlier table was read, which decides where the cells leave two readings.
    """

    time_format: str | None = None
    dayfirst: bool | None = None
    decimal: str | None = None
    thousands: str | None = None
    missing: tuple[str, ...] = ()
    header_row: int | None = None
    skip_footer: int | None = None
    sheet: str | int | None = None
    earlier: ReadBy = field(default_factory=ReadBy, compare=False)

    @classmethod
    def of(cls, *, missing: Any = (), **given: Any) -> "CellFormat":
        """The format of these arguments of `gatewise.read`, validated.

        Raises:
            DataError: an argument of a wrong type, or out of range.
        """
        kinds: dict[str, Any] = {"time_format": str, "dayfirst": bool | np.bool_, "decimal": str, "thousands": str}
        kinds |= {"header_row": int | np.integer, "skip_footer": int | np.integer, "sheet": str | int}
        for name, value in given.items():
            is_flag = isinstance(value, bool) and name != "dayfirst"
            if value is not None and (is_flag or not isinstance(value, kinds[name])):
                raise DataError(f"{name}={value!r}: expected {_EXPECTED[name]}")
        missing = (missing,) if isinstance(missing, str) or not isinstance(missing, Sequence) else tuple(missing)
        cells = cls(**given, missing=tuple(str(value) for value in missing))
        cells._check_ranges()
        return cells

    def _check_ranges(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise DataError(f"decimal={self.decimal!r}: expected {_EXPECTED['decimal']}")
        if self.thousands is not None and self.thousands not in SEPARATORS:
            raise DataError(f"thousands={self.thousands!r}: expected {_EXPECTED['thousands']}")
        if self.decimal is not None and self.decimal == self.thousands:
            raise DataError(
                f"decimal and thousands are both {self.decimal!r}; name different separators (--decimal, --thousands)"
            )
        for name, least in {"header_row": 0, "skip_footer": 0}.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise DataError(f"{name}={value!r}: expected {_EXPECTED[name]}")

    def __bool__(self) -> bool:
        return self != CellFormat()


_EXPECTED = {
    "time_format": "a format of dates such as '%d.%m.%Y' (--time-format)",
    "dayfirst": "True or False (--dayfirst, --no-dayfirst)",
    "decimal": "'.' or ',' (--decimal)",
    "thousands": "'.', ',', ' ', \"'\" or '' for none (--thousands)",
    "header_row": "the line of the column names, counted from 1, or 0 if there is none (--header-row)",
    "skip_footer": "the number of lines at the end that are no data, 0 or more (--skip-footer)",
    "sheet": "the name of a sheet, or its number from 0 (--sheet)",
}
NAMES = tuple(each.name for each in fields(CellFormat) if each.name != "earlier")
