"""`gatewise check`: read a file and print what was understood of it, without training."""

import argparse
import sys
from dataclasses import replace

from gatewise.cli.data import source_of
from gatewise.cli.files import OutputFiles, print_now
from gatewise.cli.options import DATA, given


def run(arguments: argparse.Namespace, files: OutputFiles) -> int:
    """Print the summary of the data; the exit code is 0, 1 with warnings, or 2 if a forecast would refuse them."""
    from gatewise.series import check

    source, name = source_of(arguments)
    summary = check(source, **given(arguments, DATA))
    text = str(replace(summary, error=None))
    if text:
        print_now(f"Data: {name}\n{text}")
    if summary.error is not None:
        print(f"gatewise: {summary.error}", file=sys.stderr)
        return 2
    return 1 if summary.warnings else 0
