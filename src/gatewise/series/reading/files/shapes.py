"""Shapes: cells as numbers, codes such as dates, or text, and how well the cells of a line fit their columns."""

import datetime
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from numbers import Real
from typing import Any

BLANK = frozenset(  # lower case
    (
        "",
        "na",
        "n/a",
        "nan",
        "null",
        "none",
        "nil",
        "#n/a",
        "<na>",
        "-",
        "--",
        "–",
        ".",
        "..",
        "...",
        ":",
        "?",
        "n.a.",
        "n.v.",
    )
)
LONELY = 10  # rows, of which only one has a cell
_NUMBER = re.compile(r"[(+\-−]?\s*[€$£¥]?\s*[+\-−]?(\d[\d.,' \u00a0\u202f’_]*|[.,]\d+)([eE][+-]?\d+)?\s*[%€$£¥]?\)?")
_DATE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}(\1\d{1,4})?\.?([T ]+\d{1,2}:\d{2}.*)?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
    r"|\d{2,4}[-/. ]?[QqMmWwHh]\d{1,2}|[QqHh]\d[-/. ]?\d{2,4}"
)
_LETTERS, _DIGITS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+")
_LABEL = re.compile(r"\W*[^\W\d_][^\d:]*:(\s|$).*|[*†©].*|\([cC]\).*|[-=_]{3,}")


def kind(cell: Any) -> str:
    """The kind of a cell by its characters: "blank", "number", "code" (digits and others, such as a date) or "text".

    >>> [kind(cell) for cell in ("1.234,5", "2020-01", "Jan 20", "Total", "n/a", 5, None)]
    ['number', 'code', 'code', 'text', 'blank', 'number', 'blank']
    """
    if not isinstance(cell, str):
        return _typed_kind(cell)
    text = cell.strip()
    if text.lower() in BLANK:
        return "blank"
    if _NUMBER.fullmatch(text):
        return "code" if _DATE.fullmatch(text) and text.count(".") == 2 else "number"
    return "code" if _DIGITS.search(text) else "text"


def has_cells(cells: Iterable[Any], count: int) -> bool:
    """Whether at least `count` cells are not blank."""
    return len(list(islice((cell for cell in cells if kind(cell) != "blank"), count))) == count


def _typed_kind(cell: Any) -> str:
    if cell is None or cell != cell:  # NaN differs from itself
        return "blank"
    if isinstance(cell, datetime.date | datetime.time | datetime.timedelta):
        return "code"
    return "number" if isinstance(cell, Real) else "text"


def is_note(cell: Any) -> bool:
    """Whether a cell is a note by its form: a word and a colon, a mark such as * or (c), or a ruler.

    >>> [is_note(cell) for cell in ("Source: X", "* provisional", "(c) 2020", "----", "2020-01-01 10:00", "B", "Total")]
    [True, True, True, True, False, False, False]
    """
    return isinstance(cell, str) and _LABEL.fullmatch(cell.strip()) is not None


def _signature(cell: Any) -> str:
    """The form of a cell: letters as a, digits as 9."""
    return _DIGITS.sub("9", _LETTERS.sub("a", cell.strip())) if isinstance(cell, str) else "typed"


@dataclass(frozen=True)
class ColumnShapes:
    """The usual form of the cells of each column, where most are numbers or codes.

    Attributes:
        kinds: "number" or "code" of the columns that have one, by position.
        forms: usual forms of the cells of each column of codes.
        names: texts that occur in several rows, of each other column.
        time: position of the first column of dates, else of the first column of numbers; None if there is none.
        dated: whether that column holds dates.
        missing: further cells that are missing values.
    """

    kinds: dict[int, str]
    forms: dict[int, Collection[str]]
    names: dict[int, Collection[str]]
    time: int | None
    dated: bool
    missing: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]], width: int, missing: tuple[str, ...] = ()) -> "ColumnShapes":
        """The shapes of the columns of sampled lines, some of which are no rows of the table."""
        sampled = [[(cell, kind(cell)) for cell in row[:width]] for row in rows]
        filled = [row for row in sampled if [of for _, of in row if of != "blank"][min(2, width) - 1 :]]
        filled = [row for row in filled if any(of in ("number", "code") for _, of in row)]
        kinds: dict[int, str] = {}
        forms: dict[int, Collection[str]] = {}
        names: dict[int, Collection[str]] = {}
        dates = None
        for j in range(width):
            cells = [row[j] for row in filled if j < len(row) and row[j][1] != "blank" and row[j][0] not in missing]
            count = Counter(of for _, of in cells)
            is_lonely = len(cells) == 1 and len(filled) > LONELY  # the name of an empty column
            if count["number"] + count["code"] < 0.6 * len(cells) or not cells or is_lonely:
                names[j] = {name for name, n in Counter(cell for cell, _ in cells).items() if n > 1}
                continue
            kinds[j] = "number" if count["number"] >= count["code"] else "code"
            if kinds[j] == "code":
                codes = [cell for cell, of in cells if of == "code"]
                common = Counter(map(_signature, codes))
                forms[j] = {form for form, n in common.items() if n > 0.05 * len(codes) and (n > 1 or len(codes) < 4)}
                if dates is None and sum(map(_is_date, codes)) >= 0.5 * len(codes):
                    dates = j
        return cls(
            kinds, forms, names, min(kinds, default=None) if dates is None else dates, dates is not None, missing
        )

    def fits(self, j: int, cell: Any) -> bool | None:
        """Whether a cell fits its column; None if it is blank."""
        of = "blank" if isinstance(cell, str) and cell in self.missing else kind(cell)
        if of in ("blank", "text"):
            return None if of == "blank" else False
        if self.kinds[j] == "number":
            return of == "number" or bool(re.match(r"\W*\d", str(cell)))
        if of == "number":  # among dates only a year, or digits such as 20200131
            return len(re.sub(r"\D", "", str(cell))) >= 4
        return _signature(cell) in self.forms[j] or _is_date(cell) or _starts_with_date(cell)

    def verdict(self, cells: Sequence[Any]) -> str:
        """What a line is: "row", "perhaps" (some cells fit), "none" (no cell fits), or "empty" (no cell to tell by)."""
        fits = [self.fits(j, cells[j]) for j in self.kinds if j < len(cells)]
        if not any(fits):
            if any(cells[j] in names for j, names in self.names.items() if j < len(cells)):
                return "perhaps"  # a name of a series
            return "none" if False in fits else "empty"
        enough = False not in fits and 2 * fits.count(True) > len(self.kinds)
        enough = enough and has_cells(cells, min(2, max(self.kinds) + 1))
        return "row" if enough else "perhaps"


def _is_date(cell: Any) -> bool:
    if not isinstance(cell, str):
        return isinstance(cell, datetime.date | datetime.time | datetime.timedelta)
    text = cell.strip()
    letters = _LETTERS.findall(text)
    named = len(text) <= 40 and len(letters) <= 4 and any(_is_month(word) for word in letters)
    return _DATE.fullmatch(text) is not None or named


def _starts_with_date(cell: Any) -> bool:
    """Whether a cell may be a row with another delimiter, such as 2020-01-01;5."""
    return isinstance(cell, str) and re.match(r"\s*\d{1,4}[-/.]\d", cell) is not None


def _is_month(word: str) -> bool:
    return word[:3].lower() in _MONTHS


_MONTHS = frozenset(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
