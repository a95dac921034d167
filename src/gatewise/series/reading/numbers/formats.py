"""Number formats: columns of text that hold numbers with separators, units or markers of missing values.

All cells of a column are read in one format; `separators` decides it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.numbers.distinct import SAMPLE, NumberColumn, number_column
from gatewise.series.reading.numbers.missing_values import FEW_COLUMNS, describe_missing, is_marker
from gatewise.series.reading.numbers.separators import (
    NAMES,
    OTHER,
    Decision,
    are_groups,
    has_decimals,
    may_be_thousands,
    readable,
    remembered,
    shows_separator,
)

MANY_COLUMNS = 8  # of a wide table
Written = Callable[[str], pd.Series]  # the cells of a column as text


class Converted(NamedTuple):
    """A table with its numbers converted.

    Attributes:
        frame: the table; cells that are no numbers stay text among numbers.
        guesses: sentences that state how numbers are read.
        warnings: sentences about what the user should look at.
        ambiguous: column -> why it can be read in two ways; it must not be used.
        percent: columns of percentages.
        decimals: decimal separator of the columns whose cells show it.
    """

    frame: pd.DataFrame
    guesses: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    ambiguous: Mapping[str, str] = {}
    percent: tuple[str, ...] = ()
    decimals: Mapping[str, str] = {}


class Unreadable(str):
    """A cell that is no number in the format of its column, although it may be one in another; and why."""

    __slots__ = ("fault",)
    fault: str


def convert(
    frame: pd.DataFrame,
    cells: CellFormat,
    written: Written | None = None,
    *,
    ids: Collection[str] = (),
    covariates: Collection[str] = (),
) -> Converted:
    """Columns of text that hold numbers as columns of numbers; columns of dates, names and categories stay text.

    Arguments:
        frame: the table.
        cells: how cells are written, as far as the caller says so.
        written: the cells of a column as text, if the table comes from a text file.
        ids: columns that name series, which stay as they are.
        covariates: columns that may be categories.

    >>> converted = convert(pd.DataFrame({"y": ["912", "1,204", "1,377"]}), CellFormat())
    >>> converted.frame["y"].tolist(), converted.guesses
    ([912.0, 1204.0, 1377.0], ("thousands separators in column 'y': '1,204' read as 1204",))
    """
    columns, points = [], []
    for name in [name for name in frame.columns if name not in ids]:
        source = frame[name]
        if source.dtype.kind == "f" and written is not None:
            text = _suspicious(source.to_numpy(), partial(written, name), cells, name)
            if text is None:
                points += [name] if has_decimals(source.to_numpy()) else []
                continue
            source = text
        column = number_column(source, cells)
        may_be_names = name in covariates and name not in cells.earlier.decimals
        if column is not None and not (may_be_names and column.are_categories(written is not None)):
            columns.append(column)
    decisions = [column.decide(cells) for column in columns]
    if _is_wide(frame) and any(map(_is_open, decisions)):
        columns, decisions = _decided_together(frame, columns, decisions, cells, written)
    usual = _usual(decisions, bool(points))
    results, decimals = [], dict.fromkeys(points, ".")
    for column, decision in zip(columns, decisions, strict=True):
        earlier = cells.earlier.decimal_of(column.name)
        resolved = _resolved(decision, usual)
        decimal = remembered(decision, resolved, earlier)
        result = _converted(column, decision, decimal, cells, column.name in covariates)
        if result is not None:
            results.append(_compared(result, decision, decimal, earlier))
        if decimal is not None and shows_separator(column.parts):
            decimals[column.name] = decimal
    return _joined(frame, results)._replace(decimals=decimals)


def _is_wide(frame: pd.DataFrame) -> bool:
    """Whether a table has far more columns than rows, so that each row is a series and a column has few cells."""
    return len(frame.columns) >= MANY_COLUMNS and len(frame.columns) >= 2 * len(frame)


def _is_open(decision: Decision) -> bool:
    return decision.example is not None and not decision.by_shape


def _decided_together(
    frame: pd.DataFrame,
    columns: Sequence[NumberColumn],
    decisions: Sequence[Decision],
    cells: CellFormat,
    written: Written | None,
) -> tuple[list[NumberColumn], list[Decision]]:
    """The columns of a wide table, decided by all cells along its rows; cells below each other say little there."""
    known = {column.name for column in columns}
    numeric = [name for name in frame.columns if frame[name].dtype.kind in "iuf" and name not in known]
    texts = {name: frame[name] if written is None else written(name) for name in numeric}
    texts |= {column.name: pd.Series(np.array([*column.cells, None], object)[column.codes]) for column in columns}
    numbered = {name for name in texts if re.search(r"\d", str(name))}  # dates; the others may be codes
    values = numbered if 2 * len(numbered) > len(texts) else set(texts)
    in_order = [texts[name].to_numpy(object) for name in frame.columns if name in values]
    pooled = number_column(pd.Series(np.column_stack(in_order).ravel(), name="values"), cells)
    decimal = None if pooled is None else pooled.decide(cells).decimal
    together = [
        Decision(decimal, by_shape=decimal is not None, example=decision.example) if _is_open(decision) else decision
        for decision in decisions
    ]
    more = [name for name in numeric if decimal == "," and frame[name].dtype.kind == "f" and written is not None]
    others = [number_column(texts[name].astype(object), cells) for name in more]
    found = [column for column in others if column is not None]
    return [*columns, *found], [*together, *(Decision(decimal, by_shape=True, example=0) for _ in found)]


def _suspicious(values: np.ndarray, written: Callable[[], pd.Series], given: CellFormat, name: str) -> pd.Series | None:
    """The text of a column of decimals that may be thousands, or contradict the given separators; None if it is fine.

    Only columns whose values allow it are read again.
    """
    fractions = np.isfinite(values) & (values != np.round(values))
    has_comma = given.decimal == "," or given.thousands == "."
    is_open = given.decimal is None and given.thousands is None
    if (has_comma or (is_open and given.earlier.decimal_of(name) == ",")) and (
        fractions.any() or np.isfinite(values).all()
    ):
        return written().astype(object)
    if not is_open or not may_be_thousands(values):
        return None
    text = written().astype(object)
    return text if are_groups(cell for cell in text if not is_marker(cell.strip())) else None


def _joined(frame: pd.DataFrame, results: "Sequence[_Result]") -> Converted:
    """The table with its converted columns, and all guesses."""
    frame = frame.copy() if results else frame
    for result in results:
        if result.cells is not None:
            frame[result.name] = pd.Series(result.cells, index=frame.index, dtype=result.cells.dtype)
    nouns = defaultdict(list)
    for result in results:
        if result.guess is not None:
            nouns[result.noun].append(result)
    guesses = [sentence for noun, group in nouns.items() for sentence in _sentences(noun, group)]
    missing = describe_missing({result.name: result.missing for result in results if result.missing is not None})
    ambiguous = {result.name: result.ambiguous for result in results if result.ambiguous is not None}
    percent = tuple(result.name for result in results if "percent" in result.noun)
    return Converted(frame, (*guesses, *missing), (), ambiguous, percent)


class _Result(NamedTuple):
    """A column of numbers: its cells, None if they stay as they are; how it is read."""

    name: str
    cells: np.ndarray | None
    noun: str = ""
    guess: str | None = None
    missing: tuple[str, int] | None = None
    ambiguous: str | None = None


def _sentences(noun: str, group: Sequence[_Result]) -> list[str]:
    if len(group) <= FEW_COLUMNS:
        return [f"{noun} in column {result.name!r}: {result.guess}" for result in group]
    return [f"{noun} in {len(group)} columns, such as {group[0].name!r}: {group[0].guess}"]


def _usual(decisions: Sequence[Decision], has_points: bool) -> set[str]:
    """The decimal separators of the columns that decide for themselves: one, if they agree."""
    by_shape = {decision.decimal for decision in decisions if decision.by_shape} | ({"."} if has_points else set())
    used = by_shape or {decision.decimal for decision in decisions if decision.example is not None}
    return {decimal for decimal in used if decimal is not None}


def _resolved(decision: Decision, used: Collection[str]) -> str | None:
    """The decimal separator of a column in its file; None if both are possible, or the columns differ."""
    if decision.by_shape or decision.example is None:
        return decision.decimal
    if len(used) > 1:
        return None
    usual = next(iter(used), None)
    if decision.decimal is None:
        return usual
    if usual in (None, decision.decimal):
        return decision.decimal
    return None if decision.is_near else usual


def _compared(result: "_Result", decision: Decision, decimal: str | None, earlier: str | None) -> "_Result":
    """The result with a guess that compares it with the earlier table, where that table decides or differs."""
    if earlier is None or decimal is None or result.guess is None or (decision.by_shape and decimal == earlier):
        return result
    if decision.example is None and not decision.by_shape:
        return result
    relation = "as in the earlier table" if decimal == earlier else "unlike in the earlier table"
    return result._replace(guess=f"{result.guess}, {relation}")


def _separator(column: NumberColumn, example: int) -> str:
    part = column.parts[example]
    return "." if part is None or "." in part.digits else ","


def _converted(
    column: NumberColumn, decision: Decision, decimal: str | None, given: CellFormat, is_covariate: bool
) -> _Result | None:
    """A column with its numbers converted, None if it stays as it is."""
    ambiguous = None
    if decimal is None and decision.example is not None:
        decimal = _separator(column, decision.example)
        ambiguous = _ambiguous(column, decision.example, decimal)
    decimal = decimal or "."
    chosen = [i for i, part in enumerate(column.parts) if part is not None]
    digits = [part.digits for part in column.parts if part is not None]
    regular = np.zeros(len(column.cells), bool)
    regular[chosen] = readable(digits, decimal, given.thousands)
    values = np.array([column.value(i, decimal) if regular[i] else np.nan for i in range(len(column.cells))])
    unreadable = ~regular & ~column.missing & np.array([bool(str(cell).strip()) for cell in column.cells], bool)
    wrong = unreadable & np.array([part is not None for part in column.parts], bool)
    is_strict = given.decimal is not None or given.thousands is not None
    stays = (
        decimal == "." and column.plain[regular].all() and not column.missing.any() and not (is_strict & wrong.any())
    )
    if unreadable.any() and is_covariate and not is_strict:
        return None
    guess = _guess(column, decision, decimal, regular, values)
    if stays:
        if ambiguous is None and decision.example is None:
            return None
        return _Result(column.name, None, *guess, ambiguous=ambiguous)
    marked = np.flatnonzero(column.missing)
    missing = (str(column.cells[marked[0]]), int(column.rows()[marked].sum())) if len(marked) else None
    if not unreadable.any():
        return _Result(column.name, np.append(values, np.nan)[column.codes], *guess, missing, ambiguous)
    cells = np.array([*values, np.nan], object)
    for i in np.flatnonzero(unreadable).tolist():
        cells[i] = Unreadable(column.cells[i])
        cells[i].fault = f"contradicts {_options(given)}" if is_strict and wrong[i] else "is not a number"
    return _Result(column.name, cells[column.codes], *guess, missing, ambiguous)


def _guess(
    column: NumberColumn, decision: Decision, decimal: str, regular: np.ndarray, values: np.ndarray
) -> tuple[str, str | None]:
    """What is special about the numbers of a column, and an example of how they are read; None if nothing is."""
    example = decision.example
    if example is not None and decimal == "." == _separator(column, example) and column.plain[regular].all():
        return "decimal point", f"{str(column.cells[example])!r} read as {number(values[example])}, not as thousands"
    special = [i for i in np.flatnonzero(regular & ~column.plain).tolist() if isinstance(column.cells[i], str)]
    if decimal == ",":
        special = special or np.flatnonzero(regular & [str(cell).count(".") > 0 for cell in column.cells]).tolist()
    if not special:
        return "", None
    digits = [part.digits if part is not None else "" for part in (column.parts[i] for i in special)]
    grouped = any(char in text for text in digits for char in (OTHER[decimal], " ", "'"))
    has_comma = decimal == "," and any("," in text for text in digits)
    nouns = ["thousands separators"] * grouped + ["decimal comma"] * has_comma + list(column.nouns)
    best = max(special[:SAMPLE], key=lambda i: len({char for char in column.cells[i] if not char.isalnum()}))
    return ", ".join(nouns) or "numbers", f"{str(column.cells[best])!r} read as {number(values[best])}"


def _ambiguous(column: NumberColumn, example: int, decimal: str) -> str:
    """Both readings of a column, and the options that decide."""
    readings = [number(column.value(example, char)) for char in (decimal, OTHER[decimal])]
    options = [f"{name}={decimal!r} (--{name} {decimal})" for name in ("decimal", "thousands")]
    return (
        f"column {column.name!r}: {str(column.cells[example])!r} is {readings[0]} with a decimal {NAMES[decimal]} or "
        f"{readings[1]} with thousands; pass {' or '.join(options)}"
    )


def _options(given: CellFormat) -> str:
    """The separators as given."""
    named = {"decimal": given.decimal, "thousands": given.thousands}
    return " and ".join(f"{name}={value!r} (--{name})" for name, value in named.items() if value is not None)


def number(value: float) -> str:
    """A number for a message, with all its digits.

    >>> number(1204.0), number(-0.5), number(1e9)
    ('1204', '-0.5', '1000000000')
    """
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e16 else repr(float(value))
