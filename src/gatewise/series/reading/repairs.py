"""Repairs: the repairs of each series, and the sentences that state them."""

from collections.abc import Sequence
from dataclasses import dataclass

from gatewise.series.values import FILLS
from gatewise.series.wording import FEW, counted


@dataclass(frozen=True)
class Repair:
    """A repair of one series."""

    kind: str  # "sorted", "left out" or "filled"
    series: str
    count: int = 0
    first: str = ""  # date


def describe_repairs(repairs: Sequence[Repair], fill: str | None) -> tuple[str, ...]:
    """A sentence for each repair, or one for all repairs of a kind where there are many."""
    kinds = ([repair for repair in repairs if repair.kind == kind] for kind in ("sorted", "left out", "filled"))
    return tuple(sentence for kind in kinds for sentence in _sentences(kind, fill))


def _sentences(repairs: list[Repair], fill: str | None) -> list[str]:
    return [_describe(repair, fill) for repair in repairs] if len(repairs) <= FEW else [_summarize(repairs, fill)]


def _describe(repair: Repair, fill: str | None) -> str:
    if repair.kind == "sorted":
        return f"sorted by date: {repair.series}"
    if repair.kind == "left out":
        dates, are = ("date", "value is") if repair.count == 1 else (f"{repair.count} dates", "values are")
        return f"left out: the first {dates} of {repair.series}, whose {are} missing"
    return (
        f"filled {FILLS[str(fill)]}: {counted(repair.count, 'value')} of {repair.series}, the first at {repair.first}"
    )


def _summarize(repairs: list[Repair], fill: str | None) -> str:
    series, count, first = f"{len(repairs)} series", sum(repair.count for repair in repairs), repairs[0]
    if first.kind == "sorted":
        return f"sorted by date: {series}, starting with {first.series}"
    if first.kind == "left out":
        return f"left out: {count} dates at the start of {series}, whose values are missing; first in {first.series}"
    return f"filled {FILLS[str(fill)]}: {count} values of {series}, the first in {first.series} at {first.first}"
