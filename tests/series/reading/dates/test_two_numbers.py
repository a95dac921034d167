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
