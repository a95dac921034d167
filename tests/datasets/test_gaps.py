"""Missing and infinite values in files: named by their line, or filled in."""

import numpy as np
import pandas as pd
import pytest

from gatewise.datasets import FileError, read_arff, read_npz, read_rows, read_sequences, read_ts
from gatewise.datasets.gaps import filled

X = np.random.default_rng(0).normal(size=(30, 8)).round(3)
Y = np.repeat(["a", "b"], 15)
TS = "% steps\n@classLabel true a b\n@missing true\n@data\n1,2,3:a\n% between\n4,?,8:b\n"
NAMES = "".join(f"@attribute t{k} real\n" for k in (1, 2, 3))
ARFF = f"@relation r\n{NAMES}@attribute c {{a,b}}\n@data\n1,2,3,a\n\n4,?,8,b\n"


def table(row=20, step=3, value=np.nan):
    x = X.copy()
    x[row, step] = value
    return pd.DataFrame(x).add_prefix("t").assign(label=Y)


@pytest.mark.parametrize("row", [0, 1, 13, 29])
@pytest.mark.parametrize("options", [{}, {"sep": "\t"}, {"sep": ";", "decimal": ","}])
def test_a_missing_cell_is_named_by_its_line(tmp_path, row, options):
    table(row).to_csv(tmp_path / "a.csv", index=False, **options)
    with pytest.raises(FileError, match=rf"a.csv, line {row + 2}, column 't3': no value, .* \(--fill interpolate\)"):
        read_rows(tmp_path / "a.csv")


def test_lines_count_blank_ones_and_those_in_quotes(tmp_path):
    text = 't0,t1,t2,label\n1,2,3,"a\nb"\n\n4,5,6,c\n  \n7,,9,c\n'
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FileError, match=r"a.csv, line 7, column 't1'"):
        read_rows(tmp_path / "a.csv")
    assert text.split("\n")[7 - 1] == "7,,9,c"


def test_a_missing_cell_of_an_archive_or_parquet_is_named(tmp_path):
    (tmp_path / "a.tsv").write_text("1\t0.5\t1.5\n2\t\t3.5\n")
    with pytest.raises(FileError, match=r"a.tsv, line 2, column '1': no value"):
        read_sequences(tmp_path / "a.tsv")
    pytest.importorskip("pyarrow")
    table(5).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(FileError, match=r"a.parquet, row 6, column 't3': no value"):
        read_rows(tmp_path / "a.parquet")


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e31])
def test_infinite_and_huge_cells_are_named_by_their_line(tmp_path, value):
    table(value=value).to_csv(tmp_path / "a.csv", index=False)
    for fill in (None, "interpolate", "zero", "none"):
        with pytest.raises(
            FileError, match=r"a.csv, line 22, column 't3': .*, expected an absolute value of at most 1e"
        ):
            read_rows(tmp_path / "a.csv", fill=fill)


def test_gaps_are_filled_in(tmp_path):
    table().to_csv(tmp_path / "a.csv", index=False)
    x = X.copy()
    for fill, value in (("zero", 0.0), ("interpolate", (x[20, 2] + x[20, 4]) / 2), ("none", np.nan)):
        x[20, 3] = value
        np.testing.assert_allclose(read_rows(tmp_path / "a.csv", fill=fill).x[..., 0], x, rtol=1e-12)
    table(step=0).to_csv(tmp_path / "a.csv", index=False)
    assert read_rows(tmp_path / "a.csv", fill="interpolate").x[20, 0, 0] == X[20, 1]
    with pytest.raises(ValueError, match="fill is 'mean', expected one of interpolate, zero, none"):
        read_rows(tmp_path / "a.csv", fill="mean")


@pytest.mark.parametrize(("read", "text", "line"), [(read_ts, TS, 7), (read_arff, ARFF, 9)])
def test_gaps_of_archives_are_named_by_line_and_step(write, read, text, line):
    path = write(text)
    with pytest.raises(FileError, match=f"file, line {line}, step 2 of 3: no value"):
        read(path)
    assert text.split("\n")[line - 1].startswith("4,?,8")
    assert read(path, fill="interpolate").x[..., 0].tolist() == [[1, 2, 3], [4, 6, 8]]


def test_missing_steps_at_the_end_make_a_sequence_of_an_archive_shorter(write):
    result = read_ts(write(TS.replace("4,?,8", "4,5,?")))
    assert [sequence[:, 0].tolist() for sequence in result.x] == [[1, 2, 3], [4, 5]]
    assert result.notes == ("lengths: 1 sequences end in missing values, and are read as shorter",)
    with pytest.raises(FileError, match="line 7 has no values"):
        read_ts(write(TS.replace("4,?,8", "?,?,?")))


def test_gaps_of_numpy_archives_are_named_by_their_index(tmp_path):
    x = np.repeat(X[..., None], 2, axis=2)
    x[7, 3, 1] = np.nan
    np.savez(tmp_path / "a.npz", x=x, y=Y)
    with pytest.raises(FileError, match=r"a.npz, x\[7, 3, 1\]: no value"):
        read_npz(tmp_path / "a.npz")
    assert read_npz(tmp_path / "a.npz", fill="zero").x[7, 3].tolist() == [X[7, 3], 0]
    x[7, 3:] = np.nan
    np.savez(tmp_path / "a.npz", x=x, y=Y)
    result = read_npz(tmp_path / "a.npz")
    assert [len(sequence) for sequence in result.x] == [8] * 7 + [3] + [8] * 22
    assert result.notes == ("lengths: 1 sequences end in NaN, and are read as shorter",)


def test_a_channel_without_a_value_cannot_be_interpolated():
    x = [np.ones((2, 2)), np.array([[1.0, np.nan], [2.0, np.nan]])]
    with pytest.raises(FileError, match="sequence 1, channel 1: this channel of the sequence has no value"):
        filled(x, "interpolate", lambda sequence, step, channel: f"sequence {sequence}, channel {channel}")
