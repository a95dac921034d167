"""Findings: what the user should look at in the series that were read, and the treatment of outliers."""

from dataclasses import replace

from gatewise.series.errors import DataError
from gatewise.series.outliers.report import (
    describe_constants,
    describe_counts,
    describe_outliers,
    describe_treatment,
)
from gatewise.series.outliers.search import search, without_named
from gatewise.series.outliers.treatment import treated
from gatewise.series.panel import Panel

FILL_REMEDY = 'pass fill="interpolate", "previous", "zero" or "none" (--fill interpolate)'


def with_findings(panel: Panel, outliers: str) -> Panel:
    """The panel with a sentence for everything in its series that the user should look at, and outliers treated.

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
        found = without_named(search(panel.series, panel.freq), panel.warnings)
        warnings = (*describe_outliers(found), *warnings)
        guesses = describe_counts(panel.series)
    else:
        result = treated(panel.series, panel.freq, outliers, panel.fill)
        panel = replace(panel, series=result.series, outliers=outliers)
        guesses = (*describe_treatment(result.found, outliers, panel.fill), *describe_counts(panel.series))
    return replace(panel, guesses=(*panel.guesses, *guesses), warnings=(*panel.warnings, *warnings))
