"""`gatewise check`: read a file and print what was understood of it, without training."""

import argparse
import sys
from dataclasses import replace
from typing import Any

from gatewise.cli.data import source_of
from gatewise.cli.files import OutputFiles, print_now
from gatewise.cli.options import DATA, given


def run(arguments: argparse.Namespace, files: OutputFiles) -> int:
    """Print the summary of the data; the exit code is 0, 1 with warnings, or 2 if a forecast would refuse them."""
    from gatewise.series import check

    source, name = source_of(arguments)
    options = given(arguments, DATA)
    if arguments.split_by_frequency:
        return _check_groups(source, name, options)
    summary = check(source, **options)
    text = str(replace(summary, error=None))
    if text:
        print_now(f"Data: {name}\n{text}")
    if summary.error is not None:
        print(f"gatewise: {summary.error}", file=sys.stderr)
        return 2
    return 1 if summary.warnings else 0


def _check_groups(source: Any, name: str, options: dict[str, Any]) -> int:
    """Print a summary for the series of each frequency."""
    from gatewise.series import Summary, split_by_frequency

    panels = split_by_frequency(source, **options)
    texts = [f"Frequency {freq}\n{Summary(panel, panel.warnings)}" for freq, panel in panels.items()]
    print_now("\n\n".join([f"Data: {name}", *texts]))
    return 1 if any(panel.warnings for panel in panels.values()) else 0
