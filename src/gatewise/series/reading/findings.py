"""Findings: what the user should look at in the series that were read."""

from gatewise.series.panel import Panel
from gatewise.series.reading.sentinels import sentinels


def findings(panel: Panel) -> tuple[str, ...]:
    """A sentence for everything in the series of a panel that the user should look at."""
    return sentinels(panel)
