"""Outliers of the series that were read: reported, clipped or made missing."""

from dataclasses import replace

from gatewise.series.errors import DataError
from gatewise.series.outliers.report import (
    describe_constants,
    describe_counts,
    describe_outliers,
    describe_treatment,
)
from gatewise.series.outliers.search import search
from gatewise.series.outliers.treatment import treated
from gatewise.series.panel import Panel

FILL_REMEDY = 'pass fill="interpolate", "previous", "zero" or "none" (--fill interpolate)'


def with_outliers_treated(panel: Panel, outliers: str) -> Panel:
    """The panel with its outliers reported or treated, and with sentences about constant series and counts.

    Arguments:
        panel: as it was read.
        outliers: "report", "clip" or "missing".

    Raises:
        DataError: outliers are to be missing values, but `fill` does not say how to fill them.
    """
    warnings = describe_constants(panel.series, panel.season)
    if outliers == "missing" and panel.fill is None:
        raise DataError(f"outliers='missing' makes values missing that must be filled; {FILL_REMEDY}")
    if outliers == "report":
        warnings = (*describe_outliers(search(panel.series, panel.freq)), *warnings)
        guesses = describe_counts(panel.series)
    else:
        series, found = treated(panel.series, panel.freq, outliers, panel.fill)
        panel = replace(panel, series=series, outliers=outliers)
        guesses = (*describe_treatment(found, outliers, panel.fill), *describe_counts(series))
    return replace(panel, guesses=(*panel.guesses, *guesses), warnings=(*panel.warnings, *warnings))
