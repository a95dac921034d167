"""Daylight saving: a repeated or missing hour is explained by its cause, and its remedy is right."""

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, read


def local(start, end, freq, zone="Europe/Berlin"):
    """Local times without their offset, and names of the zone."""
    dates = pd.date_range(start, end, freq=freq, tz=zone)
    return dates.tz_localize(None), [date.tzname() for date in dates]


ENDS = [
    ("2023-10-27", "2023-10-31", "Europe/Berlin"),
    ("2022-10-28", "2022-11-01", "Europe/Paris"),
    ("2023-11-03", "2023-11-07", "America/New_York"),
    ("2023-10-27", "2023-10-31", "Europe/London"),
]


@pytest.mark.parametrize("is_file", [False, True])
@pytest.mark.parametrize("freq", ["h", "15min", "30min"])
@pytest.mark.parametrize(("start", "end", "zone"), ENDS)
def test_a_repeated_hour_is_averaged_not_added(start, end, zone, freq, is_file, csv):
    dates, names = local(start, end, freq, zone)
    table = pd.DataFrame(
        {"date": dates.strftime("%Y-%m-%d %H:%M"), "zone": names, "load": 50 + np.arange(len(dates)) % 9}
    )
    for columns in (["date", "load"], ["date", "zone", "load"]):
        source = csv(table[columns].to_csv(index=False)) if is_file else table[columns]
        with pytest.raises(DataError, match="daylight-saving time ended in this night") as error:
            read(source)
        assert "sum (--" not in str(error.value)
        panel = read(source, aggregate="mean", target_column="load")
        assert panel.series[0].ds.tolist() == dates.unique().tolist()
        assert panel.series[0].y.tolist() == table.groupby("date")["load"].mean().tolist()


@pytest.mark.parametrize("freq", ["h", "15min"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/London"])
def test_a_skipped_hour_is_named(freq, zone):
    dates, _ = local("2023-03-24", "2023-03-28", freq, zone)
    table = pd.DataFrame({"date": dates.strftime("%Y-%m-%d %H:%M"), "load": np.arange(len(dates)) % 9})
    with pytest.raises(DataError, match="the hour that daylight-saving time skips in local time; pass fill="):
        read(table)
    assert len(read(table, fill="interpolate").series[0].ds) == len(pd.date_range(dates[0], dates[-1], freq=freq))


@pytest.mark.parametrize(("freq", "hour"), [("D", 0), ("2h", 2), ("h", 2)])
def test_missing_sundays_have_another_cause(freq, hour):
    dates = pd.date_range("2022-09-01", periods=24 * 40 if freq == "h" else 150, freq=freq)
    dates = dates[~((dates.day_of_week == 6) & (dates.hour == hour))]
    with pytest.raises(DataError, match=r"dates? (is|are) missing") as error:
        read(pd.DataFrame({"ds": dates, "y": np.arange(len(dates)) % 9}))
    assert "daylight" not in str(error.value)


def test_other_duplicates_and_gaps_have_other_causes():
    dates = pd.date_range("2023-10-25", periods=24 * 8, freq="h")
    table = pd.DataFrame({"date": dates.strftime("%Y-%m-%d %H:%M"), "load": np.arange(len(dates)) % 9})
    with pytest.raises(DataError, match="duplicate date 2023-10-26 16:00") as error:
        read(pd.concat([table, table.iloc[[40]].assign(load=77)]).sort_values("date"))
    assert "daylight" not in str(error.value)
    with pytest.raises(DataError, match="1 date is missing") as error:
        read(table.drop(index=40))
    assert "daylight" not in str(error.value)


def test_hour_25_is_not_to_be_removed():
    hours = [
        (day, hour)
        for day, count in (("2023-10-28", 24), ("2023-10-29", 25), ("2023-10-30", 24))
        for hour in range(count)
    ]
    table = pd.DataFrame([(day, hour + 1, 1.5) for day, hour in hours], columns=["Datum", "Stunde", "v"])
    with pytest.raises(DataError, match="hour 25 belongs to a day on which daylight-saving time ends") as error:
        read(table, time_column=["Datum", "Stunde"])
    assert "remove" not in str(error.value)
