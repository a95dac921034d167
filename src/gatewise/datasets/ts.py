"""Files of the UCR and UEA archives, `.ts`: labelled sequences as text.

    # a comment                        @dimensions 2          @classLabel true walking running
    @problemName Steps                 @equalLength true      @data
    1.5,2.0,?:0.1,0.2,0.3:walking

A line holds one sequence: channels separated by colons, the steps of a channel by commas, and the label at the end.
Lengths, dimensions and missing values are read from the data, not from the header.

Reference: Bagnall, Dau, Lines, Flynn, Large, Bostrom, Southam and Keogh, The UEA multivariate time series
classification archive, 2018, arXiv 1811.00075.

Letters: `N` sequences, `T` steps, `C` channels.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gatewise.datasets.labelled import FileError, Labelled, check_size, listed


def read_ts(path: str | os.PathLike[str]) -> Labelled:
    """Read the sequences and labels of a `.ts` file.

    Arguments:
        path: of the file.

    Returns:
        x (N, T, C) float64, or a list of (T, C) if lengths differ, NaN for missing values; y (N,) labels as text, as
        numbers with @targetLabel, or None without labels.

    Raises:
        FileError: not a `.ts` file, or one that cannot be used; the message names the line.
        OSError: the file cannot be read.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = enumerate(file, 1)
            head = _head(lines, path)
            kind = next((name for name in ("classlabel", "targetlabel") if head.get(name, "").startswith("true")), "")
            known = head.get("labels", "").split()[1:] if kind == "classlabel" else []
            rows = [_row(line, kind, known, f"{path}, line {number}") for number, line in lines if _has_content(line)]
    except UnicodeDecodeError:
        raise FileError(
            f"{path} is not text in UTF-8, expected a .ts file of the UCR and UEA archives; save it in UTF-8"
        ) from None
    if not rows:
        raise FileError(f"{path} holds no sequences after @data")
    x = [sequence for sequence, _ in rows]
    channels = sorted({sequence.shape[1] for sequence in x})
    if len(channels) > 1:
        raise FileError(f"{path}: sequences have {listed(channels)} channels, expected the same number; leave some out")
    name = listed([head.get("problemname") or Path(path).stem])
    return Labelled(np.stack(x) if len({len(sequence) for sequence in x}) == 1 else x, _labels(rows, kind, path), name)


def _head(lines: Iterator[tuple[int, str]], path: object) -> dict[str, str]:
    """The header, before @data, by keyword in lower case."""
    head: dict[str, str] = {}
    for _, line in lines:
        if not _has_content(line):
            continue
        keyword, value = (*line.split(maxsplit=1), "")[:2]
        if not keyword.startswith("@"):
            break
        if keyword.lower() == "@data":
            if head.get("timestamps") == "true":
                raise FileError(
                    f"{path} has time stamps in its sequences, expected values at regular steps; resample them"
                )
            return head
        head[keyword[1:].lower()] = value.strip() if keyword.lower() == "@problemname" else value.strip().lower()
        if keyword.lower() == "@classlabel":
            head["labels"] = value.strip()
    raise FileError(
        f"{path} is not a .ts file: expected lines such as '@classLabel true a b' and '@data', then sequences"
    )


def _has_content(line: str) -> bool:
    return not line.strip().startswith("#") and bool(line.strip())


def _row(line: str, kind: str, known: list[str], where: str) -> tuple[np.ndarray, str]:
    """A sequence (T, C) and its label."""
    *channels, label = line.strip().split(":") if kind else (*line.strip().split(":"), "")
    label = label.strip()
    if not channels or (kind and not label):
        raise FileError(f"{where} has no label after a colon, required by @classLabel or @targetLabel; add it")
    if known and f" {' '.join(label.split())} " not in f" {' '.join(known)} ":  # a label may have several words
        raise FileError(f"{where}: label {label!r:.80} is not among those of @classLabel: {listed(known)}")
    values = [_numbers(channel, where) for channel in channels]
    if len({len(channel) for channel in values}) > 1:
        raise FileError(f"{where} has channels of {listed(map(len, values))} steps, expected the same number")
    return np.stack(values, axis=1), label


def _numbers(text: str, where: str) -> np.ndarray:
    """The steps of a channel, NaN for missing values."""
    try:
        if "_" in text:
            raise ValueError("an underscore in a number")
        return np.array(text.replace("?", "nan").split(","), np.float64)
    except ValueError as reason:
        raise FileError(f"{where}: {reason!s:.80}; expected numbers between commas, ? for missing ones") from None


def _labels(rows: list[tuple[np.ndarray, str]], kind: str, path: object) -> np.ndarray | None:
    labels = [label for _, label in rows]
    if not kind:
        return None
    if kind == "targetlabel":
        try:
            return np.array(labels, np.float64)
        except ValueError as reason:
            raise FileError(
                f"{path}: {reason!s:.80}; expected numbers as labels, as required by @targetLabel"
            ) from None
    check_size(
        f"{path}, where each label takes as much memory as the longest one,", (len(labels), max(map(len, labels))), 4
    )
    return np.array(labels)
