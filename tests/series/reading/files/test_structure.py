"""Structure: lines around the table are left out and stated, or refused with an option that decides."""

import re

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, read
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.files.loading import read_file

MONTHS = pd.date_range("2020-01-01", periods=12, freq="MS")
VALUES = [112.0, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118]
ROWS = [f"{date:%Y-%m-%d},{value:g}" for date, value in zip(MONTHS, VALUES, strict=True)]
BODY = "\n".join(ROWS) + "\n"
TABLE = "date,value\n" + BODY


def semicolons(text):
    return text.replace(",", ";")


def inserted(row, text):
    """The table with a line before a row, counted from 0."""
    return "\n".join(["date,value", *ROWS[:row], text, *ROWS[row:]]) + "\n"


def check(panel, line=None):
    (series,) = panel.series
    assert (series.ds == MONTHS).all()
    assert series.y.tolist() == VALUES


SKIPPED = {  # content -> the guess that states what is skipped
    "title": ("Sales of the shop\n" + TABLE, "line 1 before the header ('Sales of the shop')"),
    "title and blank line": ("Sales\n\n" + TABLE, "line 1 before the header"),
    "title with commas": ("Sales, monthly, in EUR\n" + TABLE, "line 1 before the header"),
    "two titles with commas": (
        "Sales, monthly, in EUR\nExport, by the office\n\n" + TABLE,
        "lines 1 to 2 before the header",
    ),
    "export date": ("Exported 2024-05-01 10:00\n" + TABLE, "line 1 before the header"),
    "date alone": ("2024-05-01\n" + TABLE, "line 1 before the header"),
    "source": ("Source: Office, 2024\n" + TABLE, "line 1 before the header"),
    "padded title": ("Sales report,\n,\n" + TABLE, "line 1 before the header"),
    "keys": ("Station: Berlin\nUnit: kWh\nRows: 12\n" + TABLE, "lines 1 to 3 before the header"),
    "keys in columns": ("Station:,Berlin\nUnit:,kWh\n" + TABLE, "lines 1 to 2 before the header"),
    "keys without colons": ("Station,Berlin\nUnit,kWh\n" + TABLE, "lines 1 to 2 before the header"),
    "keys with numbers": ("Station,12\nRows,120\nName,Berlin\n" + TABLE, "lines 1 to 3 before the header"),
    "ruler": ("=====\nSales\n=====\n" + TABLE, "lines 1 to 3 before the header"),
    "comment before": ("# from the office\n" + TABLE, "line 1 before the header"),
    "comments before": ("% a\n% b, c\n" + TABLE, "lines 1 to 2 before the header"),
    "comment inside": (inserted(5, "# estimated, revised"), "line 7 as a comment"),
    "slashes inside": (inserted(5, "// estimated"), "line 7 as a comment"),
    "percent inside": (inserted(5, "% estimated"), "line 7 as a comment"),
    "row as a comment": (inserted(5, "#2019-01-01,7"), "line 7 as a comment"),
    "comment after": (TABLE + "# end\n", "line 14 after the last row"),
    "blank line inside": (inserted(5, ""), "line 7 (blank)"),
    "empty cells inside": (inserted(5, ","), "line 7 (blank)"),
    "note": (TABLE + "Source: Statistics Office\n", "line 14 after the last row ('Source: Statistics Office')"),
    "note with a comma": (TABLE + "Source: Office, Berlin\n", "line 14 after the last row"),
    "note with a year": (TABLE + "Source: Office, 2024\n", "line 14 after the last row"),
    "blank and notes": (TABLE + "\n* provisional\n(c) 2024 the office\n", "lines 15 to 16 after the last row"),
    "end": (TABLE + "END\n", "line 14 after the last row ('END')"),
    "padded note": (TABLE + "Note,\n", "line 14 after the last row"),
    "long note": (TABLE + "Values are provisional, and may change, see the web page\n", "line 14 after the last row"),
    "header again": (inserted(5, "date,value"), "line 7 as the header again"),
    "header twice again": (inserted(5, "date,value") + "date,value\n", "lines 7 and 15"),
    "total": (TABLE + f"Total,{sum(VALUES):g}\n", "line 14 as a total"),
    "sum": (TABLE + f"Gesamt,{sum(VALUES):g}\n\n", "line 14 as a total"),
    "mean": (TABLE + f"Average,{np.mean(VALUES):.2f}\n", "line 14 as a total"),
    "sum and mean": (TABLE + f"Sum,{sum(VALUES):g}\nMean,{np.mean(VALUES):.1f}\n", "lines 14 to 15 as a total"),
    "total of a part": (
        inserted(6, f"Half,{sum(VALUES[:6]):g}") + f"Half,{sum(VALUES[6:]):g}\n",
        "lines 8 and 15 as a total",
    ),
    "total and note": (TABLE + f"Total,{sum(VALUES):g}\nSource: X\n", "line 14 as a total"),
    "units in brackets": ("date,value\n,[EUR]\n" + BODY, "line 2 below the header"),
    "units in parentheses": ("date,value\n(month),(kWh)\n" + BODY, "line 2 below the header"),
    "formats": ("date,value\nyyyy-mm-dd,number\n" + BODY, "line 2 below the header"),
    "units under date": ("date,value\nUTC,MW\n" + BODY, "line 2 below the header"),
    "ruler below": ("date,value\n----------,-----\n" + BODY, "line 2"),
    "note below": ("date,value\nall in EUR\n" + BODY, "line 2 below the header"),
    "title and units": ("Sales\n\ndate,value\n,EUR\n" + BODY, "line 4 below the header"),
}


@pytest.mark.parametrize("separate", [str, semicolons, lambda text: text.replace(",", "\t")])
@pytest.mark.parametrize("case", SKIPPED)
def test_lines_around_the_table_are_skipped_and_stated(csv, case, separate):
    content, stated = SKIPPED[case]
    content = separate(content)
    panel = read(csv(content))
    check(panel)
    guess = " ".join(guess for guess in panel.guesses if guess.startswith("skipped: "))
    assert separate(stated) in guess
    assert guess.count("line 14") <= 1


PLAIN = {
    "sep": "sep=,\n" + TABLE,
    "sep in quotes": '"sep=,"\n' + TABLE,
    "sep ;": "sep=;\n" + semicolons(TABLE),
    "sep tab": "sep=\\t\n" + TABLE.replace(",", "\t"),
    "byte order mark": "\ufeff" + TABLE,
    "byte order mark and sep": "\ufeffsep=;\n" + semicolons(TABLE),
    "utf-16": TABLE.replace(",", "\t").encode("utf-16"),
    "utf-16 big": b"\xfe\xff" + TABLE.encode("utf-16-be"),
    "carriage returns": TABLE.replace("\n", "\r"),
    "windows": TABLE.replace("\n", "\r\n"),
    "blank lines first": "\n\n" + TABLE,
    "blank lines last": TABLE + "\n,\n\n",
    "trailing delimiter": TABLE.replace("\n", ",\n"),
    "trailing delimiters": TABLE.replace("\n", ",,\n"),
    "trailing delimiter in rows": "date,value\n" + BODY.replace("\n", ",\n"),
    "trailing delimiter in the header": "date,value,,\n" + BODY,
    "trailing delimiter in some rows": TABLE.replace(",118\n", ",118,\n"),
    "semicolons": semicolons(TABLE),
    "bars": TABLE.replace(",", "|"),
    "spaces": TABLE.replace(",", "   "),
    "fixed width": "\n".join(f"{line.partition(',')[0]:<12}{line.partition(',')[2]:>9}" for line in TABLE.split("\n")),
    "one space": TABLE.replace(",", " "),
    "decimal commas": "date;value\n" + "".join(f"{row.replace(',', ';')},0\n" for row in ROWS),
    "quotes": "".join(f'"{line.replace(",", chr(34) + "," + chr(34))}"\n' for line in TABLE.split()),
    "a count": "".join(f"{n if n >= 0 else ''},{line}\n" for n, line in enumerate(TABLE.split(), start=-1)),
    "a count from 1": "".join(f"{n or ''},{line}\n" for n, line in enumerate(TABLE.split())),
    "index of dates": TABLE.replace("date,", ","),
    "comment as header": "# date,value\n" + BODY,
    "comments and header": "# from the office\n# date,value\n" + BODY,
    "prices": "Price,value\nTicker,AAPL\nDate,\n" + BODY,
}


@pytest.mark.parametrize("case", PLAIN)
def test_every_kind_of_text_reads_the_same(csv, case):
    check(read(csv(PLAIN[case])))


def test_prices_are_named_by_the_levels_that_differ(csv):
    rows = "".join(f"{row},5,6\n" for row in ROWS)
    one = "Price,Close,High,Low\nTicker,AAPL,AAPL,AAPL\nDate,,,\n"
    panel = read(csv(one + rows), target_column="Close")
    check(panel)
    assert "column names: joined from lines 1, 2 and 3, 'Date', 'Close', 'High', 'Low'" in panel.guesses
    two = "Price,Close,Close,High\nTicker,AAPL,MSFT,AAPL\nDate,,,\n"
    check(read(csv(two + rows), target_column="Close AAPL"))
    assert read(csv(two + rows), target_column="Close MSFT").series[0].y.tolist() == [5] * 12


@pytest.mark.parametrize(
    "header",
    ["Region,North,,South\ndate,a,b,a\n", ",North,North,South\ndate,a,b,a\n", ",North,North,South\ndate,a,b,\n"],
)
def test_two_lines_of_names_are_joined(csv, header):
    panel = read(csv(header + "".join(f"{row},5,6\n" for row in ROWS)), layout="columns")
    names = [series.unique_id for series in panel.series]
    assert names[:2] == ["North a", "North b"]
    assert names[2] in ("South a", "South")
    assert panel.series[0].y.tolist() == VALUES


@pytest.mark.parametrize("header", ["Datum,Wert\nSekunden,Meter\n", "Kennung,Haus\nDatum,Wert\n"])
@pytest.mark.parametrize("line", [1, 2])
def test_lines_that_may_be_the_header_are_refused_and_the_option_decides(csv, header, line):
    path = csv(header + BODY)
    message = (
        r"each of line 1 .*, line 2 .* may hold the column names; pass header_row=1 \(--header-row 1\) or header_row=2"
    )
    with pytest.raises(DataError, match=message):
        read(path)
    panel = read(path, header_row=line)
    check(panel)
    assert panel.series[0].unique_id == header.split("\n")[line - 1].split(",")[1]


def test_a_file_without_a_header_is_read_with_header_row_0(csv):
    with pytest.raises(DataError, match=r"add a header line above it, or pass header_row=0 \(--header-row 0\)"):
        read(csv(BODY))
    for content in (BODY, "Sales\n\n" + BODY, BODY + "Source: X\n"):
        panel = read(csv(content), header_row=0)
        check(panel)
        assert "column names: none in the file, so 'column1', 'column2'" in panel.guesses


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (inserted(5, "2020-05-15"), "Expected 2 fields in line 7, saw 1"),
        (inserted(5, "2020-05-15,1,5"), "Expected 2 fields in line 7, saw 3"),
        ("Title\n\n" + inserted(5, "2020-05-15,1,5"), "Expected 2 fields in line 9, saw 3"),
        (
            "Title\n\n" + inserted(5, "2020-06-01,x"),
            r"row 6 \(line 9 of sales.csv\): 'x' in target 'value' is not a number",
        ),
        ("Title\n" + inserted(5, "x,7"), r"row 6 \(line 8 of sales.csv\): 'x' in time column 'date'"),
        (inserted(3, "# note") + "2021-01-01,x\n", r"row 13 \(line 15 of sales.csv\)"),
        (TABLE + f"Total,{sum(VALUES):g}\nTotal,5\n", r"\(line 15 of sales.csv\): 'Total' in time column"),
        (
            'date,value,note\n2020-01-01,1,"two\nlines"\n2020-02-01,x,b\n2020-03-01,3,c\n',
            r"row 2 \(line 4 of sales.csv\): 'x'",
        ),
        (TABLE + "2021-0", "Expected 2 fields in line 14, saw 1"),
    ],
)
def test_errors_name_the_line_of_the_file(csv, content, message):
    with pytest.raises(DataError, match=message):
        read(csv(content), target_column="value")


def test_a_semicolon_starts_a_comment_if_it_is_no_delimiter(csv):
    check(read(csv(inserted(5, "; estimated") + "; end\n")))


def test_a_last_line_with_too_few_fields_is_left_out_by_the_option(csv):
    path = csv(TABLE + "\n2021-01\n\n")
    with pytest.raises(
        DataError, match=r"line 15, saw 1; .* or pass skip_footer=1 \(--skip-footer 1\) if it is no row"
    ):
        read(path)
    panel = read(path, skip_footer=1)
    check(panel)
    assert "skipped: line 15 as given ('2021-01')" in panel.guesses


def test_rows_that_may_be_data_stay(csv):
    missing = read(csv(TABLE + "2021-01-01,\n2021-02-01,5\n"), fill="zero")
    assert missing.series[0].y.tolist() == [*VALUES, 0, 5]
    with pytest.raises(DataError, match=r"row 13 .line 14 of sales.csv.: the value at 2021-01-01 is missing"):
        read(csv(TABLE + "2021-01-01,\n"))
    single = read(csv("y\n5\n\n7\n"), fill="interpolate")
    assert single.series[0].y.tolist() == [5, 6, 7]
    ids = "".join(f"#{n},{row}\n" for n in (1, 2) for row in ROWS)
    assert [series.unique_id for series in read(csv("shop,date,y\n" + ids), id_column="shop").series] == ["#1", "#2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("2020-03-01,5\n", "row 13 .line 14 of sales.csv.*2020-03-01"),  # a duplicate date
        ("2021-01-01;5\n", "line 14, saw 1"),
        ("unknown,5\n", "'unknown' in time column"),
        (",5\n", "no date in time column"),
        ("Total,77\n", "'Total' in time column"),
    ],
)
def test_a_last_row_that_may_be_data_is_an_error(csv, content, message):
    with pytest.raises(DataError, match=message):
        read(csv(TABLE + content))


@pytest.mark.parametrize("label", ["Total", "unknown"])
def test_a_row_of_equal_values_is_no_mean(csv, label):
    constant = "date,value\n" + "".join(f"{date:%Y-%m-%d},5\n" for date in MONTHS)
    with pytest.raises(DataError, match=f"row 13 .line 14 of sales.csv.: '{label}' in time column"):
        read(csv(constant + f"{label},5\n"))
    assert read(csv(constant + f"{label},60\n")).series[0].y.tolist() == [5] * 12


def test_a_row_with_the_name_of_a_series_is_data(csv):
    rows = "".join(f"{shop},{row}\n" for shop in "AB" for row in ROWS)
    for row in ("B,x,y\n", "B,,124\n"):
        panel = read(csv("shop,date,y\n" + rows + row), id_column="shop", on_bad="skip")
        assert [series.unique_id for series in panel.series] == ["A"]
    panel = read(csv("shop,date,y\n" + rows + f"Total,,{2 * sum(VALUES):g}\n"), id_column="shop")
    assert [series.unique_id for series in panel.series] == ["A", "B"]


@pytest.mark.parametrize("form", ["1950-{:02}-01", "1950{:02}01", "1950{:02}", "1950-{:02}"])
def test_a_code_below_a_name_does_not_make_the_row_above_it_a_header(csv, form):
    days = ",".join(form.format(month) for month in range(1, 13))
    rows = {"shop 7": range(-6, 6), "0012": range(30, 42)}
    lines = [f"region,{days}", *(f"{name},{','.join(map(str, values))}" for name, values in rows.items())]
    panel = read(csv("\n".join(lines)))
    assert {series.unique_id: series.y.tolist() for series in panel.series} == {k: [*v] for k, v in rows.items()}


@pytest.mark.parametrize("delimiter", ["|", ";", "\t"])
def test_commas_inside_dates_and_numbers_are_no_delimiters(csv, delimiter):
    days = [f"September {day}, 1979" for day in range(10, 24)]
    rows = [["region", *days], *([name, *(f"{value},5" for value in range(50, 64))] for name in ("north", "south"))]
    panel = read(csv("\n".join(delimiter.join(row) for row in rows)))
    assert [series.unique_id for series in panel.series] == ["north", "south"]
    assert panel.series[0].y.tolist() == [value + 0.5 for value in range(50, 64)]


def test_names_of_years_below_a_title_are_a_header(csv):
    content = '"Source","Office"\n\n"Updated","2024-05-30"\n\nname,2000,2001,2002,2003\na,1,2,3,4\nb,5,6,7,9\n'
    panel = read(csv(content), layout="rows")
    assert [(series.unique_id, series.y.tolist()) for series in panel.series] == [
        ("a", [1, 2, 3, 4]),
        ("b", [5, 6, 7, 9]),
    ]


def test_a_first_row_with_a_name_is_no_header(csv):
    rows = "".join(f"{shop},{row}\n" for shop in "AB" for row in ROWS)
    path = csv(rows)
    with pytest.raises(
        DataError, match=r"first line, 'A', '2020-01-01', '112', holds no column names; .* header_row=0"
    ):
        read(path)
    assert [series.y.tolist() for series in read(path, header_row=0, id_column="column1").series] == [VALUES, VALUES]


@pytest.mark.parametrize("line", ["# comment, of the office", "A sentence of the office", "1950", "Key: value"])
def test_a_long_preamble_and_a_long_footer_are_skipped(csv, line):
    rows = "".join(f"{1950 + n},{n % 7}\n" for n in range(60))
    for table, length in ((TABLE, 12), ("year,value\n" + rows, 60)):
        panel = read(csv(f"{line}\n" * 250 + table + "# comment\n" * 250))
        assert len(panel.series[0]) == length
        assert "lines 1 to 250 before the header" in " ".join(panel.guesses)
        assert "the first is" not in " ".join(panel.guesses)


@pytest.mark.parametrize("options", [{"header_row": 40}, {"header_row": 2}, {"skip_footer": 40}])
def test_options_beyond_the_file_are_refused(csv, options):
    with pytest.raises(DataError, match=next(iter(options))):
        read(csv("Sales\n\n" + TABLE), **options)


def test_the_text_of_a_column_belongs_to_its_rows(csv):
    content = "Title, of sales\n,date,value,\n" + "".join(f"0{n},{row},\n" for n, row in enumerate(ROWS))
    content += f",Total,{sum(VALUES):g},\nSource: X\n"
    file = read_file(csv(content), CellFormat())
    assert file.frame.columns.tolist() == ["date", "value"]
    assert file.written("value").tolist() == [row.partition(",")[2] for row in ROWS]
    assert file.lines.tolist() == list(range(3, 15))
    file = read_file(csv(content.replace("\n00,", "\n7a,")), CellFormat())
    assert file.written("Unnamed: 0").tolist()[:3] == ["7a", "01", "02"]
    assert re.search("skipped: line 1 before", " ".join(file.guesses))


STATISTICS = {
    "count": "Count,12",
    "least": "Min,80",
    "mean": "mean,119.8",
    "mean of a year": "Average 2020,119.1",
    "year to date": "YTD,9999",
    "a total that is no sum": "Total,1500",
    "several": "Count,12\nMin,80\nMax,150",
    "a second table": "\nRegion,Sales\nNorth,700\nSouth,735",
    "before a note": "Count,12\n\nSource: the office",
}


@pytest.mark.parametrize("case", STATISTICS)
def test_the_error_of_statistics_in_the_last_rows_names_how_to_skip_them(csv, case):
    path = csv(TABLE + STATISTICS[case] + "\n")
    with pytest.raises(DataError, match=r"pass skip_footer=(\d+) \(--skip-footer \1\) if the lines after") as error:
        read(path)
    footer = int(re.search(r"skip_footer=(\d+)", str(error.value))[1])
    assert read(path, skip_footer=footer).series[0].y.tolist() == VALUES
    frame = pd.read_csv(csv("date,value\n" + BODY + "Count,12\nMin,80\n"))
    with pytest.raises(DataError, match="remove the last 2 rows if no data"):
        read(frame)
    assert read(frame.iloc[:-2]).series[0].y.tolist() == VALUES


@pytest.mark.parametrize("label", ["Total", "Total 2020", "Subtotal (1)", "2020"])
def test_the_error_of_totals_between_the_rows_names_their_lines(csv, label):
    rows = [f"{date:%b %Y},{value:g}" for date, value in zip(MONTHS, VALUES, strict=True)]
    first = f"{label},9999"
    with pytest.raises(DataError, match="or remove lines 2 and 9, if such rows hold totals"):
        read(csv("\n".join(["date,value", first, *rows[:6], first, *rows[6:]]) + "\n"))
    with pytest.raises(DataError, match="or remove line 2, if such rows hold totals"):
        read(csv("\n".join(["date,value", first, *rows]) + "\n"))
    assert read(csv("\n".join(["date,value", *rows]) + "\n")).series[0].y.tolist() == VALUES


PADDED = {
    "quoted after a space": ('"date", "value"\n', '"{}", "{}"\n'),
    "after commas": ("date, value\n", "{}, {}\n"),
    "around semicolons": ("date ; value\n", "{} ; {}\n"),
    "around tabs": (" date \t value \n", " {} \t {} \n"),
    "quoted with spaces inside": ('" date ", " value "\n', '" {} ", " {} "\n'),
    "before commas": ("date   ,value   \n", "{}   ,{}   \n"),
}


@pytest.mark.parametrize("case", PADDED)
def test_spaces_around_names_and_cells_are_left_out(csv, case):
    header, row = PADDED[case]
    rows = [row.format(f"{date:%Y-%m-%d}", value) for date, value in zip(MONTHS, VALUES, strict=True)]
    panel = read(csv(header + "".join(rows)), target_column="value", time_column="date")
    assert (panel.series[0].y.tolist(), panel.series[0].ds.tolist()) == (VALUES, MONTHS.tolist())


def test_spaces_around_names_of_series_are_left_out(csv):
    rows = [
        f"{date:%Y-%m-%d} , {name} , {value} \n"
        for name in ("a b", "007")
        for date, value in zip(MONTHS, VALUES, strict=True)
    ]
    panel = read(csv("date , item , value \n" + "".join(rows)), id_column="item", target_column="value")
    assert [series.unique_id for series in panel.series] == ["a b", "007"]
