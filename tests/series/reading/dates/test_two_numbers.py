"""Two numbers: seasons such as 2001/02, and weeks such as 2024-01 that may be months."""

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, read

YEARS = range(1995, 2020)
SEASONS = ("{a}/{b:02d}", "{a}-{b:02d}", "{a} / {b:02d}", "{a}/{c}", "{a}-{c}", "{a}–{b:02d}")


def season(form, year):
    return form.format(a=year, b=(year + 1) % 100, c=year + 1)


def sources(table, csv):
    return table, csv(table.to_csv(index=False)), csv(table.to_csv(index=False, sep="\t"))


@pytest.mark.parametrize("name", ["season", "Wirtschaftsjahr", "date"])
@pytest.mark.parametrize("form", SEASONS)
def test_seasons_are_years(form, name, csv):
    table = pd.DataFrame({name: [season(form, year) for year in YEARS], "v": np.arange(25) + 0.5})
    for source in sources(table, csv):
        panel = read(source)
        assert panel.series[0].ds.tolist() == pd.date_range("1995", periods=25, freq="YS").tolist()
        assert f"dates: {table[name][0]!r} read as 1995-01-01, a season or fiscal year" in panel.guesses
        assert (panel.freq, panel.series[0].y[1]) == ("YS-JAN", 1.5)


@pytest.mark.parametrize("form", SEASONS[:2])
@pytest.mark.parametrize("first", [2001, 2005, 2012])
def test_seasons_in_a_header(form, first, csv):
    columns = {season(form, year): [year + 0.5, year + 1.5] for year in range(first, first + 6)}
    for source in sources(pd.DataFrame({"country": ["A", "B"], **columns}), csv):
        panel = read(source)
        assert panel.series[1].ds.tolist() == pd.date_range(str(first), periods=6, freq="YS").tolist()
        assert panel.series[1].y[0] == first + 1.5


def test_months_stay_months():
    months = pd.date_range("2001-01-01", periods=30, freq="MS")
    table = pd.DataFrame({"date": months.strftime("%Y/%m"), "v": 1.5})
    assert read(table).series[0].ds.tolist() == months.tolist()


WEEKS = {"2024-01": ("%Y-%m", "%G-%V"), "01/2022": ("%m/%Y", "%V/%G"), "202001": ("%Y%m", "%G%V")}
WEEK_FORMS = {"%Y-%m": "{y}-{w:02d}", "%m/%Y": "{w:02d}/{y}", "%Y%m": "{y}{w:02d}"}


@pytest.mark.parametrize("name", ["Kalenderwoche", "week", "Woche", "semaine", "ISO week"])
@pytest.mark.parametrize("first", WEEKS)
def test_weeks_that_may_be_months_are_refused_with_both_formats(first, name, csv):
    months, weeks = WEEKS[first]
    year = max(map(int, first.replace("-", "/").split("/"))) if len(first) == 7 else 2020
    cells = [WEEK_FORMS[months].format(y=year, w=week) for week in range(1, 13)]
    table = pd.DataFrame({name: cells, "v": np.arange(12) + 0.5})
    monday = pd.Timestamp.fromisocalendar(year, 1, 1)
    for source in sources(table, csv):
        with pytest.raises(DataError, match="pass the right format as time_format= ") as error:
            read(source)
        assert f"({months!r})" in str(error.value)
        assert f"({weeks!r})" in str(error.value)
        by_month, by_week = read(source, time_format=months), read(source, time_format=weeks)
        assert by_month.series[0].ds.tolist() == pd.date_range(str(year), periods=12, freq="MS").tolist()
        assert by_week.series[0].ds.tolist() == pd.date_range(monday, periods=12, freq="7D").tolist()


@pytest.mark.parametrize("name", ["Kalenderwoche", "week", "Woche"])
@pytest.mark.parametrize("form", ["{y}-{w:02d}", "{w:02d}/{y}", "{y}{w:02d}", "{w:02d}.{y}", "{w}.{y}", "short"])
def test_weeks_past_twelve_are_weeks(form, name, csv):
    mondays = pd.date_range("2019-12-30", periods=60, freq="7D")
    form, is_short = ("{w:02d}.{y}", True) if form == "short" else (form, False)
    cells = [form.format(y=year, w=week) for year, week in mondays.isocalendar()[["year", "week"]].to_numpy()]
    table = pd.DataFrame({name: [float(cell) for cell in cells] if is_short else cells, "v": np.arange(60) + 0.5})
    for source in sources(table, csv):
        panel = read(source)
        assert [series.unique_id for series in panel.series] == ["v"]
        assert panel.series[0].ds.tolist() == mondays.tolist()


def numbered(cells, name="date"):
    return pd.DataFrame({name: cells, "v": np.arange(len(cells)) + 0.5})


@pytest.mark.parametrize("form", ["{y}-{q}", "{y}.{q}", "{y}/{q}"])
@pytest.mark.parametrize(("first", "count"), [("2001-01-01", 40), ("2003-07-01", 23), ("2019-10-01", 5)])
def test_quarters_in_a_row(form, first, count, csv):
    ds = pd.date_range(first, periods=count, freq="QS")
    table = numbered([form.format(y=day.year, q=day.quarter) for day in ds])
    for source in sources(table, csv):
        panel = read(source)
        assert panel.series[0].ds.tolist() == ds.tolist()
        assert any("read as" in guess for guess in panel.guesses)
        later = read(numbered([form.format(y=2030, q=1)]).assign(v=[1.5]), like=panel)
        assert later.series[0].ds.tolist() == [pd.Timestamp("2030-01-01")]
        assert read(source, time_format="quarter").series[0].ds.tolist() == ds.tolist()


@pytest.mark.parametrize("months", [range(1, 13), range(1, 5), (1, 4, 7, 10)])
def test_months_of_one_digit_stay_months(months):
    ds = pd.DatetimeIndex([f"{year}-{month:02d}-01" for year in range(2001, 2007) for month in months])
    ds = ds if len(months) != 4 or 12 in months or months[-1] == 10 else ds[:4]
    panel = read(numbered([f"{day.year}-{day.month}" for day in ds]))
    assert panel.series[0].ds.tolist() == ds.tolist()


def iso(ds, form):
    return [form.format(y=day.isocalendar()[0], w=day.isocalendar()[1]) for day in ds]


@pytest.mark.parametrize("form", ["{y}-{w:02d}", "{w:02d}/{y}", "{y}/{w}", "{w}-{y}", "{y}.{w:02d}"])
@pytest.mark.parametrize(("first", "count"), [("2017-01-02", 104), ("2015-06-01", 100), ("2020-02-03", 20)])
def test_weeks_in_a_row(form, first, count, csv):
    ds = pd.date_range(first, periods=count, freq="W-MON")
    table = numbered(iso(ds, form))
    for source in sources(table, csv):
        panel = read(source)
        assert panel.series[0].ds.tolist() == ds.tolist()
        assert any("read as" in guess for guess in panel.guesses)
        assert read(source, time_format="week").series[0].ds.tolist() == ds.tolist()


def test_a_month_above_12_among_months_is_an_error():
    ds = pd.date_range("2017-01-01", periods=24, freq="MS")
    cells = ds.strftime("%Y-%m").tolist()
    cells[12] = "2017-13"
    with pytest.raises(DataError, match="'2017-13' in time column 'date' cannot be read as a date"):
        read(numbered(cells))


SHORT_SEASONS = ("{a:02d}/{b:02d}", "{a:02d}-{b:02d}", "{a:02d} / {b:02d}")


@pytest.mark.parametrize("form", SHORT_SEASONS)
@pytest.mark.parametrize(("first", "count"), [(1985, 25), (1998, 5), (2001, 20), (2015, 4)])
def test_seasons_of_two_digits(form, first, count, csv):
    years = range(first, first + count)
    table = numbered([form.format(a=year % 100, b=(year + 1) % 100) for year in years], "season")
    for source in sources(table, csv):
        assert read(source).series[0].ds.year.tolist() == list(years)


def test_months_and_years_of_two_digits_are_no_seasons():
    ds = pd.date_range("2001-01-01", periods=30, freq="MS")
    assert read(numbered(ds.strftime("%m/%y"))).series[0].ds.tolist() == ds.tolist()
    with pytest.raises(DataError, match=r"'%m/%y'"):
        read(numbered([f"{month:02d}/{month + 1:02d}" for month in range(1, 10)]))
