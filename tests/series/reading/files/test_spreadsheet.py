"""Spreadsheets: the table in a sheet is read typed; other contents, formats and sizes are refused with a remedy."""

import contextlib
import datetime
import io
import re
import sys
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

from gatewise.series import DataError, read
from gatewise.series.reading.files import spreadsheet

MONTHS = pd.date_range("2020-01-01", periods=12, freq="MS")
VALUES = [112.0, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118]
ROWS = [[date.to_pydatetime(), value] for date, value in zip(MONTHS, VALUES, strict=True)]
TABLE = [["date", "value"], *ROWS]


@pytest.fixture
def workbook(tmp_path):
    """Write sheets of rows to a workbook and give its path."""

    def write(sheets, name="sales.xlsx", **states):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in (sheets if isinstance(sheets, dict) else {"Data": sheets}).items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
            sheet.sheet_state = states.get(title, "visible")
        book.save(tmp_path / name)
        return tmp_path / name

    return write


def check(panel):
    (series,) = panel.series
    assert (series.ds == MONTHS).all()
    assert series.y.tolist() == VALUES


LAYOUTS = {
    "plain": (TABLE, None),
    "titles": (
        [["Sales of the shop"], [], ["Exported", datetime.datetime(2024, 5, 1)], [], *TABLE],
        "rows 1 and 3 before",
    ),
    "keys": ([["Rows", 12], ["Unit", "EUR"], *TABLE], "rows 1 to 2 before the header"),
    "notes": ([*TABLE, [], ["Source: Office"], ["* provisional"]], "rows 15 to 16 after the last row"),
    "units": ([["date", "value"], [None, "EUR"], *ROWS], "row 2 below the header"),
    "units in brackets": ([["date", "value"], ["[month]", "[EUR]"], *ROWS], "row 2 below the header"),
    "total": ([*TABLE, ["Total", sum(VALUES)]], "row 14 as a total"),
    "mean": ([*TABLE, ["Mean", float(np.mean(VALUES))]], "row 14 as a total"),
    "leading columns": ([[None, None, *row] for row in TABLE], None),
    "leading rows": ([[], [], *TABLE], None),
    "blank row": ([*TABLE[:5], [], *TABLE[5:]], "row 6 (blank)"),
    "header again": ([*TABLE[:5], TABLE[0], *TABLE[5:]], "row 6 as the header again"),
    "dates as text": ([["date", "value"], *[[f"{date:%Y-%m-%d}", value] for date, value in ROWS]], None),
    "count": ([[None, "date", "value"], *[[n, *row] for n, row in enumerate(ROWS)]], None),
    "prices": ([["Price", "value"], ["Ticker", "AAPL"], ["Date", None], *ROWS], None),
    "dates of days": ([["date", "value"], *[[date.date(), value] for date, value in ROWS]], None),
    "integers": ([["date", "value"], *[[date, int(value)] for date, value in ROWS]], None),
}


@pytest.mark.parametrize("case", LAYOUTS)
@pytest.mark.parametrize("name", ["sales.xlsx", "SALES.XLSM"])
def test_a_sheet_reads_like_a_text(workbook, case, name):
    rows, stated = LAYOUTS[case]
    panel = read(workbook(rows, name))
    check(panel)
    assert "sheet: 'Data'" in panel.guesses
    assert (stated or "sheet") in " ".join(panel.guesses)
    assert any(re.match(r"column names: row \d+", guess) for guess in panel.guesses)


def test_errors_name_the_row_of_the_sheet(workbook):
    path = workbook([["Sales"], [], *TABLE[:4], [MONTHS[3].to_pydatetime(), "x"], *TABLE[5:]])
    with pytest.raises(DataError, match=r"row 4 \(line 7 of sales.xlsx\): 'x' in target 'value'"):
        read(path)
    with pytest.raises(DataError, match=r"row 4 \(line 5 of sales.xlsx\): the value at 2020-04-01 is missing"):
        read(workbook([*TABLE[:4], [MONTHS[3].to_pydatetime(), "#N/A"], *TABLE[5:]]))


def test_cells_keep_their_types(workbook):
    rows = [["shop", "date", "y", "open", "share"]]
    rows += [["007", date, value, value > 120, 0.05] for date, value in ROWS]
    panel = read(workbook(rows), id_column="shop", target_column="y", past=["open", "share"])
    (series,) = panel.series
    assert (series.unique_id, series.y.tolist()) == ("007", VALUES)
    read(workbook([["date", 2019, datetime.datetime(2020, 1, 1)], *[[*row, 1] for row in ROWS]]), target_column="2019")


def test_missing_cells_are_missing(workbook):
    rows = [
        ["date", "value"],
        *[[date, None if n == 3 else "#DIV/0!" if n == 5 else v] for n, (date, v) in enumerate(ROWS)],
    ]
    y = read(workbook(rows), fill="zero").series[0].y
    assert np.flatnonzero(y == 0).tolist() == [3, 5]


def test_the_sheet_with_data_is_read(workbook):
    notes = [["About this workbook"], ["Written by the office"]]
    panel = read(workbook({"About": notes, "Sales": TABLE, "Empty": []}))
    check(panel)
    assert "sheet: 'Sales' (the only one with data)" in panel.guesses
    panel = read(workbook({"Old": [["date", "value"], [1, 2], [2, 3]], "Sales": TABLE}, Old="hidden"))
    check(panel)
    assert "sheet: 'Sales' (the only visible one with data)" in panel.guesses


@pytest.mark.parametrize("sheet", ["North", 0])
def test_several_sheets_with_data_are_refused_and_the_option_decides(workbook, sheet):
    other = [["date", "value"], *[[date, 1.0] for date, _ in ROWS[:5]]]
    path = workbook({"North": TABLE, "South": other})
    message = (
        r"2 sheets hold data \(rows x columns\): 'North' \(13 x 2\), 'South' \(6 x 2\); pass sheet='North' \(--sheet"
    )
    with pytest.raises(DataError, match=message):
        read(path)
    check(read(path, sheet=sheet))
    assert read(path, sheet="South").series[0].y.tolist() == [1] * 5
    for wrong in ("Nort", 2):
        with pytest.raises(DataError, match=rf"has no sheet {wrong!r}; its sheets are 'North', 'South'"):
            read(path, sheet=wrong)


def test_options_decide_about_the_header_and_the_footer_of_a_sheet(workbook):
    path = workbook([["Kennung", "Haus"], ["Datum", "Wert"], *ROWS, ["2021", None]])
    with pytest.raises(DataError, match=r"each of row 1 .* row 2 .* pass header_row=1 .* or header_row=2"):
        read(path)
    panel = read(path, header_row=2, skip_footer=1)
    check(panel)
    assert panel.series[0].unique_id == "Wert"
    check(read(workbook(ROWS), header_row=0))


def test_a_formula_without_a_value_is_refused(workbook):
    rows = [*TABLE[:4], [MONTHS[3].to_pydatetime(), "=B2+B3"], *TABLE[5:]]
    with pytest.raises(DataError, match=r"cell B5 of sheet 'Data' holds the formula '=B2\+B3' without a value; open"):
        read(workbook(rows))


def test_the_value_of_a_formula_is_read(workbook, tmp_path):
    path = workbook([*TABLE[:4], [MONTHS[3].to_pydatetime(), "=B2+B3"], *TABLE[5:]])
    packed = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(packed, "w") as new:
        for entry in old.infolist():
            new.writestr(entry.filename, re.sub(rb"</f><v ?/?>(</v>)?", b"</f><v>129</v>", old.read(entry)))
    path.write_bytes(packed.getvalue())
    check(read(path))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.xls", b"\xd0\xcf\x11\xe0", r"s.xls: .xls files are not supported; save the table as .xlsx or as CSV"),
        ("s.ods", b"PK", r"s.ods: .ods files are not supported; save the table as .xlsx or as CSV"),
        ("s.xlsb", b"PK", r"s.xlsb: .xlsb files are not supported"),
        ("s.xlsx", b"", "s.xlsx is empty"),
        ("s.xlsx", b"\xd0\xcf\x11\xe0 encrypted", "s.xlsx is protected by a password, or is an .xls workbook; remove"),
        ("s.xlsx", b"ds,y\n1,2\n", "s.xlsx is not an Excel workbook; rename it to .csv if it is CSV"),
        ("s.xlsx", b"PK\x03\x04 and no more", "s.xlsx is a damaged workbook; copy it again"),
    ],
)
def test_other_formats_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


def test_a_workbook_with_another_ending_is_refused(workbook):
    with pytest.raises(DataError, match=r"is not a text table .a spreadsheet.* or give it the ending of its format"):
        read(workbook(TABLE, "sales.csv"))


def test_sheet_is_refused_for_a_text(csv):
    with pytest.raises(DataError, match=r"sales.csv is no spreadsheet; omit sheet= \(--sheet\)"):
        read(csv("ds,y\n2020-01,1\n"), sheet="Data")


def test_a_damaged_workbook_is_read_or_refused(workbook):
    path = workbook(TABLE)
    whole, generator = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(3):
            content[generator.integers(len(content))] = generator.integers(256)
        path.write_bytes(content[: generator.integers(len(content) // 2, 2 * len(content))])
        with contextlib.suppress(DataError):
            read(path)


def test_sizes_are_limited(workbook, monkeypatch):
    path = workbook(TABLE)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros", bytes(10**6))
    monkeypatch.setattr(spreadsheet, "UNPACKED", 2**19)
    with pytest.raises(DataError, match="has 1 MiB after decompression, more than 0; save the table as CSV"):
        read(path)
    monkeypatch.undo()
    monkeypatch.setattr(spreadsheet, "CELLS", 20)
    with pytest.raises(DataError, match=r"sales.xlsx has more than 20 cells; save the table as CSV"):
        read(path)


@pytest.mark.parametrize("cell", ["A1048576", "XFD1", "XFD1048576"])
def test_a_far_cell_needs_little_memory(workbook, cell):
    path = workbook(TABLE)
    book = openpyxl.load_workbook(path)
    book["Data"][cell] = "note"
    book.save(path)
    if cell == "XFD1":
        check(read(path))
    else:
        with pytest.raises(DataError, match=r"most of them empty; delete the rows below"):
            read(path)


def test_the_error_without_openpyxl_names_the_extra(workbook, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r'needs openpyxl; pip install "gatewise\[excel\]", or save the table as CSV'):
        read(workbook(TABLE))


def test_totals_labelled_with_a_year_are_no_serial_numbers(workbook):
    total = [2020, sum(VALUES)]
    with pytest.raises(DataError, match=r"pass skip_footer=1 \(--skip-footer 1\)"):
        read(workbook([*TABLE, total]))
    assert read(workbook([*TABLE, total]), skip_footer=1).series[0].y.tolist() == VALUES
    with pytest.raises(DataError, match=r"2020 in time column 'date' cannot be read as a date.*or remove line 8"):
        read(workbook([*TABLE[:7], total, *TABLE[7:]]))
