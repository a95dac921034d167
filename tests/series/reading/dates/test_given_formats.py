"""Time formats: a format that is given decides, for text and numbers, and every cell must have it."""

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, read

MONTHS = pd.date_range("2020-10-01", periods=4, freq="MS")
WEEKS = pd.date_range("2018-01-01", periods=4, freq="W-MON")
DAYS = pd.date_range("2020-01-01", periods=4)
GIVEN = {
    "%Y%m": ([202010, 202011, 202012, 202101], MONTHS),
    "%m%Y": ([102020, 112020, 122020, 12021], MONTHS),
    "%Y.%m": ([2020.10, 2020.11, 2020.12, 2021.01], MONTHS),
    "%m.%Y": (["10.2020", "11.2020", "12.2020", "1.2021"], MONTHS),
    "%b-%y": (["Oct-20", "Nov-20", "Dec-20", "Jan-21"], MONTHS),
    "%d.%m.%Y": (["01.01.2020", "02.01.2020", "03.01.2020", "04.01.2020"], DAYS),
    "%Y%j": ([2020001, 2020002, 2020003, 2020004], DAYS),
    "%Y-%m-%d %H:%M:%S.%f": ([f"{day:%Y-%m-%d} 00:00:00.000" for day in DAYS], DAYS),
    "%I:%M %p %d %B %Y": ([f"12:00 AM {day:%d %B %Y}" for day in DAYS], DAYS),
    "%G-W%V-%u": (["2018-W01-1", "2018-W02-1", "2018-W03-1", "2018-W04-1"], WEEKS),
    "%G%V": ([201801, 201802, 201803, 201804], WEEKS),
    "%Y-%W": (["2018-01", "2018-02", "2018-03", "2018-04"], WEEKS),
    "week": ([201801, 201802, 201803, 201804], WEEKS),
    "quarter": (["Q1 2003", "Q2 2003", "Q3 2003", "Q4 2003"], pd.date_range("2003-01-01", periods=4, freq="QS")),
    "year": ([1900, 1910, 1920, 1930], pd.date_range("1900-01-01", periods=4, freq="10YS")),
    "excel": ([43831, 43832, 43833, 43834], DAYS),
    "excel1904": ([42369, 42370, 42371, 42372], DAYS),
    "decimal year": ([2020.75, 2020.8333, 2020.9167, 2021.0], MONTHS),
    "unix": ([1577836800, 1577923200, 1578009600, 1578096000], DAYS),
    "unix ms": ([1577836800000, 1577923200000, 1578009600000, 1578096000000], DAYS),
    "unix us": (["1577836800000000", "1577923200000000", "1578009600000000", "1578096000000000"], DAYS),
    "unix ns": ([day.value for day in DAYS.as_unit("ns")], DAYS),
    "integer": (["43831", "43832", "43833", "43834"], pd.Index([43831, 43832, 43833, 43834])),
}


@pytest.mark.parametrize("time_format", GIVEN)
def test_the_given_format_is_read(time_format, csv):
    cells, dates = GIVEN[time_format]
    table = pd.DataFrame({"ds": cells, "y": np.arange(4.0)})
    path = csv("ds,y\n" + "".join(f"{'2020.10' if cell == 2020.1 else cell},1.5\n" for cell in cells))
    for source in (table, table.astype({"ds": object}), path):
        assert read(source, time_format=time_format).series[0].ds.tolist() == dates.tolist()


@pytest.mark.parametrize(("cells", "time_format"), [([202010, 202013, 202012], "%Y%m"), (["1", "x", "3"], "integer")])
def test_every_cell_must_have_the_given_format(cells, time_format):
    with pytest.raises(DataError, match=f"row 2: .* does not have time_format='{time_format}'"):
        read(pd.DataFrame({"ds": cells, "y": [1.0, 2, 3]}), time_format=time_format)


@pytest.mark.parametrize(
    ("time_format", "message"),
    [
        (
            "dd.mm.yyyy",
            "expected a format such as '%d.%m.%Y', or one of integer, year, quarter, week, decimal year, ",
        ),
        ("", "expected a format such as"),
        ("%Q", "time_format='%Q' is not a format of dates"),
    ],
)
def test_unknown_formats_are_refused(time_format, message):
    with pytest.raises(DataError, match=message):
        read(pd.DataFrame({"ds": [1, 2, 3], "y": [1.0, 2, 3]}), time_format=time_format)


def test_a_format_of_several_columns_joins_them():
    table = pd.DataFrame({"Date": ["01/02/2020", "02/02/2020", "03/02/2020"], "Time": "10:00", "y": [1.0, 2, 3]})
    panel = read(table, time_column=["Date", "Time"], time_format="%d/%m/%Y %H:%M")
    assert (panel.series[0].ds == pd.date_range("2020-02-01 10:00", periods=3)).all()
