"""Separators: whether points and commas in the numbers of a column separate decimals or thousands.

Only groups of three digits can be thousands, so 1.5, 12.34, 0.066, 1234.567 and cells with both separators decide by
their shape. In a column such as 1.204, 12.377 every cell can be read either way; then decide, in this order:

1. Cells without the separator. A file that writes thousands writes values below 1000 without it. One that writes three
   decimals writes them in every cell; one that drops zeros at the end also has cells with one or two decimals, about
   one in ten. So integers beside nothing but groups of three mean thousands, if there are at least 8 different ones, or
   3 that lie not further from their neighbours than as decimals.
2. Continuity. With fewer integers the reading whose neighbours differ by a factor ten times smaller is chosen: 854,
   1.029, 987 changes by a factor of 1.2 as thousands, and of 830 as decimals.
3. The other columns of the file, because a file has one decimal separator.

Zeros and markers of missing values such as -999 are no evidence, and neither is the delimiter: files separated by
commas hold thousands with points, too. Where nothing decides, both readings are reported.
"""

import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

OTHER = {".": ",", ",": "."}
NAMES = {".": "point", ",": "comma"}
NINES = np.array([10.0**count - 1 for count in range(1, 10)])  # 9, 99, 999, ..., common markers of missing values
_GROUPS = re.compile(r"(?:[+-]?(?:0|[1-9]\d{0,2}(?:\.\d{3})?|9+))?", re.ASCII)
FEW_FRACTIONS = 3  # of which all may be groups that end in zeros
LEAST_INTEGERS, MANY_INTEGERS = 3, 8
FACTOR, NEAR = math.log(10), math.log(3)


class Decision(NamedTuple):
    """The decimal separator of a column.

    Attributes:
        decimal: "." or ","; None if both are possible.
        by_shape: whether some cell allows only this one.
        is_near: whether only this one gives values near their neighbours, if it is not decided by shape.
        example: position of a cell that could be read either way, None if there is none.
    """

    decimal: str | None
    by_shape: bool = False
    is_near: bool = False
    example: int | None = None


def decide(
    digits: Sequence[str],
    negative: Sequence[bool],
    codes: np.ndarray,
    decimal: str | None = None,
    thousands: str | None = None,
) -> Decision:
    """The decimal separator of a column.

    Arguments:
        digits: the distinct numbers of the column, without signs.
        negative: whether each of them is negative.
        codes: (N,) the number of each row, in the order of the table.
        decimal, thousands: as given; see `gatewise.read`.

    >>> decide(["854", "1.029", "987"], [False] * 3, np.arange(3))
    Decision(decimal=',', by_shape=False, is_near=True, example=1)
    >>> decide(["1.5", "1.029", "987"], [False] * 3, np.arange(3)).decimal
    '.'
    """
    decimal = decimal or OTHER.get(thousands or "")
    if decimal is not None:
        return Decision(decimal, by_shape=True)
    fits = {char: readable(digits, char, thousands) for char in OTHER}
    counts = np.bincount(codes, minlength=len(digits))
    rows = {char: int(counts[fit].sum()) for char, fit in fits.items()}
    separated = np.array([("." in text) or ("," in text) for text in digits], bool)
    if rows["."] != rows[","]:
        return Decision(max(rows, key=lambda char: rows[char]), by_shape=True)
    open_cells = separated & fits["."] & fits[","]
    if not open_cells.any():
        return Decision(".")
    example = int(open_cells.argmax())
    used = {char for text, is_open in zip(digits, open_cells, strict=True) if is_open for char in OTHER if char in text}
    if len(used) > 1:
        return Decision(None, example=example)
    return _by_integers(digits, np.array(negative, bool), codes, used.pop(), open_cells)._replace(example=example)


def _by_integers(
    digits: Sequence[str], negative: np.ndarray, codes: np.ndarray, separator: str, open_cells: np.ndarray
) -> Decision:
    """The decision by the cells without separators, and by continuity."""
    thousands = np.array(
        [
            float(text.replace(separator, "")) if is_open else np.nan
            for text, is_open in zip(digits, open_cells, strict=True)
        ]
    )
    integers = np.array([float(text) if text.isdecimal() else np.nan for text in digits])
    integers[_is_marker(integers, negative, codes)] = np.nan
    number = int(np.isfinite(integers).sum())
    if number == 0:
        return Decision(None)
    as_thousands, as_decimals = (_jump(integers, values, codes) for values in (thousands, thousands / 1000))
    near_thousands = as_thousands + FACTOR < as_decimals
    near_decimals = as_decimals + FACTOR < as_thousands and as_decimals < NEAR  # 226 is near neither 24,074 nor 24.074
    is_regular = number >= LEAST_INTEGERS and np.nanmax(integers) < 1000
    if is_regular and (number >= MANY_INTEGERS or as_thousands <= as_decimals):
        return Decision(OTHER[separator], is_near=near_thousands)
    if near_thousands or near_decimals:
        return Decision(OTHER[separator] if near_thousands else separator, is_near=True)
    return Decision(None)


def _is_marker(integers: np.ndarray, negative: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Whether an integer is zero, or seems to mark missing values: 999 repeated, -999, or the only negative value."""
    repeated = np.bincount(codes, minlength=len(integers)) > 1
    nines = np.isin(integers, NINES)
    lonely = negative & repeated & (negative.sum() == 1)
    return np.asarray((integers == 0) | (nines & (repeated | negative)) | lonely)


def _jump(integers: np.ndarray, values: np.ndarray, codes: np.ndarray) -> float:
    """The median change, as a logarithm, between a cell without separators and its neighbour with one."""
    is_integer = np.isfinite(integers)
    logs = np.log(np.where(is_integer, integers, values))
    rows = codes[(codes >= 0) & np.isfinite(logs)[codes]]
    crossing = np.flatnonzero(is_integer[rows][1:] != is_integer[rows][:-1])
    steps = np.abs(np.diff(logs[rows]))[crossing]
    return float(np.median(steps)) if len(steps) else 0.0


def may_be_thousands(values: np.ndarray) -> bool:
    """Whether decimals of a file could be thousands such as 1.204; cheap, so that usual columns are not read again.

    Arguments:
        values: (N,) a column as pandas reads it.

    >>> [may_be_thousands(np.array(values)) for values in ([854, 1.029, 987], [1.029, 1.1], [1204.5, 12])]
    [True, True, False]
    """
    present = values[np.isfinite(values)]
    if len(np.unique(present[present < 0])) == 1:  # a marker such as -1
        present = present[present >= 0]
    size = np.abs(present)
    size = size[~np.isin(size, NINES[3:])]
    whole = size == np.round(size)
    is_counts = bool(np.isnan(values).any() and whole.all())  # integers with missing cells
    if not len(size) or size.max() >= 1000 or is_counts or ((size > 0) & (size < 1)).any() or not _at_most(size, 3):
        return False
    if whole.all():
        return True
    if not _at_most(size, 2) or (~whole).sum() <= FEW_FRACTIONS or (size[whole] % 10 == 0).all():
        return True  # 1.230 is 1.23 to pandas
    integers = np.where(whole & (size > 0), size, np.nan)
    if not np.isfinite(integers).any():
        return False
    scaled = [np.where(whole, np.nan, size * scale) for scale in (1000, 1)]
    as_thousands, as_decimals = (_jump(integers, values, np.arange(len(size))) for values in scaled)
    return as_thousands <= as_decimals


def remembered(decision: Decision, decimal: str | None, earlier: str | None) -> str | None:
    """The decimal separator of a column, that of an earlier table where the cells leave two readings.

    Arguments:
        decision: by the cells of the column.
        decimal: by the whole file.
        earlier: of the earlier table; None if it is unknown.

    Returns:
        None if the values contradict the earlier table, although the cells do not.

    >>> remembered(Decision(None, example=0), ".", ","), remembered(Decision(".", by_shape=True), ".", ",")
    (',', '.')
    """
    if earlier is None or decision.by_shape or decision.example is None:
        return decimal
    contradicts = decision.is_near and decision.decimal != earlier
    return None if contradicts else earlier


def shows_separator(parts: Iterable[Any]) -> bool:
    """Whether some number of a column holds a point or a comma."""
    return any(part is not None and ("." in part.digits or "," in part.digits) for part in parts)


def _at_most(size: np.ndarray, decimals: int) -> bool:
    """Whether no value has more decimals."""
    scaled = size * 10.0**decimals
    return bool((np.abs(scaled - np.round(scaled)) < 1e-6).all())


def has_decimals(values: np.ndarray) -> bool:
    """Whether a column has fractions that are no time, such as 2020.25 or 12.2020 (December 2020).

    >>> has_decimals(np.array([1.5, 0.5, 2])), has_decimals(np.array([11.2020, 12.2020, 1.2021]))
    (True, False)
    """
    values = values[np.isfinite(values)]
    fractions, months = np.abs(values % 1), np.floor(values)
    is_month = ((months >= 1) & (months <= 12) & (fractions > 0.19) & (fractions < 0.21)).all()
    steps = np.diff(values)
    is_axis = len(steps) > 0 and 0 < steps.max() < 1.2 * steps.min()
    return bool((fractions > 0).any() and not is_month and not is_axis)


def are_groups(cells: Iterable[str]) -> bool:
    """Whether all cells are integers below 1000 or groups of three digits.

    >>> are_groups(["854", "1.029"]), are_groups(["854", "1.5"]), are_groups(["1.029", "1.071"])
    (True, False, True)
    """
    return all(_GROUPS.fullmatch(cell.strip()) is not None for cell in cells)


def readable(digits: Sequence[str], decimal: str, thousands: str | None) -> np.ndarray:
    """Whether each number is regular with this decimal separator."""
    fullmatch = _pattern(decimal, thousands).fullmatch
    return np.fromiter((fullmatch(text) is not None for text in digits), bool, len(digits))


@lru_cache
def _pattern(decimal: str, thousands: str | None) -> re.Pattern[str]:
    """Numbers with this decimal separator, and groups of three digits; also Indian groups such as 1,23,456."""
    characters = OTHER[decimal] + "' " if thousands is None else thousands
    integer = r"\d+"
    if characters:
        integer += rf"|[1-9]\d{{0,2}}([{characters}])\d{{3}}(?:\1\d{{3}})*"
    if "," in characters:
        integer += r"|[1-9]\d?(?:,\d\d)+,\d{3}"
    return re.compile(rf"(?:{integer})(?:[{decimal}]\d*)?|[{decimal}]\d+", re.ASCII)


def plain(text: str, decimal: str) -> str:
    """A number without separators of thousands, with a decimal point.

    >>> plain("1.234,5", ","), plain("1'234.5", ".")
    ('1234.5', '1234.5')
    """
    return text.replace(OTHER[decimal], "").replace("'", "").replace(" ", "").replace(decimal, ".")
