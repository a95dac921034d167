"""Wording: phrases that messages share."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import pandas as pd

from gatewise.arguments import plain

MAX_NAMES, NAME_LENGTH = 5, 40  # names, characters of a name
FEW = 3  # up to this many reasons or repairs are listed one by one


def counted(count: int, noun: str) -> str:
    """A count with its noun, in singular or plural.

    >>> counted(1, "value"), counted(2, "value"), counted(0, "series")
    ('1 value', '2 values', '0 series')
    """
    return f"{count} {noun}{'' if count == 1 or noun.endswith('series') else 's'}"


def quoted(value: object, longest: int = 60) -> str:
    """The repr of a value; text is shortened to `longest` characters.

    >>> quoted("n/a"), quoted("x" * 100, longest=8)
    ("'n/a'", "'xxxxxxxx…'")
    """
    return repr(value if not isinstance(value, str) or len(value) <= longest else f"{value[:longest]}…")


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """A question that suggests the known name most similar to a wrong one; empty if none is similar.

    >>> did_you_mean("slaes", ["ds", "sales"]), did_you_mean("price", ["ds", "sales"])
    ("; did you mean 'sales'?", '')
    """
    names = {str(candidate).lower(): candidate for candidate in known}
    close = get_close_matches(str(name).lower(), names, n=1)
    return f"; did you mean {names[close[0]]!r}?" if close else ""


def format_date(moment: object) -> str:
    """A date as text, without the time of day if it is midnight; an integer unchanged."""
    if isinstance(moment, pd.Timestamp) and moment == moment.normalize() and moment.tz is None:
        return str(moment.date())
    return str(moment).removesuffix(" 00:00:00") if isinstance(moment, pd.Timedelta) else str(moment)


def and_more(count: int) -> str:
    """The number of further cases, in parentheses; empty if there are none.

    >>> and_more(3), and_more(0)
    (' (and 3 more)', '')
    """
    return f" (and {count} more)" if count else ""


def listed_dates(dates: pd.Index) -> str:
    """Dates as a list for a message, at most three of them."""
    return ", ".join(format_date(date) for date in dates[:3]) + (", ..." if len(dates) > 3 else "")


def listed(names: Any) -> str:
    """Names as a list for a message, at most twelve of them."""
    names = [repr(plain(name)) for name in names]
    return ", ".join(names if len(names) <= 12 else [*names[:10], f"... ({len(names)} in all)"])


def quote_first(names: Iterable[object]) -> str:
    """The first few names in quotes.

    >>> quote_first("abcdefg")
    "'a', 'b', 'c', 'd', 'e', ..."
    """
    quoted = [repr(truncate(str(name), NAME_LENGTH)) for name in names]
    return ", ".join(quoted[:MAX_NAMES]) + (", ..." if len(quoted) > MAX_NAMES else "")


def truncate(text: str, length: int) -> str:
    """The text, shortened to a number of characters.

    >>> truncate("seasonal", 5)
    'seas…'
    """
    return text if len(text) <= length else f"{text[: length - 1]}…"
