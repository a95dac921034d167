"""Strays and sessions: a date with a typing error and pauses at night are named as such."""

import re

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, read
from tests.series_tables import spoil, table


@pytest.mark.parametrize("freq", ["D", "MS", "W-SUN", "B", "h", "ME", "15min"])
@pytest.mark.parametrize("year", [2204, 2042, 1924])
@pytest.mark.parametrize("at", [0, 30, 59])
@pytest.mark.parametrize("options", [{}, {"sort": True}, {"fill": "previous", "sort": True}, {"given": True}])
def test_a_date_far_off_is_named_and_can_be_corrected(freq, year, at, options):
    dates = pd.date_range("2024-01-05", periods=60, freq=freq)
    wrong = table(spoil(dates, at, dates[at].replace(year=year, day=1)), np.arange(60.0))
    options = {**options, "freq": freq} if "given" in options else options
    options.pop("given", None)
    with pytest.raises(DataError, match=rf"row {at + 1}: {year}-\d\d-\d\d.* is far from the other 59 dates") as error:
        read(wrong, **options)
    assert str(error.value).endswith("; correct the date or remove the row")
    assert read(table(dates, np.arange(60.0)), **options).series[0].y.tolist() == list(range(60))
    assert len(read(wrong.drop(index=at), fill="previous").series[0]) == (60 if 0 < at < 59 else 59)


def test_a_late_row_after_a_gap_shorter_than_the_series_is_a_gap():
    days = pd.date_range("2024-01-01", periods=60)
    with pytest.raises(DataError, match=r"series 'y': 19 dates are missing .*; pass fill="):
        read(table(days[[*range(40), 59]], np.arange(41.0)))


OFFICES = {  # first hour, last hour, days of the week
    "8 to 15": (8, 15, 5), "9 to 17": (9, 17, 5), "8 to 15, all days": (8, 15, 7), "7 to 18": (7, 18, 6),
    "half of the day": (7, 18, 7), "mornings": (6, 11, 5), "Monday to Thursday": (10, 16, 4), "two hours": (10, 11, 7),
}  # fmt: skip


@pytest.mark.parametrize("office", OFFICES)
def test_office_hours_are_refused_with_remedies_that_work(office):
    first, last, days = OFFICES[office]
    hours = pd.date_range("2024-01-01", periods=24 * 40, freq="h")
    hours = hours[(hours.hour >= first) & (hours.hour <= last) & (hours.day_of_week < days)]
    rows = table(hours, np.arange(len(hours)))
    with pytest.raises(DataError, match=rf"steps of h from {first:02d}:00 to {last:02d}:00") as error:
        read(rows)
    assert 'freq="h", fill="none" (--freq h --fill none)' in str(error.value)
    series = read(rows, freq="h", fill="none").series[0]
    assert series.ds[~series.filled].tolist() == hours.tolist()
    assert series.y[~series.filled].tolist() == list(range(len(hours)))
    assert f"season={last - first + 1} " in str(error.value)
    numbered = read(rows.assign(t=range(len(rows))), time_column="t", target_column="y")
    assert (numbered.freq, numbered.series[0].y.tolist()) == (1, list(range(len(hours))))


def test_trading_minutes_and_business_hours():
    minutes = pd.date_range("2024-01-01", periods=60 * 24 * 12, freq="min")
    of_day = minutes.hour * 60 + minutes.minute
    trading = minutes[(minutes.day_of_week < 5) & (of_day >= 570) & (of_day <= 960)]
    with pytest.raises(DataError, match=re.escape("steps of min from 09:30 to 16:00, Monday to Friday")):
        read(table(trading, 1.0))
    assert read(table(trading, 1.0), freq="min", fill="none").series[0].filled.mean() > 0.7
    business = pd.date_range("2024-01-01 09:00", periods=40, freq="bh")
    assert (read(table(business, 1.0)).freq, read(table(business, 1.0)).series[0].filled) == ("bh", None)
    own = pd.offsets.CustomBusinessHour(start="08:00", end="16:00")
    indexed = pd.Series(1.0, index=pd.date_range("2024-01-01 08:00", periods=40, freq=own))
    with pytest.raises(DataError, match="steps of h from 08:00 to 15:00"):
        read(indexed)
