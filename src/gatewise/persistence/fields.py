"""What a file says of a model, of which nothing is believed: each value is taken out of it and checked."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

import numpy as np

Content: TypeAlias = dict[str, Any]
Arrays: TypeAlias = dict[str, "np.ndarray[Any, Any]"]

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # what steers a terminal, and what none can show


def renamed(content: Any, names: Mapping[str, str]) -> Any:
    """Content with the present names of its fields in place of older ones."""
    return {names.get(name, name): value for name, value in content.items()} if isinstance(content, dict) else content


def taken(content: Content, name: str, *kinds: type) -> Any:
    """A value of one of these types, and of no subclass."""
    value = content.get(name)
    if name not in content or type(value) not in kinds:
        raise ValueError(f"{name} is {value!r:.80}, expected {' or '.join(kind.__name__ for kind in kinds)}")
    return value


def measure(content: Content, name: str, most: float = 1e300) -> float:
    """A number from 0 to `most`."""
    value = taken(content, name, int, float)
    if not 0 <= value <= most:
        raise ValueError(f"{name} is {value!r:.80}, expected a number from 0 to {most:g}")
    return float(value)


def sentences(content: Content, name: str) -> tuple[str, ...]:
    """A list of text."""
    value = taken(content, name, list)
    if not all(isinstance(sentence, str) for sentence in value):
        raise ValueError(f"{name} is {value!r:.80}, expected sentences")
    return tuple(value)


def array(arrays: Arrays, name: str, dtype: Any = np.float64, shape: tuple[int | None, ...] = (None,)) -> np.ndarray:
    """An array of a type and a shape, None for any length; it is taken out, so that what is left is strange."""
    if name not in arrays:
        raise ValueError(f"there is no array {name!r}")
    came = arrays.pop(name)
    fits = came.ndim == len(shape) and all(wanted in (None, n) for n, wanted in zip(came.shape, shape, strict=True))
    if came.dtype != dtype or not fits:
        wanted = "one dimension" if shape == (None,) else f"shape {shape}".replace("None", "any")
        raise ValueError(
            f"array {name!r} is {came.dtype} of shape {came.shape}, expected {np.dtype(dtype)} of {wanted}"
        )
    if not np.isfinite(came).all():
        raise ValueError(f"array {name!r} holds NaN or infinity")
    return came


def as_text(values: Sequence[Any]) -> np.ndarray:
    """A list as JSON in bytes: what may be too long for a header."""
    return np.frombuffer(json.dumps(values, ensure_ascii=False, allow_nan=False).encode(), np.uint8)


def of_text(arrays: Arrays, name: str, count: int) -> list[Any]:
    """The list of so many that `as_text` made."""
    text = array(arrays, name, np.uint8).tobytes()
    try:
        values = json.loads(text.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ValueError(f"array {name!r} is no text in JSON") from None
    if not isinstance(values, list) or len(values) != count:
        raise ValueError(f"array {name!r} is no list of {count}")
    return values


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def check_text(content: Any) -> None:
    """Refuse control characters in any text of a content, however deep: shown on a terminal, they could steer it."""
    for text in _texts(content):
        if CONTROLS.search(text):
            raise ValueError(f"{text!r:.80} holds control characters, expected text that can be shown")


def _texts(content: Any) -> Iterator[str]:
    left = [content]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            left += [*value, *value.values()]
        elif isinstance(value, list):
            left += value


def shown(sentence: str) -> str:
    """A sentence with its control characters written out."""
    return CONTROLS.sub(lambda found: repr(found[0])[1:-1], sentence)
