"""Names of the columns of tables: kept in `fit` and compared in `predict`, as scikit-learn does."""

from collections.abc import Sequence
from typing import Any

from gatewise.classify.errors import SequenceError

MOST = 5  # names of a message


def column_names(x: Any) -> list[str]:
    """The names of the columns of a table, if all are text; none of anything else."""
    names = list(getattr(x, "columns", ()))
    return names if all(isinstance(name, str) for name in names) else []


def refuse_other_names(x: Any, expected: Sequence[str]) -> None:
    """Refuse a table whose columns are not those of `fit`, in their order.

    Raises:
        SequenceError: with the message of scikit-learn.
    """
    found, wanted = column_names(x), list(expected)
    if not found or not wanted or found == wanted:
        return
    unseen, missing = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
    message = "The feature names should match those that were passed during fit.\n"
    if unseen:
        message += f"Feature names unseen at fit time:\n{_lines(unseen)}"
    if missing:
        message += f"Feature names seen at fit time, yet now missing:\n{_lines(missing)}"
    if not unseen and not missing:
        message += "Feature names must be in the same order as they were in fit.\n"
    values = "" if getattr(getattr(x, "index", None), "nlevels", 1) > 1 else ", or x.to_numpy() if its values are right"
    raise SequenceError(f"{message}Pass x with the columns of feature_names_in_ in their order{values}.")


def _lines(names: list[str]) -> str:
    return "".join(f"- {name}\n" for name in names[:MOST]) + "- ...\n" * (len(names) > MOST)
