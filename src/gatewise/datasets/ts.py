"""Files of the UCR and UEA archives, `.ts`: labelled sequences as text.

    # a comment                        @dimensions 2          @classLabel true walking running
    @problemName Steps                 @equalLength true      @data
    1.5,2.0,?:0.1,0.2,0.3:walking

A line holds one sequence: its channels between colons, the steps of each between commas, at its end the label. The
lengths, dimensions and missing values are taken from the data themselves, whatever the head says.

Reference: Bagnall, Dau, Lines, Flynn, Large, Bostrom, Southam and Keogh, The UEA multivariate time series
classification archive, 2018, arXiv 1811.00075.

Letters: `N` sequences, `T` steps, `C` channels.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gatewise.datasets.labelled import FileError, Labelled


def read_ts(path: str | os.PathLike[str]) -> Labelled:
    """Sequences and labels from a `.ts` file.

    Arguments:
        path: of the file.

    Returns:
        x (N, T, C) float64, or a list of (T, C) where sequences differ in length, NaN for missing values; y (N,) the
        labels as text, or as numbers where the file says @targetLabel, or None without any.

    Raises:
        FileError: it is no such file, or cannot be used; names the line.
        OSError: the file cannot be read.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = enumerate(file, 1)
            head = _head(lines, path)
            kind = next((name for name in ("classlabel", "targetlabel") if head.get(name, "").startswith("true")), "")
            rows = [_row(line, bool(kind), f"{path}, line {number}") for number, line in lines if _tells(line)]
    except UnicodeDecodeError:
        raise FileError(f"{path} is no text, expected a .ts file of the UCR and UEA archives") from None
    if not rows:
        raise FileError(f"{path} holds no sequences after @data")
    x = [one for one, _ in rows]
    if len({one.shape[1] for one in x}) > 1:
        raise FileError(
            f"{path}: sequences have {sorted({one.shape[1] for one in x})} channels, expected the same each"
        )
    name = head.get("problemname") or Path(path).stem
    return Labelled(np.stack(x) if len({len(one) for one in x}) == 1 else x, _labels(rows, kind, head, path), name)


def _head(lines: Iterator[tuple[int, str]], path: object) -> dict[str, str]:
    """What stands before @data, by keyword in small letters."""
    head: dict[str, str] = {}
    for _, line in lines:
        if not _tells(line):
            continue
        keyword, _, value = line.strip().partition(" ")
        if not keyword.startswith("@"):
            break
        if keyword.lower() == "@data":
            if head.get("timestamps") == "true":
                raise FileError(
                    f"{path} has time stamps in its sequences, expected values at even steps; resample them"
                )
            return head
        head[keyword[1:].lower()] = value.strip() if keyword.lower() == "@problemname" else value.strip().lower()
        if keyword.lower() == "@classlabel":
            head["labels"] = value.strip()
    raise FileError(f"{path} is no .ts file: expected lines such as '@classLabel true a b' and '@data', then sequences")


def _tells(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _row(line: str, labelled: bool, where: str) -> tuple[np.ndarray, str]:
    """A sequence (T, C) and its label."""
    *channels, label = line.strip().split(":") if labelled else (*line.strip().split(":"), "")
    if not channels:
        raise FileError(f"{where} has no label after a colon, which @classLabel or @targetLabel promises")
    try:
        values = [np.array(one.replace("?", "nan").split(","), np.float64) for one in channels]
    except ValueError as reason:
        raise FileError(f"{where}: {reason!s:.80}; expected numbers between commas, ? where one is missing") from None
    if len({len(one) for one in values}) > 1:
        raise FileError(f"{where} has channels of {[len(one) for one in values]} steps, expected the same for each")
    return np.stack(values, axis=1), label.strip()


def _labels(rows: list[tuple[np.ndarray, str]], kind: str, head: dict[str, str], path: object) -> np.ndarray | None:
    labels = [label for _, label in rows]
    if not kind:
        return None
    if kind == "targetlabel":
        try:
            return np.array(labels, np.float64)
        except ValueError as reason:
            raise FileError(f"{path}: {reason}; expected numbers as labels, as @targetLabel says") from None
    known = head["labels"].split()[1:]
    strange = next((label for label in labels if known and label not in known), None)
    if strange is not None:
        raise FileError(f"{path}: label {strange!r:.80} is none of those that @classLabel names: {', '.join(known)}")
    return np.array(labels)
