"""Files of the UCR and UEA archives, `.ts`: labelled sequences as text.

    # a comment                        @dimensions 2          @classLabel true walking running
    @problemName Steps                 @equalLength true      @data
    1.5,2.0,?:0.1,0.2,0.3:walking

A line holds one sequence: channels separated by colons, the steps of a channel by commas, and the label at the end.
Dimensions and missing values are read from the data; data that contradict @equalLength or @univariate are refused.

Reference: Bagnall, Dau, Lines, Flynn, Large, Bostrom, Southam and Keogh, The UEA multivariate time series
classification archive, 2018, arXiv 1811.00075.

Letters: `N` sequences, `T` steps, `C` channels.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gatewise.datasets.archive_rows import collected
from gatewise.datasets.labelled import FileError, Labelled, check_size, listed
from gatewise.datasets.stamps import read_stamped

COLON = re.compile(r":(?![^()]*\))")  # not in parentheses


def read_ts(path: str | os.PathLike[str], *, fill: str | None = None) -> Labelled:
    """Read the sequences and labels of a `.ts` file.

    Steps at the end that are missing in all channels mean a shorter sequence. With @timestamps true, a step is a pair
    such as (0,1.5) or (2024-01-31 12:00:00,1.5), and the times of all sequences must go on in equal steps.

    Arguments:
        path: of the file.
        fill: None refuses other missing values; "interpolate" and "zero" fill them in, "none" keeps them as NaN.

    Returns:
        x (N, T, C) float64, or a list of (T, C) if lengths differ; y (N,) labels as text, as numbers with @targetLabel,
        or None without labels.

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
            content = [(number, line.strip()) for number, line in lines if _has_content(line)]
    except UnicodeDecodeError:
        raise FileError(
            f"{path} is not text in UTF-8, expected a .ts file of the UCR and UEA archives; save it in UTF-8"
        ) from None
    if not content:
        raise FileError(f"{path} holds no sequences after @data")
    numbers = [number for number, _ in content]
    rows = [_split(line, kind, known, f"{path}, line {number}") for number, line in content]
    channels = [part for part, _ in rows]
    if head.get("timestamps") == "true":
        parts = read_stamped(channels, numbers, path)
    else:
        parts = [_sequence(texts, f"{path}, line {number}") for number, texts in zip(numbers, channels, strict=True)]
    _refuse_other_shape(parts, head, numbers, path)
    labels = _labels([label for _, label in rows], kind, path)
    return collected(parts, labels, numbers, path, fill, listed([head.get("problemname") or Path(path).stem]))


def _refuse_other_shape(parts: list[np.ndarray], head: dict[str, str], numbers: list[int], path: object) -> None:
    """Refuse sequences that are not of one length, or not of one channel, although the header says so."""
    steps = len(parts[0])
    for number, part in zip(numbers, parts, strict=True):
        if head.get("univariate") == "true" and part.shape[1] > 1:
            raise FileError(
                f"{path}, line {number} has {part.shape[1]} channels, expected one, as @univariate is true; "
                "correct the line or the header"
            )
        if head.get("equallength") == "true" and len(part) != steps:
            raise FileError(
                f"{path}, line {number} has {len(part)} steps, expected {steps}, as @equalLength is true; correct the "
                "line or the header"
            )


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
            return head
        head[keyword[1:].lower()] = value.strip() if keyword.lower() == "@problemname" else value.strip().lower()
        if keyword.lower() == "@classlabel":
            head["labels"] = value.strip()
    raise FileError(
        f"{path} is not a .ts file: expected lines such as '@classLabel true a b' and '@data', then sequences"
    )


def _has_content(line: str) -> bool:
    """Whether a line is neither blank nor a comment."""
    return bool(line.strip()) and line.lstrip()[0] not in "#%"


def _split(line: str, kind: str, known: list[str], where: str) -> tuple[list[str], str]:
    """The channels of a sequence, and its label; colons in parentheses are those of times."""
    parts = COLON.split(line) if "(" in line else line.split(":")
    *channels, label = parts if kind else (*parts, "")
    label = label.strip()
    if not channels or (kind and not label):
        raise FileError(f"{where} has no label after a colon, required by @classLabel or @targetLabel; add it")
    if known and f" {' '.join(label.split())} " not in f" {' '.join(known)} ":  # a label may have several words
        raise FileError(f"{where}: label {label!r:.80} is not among those of @classLabel: {listed(known)}")
    return channels, label


def _sequence(channels: list[str], where: str) -> np.ndarray:
    """(T, C)."""
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


def _labels(labels: list[str], kind: str, path: object) -> np.ndarray | None:
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
