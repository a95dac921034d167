"""Words: what the sentences of all errors have in common."""

from collections.abc import Iterable
from difflib import get_close_matches


def counted(count: int, what: str) -> str:
    """A number of things for a person.

    >>> counted(1, "value"), counted(2, "value"), counted(0, "series")
    ('1 value', '2 values', '0 series')
    """
    return f"{count} {what}{'' if count == 1 or what.endswith('series') else 's'}"


def quoted(value: object, longest: int = 60) -> str:
    """A value as Python writes it, cut where it is long: a cell may hold a whole book.

    >>> quoted("n/a"), quoted("x" * 100, longest=8)
    ("'n/a'", "'xxxxxxxx…'")
    """
    return repr(value if not isinstance(value, str) or len(value) <= longest else f"{value[:longest]}…")


def meant(name: object, known: Iterable[object]) -> str:
    """The known name that a wrong one resembles, as a question; nothing if there is none.

    >>> meant("slaes", ["ds", "sales"]), meant("price", ["ds", "sales"])
    ("; did you mean 'sales'?", '')
    """
    names = {str(one).lower(): one for one in known}
    close = get_close_matches(str(name).lower(), names, n=1)
    return f"; did you mean {names[close[0]]!r}?" if close else ""
