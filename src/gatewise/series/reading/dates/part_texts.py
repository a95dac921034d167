"""Part texts: cells of text that are months, quarters, half years, weeks, weekdays or hours, as numbers.

A word that may as well name series, such as T1 or I, is a part of a date only where the cells hold all of its numbers.

Letters: N rows, C distinct cells.
"""

import re
import unicodedata
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.reading.dates.month_names import month_number, weekday_number

DAY = 24 * 60  # minutes
ROMAN = {
    name: number
    for number, name in enumerate(["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"], start=1)
}
IN_TURN = 0.9  # of the steps between rows
COUNTS = {"month": 12, "quarter": 4, "half": 2, "week": 53, "hour": 24}
WORDS = {  # part -> words beside its number, without accents
    "month": "m month monat mois mes mese maand maned manad periode",
    "quarter": "q qtr quarter quartal trimestre trimester trim kwartaal kwartal kvartal",
    "half": "halbjahr semestre semester half hj",
    "week": "w wk kw cw week woche semaine semana settimana vecka uge",
    "hour": "he hr hour stunde std heure hora ora uur uhr",
}
WORDS_OF_ALL = {  # words that need all numbers of the part
    "month": "p",
    "quarter": "t k",
    "half": "h s",
    "week": "s",
    "hour": "h t",
}
_NUMBER = rf"\d{{1,2}}|{'|'.join(sorted(ROMAN, key=len, reverse=True))}"
_BEFORE = re.compile(rf"([a-z]+)(?:[ ._-]*(\d{{1,2}})|[ ._-]+({_NUMBER}))")
_AFTER = re.compile(rf"({_NUMBER})[ .]*(?:(?:st|nd|rd|th|er|eme|re|e|o|a)(?=[ .-]))?[ .-]*([a-z]+)")
_NAMED = re.compile(r"(\d{1,2})[ ._-]+([a-z]+)\.?|([a-z]+)\.?[ ._-]*\(?(\d{1,2})\)?")
_NOON = re.compile(r"(\d{1,2}) ?([ap])\.?m\.?")
_TIME = r"(\d{1,2})(?:[:.h](\d{2})(?::00)?)?(?: ?(?:h|uhr))?"
_RANGE = re.compile(rf"{_TIME} ?(?:-|bis|to|a|till|until|/) ?{_TIME}")


class _Found(NamedTuple):
    """A part and the numbers (C,) of distinct cells, which may be amounts unless they come in turn."""

    part: str
    numbers: np.ndarray
    in_turn: bool = False


class PartText(NamedTuple):
    """A column of text as a part of a date.

    Attributes:
        part: "month", "quarter", "half", "week", "weekday", or "minute" (of the day).
        numbers: (N,) the number of the part in each cell.
    """

    part: str
    numbers: np.ndarray


def part_text(column: pd.Series) -> PartText | None:
    """The part of a date that every cell of a column of text names, in any common language; else None.

    >>> part_text(pd.Series(["Januar", "März"])), part_text(pd.Series(["north", "south"]))
    (PartText(part='month', numbers=array([1., 3.])), None)
    """
    if len(column) == 0 or not isinstance(column.iloc[0], str):
        return None
    codes, distinct = pd.factorize(column)
    if len(distinct) > DAY or (codes < 0).any() or not all(isinstance(cell, str) for cell in distinct):
        return None
    cells = [_plain(cell) for cell in distinct]
    for read in (_months, _weekdays, _ranges, _halves_of_day, _numbered):
        found = read(cells)
        if found is not None:
            numbers = found.numbers[codes]
            return PartText(found.part, numbers) if not found.in_turn or _in_turn(numbers) else None
    return None


def _plain(cell: str) -> str:
    """A cell in small letters, without accents."""
    letters = cell.strip().lower().replace("–", "-").replace("—", "-").replace("ł", "l")
    return " ".join(unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode().split())


def _months(cells: list[str]) -> _Found | None:
    """Names of months; a number beside the name is that of the month."""
    numbers = []
    for cell in cells:
        match = _NAMED.fullmatch(cell)
        number = month_number(match[2] or match[3]) if match else month_number(cell)
        if np.isnan(number) or (match and float(match[1] or match[4]) != number):
            return None
        numbers.append(number)
    return _Found("month", np.array(numbers))


def _weekdays(cells: list[str]) -> _Found | None:
    numbers = np.array([weekday_number(cell) for cell in cells])
    if np.isnan(numbers).any() or len(set(numbers)) < len(numbers):
        return None
    return _Found("weekday", numbers)


def _ranges(cells: list[str]) -> _Found | None:
    """The starts of ranges such as 00-01 or 00:00 - 00:15, of one length, that cover a day."""
    found = [_RANGE.fullmatch(cell) for cell in cells]
    if not all(found):
        return None
    parts = np.array([[int(part or 0) for part in match.groups()] for match in found if match])
    start, end = parts[:, 0] * 60 + parts[:, 1], parts[:, 2] * 60 + parts[:, 3]
    lengths = (end - start) % DAY
    usual = int(lengths[0])
    valid = (start < DAY).all() and (end <= DAY).all() and (parts[:, [1, 3]] < 60).all()
    if not valid or not usual or (lengths != usual).any() or len(np.unique(start)) * usual < 0.9 * DAY:
        return None
    return _Found("minute", start.astype(np.float64))


def _halves_of_day(cells: list[str]) -> _Found | None:
    """All hours of a day such as 12 AM or 1pm."""
    found = [_NOON.fullmatch(cell) for cell in cells]
    if not all(found):
        return None
    hours = np.array([int(match[1]) % 12 + 12 * (match[2] == "p") for match in found if match], np.float64)
    valid = all(1 <= int(match[1]) <= 12 for match in found if match) and len(hours) >= COUNTS["hour"] - 1
    return _Found("minute", hours * 60, in_turn=True) if valid else None


def _numbered(cells: list[str]) -> _Found | None:
    """A word with a number, such as Q1, T1, II, Month 1, 1st quarter or HE1; the same word in every cell."""
    pairs = [_pair(cell) for cell in cells]
    words, in_turn = {word for word, _, _ in pairs}, any(before for _, _, before in pairs)
    word, numbers = next(iter(words)), np.array([number for _, number, _ in pairs], np.float64)
    if len(words) != 1 or word is None or np.isnan(numbers).any():
        return None
    for part, count in COUNTS.items():
        least = 0 if part == "hour" else 1
        if numbers.min() < least or numbers.max() > count:
            continue
        is_whole = len(np.unique(numbers)) >= count - (part in ("week", "hour"))
        is_word = word in WORDS[part].split() and (is_whole or not in_turn)
        is_name = word == "" and part in ("month", "quarter")
        if is_word or (is_whole and (is_name or word in WORDS_OF_ALL[part].split())):
            return _Found("minute", numbers * 60, in_turn) if part == "hour" else _Found(part, numbers, in_turn)
    return None


def _in_turn(numbers: np.ndarray) -> bool:
    """Whether the numbers of the rows (N,) come one after the other, forwards or backwards, again and again."""
    ranks = np.unique(numbers, return_inverse=True)[1]
    steps = np.diff(ranks) % (ranks.max() + 1)
    return any(float(np.isin(steps, (0, step)).mean()) >= IN_TURN for step in (1, ranks.max()))


def _pair(cell: str) -> tuple[str | None, float, bool]:
    """The word of a cell, "" for a Roman number alone; its number; and whether this stands before the word."""
    if cell.rstrip(".") in ROMAN:
        return "", ROMAN[cell.rstrip(".")], False
    match = _BEFORE.fullmatch(cell)
    if match:
        return match[1], _value(match[2] or match[3]), False
    match = _AFTER.fullmatch(cell)
    return (match[2], _value(match[1]), match[1].isdecimal()) if match else (None, np.nan, False)


def _value(number: str) -> float:
    return float(ROMAN.get(number) or number)
