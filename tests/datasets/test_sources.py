"""Sets of labelled sequences: generated ones, tables, and what a name stands for."""

import numpy as np
import pandas as pd
import pytest

from gatewise import datasets
from gatewise.datasets import FileError, control_charts, read_parts, read_rows, read_sequences

TS = "@problemName Steps\n@classLabel true a b\n@data\n1,2,3:a\n4,5,6:b\n"


def test_control_charts_follow_their_equations():
    charts = control_charts(each=200, seed=3)
    x = charts.x[..., 0].reshape(6, 200, 60)
    assert charts.y[::200].tolist() == list(datasets.charts.CHARTS)
    normal, cyclic, rising, falling, upward, downward = x
    assert np.abs(normal - 30).max() <= 6
    assert (normal - 30).std() == pytest.approx(np.sqrt(12), rel=0.02)  # 2 times a uniform of [-3, 3]
    slopes = [np.polyfit(np.arange(60), row, 1)[0] for row in rising]
    assert np.mean(slopes) == pytest.approx(0.35, abs=0.02)
    assert 0.1 < min(slopes) < max(slopes) < 0.6
    assert np.mean(falling[:, -1] - falling[:, 0]) == pytest.approx(-0.35 * 59, rel=0.05)
    steps = upward[:, 45:].mean(1) - upward[:, :15].mean(1)
    assert 5 < steps.min() < steps.max() < 23
    assert np.mean(downward[:, 45:] - downward[:, :15]) == pytest.approx(-13.75, rel=0.05)
    spectrum = np.abs(np.fft.rfft(cyclic - cyclic.mean(1, keepdims=True))).argmax(1)
    assert set(spectrum.tolist()) <= {4, 5, 6}  # periods of 10 to 15 steps in 60


@pytest.mark.parametrize("each", [0, -1, 1.5, "3", True])
def test_a_number_of_charts_that_is_none_is_refused(each):
    with pytest.raises(ValueError, match="each is"):
        control_charts(each)


def test_control_charts_are_the_same_for_a_seed():
    assert (control_charts(5).x == control_charts(5).x).all()
    assert (control_charts(5).x != control_charts(5, seed=1).x).any()
    assert control_charts(1).x[0, :2, 0].tolist() == pytest.approx([27.174667345, 33.290804273])


def test_a_table_of_sequences(tmp_path):
    table = pd.DataFrame({"t0": [1, 2, 3], "t1": [4.5, 5.0, -6.0], "Label": ["x", "y", "x"]})
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_csv(tmp_path / "b.csv", index=False, sep=";")
    for name in ("a.csv", "b.csv"):
        found = read_rows(tmp_path / name)
        assert found.y.tolist() == ["x", "y", "x"]
        assert found.x[..., 0].tolist() == [[1, 4.5], [2, 5], [3, -6]]
    assert read_sequences(tmp_path / "a.csv", label="Label").y.tolist() == ["x", "y", "x"]


def test_a_parquet_table_of_sequences(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"class": [True, False], "a": [1, 2], "b": [3, 4]}).to_parquet(tmp_path / "a.parquet")
    found = read_rows(tmp_path / "a.parquet")
    assert read_sequences(tmp_path / "a.parquet", label="b").y.tolist() == [3, 4]
    assert found.y.tolist() == [True, False]
    assert found.x[..., 0].tolist() == [[1, 3], [2, 4]]
    (tmp_path / "bad.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(FileError, match="is no table"):
        read_rows(tmp_path / "bad.parquet")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_table_of_a_spreadsheet_with_decimal_commas(tmp_path, delimiter, encoding):
    lines = ['"Größe, in m";b; Class ', '1,5;2;"auf, ab"', "-0,25;;ab"]
    text = "".join(f"{line}\r\n".replace(";", delimiter) for line in lines)
    (tmp_path / "a.csv").write_text(text, encoding=encoding, newline="")
    for label in (None, "Class"):
        found = read_rows(tmp_path / "a.csv", label=label)
        assert found.y.tolist() == ["auf, ab", "ab"]
        assert [one[:, 0].tolist() for one in found.x] == [[1.5, 2.0], [-0.25]]


def test_names_that_are_numbers_in_order_are_names(tmp_path):
    pd.DataFrame([[0.5, 0.2, 0.7, 1]] * 2, columns=[0, 1, 2, "y"]).to_csv(tmp_path / "a.csv", index=False)
    assert read_rows(tmp_path / "a.csv").x[..., 0].tolist() == [[0.5, 0.2, 0.7]] * 2
    (tmp_path / "b.csv").write_text("y,2021,2020\n1,3,4\n")
    assert read_rows(tmp_path / "b.csv").x[..., 0].tolist() == [[3, 4]]
    (tmp_path / "c.csv").write_text("y,id\n1,3\n2,3\n")
    assert read_rows(tmp_path / "c.csv").x[..., 0].tolist() == [[3], [3]]  # called so, but it numbers nothing


def test_empty_cells_at_the_end_make_a_sequence_shorter(tmp_path):
    (tmp_path / "a.csv").write_text("label,a,b,c\nx,1,2,3\ny,4,,\nz,,5,6\n")
    found = read_rows(tmp_path / "a.csv")
    assert [one[:, 0].tolist()[:1] for one in found.x[:2]] == [[1.0], [4.0]]
    assert [len(one) for one in found.x] == [3, 1, 3]
    assert np.isnan(found.x[2][0, 0])  # a value missing within is for the classifier to refuse


def test_a_tsv_has_the_label_in_front(tmp_path):
    (tmp_path / "Some_TRAIN.tsv").write_text("1\t0.5\t1.5\n-1\t2.5\t3.5\n1\t4.5\tNaN\n")
    found = read_sequences(tmp_path / "Some_TRAIN.tsv")
    assert found.y.tolist() == ["1", "-1", "1"]
    assert [one[:, 0].tolist() for one in found.x] == [[0.5, 1.5], [2.5, 3.5], [4.5]]


def test_a_tsv_of_another_hand(tmp_path):
    (tmp_path / "bom.tsv").write_text("1\t0.5\t1.5\n2\t2.5\t3.5\n", encoding="utf-8-sig")
    assert read_rows(tmp_path / "bom.tsv").y.tolist() == ["1", "2"]
    (tmp_path / "names.tsv").write_text("label\ta\tb\n2\t2.5\t3.5\n")
    with pytest.raises(FileError, match="begins with names of columns, which"):
        read_rows(tmp_path / "names.tsv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("label,a,b\nx,1,two\n", r"row 1, column 'b': 'two', expected a number"),
        ("label,class,a\nx,y,1\n", "has columns label, class, expected one of labels"),
        ("label,a\nx,1\n,2\n", "row 2 has no label"),
        ("label,a\nx,1\ny,\n", "row 2 has no values"),
        ("label\nx\n", "no values in them"),
        ("label,a\n", "no values in them"),
        ("", "is no table"),
        ("label,a\nx,1,2,3\ny,1\n", "names 2 columns, but the rows have 4 cells; name every column"),
        ("label,a\nx,1\ny,1,2\n", r"is no table \(Expected 2 fields in line 3, saw 3\)"),
        ("label,a\nNA,1\n", "row 1 has no label, or one such as NA or None"),
        ("label;a;b\nx;1.500,5;2\n", "row 1, column 'a': '1.500,5', expected a number"),
        ('label,a\nx,"1,5"\n', "row 1, column 'a': '1,5', expected a number"),
        ("0.5,0.2,0.7\n0.1,0.4,0.3\n", "begins with numbers, expected the names of its columns"),
        ("0.5,0.2,0.7,x\n0.1,0.4,0.3,y\n", "begins with numbers"),
        (",a,label\n0,5,x\n1,6,y\n", "a column without a name numbers the rows"),
        ("label,a,Id\nx,5,71\ny,6,12\n", "column 'Id' numbers the rows"),
        ("id,time,value,label\n1,0,5,x\n1,1,6,x\n2,0,5,y\n2,1,4,y\n", "column 'id' .*expected a row for each sequence"),
        ("Series,value,label\nu,5,x\nu,6,x\n", "column 'Series' has the same value in several rows"),
    ],
    ids=[
        *("text", "two columns", "no label", "no values", "no steps", "no rows", "nothing", "rows of more cells"),
        *("ragged", "label NA", "thousands", "decimal commas", "no header", "no header, labels", "index", "id"),
        *("long table", "long table of names"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(tmp_path, text, words):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FileError, match=words):
        read_rows(tmp_path / "a.csv")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_tables_in_other_codes_are_refused(tmp_path, encoding):
    (tmp_path / "a.csv").write_text("Größe,label\n1,x\n", encoding=encoding)
    with pytest.raises(FileError, match="is not in UTF-8"):
        read_rows(tmp_path / "a.csv")


def test_a_label_that_is_no_column_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert read_rows(tmp_path / "a.csv").y is None
    with pytest.raises(FileError, match="has no column 'kind', the last ones are a, b"):
        read_rows(tmp_path / "a.csv", label="kind")
    (tmp_path / "a.ts").write_text(TS)
    with pytest.raises(FileError, match=r"only \.csv, \.tsv, \.parquet have columns"):
        read_sequences(tmp_path / "a.ts", label="kind")


def test_a_set_of_an_archive_has_two_parts(tmp_path):
    (tmp_path / "Steps_TRAIN.ts").write_text(TS)
    only, none = read_parts(tmp_path / "Steps_TRAIN.ts")
    assert (len(only), none) == (2, None)
    (tmp_path / "Steps_TEST.ts").write_text(TS.replace("1,2,3:a\n", ""))
    for source in (tmp_path, tmp_path / "Steps_TRAIN.ts"):
        train, test = read_parts(source)
        assert (train.y.tolist(), test.y.tolist()) == (["a", "b"], ["b"])


def test_a_folder_of_several_sets_is_refused(tmp_path):
    for name in ("A_TRAIN.ts", "B_TRAIN.ts"):
        (tmp_path / name).write_text(TS)
    with pytest.raises(FileError, match="holds several sets, A_TRAIN, B_TRAIN; give the file of one, such as A"):
        read_parts(tmp_path)


def test_the_folder_of_mnist_has_two_parts(tmp_path):
    def idx(*sizes):
        head = bytes([0, 0, 8, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)
        return head + bytes(range(int(np.prod(sizes))))

    for part, count in (("train", 3), ("t10k", 2)):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(count, 2, 2))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(count))
    train, test = read_parts(tmp_path)
    assert (train.x.shape, test.x.shape, test.y.tolist()) == ((3, 2, 2), (2, 2, 2), [0, 1])


def test_what_is_no_source_is_refused(tmp_path):
    with pytest.raises(FileError, match="holds neither MNIST's files"):
        read_parts(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_parts(tmp_path / "a.ts")
    (tmp_path / "a.xlsx").write_text("")
    with pytest.raises(FileError, match=r"of no known kind; expected a file that ends in \.npz, \.ts, \.csv"):
        read_sequences(tmp_path / "a.xlsx")
    with pytest.raises(FileError, match="is a folder"):
        read_sequences(tmp_path)


def test_columns_that_are_no_numbers_are_refused(tmp_path):
    pytest.importorskip("pyarrow")
    days = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=2), "a": [1, 2], "label": ["x", "y"]})
    for table in (days, days.assign(day=days["day"] - days["day"][0])):
        table.to_parquet(tmp_path / "a.parquet")
        with pytest.raises(FileError, match=r"column day is .*, expected numbers; leave it out"):
            read_rows(tmp_path / "a.parquet")


def test_the_size_of_a_parquet_table_is_looked_at_first(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"a": np.zeros(1000), "label": "x"}).to_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr(datasets.labelled, "MOST_BYTES", 10_000)
    with pytest.raises(FileError, match="announces an array of shape"):
        read_rows(tmp_path / "a.parquet")


def test_mnist_without_test_files_has_no_test_part(tmp_path):
    head = bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7])
    (tmp_path / "train-images-idx3-ubyte").write_bytes(head)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 3]))
    train, test = read_parts(tmp_path)
    assert (train.x.tolist(), train.y.tolist(), test) == ([[[7]]], [3], None)
