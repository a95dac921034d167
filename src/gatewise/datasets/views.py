"""Views of images as sequences.

Letters: `N` images of `R` rows and `K` columns; `T` steps, `C` channels.
"""

import numpy as np

VIEWS = ("rows", "columns", "pixels", "permuted", "vector")


def view(images: np.ndarray, kind: str = "rows", *, seed: int = 0) -> np.ndarray:
    """Images as sequences.

    | kind | T | C | order |
    |---|---|---|---|
    | rows | R | K | one row of pixels at each step, from the top |
    | columns | K | R | one column at each step, from the left |
    | pixels | R K | 1 | one pixel at each step, row by row |
    | permuted | R K | 1 | the pixels in one random order for all images |
    | vector | 1 | R K | the whole image in a single step |

    Reference: pixels and permuted, Le, Jaitly and Hinton, A simple way to initialize recurrent networks of rectified
    linear units, 2015.

    Arguments:
        images: (N, R, K); bytes are converted to float32 from 0 to 1, other numbers stay unchanged.
        kind: see above.
        seed: random seed of the order of "permuted"; the order for a seed never changes.

    Returns:
        (N, T, C).

    Raises:
        ValueError: an unknown kind, or images of another shape.

    >>> image = np.arange(6).reshape(1, 2, 3)
    >>> view(image, "columns").tolist(), view(image, "vector").shape
    ([[[0, 3], [1, 4], [2, 5]]], (1, 1, 6))
    """
    if kind not in VIEWS:
        raise ValueError(f"view is {kind!r}, expected one of {', '.join(VIEWS)}")
    images = np.asarray(images)
    if images.ndim != 3:
        raise ValueError(f"images have shape {images.shape}, expected (N, rows, columns)")
    x = np.divide(images, np.float32(255), dtype=np.float32) if images.dtype == np.uint8 else images
    if kind == "rows":
        return x
    if kind == "columns":
        return x.transpose(0, 2, 1)
    flat = x.reshape(len(x), x.shape[1] * x.shape[2])
    if kind == "vector":
        return flat[:, None]
    if kind == "permuted":
        generator = np.random.RandomState(seed)  # numpy guarantees that its draws never change
        flat = flat[:, generator.permutation(flat.shape[1])]
    return flat[:, :, None]
