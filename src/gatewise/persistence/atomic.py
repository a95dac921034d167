"""Atomic writes: a file is written completely or not at all."""

import os
import secrets
import stat
from pathlib import Path
from typing import Any


def as_path(path: Any) -> Path:
    """The path of a file.

    Raises:
        TypeError: `path` is not a path. An integer, which `open` accepts as a file descriptor, is refused too.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path is {path!r}, expected the path of a file, as text or a pathlib.Path")
    return Path(path)


def write(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file completely or not at all: an existing file stays until the new content is complete on disk.

    A link stays a link: its target is replaced. The permissions of an existing file are kept.

    Arguments:
        path: of the file.
        content: its bytes.

    Raises:
        TypeError: `path` is not a path.
        OSError: the folder does not exist, the path is not a regular file, or there is no space or permission.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/note.txt", b"whole")
    ...     os.listdir(folder)
    ['note.txt']
    """
    try:
        target = as_path(path).resolve()
    except RuntimeError:  # from Python below 3.13
        raise OSError(f"cannot write {path}: its symbolic links form a cycle; use another name") from None
    if not target.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no folder {target.parent}; create it first")
    if target.exists() and not target.is_file():  # a folder, or a device that must not be replaced by a file
        raise OSError(f"cannot write {path}: it is not a regular file; use another name")
    partial = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as file:
            if target.exists():  # before it has content that others could read
                partial.chmod(stat.S_IMODE(target.stat().st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
