"""Id columns: one or several columns that name the series, as given or by the shape of the table.

Letters: N rows.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, islice
from typing import NamedTuple

import numpy as np
import pandas as pd

from gatewise.series.errors import DataError
from gatewise.series.reading.dates.daylight_saving import holds_zones
from gatewise.series.reading.dates.parsing import is_text
from gatewise.series.reading.table import Table
from gatewise.series.wording import listed

MOST_COLUMNS = 10  # searched for names, those with the fewest distinct cells first
MOST_TOGETHER = 3  # columns that name the series together
LEAST_DATES = 2  # of a series, on average
SEVERAL = 3  # dates of every series, if its name is chosen without being asked for
COMPLETE = 0.9  # of the dates between the first and the last of each series


class Ids(NamedTuple):
    """Columns that name series whose dates are distinct.

    Attributes:
        columns: their names.
        complete: the fraction of the dates of the table between the first and the last of each series that it has.
        fewest: the number of dates of the shortest series.
        is_text: whether every column holds text that is not only numbers.
    """

    columns: tuple[str, ...]
    complete: float
    fewest: int
    is_text: bool


# ------------------------------------------------------------------------------------------------------ by shape


def find_ids(frame: pd.DataFrame, columns: Sequence[str], ranks: np.ndarray) -> list[Ids]:
    """The smallest sets of columns with which every series has distinct dates, several of them, on one calendar.

    Columns that name the same series are listed once, by the first of them.

    Arguments:
        frame: (N rows) a long table.
        columns: those that may name series.
        ranks: (N,) the rank of the date of each row among the distinct dates.
    """
    most = int(np.bincount(ranks).max())  # rows of one date: at least so many series
    codes = {column: name_codes(frame[column]) for column in columns}
    usable = {column: code for column, code in codes.items() if code is not None and _varies(code, ranks)}
    narrow = sorted(usable, key=lambda column: int(usable[column].max()))[:MOST_COLUMNS]
    ordered = [column for column in usable if column in narrow]
    for count in range(1, MOST_TOGETHER + 1):
        found = dict[bytes, Ids]()
        for chosen in combinations(ordered, count):
            series = together([usable[column] for column in chosen])
            if series.max() + 1 < most or not _are_distinct(series, ranks):
                continue
            complete = _completeness(series, ranks)
            if len(ranks) >= LEAST_DATES * (series.max() + 1) and complete >= 0.5:
                text = all(holds_names(frame[column]) for column in chosen)
                found.setdefault(series.tobytes(), Ids(chosen, complete, int(np.bincount(series).min()), text))
        if found:
            return list(found.values())
    return []


def certain(found: Sequence[Ids]) -> Ids | None:
    """The only candidate, if it is one column of text whose series have several and nearly all dates; else None."""
    if len(found) != 1 or len(found[0].columns) > 1 or not found[0].is_text:
        return None
    return found[0] if found[0].complete >= COMPLETE and found[0].fewest >= SEVERAL else None


def holds_names(column: pd.Series) -> bool:
    """Whether a column holds text that is not only numbers."""
    return is_text(column) and bool(pd.to_numeric(column.drop_duplicates(), errors="coerce").isna().any())


def may_name_series(column: pd.Series) -> bool:
    """Whether a column has a few names, each in several rows, and no blank cells."""
    codes = name_codes(column)
    return codes is not None and len(codes) > 0 and 0 < codes.max() < len(codes) / SEVERAL


def name_codes(column: pd.Series) -> np.ndarray | None:
    """(N,) the number of the name in each cell; None for columns that cannot name series."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind not in ("string", "integer", "categorical", "boolean") or column.isna().any() or holds_zones(column):
        return None
    return np.asarray(pd.factorize(column)[0])


def _varies(codes: np.ndarray, ranks: np.ndarray) -> bool:
    """Whether a column is neither constant, nor different in nearly all rows, nor the same in all rows of a date."""
    distinct = int(codes.max()) + 1
    if distinct < 2 or distinct * LEAST_DATES > len(codes):
        return False
    pairs = len(pd.unique(ranks.astype(np.int64) * distinct + codes))
    return pairs > int(ranks.max()) + 1


def together(codes: Sequence[np.ndarray]) -> np.ndarray:
    """(N,) the number of each combination, in order of appearance."""
    key = codes[0].astype(np.int64)
    for code in codes[1:]:
        key = np.asarray(pd.factorize(key * (int(code.max()) + 1) + code)[0])
    return np.asarray(pd.factorize(key)[0])


def _are_distinct(series: np.ndarray, ranks: np.ndarray) -> bool:
    return not pd.Index(series.astype(np.int64) * (int(ranks.max()) + 1) + ranks).has_duplicates


def _completeness(series: np.ndarray, ranks: np.ndarray) -> float:
    by_series = pd.Series(ranks).groupby(series)
    return float(len(ranks) / (by_series.max() - by_series.min() + 1).sum())


# ------------------------------------------------------------------------------------------------ several columns


def named_together(table: Table, columns: Sequence[str], blanks: bool = False) -> tuple[Table, str]:
    """The table with a column of names such as store/item, and the name of this column.

    Arguments:
        table: the table.
        columns: two or more columns that name the series together.
        blanks: leave out blank parts of a name; else they are errors.

    Raises:
        DataError: a blank cell; two series with the same name, such as a/b, c and a, b/c.
    """
    name = "/".join(columns)
    if name in table.frame.columns:
        raise DataError(
            f"{table.name}: the series are named by {listed(columns)}, but there is also a column {name!r}; rename it"
        )
    cells = [as_written(table, column) for column in columns]
    if not blanks:
        for column, part in zip(columns, cells, strict=True):
            missing = part.isna().to_numpy()
            if missing.any():
                row = table.row(int(missing.argmax()))
                raise DataError(f"{row}: no name in series column {column!r}; add the name or remove the row")
    series = together([np.asarray(pd.factorize(part, use_na_sentinel=False)[0]) for part in cells])
    first = np.flatnonzero(~pd.Series(series).duplicated())
    parts = zip(*(part.iloc[first] for part in cells), strict=True)
    names = ["/".join(str(cell) for cell in row if not pd.isna(cell)) for row in parts]
    repeated = pd.Index(names).duplicated()
    if repeated.any():
        clash = names[int(repeated.argmax())]
        raise DataError(
            f"{table.name}: two series get the same name {clash!r} from {listed(columns)}; rename one of them"
        )
    return with_column(table, name, pd.Series(np.array(names, dtype=object)[series])), name


def with_column(table: Table, name: str, cells: pd.Series) -> Table:
    """The table with one more column; joined, because pandas warns of inserting one in a frame of many columns."""
    frame = table.frame.drop(columns=name, errors="ignore")
    return replace(table, frame=pd.concat([frame, cells.set_axis(frame.index).rename(name)], axis=1))


def as_written(table: Table, column: str) -> pd.Series:
    """A column that names series; in a text file, the names as written: "007" is not 7, "NA" is not missing."""
    if table.written is None:
        cells = table.unconverted.get(column, table.frame[column])
        return cells.where(cells.str.strip() != "") if is_text(cells) else cells
    written = table.written(column).replace("", np.nan)
    return written if len(written) == len(table.frame) else table.frame[column]


def with_names_as_written(table: Table, columns: Sequence[str]) -> Table:
    """The table with these columns as written in a text file, or before their numbers were converted."""
    return replace(table, frame=table.frame.assign(**{column: as_written(table, column) for column in columns}))


def remedies(found: Sequence[Ids]) -> list[str]:
    """What to pass for each candidate, in Python and on the command line."""
    return [id_remedy(ids.columns) for ids in islice(found, 4)]


def id_remedy(columns: Sequence[str]) -> str:
    """What to pass for columns that name the series, in Python and on the command line."""
    given = repr(columns[0]) if len(columns) == 1 else f"[{', '.join(map(repr, columns))}]"
    return f"id_column={given} ({option('--id', columns)})"


def option(flag: str, columns: Sequence[str]) -> str:
    """An option of the command with names of columns, quoted for a shell where they need it."""
    names = ",".join(columns)
    return (
        f"{flag} {names}" if all(letter.isalnum() or letter in "_-,./%+:" for letter in names) else f'{flag} "{names}"'
    )
