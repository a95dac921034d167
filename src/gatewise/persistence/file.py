"""The file format: arrays and JSON content in one safe file.

A file is in the safetensors format: a length, a JSON header with the name, type, shape and offsets of each array, and
the bytes of the arrays. Its metadata hold a JSON document under "gatewise": the kind of the file, all content that is
not an array, and the SHA-256 of that content and the arrays. Reading runs no code, and allocates no more memory than
the size of the file. The same content gives the same bytes.
"""

import hashlib
import json
import math
import os
import struct
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, BinaryIO, NoReturn, TypeAlias

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from gatewise.persistence import atomic

VERSION = 2  # of the document; older versions are read with `upgrades`, newer ones are refused
MOST_HEADER = 10**7  # bytes; a longer header is refused before it is read
DTYPES = {"F64": np.float64, "F32": np.float32, "I64": np.int64, "U8": np.uint8, "BOOL": np.bool_}

Document: TypeAlias = dict[str, Any]
Arrays: TypeAlias = dict[str, "np.ndarray[Any, Any]"]
Upgrade: TypeAlias = Callable[[Document, Arrays], tuple[Document, Arrays]]  # from one version to the present one


class FormatError(ValueError):
    """A file is invalid; the message names the file, the expected and the actual content, and the remedy."""


def save(path: str | os.PathLike[str], kind: str, content: Document, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a file, completely or not at all.

    Arguments:
        path: of the file.
        kind: of the object in the file, such as "Forecaster".
        content: name -> JSON value: text, finite number, True, False, None, list, or dict of these.
        arrays: name -> array of float64, float32, int64, uint8 or bool.

    Raises:
        OSError: the file cannot be written.
        TypeError, ValueError: content or arrays have another type, or the content exceeds 10 MB.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/mean.safetensors", "Mean", {"of": "prices"}, {"mean": np.array([1.5, 2.5])})
    ...     load(f"{folder}/mean.safetensors", "Mean")
    ({'of': 'prices'}, {'mean': array([1.5, 2.5])})
    """
    for name, array in arrays.items():
        if array.dtype not in DTYPES.values():
            raise TypeError(
                f"array {name!r} is {array.dtype}, expected float64, float32, int64, uint8 or bool; convert it"
            )
    document: Document = {"format": "gatewise", "version": VERSION, "gatewise": version("gatewise"), "kind": kind}
    document["content"] = content
    ordered = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    text = json.dumps({**document, "sha256": _digest(document, ordered)}, allow_nan=False)
    written = safetensors.numpy.save(ordered, {"gatewise": text})
    (header,) = struct.unpack("<Q", written[:8])
    if header > MOST_HEADER:
        raise ValueError(f"the header takes {header} bytes, expected at most {MOST_HEADER}")
    atomic.write(path, written)


def load(
    path: str | os.PathLike[str], kind: str, upgrades: Mapping[int, Upgrade] | None = None
) -> tuple[Document, Arrays]:
    """Read and validate a file that `save` wrote.

    Arguments:
        path: of the file.
        kind: the expected kind.
        upgrades: older version -> function from its content and arrays to those of the present version.

    Returns:
        Content and arrays.

    Raises:
        TypeError: `path` is not a path.
        OSError: the file cannot be read.
        FormatError: the file has another format, kind or version, or is incomplete or damaged.
    """
    try:
        with atomic.as_path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            header = _header(path, file, size)
            document = _document(path, header)
            upgrades = upgrades or {}
            content = _content(path, document, kind, [VERSION, *upgrades])
            _check_offsets(path, header, size - file.tell())
            file.seek(0)
            arrays = _arrays(path, file.read())
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}; check the path") from None
    except OSError as reason:
        raise type(reason)(f"{path} cannot be read: {reason.strerror}") from None
    if _digest(document, arrays) != document.get("sha256"):
        _refuse(path, "its content does not match its checksum, so it is damaged; copy or save it again")
    if document["version"] == VERSION:
        return content, arrays
    return upgrades[document["version"]](content, arrays)


def _refuse(path: Any, why: str) -> NoReturn:
    raise FormatError(f"{path}: {why}")


def _digest(document: Document, arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of the document without its digest, and of the name, type, shape and bytes of every array, by name."""
    rest = {name: value for name, value in document.items() if name != "sha256"}
    digest = hashlib.sha256(json.dumps(rest, allow_nan=False).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)  # without a copy
    return digest.hexdigest()


# --------------------------------------------------------------------------------------------------------- header


def _header(path: Any, file: BinaryIO, size: int) -> Document:
    """The header, not validated yet."""
    start = file.read(8)
    (length,) = struct.unpack("<Q", start) if len(start) == 8 else (0,)
    if not 2 <= length <= MOST_HEADER:
        _refuse(path, "it is not a safetensors file; use a file that a model's `save` or --save wrote")
    if length > size - 8:
        _refuse(path, f"it ends after {size} bytes, in the middle of its header; copy or save it again")
    header = _parsed(path, file.read(length))
    if not isinstance(header, dict):
        _refuse(path, f"its header is {_quoted(header)}, expected a JSON object; save it again")
    return header


def _parsed(path: Any, text: str | bytes) -> Any:
    """JSON without duplicate names, NaN or infinity."""

    def unique(pairs: list[tuple[str, Any]]) -> Document:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise ValueError(f"duplicate name {_quoted(max(names, key=names.count))}")
        return dict(pairs)

    def finite(number: str) -> float:
        if not math.isfinite(value := float(number)):
            raise ValueError(f"a number is {number[:40]}, expected a finite one")
        return value

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=finite, parse_float=finite)
    except (ValueError, RecursionError) as reason:
        _refuse(
            path, f"its header cannot be read ({reason}); it is not a safetensors file, or it is damaged; save it again"
        )


def _document(path: Any, header: Document) -> Document:
    metadata = header.get("__metadata__")
    text = metadata.get("gatewise") if isinstance(metadata, dict) else None
    document = _parsed(path, text) if isinstance(text, str) else None
    if not isinstance(document, dict) or document.get("format") != "gatewise":
        _refuse(
            path, "it is a safetensors file, but not from Gatewise; use a file that a model's `save` or --save wrote"
        )
    return document


def _content(path: Any, document: Document, kind: str, versions: Sequence[int]) -> Document:
    """The content of the document, which must have this kind and one of these versions."""
    if type(document.get("version")) is not int or document["version"] not in versions:
        stored, writer = document.get("version"), _quoted(document.get("gatewise"))
        is_newer = type(stored) is int and stored > VERSION
        expected = " or ".join(map(str, sorted(versions)))
        _refuse(
            path,
            f"its format has version {_quoted(stored)} (written by Gatewise {writer}), expected {expected}; "
            + ("read it with a newer Gatewise" if is_newer else "it is damaged: copy or save it again"),
        )
    if document.get("kind") != kind:
        _refuse(path, f"it holds {_quoted(document.get('kind'))}, expected {kind!r}; use another file")
    content = document.get("content")
    if not isinstance(content, dict):
        _refuse(path, "its document has no content; save it again")
    return content


# --------------------------------------------------------------------------------------------------------- arrays


def _check_offsets(path: Any, header: Document, size: int) -> None:
    """Refuse arrays whose type, shape and offsets disagree, or that do not fill the rest of the file."""
    spans = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype, shape, offsets = _checked_entry(path, name, entry)
        needed = math.prod(shape) * np.dtype(dtype).itemsize
        if offsets[1] - offsets[0] != needed or offsets[1] > size:
            _refuse(
                path,
                f"array {_quoted(name)} of shape {_quoted(shape)} needs {_quoted(needed)} bytes at {offsets}, but the "
                f"arrays have {size} bytes; it is incomplete or damaged: copy or save it again",
            )
        spans.append(offsets)
    end = 0
    for first, last in sorted(spans):
        if first != end:
            _refuse(path, f"its arrays overlap or leave a gap at byte {end}; it is damaged: copy or save it again")
        end = last
    if end != size:
        _refuse(path, f"{size - end} bytes follow after its last array; it is damaged: copy or save it again")


def _checked_entry(path: Any, name: str, entry: Any) -> tuple[type, list[int], list[int]]:
    """The type, shape and offsets of an array."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        _refuse(path, f"array {_quoted(name)} is described by {_quoted(entry)}, expected dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        _refuse(path, f"array {_quoted(name)} is of type {_quoted(dtype)}, expected one of {', '.join(DTYPES)}")
    if not _sizes(shape, 8) or not _sizes(offsets, 2) or len(offsets) != 2:
        _refuse(
            path,
            f"array {_quoted(name)} has shape {_quoted(shape)} and data_offsets {_quoted(offsets)}, expected up to 8 "
            "sizes and 2 offsets; it is damaged: copy or save it again",
        )
    return DTYPES[dtype], shape, offsets


def _sizes(value: Any, most: int) -> bool:
    """Whether a value is a list of at most `most` integers, each from 0 to 2^63 - 1."""
    return (
        isinstance(value, list)
        and len(value) <= most
        and all(type(size) is int and 0 <= size < 2**63 for size in value)
    )


def _arrays(path: Any, content: bytes) -> Arrays:
    try:
        return safetensors.numpy.load(content)
    except (SafetensorError, ValueError, TypeError) as reason:
        _refuse(path, f"it is not a complete safetensors file ({reason}); copy or save it again")


def _quoted(value: Any) -> str:
    """A value as Python writes it, truncated: a hostile file may hold a huge one."""
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**30 else "an integer of more than 30 digits"
    return text if len(text) <= 80 else f"{text[:79]}…"
