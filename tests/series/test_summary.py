"""Summary: what was understood of a table."""

import numpy as np
import pandas as pd
import pytest

import gatewise as gw
from gatewise.series.summary import Summary, check, describe


def daily(count=60, **columns):
    return pd.DataFrame({"day": pd.date_range("2024-01-01", periods=count), **columns})


def lines_of(summary):
    return [line.strip() for line in str(summary).split("\n")]


def test_a_clean_series_is_summarized_line_by_line():
    summary = gw.check(daily(sold=np.tile([5.0, 6, 7, 8, 9, 30, 28.5], 9)[:60]))
    assert lines_of(summary) == [
        "time column: 'day' (the only column of dates)",
        "target column: 'sold' (the only other column)",
        "frequency: D (daily), inferred from 60 dates",
        "series 'sold': 60 values, 2024-01-01 to 2024-02-29, from 5 to 30",
        "seasons: 7 steps (significant)",
        "first values: 2024-01-01 5, 2024-01-02 6, 2024-01-03 7",
        "last values: 2024-02-27 6, 2024-02-28 7, 2024-02-29 8",
    ]
    assert (summary.error, summary.warnings) == (None, ())


def test_a_table_with_a_gap_is_shown_with_the_error_of_a_forecast_and_its_remedy_works():
    table = daily(sold=np.arange(60.0)).drop(index=[40])
    summary = check(table)
    assert summary.error.startswith("series 'sold': 1 date is missing between 2024-01-01 and 2024-02-29: 2024-02-10")
    assert "missing: 1 value of series 'sold', the first at 2024-02-10" in str(summary)
    assert np.isnan(summary.panel.series[0].recorded[40])
    remedied = check(table, fill="interpolate")
    assert remedied.error is None
    assert remedied.panel.series[0].y[40] == 40


def test_series_with_errors_are_excluded_from_the_summary_with_their_reasons():
    table = pd.concat([daily(20, y=1.0, unique_id="a"), daily(20, y="x", unique_id="b")])
    summary = check(table)
    assert "excluded series: 1 ('b')" in lines_of(summary)
    assert [series.unique_id for series in summary.panel.series] == ["a"]
    assert summary.error.startswith("series 'b', row 21: 'x' in target 'y' is not a number")


def test_a_table_that_cannot_be_read_as_series_is_shown_by_column():
    table = pd.DataFrame({"day": ["2024-01-01", "2024-01-02"], "a": [1.5, np.nan], "b": [3, 4]})
    summary = check(table)
    assert summary.panel is None
    assert "the target column is ambiguous" in summary.error
    assert lines_of(summary)[:4] == [
        "2 rows",
        "column 'day': 2 values such as '2024-01-01'",
        "column 'a': numbers from 1.5 to 1.5, 1 missing",
        "column 'b': numbers from 3 to 4",
    ]


def test_shortest_and_longest_of_many_series_are_named():
    table = pd.concat([daily(20 + k, y=np.arange(20.0 + k), unique_id=f"s{k}") for k in range(7)])
    assert describe(gw.read(table)) == (
        "7 series: 's0', 's1', 's2', 's3', 's4', ...; from 0 to 25\n"
        "    20 ('s0') to 26 ('s6') values each, median 23; 2024-01-01 to 2024-01-26"
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.random.default_rng(0).normal(size=60), "seasons: 7 steps (not significant)"),
        (np.arange(60.0), "seasons: 7 steps (not significant)"),
        (np.ones(60), "seasons: 7 steps (not significant)"),
        (np.arange(60.0) + 5 * (np.arange(60) % 7 == 6), "seasons: 7 steps (significant)"),
        (np.ones(20), "seasons: not tested (20 values)"),
    ],
)
def test_seasons_are_tested(values, expected):
    assert expected in lines_of(check(daily(len(values), y=values)))


def test_large_values_are_shown_with_all_digits():
    table = daily(30, y=1e9 + np.arange(30) % 3 - 1)
    assert "series 'y': 30 values, 2024-01-01 to 2024-01-30, from 999999999 to 1000000001" in lines_of(check(table))


def test_warnings_and_errors_are_parts_of_the_text():
    text = str(Summary(None, ("look here",), "no dates", ("column 'a': empty",)))
    assert text == "  column 'a': empty\n\nWarnings\n  look here\n\nError\n  no dates"


def test_polars_and_files_give_the_same_summary(tmp_path):
    polars = pytest.importorskip("polars")
    table = daily(sold=np.arange(60.0))
    table.to_csv(tmp_path / "sales.csv", index=False)
    assert str(check(polars.from_pandas(table))) == str(check(table)) == str(check(tmp_path / "sales.csv"))


@pytest.mark.parametrize("lengths", [[3], [8], [9], [12, 2], [8, 8]])
def test_series_that_are_too_short_are_an_error_as_in_a_forecast(lengths):
    rows = [daily(n, id=str(k), y=np.arange(n) % 3 + 0.5) for k, n in enumerate(lengths)]
    table, ids = pd.concat(rows), {"id_column": "id", "freq": "D"}
    summary = check(table, **ids)
    assert summary.panel is not None
    with pytest.raises(gw.DataError) as error:
        gw.Forecaster().fit(table, **ids)
    start = summary.error.split(", expected at least")[0]
    assert str(error.value).startswith(start)
    assert start.startswith(f"series '{int(lengths[0] == 12)}' has {lengths[-1] if lengths[0] == 12 else lengths[0]} ")


def test_short_series_beside_long_ones_may_be_skipped():
    table = pd.concat([daily(12, id="a", y=1.5), daily(2, id="b", y=2.5)])
    assert check(table, id_column="id", on_bad="skip").error is None
