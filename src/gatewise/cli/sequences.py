"""Sequences for `gatewise classify`: read them, describe them, split them into a training and a test set."""

import argparse
import filecmp
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gatewise import datasets
from gatewise.cli.files import print_now
from gatewise.cli.options import TABLE, given, option_name
from gatewise.datasets.matching import refuse_other_columns
from gatewise.series.wording import counted, quote_first

TEST_FRACTION = 0.2


class LabelledSequences(NamedTuple):
    """Sequences with their labels, as the network reads them.

    Attributes:
        x: (N, T, C) array, or a list of (T, C) arrays.
        y: (N,) labels, or None.
        indices: (N,) positions in the data.
        images: (N, height, width), if the sequences come from images.
        columns: names of the columns of the table, none without names.
    """

    x: Any
    y: Any
    indices: np.ndarray
    images: Any = None
    columns: tuple[str, ...] = ()

    def select(self, mask: np.ndarray) -> "LabelledSequences":
        """The sequences where the mask (N,) is true."""
        x = [self.x[k] for k in np.flatnonzero(mask)] if isinstance(self.x, list) else self.x[mask]
        images = None if self.images is None else self.images[mask]
        return LabelledSequences(x, self.y[mask], self.indices[mask], images, self.columns)


def read_parts_to_classify(arguments: argparse.Namespace) -> tuple[Any, Any]:
    """The training and the test part, or None, of the data for a saved model."""
    if arguments.file is None:
        raise ValueError("--model needs sequences to classify; give DATA")
    return datasets.read_parts(arguments.file, **given(arguments, TABLE))


def sequences_to_classify(
    parts: tuple[Any, Any], arguments: argparse.Namespace, columns: Sequence[str]
) -> LabelledSequences:
    """The sequences for a saved model: the test set if there is one, else all sequences.

    Arguments:
        parts: the training and the test part, or None.
        arguments: of the command.
        columns: names of the columns of the training; none if they are unknown.
    """
    train, test = parts
    data = train if test is None else test
    refuse_other_columns(data, columns, arguments.file)
    sequences = _as_sequences(data, arguments)
    note = "" if test is None else "\n  test set only"
    print_now(f"Data: {arguments.file}\n{_describe(sequences)}{note}{_notes(data)}")
    return sequences


def read_training_and_test(arguments: argparse.Namespace) -> tuple[LabelledSequences, LabelledSequences | None]:
    """The training set, and the test set, or None."""
    if arguments.file is None:
        for option in given(arguments, TABLE):
            raise ValueError(f"{option_name(option)} applies to DATA, which is not given; give DATA, or omit it")
        name = "control charts (generated; give DATA to use your own data)"
        data, test = datasets.control_charts(), None
    else:
        name = arguments.file
        data, test = datasets.read_parts(arguments.file, **given(arguments, TABLE))
    if arguments.test is not None:
        _refuse_copy(arguments)
        test = datasets.read_sequences(arguments.test, **given(arguments, TABLE))
    if test is not None:
        refuse_other_columns(test, data.columns, arguments.test or f"the test set of {name}")
    sequences = _as_sequences(data, arguments)
    print_now(f"Data: {name}\n{_describe(sequences)}{_notes(data)}")
    _refuse_channels_first(data, arguments)
    if data.y is None:
        raise ValueError(
            f"{name} has no labels to train on; name their column with --label (a .npz file has them in y), or use "
            "--model"
        )
    if test is None:
        return _split(sequences, arguments)
    if arguments.test_fraction is not None:
        raise ValueError(f"{name} has a test set; omit --test-fraction")
    labels = ", without labels" if test.y is None else ""
    source = arguments.test or "part of the data set"
    print_now(f"  test set: {source}, {counted(len(test), 'sequence')}{labels}{_notes(test)}")
    return sequences, _as_sequences(test, arguments)


def _refuse_copy(arguments: argparse.Namespace) -> None:
    """Refuse a test file with the bytes of the training file."""
    paths = Path(arguments.file), Path(arguments.test)
    if all(path.is_file() for path in paths) and filecmp.cmp(*paths, shallow=False):
        raise ValueError(
            f"--test {arguments.test} is a copy of {arguments.file}, the training data; give other sequences, or omit "
            "--test"
        )


def _split(
    data: LabelledSequences, arguments: argparse.Namespace
) -> tuple[LabelledSequences, LabelledSequences | None]:
    """Hold out a fraction of each class for testing."""
    fraction = TEST_FRACTION if arguments.test_fraction is None else arguments.test_fraction
    from gatewise.classify import stratified_mask

    mask = stratified_mask(data.y, fraction, arguments.seed or 0)
    if not mask.any():
        reason = f" ({100 * fraction:g} % of each class is less than one sequence)" if fraction else ""
        print_now(f"  test set: none{reason}")
        return data, None
    rare = sorted(set(data.y.tolist()) - set(data.y[mask].tolist()))
    missing = f"; too few sequences to test {quote_first(rare)}" if rare else ""
    print_now(f"  test set: {mask.sum():,} of the sequences, {100 * fraction:g} % of each class at random{missing}")
    return data.select(~mask), data.select(mask)


def _as_sequences(data: Any, arguments: argparse.Namespace) -> LabelledSequences:
    """Images as sequences of values from 0 to 1; other sequences unchanged."""
    if not len(data):
        raise ValueError(f"{data.name or 'the data set'} contains no sequences; expected at least one")
    if arguments.view != "rows" and (isinstance(data.x, list) or data.x.shape[2] == 1):
        raise ValueError(f"--view {arguments.view} is for images, but the data are sequences; omit --view")
    if isinstance(data.x, list):
        return LabelledSequences(data.x, data.y, np.arange(len(data)), columns=data.columns)
    images = data.x if data.x.dtype == np.uint8 else None
    return LabelledSequences(datasets.view(data.x, arguments.view), data.y, np.arange(len(data)), images, data.columns)


def _refuse_channels_first(data: Any, arguments: argparse.Namespace) -> None:
    """Refuse an array (N, C, T) of a .npz, whose axes no format defines, unless --view is given."""
    is_archive = str(arguments.file).lower().endswith(".npz")
    if arguments.view_given or not is_archive or isinstance(data.x, list) or data.x.dtype == np.uint8:
        return
    from gatewise.classify.axes import seem_channels_first

    if seem_channels_first(data.x):
        _, first, second = data.x.shape
        raise ValueError(
            f"{data.name} has shape {data.x.shape}, read as {counted(first, 'step')} of {counted(second, 'channel')}; "
            f"if it is (N, C, T), read {counted(second, 'step')} of {counted(first, 'channel')} with --view columns; "
            "if not, confirm the shape with --view rows"
        )


def _notes(data: Any) -> str:
    """What was found by the values in the file, a line each."""
    return "".join(f"\n  {note}" for note in data.notes)


def _describe(data: LabelledSequences) -> str:
    """The number of sequences, their lengths, channels and classes."""
    lengths = sorted({len(x) for x in data.x}) if isinstance(data.x, list) else [data.x.shape[1]]
    steps = f"{lengths[0]} to {lengths[-1]} steps" if len(lengths) > 1 else counted(lengths[0], "step")
    text = f"  {len(data.indices):,} sequences of {steps}, {counted(data.x[0].shape[1], 'channel')}"
    if data.y is None:
        return f"{text}, without labels"
    classes = np.unique(data.y)
    return f"{text}, {len(classes)} {'class' if len(classes) == 1 else 'classes'}: {quote_first(classes)}"


# --------------------------------------------------------------------------------------------------------- validation


def check_before_training(
    train: LabelledSequences, test: LabelledSequences | None, kind: str | None, out: str | None, path: str | None = None
) -> None:
    """Refuse options and data that would fail only after the training; `path` is the file of the test set, if given."""
    check_kind(test, kind)
    if test is None:
        if out is not None:
            raise ValueError(f"--out {out} writes predictions, but there is no test set to predict; give --test FILE")
        return
    check_channels(test, train.x[0].shape[1], "the training sequences have")
    from gatewise.classify import Scores, SequenceError, Sequences

    try:
        Sequences.of(test.x)
        if test.y is not None:
            Scores.of(test.y, test.y, np.unique(train.y))
    except SequenceError as reason:
        raise ValueError(f"{path or 'test set'}: {reason}") from None


def check_kind(test: LabelledSequences | None, kind: str | None) -> None:
    """Refuse a figure that needs predictions or labels if there are none."""
    if test is None and kind not in (None, "learning_curve"):
        raise ValueError(
            f"--kind {kind} shows predictions, but there is no test set to predict; use --kind learning_curve"
        )
    if test is not None and test.y is None and kind in ("summary", "confusion"):
        raise ValueError(f"--kind {kind} needs labels, but the data have none; use --kind examples")


def check_channels(test: LabelledSequences, expected: int, reference: str) -> None:
    """Refuse sequences whose number of channels differs from that of the training."""
    channels = test.x[0].shape[1]
    if channels != expected:
        raise ValueError(
            f"the sequences to predict have {counted(channels, 'channel')}, but {reference} {expected}; pass "
            "--view as in training, or give sequences with the same number of channels"
        )
