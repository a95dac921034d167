"""Frequency: calendars are inferred, also across gaps, and continued; other dates are refused."""

import re

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, check_frequency, future, read, season_length
from gatewise.series.frequency import grid, infer_frequency, is_regular
from tests.series_tables import AIR, MONTHS, table

CALENDARS = {
    "MS": ("2020-01-01", 12), "ME": ("2020-01-31", 12), "QS-OCT": ("2020-01-01", 4), "QE-DEC": ("2020-03-31", 4),
    "YS-JAN": ("2020-01-01", 1), "YE-DEC": ("2020-12-31", 1), "B": ("2020-01-01", 5), "D": ("2020-01-01", 7),
    "W-SUN": ("2020-01-05", 52), "W-WED": ("2020-01-01", 52), "h": ("2020-01-01", 24), "2h": ("2020-01-01", 12),
    "15min": ("2020-01-01", 96), "min": ("2020-01-01", 1440), "s": ("2020-01-01", 3600), "3D": ("2020-01-01", 1),
}  # fmt: skip


@pytest.mark.parametrize("freq", CALENDARS)
@pytest.mark.parametrize("gaps", [False, True])
def test_calendars_are_inferred_across_gaps_and_continued(freq, gaps):
    start, season = CALENDARS[freq]
    dates = pd.date_range(start, periods=60, freq=freq)
    observed = dates[:50].delete([7, 8, 20, 41] if gaps else [])
    panel = read(table(observed, np.arange(len(observed))), fill="interpolate")
    assert season_length(panel.freq) == season == panel.season
    assert (panel.series[0].ds == dates[:50]).all()
    assert (future(panel.series[0].ds, panel.freq, 10) == dates[50:]).all()
    assert panel.freq == freq or {panel.freq, freq} == {"QS-JAN", "QS-OCT"}  # two names for the same quarters


@pytest.mark.parametrize("freq", ["h", "D", "MS"])
@pytest.mark.parametrize("gap", [[], [7]])
def test_time_zones_work_across_daylight_saving_changes(freq, gap):
    dates = pd.date_range("2020-10-01" if freq != "h" else "2020-10-24", periods=60, freq=freq, tz="Europe/Berlin")
    panel = read(table(dates[:40].delete(gap), np.ones(40 - len(gap))), fill="previous")
    assert panel.freq == freq
    assert (future(panel.series[0].ds, freq, 20) == dates[40:]).all()
    assert future(panel.series[0].ds, freq, 20).tz == dates.tz


def test_a_single_utc_offset_is_preserved_and_several_are_stated():
    single = read(table([f"2020-10-25T0{hour}:00:00+02:00" for hour in range(3)], range(3)))
    assert [str(date) for date in single.series[0].ds[:1]] == ["2020-10-25 00:00:00+02:00"]
    hours = ["2020-10-25T01:00:00+02:00", "2020-10-25T02:00:00+02:00", "2020-10-25T02:00:00+01:00"]
    several = read(table(hours, range(3)))
    assert several.freq == "h"
    assert "dates: several UTC offsets, read as UTC" in several.guesses
    assert str(several.series[0].ds[0]) == "2020-10-24 23:00:00+00:00"


def test_integer_time_has_a_step():
    panel = read(pd.DataFrame({"t": [10, 15, 25, 30], "v": [1.0, 2, 4, 5]}), fill="interpolate")
    assert (panel.freq, panel.series[0].y.tolist()) == (5, [1, 2, 3, 4, 5])
    assert future(panel.series[0].ds, 5, 2).tolist() == [35, 40]


def test_a_given_frequency_and_that_of_an_index_are_used():
    days = pd.bdate_range("2020-01-06", periods=4)  # Monday to Thursday alone look daily
    assert read(table(days, range(4))).freq == "D"
    assert read(table(days, range(4)), freq="B").freq == "B"
    panel = read(pd.Series(range(4), index=days))
    assert panel.guesses == ("frequency: B (business days), from the index",)
    with pytest.raises(ValueError, match="horizon is 0, expected at least 1"):
        future(days, "B", 0)


@pytest.mark.parametrize(
    ("form", "freq"),
    [("%b-%y", "MS"), ("%B %Y", "MS"), ("%b %Y", "MS"), ("%d.%m.%y", "MS"), ("%m/%d/%y", "D"),
     ("%d/%m/%Y %I:%M %p", "D"), ("%m/%d/%Y %I:%M %p", "h")],
)  # fmt: skip
def test_dates_of_everyday_exports_are_read_and_stated(form, freq):
    dates = pd.date_range("2020-01-01", periods=30, freq=freq)
    panel = read(table(dates.strftime(form)))
    assert (panel.series[0].ds == dates).all()
    assert [guess for guess in panel.guesses if "read as 2020-0" in guess]


def test_may_is_not_ambiguous_between_long_and_short_month_names():
    mays = [f"May {year}" for year in range(1990, 2020)]
    assert read(table(mays), freq="12MS").series[0].ds[0] == pd.Timestamp("1990-05-01")


def test_the_error_of_local_days_in_utc_names_the_time_zone():
    days = pd.date_range("2020-10-20", periods=30, tz="Europe/Berlin")
    with pytest.raises(
        DataError, match=r"if these are local days, convert them to their time zone \(dates.dt.tz_convert"
    ):
        read(table([day.isoformat() for day in days]))


def test_the_frequency_of_an_index_is_used_only_if_it_is_the_time_and_ascending():
    air = AIR.set_index("ds")["y"].asfreq("MS")
    assert read(air[::-1], sort=True).freq == "MS"
    weeks = pd.date_range("2020-01-05", periods=len(air), freq="W")
    panel = read(air.to_frame().assign(week=weeks), time_column="week", target_column="y")
    assert panel.freq == "W-SUN"
    named = air.to_frame().rename_axis("week").assign(week=weeks)  # the column replaces the index of its name
    assert read(named).freq == "W-SUN"


def test_nanoseconds_become_microseconds_past_their_last_year():
    years = pd.date_range("2000-01-01", periods=5, freq="YS").as_unit("ns")
    ahead = future(years, "YS-JAN", 300)
    assert (len(ahead), str(ahead[-1].date()), ahead.unit) == (300, "2304-01-01", "us")
    assert future(years, "YS-JAN", 3).unit == "ns"
    with pytest.raises(
        DataError, match="300000 steps of YS-JAN from 2004-01-01 pass the last date that pandas supports"
    ):
        future(years, "YS-JAN", 300_000)


@pytest.mark.parametrize(
    ("ds", "freq", "message"),
    [
        (MONTHS, "ME", "row 1: 2020-01-01 is not on the calendar ME (month end); its dates follow MS "
         '(month start): pass freq="MS" (--freq MS)'),
        (MONTHS, "XX", "freq='XX' is not a pandas frequency; pass one such as MS, ME, "),
        (MONTHS, "-1D", "freq='-1D' is not a pandas frequency"),
        (MONTHS, "99999999999999999999D", "D' is not a pandas frequency"),
        (MONTHS, "s", "makes 76204801 steps from 2020-01-01 to 2022-06-01, but there are 30 rows; pass a longer step"),
        (range(30), "MS", "freq='MS': expected a positive integer step, because the time holds integers"),
        ([*range(29), 10**15], None, "row 30: 1000000000000000 is far from the other 29 dates, 0 to 28; correct"),
        (MONTHS[:2], None, "series 'y' has 2 dates, expected 3 or more to infer the frequency; pass freq= (--freq MS)"),
        (
            MONTHS + pd.Timedelta(days=14),
            None,
            "every date is on day 15 of a month, expected the first or the last; change them to the first",
        ),
        (
            pd.DatetimeIndex(["2000-01-01", "2000-06-01", "2002-04-01"]),
            None,
            "the dates, all on day 1 of a month, are too sparse to infer the frequency; pass freq= (--freq MS)",
        ),
        (
            pd.DatetimeIndex(["2000-01-31", "2000-05-31", "2002-03-31"]),
            None,
            "the dates, all on day 31 of a month, are too sparse to infer the frequency; pass freq= (--freq ME)",
        ),
        ([*pd.date_range("2020-01-01", periods=29), pd.Timestamp("2020-01-30 07:13:05.000001")], None,
         "row 30: the dates are irregular: the most common step is 1 days, but "
         "2020-01-30 07:13:05.000001 comes 1 days 07:13:05.000001 after 2020-01-29"),
    ],
)  # fmt: skip
def test_calendars_that_do_not_fit_are_refused(ds, freq, message):
    with pytest.raises(DataError, match=re.escape(message)):
        read(table(ds, np.arange(float(len(ds)))), freq=freq)


def test_seasons_of_other_frequencies():
    assert [season_length(freq) for freq in ("3MS", "12MS", "7MS", "WOM-3FRI", "SMS-15", "ms", 4)] == [
        4,
        1,
        1,
        12,
        24,
        1,
        1,
    ]


OFFSETS = (
    "MS ME BMS BME QS QE BQS BQE QS-FEB QE-NOV BQE-OCT YS YE BYS BYE YS-APR YE-JUN BYS-MAR WOM-3FRI W-SUN W-MON "
    "2W-TUE D 2D 7D 10D B C h 2h 6h 15min min 10s 2MS 6MS 2ME 2QS 2YS 5YS 2B 3B bh cbh 2bh SME 2BMS 2BQE 5h 100ms"
)


def sessions(first, last, weekdays, freq="h"):
    dates = pd.date_range("2024-01-01", "2024-02-12", freq=freq)
    return dates[(dates.day_of_week < weekdays) & (dates.hour >= first) & (dates.hour <= last)]


def generated(offset):
    """Regular dates of an offset, with and without time zone, from several first dates."""
    for start in ("2020-01-01", "2020-02-28", "2021-07-14 08:00", "2000-01-31"):
        for zone in (None, "Europe/Berlin"):
            for periods in (3, 5, 13, 40):
                yield pd.date_range(start, periods=periods, freq=offset, tz=zone)


@pytest.mark.parametrize("offset", OFFSETS.split())
def test_every_inferred_calendar_is_accepted_holds_the_dates_and_continues_them(offset):
    for ds in generated(offset):
        assert_consistent(ds)


@pytest.mark.parametrize("hours", [(8, 15), (9, 16), (9, 17), (7, 18), (0, 11), (10, 10)])
@pytest.mark.parametrize("weekdays", [4, 5, 6, 7])
@pytest.mark.parametrize("freq", ["h", "30min"])
def test_every_calendar_inferred_from_office_hours_is_consistent(hours, weekdays, freq):
    assert_consistent(sessions(*hours, weekdays, freq))


M = pd.date_range("2018-01-01", periods=40, freq="MS")
WEEKS = pd.to_timedelta(7 * np.cumsum(np.tile([4, 4, 5], 20)), unit="D")
STEPS = np.random.default_rng(0).integers(1, 9, 300)
UNEVEN = {
    "dekads": (M.union(M + pd.Timedelta(days=10)).union(M + pd.Timedelta(days=20)), "MS"),
    "weeks 4-4-5": (pd.Timestamp("2018-01-28") + WEEKS, "MS"),
    "days": (pd.Timestamp("2020-01-01") + pd.to_timedelta(np.cumsum(STEPS), unit="D"), "MS"),
    "twice a week": (pd.date_range("2020-01-06", periods=60, freq="W-MON").union(
        pd.date_range("2020-01-09", periods=60, freq="W-THU")), "W"),
    "seconds": (pd.Timestamp("2020-01-01") + pd.to_timedelta(np.cumsum(STEPS * 5), unit="s"), "min"),
    "time of day varies": (pd.date_range("2020-01-01", periods=60) + pd.to_timedelta(STEPS[:60] * 71, unit="min"), "D"),
    "zone": ((pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(np.cumsum(STEPS * 5), unit="min")), "h"),
}  # fmt: skip


@pytest.mark.parametrize(("ds", "freq"), UNEVEN.values(), ids=UNEVEN)
def test_irregular_dates_can_be_resampled_as_proposed(ds, freq):
    frame = table(ds, np.arange(float(len(ds))))
    with pytest.raises(DataError, match=rf"irregular.*sum or average the values by {freq}.*resample\(\"{freq}\"\)"):
        read(frame)
    resampled = frame.set_index("ds").resample(freq)[["y"]].mean()
    assert read(resampled).freq == ("W-SUN" if freq == "W" else freq)


def test_days_within_months_can_be_changed_as_proposed():
    dates = pd.Series(M + pd.Timedelta(days=14))
    with pytest.raises(DataError, match=r'change them to the first \(pandas: dates\.dt\.to_period\("M"\)') as error:
        read(pd.DataFrame({"ds": dates, "y": np.arange(40.0)}))
    changed = eval(str(error.value).split("pandas: ")[1].removesuffix(")"))
    assert read(pd.DataFrame({"ds": changed, "y": np.arange(40.0)})).freq == "MS"


@pytest.mark.parametrize(("second", "freq"), [(M + pd.Timedelta(days=14), "SMS-15"), (M - pd.Timedelta(days=17), None)])
def test_dates_twice_a_month(second, freq):
    ds = M.union(second)
    assert infer_frequency(ds) == freq
    ends = (M - pd.Timedelta(days=1)).union(M + pd.Timedelta(days=14))
    assert infer_frequency(ends) == "SME-15"
    assert infer_frequency(M + pd.Timedelta(days=14)) is None


def assert_consistent(ds):
    """Whether the inferred calendar accepts and continues the dates; without one the error has a remedy."""
    freq = infer_frequency(ds)
    if freq is None:
        with pytest.raises(DataError, match=r"pass |resample|change them"):
            read(table(ds, 1.0))
        return
    assert check_frequency(freq, ds) == freq
    calendar, ahead = grid(ds, freq), future(ds, freq, 5)
    assert ds.isin(calendar).all()
    assert len(calendar) <= 2 * len(ds)
    assert is_regular(ds, freq) == (len(calendar) == len(ds))
    assert ahead[0] > ds[-1]
    assert grid(ds.append(ahead), freq).equals(calendar.append(ahead))
