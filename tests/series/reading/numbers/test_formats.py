"""Number formats: numbers written in many ways are read exactly, and the guess is stated."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, read
from tests.series.reading.numbers.cases import SOURCES, read_cells, same, values

NAN = np.nan
FORMATS = {
    "thousands": (["912", "1,204", "1,377"], [912, 1204, 1377], "thousands separators in column 'y': '1,204' read"),
    "thousands with points": (["854", "1.029", "987"], [854, 1029, 987], "thousands separators in column 'y': '1.029'"),
    "negative thousands": (["-854", "-1.029", "-987"], [-854, -1029, -987], "'-1.029' read as -1029"),
    "millions": (["1,234,567", "2,345", "3,456"], [1234567, 2345, 3456], "'1,234,567' read as 1234567"),
    "millions with points": (["1.234.567", "2.345", "3"], [1234567, 2345, 3], "'1.234.567' read as 1234567"),
    "both, comma last": (["1.234,50", "345,10", "1,5"], [1234.5, 345.1, 1.5], "thousands separators, decimal comma"),
    "both, point last": (["1,234.50", "345.10", "1.5"], [1234.5, 345.1, 1.5], "'1,234.50' read as 1234.5"),
    "spaces": (["1 234,5", "2\u00a0345,6", "3\u202f456,7", "4\u2009000,1"], [1234.5, 2345.6, 3456.7, 4000.1], None),
    "apostrophes": (["1'234", "1’235.5", "2'222'333"], [1234, 1235.5, 2222333], "thousands separators"),
    "leading zero": (["0,066", "0,123", "1,234"], [0.066, 0.123, 1.234], "decimal comma in column 'y': '0,066' read"),
    "Indian": (["1,23,456", "2,34,567", "12,345"], [123456, 234567, 12345], "'1,23,456' read as 123456"),
    "dollars": (["$1,204", "$912", "($35)", "-$6"], [1204, 912, -35, -6], "currency '$'"),
    "euros": (["1.204,5 €", "912,1 €", "5,0 €"], [1204.5, 912.1, 5], "currency '€'"),
    "pounds": (["£5", "£6.25", "£7"], [5, 6.25, 7], "currency '£' in column 'y': '£6.25' read as 6.25"),
    "yen": (["¥1,000,000", "¥2", "¥30"], [1000000, 2, 30], "currency '¥'"),
    "codes": (["USD 12.5", "USD 13", "USD 1,400"], [12.5, 13, 1400], "currency 'USD'"),
    "kronor": (["12 kr", "13 kr", "1 400 kr"], [12, 13, 1400], "currency 'kr'"),
    "zloty": (["12,50 zł", "13 zł", "14 zł"], [12.5, 13, 14], "decimal comma, currency 'zł'"),
    "percent": (["12.5%", "13%", "-4 %"], [12.5, 13, -4], "percent in column 'y'"),
    "parentheses": (["(12)", "13", "(14.5)"], [-12, 13, -14.5], "negative numbers in parentheses"),
    "minus behind": (["12-", "13", "14.5-"], [-12, 13, -14.5], "minus behind the digits"),
    "multiples": (["1.2K", "3M", "2.5B", "950"], [1200, 3e6, 2.5e9, 950], "multiples such as K and M"),
    "short multiples": (["1.1bn", "3mn", "2k"], [1.1e9, 3e6, 2000], "multiples"),
    "millions of euros": (["1,2 Mio. €", "3 Mio. €", "2,25 Mrd. €"], [1.2e6, 3e6, 2.25e9], "multiples"),
    "minus sign": (["\u221212.5", "+3", "4"], [-12.5, 3, 4], "numbers in column 'y': '\u221212.5' read as -12.5"),
    "exponents": (["1e5", "1E+05", "1,2E+05", "2,5e-3"], [1e5, 1e5, 1.2e5, 2.5e-3], "decimal comma"),
    "bare points": ([".5", "5.", "1.25"], [0.5, 5, 1.25], ""),
    "bare commas": ([",5", "5,", "1,25"], [0.5, 5, 1.25], "decimal comma"),
    "other digits": (["１２", "１３", "٣٤"], [12, 13, 34], "numbers in column 'y': '１２' read as 12"),
    "units": (["12 kWh", "13 kWh", "14.5kWh"], [12, 13, 14.5], "unit 'kWh' in column 'y'"),
    "degrees": (["12 °C", "-13 °C", "14.5 °C"], [12, -13, 14.5], "unit '°C'"),
    "apostrophe before": (["'123", "'124", "'7"], [123, 124, 7], "numbers in column 'y'"),
    "formula": (['="123"', '="124"', '="7"'], [123, 124, 7], "numbers in column 'y'"),
    "flags": (["12.5 p", "103 e", ": c", "7", "8", "9"], [12.5, 103, NAN, 7, 8, 9], "flags such as 'e'"),
    "footnotes": (["12.5*", "103", "7", "8"], [12.5, 103, 7, 8], "flags such as '*'"),
}


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("case", FORMATS)
def test_numbers_are_read_by_the_format_of_their_column(csv, case, kind):
    cells, expected, guess = FORMATS[case]
    panel = read_cells(cells, kind, csv)
    assert same(values(panel), expected)
    guesses = [text for text in panel.guesses if " in column 'y'" in text and "missing" not in text]
    assert len(guesses) == (guess != "")
    assert guess is None or all(guess in text for text in guesses)


def german(value):
    return f"{value:_.4f}".replace(".", ",").replace("_", ".")


WRITERS = {
    "English": lambda v: f"{v:,.4f}",
    "German": german,
    "French": lambda v: f"{v:_.4f}".replace(".", ",").replace("_", "\u202f"),
    "Swiss": lambda v: f"{v:_.4f}".replace("_", "’"),
    "decimal comma": lambda v: repr(v).replace(".", ","),
    "dollars": lambda v: f"${v:,.4f}" if v >= 0 else f"(${-v:,.4f})",
    "euros behind": lambda v: f"{german(v)} €",
    "unit": lambda v: f"{v!r} kWh",
    "percent": lambda v: f"{v!r}%",
    "exponent": lambda v: f"{v:.17e}".replace(".", ","),
    "minus behind": lambda v: f"{abs(v)!r}-" if v < 0 else repr(v),
    "minus sign": lambda v: repr(v).replace("-", "\u2212"),
    "fullwidth": lambda v: repr(v).translate({ord(str(d)): chr(0xFF10 + d) for d in range(10)}),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("kind", SOURCES)
def test_no_bit_of_a_number_is_lost(csv, writer, kind):
    generator = np.random.default_rng(0)
    numbers = np.round(generator.normal(size=60) * 10.0 ** generator.integers(0, 7, 60), 4)
    assert same(values(read_cells([WRITERS[writer](float(v)) for v in numbers], kind, csv)), numbers)


@pytest.mark.parametrize("separator", [",", ".", " ", "'", "\u00a0"])
@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("spread", [0.3, 3.0])
def test_counts_around_a_thousand_and_of_all_sizes_are_read(csv, separator, kind, spread):
    counts = np.random.default_rng(1).lognormal(7, spread, 100).astype(int)
    cells = [f"{count:,}".replace(",", separator) for count in counts]
    assert same(values(read_cells(cells, kind, csv)), counts)


def test_large_integers_are_rounded_once(csv):
    cells = ["9,007,199,254,740,993", "9,007,199,254,740,997", "1", "18,446,744,073,709,551,617"]
    assert same(values(read_cells(cells, "comma", csv)), [float(cell.replace(",", "")) for cell in cells])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1, "1,204", 912, "1,100"], [1, 1204, 912, 1100]),
        ([Decimal("1.5"), "2,5", 3, None], [1.5, 2.5, 3, NAN]),
        ([Decimal("1.5"), 2, 3.25], [1.5, 2, 3.25]),
        ([1.5, "n/a", 3], [1.5, NAN, 3]),
        (["$1.5", 2.25, Decimal("3.125")], [1.5, 2.25, 3.125]),
        ([1234.5, "1.234,5", 2], [1234.5, 1234.5, 2]),
        (["12 kg", None, "13 kg"], [12, NAN, 13]),
        ([np.float32(1.5), "2,5", np.int64(3)], [1.5, 2.5, 3]),
    ],
)
def test_mixed_columns_of_a_table_are_read(csv, cells, expected):
    assert same(values(read_cells(cells, "pandas", csv)), expected)


def test_a_single_series_is_read():
    assert read(["912", "1,204", "1,377"]).series[0].y.tolist() == [912, 1204, 1377]
    assert read(pd.Series(["1,5", "2,5", "3"], name="a")).series[0].y.tolist() == [1.5, 2.5, 3]
    guess = "decimal comma in column 'a': '1,5' read as 1.5"
    assert guess in read(pd.Series(["1,5", "2,5", "3"], name="a")).guesses


def test_many_columns_of_one_format_share_a_sentence(csv):
    columns = {name: ["5,5", "-", "7,5"] for name in "abcd"}
    panel = read_cells(["1", "2", "3"], "semicolon", csv, columns)
    assert "decimal comma in 4 columns, such as 'a': '5,5' read as 5.5" in panel.guesses
    assert "missing values: in 4 columns, such as '-' in 'a', 4 cells" in panel.guesses


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (["1_000", "2_000", "3_000"], "row 1.*'1_000' in target 'y' is not a number"),
        (["5", "abc", "7"], "row 2.*'abc' in target 'y' is not a number"),
        (["1,5", "abc", "7,5"], "row 2.*'abc' in target 'y' is not a number"),
        (["912", "1,204", "12,04x", "1,100"], "row 3.*'12,04x' in target 'y' is not a number"),
        (["12 kW", "13 MW", "14.5 kW", "3 kW"], "row 2.*'13 MW' in target 'y' is not a number"),
        (["$12", "€13", "$14"], "row 2.*'€13' in target 'y' is not a number"),
        (["12%", "0.13", "14%"], "row 2.*'0.13' in target 'y' is not a number"),
        (["5", "-", "12+", "7"], "row 3.*'12[+]' in target 'y' is not a number"),
        (["1.234,5", "2.345,25", "1234.75", "2,5"], "row 3.*'1234.75' in target 'y' is not a number"),
    ],
)
def test_a_cell_that_is_no_number_is_named(csv, cells, fault, kind):
    with pytest.raises(DataError, match=fault + ".*; give a number such as 1234.5"):
        read_cells(cells, kind, csv)


def test_a_cell_that_is_no_number_excludes_only_its_series(csv):
    cells = {"a": ["1,5"] * 4, "b": ["2,5", "x", "3", "4"]}
    rows = "".join(f'{shop},{day},"{cell}"\n' for shop in cells for day, cell in enumerate(cells[shop]))
    panel = read(csv(f"unique_id,ds,y\n{rows}"), on_bad="skip")
    assert [series.unique_id for series in panel.series] == ["a"]
    assert panel.series[0].y.tolist() == [1.5] * 4
