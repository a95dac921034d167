"""Wide tables with dates in the header: a series in each row."""

import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise import Forecaster
from gatewise.series import DataError, read
from gatewise.series.reading.columns.header import dated_header

DAYS = pd.date_range("2020-01-22", periods=12)
MONTHS = pd.date_range("2015-01-01", periods=24, freq="MS")
PAST = pd.date_range("1950-01-01", periods=24, freq="MS")
YEARS = pd.date_range("1949-01-01", periods=12, freq="YS")
QUARTERS = pd.date_range("2015-01-01", periods=12, freq="QS")
HEADERS = {  # name -> dates, header, frequency
    "ISO days": (DAYS, DAYS.strftime("%Y-%m-%d"), "D"),
    "1/22/20": (DAYS, [f"{day.month}/{day.day}/{day:%y}" for day in DAYS], "D"),
    "22.01.2020": (DAYS, DAYS.strftime("%d.%m.%Y"), "D"),
    "ISO months": (MONTHS, MONTHS.strftime("%Y-%m"), "MS"),
    "Jan-2015": (MONTHS, MONTHS.strftime("%b-%Y"), "MS"),
    "Jan-15": (MONTHS, MONTHS.strftime("%b-%y"), "MS"),
    "Jan 2015": (MONTHS, MONTHS.strftime("%b %Y"), "MS"),
    "201501": (MONTHS, MONTHS.strftime("%Y%m"), "MS"),
    "1949": (YEARS, YEARS.strftime("%Y"), "YS-JAN"),
    "X1949": (YEARS, YEARS.strftime("X%Y"), "YS-JAN"),
    "1949 [YR1949]": (YEARS, [f"{year} [YR{year}]" for year in YEARS.year], "YS-JAN"),
    "2015Q1": (QUARTERS, [f"{day.year}Q{day.quarter}" for day in QUARTERS], "QS-JAN"),
    "timestamps": (MONTHS, MONTHS, "MS"),
    "seconds since 1970": (PAST, [str(s) for s in PAST.as_unit("s").asi8], "MS"),
    "hours": (
        pd.date_range("2020-01-01", periods=12, freq="h"),
        pd.date_range("2020-01-01", periods=12, freq="h").strftime("%Y-%m-%d %H:%M"),
        "h",
    ),
}
NAMES = {"Country": ["France", "Spain", "China"]}


def wide(header, attributes=None):
    attributes = pd.DataFrame(NAMES if attributes is None else attributes)
    values = np.arange(len(attributes) * len(header)).reshape(len(attributes), -1) % 23 * 1.5
    return pd.concat([attributes, pd.DataFrame(values, columns=header)], axis=1)


@pytest.mark.parametrize("kind", ["file", "pandas", "text", "polars", "reversed"])
@pytest.mark.parametrize("name", HEADERS)
def test_dates_in_the_header_are_the_dates(name, kind, tmp_path):
    ds, header, freq = HEADERS[name]
    table = wide(header)
    source = {"pandas": table, "text": table.astype(str), "reversed": table[table.columns[::-1]]}.get(kind)
    if kind == "polars":
        source = pl.DataFrame({str(column): table[column].tolist() for column in table})
    if kind == "file":
        source = tmp_path / "table.csv"
        table.to_csv(source, index=False)
    panel = read(source)
    assert panel.freq == freq
    assert [series.unique_id for series in panel.series] == NAMES["Country"]
    for k, series in enumerate(panel.series):
        assert series.ds.tolist() == ds.tolist()
        assert series.y.tolist() == table.iloc[k, 1:].tolist()
    same = read(source, layout="rows")
    assert [series.unique_id for series in same.series] == NAMES["Country"]
    assert same.freq == freq


PROVINCES = {
    "Province/State": [None, "Hubei", "Beijing"],
    "Country/Region": ["Spain", "China", "China"],
    "Lat": [1.5, 2.0, 3.0],
    "Long": [5.0, 6.0, 7.0],
}


def test_the_fewest_columns_of_text_name_the_series(tmp_path):
    path = tmp_path / "table.csv"
    wide(HEADERS["1/22/20"][1], PROVINCES).to_csv(path, index=False)
    panel = read(path)
    assert [series.unique_id for series in panel.series] == ["Spain", "Hubei/China", "Beijing/China"]
    assert "series columns: 'Province/State', 'Country/Region'" in panel.guesses
    assert "columns not used: 'Lat', 'Long'" in panel.guesses
    assert "layout: a series in each row, with 12 dates in the header, 2020-01-22 to 2020-02-02" in panel.guesses


def test_attributes_are_static_covariates():
    table = wide(HEADERS["ISO days"][1], PROVINCES)
    panel = read(table, static=["Lat", "Country/Region"])
    assert panel.covariates.static_features == ("Lat", "Country/Region=China", "Country/Region=Spain")
    assert [series.static.tolist() for series in panel.series] == [[1.5, 0, 1], [2, 1, 0], [3, 1, 0]]
    assert [series.unique_id for series in read(table, like=panel).series] == ["Spain", "Hubei/China", "Beijing/China"]
    assert read(table, calendar=True).covariates.calendar[0] == "day of week"
    with pytest.raises(DataError, match="layout='rows' supports no covariates"):
        read(table, layout="rows", known="Lat")


@pytest.mark.parametrize(
    ("attributes", "options", "names"),
    [
        ({"code": ["007", "008", "NA"]}, {}, ["007", "008", "NA"]),
        ({"store": [3, 1, 2]}, {}, ["3", "1", "2"]),
        ({"": [0, 1, 2], "name": ["a", "b", "c"]}, {}, ["a", "b", "c"]),
        ({"unit": ["kg"] * 3, "name": ["a", "b", "c"]}, {}, ["a", "b", "c"]),
        ({"a": ["x", "x", "y"], "b": ["p", "q", "p"]}, {}, ["x/p", "x/q", "y/p"]),
        ({"name": ["a", "b", "c"], "code": ["A", "NA", "C"]}, {"id_column": "code"}, ["A", "NA", "C"]),
        ({"a": ["x", "x", "y"], "b": [1, 2, 1]}, {"id_column": ["a", "b"]}, ["x/1", "x/2", "y/1"]),
        ({"store": [3, 1, 2], "name": ["a", "b", "c"]}, {"layout": "rows"}, ["3", "1", "2"]),
    ],
)
def test_names_of_rows(attributes, options, names, tmp_path):
    path = tmp_path / "table.csv"
    wide(HEADERS["ISO months"][1], attributes).to_csv(path, index=False)
    assert [str(series.unique_id) for series in read(path, **options).series] == names


def test_blank_cells_at_both_ends_are_left_out():
    table = wide(HEADERS["ISO days"][1])
    table.iloc[0, 1] = table.iloc[1, -1] = np.nan
    panel = read(table)
    assert [len(series) for series in panel.series] == [11, 11, 12]
    assert (panel.series[0].ds[0], panel.series[1].ds[-1]) == (DAYS[1], DAYS[-2])
    table.iloc[2, 5] = np.nan
    with pytest.raises(DataError, match=r"series 'China', row 3: the value at 2020-01-26 is missing .*--fill interp"):
        read(table)
    assert read(table, fill="previous").series[2].y[4] == table.iloc[2, 4]
    assert [excluded.unique_id for excluded in read(table, on_bad="skip").excluded_series] == ["China"]
    gap = wide(HEADERS["ISO days"][1]).drop(columns="2020-01-26")
    assert read(gap, fill="interpolate").series[0].ds.tolist() == DAYS.tolist()


def test_rows_without_names_of_their_own_are_refused():
    twice = wide(HEADERS["ISO days"][1], {"name": ["a", "a", "b"], "n": [1, 2, 1]})
    with pytest.raises(DataError, match=r"name each row differently, among 'name', 'n'; pass id_column= \(--id\)"):
        read(twice)
    assert [series.unique_id for series in read(twice, id_column=["name", "n"]).series] == ["a/1", "a/2", "b/1"]
    with pytest.raises(DataError, match=r"row 2: the row repeats the name 'a' .* such as --id name,n"):
        read(twice, id_column="name")


@pytest.mark.parametrize("codes", [["0012"], ["007", "012"], ["17", "4"], ["A", "B", "C"]])
def test_an_index_without_a_name_beside_codes_is_no_name(codes, tmp_path):
    cells = [[str(i), code, *map(str, range(5, 5 + len(DAYS)))] for i, code in enumerate(codes)]
    text = "\n".join(",".join(row) for row in [["", "region", *DAYS.strftime("%Y-%m-%d")], *cells])
    (tmp_path / "table.csv").write_text(text)
    panel = read(tmp_path / "table.csv")
    assert [series.unique_id for series in panel.series] == codes
    assert any("counts the rows" in guess for guess in panel.guesses)


@pytest.mark.parametrize("names", [["north", "0012"], ["north", "12"], ["12", "7"], ["north", "south"]])
def test_codes_of_rows_say_nothing_about_separators(names, tmp_path):
    cells = ",".join(f'"2,{300 + 17 * i}"' for i in range(len(DAYS)))
    rows = [f"{name},{cells}" for name in names]
    (tmp_path / "table.csv").write_text("\n".join([f"region,{','.join(DAYS.strftime('%Y-%m-%d'))}", *rows]))
    with pytest.raises(DataError, match=r"'2,300' is 2.3.* with a decimal comma or 2300 with thousands"):
        read(tmp_path / "table.csv")
    assert read(tmp_path / "table.csv", thousands=",", id_column="region").series[0].y[0] == 2300


def test_a_table_with_names_in_its_index():
    table = wide(HEADERS["ISO days"][1]).set_index("Country").rename_axis(None)
    with pytest.raises(DataError, match=r'add one, with pandas table.rename_axis\("name"\).reset_index\(\)'):
        read(table)
    panel = read(table.rename_axis("name").reset_index())
    assert [series.unique_id for series in panel.series] == NAMES["Country"]


def test_two_places_of_dates_are_refused_with_both_remedies():
    table = wide(HEADERS["ISO days"][1], {**NAMES, "opened": ["2019-01-01", "2019-01-02", "2019-01-03"]})
    with pytest.raises(DataError, match=r'pass layout="rows" \(--layout rows\) .* or layout="columns" \(--layout col'):
        read(table)
    assert read(table, layout="rows").series[0].ds.tolist() == DAYS.tolist()
    columns = read(table.drop(columns="Country"), layout="columns")
    assert (len(columns), columns.series[0].ds[0]) == (12, pd.Timestamp("2019-01-01"))


@pytest.mark.parametrize("header", [["V1", "V2", "V3"], ["d_1", "d_2", "d_3"], ["1", "2", "3"], ["a1", "b2", "c3"]])
def test_other_headers_hold_no_dates(header):
    assert dated_header(["name", *header]) is None
    panel = read(wide(header), layout="rows")
    assert (panel.freq, panel.series[0].ds.tolist()) == (1, [0, 1, 2])


def test_a_long_table_with_columns_named_after_dates_stays_long():
    table = pd.DataFrame({"ds": MONTHS, "y": range(24), "2019": 1, "2020": 2, "2021": 3})
    panel = read(table)
    assert (len(panel), panel.series[0].unique_id) == (1, "y")
    assert read(table.rename(columns={"ds": "day"})).series[0].ds.tolist() == MONTHS.tolist()
    sales = read(table.rename(columns={"ds": "day", "y": "sales"}), target_column="sales")
    assert sales.series[0].ds.tolist() == MONTHS.tolist()


def test_a_model_is_updated_with_later_columns():
    model = Forecaster(strategy="segment", horizon=3, max_steps=2, ensemble_size=1, quiet=True)
    header = pd.date_range("2020-01-01", periods=60).strftime("%Y-%m-%d")
    model.fit(wide(header, {"name": ["a", "b"]})).update(pd.DataFrame({"name": ["b", "a"], "2020-03-01": [7, 8]}))
    assert {series.unique_id: series.y[-1] for series in model.state.panel.series} == {"a": 8, "b": 7}
    assert model.predict(3)["ds"].iloc[0] == pd.Timestamp("2020-03-02")


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_a_column_of_dates_with_several_of_numbers_names_both_readings(columns):
    table = pd.DataFrame({"date": MONTHS, **{f"shop {k}": np.arange(24.0) + k for k in range(columns + 1)}})
    remedies = 'pass target_column= (--target COL); if the table is wide, pass layout="columns" (--layout columns)'
    with pytest.raises(DataError, match=re.escape(remedies)):
        read(table)
    assert len(read(table, layout="columns")) == columns + 1
    assert read(table, target_column="shop 1").series[0].y[0] == 1


def with_total(names, total):
    """The cells of random series below each other, and of a row of their sums."""
    values = np.random.default_rng(0).integers(10, 99, (len(names), 12))
    return [*([*name, *row] for name, row in zip(names, values, strict=True)), [*total, *values.sum(axis=0)]]


@pytest.mark.parametrize(
    ("attributes", "rows", "named"),
    [
        (["Region"], with_total([["N"], ["S"], ["W"]], ["Total"]), "'Total' is the sum"),
        (["Region", "Code"], with_total([["N", "a"], ["S", "b"]], ["Total", "t"]), "'Total' is the sum"),
        (
            ["Region", "Shop"],
            with_total([["N", "a"], ["N", "b"]], ["N Total", None])
            + with_total([["S", "a"], ["S", "b"]], ["S Total", None]),
            "'N Total', 'S Total' are the sums",
        ),
    ],
)
def test_rows_that_are_sums_of_rows_above_are_stated(attributes, rows, named, tmp_path):
    header = [*attributes, *HEADERS["ISO months"][1][:12]]
    pd.DataFrame(rows, columns=header).to_csv(tmp_path / "table.csv", index=False)
    panel = read(tmp_path / "table.csv")
    assert any(warning.startswith(f"totals: {named} of rows above") for warning in panel.warnings)
    table = pd.DataFrame(rows, columns=header)
    kept = read(table[~table["Region"].str.contains("Total")].reset_index(drop=True))
    assert not any(warning.startswith("totals") for warning in kept.warnings)


def test_blank_cells_below_a_name_are_merged_cells_if_that_makes_names_unique(tmp_path):
    attributes = {"Country": ["North", None, "South", None], "Measure": ["Sales", "Cost"] * 2}
    wide(HEADERS["ISO months"][1], attributes).to_csv(tmp_path / "table.csv", index=False)
    names = ["North/Sales", "North/Cost", "South/Sales", "South/Cost"]
    for options in ({}, {"id_column": ["Country", "Measure"]}):
        panel = read(tmp_path / "table.csv", **options)
        assert [series.unique_id for series in panel.series] == names
        assert "names: blank cells in 'Country' read as the name above them" in panel.guesses
    frame = wide(HEADERS["ISO months"][1], attributes)
    assert [series.unique_id for series in read(frame).series] == names
    shops = wide(HEADERS["ISO months"][1], {"Country": attributes["Country"], "Shop": [1, 2, 1, 2]})
    with pytest.raises(DataError, match=r"pass id_column= \(--id\) with the columns that name the series"):
        read(shops)
    assert [series.unique_id for series in read(shops, id_column=["Country", "Shop"]).series][-1] == "South/2"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"Region": ["N", None, "S"]}, "row 2: the row has no name in 'Region'.*; give each row its own name"),
        ({"Region": ["N", "S", "S"]}, "row 3: the row repeats the name 'S' in 'Region'.*; give each row its own name"),
        ({"Region": ["N"] * 3, "Shop": ["a"] * 3}, "among 'Region', 'Shop'; give each row its own name in one of them"),
    ],
)
def test_rows_that_no_columns_name_are_refused(attributes, message):
    with pytest.raises(DataError, match=message):
        read(wide(HEADERS["ISO months"][1], attributes))


def test_a_row_without_values_can_be_left_out():
    table = wide(HEADERS["ISO months"][1])
    table.iloc[1, 1:] = np.nan
    with pytest.raises(DataError, match=r"'Spain' has no values at all; remove its row, or pass on_bad=.skip. \(--on"):
        read(table)
    assert [series.unique_id for series in read(table, on_bad="skip").series] == ["France", "China"]


def test_names_of_two_columns_of_many_dates_raise_no_warning_of_pandas(tmp_path):
    header = pd.date_range("2020-01-01", periods=120).strftime("%Y-%m-%d")
    wide(header, {"a": ["x", "x", "y"], "b": ["p", "q", "p"]}).to_csv(tmp_path / "table.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.PerformanceWarning)
        assert len(read(tmp_path / "table.csv")) == 3
