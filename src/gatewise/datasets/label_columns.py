"""The column of labels of a table: named by the user, by a usual name, or proposed by its values.

Letters: `N` rows.
"""

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from gatewise.datasets import columns
from gatewise.datasets.labelled import FileError, listed
from gatewise.datasets.tables import Table

LABELS = ("label", "class", "target", "y")  # names that are enough, in lower case
USUAL = (  # names of labels if the values are few
    *("labels", "classes", "category", "outcome", "species", "activity", "diagnosis", "gesture", "condition"),
    *("class_label", "class_name", "class_id", "label_name", "label_id", "target_class", "target_name", "true_label"),
    *("activity_name", "activity_label", "activity_id", "classlabel", "classname"),
)
MOST_CLASSES = 30  # of whole numbers that are proposed as labels


def named_label(table: Table, label: str | None) -> Any:
    """The column of labels by its name, None if no name shows it.

    Raises:
        FileError: no column of this name, or several with usual names.
    """
    cells, path = table.cells, table.path
    if label is not None:
        return find_column(table, label, "label")
    names = {column: _plain(column) for column in cells}
    certain = [column for column, name in names.items() if name in LABELS]
    if {"x", "y", "z"} <= set(names.values()):  # three channels
        certain = [column for column in certain if names[column] != "y"]
    if len(certain) > 1:
        raise FileError(
            f"{path} has columns {', '.join(map(str, certain))}, expected one column of labels; name it with label= "
            "(--label)"
        )
    usual = [column for column, name in names.items() if name in USUAL and has_few_values(cells[column])]
    if certain and not (usual and not has_few_values(cells[certain[0]])):
        return certain[0]
    if len(usual) > 1:
        raise FileError(f"{path}: columns {_choices(usual, usual)}")
    return usual[0] if usual else None


def find_column(table: Table, name: str, argument: str) -> Any:
    """The column of this name, without blanks at its ends.

    Raises:
        FileError: there is none.
    """
    matches = [column for column in table.cells if str(column).strip() == str(name).strip()]
    if not matches:
        known = listed(map(str, table.cells.columns[-10:]))
        remedy = "name the label column" if argument == "label" else f"correct {argument}="
        raise FileError(f"{table.path} has no column {name!r}; its last columns are {known}; {remedy}")
    return matches[0]


def find_columns(table: Table, names: str | Sequence[str], argument: str) -> list[Any]:
    """The columns of these names; a name with commas may come in pieces, as from the command line.

    Raises:
        FileError: one of them is missing.
    """
    pieces = [names] if isinstance(names, str) else list(names)
    if len(pieces) > 1 and any(str(column).strip() == ",".join(pieces).strip() for column in table.cells):
        pieces = [",".join(pieces)]
    return [find_column(table, name, argument) for name in pieces]


def label_by_values(table: Table, other: dict[Any, str]) -> Any:
    """The only column of few values among those that are no steps; None if there is none.

    Arguments:
        table: without a column that a name shows to be the labels.
        other: columns that are no steps, and the reason of each.

    Raises:
        FileError: several columns may hold the labels.
    """
    texts = [name for name in other if columns.kind(table.cells[name]) == "text" and _repeats(table.cells[name])]
    candidates = texts or [name for name in other if _are_classes(table.cells[name])]
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    raise FileError(f"{table.path}: columns {_choices(candidates, list(other))}")


def _choices(candidates: list[Any], other: list[Any]) -> str:
    """Columns that may hold the labels, and the options that name each of them and leave the other columns out."""
    names = ", ".join(repr(str(name)) for name in candidates)
    choices = " or ".join(options(label=name, drop=[drop for drop in other if drop != name]) for name in candidates)
    return (
        f"{names} have few distinct values each, and may hold the labels; name the labels, and leave the other columns "
        f"out: {choices}"
    )


def options(**values: Any) -> str:
    """Arguments of Python with the same options of the command line.

    >>> options(label="kind", drop=["id", "age"])
    "label='kind', drop=['id', 'age'] (--label kind --drop id,age)"
    """
    given = {name: value for name, value in values.items() if value not in (None, [])}
    python = ", ".join(f"{name}={_python(value)}" for name, value in given.items())
    return f"{python} ({' '.join(f'--{_option(name)} {_shell(value)}' for name, value in given.items())})"


def _python(value: Any) -> str:
    return repr([str(name) for name in value] if isinstance(value, list) else str(value))


def _option(name: str) -> str:
    return name.removesuffix("_column").replace("_", "-")


def _shell(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if re.fullmatch(r"[\w,.:@%+=/-]+", text) else f'"{text}"'


def _plain(name: Any) -> str:
    """A name in lower case, words joined by _."""
    return re.sub(r"[^0-9a-z]+", "_", str(name).strip().lower()).strip("_")


def _repeats(column: "pd.Series[Any]") -> bool:
    return 2 <= columns.distinct(column) <= max(2, len(column) // 2) and columns.distinct(column) < len(column)


def _are_classes(column: "pd.Series[Any]") -> bool:
    """Whether numbers are whole and repeat, so that they may be labels."""
    if columns.kind(column) == "flag":
        return _repeats(column)
    values = columns.numbers(column)
    few = 2 <= columns.distinct(column) <= max(2, min(MOST_CLASSES, len(column) // 4))
    return columns.kind(column) == "number" and columns.is_whole(values) and few and len(column) > 2


def has_few_values(column: "pd.Series[Any]") -> bool:
    """Whether a column is text, or repeats a few whole numbers."""
    kind = columns.kind(column)
    if kind in ("text", "flag"):
        return True
    return (
        kind == "number"
        and columns.is_whole(columns.numbers(column.dropna()))
        and (columns.distinct(column) <= max(2, len(column) // 2))
    )
