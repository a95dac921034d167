"""Views of images as sequences."""

import numpy as np
import pytest
import torch

from gatewise.datasets import VIEWS, view


def test_views_hold_the_pixels_in_order():
    images = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(view(images, "rows"), images)
    np.testing.assert_array_equal(view(images, "columns")[1, 2], images[1, :, 2])
    np.testing.assert_array_equal(view(images, "pixels")[1, :, 0], np.arange(12, 24))
    np.testing.assert_array_equal(view(images, "vector")[0, 0], np.arange(12))
    first, again, other = (view(images, "permuted", seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert sorted(first[0, :, 0]) == list(range(12))
    np.testing.assert_array_equal(first[1] - first[0], 12)  # one order for all images
    assert first[0, :, 0].tolist() != other[0, :, 0].tolist()
    assert view(np.full((1, 1, 1), 255, np.uint8)).item() == 1


@pytest.mark.parametrize("kind", VIEWS)
def test_views_accept_any_number_of_images_of_any_array_type(kind):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    expected = view(images, kind)
    assert expected.dtype == np.float32
    np.testing.assert_array_equal(np.sort(expected.ravel()), np.arange(24, dtype=np.float32) / 255)
    np.testing.assert_array_equal(view(torch.tensor(images), kind), expected)
    assert view(images[:0], kind).shape == (0, *expected.shape[1:])
    assert view(images.tolist(), kind).shape == expected.shape


def test_unknown_views_and_other_shapes_are_refused():
    with pytest.raises(ValueError, match="view is 'diagonal', expected one of rows, columns"):
        view(np.zeros((1, 2, 2)), "diagonal")
    with pytest.raises(ValueError, match=r"shape \(2, 2\), expected \(N, rows, columns\)"):
        view(np.zeros((2, 2)))
