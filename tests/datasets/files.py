"""Files for the tests of the readers."""

import io
import struct

import numpy as np


def idx(array, code=0x08):
    big = array.astype(array.dtype.newbyteorder(">"))
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + big.tobytes()


def archive(**arrays):
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def by_message(value):
    """The name of a test case; "file" for bytes, because compressed bytes depend on the time."""
    return value if isinstance(value, str) else "file"
