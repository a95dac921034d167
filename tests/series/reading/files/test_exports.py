"""Exports: text files as common programs and offices write them, with row names or lines around the names."""

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, read

MONTHS = pd.date_range("2015-01-01", periods=24, freq="MS")
HOURS = pd.date_range("2020-01-01", periods=72, freq="h")
VALUES = [100.5 + i % 7 for i in range(24)]
DATED = list(zip(MONTHS, VALUES, strict=True))
WARM = np.random.default_rng(0).integers(40, 60, 72).tolist()
R_TABLES = {
    "write.table without quotes": ("Month Sales", "{} {} {}"),
    "write.table": ('"Month" "Sales"', '"{}" "{}" {}'),
    "sep is a tab": ("Month\tSales", "{}\t{}\t{}"),
    "sep is a comma": ('"Month","Sales"', '"{}","{}",{}'),
    "sep is a semicolon": ("Month;Sales", "{};{};{}"),
}


@pytest.mark.parametrize("case", R_TABLES)
def test_row_names_of_r_that_the_header_does_not_name(csv, case):
    header, row = R_TABLES[case]
    rows = [row.format(i, f"{date:%Y-%m-%d}", value) for i, (date, value) in enumerate(DATED, start=1)]
    panel = read(csv("\n".join([header, *rows]) + "\n"))
    (series,) = panel.series
    assert (series.unique_id, series.y.tolist(), series.ds.tolist()) == ("Sales", VALUES, MONTHS.tolist())
    assert "left out: the first column, which has no name and counts the rows" in panel.guesses


def test_row_names_of_text(csv):
    rows = [f"{name} {date:%Y-%m-%d} {value}" for name in ("north", "south") for date, value in DATED]
    panel = read(csv("\n".join(["Month Sales", *rows]) + "\n"))
    assert [(series.unique_id, series.y.tolist()) for series in panel.series] == [("north", VALUES), ("south", VALUES)]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("id,date,value", "{i},{date},1,5"),
        ("t,value", "{i},112,5"),
        ("city,value", "Bonn,1,5"),
        ("x,date", "{i},{date},5"),
    ],
    ids=["decimals", "decimals of counted rows", "decimals of names", "a missing name at the end"],
)
def test_a_header_with_a_name_too_few_is_refused_where_fields_may_be_decimals(csv, header, row):
    rows = [row.format(i=i, date=f"{date:%Y-%m-%d}") for i, date in enumerate(MONTHS, start=1)]
    with pytest.raises(DataError, match=r"the header names . columns but the rows have . fields"):
        read(csv("\n".join([header, *rows]) + "\n"))


@pytest.mark.parametrize("after", ["", "#\n"])
def test_names_in_the_last_comment(csv, after):
    rows = [f"  260,{hour:%Y%m%d},{hour.hour + 1:5d},{warm:5d}" for hour, warm in zip(HOURS, WARM, strict=True)]
    head = f"# Source: the institute\n# STN = station\n#\n# STN,YYYYMMDD,   HH,    T\n{after}"
    path = csv(head + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match=r"2 columns hold numbers: 'STN', 'T'; pass target_column="):
        read(path)
    panel = read(path, target_column="T")
    assert panel.freq == "h"
    assert panel.series[0].y.tolist() == WARM
    assert read(path, layout="columns").series[1].ds.equals(panel.series[0].ds)


@pytest.mark.parametrize("description", ["", '"";Price of gold;\n'])
@pytest.mark.parametrize("flags", ["", "a"])
def test_keys_and_values_below_the_names(csv, description, flags):
    head = f'"";BBK01.WT1010;BBK01.WT1010_FLAGS\n{description}Einheit;USD;\nDimension;Eins;\n'
    head += "Stand vom;05.01.2021 10:20:30 Uhr;\n"
    rows = [f"{date:%Y-%m};{value};{flags if date.month == 3 else ''}" for date, value in DATED]
    panel = read(csv(head + "\n".join(rows).replace(".", ",") + "\n"))
    (series,) = panel.series
    assert (series.unique_id, series.y.tolist(), series.ds.tolist()) == ("BBK01.WT1010", VALUES, MONTHS.tolist())
    assert any("below the header" in guess for guess in panel.guesses)


def test_a_temperature_named_t_is_no_time_beside_digits_of_days():
    days = pd.date_range("2020-01-01", periods=40)
    table = pd.DataFrame({"YYYYMMDD": days.strftime("%Y%m%d").astype(int), "T": WARM[:40]})
    (series,) = read(table).series
    assert (series.unique_id, series.ds.tolist()) == ("T", days.tolist())
    (counted,) = read(pd.DataFrame({"t": range(40), "y": 20200101.0 + np.arange(40)})).series
    assert counted.ds.tolist() == list(range(40))
