"""Missing values: usual markers and those of the caller become missing values, which are stated and can be filled."""

import re

import numpy as np
import pandas as pd
import pytest

from gatewise.cli import main
from gatewise.series import DataError, read
from tests.series.reading.numbers.cases import SOURCES, read_cells, same, source_of, values

NAN = np.nan
MARKERS = [
    *(".", "-", "–", "—", "?", "..", "...", ":", "*", "#", "/", "--", ": c", "n/a", "N/A", "n.a.", "#N/A", "#DIV/0!"),
    *("#VALUE!", "NULL", "null", "nan", "NaN", "None", "none", "NA", "missing", "k.A.", r"\N", "not available"),
]


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("marker", MARKERS)
def test_markers_of_missing_values_are_read_and_stated(csv, marker, kind):
    cells = ["12.5", marker, "13.5", marker, marker, "7"]
    panel = read_cells(cells, kind, csv)
    assert same(values(panel), [12.5, NAN, 13.5, NAN, NAN, 7])
    stated = f"missing values: {marker!r} in column 'y', 3 cells" in panel.guesses
    assert stated or kind in ("comma", "semicolon", "tab")  # pandas reads some markers of files as empty cells


@pytest.mark.parametrize("kind", SOURCES)
def test_a_marker_is_filled_like_an_empty_cell(csv, kind):
    source = source_of(["1,5", "-", "3,5", "4"], kind, csv)
    with pytest.raises(DataError, match=r'row 2.*the value at 2024-01-21 is missing .*pass fill="interpolate"'):
        read(source, target_column="y")
    assert read(source, target_column="y", fill="interpolate").series[0].y.tolist() == [1.5, 2.5, 3.5, 4]
    assert read(source, target_column="y", fill="previous").series[0].y.tolist() == [1.5, 1.5, 3.5, 4]


@pytest.mark.parametrize("marker", ["-", "n/a", r"\N"])
def test_markers_beside_other_text_are_no_excuse_for_it(csv, marker):
    with pytest.raises(DataError, match=r"row 4.*'closed' in target 'y' is not a number"):
        read_cells(["5", marker, "6", "closed", "7"], "pandas", csv)
    notes = pd.DataFrame({"ds": [1, 2, 3], "y": [1, 2, 3], "note": ["a", marker, "b"]})
    assert read(notes).guesses[2] == "columns not used: 'note'"


GIVEN = [  # cells, missing, expected
    (["7", "-999", "8.5"], "-999", [7, NAN, 8.5]),
    ([7, -999, 8.5], "-999", [7, NAN, 8.5]),
    ([7.0, -999.0, 8.5], -999, [7, NAN, 8.5]),
    (["7", "-999.0", "8.5"], ("-999",), [7, NAN, 8.5]),
    (["7", "-999", "n/a", "sensor off"], ("-999", "sensor off"), [7, NAN, NAN, NAN]),
    (["7,5", "-999", "8,5", "-999,0"], "-999", [7.5, NAN, 8.5, NAN]),
    (["1.204,5", "9999", "8,5", "9.999"], "9999", [1204.5, NAN, 8.5, NAN]),
    (["5", "1e20", "8.5"], "1e20", [5, NAN, 8.5]),
    ([5, 0, 8], "0", [5, NAN, 8]),
    (["854", "1.029", "-1", "-1", "987"], "-1", [854, 1029, NAN, NAN, 987]),
    (["7", "closed", "8"], "closed", [7, NAN, 8]),
]


@pytest.mark.parametrize("kind", ["semicolon", "tab", "pandas", "polars"])
@pytest.mark.parametrize(("cells", "missing", "expected"), GIVEN)
def test_cells_named_by_the_caller_are_missing(csv, kind, cells, missing, expected):
    panel = read_cells(cells, kind, csv, missing=missing)
    assert same(values(panel), expected)
    assert any(guess.startswith("missing values: ") and "in column 'y'" in guess for guess in panel.guesses)


def test_named_cells_are_missing_in_covariates_but_not_in_dates_and_names(csv):
    frame = pd.DataFrame({"id": [7] * 3 + [8] * 3, "ds": [7, 8, 9] * 2, "y": [7.0, 1, 2, 3, 4, 5]})
    frame = frame.assign(price=[7, 5, 6, 1, 2, 3.0], kind=["7", "a", "b", "a", "b", "a"])
    options = {"id_column": "id", "time_column": "ds", "target_column": "y", "missing": "7", "fill": "none"}
    panel = read(frame, **options)
    assert [series.unique_id for series in panel.series] == [7, 8]
    assert panel.series[0].ds.tolist() == [8, 9]  # values that are missing at the start are left out
    with pytest.raises(DataError, match="no value in past covariate 'price'"):
        read(frame.assign(y=1.0), past="price", **{**options, "fill": None})
    panel = read(frame.assign(y=1.0), past=["price", "kind"], **{**options, "fill": "previous", "on_bad": "skip"})
    assert panel.covariates.categories == {"kind": ("a", "b")}
    assert [series.unique_id for series in panel.series] == [8]


def test_a_named_category_is_missing(csv):
    columns = {"weather": ["sun", "unknown", "rain", " unknown"]}
    panel = read_cells(["1", "2", "3", "4"], "comma", csv, columns, past="weather", missing="unknown", fill="previous")
    assert panel.covariates.categories == {"weather": ("rain", "sun")}
    assert panel.series[0].past.tolist() == [[0, 1], [0, 1], [1, 0], [1, 0]]
    assert "missing values: 'unknown' in column 'weather', 2 cells" in panel.guesses


@pytest.mark.parametrize(
    ("arguments", "count"), [(["--missing=-999,off"], 2), (["--missing", "-999", "--thousands", "."], 1)]
)
def test_the_command_takes_missing_values(csv, capsys, arguments, count):
    cells = [1, 2, -999, 4, "off" if count == 2 else 5, 6, 7, 8]
    path = csv("ds,y\n" + "".join(f"2024-01-{day:02},{cell}\n" for day, cell in enumerate(cells, 1)))
    assert main(["forecast", str(path), "--horizon", "2", *arguments]) != 0
    assert f"the value at 2024-01-03 is missing ({count} of 8 values)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cell", "remedy", "value"),
    [
        ("<1", "write 0, or half of the limit (0.5), in such cells", 0),
        ("< 0.5", "write 0, or half of the limit (0.25), in such cells", 0.25),
        ("<0,5", "write 0, or half of the limit (0.25), in such cells", 0.25),
        (">100", "write the limit (100) in such cells", 100),
    ],
)
def test_values_beyond_a_limit_are_not_proposed_as_missing(cell, remedy, value):
    months = pd.date_range("2020-01-01", periods=24, freq="MS")
    values = [str(20 + i % 7) for i in range(24)]
    table = pd.DataFrame({"Month": months, "interest": [*values[:9], cell, *values[10:]]})
    with pytest.raises(DataError, match=re.escape(remedy)) as error:
        read(table)
    assert "missing=" not in str(error.value)
    assert read(table.replace(cell, str(value))).series[0].y[9] == value
