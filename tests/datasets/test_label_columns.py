"""The column of labels: by its name, by its values, and refused if two may hold them."""

import numpy as np
import pandas as pd
import pytest

from gatewise.datasets import FileError, read_rows
from tests.datasets.remedies import follow

N, T = 48, 9
GENERATOR = np.random.default_rng(0)
X = np.cumsum(GENERATOR.normal(size=(N, T)), 1).round(3)
Y = GENERATOR.permutation(np.repeat(["walk", "run", "sit"], N // 3))
CODES = pd.factorize(Y)[0]
PLACES = GENERATOR.choice(["X", "Y"], N)
STEPS = pd.DataFrame(X).add_prefix("t")
NAMES = (
    "label",
    "Label",
    "CLASS",
    "Target",
    "y",
    "Activity",
    "species",
    "outcome",
    "Diagnosis",
    "class_label",
    "Class Name",
)


def check(result, y):
    np.testing.assert_array_equal(result.x[..., 0], X)
    assert result.y.tolist() == list(y)


@pytest.mark.parametrize("name", NAMES)
def test_usual_names_in_any_case_are_labels(tmp_path, name):
    for y in (Y, CODES):
        for position in (0, T):
            table = STEPS.copy()
            table.insert(position, name, y)
            table.to_csv(tmp_path / "a.csv", index=False)
            result = read_rows(tmp_path / "a.csv")
            check(result, y)
            assert result.notes == ()


@pytest.mark.parametrize("y", [Y, CODES, CODES + 1.0, np.where(CODES == 1, 1, -1), CODES == 1, PLACES], ids=str)
@pytest.mark.parametrize("name", ["kind", "zustand", "t99"])
def test_a_column_of_few_values_is_the_labels_and_named(tmp_path, y, name):
    for position in (0, T):
        table = STEPS.copy()
        table.insert(position, name, y)
        table.to_csv(tmp_path / "a.csv", index=False)
        result = read_rows(tmp_path / "a.csv")
        check(result, y)
        assert result.notes == (f"labels: column '{name}', found by its values; label= (--label) names another",)


@pytest.mark.parametrize(
    ("columns", "choice"),
    [
        ({"zustand": Y, "ort": PLACES}, 0),
        ({"ort": PLACES, "zustand": Y}, 1),
        ({"zustand": Y, "ort": PLACES, "nr": GENERATOR.permutation(N)}, 0),
        ({"kind": CODES, "person": GENERATOR.integers(0, 9, N)}, 0),
        ({"activity": Y, "condition": PLACES}, 0),
        ({"species": Y, "outcome": CODES}, 0),
    ],
    ids=str,
)
def test_two_columns_that_may_be_labels_are_refused_with_the_options_of_each(tmp_path, columns, choice):
    STEPS.assign(**columns).to_csv(tmp_path / "a.csv", index=False)
    result = follow(tmp_path / "a.csv", choice, message="have few distinct values each, and may hold the labels")
    check(result, Y if "kind" not in columns else CODES)


def test_a_label_beside_another_text_is_named(tmp_path):
    STEPS.assign(label=Y, activity=Y).to_csv(tmp_path / "a.csv", index=False)
    check(follow(tmp_path / "a.csv", message="column 'activity' is no step"), Y)


def test_y_beside_x_and_z_is_a_channel(tmp_path):
    table = pd.DataFrame({name: X.ravel() for name in "xyz"}).assign(
        id=np.repeat(range(N), T), activity=np.repeat(Y, T)
    )
    table.to_csv(tmp_path / "a.csv", index=False)
    result = read_rows(tmp_path / "a.csv", layout="long", id_column="id")
    np.testing.assert_array_equal(result.x, np.repeat(X[..., None], 3, axis=2))
    assert result.y.tolist() == Y.tolist()


def test_labels_that_count_through_the_classes_may_be_times(tmp_path):
    counted = np.arange(N) % 3
    STEPS.assign(kind=counted).to_csv(tmp_path / "a.csv", index=False)
    check(follow(tmp_path / "a.csv", choice=2, message="'kind' goes on from row to row and begins anew"), counted)


def test_files_and_other_texts_without_few_values_are_no_labels(tmp_path):
    STEPS.assign(file=[f"{k}.wav" for k in range(N)]).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(
        FileError, match=r"--drop file\); if it holds the labels, name it with label='file' \(--label file"
    ):
        read_rows(tmp_path / "a.csv")
    assert read_rows(tmp_path / "a.csv", drop=["file"]).y is None
    STEPS.to_csv(tmp_path / "b.csv", index=False)
    assert read_rows(tmp_path / "b.csv").y is None
