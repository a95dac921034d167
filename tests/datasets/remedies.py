"""The remedy of a message: its options of the command line, as arguments of Python."""

import re
import shlex

import pytest

from gatewise.datasets import FileError, read_sequences

NAMES = {"id": "id_column", "time": "time_column"}
LISTS = ("drop", "keep")


def options(message, choice=0):
    """The arguments in the given parentheses of a message."""
    text = re.findall(r"\((--[^()]*)\)", message)[choice]
    words = shlex.split(text)
    arguments = {}
    for option, value in zip(words[::2], words[1::2], strict=True):
        name = NAMES.get(option[2:], option[2:])
        arguments[name] = value.split(",") if name in LISTS or "," in value else value
    return arguments


def follow(path, choice=0, message=None, **arguments):
    """Read a table as the message of its refusal says."""
    with pytest.raises(FileError, match=message) as refused:
        read_sequences(path, **arguments)
    return read_sequences(path, **{**arguments, **options(str(refused.value), choice)})
