"""Text: the bytes of a text file as UTF-8 lines, and the delimiter of their fields.

Letters: R records (lines; a quoted line break does not end one).
"""

import codecs
import csv
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from gatewise.series.errors import DataError

DELIMITERS = ",;\t|"
SPACES = " "  # the delimiter of fields separated by any number of spaces
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_COUNTED = 64 * 2**20  # bytes that are counted at once


def decoded(path: Path, content: bytes) -> bytes:
    """The text of a file in UTF-8, without a byte order mark and with line ends of one newline."""
    if content.startswith(_UTF16):
        try:
            content = content.decode("utf-16").encode()
        except UnicodeDecodeError:
            raise DataError(f"{path} is not a complete UTF-16 text; save it as CSV in UTF-8") from None
    if content.startswith(b"PK") or b"\0" in content[:4096]:
        raise DataError(
            f"{path} is not a text table (a spreadsheet, UTF-16 or other binary file?); save it as CSV in UTF-8, "
            "or give it the ending of its format, such as .xlsx"
        )
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        content.isascii() or content.decode()
    except UnicodeDecodeError as reason:
        line = content[: reason.start].count(b"\n") + 1
        raise DataError(
            f"{path}, line {line}: byte 0x{content[reason.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not content.strip():
        raise DataError(f"{path} is empty; expected a header line and one row per date")
    return content if content.endswith(b"\n") else content + b"\n"


@dataclass(frozen=True)
class Lines:
    """A text as records, without a list of them."""

    content: bytes

    @cached_property
    def _bytes(self) -> np.ndarray:
        return np.frombuffer(self.content, np.uint8)

    @cached_property
    def _quoted(self) -> np.ndarray | None:
        """Whether each byte is inside quotes; None if there are no quotes, or one is never closed."""
        if b'"' not in self.content or self.content.count(b'"') % 2:
            return None
        return np.asarray(np.bitwise_xor.accumulate(self._bytes == ord('"')))

    @cached_property
    def bounds(self) -> np.ndarray:
        """(R + 1,) the first byte of each record, and the end of the last one."""
        ends = self._at(b"\n") & (True if self._quoted is None else ~self._quoted)
        ends[-1] = True
        return np.concatenate([[0], np.flatnonzero(ends) + 1])

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def _at(self, characters: bytes) -> np.ndarray:
        if len(characters) == 1:
            return np.asarray(self._bytes == characters[0])
        listed = np.zeros(256, bool)
        listed[list(characters)] = True
        return np.asarray(listed[self._bytes])

    @cached_property
    def numbers(self) -> np.ndarray:
        """(R,) the line of the file in which each record starts."""
        if self._quoted is None:
            return np.arange(1, len(self) + 1)
        return np.asarray(np.searchsorted(np.flatnonzero(self._at(b"\n")), self.bounds[:-1])) + 1

    def first_bytes(self) -> np.ndarray:
        """(R,) the first byte of each record."""
        return np.asarray(self._bytes[self.bounds[:-1]])

    def fields(self, delimiter: str) -> np.ndarray:
        """(R,) the number of fields of each record."""
        if delimiter == SPACES:
            gaps = self._at(b" \t\n") & (True if self._quoted is None else ~self._quoted)
            starts = ~gaps
            starts[1:] &= gaps[:-1]
            return self._counts(starts)
        found = self._at(delimiter.encode())
        if self._quoted is not None:
            found &= ~self._quoted
        return self._counts(found) + 1

    def _counts(self, found: np.ndarray) -> np.ndarray:
        """(R,) the number of bytes of each record where `found` is true."""
        return np.diff(np.searchsorted(np.flatnonzero(found), self.bounds))

    def blank(self, delimiter: str) -> np.ndarray:
        """(R,) whether each record has no text besides delimiters."""
        characters = b' \t\n"' + delimiter.encode()
        first, second = self.bounds[:-1], np.minimum(self.bounds[:-1] + 1, len(self.content) - 1)
        listed = np.frombuffer(characters, np.uint8)
        blank = np.isin(self._bytes[first], listed) & np.isin(self._bytes[second], listed)
        blank |= self.bounds[1:] - first == 1  # an empty line
        some = np.flatnonzero(blank)  # few records start with two such characters
        spans = zip(first[some].tolist(), self.bounds[some + 1].tolist(), strict=True)
        blank[some] = [not self.content[start:end].strip(characters) for start, end in spans]
        return blank

    @cached_property
    def are_padded(self) -> bool:
        """Whether some field may end with spaces."""
        return any(b" " + end in self.content for end in (b"\n", b'"', *(mark.encode() for mark in DELIMITERS)))

    def hold(self, characters: bytes) -> np.ndarray:
        """(R,) whether each record holds one of the characters."""
        return np.asarray(np.logical_or.reduceat(self._at(characters), self.bounds[:-1]))

    def text(self, record: int) -> str:
        """A record as text."""
        return self.content[self.bounds[record] : self.bounds[record + 1]].decode().rstrip("\n")

    def cells(self, record: int, delimiter: str) -> list[str]:
        """The fields of a record, without spaces around them."""
        text = self.text(record)
        spaces = delimiter == SPACES
        try:
            rows = list(csv.reader([text.strip() if spaces else text], delimiter=delimiter, skipinitialspace=True))
        except csv.Error:  # a field of more than 128 KiB
            return text.split(None if spaces else delimiter)
        return [cell.strip(" ") for row in rows for cell in row]

    def without(self, first: bytes, dropped: np.ndarray) -> bytes:
        """The text with a first line, and without the records where `dropped` (R,) is true."""
        edges = np.flatnonzero(np.diff(np.concatenate([[1], dropped, [1]])))
        spans = self.bounds[edges].reshape(-1, 2)
        return first + b"".join(self.content[start:end] for start, end in spans)


def choose_delimiter(lines: Lines) -> str:
    """The delimiter by which most lines have the same number of fields."""
    blank = lines.blank("")
    stated = re.fullmatch(r'"?sep=(.|\\t)"?', lines.text(int(np.argmin(blank))).strip(" "))
    if stated:
        return stated[1].replace("\\t", "\t").replace(" ", SPACES)
    header = re.sub(r'"[^"]*"', "", lines.text(int(np.argmin(blank))))  # quoted delimiters do not count
    usual = max(DELIMITERS, key=lambda mark: (header.count(mark), mark != "," and mark in header))  # a comma if none
    used = [delimiter for delimiter in DELIMITERS if delimiter.encode() in lines.content]
    if usual in used and np.ptp(lines.fields(usual)[~blank]) == 0:
        return usual
    marked = np.isin(lines.first_bytes(), np.frombuffer(b"#%/", np.uint8))
    table = ~blank & ~marked if 2 * marked.sum() < len(lines) else ~blank
    digits = lines.hold(b"0123456789")[table]
    digits[:-1] |= digits[1:]  # a row, or a header above one
    table[table] = digits if digits.any() else True
    covered = {delimiter: _covered(lines.fields(delimiter)[table]) for delimiter in used}
    best = max((usual, *used), key=lambda delimiter: covered.get(delimiter, 0))
    spaces = _covered(lines.fields(SPACES)[table])
    if best == "\t" and covered[best] > 0.5 * table.sum():  # a tab is a space, too
        return best
    is_better = spaces > covered.get(best, 1) and not _separates_names(lines, best)
    return SPACES if is_better and not _grouped(lines) else best


def _separates_names(lines: Lines, delimiter: str) -> bool:
    """Whether a delimiter separates words at the start of a text; a decimal comma only separates digits."""
    start = [lines.text(record) for record in range(min(len(lines), 50))]
    return any(delimiter in text and not re.search(r"\d", text) for text in start)


def _covered(fields: np.ndarray) -> int:
    """The number of lines with as many fields as those of the longest run."""
    usual, length = longest_run(fields)
    return int((fields == usual).sum()) if length else 0


def longest_run(fields: np.ndarray) -> tuple[int, int]:
    """The number of fields, two or more, of the longest run of lines with equal numbers; and its length."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(fields)) + 1])
    lengths = np.diff(np.concatenate([starts, [len(fields)]])) * (fields[starts] > 1)
    longest = int(np.argmax(lengths))
    return int(fields[starts[longest]]), int(lengths[longest])


def _grouped(lines: Lines) -> bool:
    """Whether spaces may group the digits of numbers, as in 1 234."""
    sampled = [lines.text(record).strip() for record in range(min(len(lines), 100))]
    grouped = [text for text in sampled if re.fullmatch(r"[+-]?\d{1,3}( \d{3})+([.,]\d+)?", text)]
    return 2 * len(grouped) >= len([text for text in sampled if text]) - 1
