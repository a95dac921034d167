"""Number parts: a cell such as "($1.2K)" as its digits, its sign, and the currency, unit or flag beside them."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

SPACES = "\u00a0\u2007\u2009\u202f\u2002\u2003\u2005\u2006\u2008\u3000"
_SAME = {  # characters that mean the same: spaces, apostrophes, minus signs, digits and separators of other scripts
    **dict.fromkeys(map(ord, SPACES), " "),
    **dict.fromkeys(map(ord, "’‘ʼ′`´"), "'"),
    **dict.fromkeys(map(ord, "−–—‒―－"), "-"),
    **{zero + digit: str(digit) for zero in (0x660, 0x6F0, 0x966, 0xFF10) for digit in range(10)},
    **{ord("，"): ",", ord("．"): ".", ord("％"): "%", ord("＋"): "+"},
}
_CELL = re.compile(r"([^0-9]*?)([.,]?[0-9](?:[0-9.,' ]*[0-9])?[.,]?)([eE][+-]?[0-9]+)?([^0-9]*)")
_SUFFIX = re.compile(
    r"""\([a-z]{1,2}\)|[*†‡]{1,3}|[^\s+\-=:;"'?!<>{}|\\_()\[\],]{1,14}(?: [^\s+\-=:;"'?!()\[\],]{1,14})?"""
)
_FLAG = re.compile(r"\([a-z]{1,2}\)|[bcdefinprsuvz]{1,2}|[*†‡]{1,3}")
_CODES = frozenset(
    [
        "USD",
        "EUR",
        "GBP",
        "JPY",
        "CHF",
        "CNY",
        "RMB",
        "INR",
        "AUD",
        "CAD",
        "NZD",
        "SEK",
        "NOK",
        "DKK",
        "ISK",
        "PLN",
        "CZK",
        "HUF",
        "RON",
        "BGN",
        "RUB",
        "UAH",
        "TRY",
        "BRL",
        "MXN",
        "ARS",
        "CLP",
        "COP",
        "ZAR",
        "KRW",
        "SGD",
        "HKD",
        "TWD",
        "THB",
        "IDR",
        "MYR",
        "PHP",
        "VND",
        "ILS",
        "AED",
        "SAR",
        "EGP",
        "NGN",
        "KES",
        "US$",
        "KR",
        "ZŁ",
        "KČ",
        "FT",
        "FR",
        "SFR",
        "RS",
        "LEI",
        "ZL",
        "KC",
    ]
)
_MULTIPLES = {
    **dict.fromkeys(("k", "tsd", "thousand"), 3),
    **dict.fromkeys(("m", "mn", "mio", "mill", "million", "millions", "millionen"), 6),
    **dict.fromkeys(("b", "bn", "mrd", "mld", "bil", "billion", "billions"), 9),
    **dict.fromkeys(("t", "tn", "trn", "trillion", "trillions"), 12),
}


class Affixes(NamedTuple):
    """What stands before and behind the digits of a cell."""

    sign: str = ""  # "" or "-"
    currency: str = ""
    suffix: str = ""  # a unit, a multiple such as K, or a flag; with a space before it if the cell has one
    style: str = ""  # how a negative number is written, if not by a minus before it


class Parts(NamedTuple):
    """The parts of a cell that may be a number."""

    digits: str  # with their separators, spaces and apostrophes
    exponent: str  # such as "e+05"
    affixes: Affixes


def normalized(cell: str) -> str:
    """A cell with plain spaces, apostrophes, minus signs and digits.

    >>> normalized(" −1\u202f234 "), normalized("1’234")
    ('-1 234', "1'234")
    """
    return (cell if cell.isascii() else cell.translate(_SAME)).strip()


def parts(cell: str) -> Parts | None:
    """The parts of a normalized cell, None if it is no number.

    >>> parts("($1,204.5)").digits, parts("($1,204.5)").affixes.sign, parts("12 kWh").affixes.suffix
    ('1,204.5', '-', ' kWh')
    >>> parts("1'100.-").affixes.sign, parts("100-").affixes.sign
    ('', '-')
    >>> parts("1_000"), parts("2020-01-31"), parts("S1")
    (None, None, None)
    """
    match = _CELL.fullmatch(cell)
    if match is None:
        return None
    head, digits, exponent, tail = match.groups()
    if digits[-1] in ".,":  # the dash of 100.- stands for no cents
        tail = tail.lstrip("-")
    affixes = _PLAIN if not head and not tail else _affixes(head, tail)
    return None if affixes is None else Parts(digits, exponent or "", affixes)


_PLAIN = Affixes()


@lru_cache(4096)
def _affixes(head: str, tail: str) -> Affixes | None:
    head, style = head.strip(), ""
    if (head, tail) == ('="', '"'):  # how a spreadsheet keeps a number as text
        return _PLAIN
    head = head.removeprefix("'")
    if "(" in head:
        if head.count("(") > 1 or tail.count(")") != 1 or "-" in head:
            return None
        head, tail, style = head.replace("(", ""), tail.replace(")", ""), "negative numbers in parentheses"
    elif tail.rstrip().endswith("-"):
        tail, style = tail.rstrip()[:-1].rstrip(), "minus behind the digits"
    signs = [character for character in head if character in "+-"]
    currency = head.replace("+", "").replace("-", "").strip()
    if len(signs) > 1 or (signs and style) or (currency and not _is_currency(currency)):
        return None
    suffix = tail.strip()
    if suffix and not (_SUFFIX.fullmatch(suffix) and _is_meaningful(suffix)):
        return None
    sign = "-" if style or signs == ["-"] else ""
    return Affixes(sign, currency, (" " if tail[:1] == " " else "") + suffix if suffix else "", style)


def _is_meaningful(suffix: str) -> bool:
    """Whether a suffix has a letter or a sign of a unit, a currency or a flag."""
    return any(c.isalpha() or c in "%‰°*†‡" or unicodedata.category(c) == "Sc" for c in suffix)


def _is_currency(text: str) -> bool:
    last = text[-1:]
    is_symbol = bool(last) and unicodedata.category(last) == "Sc" and len(text) <= 3
    return is_symbol or text.rstrip(".").upper() in _CODES


class Suffixes(NamedTuple):
    """The suffixes that one column may have: the power of ten of each, and what they are."""

    powers: Mapping[str, int]
    noun: str = ""


def read_suffixes(rows: Mapping[str, int]) -> Suffixes:
    """The meaning of the suffixes of a column: one unit in all cells, multiples of one unit, or flags at some cells.

    Arguments:
        rows: the number of rows with each suffix.

    Returns:
        Cells with another suffix are no numbers of this column.

    >>> read_suffixes({"K": 3, "M": 1, "": 2}).powers, read_suffixes({"%": 5}).noun
    ({'K': 3, 'M': 6, '': 0}, 'percent')
    """
    stripped = {suffix.strip() for suffix in rows}
    if stripped == {""}:
        return Suffixes(dict.fromkeys(rows, 0))
    if len(stripped) == 1:
        return _one_suffix(rows, stripped.pop())
    split = {suffix: _split(suffix) for suffix in rows}
    units = {unit for _, unit in split.values()}
    has_multiples = any(
        power == 3 or suffix.strip()[:1].isupper() or len(suffix.strip()) > 1
        for suffix, (power, _) in split.items()
        if power
    )
    if len(units) == 1 and has_multiples:
        return Suffixes({suffix: power for suffix, (power, _) in split.items()}, "multiples such as K and M")
    named = stripped - {""}
    if len(named) == 1 and all(map(_is_currency, named)):
        return Suffixes(dict.fromkeys(rows, 0), f"currency {next(iter(named))!r}")
    if all(map(_FLAG.fullmatch, named)) and 2 * rows.get("", 0) >= sum(rows.values()):
        return Suffixes(dict.fromkeys(rows, 0), f"flags such as {min(named)!r}")
    totals = {suffix: sum(rows[raw] for raw in rows if raw.strip() == suffix) for suffix in stripped}
    usual = max(totals, key=lambda suffix: totals[suffix])
    return read_suffixes({raw: count for raw, count in rows.items() if raw.strip() == usual})


def _one_suffix(rows: Mapping[str, int], suffix: str) -> Suffixes:
    """The meaning of the suffix that all cells have: a multiple, or a unit that changes no value."""
    power, _ = _split(suffix)
    is_unit = suffix in ("m", "b", "t", "T") or (suffix == "K" and all(raw.startswith(" ") for raw in rows))  # kelvin
    if power and not is_unit:
        return Suffixes(dict.fromkeys(rows, power), f"multiples in {suffix!r}")
    noun = "percent" if suffix == "%" else f"{'currency' if _is_currency(suffix) else 'unit'} {suffix!r}"
    return Suffixes(dict.fromkeys(rows, 0), noun)


def _split(suffix: str) -> tuple[int, str]:
    """The power of ten of a suffix, and the unit behind it: (6, "€") for "Mio. €"."""
    word, _, unit = suffix.strip().partition(" ")
    power = _MULTIPLES.get(word.rstrip(".").lower(), 0)
    if power:
        return power, unit.strip()
    if word[:1] in "kKMB" and _is_currency(word[1:]) and not unit:
        return _MULTIPLES[word[0].lower()], word[1:]
    return 0, suffix.strip()
