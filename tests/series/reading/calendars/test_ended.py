"""Ended series: series that end long before the others are named, and excluded or forecast on request."""

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, known_ahead, read

LATE = {  # frequency -> steps before the end of the others: normal, ended
    "MS": (3, 4), "W-SUN": (3, 4), "QS": (3, 4), "D": (14, 15), "B": (10, 11), "h": (48, 49), "15min": (192, 193),
    "ME": (2, 6), 1: (12, 13), 5: (12, 13),
}  # fmt: skip


def dates(freq, periods):
    if isinstance(freq, int):
        return np.arange(periods) * freq
    return pd.date_range("2020-01-01", periods=periods, freq=freq)


def shops(freq, late, count=5, length=400, **columns):
    """Series that end together, and "old", which ends `late` steps before them."""
    ds = dates(freq, length)
    lengths = {f"s{i}": length for i in range(count)} | {"old": length - late}
    parts = [pd.DataFrame({"unique_id": name, "ds": ds[:n], "y": np.arange(1.0, n + 1)}) for name, n in lengths.items()]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("freq", LATE)
def test_series_that_end_long_before_the_others_are_named_and_excluded_on_request(freq):
    normal, late = LATE[freq]
    assert read(shops(freq, normal)).warnings == ()
    assert len(read(shops(freq, normal), ended="exclude")) == 6
    table = shops(freq, late)
    (warning,) = read(table).warnings
    end = str(dates(freq, 400)[399 - late]).removesuffix(" 00:00:00")
    assert warning.startswith(f"ended: 'old' on {end}, long before the others (")
    assert "--ended exclude" in warning
    assert "--ended forecast" in warning
    assert len(read(table, ended="forecast")) == 6
    assert read(table, ended="forecast").warnings == ()
    for on_bad in ("raise", "skip", "naive"):
        panel = read(table, ended="exclude", on_bad=on_bad)
        assert [series.unique_id for series in panel.series] == [f"s{i}" for i in range(5)]
        assert panel.warnings == ()
        (excluded,) = panel.excluded_series
        assert (excluded.unique_id, excluded.series) == ("old", None)
        assert excluded.reason.startswith(f"series 'old' ended on {end}, long before the others; ")


def wave(count):
    return 5 + np.sin(np.arange(count))


def test_ragged_ends_starts_and_rows_are_normal():
    ds = dates("MS", 100)
    ragged = [pd.DataFrame({"unique_id": f"s{i}", "ds": ds[i : 20 + 9 * i], "y": wave(20 + 8 * i)}) for i in range(9)]
    assert read(pd.concat(ragged)).warnings == ()
    starts = [pd.DataFrame({"unique_id": f"s{i}", "ds": ds[60 - 6 * i :], "y": wave(40 + 6 * i)}) for i in range(9)]
    assert read(pd.concat(starts)).warnings == ()
    later = pd.DataFrame({"unique_id": "new", "ds": dates("MS", 450)[350:], "y": wave(100)})
    assert read(pd.concat([shops("MS", 0), later])).warnings == ()
    rows = pd.DataFrame(
        {"id": ["a", "b", "c"], **{f"V{i}": [i % 3, i % 4, i % 5 if i < 60 else np.nan] for i in range(90)}}
    )
    assert read(rows, layout="rows").warnings == ()


def test_many_ended_series_are_counted():
    ds = dates("MS", 60)
    lengths = [60] * 20 + [40] * 9
    parts = [pd.DataFrame({"unique_id": f"s{i}", "ds": ds[:n], "y": wave(n)}) for i, n in enumerate(lengths)]
    (warning,) = read(pd.concat(parts)).warnings
    assert warning.count("2023-04-01") == 5
    assert "(and 4 more)" in warning
    assert len(read(pd.concat(parts), ended="exclude").excluded_series) == 9


def test_columns_that_end_early_have_ended():
    ds = dates("D", 90)
    table = pd.DataFrame({"ds": ds, "a": 1.0, "b": 2.0, "c": np.where(np.arange(90) < 60, 3.0, np.nan)})
    assert "ended: 'c' on 2020-02-29" in read(table, layout="columns").warnings[0]
    assert [len(series) for series in read(table, layout="columns", ended="exclude").series] == [90, 90]


def test_with_known_covariates_the_error_names_the_option_that_excludes_the_series():
    table = shops("MS", 5, count=3, length=40)
    table["price"] = np.arange(len(table)) * 1.0
    coming = dates("MS", 43)[40:]
    parts = [pd.DataFrame({"unique_id": f"s{i}", "ds": coming, "y": np.nan, "price": 7.0}) for i in range(3)]
    table = pd.concat([table, *parts], ignore_index=True)
    message = (
        "series 'old' ends on 2022-11-01, before the others, .* exclude it with ended=\"exclude\" .--ended exclude."
    )
    with pytest.raises(DataError, match=message):
        known_ahead(read(table, known="price"), 3)
    for on_bad in ("raise", "skip", "naive"):
        panel = read(table, known="price", ended="exclude", on_bad=on_bad)
        assert known_ahead(panel, 3).tolist() == [[[7.0]] * 3] * 3
        assert [series.known[0, 0] for series in panel.series] == [0, 40, 80]
        assert [series.unique_id for series in panel.excluded_series] == ["old"]
    future = pd.concat(parts).drop(columns="y")
    history = table[table["y"].notna()]
    with pytest.raises(DataError, match=message):
        known_ahead(read(history, known="price"), 3, future)
    assert known_ahead(read(history, known="price", ended="exclude"), 3, future).tolist() == [[[7.0]] * 3] * 3
    early = history[~((history["unique_id"] == "s1") & (history["ds"] == "2023-04-01"))]
    panel = read(early[early["unique_id"] != "old"], known="price")
    with pytest.raises(DataError, match=r"before the others, and needs .*; exclude it, or supply every value"):
        known_ahead(panel, 3, future.iloc[:3])
