"""Labels: classes, class weights, validation sets and stratified test sets."""

import numpy as np
import pandas as pd
import pytest
import torch

from gatewise.classify import SequenceError, stratified_mask
from gatewise.classify.labels import class_weights, encode_labels, validation_mask


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.array(["b", "a"], object), np.array(["a", "b"])),
        (pd.Series(["b", "a"]), np.array(["a", "b"])),
        (pd.Categorical(["b", "a"]), np.array(["a", "b"])),
        (np.array([True, False], object), np.array([False, True])),
        (np.array([2, 1], object), np.array([1, 2])),
        (torch.tensor([2.0, 1.0], requires_grad=True), np.array([1, 2], np.float32)),
        (torch.tensor([2, 1], dtype=torch.bfloat16), np.array([1, 2], np.float32)),
        ([2**63, 2**63 + 1, -1], np.array([-1, 2**63, 2**63 + 1], object)),
        ([2**53 + 1, 2**53, 1.0], np.array([1, 2**53, 2**53 + 1], object)),
        (["a", "a\0"], np.array(["a", "a\0"], object)),
        ([" a", "a b", "a"], np.array([" a", "a", "a b"])),
    ],
)
def test_classes_keep_the_values_and_type_of_the_labels(y, classes):
    encoded, indices = encode_labels(y, len(y))
    assert encoded.dtype == classes.dtype
    assert encoded.tolist() == classes.tolist()
    assert encoded[indices].tolist() == [label.item() if isinstance(label, torch.Tensor) else label for label in y]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", float("nan")], "mixes labels of types float, str"),
        ([1, "a"], "mixes labels of types int, str"),
        ([True, 2], "mixes labels of types bool, int"),
        (np.array([1, np.nan], object), r"y\[1\] is missing or infinite; leave its sequence out"),
        (np.array(["2020", "NaT"], "M8[D]"), r"y\[1\] is missing or infinite; leave its sequence out"),
        (np.ma.masked_array([1, 2], mask=[False, True]), "y has masked values"),
        ([[1], [1, 2]], r"y cannot be converted to an array \(.*\); pass a dense rectangular array$"),
        ([object(), object()], "type object, which have no order; convert them to text or integers"),
    ],
)
def test_missing_and_mixed_labels_are_refused(y, message):
    with pytest.raises(SequenceError, match=message):
        encode_labels(y, 2)


def test_class_weights():
    classes, indices = encode_labels(["a", "b", "b", "c"], 4)
    np.testing.assert_allclose(class_weights("balanced", classes, indices), [4 / 3, 2 / 3, 4 / 3])
    np.testing.assert_array_equal(class_weights({"b": 2}, classes, indices), [1, 2, 1])


@pytest.mark.parametrize(
    ("y", "name"),
    [
        (np.array(["2020", "2021"], "M8[ns]"), np.datetime64("2020", "ns")),
        (np.array(["2020-01-01", "2021-01-01"], "M8[D]"), np.datetime64("2020-01-01")),
        (np.array([1, 2], np.int8), 1.0),
        ([True, False], False),
        ([b"a", b"b"], b"a"),
        (["a", "b"], np.str_("a")),
    ],
)
def test_class_weights_match_classes_of_any_type(y, name):
    assert class_weights({name: 5}, *encode_labels(y, 2)).tolist() == [5, 1]


def test_the_validation_set_has_the_same_fraction_of_each_class_and_never_all_of_one():
    indices = np.repeat([0, 1, 2, 3], [100, 10, 2, 1])
    mask = validation_mask(indices, 0.2, np.random.default_rng(0))
    assert [mask[indices == k].sum() for k in range(4)] == [20, 2, 0, 0]
    assert not np.array_equal(mask, validation_mask(indices, 0.2, np.random.default_rng(1)))
    assert validation_mask(indices, 0.9, np.random.default_rng(0))[-3:].sum() == 1


def test_a_stratified_mask_has_the_same_fraction_of_each_class():
    y = np.array(["x"] * 50 + ["y"] * 10 + ["z"])
    mask = stratified_mask(y, 0.2)
    assert [int(mask[y == name].sum()) for name in ("x", "y", "z")] == [10, 2, 0]
    assert (stratified_mask(y, 0.2) == mask).all()
    assert (stratified_mask(y, 0.2, seed=1) != mask).any()


def test_some_of_many_small_classes_are_drawn_at_random():
    """Of 20 classes of 4 sequences, a tenth is 8 sequences; rounding within each class would select none."""
    y = np.repeat(np.arange(20), 4)
    mask = stratified_mask(y, 0.1)
    assert np.bincount(y[mask], minlength=20).tolist().count(1) == mask.sum() == 8
    assert (stratified_mask(y, 0.1, seed=1) != mask).any()
    assert stratified_mask(np.repeat(np.arange(50), 2), 0.2).sum() == 20
    assert not stratified_mask([0, 1, 2], 0.5).any()  # never all of a class


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a", "b"], 2), "fraction is 2, expected a fraction from 0 to below 1"),
        ((["a", "b"], 1.0), "fraction is 1.0, expected"),
        ((["a", "b"], "0.2"), "fraction is '0.2', expected"),
        ((["a", "b"], 0.2, -1), "seed is -1, expected an integer"),
        ((3, 0.2), "y is 3, expected"),
        (([], 0.2), "y holds no labels"),
    ],
)
def test_invalid_arguments_of_a_stratified_mask_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        stratified_mask(*arguments)
