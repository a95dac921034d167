"""Numbers: whether points and commas separate decimals or thousands is decided by the whole column and file."""

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, read
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.files.sources import load
from gatewise.series.reading.numbers.formats import convert
from gatewise.series.reading.numbers.parts import read_suffixes
from tests.series.reading.numbers.cases import DELIMITERS, SOURCES, read_cells, same, source_of, values

NAN = np.nan
DECIMALS = {
    "trailing zeros stripped": ["1.125", "1.25", "2", "3", "4"],
    "an integer as start": ["1.123", "1.130", "1", "1.140"],
    "written by hand": ["1.204", "2", "3", "1.450", "4"],
    "below 1": ["0.123", "1.204", "12.345", "3"],
    "one decimal": ["12.0", "12.5", "13.0"],
    "above 1000": ["2000.123", "1999.5", "3"],
    "four decimals": ["1.2045", "854", "3.1"],
}


@pytest.mark.parametrize("kind", ["comma", "tab", "bar", "pandas", "polars"])
@pytest.mark.parametrize("case", DECIMALS)
def test_decimals_stay_decimals(csv, case, kind):
    assert same(values(read_cells(DECIMALS[case], kind, csv)), [float(cell) for cell in DECIMALS[case]])


@pytest.mark.parametrize("case", [case for case in DECIMALS if "." in "".join(DECIMALS[case])])
def test_decimal_commas_of_a_file_with_semicolons_stay_decimals(csv, case):
    cells = [cell.replace(".", ",") for cell in DECIMALS[case]]
    assert same(values(read_cells(cells, "semicolon", csv)), [float(cell) for cell in DECIMALS[case]])


THOUSANDS = {
    "one integer": ["854", "1.029", "987"],
    "round": ["1.000", "2.000", "950"],
    "999 once": ["1.000", "999", "2.500"],
    "with a missing cell": ["854", "1.029", "", "987"],
    "with zeros": ["0", "854", "1.029", "987", "0"],
    "with -999": ["854", "1.029", "-999", "1.111", "-999", "987"],
    "falling": ["1.204", "1.029", "998", "871"],
    "alternating": ["998", "1.002", "999", "1.001", "997"],
}


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("separator", [".", ","])
@pytest.mark.parametrize("case", THOUSANDS)
def test_groups_of_three_beside_integers_are_thousands(csv, case, separator, kind):
    cells = [cell.replace(".", separator) for cell in THOUSANDS[case]]
    expected = [float(cell.replace(".", "") or NAN) for cell in THOUSANDS[case]]
    assert same(values(read_cells(cells, kind, csv)), expected)


def reading(separator):
    word, other = {".": ("point", "."), ",": ("comma", ",")}[separator]
    return (
        f"column 'y': '1{separator}234' is 1.234 with a decimal {word} or 1234 with thousands; pass decimal='{other}' "
        f"(--decimal {other}) or thousands='{other}' (--thousands {other})"
    )


OPEN = {
    "groups": ["1.234", "2.345", "3.456"],
    "zeros": ["1.234", "0", "2.345", "0"],
    "negative and missing": ["1.234", "-2.345", "", "12.345", "9.999"],
    "wide": ["1.234", "12.000", "999.999", "3.450"],
    "narrow": ["1.234", "1.235", "1.240"],
    "near neither": ["1.234", "1.390", "9", "1.425", "1.805"],
    "round": ["1.234", "1.000", "1.500", "2.000"],
    "-999": ["1.234", "2.345", "-999", "-999", "3.456"],
    "999": ["1.234", "2.345", "999", "999", "3.456"],
}


@pytest.mark.parametrize("separator", [".", ","])
@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("cells", OPEN.values(), ids=OPEN)
def test_numbers_with_two_readings_are_refused_and_each_option_decides(csv, separator, kind, cells):
    written = [cell.replace(".", separator) for cell in cells]
    with pytest.raises(DataError) as caught:
        read_cells(written, kind, csv)
    assert str(caught.value) == reading(separator)
    decimals = [float(cell or NAN) for cell in cells]
    thousands = [float(cell.replace(".", "") or NAN) for cell in cells]
    assert same(values(read_cells(written, kind, csv, decimal=separator)), decimals)
    assert same(values(read_cells(written, kind, csv, thousands=separator)), thousands)


OTHERS = [  # y, x, delimiter, expected
    (["1,234", "2,345", "3,456"], ["1.5", "2.5", "3"], "comma", [1234, 2345, 3456]),
    (["1,234", "2,345", "3,456"], ["0.5", "2.123", "3.1234"], "comma", [1234, 2345, 3456]),
    (["1,234", "2,345", "3,456"], ["1.5", "2,345.5", "3"], "tab", [1234, 2345, 3456]),
    (["1.234", "2.345", "3.456"], ["1,5", "2,5", "3"], "semicolon", [1234, 2345, 3456]),
    (["1.234", "2.345", "3.456"], ["1.5", "2.5", "1"], "semicolon", [1.234, 2.345, 3.456]),
    (["1.234", "2.345", "3.456"], ["854", "1.029", "987"], "semicolon", [1234, 2345, 3456]),
    (["1,234", "2,345", "3,456"], ["1,5", "2,5", "3"], "comma", [1.234, 2.345, 3.456]),
    (["1,234", "2,345", "3,456"], ["1.234.567,5", "2,5", "3"], "tab", [1.234, 2.345, 3.456]),
    (["1,234", "2,345", "3,456"], ["1.5", "2.5", "3"], "polars", [1234, 2345, 3456]),
]


@pytest.mark.parametrize(("cells", "others", "kind", "expected"), OTHERS)
def test_other_columns_of_the_file_decide(csv, cells, others, kind, expected):
    assert same(values(read_cells(cells, kind, csv, {"x": others})), expected)


def test_a_column_that_contradicts_the_file_is_refused_and_the_options_decide(csv):
    columns = {"price": ["1.5", "2.5", "1.25"]}
    with pytest.raises(DataError, match=r"'1.029' is 1.029 with a decimal point or 1029 with thousands; pass decimal="):
        read_cells(["854", "1.029", "987"], "comma", csv, columns)
    expected = {"decimal": [854, 1.029, 987], "thousands": [854, 1029, 987]}
    for name, numbers in expected.items():
        assert same(values(read_cells(["854", "1.029", "987"], "comma", csv, columns, **{name: "."})), numbers)


@pytest.mark.parametrize(
    "times", [[f"{month:02}.2020" for month in range(1, 8)], [f"{2020 + k / 4:.2f}" for k in range(7)]]
)
def test_dates_say_nothing_about_separators(csv, times):
    table = "time;y\n" + "".join(f"{time};1.{k}34\n" for k, time in enumerate(times))
    assert load(csv(table)).ambiguous.keys() == {"y"}


def test_an_ambiguous_column_that_is_not_used_is_not_refused(csv):
    assert same(values(read_cells(["1", "2", "3"], "comma", csv, {"x": ["1,234", "2,345", "3,456"]})), [1, 2, 3])
    with pytest.raises(DataError, match=r"column 'x': '1,234' is 1.234 with a decimal comma or 1234 with thousands"):
        read_cells(["1", "2", "3"], "comma", csv, {"x": ["1,234", "2,345", "3,456"]}, past="x")


STRICT = [  # options, cells, the row that contradicts, the cell
    ({"decimal": ","}, ["1,204", "2.5", "9,120"], 2, "2.5"),
    ({"decimal": "."}, ["1.5", "2.5", "9,12"], 3, "9,12"),
    ({"thousands": ","}, ["1,204", "25", "9120,1"], 3, "9120,1"),
    ({"thousands": "."}, ["1.204", "1.5", "9.120"], 2, "1.5"),
    ({"thousands": ""}, ["1204", "1,204", "1.204", "1.5"], 2, "1,204"),
    ({"thousands": " "}, ["1 204", "12,5", "1.234,5"], 3, "1.234,5"),
    ({"decimal": ",", "thousands": "."}, ["1.204,5", "912,1", "1,204.5"], 3, "1,204.5"),
    ({"decimal": ".", "thousands": "'"}, ["1'204.5", "912.1", "1,204.5"], 3, "1,204.5"),
]


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize(("options", "cells", "row", "cell"), STRICT)
def test_a_cell_that_contradicts_the_given_separators_is_named(csv, kind, options, cells, row, cell):
    with pytest.raises(DataError) as caught:
        read_cells(cells, kind, csv, **options)
    message = str(caught.value)
    assert f"row {row}" in message
    assert f"{cell!r} in target 'y' contradicts " in message
    assert all(f"{name}={value!r} (--{name})" in message for name, value in options.items())
    assert message.endswith("; correct the cell or omit the option")
    corrected = [text for text in cells if text != cell] * 2
    assert np.isfinite(values(read_cells(corrected, kind, csv, **options))).all()


@pytest.mark.parametrize("kind", SOURCES)
def test_a_column_that_contradicts_the_given_separators_in_every_cell_is_refused(csv, kind):
    message = r"'1.5' in target 'y' contradicts decimal=',' \(--decimal\) \(and 2 more\); correct the cell"
    with pytest.raises(DataError, match=message):
        read_cells(["1.5", "2.5", "3.25"], kind, csv, decimal=",")


DATES = [
    ["31.12.2020", "01.01.2021", "02.01.2021"],
    ["2020.25", "2020.5", "2020.75"],
    ["12.2020", "01.2021", "02.2021"],
    ["10.2020", "11.2020", "12.2020"],
    ["18.00.00", "19.00.00", "20.00.00"],
    ["01/2015", "02/2015", "03/2015"],
    ["20200131", "20200201", "20200202"],
    ["2020 Q1", "2020 Q2", "2020 Q3"],
    ["2020M01", "2020M02", "2020M03"],
    ["Jan-49", "Feb-49", "Mar-49"],
    ["1 Jan 2020", "2 Jan 2020", "3 Jan 2020"],
    ["2020-01", "2020-02", "2020-03"],
    ["20:00", "21:00", "22:00"],
]
TEXTS = [
    ["007", "008", "009"],
    ["S1", "S2", "S3"],
    ["a", "b", "-"],
    ["A 1", "B 2", "C 3"],
    ["10-20", "20-30", "30-40"],
    ["1/2", "2/3", "3/4"],
    ["12345-6", "12345-7", "12345-8"],
    ["192.168.0.1", "192.168.0.2", "10.0.0.1"],
    ["True", "False", "True"],
    ["5+", "6+", "7+"],
    ["1_000", "2_000", "3_000"],
    ["<5", "<6", "<7"],
]


@pytest.mark.parametrize("cells", [*DATES, *TEXTS])
def test_columns_of_dates_and_of_other_text_stay_as_they_are(cells):
    frame = pd.DataFrame({"x": cells})
    converted = convert(frame, CellFormat())
    assert converted.frame["x"].tolist() == cells
    assert converted[1:4] == ((), (), {})


@pytest.mark.parametrize("cells", DATES)
@pytest.mark.parametrize("kind", DELIMITERS)
def test_dates_of_a_file_stay_as_pandas_reads_them(csv, cells, kind):
    source = source_of(["1", "2", "3"], kind, csv, x=cells)
    assert load(source).frame["x"].tolist() == pd.read_csv(source, sep=DELIMITERS[kind])["x"].tolist()


def test_names_of_series_stay_text():
    frame = pd.DataFrame({"shop": ["1,204", "912"] * 3, "ds": [1, 1, 2, 2, 3, 3], "y": ["1,5", "2,5"] * 3})
    panel = read(frame, id_column="shop")
    assert [series.unique_id for series in panel.series] == ["1,204", "912"]
    assert [series.y.tolist() for series in panel.series] == [[1.5] * 3, [2.5] * 3]


def test_covariates_are_numbers_or_categories(csv):
    columns = {"price": ["$1,204", "$912", "$1,000"], "code": ["1", "-", "2"], "name": ["a", "b", "c"]}
    panel = read_cells(["1", "2", "3"], "comma", csv, columns, past=["price", "code", "name"])
    assert panel.series[0].past[:, 0].tolist() == [1204, 912, 1000]
    assert panel.covariates.categories == {"code": ("-", "1", "2"), "name": ("a", "b", "c")}


def test_a_covariate_with_other_text_is_a_category(csv):
    panel = read_cells(["1", "2", "3"], "comma", csv, {"size": ["1,5", "2,5", "big"]}, past="size")
    assert panel.covariates.categories == {"size": ("1,5", "2,5", "big")}


def test_text_that_reads_as_dates_is_never_converted(monkeypatch):
    frame = pd.DataFrame({"x": ["1,5", "2,5"], "y": ["5", "6"]})
    assert convert(frame, CellFormat()).frame["x"].tolist() == [1.5, 2.5]
    monkeypatch.setattr(
        "gatewise.series.reading.numbers.distinct.looks_like_dates", lambda text: "1,5" in text.tolist()
    )
    assert convert(frame, CellFormat()).frame["x"].tolist() == ["1,5", "2,5"]


def test_a_rate_beside_the_only_quantity_is_not_the_target(csv):
    panel = read_cells(["1", "2", "3"], "comma", csv, {"growth": ["5%", "6%", "7%"]}, target_column=None)
    assert panel.series[0].unique_id == "y"
    frame = pd.DataFrame({"ds": ["2024-01-01", "2024-01-02", "2024-01-03"], "growth": ["5%", "6%", "7%"]})
    assert read(frame).series[0].y.tolist() == [5, 6, 7]


@pytest.mark.parametrize(
    ("rows", "powers", "noun"),
    [
        ({"K": 3, "M": 1, "": 2}, {"K": 3, "M": 6, "": 0}, "multiples such as K and M"),
        ({" K": 3}, {" K": 0}, "unit 'K'"),
        ({"K": 3}, {"K": 3}, "multiples in 'K'"),
        ({" m": 3}, {" m": 0}, "unit 'm'"),
        ({"m": 3, "k": 2}, {"m": 6, "k": 3}, "multiples such as K and M"),
        ({" Mio. €": 3, " Mrd. €": 1}, {" Mio. €": 6, " Mrd. €": 9}, "multiples such as K and M"),
        ({"k€": 2}, {"k€": 3}, "multiples in 'k€'"),
        ({" MW": 3, "MW": 1}, {" MW": 0, "MW": 0}, "unit 'MW'"),
        ({"": 5, " b": 1, " p": 2}, {"": 0, " b": 0, " p": 0}, "flags such as 'b'"),
        ({" d": 2, " h": 3}, {" h": 0}, "unit 'h'"),
        ({"%": 4, "": 1}, {"%": 0}, "percent"),
        ({"€": 4, "": 1}, {"€": 0, "": 0}, "currency '€'"),
    ],
)
def test_suffixes_are_units_multiples_or_flags(rows, powers, noun):
    assert read_suffixes(rows) == (powers, noun)


def test_columns_that_contradict_each_other_do_not_decide():
    small, large = ["5,651", "9", "2,405", "5,273", "1,437"], ["854", "1,029", "987", "1,204", "911"]
    for column, alone in ((small, 5.651), (large, 854.0)):
        assert convert(pd.DataFrame({"y": column}), CellFormat()).frame["y"][0] == alone
    converted = convert(pd.DataFrame({"a": small, "b": large}), CellFormat())
    assert set(converted.ambiguous) == {"a", "b"}
