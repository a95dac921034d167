"""Arguments of `gatewise.read`, validated."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gatewise.series.errors import DataError
from gatewise.series.panel import Panel
from gatewise.series.reading.exclusion import ON_BAD
from gatewise.series.reading.layouts import LAYOUTS
from gatewise.series.values import FILLS, NO_FILL

AGGREGATES = ("sum", "mean", "last")
OUTLIERS = ("report", "clip", "missing")
ENDED = ("exclude", "forecast")
CHOICES: dict[str, tuple[tuple[str | None, ...], str]] = {  # argument -> its values, option of the command
    "layout": ((None, *LAYOUTS), ""),
    "on_bad": (ON_BAD, ""),
    "fill": ((None, *FILLS, NO_FILL), " (--fill interpolate)"),
    "aggregate": ((None, *AGGREGATES), " (--aggregate sum)"),
    "outliers": (OUTLIERS, " (--outliers clip)"),
    "ended": ((None, *ENDED), " (--ended exclude)"),
}


def check_arguments(
    *,
    sort: object,
    like: object,
    id_column: object,
    time_column: object,
    target_column: object,
    series: object,
    fill_limit: object,
    **choices: Any,
) -> None:
    """Refuse arguments of a wrong type or value.

    Raises:
        DataError: naming the argument and what is expected.
    """
    if not isinstance(sort, bool | np.bool_):
        raise DataError(f"sort={sort!r}: expected True or False (--sort)")
    if like is not None and not isinstance(like, Panel):
        raise DataError(f"like is of type {type(like).__name__}, expected a panel returned by gatewise.read")
    for name, columns in {"id_column": id_column, "time_column": time_column, "target_column": target_column}.items():
        if not isinstance(columns, str | list | tuple | None):
            raise DataError(f"{name}={columns!r}: expected the name of a column, or a list of names")
    if series is not None and not isinstance(series, str | Sequence):
        raise DataError(f"series={series!r}: expected the names of the series to read (--series)")
    is_number = isinstance(fill_limit, int | float | np.number) and not isinstance(fill_limit, bool)
    if not is_number or not 0 <= float(fill_limit) <= 1:  # type: ignore[arg-type]  # a number by the check before
        raise DataError(f"fill_limit={fill_limit!r}: expected a fraction from 0 to 1 (--fill-limit 0.5)")
    for name, value in choices.items():
        known, option = CHOICES[name]
        if value not in known:
            names = ", ".join(value for value in known if value is not None)
            raise DataError(f"{name}={value!r}: expected one of {names}{option}")
