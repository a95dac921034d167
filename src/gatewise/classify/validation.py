"""Validation of a classifier's arguments.

Letters: `N` sequences.
"""

import math
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from gatewise.arguments import boolean, fraction, number, one_of, whole
from gatewise.classify.errors import SequenceError
from gatewise.classify.network import CELLS
from gatewise.classify.sequences import as_array
from gatewise.engines import ENGINES
from gatewise.networks import POOLINGS

CHOICES = {"cell": CELLS, "pooling": POOLINGS, "scale": ("standard", "none"), "engine": ("auto", *ENGINES)}
SIZES = ("num_layers", "batch_size")
OPTIONAL_SIZES = ("hidden_size", "epochs", "patience")
LARGEST_WEIGHT = 1e6  # of a class: with it, float32 still resolves differences of the loss


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Validate the arguments of the constructor.

    Raises:
        ValueError: an argument is of the wrong type or out of range.
    """
    for name, known in CHOICES.items():
        one_of(name, arguments[name], known)
    for name in SIZES:
        whole(name, arguments[name], 1)
    for name in OPTIONAL_SIZES:
        if arguments[name] is not None:
            whole(name, arguments[name], 1)
    whole("seed", arguments["seed"], 0)
    boolean("bidirectional", arguments["bidirectional"])
    boolean("quiet", arguments["quiet"])
    fraction("dropout", arguments["dropout"])
    fraction("validation_fraction", arguments["validation_fraction"])
    number("lr", arguments["lr"], math.inf, "a number above 0, such as 0.003")
    check_class_weight(arguments["class_weight"])


def check_class_weight(class_weight: Any) -> None:
    """Validate the type and the range of class weights."""
    if class_weight is None or (isinstance(class_weight, str) and class_weight == "balanced"):
        return
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            f"class_weight is {class_weight!r}, expected None, 'balanced', or a mapping of classes to weights"
        )
    for name, weight in class_weight.items():
        is_number = isinstance(weight, int | float | np.number) and not isinstance(weight, bool)
        if not is_number or not 0 <= weight <= LARGEST_WEIGHT:
            raise ValueError(f"class_weight of {name!r} is {weight!r}, expected a number from 0 to {LARGEST_WEIGHT:g}")


def check_patience(patience: int | None, validation_fraction: float, validation: np.ndarray) -> None:
    """Refuse patience without a validation set, given as a mask (N,)."""
    if patience is not None and not validation.any():
        raise SequenceError(
            f"patience needs a validation set, but validation_fraction={validation_fraction} of {len(validation)} "
            "sequences selects none; raise it, or leave patience out"
        )


def check_sample_weight(sample_weight: Any, count: int) -> np.ndarray | None:
    """The weight of each sequence (N,), None for equal weights."""
    if sample_weight is None:
        return None
    weights = as_array(sample_weight, "sample_weight")
    fits = weights.shape == (count,) and weights.dtype.kind in "biuf"
    if not fits or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        raise ValueError(
            f"sample_weight is {weights.dtype} {weights.shape}, expected ({count},): finite numbers, none below 0 and "
            "not all 0"
        )
    return weights


def not_fitted(message: str) -> Exception:
    """A RuntimeError, and scikit-learn's NotFittedError too if scikit-learn is imported."""
    exceptions = sys.modules.get("sklearn.exceptions")
    if exceptions is None:
        return RuntimeError(message)
    # pickle cannot find a class that is created here, so other processes create it again
    reduce = {"__reduce__": lambda self: (not_fitted, self.args)}
    error: Exception = type("NotFittedError", (RuntimeError, exceptions.NotFittedError), reduce)(message)
    return error
