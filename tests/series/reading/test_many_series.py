"""Many series: reading them together equals reading each alone."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.series import DataError, future, read, season_length
from gatewise.series.reading.calendars import validation
from tests.series_tables import CALENDARS, MONTHS, table

DEFECTS = ("missing", "gap", "duplicate", "unsorted", "infinite", "huge", "no date", "empty", "off")


def assert_equal(series, other):
    assert (series.unique_id, series.ds.dtype) == (other.unique_id, other.ds.dtype)
    assert series.ds.equals(other.ds)
    assert series.y.tolist() == other.y.tolist()
    assert (series.filled is None) == (other.filled is None)
    assert series.filled is None or series.filled.tolist() == other.filled.tolist()


def spoiled(frame, defect, at):
    """A table of one series with a defect at a row."""
    i = frame.index[at]
    frame = frame.astype({"ds": object}) if defect == "no date" else frame.copy()
    if defect in ("missing", "infinite", "huge"):
        frame.loc[i, "y"] = {"missing": np.nan, "infinite": -np.inf, "huge": -1e200}[defect]
    if defect == "no date":
        frame.loc[i, "ds"] = None
    if defect == "empty":
        frame["y"] = np.nan
    if defect == "off":
        frame.loc[i, "ds"] += 1 if frame["ds"].dtype.kind == "i" else pd.Timedelta(minutes=1)
    order = {"duplicate": [*range(at + 1), *range(at, len(frame))], "gap": [*range(at), *range(at + 1, len(frame))]}
    return frame.iloc[order.get(defect, range(len(frame))[:: -1 if defect == "unsorted" else 1])]


@st.composite
def tables(draw):
    """Series of different lengths on one calendar, some with a defect, in a table of mixed rows; and its frequency."""
    name = draw(st.sampled_from(sorted(CALENDARS)))
    dates, parts = CALENDARS[name], []
    for i in range(draw(st.integers(1, 5))):
        first, length = draw(st.integers(0, 10)), draw(st.integers(4, 20))
        ds = dates[first : first + length]
        part = pd.DataFrame({"unique_id": f"s{i}", "ds": ds, "y": np.arange(float(len(ds))) * 1.5**i})
        defect = draw(st.sampled_from((None, None, *DEFECTS)))
        parts.append(part if defect is None else spoiled(part, defect, draw(st.integers(1, length - 2))))
    frame = pd.concat(parts, ignore_index=True)
    turn = np.random.default_rng(draw(st.integers(0, 99))).permutation(frame["unique_id"].to_numpy())
    place = pd.Series(turn).groupby(turn).cumcount()  # series take turns, each in its own order
    rows = frame.assign(turn=frame.groupby("unique_id").cumcount()).set_index(["unique_id", "turn"])
    frame = rows.loc[list(zip(turn, place, strict=True))].reset_index().drop(columns="turn")
    return frame, 3 if name == "numbers" else name.partition(" ")[0]


def panel_or_message(frame, **options):
    """The panel, or the error's message."""
    try:
        return read(frame, **options)
    except DataError as reason:
        return str(reason)


def without_row_numbers(reason):
    """A message without row numbers, which differ if a series is read alone."""
    return re.sub(r"row \d+", "row", reason)


@settings(deadline=None, max_examples=60)
@given(tables(), st.sampled_from([None, "interpolate", "previous"]), st.booleans())
def test_many_series_are_read_like_each_alone(given_table, fill, sort):
    frame, freq = given_table
    options = {"fill": fill, "sort": sort, "freq": freq}
    results = {
        name: panel_or_message(frame[frame["unique_id"] == name], **options) for name in frame["unique_id"].unique()
    }
    alone = {name: result.series[0] for name, result in results.items() if not isinstance(result, str)}
    reasons = {name: without_row_numbers(result) for name, result in results.items() if isinstance(result, str)}
    if not alone:
        with pytest.raises(
            DataError,
            match="the only series has an error: " if len(reasons) == 1 else f"all {len(reasons)} series have errors: ",
        ):
            read(frame, on_bad="skip", **options)
        return
    panel = read(frame, on_bad="skip", **options)
    assert [series.unique_id for series in panel.series] == list(alone)
    assert {excluded.unique_id: without_row_numbers(excluded.reason) for excluded in panel.excluded_series} == reasons
    for series in panel.series:
        assert_equal(series, alone[series.unique_id])


@settings(deadline=None, max_examples=60)
@given(tables(), st.sampled_from([None, "interpolate", "zero"]), st.booleans())
def test_the_check_of_all_series_equals_the_check_of_each_series(given_table, fill, sort):
    frame, _ = given_table
    together = panel_or_message(frame, fill=fill, sort=sort)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "_regular", lambda stack, freq: np.zeros(len(stack.names), bool))
        separately = panel_or_message(frame, fill=fill, sort=sort)
    if isinstance(separately, str):
        assert together == separately
        return
    assert (together.freq, together.guesses, len(together)) == (separately.freq, separately.guesses, len(separately))
    for series, other in zip(together.series, separately.series, strict=True):
        assert_equal(series, other)


def test_a_first_date_off_the_calendar_is_found():
    late = pd.DataFrame({"unique_id": "late", "ds": [pd.Timestamp("2020-03-15"), MONTHS[3], MONTHS[4]], "y": 1.0})
    for rows in (late, late[:1]):
        with pytest.raises(DataError, match="series 'late', row 31: 2020-03-15 is not on the calendar MS"):
            read(pd.concat([table(unique_id="a"), rows]))


def test_series_of_equal_length_keep_their_own_dates():
    panel = read(pd.concat([table(MONTHS[i : i + 20], np.arange(20), unique_id=i) for i in range(5)]))
    assert all((series.ds == MONTHS[i : i + 20]).all() for i, series in enumerate(panel.series))


def test_regular_series_are_not_checked_one_by_one_and_share_their_dates(monkeypatch):
    monkeypatch.setattr(validation, "_check_rows", None)  # a call fails
    frame = pd.concat([table(unique_id=f"s{i}", y=-(10.0**i) * np.arange(30)) for i in range(50)])
    for ds in (MONTHS, *CALENDARS.values()):
        panel = read(frame.assign(ds=ds.take(np.tile(np.arange(30), 50))))
        assert len(panel) == 50
        assert all(series.ds is panel.series[0].ds for series in panel.series)
        assert panel.series[49].y.tolist() == (-(10.0**49) * np.arange(30)).tolist()


def test_repeated_local_hours_are_distinct_when_daylight_saving_time_ends():
    hours = pd.date_range("2020-10-24", periods=60, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"unique_id": np.repeat(["a", "b"], [60, 50]), "ds": hours.append(hours[5:55]), "y": 1.0})
    panel = read(frame)
    assert (panel.freq, season_length(panel.freq), [len(series) for series in panel.series]) == ("h", 24, [60, 50])
    assert [str(date) for date in panel.series[0].ds[26:28]] == [
        "2020-10-25 02:00:00+02:00",
        "2020-10-25 02:00:00+01:00",
    ]
    with pytest.raises(DataError, match=r"series 'b': 1 date is missing between .*: 2020-10-25 02:00:00.01:00 "):
        read(frame.drop(index=60 + 22))


def test_local_days_without_a_midnight_begin_at_the_first_hour():
    days = pd.DatetimeIndex(pd.date_range("2018-10-30", periods=9)).tz_localize(
        "America/Sao_Paulo", nonexistent="shift_forward"
    )
    assert days[5].hour == 1
    (series,) = read(table(days[:7], range(7)), freq="D").series
    assert (series.ds == days[:7]).all()
    assert (future(days[:4], "D", 5) == days[4:]).all()
