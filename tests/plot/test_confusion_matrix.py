"""The confusion matrix."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from gatewise import plot
from tests.figures import render, title


def diagonal(k):
    return np.diag(np.full(k, 9)) + np.eye(k, k=1, dtype=int)


def test_confusion_shows_fractions_of_each_row_and_writes_the_counts():
    counts = np.array([[8, 2], [100, 900]])
    ax = render(plot.confusion(counts, ["rare", "frequent"], name="walks"))
    (image,) = ax.images
    assert np.allclose(image.get_array(), [[80, 20], [10, 90]])
    assert (image.norm.vmin, image.norm.vmax) == (0, 100)
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert written == {(0, 0): "8", (1, 0): "2", (0, 1): "100", (1, 1): "900"}  # column, row
    assert [label.get_text() for label in ax.get_yticklabels()] == ["rare", "frequent"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    assert title(ax) == "walks: accuracy 89.9 % on 1,010 sequences"
    assert ax.get_ylim() == (1.5, -0.5)  # whole cells, the first class on top


def test_a_class_without_sequences_is_hatched():
    ax = render(plot.confusion([[3, 1, 0], [0, 0, 0], [0, 0, 4]], "abc"))
    fractions = np.ma.filled(np.ma.asarray(ax.images[0].get_array()), np.nan)
    assert np.isnan(fractions[1]).all()
    assert np.allclose(fractions[[0, 2]], [[75, 25, 0], [0, 0, 100]])
    (hatched,) = [patch for patch in ax.patches if patch.get_hatch()]
    ends = hatched.get_patch_transform().transform(hatched.get_path().vertices)[:, 1]
    assert (ends.min(), ends.max()) == (0.5, 1.5)


@pytest.mark.parametrize(("classes", "written"), [(2, 3), (15, 29), (16, 0), (60, 0)])
def test_counts_are_written_for_up_to_15_classes(classes, written):
    ax = render(plot.confusion(diagonal(classes), range(classes)))
    assert len(ax.texts) == written


@pytest.mark.parametrize("count", [3, 10, 40, 60])
@pytest.mark.parametrize("long", [False, True])
def test_names_of_classes_do_not_overlap(count, long):
    names = [f"the class of the number {k}" if long else str(k) for k in range(count)]
    ax = render(plot.confusion(diagonal(count), names))
    for labels, low, high in ((ax.get_yticklabels(), "y0", "y1"), (ax.get_xticklabels(), "x0", "x1")):
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: getattr(box, low))
        if long and high == "x1" and labels[0].get_rotation() == 45:
            continue  # the boxes of rotated texts overlap, but the texts do not
        for box, next_box in pairwise(boxes):
            assert getattr(box, high) <= getattr(next_box, low) + 1
    assert len({label.get_text() for label in ax.get_yticklabels()}) == len(
        ax.get_yticks()
    )  # shortened, still different
    assert all(len(label.get_text()) <= 18 for label in ax.get_xticklabels())


def test_confusion_is_drawn_on_the_given_axes():
    figure = Figure(figsize=(8, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    assert plot.confusion(diagonal(3), "abc", ax=left) is left
    assert render(figure).axes == [left, right]  # no colour bar


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.ones((2, 3)), r"shape \(2, 3\), expected \(3, 3\)"),
        (np.eye(3) / 2, "integers .* not fractions"),
        (-np.eye(3), "at least 0"),
        (np.full((3, 3), np.nan), "integers"),
        (np.zeros((3, 3)), "all 0; pass at least one sequence"),
    ],
)
def test_invalid_counts_are_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        plot.confusion(counts, "abc")
