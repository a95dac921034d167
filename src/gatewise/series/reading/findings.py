"""Findings: what the user should look at in the series that were read."""

from gatewise.series.outliers.report import describe_constants, describe_outliers
from gatewise.series.outliers.search import search, without_named
from gatewise.series.panel import Panel


def findings(panel: Panel) -> tuple[str, ...]:
    """A sentence for everything in the series of a panel that the user should look at, beside its warnings."""
    outliers = search(panel.series, panel.freq) if panel.outliers == "report" else []
    return (
        *describe_outliers(without_named(outliers, panel.warnings)),
        *describe_constants(panel.series, panel.season),
    )
