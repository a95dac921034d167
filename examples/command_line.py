"""The options that every example has."""

import argparse
from pathlib import Path


def parser(description: str, *, epochs: int, out: str) -> argparse.ArgumentParser:
    """A parser for `--epochs`, `--out`, `--seed` and `--quiet`; an example adds its own options to it.

    Arguments:
        description: what the example does, for `--help`.
        epochs: the full length.
        out: where its files go by default.
    """
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    options.add_argument("--epochs", type=int, default=epochs, help="length of the training")
    options.add_argument("--out", type=Path, default=Path(out), help="folder for the files, created if missing")
    options.add_argument("--seed", type=int, default=0, help="of the data, the first weights and the shuffling")
    options.add_argument("--quiet", action="store_true", help="show no progress while training")
    return options
