"""Cutoffs and backtests: each forecast equals `fit` and `predict` on the table up to the cutoff."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, Forecaster, datasets
from gatewise.forecast import baselines, naive, seasonal_naive
from gatewise.forecast.evaluation.cutoffs import Cutoffs, cut_off, known_at
from gatewise.forecast.model import selection
from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.ensemble import Ensemble
from gatewise.forecast.model.selection import Selection
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.windows import Difference
from tests.waves import (
    SMALL,
    STRATEGY_NAMES,
    noisy,
    select_series,
    series,
    table,
    tables,
    untrained,
    wave,
    window_scaling,
)

QUICK = {"hidden_size": 6, "max_steps": 8, "ensemble_size": 1, "batch_size": 32, "season": 4, "context": 8}
LENGTHS = (40, 57, 33)

# ------------------------------------------------------------------------------------------------- cutoffs


@pytest.mark.parametrize(("horizon", "windows", "step"), [(3, 1, 3), (3, 4, 3), (4, 3, 1), (2, 3, 5)])
def test_cutoffs_end_a_horizon_before_each_series(horizon, windows, step):
    result = Cutoffs.of([series(noisy(n)) for n in LENGTHS], horizon, windows, step)
    expected = [
        (k, n - horizon - step * (windows - 1 - stage), stage)
        for k, n in enumerate(LENGTHS)
        for stage in range(windows)
    ]
    assert list(zip(result.which.tolist(), result.cuts.tolist(), result.stages.tolist(), strict=True)) == expected
    for stage in range(windows):
        assert result.first(stage) == [n - horizon - step * (windows - 1 - stage) for n in LENGTHS]


def gapped(n=40, gap=slice(20, 26), **parts):
    """A series whose gap is filled by a line that depends on values after the gap."""
    filled = np.zeros(n, bool)
    filled[gap] = True
    y = noisy(n)
    y[gap] = np.linspace(100, 500, gap.stop - gap.start)
    return series(y, filled=filled, **parts)


def test_a_series_at_a_cut_does_not_depend_on_later_values():
    one_series = gapped(past=np.arange(80.0).reshape(40, 2), known=np.arange(40.0)[:, None], static=np.ones(1))
    cut = cut_off(one_series, 23)
    assert len(cut) == len(cut.ds) == len(cut.filled) == len(cut.past) == len(cut.known) == 23
    np.testing.assert_array_equal(cut.y, [*one_series.y[:20], one_series.y[19], one_series.y[19], one_series.y[19]])
    np.testing.assert_array_equal(cut.past, one_series.past[:23])
    np.testing.assert_array_equal(cut.static, one_series.static)
    np.testing.assert_array_equal(known_at(one_series, 23).y[23:], one_series.y[23:])
    assert one_series.y[22] > 100  # the series itself is unchanged
    for untouched in (20, 27, 40):
        np.testing.assert_array_equal(known_at(one_series, untouched).y, one_series.y)


def test_a_past_of_only_filled_values_is_unchanged():
    one_series = gapped(gap=slice(0, 30))
    np.testing.assert_array_equal(known_at(one_series, 25).y, one_series.y)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("difference", [Difference(0), Difference(1)])
def test_forecasts_from_cutoffs_equal_those_of_the_truncated_series(strategy, difference):
    several = [series(noisy(60)), gapped(60, slice(30, 50)), series(noisy(45, seed=3))]
    model = untrained(window_scaling(strategy, season=4, context=8, segment=4, difference=difference, reach=5))
    if strategy == "one-step":
        model = untrained(window_scaling(strategy, season=4, context=8, difference=difference))
    selection = Selection(model, None, 4, 1, None, ())
    cutoffs = Cutoffs.of(several, 6, 3, 5)
    dataset, cuts = cutoffs.dataset(selection, slice(None), cutoffs.first(0))
    forecasts = model.extrapolate(dataset, cuts, 6)[0]
    for k, (which, cut) in enumerate(zip(cutoffs.which, cutoffs.cuts, strict=True)):
        alone = Dataset.of([cut_off(several[which], cut)], model.scaling, until=[cutoffs.first(0)[which]])
        np.testing.assert_allclose(forecasts[k], model.extrapolate(alone, alone.ends, 6)[0][0], rtol=1e-5)


# ------------------------------------------------------------------------------------------------- many series


def before_the_end(data, back):
    """A table without the last values of each series."""
    return pd.concat([part.iloc[: len(part) - back] for _, part in data.groupby("unique_id")], ignore_index=True)


COLUMNS = ["LSTM", "LSTM-lo-80", "LSTM-hi-80", "LSTM-lo-95", "LSTM-hi-95"]


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("step", [None, 2])
def test_each_forecast_equals_predict_at_its_cutoff(strategy, step):
    data, model = tables(LENGTHS), Forecaster(**QUICK, strategy=strategy, dropout=0.0, horizon=5)
    result = model.backtest(data, 5, windows=2, step=step, refit=True)
    for stage, back in enumerate((5 + (step or 5), 5)):
        forecasts = model.fit(before_the_end(data, back)).predict(5)
        rows = result.forecasts.groupby("unique_id").nth(slice(5 * stage, 5 * stage + 5))
        np.testing.assert_array_equal(rows[COLUMNS], forecasts[COLUMNS])
        assert rows["ds"].tolist() == forecasts["ds"].tolist()


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_without_refit_later_cutoffs_use_the_first_model(strategy):
    data, model = tables(LENGTHS), Forecaster(**QUICK, strategy=strategy, dropout=0.0, horizon=5)
    result = model.backtest(data, 5, windows=3, refit=False)
    model.fit(before_the_end(data, 15))
    for stage, back in enumerate((15, 10, 5)):
        forecasts = model.predict(5, table=before_the_end(data, back))
        rows = result.forecasts.groupby("unique_id").nth(slice(5 * stage, 5 * stage + 5))
        # the floor of a window's spread depends on the series up to the first cutoff
        np.testing.assert_allclose(rows["LSTM"], forecasts["LSTM"], rtol=1e-6 if stage == 0 else 0.02)


def test_outcomes_and_baselines_are_those_of_each_series():
    data = tables(LENGTHS)
    result = Forecaster(**QUICK, strategy="segment", dropout=0.0).backtest(data, 4, windows=3, step=2)
    assert result.season == 4
    assert result.trained == "networks for each window, trained on 3 series"
    for name, part in result.forecasts.groupby("unique_id"):
        one_series = select_series(data, name)
        for stage, cut in enumerate((len(one_series) - 8, len(one_series) - 6, len(one_series) - 4)):
            rows, past = part.iloc[4 * stage : 4 * stage + 4], one_series["y"].to_numpy()[:cut]
            assert set(rows["cutoff"]) == {one_series["ds"][cut - 1]}
            np.testing.assert_array_equal(rows["y"], one_series["y"][cut : cut + 4])
            np.testing.assert_array_equal(rows["Naive"], naive(past, 4))
            np.testing.assert_array_equal(rows["SeasonalNaive"], seasonal_naive(past, 4, 4))
            np.testing.assert_allclose(rows["Drift"], baselines.drift(past, 4))


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_a_backtest_of_many_does_not_see_what_it_forecasts(strategy, refit):
    data = tables(LENGTHS)
    changed = data.copy()
    for part in data.groupby("unique_id").groups.values():
        changed.loc[part[-5:], "y"] *= 3
    model = Forecaster(**QUICK, strategy=strategy)
    first, other = (model.backtest(rows, 5, windows=2, refit=refit).forecasts for rows in (data, changed))
    pd.testing.assert_frame_equal(first[COLUMNS], other[COLUMNS], check_exact=True)
    assert not np.allclose(first["y"], other["y"])


def test_series_too_short_for_the_windows_are_excluded_with_a_guess():
    data = tables((40, 9, 33))
    result = Forecaster(**QUICK, strategy="segment", dropout=0.0).backtest(data, 5, windows=2)
    assert set(result.forecasts["unique_id"]) == {"A", "C"}
    reason = "too short for 2 windows of 5: fewer than 3 + 2 x 5 values"
    assert f"excluded from the backtest: 1 of 3 series ({reason}): 'B'" in result.guesses
    with pytest.raises(DataError, match=r"2 windows of 5 leave 0 for training, .* in all: 15 \+ 2 x 5\); use a longer"):
        Forecaster(**QUICK).backtest(tables((9, 8)), 5, windows=2)


def test_excluded_series_are_not_part_of_a_backtest():
    data = tables((40, 33))
    data.loc[50, "y"] = np.nan
    model = Forecaster(**QUICK, strategy="segment", dropout=0.0)
    result = model.backtest(data, 5, windows=1, on_bad="skip")
    assert set(result.forecasts["unique_id"]) == {"A"}
    with pytest.raises(DataError, match="series 'B'"):
        model.backtest(data, 5, windows=1)


# ------------------------------------------------------------------------------------------------- one series


def test_affordable_windows_leave_enough_to_train_on():
    model = Forecaster(**SMALL)
    assert model.affordable_windows(datasets.air_passengers(), 24) == 3
    assert model.affordable_windows(table(wave(60)), 12) == 2
    assert model.affordable_windows(wave(12), 3) == 0
    for y, horizon in ((wave(12), 2), (wave(40), 7), (wave(61), 20)):
        windows = model.affordable_windows(y, horizon)
        if windows:
            model.backtest(y, horizon, windows=windows)


@pytest.mark.parametrize(("values", "horizon", "windows", "step"), [(60, 4, 1, None), (60, 6, 2, 3), (144, 24, 3, 8)])
def test_the_number_of_windows_that_a_verdict_suggests_can_be_used(values, horizon, windows, step):
    model, y = Forecaster(**SMALL), wave(values)
    verdict = model.backtest(y, horizon, windows=windows, step=step).verdict
    (suggested,) = re.findall(r"little evidence; use windows=(\d+) \(--windows \1\)", verdict)
    assert windows < int(suggested) <= 10
    assert len(model.backtest(y, horizon, windows=int(suggested), step=step).held.which) == int(suggested)


def test_a_verdict_on_a_short_series_suggests_no_more_windows():
    result = Forecaster(**SMALL).backtest(datasets.air_passengers(), 24, windows=3)
    assert "Three test windows are little evidence; the series is too short for more." in result.verdict


def test_networks_or_models_are_trained_for_each_window(monkeypatch):
    networks, compared = [], []
    tasks, train = TrainingConfiguration.tasks, TrainingConfiguration.train_with_validation

    def counted_tasks(self, dataset):
        networks.append(len(dataset.series[0]))
        return tasks(self, dataset)

    def counted_train(self, dataset, *arguments):
        compared.append(len(dataset.series[0]))
        return train(self, dataset, *arguments)

    monkeypatch.setattr(TrainingConfiguration, "tasks", counted_tasks)
    monkeypatch.setattr(TrainingConfiguration, "train_with_validation", counted_train)
    for refit, expected in ((False, ([90], [90])), (None, ([90, 100, 110], [90])), (True, ([90, 100, 110],) * 2)):
        networks.clear(), compared.clear()
        Forecaster(**SMALL).backtest(wave(), 10, windows=3, refit=refit)
        assert (networks, compared) == expected
    networks.clear()
    many = pd.concat([table(wave(60)).assign(unique_id=str(k)) for k in range(21)])
    Forecaster(**SMALL).backtest(many, 5, windows=2)  # more data: one model, unless asked for more
    assert networks == [50]


def test_networks_of_later_windows_keep_the_choices_of_the_first():
    y = wave(150) + noisy(150, 1)
    model = Forecaster(hidden_size=4, max_steps=20, ensemble_size=1)
    result = model.backtest(y, 12, windows=2)
    past = Forecaster(**{**model.get_params(), "horizon": 12}).fit(y[:126])
    assert result.delivered == (past.state.selection.delivered.describe("LSTM"),) * 2
    np.testing.assert_allclose(result.forecasts["LSTM"][:12], past.predict(12)["LSTM"])


def test_a_backtest_can_fit_the_forecaster_at_the_same_time():
    together, one_by_one = Forecaster(**SMALL), Forecaster(**SMALL)
    result = together.backtest(wave(), 10, windows=2, fit=True)
    expected = one_by_one.backtest(wave(), 10, windows=2)
    with pytest.raises(RuntimeError, match="not fitted"):
        one_by_one.predict(3)
    one_by_one.fit(wave())
    np.testing.assert_array_equal(result.forecasts["LSTM"], expected.forecasts["LSTM"])
    np.testing.assert_array_equal(together.predict(5)["LSTM"], one_by_one.predict(5)["LSTM"])
    assert together.guesses == one_by_one.guesses
    assert result.guesses == expected.guesses


# ------------------------------------------------------------------------------------------------- the backtest


def pretend(monkeypatch, forecast):
    """Replace training and forecasting: the forecast is a function of the last value."""

    def extrapolate(self, dataset, cuts, horizon, future=None):
        last = np.stack([dataset.series[0].y[cut - 1] for cut in (cuts - dataset.fronts[0]).tolist()])
        mean = np.repeat(forecast(last)[:, None], horizon, 1)
        return mean, np.ones_like(mean)

    def train(self, dataset, report=None):
        cuts, steps = self.validation_set(dataset).cutoffs()
        forecasts = extrapolate(None, dataset, cuts, steps)
        return dataclasses.replace(untrained(dataset.scaling), error=1.0, validation_forecasts=forecasts)

    def train_ensemble(self, first, dataset, measured):
        yield []
        return first

    def naive_only(*arguments, names=None, **options):
        return baseline_forecasts(*arguments, names=names or baselines.NAIVE_NAMES, **options)

    baseline_forecasts = selection.baseline_forecasts
    monkeypatch.setattr(selection, "baseline_forecasts", naive_only)
    monkeypatch.setattr(Ensemble, "extrapolate", extrapolate)
    monkeypatch.setattr(TrainingConfiguration, "train_with_validation", train)
    monkeypatch.setattr(TrainingConfiguration, "train_ensemble", train_ensemble)


def test_scores_are_those_of_the_forecasts():
    data = table(wave() + np.random.default_rng(0).normal(0, 3, 120))
    result = Forecaster(**SMALL).backtest(data, 12, windows=3)
    assert result.forecasts["cutoff"].unique().tolist() == data["ds"].iloc[[83, 95, 107]].tolist()
    np.testing.assert_array_equal(result.forecasts["y"], data["y"].iloc[84:])
    for k, cut in enumerate((84, 96, 108)):
        past, part = data["y"].to_numpy()[:cut], result.forecasts.iloc[12 * k : 12 * k + 12]
        np.testing.assert_array_equal(part["Naive"], naive(past, 12))
        np.testing.assert_array_equal(part["SeasonalNaive"], past[-12:])
        rows = result.scores[result.scores["cutoff"] == data["ds"].iloc[cut - 1]].set_index("model")
        for name in ("LSTM", "Naive", "SeasonalNaive"):
            assert rows.loc[name, "MAE"] == pytest.approx(np.abs(part["y"] - part[name]).mean())
            assert rows.loc[name, "MASE"] == pytest.approx(
                np.abs(part["y"] - part[name]).mean() / np.abs(past[12:] - past[:-12]).mean()
            )
        inside = (part["LSTM-lo-80"] <= part["y"]) & (part["y"] <= part["LSTM-hi-80"])
        assert rows.loc["LSTM", "coverage-80"] == pytest.approx(inside.mean())
    assert result.overall["LSTM"]["RMSE"] == pytest.approx(
        result.scores.loc[result.scores["model"] == "LSTM", "RMSE"].mean()
    )


def test_the_last_window_equals_predict():
    data = table(wave())
    result = Forecaster(**SMALL).backtest(data, 12, windows=1)
    forecasts = Forecaster(**SMALL).fit(data.iloc[:-12]).predict(12)
    np.testing.assert_array_equal(result.forecasts["LSTM-hi-95"], forecasts["LSTM-hi-95"])


def test_a_backtest_leaves_the_forecaster_unchanged():
    model = Forecaster(**SMALL).fit(wave())
    before = model.predict(3)
    model.backtest(wave(60), 5, windows=1)
    pd.testing.assert_frame_equal(before, model.predict(3), check_exact=True)


@pytest.mark.parametrize(
    ("error", "message"),
    [(0.5, "is worth using: 50 % better"), (0.97, "no better than"), (1.0, "no better than"), (1.5, "Do not trust")],
)
def test_the_verdict_follows_from_the_errors(monkeypatch, error, message):
    pretend(monkeypatch, lambda last: last + 1 - error)  # errs by `error` where the naive forecast errs by 1
    y = np.repeat(np.arange(40.0), 5)  # each stretch of five is 1 above the one before
    y[0] = 1000.0  # so that the drift forecast goes down
    result = Forecaster(context=4, strategy="one-step", fallback="none").backtest(y, 5, windows=2)
    assert result.overall["Naive"]["MAE"] == 1
    assert message in result.verdict
    assert "the naive forecast (the last value)" in result.verdict
    assert ("2 of 2" if error < 1 else "0 of 2") in result.verdict


def test_a_periodic_series_is_backtested_without_a_mase():
    result = Forecaster(**SMALL, season=2).backtest(np.tile([1.0, 2.0], 40), 4, windows=2)
    assert np.isnan(result.overall["LSTM"]["MASE"])
    assert result.overall["SeasonalNaive"]["MAE"] == 0
    assert "Do not trust" in result.verdict
    assert "MASE" not in result.verdict
    assert result.table().splitlines()[1].split()[-1] == "-"


def test_the_drift_forecast_is_a_baseline(monkeypatch):
    pretend(monkeypatch, lambda last: last)
    result = Forecaster(context=4, strategy="one-step", fallback="none").backtest(
        3.0 * np.arange(60.0) + 5, 4, windows=2
    )
    assert result.overall["Drift"]["MAE"] == pytest.approx(0, abs=1e-9)
    assert result.overall["Naive"]["MAE"] == pytest.approx(7.5)  # 3, 6, 9 and 12 too low
    assert "Do not trust the LSTM here: the drift forecast" in result.verdict
    assert result.forecasts["Drift"].tolist() == pytest.approx(result.forecasts["y"].tolist())
