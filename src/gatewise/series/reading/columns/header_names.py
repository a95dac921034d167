"""Header names: the words, marks and separators around dates in a header, such as Sales 2020-01 and 2020-12 (p)."""

import re
from collections.abc import Sequence
from typing import NamedTuple

YEAR = re.compile(r"(?:[A-Za-z]{1,2}[ _-]?)?(1[89]\d\d|2[01]\d\d)(?:\s*\[YR\1\])?")  # 1960, X1960, 1960 [YR1960]
INTEGER = re.compile(r"-?\d+")  # seconds before 1970 are negative
_MARKED = re.compile(  # (p), F and rev, but no words such as Plan
    r"(?P<date>.*\d)\s*[(\[]?\s*(?:[^\W\d_]{1,3}\.?|[*†‡°]+)\s*[)\]]?"
)
_CERTAIN = re.compile(r"(?<!\d)(1[89]|2[01])\d\d|[^\W\d_]")  # a year, or letters
_TWO_NUMBERS = re.compile(r"\d{4}\W(\d+)|(\d+)\W\d{4}")


class Plain(NamedTuple):
    """Names without the words that all of them share.

    Attributes:
        texts: what is left of each.
        words: the shared ones, which may say that the numbers are weeks.
    """

    texts: list[str]
    words: str


def form(name: str) -> str:
    """The form of a name: the same for names that differ only in their digits and words.

    >>> form("Jan-2020"), form("févr.-2020"), form("2020-05"), form("2020-O6")
    ('a-0', 'a-0', '0-0', '0-a0')
    """
    return "0" if INTEGER.fullmatch(name) else re.sub(r"\d+", "0", re.sub(r"[^\W\d_]+(?:\.(?!\d))?", "a", name))


def marked(name: str) -> str | None:
    """The date in a name with a sign or a few letters behind it; None for others.

    >>> marked("2022-12 (p)"), marked("2022-12*"), marked("2022-12 Budget")
    ('2022-12', '2022-12', None)
    """
    match = _MARKED.fullmatch(name.strip())
    return match and match["date"]


def plain(names: Sequence[str]) -> Plain | None:
    """Names without shared words, and with usual separators; None where nothing changes, or what is left is no date.

    >>> plain(["Sales 2020_01", "Sales 2020_02", "Sales 2020_12"])
    Plain(texts=['2020-01', '2020-02', '2020-12'], words='Sales')
    """
    before, after = _shared(names), _shared([name[::-1] for name in names])[::-1]
    texts = [name[len(before) : len(name) - len(after)] for name in names]
    words = re.sub(r"[\W_]+", " ", f"{before} {after}").strip()
    if 0 < len(before.strip(" _-.")) <= 2 and before.strip(" _-.").upper() != "X":  # Q 2020-1, W202001; R writes X
        return None
    texts = [re.sub(r"(?<=\d)_(?=\d)", "-", text).strip(" _") for text in texts]
    if all(re.fullmatch(r"\d{4}\.0", text) for text in texts):  # years as floating-point numbers
        texts = [text.removesuffix(".0") for text in texts]
    if texts == list(names) or not all(map(_CERTAIN.search, texts)):
        return None
    if all(map(str.isdecimal, texts)) and not {len(text) for text in texts} <= ({6, 8} if words else {4}):
        return None  # Sensor 2001 need not be a year
    return None if _may_be_parts_of_years(texts) else Plain(texts, words)


def _may_be_parts_of_years(texts: Sequence[str]) -> bool:
    """Whether years with a number may be quarters, or weeks without leading zeros, as a word beside them may say."""
    found = [_TWO_NUMBERS.fullmatch(text) for text in texts]
    numbers = [match[1] or match[2] for match in found if match]
    return len(numbers) == len(texts) and {len(number) for number in numbers} != {2}


def _shared(names: Sequence[str]) -> str:
    """The start that all names share, up to a digit or the end of a word."""
    low, high = min(names), max(names)  # all others share as much as these
    differ = (i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b)
    start = re.match(r"\D*", low[: next(differ, min(len(low), len(high)))])
    shared = start[0] if start else ""
    inside = any(name[len(shared) : len(shared) + 1].isalpha() for name in names)
    return re.sub(r"[^\W\d_]+$", "", shared) if inside else shared


def kinds(names: Sequence[str]) -> list[dict[str, list[str]]]:
    """The ways to divide names by their last words, or their first: word -> its names; at least two words each.

    >>> kinds(["2020-01 Actual", "2020-01 Budget"])
    [{'Actual': ['2020-01 Actual'], 'Budget': ['2020-01 Budget']}]
    """
    divisions = []
    for pattern in (r".*\d[\W_]*([^\W\d_]\D*)", r"([^\W\d_][^\d_]*)[\W_].*\d.*", r"([^\W\d_]+)[\W_]+[^\W\d_]+.*\d"):
        words: dict[str, list[str]] = {}
        for name in names:
            match = re.fullmatch(pattern, name)
            if match:
                words.setdefault(match[1].strip(" )]"), []).append(name)
        if len(words) > 1:
            divisions.append(words)
    return divisions
