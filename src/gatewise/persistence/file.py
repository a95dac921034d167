"""Keeping things in files: arrays and what is said of them, in one safe format.

A file is in the safetensors format: a length, a JSON header that gives each array its name, type, shape and place, and
the arrays themselves, byte after byte. Its metadata hold one more JSON document under "gatewise": what the file is,
everything that is no array, and the SHA-256 of all that and the arrays. Reading runs no code and takes no memory for
what the file does not hold. The same content makes the same bytes.
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

VERSION = 2  # of the document; older ones are read where the kind knows how, newer ones are refused
MOST_HEADER = 10**7  # bytes; a longer header is refused before it is read
DTYPES = {"F64": np.float64, "F32": np.float32, "I64": np.int64, "U8": np.uint8, "BOOL": np.bool_}

Document: TypeAlias = dict[str, Any]
Arrays: TypeAlias = dict[str, "np.ndarray[Any, Any]"]
Upgrade: TypeAlias = Callable[[Document, Arrays], tuple[Document, Arrays]]  # from one version to the present one


class FormatError(ValueError):
    """A file is not what it should be; the message names it, what was expected, what came, and the remedy."""


def save(path: str | os.PathLike[str], kind: str, content: Document, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a file, whole or not at all.

    Arguments:
        path: where to.
        kind: what it is, such as "Forecaster".
        content: names to what JSON knows: text, finite numbers, True, False, None, lists, and names to these.
        arrays: names to arrays of float64, float32, int64, uint8 or bool.

    Raises:
        OSError: it cannot be written.
        TypeError, ValueError: content or arrays of another kind, or content beyond 10 MB.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/mean.safetensors", "Mean", {"of": "prices"}, {"mean": np.array([1.5, 2.5])})
    ...     load(f"{folder}/mean.safetensors", "Mean")
    ({'of': 'prices'}, {'mean': array([1.5, 2.5])})
    """
    for name, array in arrays.items():
        if array.dtype not in DTYPES.values():
            raise TypeError(
                f"array {name!r} is {array.dtype}, expected float64, float32, int64, uint8 or bool; convert"
            )
    said = {"format": "gatewise", "version": VERSION, "gatewise": version("gatewise"), "kind": kind, "content": content}
    ordered = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    document = json.dumps({**said, "sha256": _digest(said, ordered)}, allow_nan=False)
    written = safetensors.numpy.save(ordered, {"gatewise": document})
    (header,) = struct.unpack("<Q", written[:8])
    if header > MOST_HEADER:
        raise ValueError(f"what is to be said of the arrays takes {header} bytes, expected at most {MOST_HEADER}")
    atomic.write(path, written)


def load(
    path: str | os.PathLike[str], kind: str, upgrades: Mapping[int, Upgrade] | None = None
) -> tuple[Document, Arrays]:
    """Read a file that `save` wrote, and check it.

    Arguments:
        path: of the file.
        kind: what it must be.
        upgrades: older version -> function that turns its content and arrays into those of the present version.

    Returns:
        Content and arrays.

    Raises:
        TypeError: path is no path.
        OSError: it cannot be read.
        FormatError: it is no such file, of another kind or version, incomplete or damaged.
    """
    try:
        with atomic.as_path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            header = _header(path, file, size)
            said = _document(path, header)
            upgrades = upgrades or {}
            content = _content(path, said, kind, [VERSION, *upgrades])
            _check_places(path, header, size - file.tell())
            file.seek(0)
            arrays = _arrays(path, file.read())
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}; check the path") from None
    except OSError as reason:
        raise type(reason)(f"{path} cannot be read: {reason.strerror}") from None
    if _digest(said, arrays) != said.get("sha256"):
        _refuse(path, "what it holds does not agree with its own checksum, so it was damaged; copy or save it again")
    if said["version"] == VERSION:
        return content, arrays
    return upgrades[said["version"]](content, arrays)


def _refuse(path: Any, why: str) -> NoReturn:
    raise FormatError(f"{path}: {why}")


def _digest(said: Document, arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of the document, but for the digest in it, and of every array's name, type, shape and bytes, by name."""
    rest = {name: value for name, value in said.items() if name != "sha256"}
    digest = hashlib.sha256(json.dumps(rest, allow_nan=False).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)  # no copy of what may be large
    return digest.hexdigest()


# --------------------------------------------------------------------------------------------------------- header


def _header(path: Any, file: BinaryIO, size: int) -> Document:
    """The header, of which nothing is believed yet."""
    start = file.read(8)
    (length,) = struct.unpack("<Q", start) if len(start) == 8 else (0,)
    if not 2 <= length <= MOST_HEADER:
        _refuse(path, "it is not a safetensors file, such as a model's `save` and --save write; give one of those")
    if length > size - 8:
        _refuse(path, f"it ends after {size} bytes, in the middle of its header; copy or save it again")
    header = _parsed(path, file.read(length))
    if not isinstance(header, dict):
        _refuse(path, f"its header is {_shown(header)}, expected names with what is said of them; save it again")
    return header


def _parsed(path: Any, text: str | bytes) -> Any:
    """JSON, in which no name comes twice and no number is NaN or infinite."""

    def once(pairs: list[tuple[str, Any]]) -> Document:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise ValueError(f"a name comes twice: {_shown(max(names, key=names.count))}")
        return dict(pairs)

    def finite(number: str) -> float:
        if not math.isfinite(value := float(number)):
            raise ValueError(f"a number is {number[:40]}, expected a finite one")
        return value

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=finite, parse_float=finite)
    except (ValueError, RecursionError) as reason:
        _refuse(path, f"its header cannot be read ({reason}); it is no safetensors file, or damaged: save it again")


def _document(path: Any, header: Document) -> Document:
    metadata = header.get("__metadata__")
    text = metadata.get("gatewise") if isinstance(metadata, dict) else None
    said = _parsed(path, text) if isinstance(text, str) else None
    if not isinstance(said, dict) or said.get("format") != "gatewise":
        _refuse(path, "it is a safetensors file, but not one of Gatewise; give one that `save` or --save wrote")
    return said


def _content(path: Any, said: Document, kind: str, versions: Sequence[int]) -> Document:
    """What the document says, if it is of this kind and version."""
    if type(said.get("version")) is not int or said["version"] not in versions:
        made = _shown(said.get("gatewise"))
        _refuse(
            path,
            f"its format has version {_shown(said.get('version'))} (written by Gatewise {made}), expected {VERSION}; "
            f"read it with that Gatewise, or save it again with this one, {version('gatewise')}",
        )
    if said.get("kind") != kind:
        _refuse(path, f"it holds {_shown(said.get('kind'))}, expected {kind!r}; give another file")
    content = said.get("content")
    if not isinstance(content, dict):
        _refuse(path, "its document has no content; save it again")
    return content


# --------------------------------------------------------------------------------------------------------- arrays


def _check_places(path: Any, header: Document, size: int) -> None:
    """Refuse arrays that are not of the type, shape and place that they say, or do not fill the rest of the file."""
    spans = []
    for name, said in header.items():
        if name == "__metadata__":
            continue
        dtype, shape, place = _described(path, name, said)
        needed = math.prod(shape) * np.dtype(dtype).itemsize
        if place[1] - place[0] != needed or place[1] > size:
            _refuse(
                path,
                f"array {_shown(name)} is said to be of shape {_shown(shape)}, {_shown(needed)} bytes at {place}, but "
                f"{size} bytes of arrays are there; it is incomplete or damaged: copy or save it again",
            )
        spans.append(place)
    end = 0
    for first, last in sorted(spans):
        if first != end:
            _refuse(path, f"its arrays overlap or leave a gap at byte {end}; it is damaged: copy or save it again")
        end = last
    if end != size:
        _refuse(path, f"{size - end} bytes follow after its last array; it is damaged: copy or save it again")


def _described(path: Any, name: str, said: Any) -> tuple[type, list[int], list[int]]:
    """Type, shape and place of an array."""
    if not isinstance(said, dict) or set(said) != {"dtype", "shape", "data_offsets"}:
        _refuse(path, f"array {_shown(name)} is described by {_shown(said)}, expected dtype, shape and data_offsets")
    dtype, shape, place = said["dtype"], said["shape"], said["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        _refuse(path, f"array {_shown(name)} is of type {_shown(dtype)}, expected one of {', '.join(DTYPES)}")
    if not _sizes(shape, 8) or not _sizes(place, 2) or len(place) != 2:
        _refuse(
            path,
            f"array {_shown(name)} has shape {_shown(shape)} and data_offsets {_shown(place)}, expected up to 8 sizes "
            "and 2 places; it is damaged: copy or save it again",
        )
    return DTYPES[dtype], shape, place


def _sizes(value: Any, most: int) -> bool:
    """Whether it is a list of so many whole numbers that 64 bits hold."""
    return (
        isinstance(value, list) and len(value) <= most and all(type(one) is int and 0 <= one < 2**63 for one in value)
    )


def _arrays(path: Any, content: bytes) -> Arrays:
    try:
        return safetensors.numpy.load(content)
    except (SafetensorError, ValueError, TypeError) as reason:
        _refuse(path, f"it is not a whole safetensors file ({reason}); copy or save it again")


def _shown(value: Any) -> str:
    """What came, cut short: a hostile file may say much."""
    text = repr(value if not isinstance(value, int) or abs(value) < 10**30 else "a huge number")
    return text if len(text) <= 80 else f"{text[:79]}…"
