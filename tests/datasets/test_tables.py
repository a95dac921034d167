"""Tables of the UCR archive as text, and their parts in a folder."""

import numpy as np
import pandas as pd
import pytest

from gatewise.datasets import FileError, read_parts, read_rows

VALUES = [[0.5, 1.5, -2.0], [2.5, 3.5, 4.0], [1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "1,0.5,1.5,-2.0\n2,2.5,3.5,4.0\n1,1,2,3\n"),
        ("a.txt", "  1.0000000e+00   5.0e-01   1.5e+00  -2.0e+00\n  2.0000000e+00   2.5   3.5   4.0\n  1.0  1 2 3\n"),
        ("a.txt", "1\t0.5\t1.5\t-2.0\n2\t2.5\t3.5\t4.0\n1\t1\t2\t3\n"),
        ("a.tsv", "1\t0.5\t1.5\t-2.0\n2\t2.5\t3.5\t4.0\n1\t1\t2\t3\n"),
        ("a.tsv", "label\tt0\tt1\tt2\n1\t0.5\t1.5\t-2.0\n2\t2.5\t3.5\t4.0\n1\t1\t2\t3\n"),
        ("a.tsv", "label\t0\t1\t2\n1\t0.5\t1.5\t-2.0\n2\t2.5\t3.5\t4.0\n1\t1\t2\t3\n"),
        ("a.tsv", "t0\tt1\tt2\tClass\n0.5\t1.5\t-2.0\t1\n2.5\t3.5\t4.0\t2\n1\t2\t3\t1\n"),
        ("a.txt", "t0 t1 t2 class\n0.5 1.5 -2.0 1\n2.5 3.5 4.0 2\n1 2 3 1\n"),
        ("a.TXT", "1 0.5 1.5 -2.0\n\n2 2.5 3.5 4.0\n1 1 2 3\n"),
    ],
)
def test_text_of_the_archive_is_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    result = read_rows(tmp_path / name)
    assert result.x[..., 0].tolist() == VALUES
    assert [str(label) for label in result.y] == ["1", "2", "1"]


def test_fractions_in_the_first_column_are_refused(tmp_path):
    (tmp_path / "a.txt").write_text("0.51,1.5,2.0,1\n0.7,3.5,4.0,2\n")
    with pytest.raises(
        FileError, match=r"begins its rows with numbers such as '0.51', expected the labels in the first"
    ):
        read_rows(tmp_path / "a.txt")


@pytest.mark.parametrize("kind", ["txt", "tsv", "arff", "ts"])
def test_both_parts_in_a_folder_are_read(tmp_path, kind):
    head = {
        "arff": "@attribute a real\n@attribute b real\n@attribute c {u,v}\n@data\n",
        "ts": "@classLabel true\n@data\n",
    }
    rows = {"arff": "1,2,u\n3,4,v\n", "ts": "1,2:u\n3,4:v\n", "txt": "u,1,2\nv,3,4\n", "tsv": "u\t1\t2\nv\t3\t4\n"}
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"A_{part}.{kind}").write_text(head.get(kind, "") + rows[kind])
    for source in (tmp_path, tmp_path / f"A_TRAIN.{kind}"):
        for part in read_parts(source):
            assert part.x[..., 0].tolist() == [[1, 2], [3, 4]]
            assert part.y.tolist() == ["u", "v"]


STEPS = np.random.default_rng(0).integers(0, 50, (60, 8))


@pytest.mark.parametrize(
    ("columns", "refused"),
    [
        ((STEPS, np.arange(60) % 3), "has .* distinct values in 60 rows, and the last column has 3; save the table"),
        (
            (np.arange(60) % 22, STEPS, np.arange(60) % 2),
            "has 22 distinct values in 60 rows, and the last column has 2",
        ),
        ((np.arange(60), STEPS / 7, np.arange(60) % 4), "has 60 distinct values in 60 rows, and the last column has 4"),
        ((STEPS,), "distinct values in 60 rows; save the table"),
        ((np.arange(60) % 3, STEPS), None),
        ((np.arange(60) % 22, STEPS), None),
        ((np.arange(60), STEPS / 7), None),
        ((np.arange(60) % 10, STEPS, np.zeros(60, int)), None),
        ((np.arange(60) % 10, STEPS, STEPS[:, 0] % 2), None),
    ],
    ids=["last", "22 first", "id first", "no labels", "first", "22", "a class for each row", "zeros", "binary end"],
)
def test_whole_numbers_that_are_hardly_labels_are_refused(tmp_path, columns, refused):
    cells = np.column_stack(columns)
    for name, delimiter in (("a.tsv", "\t"), ("a.txt", ","), ("b.txt", " ")):
        np.savetxt(tmp_path / name, cells, fmt="%.6g", delimiter=delimiter)
        if refused is None:
            assert read_rows(tmp_path / name).y.tolist() == [str(int(label)) for label in cells[:, 0]]
        else:
            with pytest.raises(FileError, match=refused):
                read_rows(tmp_path / name)
    if refused and "last" in refused:  # the remedy
        pd.DataFrame(cells).add_prefix("c").to_csv(tmp_path / "a.csv", index=False)
        result = read_rows(tmp_path / "a.csv", label=f"c{cells.shape[1] - 1}", drop=["c0"])
        assert result.y.tolist() == cells[:, -1].tolist()
