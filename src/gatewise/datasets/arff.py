r"""Files of the UCR and UEA archives, `.arff`: labelled sequences as text.

    % a comment
    @relation steps                    @relation motions
    @attribute t1 numeric              @attribute channels relational
    @attribute t2 numeric                @attribute t1 numeric
    @attribute class {walk, run}         @attribute t2 numeric
    @data                              @end channels
    1.5,2.0,walk                       @attribute class {walk, run}
    ?,0.5,run                          @data
                                       '1.5,2.0\n0.1,0.2',walk

A line holds one sequence: its steps, or its channels in quotes with \n between them, and the label.

Letters: `N` sequences, `T` steps, `C` channels.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gatewise.datasets.archive_rows import collected
from gatewise.datasets.label_columns import LABELS
from gatewise.datasets.labelled import FileError, Labelled, check_size, listed, plain_names
from gatewise.datasets.numbered import in_order, strangers

NUMERIC = ("numeric", "real", "integer")
ATTRIBUTE = re.compile(r"""@attribute\s+('[^']*'|"[^"]*"|[^\s{]+)\s*(.*)""", re.IGNORECASE)
CELL = re.compile(r"""\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,'"]*)\s*(?:,|$)""")

Attribute = tuple[str, str]  # name, type


def read_arff(path: str | os.PathLike[str], *, fill: str | None = None) -> Labelled:
    """Read the sequences and labels of an `.arff` file.

    Arguments:
        path: of the file.
        fill: how missing values are filled in; see `read_sequences`.

    Returns:
        x (N, T, C) float64, or a list of (T, C) if lengths differ; y (N,) labels as text, or None without labels.

    Raises:
        FileError: not an `.arff` file, or one that cannot be used; the message names the line.
        OSError: the file cannot be read.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [(number, line.strip()) for number, line in enumerate(file, 1)]
    except UnicodeDecodeError:
        raise FileError(f"{path} is not text in UTF-8, expected an .arff file; save it in UTF-8") from None
    content = iter([(number, line) for number, line in lines if line and not line.startswith("%")])
    attributes = _head(content, path)
    place = _label_place(attributes, path)
    names = plain_names(name for k, (name, _) in enumerate(attributes) if k != place)
    _refuse_other_steps(names, path)
    numbers, parts, labels = [], [], []
    for number, line in content:
        cells = _cells(line, len(attributes), f"{path}, line {number}")
        if place is not None:
            labels.append(_label(cells.pop(place), attributes[place], f"{path}, line {number}"))
        parts.append(_sequence(cells, f"{path}, line {number}"))
        numbers.append(number)
    if not parts:
        raise FileError(f"{path} holds no sequences after @data")
    if place is None:
        return replace(collected(parts, None, numbers, path, fill), columns=_steps(names))
    check_size(
        f"{path}, where each label takes as much memory as the longest one,", (len(labels), max(map(len, labels))), 4
    )
    return replace(collected(parts, np.array(labels), numbers, path, fill), columns=_steps(names))


def _steps(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the steps; a relation has none."""
    return names if len(names) > 1 else ()


def _refuse_other_steps(names: tuple[str, ...], path: object) -> None:
    """Refuse attributes that are no steps by their names, or not in the order of their numbers."""
    for name, reason in strangers(names).items():
        raise FileError(
            f"{path}: attribute {name!r:.80} is no step of a sequence: {reason}; "
            "remove it, or, if it is a step, give it a name like theirs"
        )
    ordered = in_order(names)
    if ordered != list(names):
        raise FileError(
            f"{path} has attributes {listed(names[:4])}, ..., whose numbers are not in order; "
            f"write the steps in order, {ordered[0]} to {ordered[-1]}"
        )


def _head(content: Iterator[tuple[int, str]], path: object) -> list[Attribute]:
    """The attributes of the header, without those of a relation."""
    attributes: list[Attribute] = []
    inside = False
    for number, line in content:
        keyword = line.split()[0].lower()
        if keyword == "@data":
            if attributes:
                return attributes
            break
        if keyword == "@end":
            inside = False
        elif keyword == "@attribute" and not inside:
            match = ATTRIBUTE.match(line)
            if match is None or not match[2]:
                raise FileError(f"{path}, line {number}: expected '@attribute NAME TYPE'")
            attributes.append((match[1].strip("'\""), match[2].strip()))
            inside = match[2].strip().lower() == "relational"
        elif not keyword.startswith("@"):
            break
    raise FileError(
        f"{path} is not an .arff file: expected lines such as '@attribute t1 numeric' and '@data', then sequences"
    )


def _label_place(attributes: list[Attribute], path: object) -> int | None:
    """The position of the only attribute that is not numeric or relational."""
    other = [k for k, (_, kind) in enumerate(attributes) if not _is_step(kind)]
    if len(other) > 1:
        names = [attributes[k][0] for k in other]
        raise FileError(
            f"{path} has attributes {listed(names)} that are no numbers, expected one, the labels; save the file as "
            ".csv and name the labels with label= (--label)"
        )
    relations = sum(kind.lower() == "relational" for _, kind in attributes)
    if relations and len(attributes) - len(other) > 1:
        raise FileError(f"{path} has further attributes beside the relational one, expected only that of the labels")
    named = [k for k, (name, _) in enumerate(attributes) if name.strip().lower() in LABELS]
    return other[0] if other else named[0] if len(named) == 1 else None


def _is_step(kind: str) -> bool:
    return kind.lower().split()[0] in (*NUMERIC, "relational") and not kind.startswith("{")


def _cells(line: str, count: int, where: str) -> list[str]:
    if line.startswith("{"):
        raise FileError(f"{where} is sparse, which is not supported; save the file with all values")
    if "'" not in line and '"' not in line:
        cells = line.split(",")
    else:
        cells, position = [], 0
        while position < len(line):
            match = CELL.match(line, position)
            if match is None:
                raise FileError(f"{where} has a quote within a value; correct it")
            cells.append(match[1])
            position = match.end()
    if len(cells) != count:
        raise FileError(f"{where} has {len(cells)} values, expected {count}, one for each attribute")
    return cells


def _label(cell: str, attribute: Attribute, where: str) -> str:
    label = _unquoted(cell)
    name, kind = attribute
    if not label or cell.strip() == "?":
        raise FileError(f"{where} has no label (attribute {name}); add it")
    if kind.startswith("{"):
        known = [_unquoted(match[1]) for match in CELL.finditer(kind.strip("{} ")) if match[1].strip()]
        if label not in known:
            raise FileError(f"{where}: label {label!r:.80} is not among those of attribute {name}: {listed(known)}")
    return label


def _unquoted(cell: str) -> str:
    text = cell.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _sequence(cells: list[str], where: str) -> np.ndarray:
    """(T, C): the channels of a relation, or one channel."""
    relational = len(cells) == 1 and cells[0].strip()[:1] in ("'", '"')
    channels = _unquoted(cells[0]).replace("\\n", "\n").split("\n") if relational else [",".join(cells)]
    values = [_numbers(channel, where) for channel in channels]
    if len({len(channel) for channel in values}) > 1:
        raise FileError(f"{where} has channels of {listed(map(len, values))} steps, expected the same number")
    return np.stack(values, axis=1)


def _numbers(text: str, where: str) -> np.ndarray:
    """The steps of a channel, NaN for missing values."""
    try:
        if "_" in text:
            raise ValueError("an underscore in a number")
        return np.array(text.replace("?", "nan").split(","), np.float64)
    except ValueError as reason:
        raise FileError(f"{where}: {reason!s:.80}; expected numbers between commas, ? for missing ones") from None
