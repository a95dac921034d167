"""Text in figures: names of limited length, numbers and percentages."""

import re


def shortened(text: str, most: int = 40) -> str:
    """A text of at most `most` letters, cut at the end, with dollars escaped."""
    return literal(text if len(text) <= most else f"{text[: most - 1].rstrip()}…")


def literal(text: str) -> str:
    """A text with dollars escaped: matplotlib reads text between two dollars as a formula. Idempotent."""
    return re.sub(r"(?<!\\)\$", r"\\$", text)


def shortened_in_middle(name: str, most: int) -> str:
    """A name of at most `most` letters, cut in the middle: long names often differ at the beginning or the end."""
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-((most - 1) // 2) :]}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 step", "24 steps"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(fraction: float, digits: int = 0) -> str:
    """A fraction in percent: "61 %"; "100 %" and "0 %" only if exact, otherwise ">99 %" and "<1 %"."""
    step = 10.0**-digits
    value = 100 * fraction
    if 100 - step / 2 <= value < 100:
        return f">{100 - step:.{digits}f} %"
    if 0 < value < step / 2:
        return f"<{step:.{digits}f} %"
    return f"{value:.{digits}f} %"
