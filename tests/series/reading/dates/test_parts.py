"""Date parts: columns of years, weeks, hours and others are combined by their names or their shape."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise import DataError, read

HOURS = pd.date_range("2020-01-30", periods=72, freq="h")
DAYS = pd.date_range("2019-11-20", periods=80)
WEEKS = pd.date_range("2018-01-01", periods=80, freq="W-MON")
MONTHS = pd.date_range("2003-01-01", periods=30, freq="MS")
QUARTERS = pd.date_range("2003-01-01", periods=12, freq="QS")
LATER = HOURS + pd.Timedelta(hours=1)
DATE, WEEK = HOURS.strftime("%Y-%m-%d"), WEEKS.isocalendar()
CASES = {
    "hours": (HOURS, {"date": DATE, "hr": HOURS.hour}),
    "hours 1 to 24": (LATER, {"date": DATE, "hr": HOURS.hour + 1}),
    "hours of text": (HOURS, {"date": DATE, "x": HOURS.strftime("%H")}),
    "hours with a fraction": (HOURS, {"date": DATE, "x": HOURS.hour * 1.0}),
    "hours of four digits": (HOURS, {"date": DATE, "x": HOURS.hour * 100}),
    "times": (HOURS, {"date": DATE, "time": HOURS.strftime("%H:%M")}),
    "times AM and PM": (HOURS, {"date": DATE, "time": HOURS.strftime("%I:%M %p")}),
    "times with points": (HOURS, {"date": HOURS.strftime("%d/%m/%Y"), "time": HOURS.strftime("%H.%M.%S")}),
    "hours first": (HOURS, {"hour": HOURS.hour, "day": HOURS.strftime("%d.%m.%Y")}),
    "hours and minutes": (HOURS, {"date": DATE, "hour": HOURS.hour, "minute": 0}),
    "digits and hours": (HOURS, {"date": HOURS.strftime("%Y%m%d"), "hour": HOURS.hour}),
    "year to hour": (HOURS, {"Year": HOURS.year, "Month": HOURS.month, "Day": HOURS.day, "Hour": HOURS.hour}),
    "year to minute": (HOURS, {"yr": HOURS.year, "mnth": HOURS.month, "dd": HOURS.day, "hh": HOURS.hour, "min": 0}),
    "German names": (HOURS, {"Jahr": HOURS.year, "Monat": HOURS.month, "Tag": HOURS.day, "Stunde": HOURS.hour}),
    "by position": (HOURS, {"a": HOURS.year, "b": HOURS.month, "c": HOURS.day, "d": HOURS.hour}),
    "year, month, day": (DAYS, {"a": DAYS.year, "b": DAYS.month, "c": DAYS.day}),
    "day, month, year": (DAYS, {"a": DAYS.day, "b": DAYS.month, "c": DAYS.year}),
    "month, day, year": (DAYS, {"a": DAYS.month, "b": DAYS.day, "c": DAYS.year}),
    "day of year": (DAYS, {"year": DAYS.year, "doy": DAYS.day_of_year}),
    "day of year, unnamed": (DAYS, {"a": DAYS.year, "b": DAYS.day_of_year}),
    "weeks": (WEEKS, {"year": WEEK.year.to_numpy(), "week": WEEK.week.to_numpy()}),
    "weeks, unnamed": (WEEKS, {"a": WEEK.year.to_numpy(), "b": WEEK.week.to_numpy()}),
    "weeks of text": (WEEKS, {"year": WEEK.year.to_numpy(), "week": [f"W{week:02}" for week in WEEK.week]}),
    "quarters": (QUARTERS, {"year": QUARTERS.year, "quarter": QUARTERS.quarter}),
    "quarters, unnamed": (QUARTERS, {"a": QUARTERS.year, "b": QUARTERS.quarter}),
    "quarters of text": (QUARTERS, {"q": [f"Q{quarter}" for quarter in QUARTERS.quarter], "year": QUARTERS.year}),
    "months": (MONTHS, {"year": MONTHS.year, "month": MONTHS.month}),
    "months, unnamed": (MONTHS, {"a": MONTHS.year, "b": MONTHS.month}),
    "months by name": (MONTHS, {"year": MONTHS.year, "month": MONTHS.strftime("%b")}),
    "months by full name": (MONTHS, {"mes": MONTHS.strftime("%B"), "año": MONTHS.year}),
}


@pytest.mark.parametrize("case", CASES)
def test_columns_are_combined(case, csv):
    dates, columns = CASES[case]
    table = pd.DataFrame({**columns, "value": range(len(dates))})
    both = pd.concat([table.assign(shop="a"), table.assign(shop="b")]).sort_values("value", kind="stable")
    for source in (both, csv(both.to_csv(index=False)), pl.DataFrame(both.to_dict("list")), both.astype(object)):
        panel = read(source, id_column="shop", time_column=list(columns), target_column="value")
        for series in panel.series:
            assert (series.ds == dates).all(), panel.guesses
            assert series.y.tolist() == list(range(len(dates)))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"year": [2020, 2020], "month": [12, 13]},
            "row 2: year 2020, month 13 is not a date; correct or remove",
        ),
        ({"date": ["2020-01-01"] * 2, "hour": [23, 30]}, "row 2: date 2020-01-01, hour 30 is not a date"),
        ({"year": [2020, 2020], "week": [53, 54]}, "row 2: year 2020, week 54 is not a date"),
        ({"year": [2020, 2020], "month": ["Jan", "Foo"]}, "row 2: year 2020, month Foo is not a date"),
        ({"a": [2020, 2021], "b": ["x", "y"]}, "row 1: 'x' in time column 'b' cannot be read as a date"),
        ({"year": [520, 520], "month": [1, 2]}, "row 1: year 520, month 1 is not a date"),
    ],
)
def test_parts_that_are_no_date_are_refused_by_row(columns, message):
    with pytest.raises(DataError, match=message):
        read(pd.DataFrame({**columns, "value": [1.0, 2]}), time_column=list(columns), target_column="value")


def test_the_order_of_day_and_month_is_decided_by_the_option():
    days = pd.date_range("2020-01-01", periods=12)
    table = pd.DataFrame({"date": days.strftime("%d/%m/%Y"), "hour": 6, "value": range(12)})
    with pytest.raises(DataError, match=r"day first or month first.*pass dayfirst=True \(--dayfirst\)"):
        read(table, time_column=["date", "hour"], target_column="value")
    panel = read(table, time_column=["date", "hour"], target_column="value", dayfirst=True)
    assert (panel.series[0].ds == days + pd.Timedelta(hours=6)).all()


@pytest.mark.parametrize(
    ("date", "time_format"),
    [("01/02/2020", "%d/%m/%Y"), ("01/02/2020", "%d/%m/%Y %H"), (43862, "excel"), ("20200201", "%Y%m%d")],
)
def test_a_format_is_that_of_the_date_or_of_all_columns(date, time_format):
    table = pd.DataFrame({"date": date, "hour": range(24), "value": range(24)})
    panel = read(table, time_column=["date", "hour"], target_column="value", time_format=time_format)
    assert (panel.series[0].ds == pd.date_range("2020-02-01", periods=24, freq="h")).all()


DAYS_OF_YEARS = {
    "01 Oct": lambda ds: ds.strftime("%d %b"),
    "Oct 01": lambda ds: ds.strftime("%b %d"),
    "1-October": lambda ds: [f"{day.day}-{day:%B}" for day in ds],
    "1. Oktober": lambda ds: [f"{day.day}. {GERMAN[day.month - 1]}" for day in ds],
    "01.10.": lambda ds: ds.strftime("%d.%m."),
    "10/01": lambda ds: ds.strftime("%m/%d"),
    "01-10": lambda ds: ds.strftime("%d-%m"),
}
GERMAN = ["Januar", "Februar", "März", "April", "Mai", "Juni"]
GERMAN += ["Juli", "August", "September", "Oktober", "November", "Dezember"]


@pytest.mark.parametrize("form", DAYS_OF_YEARS)
@pytest.mark.parametrize("order", [["day", "year", "v"], ["year", "day", "v"]])
def test_days_without_a_year_beside_a_column_of_years(form, order, csv):
    ds = pd.date_range("2020-10-01", periods=400)
    table = pd.DataFrame({"day": DAYS_OF_YEARS[form](ds), "year": ds.year, "v": np.arange(400) + 0.5})[order]
    for source in (table, csv(table.to_csv(index=False)), table.rename(columns={"day": "a", "year": "b"})):
        panel = read(source)
        assert panel.series[0].ds.tolist() == ds.tolist()
        assert "(combined)" in panel.guesses[0]
    assert read(table, time_column=["day", "year"]).series[0].ds.tolist() == ds.tolist()


FITTING = [("%d %b", "%y %b"), ("%b %d", "%b %y"), ("%d%b", "%y%b"), ("%d/%b", "%y/%b")]


@pytest.mark.parametrize(("cells", "form"), FITTING)
def test_days_that_may_be_months_of_years_are_refused_with_a_format_that_fits(cells, form):
    ds = pd.date_range("2020-10-01", periods=31)
    table = pd.DataFrame({"day": ds.strftime(cells), "v": np.arange(31) + 0.5})
    with pytest.raises(DataError) as error:
        read(table)
    assert f"pass time_format={form!r} (--time-format" in str(error.value)
    months = read(table, time_format=form).series[0].ds
    assert set(months.month) == {10}
    assert len(months) == 31


def test_days_that_may_be_months_with_names_of_another_language():
    table = pd.DataFrame({"day": [f"{day:02d} Okt" for day in range(1, 32)], "v": np.arange(31) + 0.5})
    with pytest.raises(DataError, match="write months as 1901-10, or write the year of the days, too"):
        read(table)


def test_months_with_the_year_in_both_columns_stay_months():
    ds = pd.date_range("2015-01-01", periods=36, freq="MS")
    table = pd.DataFrame({"period": ds.strftime("%b-%y"), "year": ds.year, "v": np.arange(36) + 0.5})
    assert read(table, target_column="v").series[0].ds.tolist() == ds.tolist()


@pytest.mark.parametrize("names", [["year", "month", "day", "hour"], ["Jahr", "Monat", "Tag", "Stunde"]])
def test_hours_from_1_to_24_are_stated(names, csv):
    ds = pd.date_range("2021-12-01", periods=240, freq="h")
    columns = [ds.year, ds.month, ds.day, ds.hour + 1]
    table = pd.DataFrame({**dict(zip(names, columns, strict=True)), "v": np.arange(240) + 0.5})
    for source in (table, csv(table.to_csv(index=False))):
        panel = read(source)
        assert panel.series[0].ds[0] == pd.Timestamp("2021-12-01 01:00")
        cells = ", ".join(f"{name} {cell}" for name, cell in zip(names, (2021, 12, 1, 1), strict=True))
        assert f"dates: {cells} (hour ending) read as 2021-12-01 01:00:00" in panel.guesses
    from_0 = read(table.assign(**{names[3]: ds.hour}))
    assert not any("hour ending" in guess for guess in from_0.guesses)
