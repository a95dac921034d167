"""Tables with a row for each sequence."""

import numpy as np
import pandas as pd
import pytest

from gatewise import datasets
from gatewise.datasets import FileError, read_rows, read_sequences

TS = "@problemName Steps\n@classLabel true a b\n@data\n1,2,3:a\n4,5,6:b\n"


def test_a_table_is_read(tmp_path):
    table = pd.DataFrame({"t0": [1, 2, 3], "t1": [4.5, 5.0, -6.0], "Label": ["x", "y", "x"]})
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_csv(tmp_path / "b.csv", index=False, sep=";")
    for name in ("a.csv", "b.csv"):
        result = read_rows(tmp_path / name)
        assert result.y.tolist() == ["x", "y", "x"]
        assert result.x[..., 0].tolist() == [[1, 4.5], [2, 5], [3, -6]]
    assert read_sequences(tmp_path / "a.csv", label="Label").y.tolist() == ["x", "y", "x"]


def test_a_parquet_table_is_read(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"class": [True, False], "a": [1, 2], "b": [3, 4]}).to_parquet(tmp_path / "a.parquet")
    result = read_rows(tmp_path / "a.parquet")
    assert read_sequences(tmp_path / "a.parquet", label="b").y.tolist() == [3, 4]
    assert result.y.tolist() == [True, False]
    assert result.x[..., 0].tolist() == [[1, 3], [2, 4]]
    (tmp_path / "text.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(FileError, match="is not a table"):
        read_rows(tmp_path / "text.parquet")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_table_with_decimal_commas_is_read(tmp_path, delimiter, encoding):
    lines = ['"Größe, in m";b; Class ', '1,5;2;"auf, ab"', "-0,25;;ab"]
    text = "".join(f"{line}\r\n".replace(";", delimiter) for line in lines)
    (tmp_path / "a.csv").write_text(text, encoding=encoding, newline="")
    for label in (None, "Class"):
        result = read_rows(tmp_path / "a.csv", label=label)
        assert result.y.tolist() == ["auf, ab", "ab"]
        assert [sequence[:, 0].tolist() for sequence in result.x] == [[1.5, 2.0], [-0.25]]


def test_column_names_may_be_numbers_in_order(tmp_path):
    pd.DataFrame([[0.5, 0.2, 0.7, 1]] * 2, columns=[0, 1, 2, "y"]).to_csv(tmp_path / "a.csv", index=False)
    assert read_rows(tmp_path / "a.csv").x[..., 0].tolist() == [[0.5, 0.2, 0.7]] * 2
    (tmp_path / "b.csv").write_text("y,2021,2020\n1,3,4\n")
    assert read_rows(tmp_path / "b.csv").x[..., 0].tolist() == [[3, 4]]
    (tmp_path / "c.csv").write_text("y,id\n1,3\n2,3\n")
    assert read_rows(tmp_path / "c.csv").x[..., 0].tolist() == [[3], [3]]  # named id, but it does not number the rows


def test_empty_cells_at_the_end_make_a_sequence_shorter(tmp_path):
    (tmp_path / "a.csv").write_text("label,a,b,c\nx,1,2,3\ny,4,,\nz,,5,6\n")
    result = read_rows(tmp_path / "a.csv", fill="none")
    assert [sequence[:, 0].tolist()[:1] for sequence in result.x[:2]] == [[1.0], [4.0]]
    assert [len(sequence) for sequence in result.x] == [3, 1, 3]
    assert np.isnan(result.x[2][0, 0])
    with pytest.raises(FileError, match=r"a.csv, line 4, column 'a': no value, .* \(--fill interpolate\)"):
        read_rows(tmp_path / "a.csv")


def test_a_tsv_has_the_label_in_the_first_column(tmp_path):
    (tmp_path / "Some_TRAIN.tsv").write_text("1\t0.5\t1.5\n-1\t2.5\t3.5\n1\t4.5\tNaN\n")
    result = read_sequences(tmp_path / "Some_TRAIN.tsv")
    assert result.y.tolist() == ["1", "-1", "1"]
    assert [sequence[:, 0].tolist() for sequence in result.x] == [[0.5, 1.5], [2.5, 3.5], [4.5]]


def test_a_tsv_with_a_byte_order_mark_or_a_header_is_read(tmp_path):
    (tmp_path / "bom.tsv").write_text("1\t0.5\t1.5\n2\t2.5\t3.5\n", encoding="utf-8-sig")
    assert read_rows(tmp_path / "bom.tsv").y.tolist() == ["1", "2"]
    (tmp_path / "names.tsv").write_text("label\ta\tb\n2\t2.5\t3.5\n")
    assert (read_rows(tmp_path / "names.tsv").y.tolist(), read_rows(tmp_path / "names.tsv").x.tolist()) == (
        [2],
        [[[2.5], [3.5]]],
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label,a,b\nx,1,two\n", r"column 'b' is no step of a sequence: it holds text such as 'two'"),
        ("label,class,a\nx,y,1\n", "has columns label, class, expected one column of labels; name it with label="),
        ("label,a\nx,1\n,2\n", "a.csv, line 3 has no label"),
        ("label,a\nx,1\ny,\n", "a.csv, line 3 has no values"),
        ("label\nx\n", "no values in them"),
        ("label,a\n", "no values in them"),
        ("", "is not a table"),
        ("label,a\nx,1,2,3\ny,1\n", "names 2 columns, but the rows have 4 cells; name every column"),
        ("label,a\nx,1\ny,1,2\n", r"is not a table \(Expected 2 fields in line 3, saw 3\)"),
        ("label,a\nNA,1\n", "line 2 has no label, or a label such as NA or None"),
        ("label;a;b\nx;1.500,5;2\n", "line 2, column 'a': '1.500,5', expected a number"),
        ('label,a\nx,"1,5"\n', "line 2, column 'a': '1,5', expected a number"),
        ("0.5,0.2,0.7\n0.1,0.4,0.3\n", "begins with numbers, expected column names"),
        ("0.5,0.2,0.7,x\n0.1,0.4,0.3,y\n", "begins with numbers"),
        (",a,label\n0,5,x\n1,6,y\n", "a column without a name is no step of a sequence: it numbers the rows"),
        ("label,a,Id\nx,5,71\ny,6,12\n", "column 'Id' is no step of a sequence: it numbers the rows"),
        (
            "id,time,value,label\n1,0,5,x\n1,1,6,x\n2,0,5,y\n2,1,4,y\n",
            "column 'id' .*, as in a table with a row for each",
        ),
        ("Series,value,label\nu,5,x\nu,6,x\n", "column 'Series' has the same value in several rows"),
    ],
    ids=[
        *("text", "two columns", "no label", "no values", "no steps", "no rows", "nothing", "rows of more cells"),
        *("ragged", "label NA", "thousands", "decimal commas", "no header", "no header, labels", "index", "id"),
        *("long table", "long table of names"),
    ],
)
def test_invalid_tables_are_refused(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FileError, match=message):
        read_rows(tmp_path / "a.csv")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_tables_in_other_encodings_are_refused(tmp_path, encoding):
    (tmp_path / "a.csv").write_text("Größe,label\n1,x\n", encoding=encoding)
    with pytest.raises(FileError, match="is not in UTF-8"):
        read_rows(tmp_path / "a.csv")


def test_an_unknown_column_of_labels_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert read_rows(tmp_path / "a.csv").y is None
    with pytest.raises(FileError, match="has no column 'kind'; its last columns are a, b"):
        read_rows(tmp_path / "a.csv", label="kind")
    (tmp_path / "a.ts").write_text(TS)
    with pytest.raises(FileError, match=r"only \.csv, \.tsv, \.txt, \.parquet have columns"):
        read_sequences(tmp_path / "a.ts", label="kind")


def test_columns_of_dates_are_refused(tmp_path):
    pytest.importorskip("pyarrow")
    days = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=2), "a": [1, 2], "label": ["x", "y"]})
    for table in (days, days.assign(day=days["day"] - days["day"][0])):
        table.to_parquet(tmp_path / "a.parquet")
        with pytest.raises(FileError, match=r"column 'day' is no step of a sequence: it holds dates .*\(--drop day\)"):
            read_rows(tmp_path / "a.parquet")


def test_the_size_of_a_parquet_table_is_checked_first(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"a": np.zeros(1000), "label": "x"}).to_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr(datasets.labelled, "MOST_BYTES", 10_000)
    with pytest.raises(FileError, match="declares an array of shape"):
        read_rows(tmp_path / "a.parquet")
