"""The native library: found, loaded by ctypes at first use, and asked which instruction set it uses.

It is built from `native/` when Gatewise is installed, if a C++17 compiler with OpenMP is found; the interface is
`native/gatewise.h`. Two environment variables are looked at when it is first used:

`GATEWISE_NATIVE`        0 leaves the library alone. At installation 0 leaves it out, 1 insists on it.
`GATEWISE_INSTRUCTIONS`  avx512, avx2, neon or baseline forces an instruction set; otherwise it is the processor's best.
"""

import ctypes
import functools
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import torch  # noqa: F401 - before the library, so that both share the OpenMP runtime that torch brings

NAME = "libgatewise.so"  # on every system
_PACKAGE = "gatewise.engines"  # the library is installed in its folder; Python imports it before this file
INSTRUCTIONS = ("avx512", "avx2", "neon", "baseline")
INTERFACE = 1  # GATEWISE_INTERFACE of the native/gatewise.h that the calls are written for
REINSTALL = "install Gatewise again with pip install --force-reinstall --no-cache-dir"

# What native/gatewise.h declares: arguments and result. A scan is bytes packed by the caller, or their address.
_FUNCTIONS = {
    "gatewise_interface": ([], ctypes.c_int),
    "gatewise_forward": ([ctypes.c_void_p], ctypes.c_int),
    "gatewise_backward": ([ctypes.c_void_p], ctypes.c_int),
    "gatewise_step": ([ctypes.c_void_p], ctypes.c_int),
    "gatewise_read_batch_sizes": (
        [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p],
        ctypes.c_int,
    ),
    "gatewise_forked": ([], ctypes.c_int),
    "gatewise_instructions": ([], ctypes.c_char_p),
    "gatewise_use_instructions": ([ctypes.c_char_p], ctypes.c_int),
    "gatewise_lend": ([ctypes.c_int64], ctypes.c_void_p),
    "gatewise_give_back": ([ctypes.c_void_p], None),
    "gatewise_release": ([], ctypes.c_int64),
    "gatewise_multiply_add": ([ctypes.c_int64, ctypes.c_int64, ctypes.c_int64], ctypes.c_double),
}


def load() -> ctypes.CDLL | None:
    """The library with its functions declared, or None; `reason` says why. Only the first call looks for it."""
    return _loaded()[0]


def loaded() -> ctypes.CDLL:
    """The library.

    Raises:
        RuntimeError: there is none.
    """
    library, why = _loaded()
    if library is None:
        raise RuntimeError(f"there is no native library: {why}")
    return library


def reason() -> str | None:
    """Why there is no library and what to do about it, or None if there is one."""
    return _loaded()[1]


def instructions() -> str:
    """The instruction set in use: one of `INSTRUCTIONS`.

    Raises:
        RuntimeError: there is no library.
    """
    name: bytes = loaded().gatewise_instructions()
    return name.decode()


def forked() -> bool:
    """Whether this is a forked child of the process that loaded the library: the kernels then work on one thread."""
    library = load()
    return library is not None and bool(library.gatewise_forked())


# Two threads may both come first: they then load the same library and choose the same instruction set.
@functools.cache
def _loaded() -> tuple[ctypes.CDLL | None, str | None]:
    wanted = os.environ.get("GATEWISE_NATIVE") or "1"
    if wanted == "0":
        return None, "switched off by GATEWISE_NATIVE=0"
    if wanted != "1":
        return None, f"GATEWISE_NATIVE is {wanted!r}, expected 0 or 1"
    path = find(sys.modules[_PACKAGE].__path__)
    if path is None:
        why = (
            "not built at installation: left out, or no compiler found that can (GCC 12 or newer or Clang, with OpenMP)"
        )
        return None, f"{why}; install one, such as g++, then {REINSTALL}"
    try:
        library = _declared(ctypes.CDLL(str(path)))
    except OSError as error:
        return None, f"cannot be loaded: {error}; {REINSTALL}"
    except AttributeError as error:
        return None, f"{path} is of another version: {error}; {REINSTALL}"
    if (interface := library.gatewise_interface()) != INTERFACE:
        return None, f"{path} is of another version: its interface is {interface}, expected {INTERFACE}; {REINSTALL}"
    why_not = _use(library, os.environ.get("GATEWISE_INSTRUCTIONS", ""))
    return (library, None) if why_not is None else (None, why_not)


def find(folders: Iterable[str]) -> Path | None:
    """The library in the first folder that has it. An editable install has two folders: the sources' and its own."""
    paths = (Path(folder) / NAME for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    for name, (arguments, result) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, result
    return library


def _use(library: ctypes.CDLL, name: str) -> str | None:
    """Force an instruction set, or with an empty name none; the reason why not, or None."""
    if not name or (name in INSTRUCTIONS and library.gatewise_use_instructions(name.encode()) == 0):
        return None
    there = [one for one in INSTRUCTIONS if library.gatewise_use_instructions(one.encode()) == 0]
    return f"GATEWISE_INSTRUCTIONS is {name!r}, expected one that this machine has: {', '.join(there)}"
