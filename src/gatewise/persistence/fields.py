"""Values from a file, each validated before use."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

import numpy as np

Content: TypeAlias = dict[str, Any]
Arrays: TypeAlias = dict[str, "np.ndarray[Any, Any]"]

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # characters that control a terminal, or cannot be encoded


def renamed(content: Any, names: Mapping[str, str]) -> Any:
    """Content whose fields have their present names; `names` maps older to present names."""
    return {names.get(name, name): value for name, value in content.items()} if isinstance(content, dict) else content


def checked(content: Content, name: str, *kinds: type) -> Any:
    """The value of a field, of one of these types and not of a subclass."""
    value = content.get(name)
    if name not in content or type(value) not in kinds:
        raise ValueError(f"{name} is {value!r:.80}, expected {' or '.join(kind.__name__ for kind in kinds)}")
    return value


def measure(content: Content, name: str, most: float = 1e300) -> float:
    """A field that is a number from 0 to `most`."""
    value = checked(content, name, int, float)
    if not 0 <= value <= most:
        raise ValueError(f"{name} is {value!r:.80}, expected a number from 0 to {most:g}")
    return float(value)


def sentences(content: Content, name: str) -> tuple[str, ...]:
    """A field that is a list of text."""
    value = checked(content, name, list)
    if not all(isinstance(sentence, str) for sentence in value):
        raise ValueError(f"{name} is {value!r:.80}, expected a list of text")
    return tuple(value)


def array(arrays: Arrays, name: str, dtype: Any = np.float64, shape: tuple[int | None, ...] = (None,)) -> np.ndarray:
    """Remove and return an array of a type and a shape, None for any length; unknown arrays remain."""
    if name not in arrays:
        raise ValueError(f"there is no array {name!r}")
    values = arrays.pop(name)
    same_ndim = values.ndim == len(shape)
    fits = same_ndim and all(size in (None, n) for n, size in zip(values.shape, shape, strict=True))
    if values.dtype != dtype or not fits:
        expected = "one dimension" if shape == (None,) else f"shape {shape}".replace("None", "any")
        raise ValueError(
            f"array {name!r} is {values.dtype} of shape {values.shape}, expected {np.dtype(dtype)} of {expected}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"array {name!r} holds NaN or infinity")
    return values


def as_text(values: Sequence[Any]) -> np.ndarray:
    """A list as bytes of JSON text, which may be too long for a header."""
    return np.frombuffer(json.dumps(values, ensure_ascii=False, allow_nan=False).encode(), np.uint8)


def from_text(arrays: Arrays, name: str, count: int) -> list[Any]:
    """The list of `count` values that `as_text` encoded."""
    text = array(arrays, name, np.uint8).tobytes()
    try:
        values = json.loads(text.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ValueError(f"array {name!r} is not JSON text") from None
    if not isinstance(values, list) or len(values) != count:
        raise ValueError(f"array {name!r} is not a list of {count}")
    return values


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


def check_text(content: Any) -> None:
    """Refuse control characters in any text of a content, at any depth: printed, they could control a terminal."""
    for text in _texts(content):
        if CONTROLS.search(text):
            raise ValueError(f"{text!r:.80} holds control characters, expected printable text")


def _texts(content: Any) -> Iterator[str]:
    remaining = [content]
    while remaining:
        value = remaining.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            remaining += [*value, *value.values()]
        elif isinstance(value, list):
            remaining += value


def printable(sentence: str) -> str:
    """A sentence with its control characters escaped."""
    return CONTROLS.sub(lambda match: repr(match[0])[1:-1], sentence)
