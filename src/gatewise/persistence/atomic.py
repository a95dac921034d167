"""Files written whole or not at all."""

import os
import secrets
import stat
from pathlib import Path
from typing import Any


def as_path(path: Any) -> Path:
    """A path as such.

    Raises:
        TypeError: it is none; a whole number would be taken for an open file.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path is {path!r}, expected the path of a file, as text or a pathlib.Path")
    return Path(path)


def write(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file whole or not at all: what is there already stays until the new content is complete on the disk.

    A link stays a link: what it points to is replaced. A file that was there passes its permissions on.

    Arguments:
        path: where to.
        content: all of it.

    Raises:
        TypeError: path is no path.
        OSError: no such folder, something there that is no ordinary file, or no place or right to write.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/note.txt", b"whole")
    ...     os.listdir(folder)
    ['note.txt']
    """
    try:
        target = as_path(path).resolve()
    except RuntimeError:  # what Python below 3.13 makes of it
        raise OSError(f"cannot write {path}: its links lead in a circle; give another name") from None
    if not target.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no folder {target.parent}; create it first")
    if target.exists() and not target.is_file():  # a folder, or a device that must not become a file
        raise OSError(f"cannot write {path}: it is no ordinary file; give another name")
    partial = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as file:
            if target.exists():  # before there is anything to read
                partial.chmod(stat.S_IMODE(target.stat().st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
