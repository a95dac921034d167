"""End midnights: 00:00 after the last time of its day is read as the end of the day, and never moved by sorting."""

import numpy as np
import pandas as pd
import pytest

from gatewise import read

FREQS = ("15min", "h")
FORMS = ("%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S")


def written(dates, form):
    """The dates as text, midnight on the day that it ends."""
    return [(date - pd.Timedelta(days=int(date.hour + date.minute == 0))).strftime(form) for date in dates]


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("freq", FREQS)
def test_midnight_ends_the_day(freq, form, first, sort, csv):
    dates = pd.date_range("2023-02-28", periods=24 * 8, freq=freq)[first:]
    texts = written(dates, form)
    y = np.arange(len(dates)) + 0.5
    one = pd.DataFrame({"date": texts, "v": y})
    days, times = zip(*(text.split() for text in texts), strict=True)
    two = pd.DataFrame({"Datum": days, "Zeit": times, "v": y})
    for table in (one, two):
        for source in (table, csv(table.to_csv(index=False, sep=";"))):
            panel = read(source, sort=sort)
            assert panel.series[0].ds.tolist() == dates.tolist()
            assert panel.series[0].y.tolist() == y.tolist()
            assert any("00:00 after the last time of a day read as its end" in guess for guess in panel.guesses)


def test_several_series_end_their_days():
    dates = pd.date_range("2023-03-01 01:00", periods=24 * 5, freq="h")
    table = pd.DataFrame({"date": written(dates, "%Y-%m-%d %H:%M"), "v": np.arange(len(dates)) + 0.5})
    rows = pd.concat([table.assign(meter=name) for name in "abc"])
    for order in (rows, rows.sort_index(kind="stable")):
        for series in read(order).series:
            assert series.ds.tolist() == dates.tolist()


@pytest.mark.parametrize("freq", FREQS)
def test_other_midnights_start_their_days(freq):
    dates = pd.date_range("2023-03-01", periods=24 * 8, freq=freq)
    table = pd.DataFrame({"date": dates.strftime("%Y-%m-%d %H:%M"), "v": 1.5})
    assert read(table).series[0].ds.tolist() == dates.tolist()
    assert read(table[::-1], sort=True).series[0].ds.tolist() == dates.tolist()
    moved = pd.concat([table.iloc[1:5], table.iloc[:1], table.iloc[5:]])
    assert read(moved, sort=True).series[0].ds.tolist() == dates.tolist()
