"""The command-line options of every example."""

import argparse
from pathlib import Path


def parser(description: str, *, epochs: int, out: str) -> argparse.ArgumentParser:
    """A parser for `--epochs`, `--out`, `--seed` and `--quiet`; an example adds its own options.

    Arguments:
        description: the first line of `--help`.
        epochs: default number of training epochs.
        out: default output folder.
    """
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    options.add_argument("--epochs", type=int, default=epochs, help="training epochs")
    options.add_argument("--out", type=Path, default=Path(out), help="output folder, created if missing")
    options.add_argument("--seed", type=int, default=0, help="random seed of data, initial weights and shuffling")
    options.add_argument("--quiet", action="store_true", help="show no training progress")
    return options
