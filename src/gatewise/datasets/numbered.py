"""Names of columns that end in numbers, such as t0, t1, t2: their order, their channels, and names of another form."""

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

NAME = re.compile(r"(.*?)(\d+)(\D*)$", re.DOTALL)
EARLIER = re.compile(r"(-|−|lag|minus|before)[\W_]*$")  # of a stem whose numbers may count backwards
FEWEST = 4  # columns that make a form
MOST_NAMES = 0.7  # fraction of the names that have one stem, in a table of steps
BASELINE = "baseline"  # a step before step 1


class Numbered(NamedTuple):
    """A name in two parts: the text around its last number, in lower case, and the number."""

    stem: str
    number: float


def numbered(name: Any) -> Numbered | None:
    """The parts of a name; None without a number.

    >>> numbered("acc1_20"), numbered("0.5"), numbered("age")
    (Numbered(stem='acc1_', number=20.0), Numbered(stem='', number=0.5), None)
    """
    text = str(name).strip().lower()
    match = NAME.match(text)
    if match is None:
        return None
    try:
        number = float(text)
        return Numbered("", number) if math.isfinite(number) else None
    except ValueError:
        return Numbered(match[1] + match[3], float(match[2]))


def in_order(names: Sequence[Any]) -> list[Any]:
    """Names of one stem in the order of their numbers; others keep their places.

    Numbers that fall throughout are left as they are, if the names are numbers, as in spectra, or count backwards.

    >>> in_order(["t0", "t1", "t10", "t2"]), in_order(["lag2", "lag1", "lag0"])
    (['t0', 't1', 't2', 't10'], ['lag2', 'lag1', 'lag0'])
    """
    ordered = list(names)
    for stem, members in _groups(names).items():
        if len(members) < MOST_NAMES * len(names):
            continue
        numbers = [number for _, number in members]
        falling = numbers == sorted(numbers, reverse=True) and (not stem or EARLIER.search(stem))
        decimal = re.search(r"\d[.,]$", stem)  # perhaps fractions, perhaps versions
        if len(members) < FEWEST - 1 or len(set(numbers)) < len(numbers) or falling or decimal:
            continue
        places = [place for place, _ in members]
        for place, (source, _) in zip(places, sorted(members, key=lambda member: member[1]), strict=True):
            ordered[place] = names[source]
    return ordered


def channels(names: Sequence[Any]) -> list[list[Any]]:
    """The steps of each channel, if all numbers come once for each of several stems; else no channels.

    >>> channels(["x_0", "x_1", "x_2", "x_3", "z_0", "z_1", "z_2", "z_3"])
    [['x_0', 'x_1', 'x_2', 'x_3'], ['z_0', 'z_1', 'z_2', 'z_3']]
    """
    groups = _groups(names)
    if len(groups) < 2 or sum(map(len, groups.values())) < len(names) or any(re.search(r"\d", stem) for stem in groups):
        return []
    counted = [sorted(number for _, number in members) for members in groups.values()]
    if len(counted[0]) < FEWEST or len(set(counted[0])) < len(counted[0]) or any(one != counted[0] for one in counted):
        return []
    return [in_order([names[place] for place, _ in members]) for members in groups.values()]


def stem(name: Any) -> str:
    """A name without its number, such as the name of a channel.

    >>> stem("acc_x_12")
    'acc_x'
    """
    match = NAME.match(str(name).strip())
    return f"{match[1]}{match[3]}".strip("_-. ") if match else str(name)


def strangers(names: Sequence[Any]) -> dict[Any, str]:
    """The names that do not follow those of the other columns, which share one stem and end in numbers.

    >>> strangers(["m0", "m1", "m2", "m3", "m4", "score"])
    {'score': 'its name does not follow those of the other columns, m0 to m4'}
    """
    groups = _groups(names)
    several = {stem: members for stem, members in groups.items() if len(members) > 1}
    if not several or max(map(len, several.values())) < FEWEST:
        return {}
    largest = max(several, key=lambda stem: len(several[stem]))
    numbers = [number for _, number in several[largest]]
    members = {place for members in several.values() for place, _ in members}
    others = [
        name
        for place, name in enumerate(names)
        if place not in members
        and str(name).strip().lower() != largest.rstrip("._- ")  # pandas names columns of one name t, t.1, t.2
        and not (place == 0 and min(numbers) >= 1 and str(name).strip().lower() == BASELINE)
    ]
    if 2 * len(others) > len(members):
        return {}
    first, last = names[several[largest][0][0]], names[several[largest][-1][0]]
    return dict.fromkeys(others, f"its name does not follow those of the other columns, {first} to {last}")


def _groups(names: Sequence[Any]) -> dict[str, list[tuple[int, float]]]:
    """The place and number of the names of each stem."""
    groups: dict[str, list[tuple[int, float]]] = {}
    for place, name in enumerate(names):
        parts = numbered(name)
        if parts is not None:
            groups.setdefault(parts.stem, []).append((place, parts.number))
    return groups
