"""Split dates: days and hours, or years and their parts, in two columns."""

import datetime
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.series import DataError, read
from gatewise.series.reading.dates.joined_time import clock

HOURS = pd.date_range("2024-03-10", periods=24 * 6, freq="h")
QUARTERS = pd.date_range("2015-01-01", periods=24, freq="QS")
MONTHS = pd.date_range("2015-01-01", periods=48, freq="MS")
WEEKS = pd.date_range("2019-12-30", periods=120, freq="W-MON")
QUARTER_HOURS = pd.date_range("2024-03-10", periods=96 * 6, freq="15min")
DAYS = pd.date_range("2021-01-01", periods=900)
NEW_YEAR = pd.date_range("2021-11-25", periods=1200, freq="h")
ISO = WEEKS.isocalendar()


def days(ds, form="%Y-%m-%d"):
    return ds.strftime(form)


SPLIT = {  # name -> the dates, and their columns
    "hr": (HOURS, {"dteday": days(HOURS), "hr": HOURS.hour}),
    "hour from 1": (HOURS + pd.Timedelta(hours=1), {"date": days(HOURS), "hour": HOURS.hour + 1}),
    "every third hour": (HOURS[::3], {"date": days(HOURS[::3]), "z": HOURS[::3].hour}),
    "Stunde": (HOURS, {"Tag": days(HOURS, "%d.%m.%Y"), "Stunde": HOURS.hour}),
    "clock": (HOURS, {"Datum": days(HOURS, "%d.%m.%Y"), "Uhrzeit": HOURS.strftime("%H:%M")}),
    "clock with points": (HOURS, {"Date": days(HOURS, "%d/%m/%Y"), "Time": HOURS.strftime("%H.%M.%S")}),
    "seconds": (HOURS, {"Date": days(HOURS), "Time": HOURS.strftime("%H:%M:%S")}),
    "noon": (HOURS, {"date": days(HOURS), "at": HOURS.strftime("%I:%M %p")}),
    "time objects": (HOURS, {"date": days(HOURS), "at": HOURS.time}),
    "minute of day": (QUARTER_HOURS, {"day": days(QUARTER_HOURS), "m": QUARTER_HOURS.hour * 60 + QUARTER_HOURS.minute}),
    "digits": (QUARTER_HOURS, {"day": days(QUARTER_HOURS), "x": QUARTER_HOURS.hour * 100 + QUARTER_HOURS.minute}),
    "minutes twice a day": (HOURS[::12], {"day": days(HOURS[::12]), "m": HOURS[::12].hour * 60}),
    "days as integers": (HOURS, {"date": days(HOURS, "%Y%m%d").astype(int), "hour": HOURS.hour}),
    "hours from 1 beside integers": (
        HOURS + pd.Timedelta(hours=1),
        {"date": days(HOURS, "%Y%m%d").astype(int), "hour": HOURS.hour + 1},
    ),
    "integers from the day on": (HOURS, {"day": days(HOURS, "%d%m%Y"), "time": HOURS.strftime("%H%M")}),
    "digits beside integers": (
        QUARTER_HOURS,
        {"date": days(QUARTER_HOURS, "%Y%m%d").astype(int), "time": QUARTER_HOURS.hour * 100 + QUARTER_HOURS.minute},
    ),
    "digits with seconds": (HOURS, {"date": days(HOURS, "%Y%m%d").astype(int), "time": HOURS.hour * 10_000}),
    "digits with seconds beside text": (HOURS, {"date": days(HOURS), "time": HOURS.strftime("%H%M%S")}),
    "day of year": (DAYS, {"year": DAYS.year, "doy": DAYS.day_of_year}),
    "day": (DAYS, {"Year": DAYS.year, "Day": DAYS.day_of_year}),
    "few days of year": (DAYS[:40], {"year": DAYS[:40].year, "doy": DAYS[:40].day_of_year}),
    "day of year and hour": (NEW_YEAR, {"year": NEW_YEAR.year, "doy": NEW_YEAR.day_of_year, "hour": NEW_YEAR.hour}),
    "quarter": (QUARTERS, {"year": QUARTERS.year, "quarter": QUARTERS.quarter}),
    "Quartal": (QUARTERS, {"Jahr": QUARTERS.year, "Quartal": QUARTERS.quarter}),
    "Q1": (QUARTERS, {"year": QUARTERS.year, "z": [f"Q{quarter}" for quarter in QUARTERS.quarter]}),
    "mes": (MONTHS, {"anio": MONTHS.year, "mes": MONTHS.month}),
    "month names": (MONTHS, {"year": MONTHS.year, "z": MONTHS.strftime("%B")}),
    "week": (WEEKS, {"year": ISO.year.to_numpy(), "week": ISO.week.to_numpy()}),
    "KW": (WEEKS, {"Jahr": ISO.year.to_numpy(), "KW": ISO.week.to_numpy()}),
    "four parts": (HOURS, {"Jahr": 2024, "Monat": HOURS.month, "Tag": HOURS.day, "Stunde": HOURS.hour}),
}


def split_table(name):
    ds, columns = SPLIT[name]
    return pd.DataFrame({**columns, "value": np.arange(len(ds)) % 17 + 30.5}), ds


@pytest.mark.parametrize("kind", ["file", "pandas", "text", "polars"])
@pytest.mark.parametrize("name", SPLIT)
def test_two_columns_are_combined_by_shape(name, kind, tmp_path):
    table, ds = split_table(name)
    if name == "time objects" and kind in ("text", "polars"):
        table["at"] = table["at"].astype(str)
    source = {"pandas": table, "text": table.astype(str)}.get(kind)
    if kind == "polars":
        source = pl.DataFrame({column: table[column].tolist() for column in table})
    if kind == "file":
        source = tmp_path / "table.csv"
        table.to_csv(source, index=False)
    panel = read(source)
    assert [series.unique_id for series in panel.series] == ["value"]
    assert panel.series[0].ds.tolist() == ds.tolist()
    assert panel.series[0].y.tolist() == table["value"].tolist()
    times = ", ".join(map(repr, table.columns[:-1]))
    assert f"time columns: {times} (combined)" in panel.guesses


def test_columns_of_lists_are_not_used():
    table, ds = split_table("hr")
    assert read(table.assign(note=[[1, 2]] * len(table))).series[0].ds.tolist() == ds.tolist()


@pytest.mark.parametrize("name", SPLIT)
def test_two_columns_are_combined_as_given(name):
    table, ds = split_table(name)
    panel = read(table, time_column=list(table.columns[:-1]))
    assert panel.series[0].ds.tolist() == ds.tolist()


def test_a_day_of_the_year_without_a_usual_name_may_name_series():
    table = pd.DataFrame({"year": DAYS.year, "number": DAYS.day_of_year, "v": np.arange(900) + 0.5})
    with pytest.raises(DataError, match=r"\(--time year,number\) if it completes them, or id_column='number'"):
        read(table)
    assert read(table, time_column=["year", "number"]).series[0].ds.tolist() == DAYS.tolist()


@pytest.mark.parametrize("count", [100, 340, 366])
def test_numbers_of_shops_are_no_days_of_the_year(count):
    table = pd.DataFrame({"year": np.repeat(np.arange(2001, 2011), count), "number": [*range(1, count + 1)] * 10})
    table["v"] = np.arange(len(table)) + 0.5
    with pytest.raises(DataError, match=r"pass id_column='number' \(--id number\)") as error:
        read(table)
    assert "--time" not in str(error.value)
    assert len(read(table, id_column="number")) == count


@pytest.mark.parametrize("count", [24, 31, 53])
def test_a_column_named_day_that_ends_early_in_each_year_is_no_day_of_the_year(count):
    table = pd.DataFrame({"year": np.repeat(np.arange(2001, 2021), count), "day": [*range(1, count + 1)] * 20})
    with pytest.raises(DataError, match="the time column is ambiguous, candidates are 'year', 'day'"):
        read(table.assign(v=np.arange(len(table)) + 0.5))


def test_days_of_the_year_of_several_stations():
    table, ds = split_table("day of year and hour")
    table = pd.concat([table.assign(station=name) for name in ("A", "B")], ignore_index=True)
    panel = read(table)
    assert [series.unique_id for series in panel.series] == ["A", "B"]
    assert panel.series[1].ds.tolist() == ds.tolist()


def test_hours_beside_polars_dates_are_kept_in_tables():
    table = pl.DataFrame({"day": HOURS.date, "hour": HOURS.hour.tolist(), "v": np.arange(len(HOURS)) + 0.5})
    assert read(table).frame()["ds"].to_list() == HOURS.to_pydatetime().tolist()


def shops(count, order=("date", "number")):
    """Daily sales of shops with the numbers 1 to `count`."""
    dates = pd.date_range("2024-01-01", periods=30).strftime("%Y-%m-%d")
    rows = [(date, shop, 10 * shop + i % 7) for i, date in enumerate(dates) for shop in range(1, count + 1)]
    return pd.DataFrame(rows, columns=["date", "number", "sales"]).sort_values(list(order), ignore_index=True)


@pytest.mark.parametrize("order", [("date", "number"), ("number", "date")])
@pytest.mark.parametrize("count", [2, 3, 12, 20, 30])
def test_numbers_that_make_no_calendar_are_names(count, order):
    table = shops(count, order)
    with pytest.raises(
        DataError, match=r"distinct for each 'number'; .* pass id_column='number' \(--id number\)"
    ) as error:
        read(table)
    assert "--time" not in str(error.value)
    panel = read(table, id_column="number")
    assert [series.unique_id for series in panel.series] == list(range(1, count + 1))
    assert panel.series[1].y[:3].tolist() == [20, 21, 22]


def test_numbers_that_may_be_hours_or_names_are_refused_with_both_remedies():
    table = shops(24)
    remedies = "pass time_column=['date', 'number'] (--time date,number) if it completes them, or id_column='number' "
    with pytest.raises(DataError, match=re.escape(remedies)):
        read(table)
    hours = read(table, time_column=["date", "number"])
    assert (hours.freq, hours.series[0].y[:3].tolist()) == ("h", [10, 20, 30])
    assert len(read(table, id_column="number")) == 24
    grouped = shops(24, ("number", "date"))  # in the order of series
    with pytest.raises(DataError, match=r"distinct for each 'number'; .* pass id_column='number'"):
        read(grouped)


@pytest.mark.parametrize("numbers", [False, True])
def test_hours_of_several_series(numbers):
    table = pd.concat([split_table("hr")[0].assign(station=name) for name in ("A", "B")], ignore_index=True)
    if numbers:
        table = table.replace({"station": {"A": 1, "B": 2}})
        with pytest.raises(DataError, match=r"'dteday', 'hr', but the dates are distinct for each 'station'"):
            read(table)
    panel = read(table, id_column="station" if numbers else None)
    assert [len(series) for series in panel.series] == [len(HOURS), len(HOURS)]
    assert panel.series[1].ds.tolist() == HOURS.tolist()


def test_hours_with_gaps_and_in_reverse():
    table, ds = split_table("hr")
    panel = read(table.drop(index=[3, 40, 77]), fill="interpolate")
    assert panel.series[0].ds.tolist() == ds.tolist()
    assert read(table[::-1], sort=True).series[0].ds.tolist() == ds.tolist()
    open_hours = table[(HOURS.hour >= 9) & (HOURS.hour < 18)]
    with pytest.raises(
        DataError, match="from 09:00 to 17:00, Monday to Sunday, and pause in between"
    ):  # never names of series
        read(open_hours)


def test_a_covariate_of_small_numbers_is_no_hour():
    table = shops(2).assign(number=lambda frame: "s" + frame["number"].astype(str))
    for covariate in (np.arange(60) % 24, np.arange(60) // 2, np.arange(60) % 7, np.arange(60) * 13 % 25):
        panel = read(table.assign(degrees=covariate), target_column="sales")
        assert (panel.freq, len(panel)) == ("D", 2)


@pytest.mark.parametrize("name", ["hours", "hour", "time", "begin"])
@pytest.mark.parametrize("numbers", [False, True])
def test_hours_of_work_are_no_hours_of_the_day(name, numbers):
    rows = [(day, person, 7.5 + k) for day in pd.date_range("2024-01-01", periods=40) for k, person in enumerate("ab")]
    table = pd.DataFrame(rows, columns=["date", "person", "paid"])
    table[name] = np.arange(80) * 7 % 10 + 4
    if name == "begin":
        table[name] = [f"{hour:02d}:30" for hour in table[name]]
    if numbers:
        table = table.replace({"person": {"a": 1, "b": 2}})
        with pytest.raises(DataError, match=r"pass id_column='person' \(--id person\); else"):
            read(table, target_column="paid")
    panel = read(table, target_column="paid", id_column="person" if numbers else None)
    assert (panel.freq, [series.y[0] for series in panel.series]) == ("D", [7.5, 8.5])


def test_a_time_that_all_rows_of_a_day_share_tells_none_apart():
    table = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=40).strftime("%Y-%m-%d")})
    table = table.assign(sunrise=[f"07:{59 - minute}" for minute in range(40)], v=1.5)
    both = pd.concat([table.assign(town="a"), table.drop(index=range(5, 20)).assign(town="b")])
    with pytest.raises(DataError, match=r"distinct for each 'town'; .* pass id_column='town' \(--id town\)") as error:
        read(both)
    assert "sunrise" not in str(error.value)
    panel = read(both, id_column="town", fill="previous", fill_limit=0.4)
    assert [len(series) for series in panel.series] == [40, 40]


def test_a_column_of_distinct_dates_is_preferred_to_its_parts():
    ds = pd.date_range("2024-01-01", periods=90)
    table = pd.DataFrame({"date": ds.strftime("%Y-%m-%d"), "year": ds.year, "month": ds.month, "v": 1.5})
    panel = read(table, target_column="v")
    assert (panel.freq, panel.series[0].ds.tolist()) == ("D", ds.tolist())
    monthly = table.drop_duplicates(["year", "month"])
    assert read(monthly, target_column="v").series[0].ds.tolist() == ds[ds.day == 1].tolist()


def test_digits_of_a_part_of_the_day_are_no_minutes():
    hours = HOURS[(HOURS.hour >= 9) & (HOURS.hour <= 14)]
    table = pd.DataFrame({"day": days(hours), "x": hours.hour * 100, "v": 1.5})
    panel = read(table, time_column=["day", "x"], freq="h", fill="zero", fill_limit=0.8)
    assert panel.series[0].ds[panel.series[0].y > 0].tolist() == hours.tolist()


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("0:15", 15),
        ("18.00.00", 1080),
        ("6:30 pm", 1110),
        ("12:05 AM", 5),
        ("24:00", 1440),
        ("7h", 420),
        ("14 Uhr", 840),
    ],
)
def test_times_of_day(cell, minutes):
    assert clock(pd.Series([cell])).tolist() == [minutes]


@pytest.mark.parametrize("cell", ["25:00", "12:60", "1.5", "x", "2024-01-01", "13:00 pm"])
def test_other_cells_are_no_times_of_day(cell):
    assert clock(pd.Series([cell])) is None


def test_time_objects_are_times_of_day():
    assert clock(pd.Series([datetime.time(1, 30), datetime.timedelta(hours=2)])).tolist() == [90, 120]


def test_a_week_that_a_year_does_not_have_is_named():
    table = pd.DataFrame({"year": [2021, 2021, 2021], "week": [51, 52, 53], "v": 1.0})
    with pytest.raises(DataError, match="row 3: year 2021, week 53 is not a date"):
        read(table, time_column=["year", "week"])


@pytest.mark.parametrize(
    "order", [("yyyy", "mm", "dd"), ("dd", "mm", "yyyy"), ("a", "c", "b"), ("rok", "mies", "dzien")]
)
@pytest.mark.parametrize("ids", [0, 3])
def test_years_months_and_days_of_any_names_are_combined(order, ids):
    ds = pd.date_range("2019-11-20", periods=120)
    year, month, day = order if order[0] != "dd" else order[::-1]
    parts = {year: ds.year, month: ds.month, day: ds.day}
    table = pd.DataFrame({name: parts[name] for name in order}).assign(sales=np.arange(120) % 9 + 0.5)
    if ids:
        table = pd.concat([table.assign(shop=f"shop {k}") for k in range(ids)])
    panel = read(table, **({"id_column": "shop"} if ids else {}))
    assert [series.ds.equals(ds) or list(series.ds) == list(ds) for series in panel.series] == [True] * (ids or 1)


def test_counts_beside_years_are_no_months_and_days():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"year": range(1990, 2020), "births": rng.integers(1, 13, 30), "deaths": rng.integers(1, 31, 30)}
    )
    table.loc[0, ["births", "deaths"]] = 1
    assert read(table, target_column="births").freq == "YS-JAN"
