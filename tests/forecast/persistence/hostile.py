"""Changes of the content of a file, and the refusal of the result."""

import json

import numpy as np
import pytest

from gatewise import Forecaster
from gatewise.persistence import file as file_format
from gatewise.persistence.file import FormatError


def refused(small, content, arrays):
    file_format.save(small[2] / "hostile", "Forecaster", content, arrays)
    with pytest.raises(FormatError) as caught:
        Forecaster.load(small[2] / "hostile")
    assert str(caught.value).startswith(f"{small[2] / 'hostile'} does not hold a valid forecaster: ")
    assert len(str(caught.value)) < 1500
    assert "\x1b" not in str(caught.value)
    return str(caught.value)


def with_arguments(**changes):
    return with_part("arguments", **changes)


def with_part(part, **changes):
    return lambda content, _: content[part].update(changes)


def with_content(**changes):
    return lambda content, _: content.update(changes)


def with_arrays(**changes):
    return lambda _, arrays: arrays.update({name.replace("__", "."): value for name, value in changes.items()})


def without(name):
    return lambda _, arrays: arrays.pop(name)


def named(*names):
    return with_arrays(names=np.frombuffer(json.dumps(names).encode(), np.uint8))


def categories(names, **changes):
    text = np.frombuffer(json.dumps(names).encode(), np.uint8)
    part = with_part("panel", categorical={"count": len(names), "ordered": False, **changes})
    return combined(with_arrays(categories=text), part)


def combined(*changes):
    def change(content, arrays):
        for apply in changes:
            apply(content, arrays)

    return change


FREE = with_arguments(context=None, season=None, strategy="auto", hidden_size=None, ensemble_size=None)
