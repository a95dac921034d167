"""Number columns: the distinct cells of a column that holds numbers, taken apart."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.dates.parsing import looks_like_dates
from gatewise.series.reading.dates.part_texts import part_text
from gatewise.series.reading.numbers.missing_values import is_marker
from gatewise.series.reading.numbers.parts import Affixes, Parts, normalized, parts, read_suffixes
from gatewise.series.reading.numbers.separators import Decision, decide, plain

SAMPLE, MOST_CODES, MOST_DATES = 50, 20, 1000
MISSING = "missing"


@dataclass(frozen=True)
class NumberColumn:
    """The distinct cells of a column of numbers: N rows, D distinct cells.

    Attributes:
        name: of the column.
        cells: (D,) as in the table.
        codes: (N,) the distinct cell of each row, -1 for a blank one.
        parts: (D,) of the cells; None for a cell that is no number.
        powers: (D,) power of ten by which a cell such as 1.2K is multiplied.
        missing: (D,) whether the cell marks a missing value.
        plain: (D,) whether Python reads the cell as a number.
        nouns: what stands beside the digits.
    """

    name: str
    cells: Sequence[Any]
    codes: np.ndarray
    parts: Sequence[Parts | None]
    powers: Sequence[int]
    missing: np.ndarray
    plain: np.ndarray
    nouns: tuple[str, ...]

    def rows(self) -> np.ndarray:
        """(D,) the number of rows of each cell."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.cells))

    def decide(self, given: CellFormat) -> Decision:
        """The decimal separator, as given or by all cells."""
        chosen = [i for i, part in enumerate(self.parts) if part is not None]
        number = np.full(len(self.cells) + 1, -1)
        number[chosen] = np.arange(len(chosen))
        codes = number[self.codes]
        numbers = [part for part in self.parts if part is not None]
        negative = [part.affixes.sign == "-" for part in numbers]
        texts = [part.digits for part in numbers]
        decision = decide(texts, negative, codes[codes >= 0], given.decimal, given.thousands)
        return decision if decision.example is None else decision._replace(example=chosen[decision.example])

    def value(self, i: int, decimal: str) -> float:
        """A cell as a number, converted once from text, so that no digit is lost."""
        cell, part = self.cells[i], self.parts[i]
        if not isinstance(cell, str):
            return float(cell)
        digits, exponent, affixes = part or Parts("nan", "", Affixes())
        power = int(exponent[1:] or 0) + self.powers[i]
        return float(f"{affixes.sign}{plain(digits, decimal)}{f'e{power}' if power else ''}")

    def are_categories(self, is_file: bool) -> bool:
        """Whether a covariate holds categories: codes such as 1, 2 and "-"; in tables also other numbers as text."""
        numbers = [part.digits for part in self.parts if part is not None]
        codes = len(numbers) <= MOST_CODES and all(text.isdecimal() and len(text) <= 3 for text in numbers)
        is_plain = all(self.plain[i] for i, part in enumerate(self.parts) if part is not None)
        return is_plain and (codes or not is_file)


def number_column(cells: pd.Series, given: CellFormat) -> NumberColumn | None:
    """The distinct cells of a column; None if it holds no text, dates, or fewer numbers than other text."""
    kind = pd.api.types.infer_dtype(cells, skipna=True)
    if kind not in ("string", "mixed", "mixed-integer") or isinstance(cells.dtype, pd.CategoricalDtype):
        return None
    if kind != "string" and not all(map(_is_text_or_number, cells.dropna())):
        return None
    codes, distinct = pd.factorize(cells.astype(object))
    named = {text.strip() for text in given.missing}
    sample = [part is not None for text in map(_text, distinct[:SAMPLE]) if (part := _part(text, named)) != MISSING]
    if 2 * sum(sample) < len(sample):
        return None
    texts = list(map(_text, distinct))
    found = [_part(text, named) for text in texts]
    blank = np.array([not text for text in texts], bool)
    column = NumberColumn(
        cells.name,
        list(distinct),
        np.where(blank[codes] & (codes >= 0), -1, codes),
        [part if isinstance(part, Parts) else None for part in found],
        [0] * len(texts),
        np.array([part == MISSING for part in found], bool) & ~blank,
        pd.to_numeric(pd.Series(distinct.astype(str), dtype=object), errors="coerce").notna().to_numpy(),
        (),
    )
    column = _with_units(column)
    number, rows = np.array([part is not None for part in column.parts], bool), column.rows()
    if not rows[number].sum() or 2 * rows[number].sum() < rows[~column.missing].sum():
        return None
    formatted = pd.Series(distinct[number & ~column.plain][:MOST_DATES].astype(str), dtype=object)
    is_part = len(formatted) > 0 and part_text(cells) is not None  # 1st quarter, 12 AM
    return None if looks_like_dates(formatted) or is_part else column


def _is_text_or_number(cell: Any) -> bool:
    return isinstance(cell, str | Real | Decimal) and not isinstance(cell, bool | np.bool_)


def _text(cell: Any) -> str:
    """A cell as normalized text; an integer without ".0", and 0 for a fraction, which says nothing about separators."""
    if isinstance(cell, str):
        return normalized(cell)
    return str(int(cell)) if float(cell).is_integer() else "0"


def _part(text: str, named: Collection[str]) -> Parts | str | None:
    """The parts of a number, None for other text; MISSING for a blank cell or one that marks a missing value."""
    if not text or text in named:
        return MISSING
    return parts(text) or (MISSING if is_marker(text) else None)


def _with_units(column: NumberColumn) -> NumberColumn:
    """The column without numbers of other units than most; the units are its nouns."""
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for part, count in zip(column.parts, column.rows().tolist(), strict=True):
        if part is not None:
            counts[0][part.affixes.suffix] += count
            counts[1][part.affixes.currency] += count
    if not counts[0]:
        return column
    suffixes = read_suffixes(counts[0])
    currency = max((name for name in counts[1] if name), key=lambda name: counts[1][name], default="")
    fits = [
        part if part and part.affixes.suffix in suffixes.powers and part.affixes.currency in ("", currency) else None
        for part in column.parts
    ]
    styles = {part.affixes.style for part in fits if part} - {""}
    nouns = (f"currency {currency!r}" if currency else "", suffixes.noun, *sorted(styles))
    powers = [suffixes.powers[part.affixes.suffix] if part else 0 for part in fits]
    return replace(column, parts=fits, powers=powers, nouns=tuple(noun for noun in nouns if noun))
