"""The backtest: its tables, verdict and figures."""

from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise import plot
from gatewise.forecast.baselines import known, naive
from gatewise.forecast.evaluation.backtest import Backtest
from gatewise.forecast.evaluation.holdout import observed
from gatewise.forecast.evaluation.verdict import standing
from gatewise.series import DataError, Panel, Series
from tests.forecast.evaluation.windows import holdout_of, make_holdout

# ------------------------------------------------------------------------------------------------- tables


def test_the_table_of_forecasts_holds_the_windows():
    result = Backtest.of(make_holdout())
    table, holdout = result.forecasts, result.held
    assert table.columns.tolist() == [
        *("unique_id", "ds", "cutoff", "y", "LSTM", "LSTM-lo-80", "LSTM-hi-80", "LSTM-lo-95", "LSTM-hi-95"),
        *("Naive", "Drift", "SeasonalNaive"),
    ]
    for w in range(len(holdout.which)):
        part, series, cut = table.iloc[5 * w : 5 * w + 5], holdout.panel.series[holdout.which[w]], holdout.cuts[w]
        calendar = pd.date_range("2020-01-01", periods=cut + 5, freq="D")
        assert set(part["unique_id"]) == {series.unique_id}
        assert part["ds"].tolist() == calendar[-5:].tolist()
        assert set(part["cutoff"]) == {calendar[cut - 1]}
        np.testing.assert_array_equal(part["LSTM-hi-95"], holdout.intervals[95][1][w])
        np.testing.assert_array_equal(part["Naive"], naive(known(series, cut).y, 5))
        np.testing.assert_array_equal(
            part["y"], observed(holdout.panel, holdout.which[w : w + 1], np.array([cut]), 5)[0]
        )


def test_polars_tables_hold_null_instead_of_nan():
    result, reference = Backtest.of(make_holdout(backend="polars", date_only=True)), Backtest.of(make_holdout())
    for name in ("scores", "by_series", "by_horizon", "forecasts"):
        table, expected = getattr(result, name), getattr(reference, name)
        assert isinstance(table, pl.DataFrame)
        assert table.columns == expected.columns.tolist()
        for column in expected.select_dtypes("float"):
            np.testing.assert_array_equal(table[column].to_numpy(), expected[column])
            assert not table[column].is_nan().any()
    assert result.forecasts["ds"].dtype == result.scores["cutoff"].dtype == pl.Date
    assert result.forecasts["y"].mean() == pytest.approx(reference.forecasts["y"].mean())


@pytest.mark.parametrize(
    ("ds", "freq"),
    [
        (pd.date_range("2020-03-01", periods=40, freq="h", tz="Europe/Berlin"), "h"),
        (pd.RangeIndex(0, 80, 2), 2),
        (pd.date_range("2020-01-31", periods=40, freq="ME"), "ME"),
    ],
)
def test_other_calendars_are_continued(ds, freq):
    y = np.random.default_rng(0).normal(size=40)
    data = Panel((Series(("x", 1), ds, y), Series(2, ds[:30], y[:30])), freq)
    which, cuts = np.array([0, 0, 1]), np.array([30, 36, 28])
    truth = observed(data, which, cuts, 4)
    forecasts = Backtest.of(holdout_of(data, 1, which, cuts, truth, np.zeros((3, 4)), {}, "GRU")).forecasts
    assert forecasts["ds"].tolist() == [*ds[30:34], *ds[36:40], *ds[28:32]]
    assert forecasts["cutoff"].unique().tolist() == [ds[29], ds[35], ds[27]]
    assert forecasts["unique_id"].tolist() == [("x", 1)] * 8 + [2] * 4
    assert forecasts["y"].isna().sum() == 2
    assert "SeasonalNaive" not in forecasts


# ------------------------------------------------------------------------------------------------- nothing observed


def gap(names):
    """Series of 30 values, of which 20 to 24 are filled in."""
    filled = np.arange(30) // 5 == 4
    y = np.random.default_rng(0).normal(size=30)
    return Panel(tuple(Series(name, pd.RangeIndex(30), y, filled) for name in names), 1)


def test_windows_without_observed_values_are_excluded_with_a_guess():
    data, which, cuts = gap("ab"), np.array([0, 0, 1]), np.array([20, 25, 19])
    truth = observed(data, which, cuts, 5)
    result = Backtest.of(holdout_of(data, 1, which, cuts, truth, np.zeros((3, 5)), {}), guesses=["season: none"])
    assert result.held.cuts.tolist() == [25, 19]
    assert result.guesses == ("season: none", "excluded: 1 test window without observed values")
    assert len(result.scores) == 6


def test_a_backtest_in_which_nothing_was_observed_is_refused():
    data, which, cuts = gap("ab"), np.array([0, 1]), np.array([20, 20])
    empty = holdout_of(data, 1, which, cuts, observed(data, which, cuts, 5), np.zeros((2, 5)), {})
    with pytest.raises(DataError, match="'a': the 5 steps after 19 hold no observed value, only filled ones"):
        Backtest.of(empty)
    with pytest.raises(DataError, match="'a': the 5 steps after 19 hold no observed value"):
        observed(gap("a"), np.array([0, 0]), np.array([10, 20]), 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": np.zeros((18, 4))}, r"the forecast LSTM has shape \(18, 4\), expected \(18, 5\)"),
        ({"mean": np.full((18, 5), np.nan)}, "the forecast LSTM holds values that are not finite"),
        (
            {"intervals": {80: (np.zeros((18, 5)), np.zeros(5))}},
            r"bound 1 of 80 of LSTM has shape \(5,\), expected \(18, 5\)",
        ),
        (
            {"cuts": np.zeros(18, int)},
            "cuts are invalid, expected one for each window, from 1 to the length of its series",
        ),
        ({"cuts": np.full(18, 61)}, "cuts are invalid, expected one for each window, from 1"),
        (
            {"which": np.zeros(0, int), "truth": np.zeros((0, 5)), "mean": np.zeros((0, 5)), "intervals": {}},
            "there are no test windows",
        ),
    ],
)
def test_invalid_windows_are_refused(change, message):
    holdout = make_holdout()
    names = ("season", "which", "cuts", "truth", "mean", "intervals")
    parts = {"data": holdout.panel, **{name: getattr(holdout, name) for name in names}, **change}
    with pytest.raises(ValueError, match=message):
        holdout_of(**parts)


# ------------------------------------------------------------------------------------------------- the verdict


def model(errors, constant=()):
    """A backtest of alternating series with the given errors; the error of the naive forecast is 1."""
    y = np.tile([0.0, 1.0], 30)
    flat = np.zeros(60)
    names = "abcdefgh"[: len(errors)]
    series = tuple(Series(n, pd.RangeIndex(60), flat if n in constant else 10.0**k * y) for k, n in enumerate(names))
    which, cuts = np.repeat(np.arange(len(errors)), 3), np.tile([51, 53, 55], len(errors))
    data = Panel(series, 1)
    truth = observed(data, which, cuts, 1)
    mean = truth + (10.0**which * np.repeat(errors, 3))[:, None]
    return Backtest.of(holdout_of(data, 1, which, cuts, truth, mean, {80: (mean - 1e9, mean + 1e9)}))


@pytest.mark.parametrize(
    ("errors", "message", "trusted"),
    [
        (
            [0.5, 0.5, 0.5, 0.5],
            "worth using: 50 % better than the naive forecast (the last value), ahead in 4 of 4 series",
            True,
        ),
        ([0.1, 0.1, 0.1, 1.5], "ahead in 3 of 4 series and 9 of 12 test windows; that may be chance", False),
        ([0.98, 0.98, 1.0, 0.98], "is no better than the naive forecast", False),
        ([0.5, 9.0, 0.5, 0.5], "Do not trust the LSTM here: the naive forecast", False),
    ],
)
def test_many_series_are_judged_by_scaled_errors_with_equal_weights(errors, message, trusted):
    result = model(errors)
    assert message in result.verdict
    assert result.trusted is trusted
    assert result.best == "Naive"
    assert f"Mean over the series: MASE {np.mean(errors):.3g} against 1, mean absolute error" in result.verdict
    assert "(too wide)" not in result.verdict  # not significant
    assert "little evidence" not in result.verdict


def test_the_series_where_the_model_is_worst_are_named():
    assert "Worst: 'b' (MASE 3 against 1), 'c' (MASE 2 against 1)." in model([0.5, 3.0, 2.0, 1.0]).verdict
    assert "Worst" not in model([0.5, 0.5]).verdict


def test_series_without_a_scale_are_counted_in_the_verdict():
    result = model([0.5, 0.5, 0.5], constant="c")
    assert "ahead in 2 of 2 series and 6 of 6 test windows" in result.verdict
    assert "No MASE for 1 of 3 series, whose past repeats exactly or is shorter than a season." in result.verdict
    assert np.isnan(result.by_series.query("unique_id == 'c'")["MASE"]).all()
    assert result.overall["LSTM"]["MASE"] == pytest.approx(0.5)
    only = model([0.5, 0.5], constant="ab")
    assert "Do not trust the LSTM" in only.verdict
    assert "Mean over the series: mean absolute error 2.75 against 0." in only.verdict


def test_one_series_is_judged_window_by_window():
    result = model([0.5])
    assert result.verdict.startswith(
        "The LSTM is worth using: 50 % better than the naive forecast (the last value), ahead in 3 of 3 test windows "
        "(p < 0.01). Mean absolute error 0.5 against 1 (MASE 0.5 against 1). "
        "Three test windows are little evidence; use windows=10 (--windows 10)."
    )
    assert result.trusted
    assert "Each score is averaged over" not in result.definitions()


# ------------------------------------------------------------------------------------------------- figures


def test_windows_that_overlap_are_drawn_side_by_side():
    y = np.arange(60.0)
    data = Panel((Series("a", pd.date_range("2020-01-01", periods=60, freq="D"), y),), "D")
    which, cuts = np.zeros(15, int), np.arange(40, 55)
    truth = observed(data, which, cuts, 4)
    result = Backtest.of(holdout_of(data, 1, which, cuts, truth, truth + 1, {}))
    lines = [line for line in result.plot().get_lines() if "LSTM" in line.get_label()]
    starts = [pd.Timestamp(line.get_xdata()[0]) for line in lines]
    assert starts == data.series[0].ds[[42, 46, 50, 54]].tolist()
    assert [line.get_ydata()[0] for line in lines] == [43, 47, 51, 55]


def test_the_data_are_drawn_from_before_the_first_window():
    data = Panel((Series("a", pd.RangeIndex(60), np.arange(60.0)),), 1)
    which, cuts = np.zeros(2, int), np.array([20, 50])
    truth = observed(data, which, cuts, 4)
    line, *_ = Backtest.of(holdout_of(data, 1, which, cuts, truth, truth, {})).plot().get_lines()
    np.testing.assert_array_equal(line.get_ydata(), np.arange(20.0 - 3 * 4, 54))


def test_one_of_many_series_is_drawn_by_name():
    result = Backtest.of(make_holdout())
    assert "Backtest of a" in result.plot().get_title(loc="left")
    assert "Backtest of c" in result.plot(unique_id="c").get_title(loc="left")
    with pytest.raises(ValueError, match="unique_id is 'z', expected one of 'a', 'b', 'c'"):
        result.plot(unique_id="z")


def test_scores_are_drawn_over_the_horizon(monkeypatch):
    drawn = {}
    monkeypatch.setattr(plot, "by_horizon", lambda *a, **k: drawn.update(steps=a[0], curves=a[1], **k), raising=False)
    result = Backtest.of(make_holdout())
    result.plot("horizon", score="MASE")
    assert drawn["steps"].tolist() == [1, 2, 3, 4, 5]
    assert drawn["score"] == "MASE"
    expected = result.by_horizon.query("model == 'Drift'")["MASE"].to_numpy()
    np.testing.assert_array_equal(drawn["curves"]["Drift"], expected)
    result.plot("horizon", score="coverage-80")
    assert list(drawn["curves"]) == ["LSTM"]
    with pytest.raises(ValueError, match="score is 'R2', expected one of 'MAE', 'RMSE'"):
        result.plot("horizon", score="R2")
    with pytest.raises(
        ValueError, match="kind is 'pie', expected one of 'forecast', 'examples', 'horizon', 'coverage'"
    ):
        result.plot("pie")


@pytest.mark.parametrize("power", [-700, 300])
def test_scores_and_verdict_do_not_depend_on_the_unit(power):
    """Squares of errors of 2^-700 are 0 in double precision."""
    usual, unit = make_holdout(gaps=False), 2.0**power
    series = tuple(replace(one_series, y=one_series.y * unit) for one_series in usual.panel.series)
    intervals = {level: (lower * unit, upper * unit) for level, (lower, upper) in usual.intervals.items()}
    numbers = usual.truth * unit, usual.mean * unit, intervals
    scaled = holdout_of(replace(usual.panel, series=series), usual.season, usual.which, usual.cuts, *numbers)
    result, before = Backtest.of(scaled), Backtest.of(usual)
    for name, score in before.overall["LSTM"].items():
        times = unit if name in ("MAE", "RMSE", "CRPS") else 1.0
        np.testing.assert_allclose(result.overall["LSTM"][name] / times, score, rtol=1e-12)
    np.testing.assert_allclose(result.by_horizon["RMSE"] / unit, before.by_horizon["RMSE"], rtol=1e-12)
    assert result.trusted == before.trusted
    rows = result.table().split("\n")
    assert {len(row.split()) for row in rows[1:]} == {len(rows[0].split()) + 1}
    assert {len(row) for row in rows} == {len(rows[0])}


def test_significance_does_not_depend_on_the_unit():
    errors, baseline = np.array([1.0, 5.0, 1.0]), np.array([3.0, 3.0, 3.0])
    assert standing(errors * 1e-200, baseline * 1e-200) == standing(errors, baseline) == "unsure"
