"""Sequences: conversion, batches, and invalid input."""

import numpy as np
import pandas as pd
import pytest
import torch

from gatewise import Classifier
from gatewise.classify import SequenceError, Sequences
from gatewise.classify.sequences import Batches
from tests.classify.walks import SMALL


@pytest.mark.parametrize(
    "convert",
    [
        np.asfortranarray,
        lambda x: x[::-1, ::-1][::-1, ::-1],
        lambda x: x.astype(">f8"),
        lambda x: pd.DataFrame(x),
        lambda x: [pd.Series(sequence) for sequence in x],
        lambda x: torch.tensor(x, dtype=torch.bfloat16),
        lambda x: torch.tensor(x, requires_grad=True),
        lambda x: [torch.tensor(sequence, requires_grad=True) for sequence in x],
        lambda x: x.astype(np.float16),
        lambda x: np.ma.masked_array(x),
        lambda x: x.astype(object),
        lambda x: pd.DataFrame(x).astype({0: int}).convert_dtypes(),
        lambda x: [[int(number) for number in sequence] for sequence in x],
    ],
)
def test_equal_sequences_of_any_array_type_are_equal(convert):
    x = np.arange(12.0).reshape(3, 4)
    sequences = Sequences.of(convert(x))
    x, lengths = sequences.batch(torch.arange(3))
    assert (x[..., 0].T.flatten().tolist(), lengths, len(sequences)) == (list(range(12)), None, 3)


def test_batches_hold_each_sequence_once_and_zeros_after_its_end():
    generator = np.random.default_rng(0)
    sizes = generator.integers(1, 30, 100)
    parts = [np.full((n, 2), k + 1.0) for k, n in enumerate(sizes)]
    sequences = Sequences.of(parts)
    batches = Batches(sequences, torch.arange(100), torch.arange(100), 8, torch.Generator().manual_seed(0))
    seen, padded = [], 0
    for (x, lengths), y in batches:
        for k, sequence in enumerate(y.tolist()):
            n = len(x) if lengths is None else int(lengths[k])
            assert n == sizes[sequence]
            assert (x[:n, k] == sequence + 1).all()
            assert (x[n:, k] == 0).all()
        seen += y.tolist()
        padded += x.shape[0] * x.shape[1]
    assert sorted(seen) == list(range(100))
    assert seen != list(range(100))
    assert padded < 1.4 * sizes.sum()  # about twice as many without sorting
    assert len(batches) == 13


def test_parts_have_a_bounded_size():
    """One long sequence does not split thousands of short ones into parts of one sequence."""
    sequences = Sequences.of([np.zeros(20000), *np.zeros((3000, 2))])
    for width, most in ((1, 2), (128, 3), (2**20, 1600)):
        parts = list(sequences.parts(width))
        assert sorted(torch.cat(parts).tolist()) == list(range(3001))
        padded = [len(part) * int(sequences.lengths[part].max()) for part in parts]
        assert all(len(part) == 1 or width * size <= 2**22 for part, size in zip(parts, padded, strict=True))
        assert len(parts) <= most
    assert len(list(Sequences.of(np.zeros((100, 784))).parts())) == 3  # with 128 hidden values per step


@pytest.mark.parametrize("batch_size", [np.int64(8), 2**62])
def test_batch_sizes_may_be_numpy_integers_and_exceed_the_number_of_sequences(batch_size):
    sequences = Sequences.of([np.zeros(1 + k % 3) for k in range(20)])
    batches = Batches(sequences, torch.arange(20), torch.arange(20), batch_size, torch.Generator().manual_seed(0))
    assert sorted(k for _, y in batches for k in y.tolist()) == list(range(20))
    assert len(batches) == (3 if batch_size == 8 else 1)
    torch.set_default_device("meta")  # as in programs on other devices
    try:
        assert sorted(k for _, y in batches for k in y.tolist()) == list(range(20))
    finally:
        torch.set_default_device(None)


GOOD = np.zeros((4, 3, 2))


@pytest.mark.parametrize(
    ("x", "y", "lengths", "message"),
    [
        (np.zeros((0, 3)), [], None, "no sequences"),
        (np.zeros((4, 3, 0)), [0, 1, 0, 1], None, "no channels"),
        (np.zeros((4, 0, 2)), [0, 1, 0, 1], None, "its sequences have no steps"),
        ([np.zeros(3), np.zeros(0)], [0, 1], None, "sequence 1 has no steps"),
        (np.zeros(4), [0, 1, 0, 1], None, r"x has shape \(4,\), expected \(N, T, C\)"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], [0, 1], None, r"sequence 1 has 1 channel\(s\), sequence 0 has 2"),
        ([["a", "b"], ["c"]], [0, 1], None, "sequence 0 is <U1, expected numbers"),
        ([np.array([1.0, np.nan]), np.array([1.0])], [0, 1], None, "sequence 0, step 1, channel 0: NaN"),
        (
            np.where(np.arange(24).reshape(4, 3, 2) == 15, np.inf, 0),
            [0, 1, 0, 1],
            None,
            "sequence 2, step 1, channel 1",
        ),
        (np.full((4, 3), 1e300), [0, 1, 0, 1], None, "1e.300, expected an absolute value of at most 1e.30"),
        (GOOD, [0, 1, 0], None, r"y has shape \(3,\), expected \(4,\)"),
        (GOOD, [0, 1, 0, np.nan], None, r"y\[3\] is missing or infinite; leave its sequence out"),
        (GOOD, [0.5, 1, 0, 1], None, "Unknown label type"),
        (GOOD, [1, 1, 1, 1], None, "y holds one class"),
        (GOOD, np.array([1, "a", None, 2], dtype=object), None, "mixes labels of types NoneType, int, str"),
        (GOOD, [0, 1, 0, 1], [3, 3, 4, 3], r"lengths\[2\] is 4, expected 1 to 3"),
        (GOOD, [0, 1, 0, 1], [3, 0, 3, 3], r"lengths\[1\] is 0"),
        (GOOD, [0, 1, 0, 1], [3.0, 1.0, 3.0, 3.0], "lengths is float64"),
        (GOOD, [0, 1, 0, 1], [3], "an integer for each of 4"),
        (list(GOOD), [0, 1, 0, 1], [3, 3, 3, 3], "their own lengths"),
        ([], [], None, "x holds no sequences"),
        (np.array([[1, 10**400]], object), [0], None, "x is object, expected numbers; convert it, or pass"),
        (np.array([[1, "2"]], object), [0], None, "x is object, expected numbers; convert it, or pass"),
        (pd.DataFrame({"a": [1, None]}).convert_dtypes(), [0, 1], None, "x is object|step 0, channel 0: NaN"),
        (np.array([np.zeros(2), np.zeros(3)], object), [0, 1], None, "sequences of different lengths as a list"),
        (np.zeros((4, 0, 0)), [0, 1, 0, 1], None, "no channels"),
        ([1.0, 2.0], [0, 1], None, r"sequence 0 has shape \(\), expected \(T, C\)"),
        (
            [[[1, 2], [3]], [[1, 2]]],
            [0, 1],
            None,
            r"sequence 0 cannot be converted to an array \(.*\); pass a dense rectangular array$",
        ),
        (np.array([[1, np.inf]], np.float16), [0], None, "sequence 0, step 1, channel 0: inf, .* at most 65504"),
        (np.ma.masked_array(np.zeros((2, 3)), mask=np.eye(2, 3)), [0, 1], None, "x has masked values"),
        ([np.ma.masked_array([1.0, 2.0], mask=[0, 1]), [1.0]], [0, 1], None, "sequence 0 has masked values"),
        (torch.zeros(2, 3).to_sparse(), [0, 1], None, "x cannot be converted to an array .*; pass a dense"),
        (torch.zeros(2, 3, device="meta"), [0, 1], None, "x cannot be converted to an array .*, or pass sequences"),
        (
            GOOD,
            [0, 1, 0, 1],
            [3, [1], 3, 3],
            r"lengths cannot be converted to an array \(.*\); pass a dense rectangular array$",
        ),
        (GOOD, [0, 1, 0, 1], np.ma.masked_array([3, 3, 3, 3], mask=[1, 0, 0, 0]), "lengths has masked values"),
    ],
)
def test_invalid_sequences_and_labels_are_refused(x, y, lengths, message):
    with pytest.raises(SequenceError, match=message):
        Classifier(**SMALL).fit(x, y, lengths=lengths)
