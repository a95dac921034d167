"""The native library: finds it, loads it with ctypes at first use, and reports its instruction set.

The library is built from `native/` when Gatewise is installed, if a C++17 compiler with OpenMP is found; its interface
is `native/gatewise.h`. Two environment variables are read at first use:

`GATEWISE_NATIVE`        0 disables the library. At installation, 0 skips the build and 1 requires it.
`GATEWISE_INSTRUCTIONS`  avx512, avx2, neon or baseline forces an instruction set; the default is the processor's best.
"""

import ctypes
import functools
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import torch  # noqa: F401 - before the library, so that both share torch's OpenMP runtime

NAME = "libgatewise.so"  # on every system
PACKAGE = "gatewise.engines"  # the package whose folder contains the library; Python imports it before this module
INSTRUCTIONS = ("avx512", "avx2", "neon", "baseline")
INTERFACE = 2  # GATEWISE_INTERFACE in native/gatewise.h, for which the calls are written
REINSTALL = "reinstall Gatewise with pip install --force-reinstall --no-cache-dir"

# The functions of native/gatewise.h: arguments and result. A scan is passed as packed bytes or as their address.
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
    """The library with its functions declared, or None; `reason` says why. Only the first call searches for it."""
    return _loaded()[0]


def loaded() -> ctypes.CDLL:
    """The library.

    Raises:
        RuntimeError: the library is not available.
    """
    library, reason_unavailable = _loaded()
    if library is None:
        raise RuntimeError(f"the native library is not available: {reason_unavailable}")
    return library


def reason() -> str | None:
    """Why the library is not available, with a remedy; None if it is available."""
    return _loaded()[1]


def instructions() -> str:
    """The instruction set in use: one of `INSTRUCTIONS`.

    Raises:
        RuntimeError: the library is not available.
    """
    name: bytes = loaded().gatewise_instructions()
    return name.decode()


def forked() -> bool:
    """Whether this process is a forked child of the one that loaded the library; layers then use one thread."""
    library = load()
    return library is not None and bool(library.gatewise_forked())


# Two threads may both run the first call: both load the same library and choose the same instruction set.
@functools.cache
def _loaded() -> tuple[ctypes.CDLL | None, str | None]:
    setting = os.environ.get("GATEWISE_NATIVE") or "1"
    if setting == "0":
        return None, "switched off by GATEWISE_NATIVE=0"
    if setting != "1":
        return None, f"GATEWISE_NATIVE is {setting!r}, expected 0 or 1"
    path = find(sys.modules[PACKAGE].__path__)
    if path is None:
        return None, (
            "not built at installation (skipped, or no suitable compiler); install a compiler with OpenMP (GCC 12 "
            f"or newer, such as g++, or Clang), then {REINSTALL}"
        )
    try:
        library = _declared(ctypes.CDLL(str(path)))
    except OSError as error:
        return None, f"cannot be loaded: {error}; {REINSTALL}"
    except AttributeError as error:
        return None, f"{path} is from another version: {error}; {REINSTALL}"
    if (interface := library.gatewise_interface()) != INTERFACE:
        return None, f"{path} is from another version: its interface is {interface}, expected {INTERFACE}; {REINSTALL}"
    error_message = _use(library, os.environ.get("GATEWISE_INSTRUCTIONS", ""))
    return (library, None) if error_message is None else (None, error_message)


def find(folders: Iterable[str]) -> Path | None:
    """The library in the first folder that contains it. An editable install has two: the sources and the build."""
    paths = (Path(folder) / NAME for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    for name, (arguments, result) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, result
    return library


def _use(library: ctypes.CDLL, name: str) -> str | None:
    """Force an instruction set, unless the name is empty; return an error message, or None."""
    if not name or (name in INSTRUCTIONS and library.gatewise_use_instructions(name.encode()) == 0):
        return None
    supported = [known for known in INSTRUCTIONS if library.gatewise_use_instructions(known.encode()) == 0]
    return f"GATEWISE_INSTRUCTIONS is {name!r}, expected one that this machine supports: {', '.join(supported)}"
