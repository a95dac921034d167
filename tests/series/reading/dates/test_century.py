"""Century: two-digit years are in order and not in the future."""

import numpy as np
import pandas as pd
import pytest

from gatewise import read
from gatewise.series.reading.dates.arrays import month_days
from gatewise.series.reading.dates.century import with_century
from gatewise.series.reading.dates.choice import Evidence

TODAY = pd.Timestamp("2026-11-30")


@pytest.mark.parametrize(
    ("short", "years"),
    [
        (range(49, 61), range(1949, 1961)),
        (range(70, 80), range(1970, 1980)),
        ([*range(45, 100), *range(21)], range(1945, 2021)),
        ([98, 99, 0, 1], range(1998, 2002)),
        (range(20, 27), range(2020, 2027)),
        (range(20, 30), range(1920, 1930)),
        (range(30, 40), range(1930, 1940)),
        (range(10), range(2000, 2010)),
        ([26], [2026]),
        ([27], [1927]),
        ([1, 0, 99, 98], [2001, 2000, 1999, 1998]),
    ],
)
def test_years_are_in_order_and_not_in_the_future(short, years):
    short = np.array(list(short), float)
    dates = with_century(short, month_days, Evidence(np.arange(len(short)), today=TODAY))
    assert (dates.astype("M8[Y]").astype(int) + 1970).tolist() == list(years)


def test_rows_without_values_may_be_in_the_future():
    months = pd.date_range("2023-01-01", periods=72, freq="MS")
    evidence = Evidence(np.arange(72), past=np.arange(72) < 40, today=TODAY)

    def dates_in(year):
        return month_days(year, months.month.to_numpy())

    assert (with_century(months.year.to_numpy() % 100.0, dates_in, evidence) == months.to_numpy()).all()
    assert (with_century(months.year.to_numpy() % 100.0, dates_in, Evidence(np.arange(72), today=TODAY)) < months).all()


@pytest.mark.parametrize("form", ["%b-%y", "%b %y", "%d.%m.%y", "%m/%d/%y", "%y/%m/%d", "%d-%b-%y", "%y-%b", "%m/%y"])
def test_series_of_a_table_share_one_century(form, csv):
    """Series of different years, as a file of stacked and of shuffled series."""
    first, second = (pd.date_range(start, periods=132, freq="MS") for start in ("1949-01-01", "1995-06-01"))
    table = pd.concat(
        pd.DataFrame({"unique_id": name, "ds": dates.strftime(form), "y": range(132)})
        for name, dates in (("a", first), ("b", second))
    )
    for rows in (table, table.sort_values("y", kind="stable")):
        panel = read(csv(rows.to_csv(index=False)))
        assert (panel.series[0].ds == first).all()
        assert (panel.series[1].ds == second).all()


@pytest.mark.parametrize("start", ["1948-05-01", "1988-03-01", "1996-01-01", "2012-01-01"])
@pytest.mark.parametrize("month", ["month", "month name", "quarter"])
def test_two_digit_years_beside_their_months(start, month):
    ds = pd.date_range(start, periods=40, freq="QS" if month == "quarter" else "MS")
    parts = {"month": ds.month, "month name": ds.strftime("%b"), "quarter": ds.quarter}
    table = pd.DataFrame({"year": ds.year % 100, month.split()[0]: parts[month], "sales": np.arange(40) % 7 + 0.5})
    assert list(read(table, time_column=["year", month.split()[0]]).series[0].ds) == list(ds)
