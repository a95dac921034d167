"""Columns of test sequences beside those of the training."""

from collections.abc import Sequence

from gatewise.datasets.labelled import FileError, Labelled, listed, plain_names
from gatewise.datasets.numbered import in_order, numbered


def refuse_other_columns(data: Labelled, expected: Sequence[str], source: object) -> None:
    """Refuse columns that are not those of the training, in their order.

    Numbered columns may go on after those of the training, or end before them: sequences may have any lengths.

    Arguments:
        data: sequences to predict; without names of columns, they are read by position.
        expected: names of the columns of the training; none if they had none.
        source: of the data, for the message.

    Raises:
        FileError: columns are missing, unexpected, or in another order.
    """
    found, wanted = list(data.columns), list(plain_names(expected))
    if len(found) < 2 or len(wanted) < 2 or found == wanted or _is_longer(found, wanted) or _is_longer(wanted, found):
        return
    missing = [name for name in wanted if name not in found]
    unexpected = [name for name in found if name not in wanted]
    faults = [f"no column {listed(map(repr, missing))}"] * bool(missing)
    faults += [f"unexpected columns {listed(map(repr, unexpected))}"] * bool(unexpected)
    if not faults:
        place = next(k for k, name in enumerate(wanted) if found[k] != name)
        faults = [f"its columns in another order: {found[place]!r} where the training has {wanted[place]!r}"]
    raise FileError(
        f"{source} has {' and '.join(faults)}; expected the columns of the training in their order, "
        f"{listed(wanted)}; write the file with these columns"
    )


def _is_longer(longer: list[str], shorter: list[str]) -> bool:
    """Whether names of one numbered form go on after those of a shorter table."""
    stems = {parts.stem if (parts := numbered(name)) else None for name in longer}
    return longer[: len(shorter)] == shorter and len(stems) == 1 and None not in stems and in_order(longer) == longer
