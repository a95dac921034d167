"""Outliers: their treatment when a table is read, and a note about counts."""

from dataclasses import replace

from gatewise.series.errors import DataError
from gatewise.series.outliers.report import describe_counts, describe_treatment
from gatewise.series.outliers.treatment import treated
from gatewise.series.panel import Panel


def with_treatment(panel: Panel, outliers: str) -> Panel:
    """The panel with outliers clipped, or treated as missing values and filled, and with guesses that say so.

    Arguments:
        panel: as it was read.
        outliers: "report", "clip" or "missing".

    Raises:
        DataError: outliers are to be missing values, but `fill` does not say how to fill them.
    """
    if outliers == "missing" and panel.fill is None:
        raise DataError(
            "outliers='missing' makes values missing that must be filled; "
            'pass fill="interpolate", "previous", "zero" or "none" (--fill interpolate)'
        )
    guesses: tuple[str, ...] = ()
    if outliers != "report":
        result = treated(panel.series, panel.freq, outliers, panel.fill)
        panel = replace(panel, series=result.series, outliers=outliers)
        guesses = describe_treatment(result.found, outliers, panel.fill)
    return replace(panel, guesses=(*panel.guesses, *guesses, *describe_counts(panel.series)))
