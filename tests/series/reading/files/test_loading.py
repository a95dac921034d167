"""Files: damaged files, and files of another format, are refused with a remedy."""

import contextlib
import gzip
import re
import zipfile

import numpy as np
import pandas as pd
import pytest

from gatewise.series import (
    DataError,
    read,
)
from gatewise.series.reading.files import loading
from tests.series_tables import DATES, lines, table

BAD_FILES = {
    "empty": (b"", "is empty; expected a header line"),
    "header only": (b"ds,y\n", "has a header but no rows"),
    "binary": (bytes(range(256)) * 4, "is not a text table"),
    "spreadsheet": (b"PK\x03\x04junk", "is not a text table (a spreadsheet"),
    "utf-16 without a byte order mark": ("ds,y\n2020-01,1\n".encode("utf-16-le"), "is not a text table"),
    "latin-1": ("ds,y\n2020-01,é\n".encode("latin-1"), "line 2: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    "ragged": (
        b"ds,y\n2020-01,1\n2020-02,1,3\n",
        "Expected 2 fields in line 3, saw 3; every line needs as many fields",
    ),
    "decimal comma": (b"ds,y\n2020-01,1,5\n2020-02,1,3\n", "the header names 2 columns but the rows have 3 fields"),
    "repeated name": (
        b"ds,y,y\n2020-01,1,2\n",
        "sales.csv has several columns named 'y'; give each column its own name",
    ),
    "line without a date": (b"ds,y\n2020-01,1\n,2\n2020-02,1\n", "row 2 (line 3 of sales.csv): no date"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_refused(csv, case):
    content, message = BAD_FILES[case]
    with pytest.raises(DataError, match=re.escape(message)):
        read(csv(content))


@pytest.mark.parametrize("rows", ["2020-01,5\n2020-02,6\n2020-03,7\n", "112\n118\n132\n", "3.5,1\n4.5,2\n5.5,3\n"])
def test_a_first_line_of_values_is_not_a_header(csv, rows):
    with pytest.raises(DataError, match=r"the first line, .* holds no column names; add a header line above it"):
        read(csv(rows))


@pytest.mark.parametrize("header", ["2019,2020", "0,1", "shop,2020", "2020-01,y", "now,today"])
def test_numbers_may_name_columns(csv, header):
    assert len(read(csv(header + "\n1,5\n2,6\n3,7\n"), layout="columns").series) > 0


def test_a_column_may_be_named_0(csv):
    assert read(csv("0\n5\n6\n7\n")).series[0].y.tolist() == [5, 6, 7]


def test_missing_files_and_files_of_another_format_are_refused(tmp_path, csv):
    with pytest.raises(DataError, match=r"there is no file nowhere\.csv; check the path"):
        read("nowhere.csv")
    with pytest.raises(DataError, match="is a folder; pass the path of a file"):
        read(tmp_path)
    with pytest.raises(DataError, match="is not a complete gzip file"):
        read(csv(b"ds,y", "sales.csv.gz"))
    with pytest.raises(DataError, match="is not a parquet file; save it as parquet"):
        read(csv(b"ds,y", "SALES.PARQUET"))
    whole = gzip.compress(lines(DATES, range(30)).encode())
    with pytest.raises(DataError, match="is not a complete gzip file"):
        read(csv(whole[:20] + b"\xff\xff\xff" + whole[23:], "sales.csv.gz"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.parquet", b"", "s.parquet is empty; write the table again"),
        (
            "s.parquet",
            b"ds,y\n1,2\n",
            "s.parquet is not a parquet file; save it as parquet, or rename it to .csv if it is CSV",
        ),
        ("s.parquet", b"PAR1 and no more", r"s.parquet is a damaged parquet file \(.*\); copy it or write it again"),
        ("s.csv", b'ds,y\n1,2\n"2,3\n3,4\n', r"regular table: EOF inside string .*; close the quote that opens there"),
        ("s.csv", b"ds,y\n1,2\n2,3,4\n", "regular table: Expected 2 fields in line 3, saw 3; every line needs as many"),
        ("s.csv", b"ds,y\n1," + b"x" * 10**6 + b"\n2,3\n", r"row 1 \(line 2 of s.csv\): 'x{60}…' in target 'y' is"),
        ("s.csv", b"ds,y\n" + b"x" * 10**6 + b",1\n2020-01-01,3\n2020-01-02,3\n", "row 1 .*: 'x{60}…' in time column"),
    ],
)
def test_broken_files_are_refused_with_a_short_message(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / name)
    assert len(str(caught.value)) < 500


def test_a_damaged_parquet_file_is_read_or_refused(tmp_path):
    table().to_parquet(tmp_path / "whole.parquet")
    whole, generator = (tmp_path / "whole.parquet").read_bytes(), np.random.default_rng(0)
    for _ in range(100):
        content = bytearray(whole)
        content[generator.integers(4, len(content))] = generator.integers(256)
        (tmp_path / "damaged.parquet").write_bytes(content[: generator.integers(len(content) // 2, 2 * len(content))])
        with contextlib.suppress(DataError):
            read(tmp_path / "damaged.parquet")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="is a folder; pass the path of a file"):
        read(tmp_path)


def test_the_error_of_a_parquet_file_without_pyarrow_names_the_package(tmp_path, monkeypatch):
    (tmp_path / "s.parquet").write_bytes(b"PAR1")

    def missing(*_):
        raise ImportError

    monkeypatch.setattr(pd, "read_parquet", missing)
    with pytest.raises(DataError, match="needs pyarrow; pip install pyarrow, or save the table as CSV"):
        read(tmp_path / "s.parquet")


def test_a_zip_file_with_one_table_is_read(tmp_path, monkeypatch):
    def write(*names):
        with zipfile.ZipFile(tmp_path / "sales.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, lines(DATES, range(30)))
        return tmp_path / "sales.zip"

    assert read(write("sales.csv", "__MACOSX/sales.csv")).series[0].y.tolist() == list(range(30))
    with pytest.raises(DataError, match=r"expected one CSV file of at most 2048 MiB in the zip file, found 2 files"):
        read(write("a.csv", "b.csv"))
    monkeypatch.setattr(loading, "UNPACKED", 100)
    with pytest.raises(DataError, match=r"found 1 file; pass the CSV uncompressed"):
        read(write("sales.csv"))
    (tmp_path / "sales.zip").write_bytes(b"PK and no more")
    with pytest.raises(DataError, match=r"sales.zip is a damaged or encrypted zip file"):
        read(tmp_path / "sales.zip")
