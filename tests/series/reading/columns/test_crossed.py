"""Years in rows and months in columns, or the other way round: refused with both readings."""

import calendar
import re

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, read

MONTHS = list(calendar.month_abbr)[1:]
GERMAN = ["Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"]
YEARS, DAYS = range(2001, 2013), pd.date_range("2020-01-27", periods=12).strftime("%Y-%m-%d")
FORMS = {  # labels of the parts, and of the longer periods
    "months": (MONTHS, YEARS),
    "German months": (GERMAN, YEARS),
    "full names": (list(calendar.month_name)[1:], YEARS),
    "numbers of months": (range(1, 13), YEARS),
    "quarters": (["Q1", "Q2", "Q3", "Q4"], YEARS),
    "Roman quarters": (["I", "II", "III", "IV"], YEARS),
    "hours": ([f"{hour:02}:00" for hour in range(24)], DAYS),
    "numbers of hours": (range(24), DAYS),
    "half hours": ([f"{hour:02}:{minute}" for hour in range(24) for minute in ("00", "30")], DAYS),
}
FREQUENCIES = {12: "MS", 4: "QS-JAN", 24: "h", 48: "30min"}


def grid(form):
    parts, periods = FORMS[form]
    y = np.random.default_rng(3).normal(100, 5, (len(periods), len(parts))).round(1)
    return y, pd.DataFrame(y, index=pd.Index([str(p) for p in periods]), columns=[str(part) for part in parts])


def follow(frame, error):
    """The series after the printed pandas code."""
    code = re.search(r"pandas: table\.(melt\(.*?\))\)", str(error))[1]
    melted = eval(f"frame.{code}")
    time = re.search(r"time_column=(\[.*?\])", str(error))[1]
    return read(melted, time_column=eval(time), sort="sort=True" in str(error))


def assert_whole(panel, y):
    assert [series.unique_id for series in panel.series] == ["value"]
    assert np.array_equal(panel.series[0].y, y.ravel())
    assert panel.freq == FREQUENCIES[y.shape[1]]
    assert panel.series[0].ds[0] == (pd.Timestamp("2001-01-01") if y.shape[1] <= 12 else pd.Timestamp(DAYS[0]))


@pytest.mark.parametrize("form", FORMS)
def test_parts_in_the_header_are_refused_with_both_readings(form, tmp_path):
    y, frame = grid(form)
    frame = frame.rename_axis("period").reset_index()
    frame.to_csv(tmp_path / "grid.csv", index=False)
    with pytest.raises(DataError, match=r"for one series of all .*; for a series in each column") as caught:
        read(tmp_path / "grid.csv")
    assert_whole(follow(pd.read_csv(tmp_path / "grid.csv"), caught.value), y)
    assert len(read(tmp_path / "grid.csv", layout="columns").series) == y.shape[1]


@pytest.mark.parametrize("form", FORMS)
def test_parts_in_the_rows_are_refused_with_both_readings(form, tmp_path):
    y, frame = grid(form)
    frame = frame.T.rename_axis("part").reset_index()
    frame.to_csv(tmp_path / "grid.csv", index=False)
    with pytest.raises(DataError, match=r"for one series of all .*; for a series in each row") as caught:
        read(tmp_path / "grid.csv")
    assert_whole(follow(pd.read_csv(tmp_path / "grid.csv"), caught.value), y)
    assert len(read(tmp_path / "grid.csv", layout="rows").series) == y.shape[1]


def test_totals_beside_the_months_are_left_out(tmp_path):
    y, frame = grid("months")
    frame = frame.assign(**{"J-D": y.mean(1).round(2), "Annual": y.sum(1)}).rename_axis("Year").reset_index()
    with pytest.raises(DataError, match="the months of the dates in 'Year'") as caught:
        read(frame)
    assert_whole(follow(frame, caught.value), y)


@pytest.mark.parametrize(
    "labels", [MONTHS[:11], ["north", "south", "east"], [*map(str, range(12))], ["Q1", "Q2", "Q3"], ["a1", "a2"]]
)
def test_other_columns_are_series(labels):
    frame = pd.DataFrame(np.random.default_rng(0).normal(100, 5, (12, len(labels))).round(1), columns=labels)
    with pytest.raises(DataError, match="if the table is wide, pass layout"):
        read(frame.assign(Year=YEARS))
