"""Steps of sequences with their times, as `.ts` files with @timestamps true have them.

Letters: `T` steps, `C` channels.
"""

import re

import numpy as np
import pandas as pd

from gatewise.datasets.labelled import FileError, listed
from gatewise.datasets.times import time_values

PAIR = re.compile(r"\s*\(([^(),]*),([^(),]*)\)\s*(?:,|$)")


def read_stamped(rows: list[list[str]], lines: list[int], path: object) -> list[np.ndarray]:
    """The values (T, C) of each sequence, if the times of all go on in one equal step.

    Arguments:
        rows: the channels of each sequence, such as "(0,1.5),(1,2.0)".
        lines: of the sequences.
        path: of the file.

    Raises:
        FileError: no pairs of a time and a number, or times that are not regular; the message names the line.
    """
    parts, spacing = [], None
    for channels, line in zip(rows, lines, strict=True):
        where = f"{path}, line {line}"
        values, times, moments = _read(channels, where)
        if len(times) > 1:
            step = _spacing(times, moments, where)
            spacing = spacing or (step, line)
            if not np.isclose(step, spacing[0], rtol=1e-6):
                raise FileError(
                    f"{where}: the times go on in steps of {step:g}, those of line {spacing[1]} in steps of "
                    f"{spacing[0]:g}; resample the sequences to one step"
                )
        parts.append(values)
    return parts


def _read(channels: list[str], where: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Values (T, C), and times as numbers (T,) and as text."""
    pairs = [_pairs(channel, where) for channel in channels]
    moments = [time for time, _ in pairs[0]]
    for other in pairs[1:]:
        if [time for time, _ in other] != moments:
            raise FileError(f"{where}: the channels have different times; resample them to the same times")
    times = time_values(pd.Series(pd.to_numeric(pd.Series(moments), errors="coerce")))
    times = time_values(pd.Series(moments)) if times is None else times
    if times is None:
        raise FileError(
            f"{where}: times such as {listed(moments[:2])}, expected numbers or dates like 2024-01-31 12:00:00"
        )
    return np.array([[value for _, value in pair] for pair in pairs], np.float64).T, times, moments


def _pairs(text: str, where: str) -> list[tuple[str, float]]:
    """Times and values, NaN for missing ones."""
    pairs, position = [], 0
    while position < len(text.rstrip()):
        match = PAIR.match(text, position)
        try:
            if match is None or "_" in match[2]:
                raise ValueError
            pairs.append((match[1].strip(), float(match[2].strip().replace("?", "nan"))))
        except ValueError:
            raise FileError(
                f"{where}: {text[position : position + 30]!r}, expected pairs of a time and a number such as (0,1.5)"
            ) from None
        position = match.end()
    if not pairs:
        raise FileError(f"{where} has a channel without steps, expected pairs such as (0,1.5)")
    return pairs


def _spacing(times: np.ndarray, moments: list[str], where: str) -> float:
    """The one difference between times."""
    steps = np.diff(times)
    if steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-6, atol=0):
        return float(steps[0])
    wrong = int((~np.isclose(steps, steps[0], rtol=1e-6)).argmax()) if steps[0] > 0 else 0
    raise FileError(
        f"{where}: the times are not regular, as from {moments[wrong]} to {moments[wrong + 1]}; resample the sequence "
        "to equal steps"
    )
