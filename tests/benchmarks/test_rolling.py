"""The rolling benchmark: its scores by hand, and the properties of its generated series."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks import generated, references, rolling, rolling_scores, rolling_sets, verdicts
from benchmarks.rolling_scores import Forecasts
from gatewise import read
from gatewise.forecast.evaluation import scores

Y = np.array([[1.0, 5.0]])  # one series, two steps
MEDIAN = np.array([[2.0, 2.0]])
BOUNDS = {80: (np.array([[0.0, 1.0]]), np.array([[3.0, 4.0]])), 95: (np.array([[-1.0, 0.0]]), np.array([[4.0, 6.0]]))}


def test_crps_by_hand():
    # Pinball losses of the quantiles 50, 10, 90, 2.5 and 97.5 %, doubled, averaged.
    first = (1 + 2 * (0.1 * 1 + 0.1 * 2 + 0.025 * 2 + 0.025 * 3)) / 5
    second = (3 + 2 * (0.1 * 4 + 0.9 * 1 + 0.025 * 5 + 0.025 * 1)) / 5
    np.testing.assert_allclose(rolling_scores.crps(Y, MEDIAN, BOUNDS), [[first, second]])


def test_crps_is_that_of_a_backtest():
    generator = np.random.default_rng(0)
    y, median, width = generator.normal(size=(3, 4, 5))
    bounds = {level: (median - factor * abs(width), median + abs(width)) for level, factor in ((80, 1), (95, 2))}
    np.testing.assert_allclose(rolling_scores.crps(y, median, bounds), scores._crps(y, median, bounds))


def test_crps_without_intervals_is_the_absolute_error():
    assert rolling_scores.crps(Y, MEDIAN, {}).tolist() == [[1, 3]]


def test_interval_score_by_hand():
    # Width 3, the second value is 1 above the upper bound: 2 / 0.2 = 10 more.
    assert rolling_scores.interval_score(Y, *BOUNDS[80], 80).tolist() == [[3, 13]]


def test_the_scale_skips_missing_values_and_is_nan_for_a_constant():
    past = np.array([[np.nan, 1.0, 2.0, 4.0], [3.0, 3.0, 3.0, 3.0]])
    np.testing.assert_equal(rolling_scores.naive_scale(past, 1), [1.5, np.nan])
    np.testing.assert_equal(rolling_scores.naive_scale(past, 2), [3, np.nan])


def test_summary_by_hand():
    later = Forecasts(MEDIAN, {80: (MEDIAN - 4, MEDIAN + 5), 95: BOUNDS[95]}, {"horizon": np.array([1.0])}, 2, 3)
    first = Forecasts(MEDIAN, BOUNDS, {"horizon": np.array([0.0])}, 1, 1)
    truth, scale = np.stack([Y, Y]), np.array([[2.0], [2.0]])
    result = rolling_scores.summary(truth, [first, later], scale)
    expected = {"values": 4, "MAE": 2, "MASE": 1, "coverage-80": 0.75, "coverage-95": 1, "MSIS-95": 5.5 / 2}
    expected |= {"coverage-first": 1, "coverage-last": 0.5, "coverage-worst": 0.5, "width-80": 3, "width-ratio": 3}
    expected |= {"sum-horizon": 0.5, "seconds": 3, "CPU": 4}
    assert result.pop("CRPS") > 0
    assert result == pytest.approx(expected)


def test_series_have_equal_weights_however_many_values_they_have():
    truth = np.array([[[1.0, 1.0], [3.0, np.nan]]])
    forecasts = Forecasts(np.zeros((2, 2)), {})
    assert rolling_scores.summary(truth, [forecasts], np.ones((1, 2)))["MAE"] == 2


def test_a_part_scores_the_chosen_values_only():
    chosen = np.array([[[False, True]]])
    result = rolling_scores.summary(Y[None], [Forecasts(MEDIAN, BOUNDS)], np.ones((1, 1)), chosen)
    assert (result["values"], result["MAE"], result["coverage-80"], result["width-80"]) == (1, 3, 0, 3)


def test_sums_use_whole_paths():
    # Two series whose paths cancel: the sum over the series is 0 on every path.
    paths = np.arange(-5.0, 6.0)[:, None, None] * np.array([[1.0, 1.0], [-1.0, -1.0]])
    hits = rolling_scores.sum_hits(paths, np.array([[4.0, 4.0], [4.5, 4.5]]))
    assert hits["horizon"].tolist() == [1, 0]  # 8 and 9 in the interval -8 to 8
    assert hits["series"].tolist() == [0, 0]
    assert hits["all"] == 0
    np.testing.assert_equal(rolling_scores.sum_hits(paths[:, :1], np.array([[0.0, np.nan]])), {"horizon": [np.nan]})


@pytest.mark.parametrize(("total", "hit"), [(15.9, 1), (16.1, 0)])
def test_sums_of_series_with_the_same_errors_are_wide(total, hit):
    paths = np.arange(-5.0, 6.0)[:, None, None] * np.ones((2, 2))  # the 80 % interval of each value is -4 to 4
    hits = rolling_scores.sum_hits(paths, np.full((2, 2), total / 4))
    assert (hits["horizon"].tolist(), hits["series"].tolist(), hits["all"]) == ([hit] * 2, [hit] * 2, hit)


@pytest.mark.parametrize(("shift", "before"), [(-0.35, 18), (0.6, 30)])
def test_the_shift_of_the_admissions(shift, before):
    shifted, plain = (generated.admissions(size, before, seed=3)["y"].to_numpy() for size in (shift, 0.0))
    assert len(shifted) == 144
    np.testing.assert_allclose(shifted[:-before], plain[:-before])
    np.testing.assert_allclose(shifted[-before:], (1 + shift) * plain[-before:])


@pytest.mark.parametrize(("freq", "length"), [("MS", 96), ("QS", 48), ("W-SUN", 104), ("YS", 30)])
def test_a_collection_is_complete_positive_and_reproducible(freq, length):
    table = generated.collection(freq, length, series=4, seed=1)
    pd.testing.assert_frame_equal(table, generated.collection(freq, length, series=4, seed=1))
    assert not table["y"].equals(generated.collection(freq, length, series=4, seed=2)["y"])
    assert (table["y"] > 0).all()
    for _, series in table.groupby("unique_id"):
        assert pd.DatetimeIndex(series["ds"]).equals(pd.date_range(series["ds"].iloc[0], periods=length, freq=freq))


def test_the_load_responds_to_cold_and_heat_only():
    table = generated.load(weeks=20)
    cold, heat = np.maximum(15 - table["temperature"], 0), np.maximum(table["temperature"] - 22, 0)
    week = np.eye(168)[np.arange(len(table)) % 168]
    coefficients = np.linalg.lstsq(np.column_stack([cold, heat, week]), table["y"], rcond=None)[0]
    np.testing.assert_allclose(coefficients[:2], [12, 18], rtol=0.15)


def test_shops_share_shocks_promotions_and_holidays():
    table = generated.shops(seed=1)
    day = pd.DatetimeIndex(table["ds"])
    effects = [table["promotion"], table["holiday"], np.cos(2 * np.pi * (day.day_of_year - 350) / 365)]
    dummies = [np.eye(11)[pd.factorize(table["unique_id"])[0]], np.eye(7)[day.day_of_week][:, 1:]]
    design = np.column_stack([*effects, *dummies])
    logarithms = np.log(table["y"] + 0.5)  # in which the effects, which are factors, are sums
    coefficients = np.linalg.lstsq(design, logarithms, rcond=None)[0]
    np.testing.assert_allclose(np.exp(coefficients[:2]), [1.3, 0.5], rtol=0.08)
    rest = table.assign(y=logarithms - design @ coefficients)
    correlation = rolling_sets.side_by_side(rest, "y").corr().to_numpy()[np.triu_indices(11, 1)]
    own = 0.05**2 + 1 / 50 + table.groupby("unique_id")["y"].transform(lambda y: 1 / y.mean()).mean()
    assert correlation.mean() == pytest.approx(0.12**2 / (0.12**2 + own), rel=0.25)  # of the shared shock


def test_shops_that_open_close_or_sell_rarely():
    table = generated.shops(opened={8: 21}, closed={9: 30}, intermittent=(10,))
    shops = {name: shop["y"].to_numpy() for name, shop in table.groupby("unique_id")}
    assert table["ds"].max() == pd.Timestamp("2024-12-31")
    assert len(shops["shop08"]) == 21
    assert (shops["shop09"][-30:] == 0).all()
    assert shops["shop09"][-31] > 0
    assert (shops["shop10"] == 0).mean() > 0.7
    assert 28 * shops["shop10"].mean() == pytest.approx(32, rel=0.15)


def test_a_window_holds_only_the_past_and_future_covariates():
    shops = rolling_sets.make("shops", 0, 3, None)
    truth = shops.truth()
    for k, ((past, future), at) in enumerate(zip(shops.windows(), shops.positions(), strict=True)):
        cutoff = shops.wide.index[at - 1]
        assert past["ds"].max() == cutoff
        assert future.columns.tolist() == ["unique_id", "ds", "promotion", "holiday"]
        assert future.groupby("unique_id")["ds"].agg(["min", "size"]).drop_duplicates().to_numpy().tolist() == [
            [cutoff + pd.Timedelta(days=1), 28]
        ]
        at_first = shops.table[(shops.table["unique_id"] == "shop03") & (shops.table["ds"] > cutoff)]["y"][:28]
        np.testing.assert_array_equal(truth[k, 3], at_first)
    first = next(shops.windows())[0].groupby("unique_id")["y"]
    assert first.size()["shop08"] == 21
    assert (first.get_group("shop09").tail(30) == 0).all()


def test_parts_of_the_shops():
    shops = rolling_sets.make("shops", 0, 1, None)
    chosen = {name: shops.chosen(part) for name, part in shops.parts.items()}
    assert chosen["new"].any(axis=(0, 2)).tolist() == [k == 8 for k in range(11)]
    assert chosen["holidays"][0, 0].sum() == 3  # 24 to 26 December
    assert not chosen["holidays"][0, 8:].any()


def test_naive_references():
    shops = rolling_sets.make("shops", 0, 1, None)
    (past, future), at = next(shops.windows()), shops.positions()[0]
    own = past[past["unique_id"] == "shop02"]["y"].to_numpy()
    methods = dict(references.methods(shops))
    assert (methods["Naive"](shops, past, future, at).median[2] == own[-1]).all()
    np.testing.assert_array_equal(methods["SeasonalNaive"](shops, past, future, at).median[2], np.tile(own[-7:], 4))


def test_the_ridge_regression_follows_the_temperature():
    pytest.importorskip("sklearn")
    load = rolling_sets.make("load", 0, 1, None)
    (past, future), at = next(load.windows()), load.positions()[0]
    warmer = future.assign(temperature=future["temperature"] + 10)
    change = references.regression(load, past, warmer, at).median - references.regression(load, past, future, at).median
    assert (change > 0).mean() > 0.5  # July: more cooling


def test_the_command_prints_and_saves_the_scores(tmp_path, monkeypatch, capsys):
    small = rolling.Forecaster(hidden_size=4, max_steps=5, ensemble_size=1, strategy="segment", dropout=0.0)
    monkeypatch.setattr(rolling, "Forecaster", lambda seed, season: small.set_params(seed=seed))
    file = tmp_path / "scores.json"
    names = ("admissions-35", "AirPassengers")
    monkeypatch.setattr("sys.argv", ["rolling", "--only", *names, "--origins", "2", "--json", str(file)])
    rolling.main()
    output = capsys.readouterr()
    rows = output.out.splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows[:3]] == [
        f"| admissions-35: {method}" for method in ("Gatewise", "Naive", "SeasonalNaive")
    ]
    assert "AirPassengers skipped, missing: --data" in output.err
    saved = json.loads(file.read_text())["admissions-35"]
    assert saved["origins"] == 2
    assert saved["refit"]
    scores = saved["seeds"]["0"]["admissions-35: Gatewise"]
    assert scores["values"] == 24
    assert 0 <= scores["coverage-80"] <= scores["coverage-95"] <= 1
    assert scores["sum-horizon"] in (0, 0.5, 1)


def test_the_mean_over_seeds_skips_missing_scores():
    runs = [{"a": {"MAE": 1.0, "MASE": np.nan}}, {"a": {"MAE": 3.0, "MASE": 2.0}}]
    assert rolling.averaged(runs) == {"a": {"MAE": 2.0, "MASE": 2.0}}


def test_the_table_of_verdicts():
    cases = [(True, 1.0, 2.0), (True, 2.0, 1.0), (False, 1.0, 1.0), (False, 2.0, 1.0)]
    made = [verdicts.Verdict("a", False, trusted, "Naive", 2.0, model, naive) for trusted, model, naive in cases]
    rows = verdicts.table([*made, made[0]._replace(refit=True, measured=3.0)]).splitlines()[2:]
    assert rows == ["| default | 1 | 1 | 1 | 1 | 2 of 4 | 1 |", "| refit=True | 1 | 0 | 0 | 0 | 1 of 1 | 1.5 |"]


def test_the_later_error_of_naive_forecasts():
    past, later = read(np.array([1.0, 2.0, 3.0])), np.array([4.0, 4.0])
    errors = [verdicts.later_error(name, past, later, 2) for name in ("Naive", "Drift", "SeasonalNaive")]
    assert errors == [1, 0.5, 1.5]
