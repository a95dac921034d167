"""Forecasts and backtests work unchanged in other libraries, which compute the same scores."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster, datasets, metrics
from gatewise.series import as_pandas, to_table

BACKENDS = ["pandas", "polars"]


def table(backend: str) -> Any:
    return to_table(datasets.air_passengers().tail(72).reset_index(drop=True), backend)


def quick(**arguments: Any) -> Forecaster:
    return Forecaster(**{"hidden_size": 4, "context": 12, "ensemble_size": 1, "max_steps": 1, **arguments})


def utilsforecast_scores(scores: Any, metric: str) -> pd.DataFrame:
    """Scores of one metric, a row for each cutoff and a column for each model."""
    data = as_pandas(scores)
    return data[data["metric"] == metric].set_index("cutoff").drop(columns=["unique_id", "metric"])


def gatewise_scores(scores: Any, metric: str) -> pd.DataFrame:
    return as_pandas(scores).pivot_table(index="cutoff", columns="model", values=metric)


# ------------------------------------------------------------------------------------------------- utilsforecast


@pytest.mark.parametrize("backend", BACKENDS)
def test_utilsforecast_gives_the_same_scores_of_a_backtest(backend):
    evaluation, losses = (pytest.importorskip(f"utilsforecast.{name}") for name in ("evaluation", "losses"))
    data = table(backend)
    backtest = quick().backtest(data, 6, windows=3)
    mase = partial(losses.mase, seasonality=12)
    scores = evaluation.evaluate(backtest.forecasts, [losses.mae, losses.rmse, losses.smape, mase], train_df=data)
    # utilsforecast: |y - f| / (|y| + |f|), from 0 to 1; Gatewise: in percent of the mean size, from 0 to 200 as in M4.
    for name, metric, factor in (("MAE", "mae", 1), ("RMSE", "rmse", 1), ("sMAPE", "smape", 200), ("MASE", "mase", 1)):
        expected = factor * utilsforecast_scores(scores, metric)
        pd.testing.assert_frame_equal(
            gatewise_scores(backtest.scores, name)[expected.columns],
            expected,
            check_names=False,
            check_index_type=False,
        )


@pytest.mark.parametrize("backend", BACKENDS)
def test_utilsforecast_gives_the_same_coverage_of_a_backtest(backend):
    evaluation, losses = (pytest.importorskip(f"utilsforecast.{name}") for name in ("evaluation", "losses"))
    backtest = quick().backtest(table(backend), 6, windows=3, level=(50, 80))
    # Naive forecasts have no intervals, so models= must name the LSTM.
    scores = evaluation.evaluate(backtest.forecasts, [losses.coverage], models=["LSTM"], level=[50, 80])
    for level in (50, 80):
        expected = utilsforecast_scores(scores, f"coverage_level{level}")["LSTM"]
        assert expected.tolist() == pytest.approx(
            gatewise_scores(backtest.scores, f"coverage-{level}")["LSTM"].tolist()
        )


def test_utilsforecast_gives_the_same_metrics_for_zeros_and_for_values_outside_intervals():
    losses = pytest.importorskip("utilsforecast.losses")
    rng = np.random.default_rng(0)
    y, f = np.append(0.0, rng.normal(size=40)), np.append(0.0, rng.normal(size=40))
    lo, hi = f - 0.5, f + 0.5
    data = pd.DataFrame({"unique_id": "a", "y": y, "M": f, "M-lo-80": lo, "M-hi-80": hi})
    pairs = {
        "smape": (200 * losses.smape(data, ["M"])["M"], metrics.smape(y, f)),
        "coverage": (losses.coverage(data, ["M"], level=80)["M"], metrics.coverage(y, lo, hi)),
        "pinball": (losses.quantile_loss(data, {"M": "M-lo-80"}, q=0.1)["M"], metrics.pinball(y, lo, quantile=0.1)),
    }
    for name, (expected, score) in pairs.items():
        assert score == pytest.approx(expected.item()), name


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_forecast_joined_with_the_actual_values_is_scored_by_utilsforecast(backend):
    evaluation, losses = (pytest.importorskip(f"utilsforecast.{name}") for name in ("evaluation", "losses"))
    data = table(backend)
    forecast = quick().fit(data[:-6]).predict(6, level=(80, 95))
    join = forecast.merge if backend == "pandas" else forecast.join
    joined = join(data[-6:], on=["unique_id", "ds"])
    assert len(joined) == 6
    scores = as_pandas(evaluation.evaluate(joined, [losses.mae, losses.mqloss], level=[80, 95])).set_index("metric")
    assert scores.loc["mae", "LSTM"] == pytest.approx(
        metrics.mae(data["y"][-6:].to_numpy(), forecast["LSTM"].to_numpy())
    )
    assert np.isfinite(scores.loc["mqloss", "LSTM"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_utilsforecast_draws_forecasts_and_backtests(backend):
    plotting = pytest.importorskip("utilsforecast.plotting")
    pytest.importorskip("matplotlib").use("Agg")
    data = table(backend)
    model = quick()
    figure = plotting.plot_series(data, model.fit(data).predict(6, level=(80, 95)), level=[80, 95])
    assert [line.get_label() for line in figure.axes[0].lines] == ["y", "LSTM"]
    assert len(figure.axes[0].collections) == 2  # the intervals
    # Without models=, plot_series draws y and cutoff as models too.
    figure = plotting.plot_series(data, model.backtest(data, 6).forecasts, models=["LSTM", "Naive"])
    assert [line.get_label() for line in figure.axes[0].lines] == ["y", "LSTM", "Naive"]


# -------------------------------------------------------------------------------------------------- scikit-learn


def test_a_parameter_grid_of_scikit_learn_works_with_forecasters():
    selection, base = (pytest.importorskip(f"sklearn.{name}") for name in ("model_selection", "base"))
    grid = selection.ParameterGrid({"cell": ["lstm", "gru"], "hidden_size": [2, 4]})
    fitted = quick().fit([float(step % 5) for step in range(40)])
    for chosen in grid:
        again = base.clone(fitted).set_params(**chosen)
        assert again.get_params() == quick(**chosen).get_params()
        assert again.fit([float(step % 5) for step in range(40)]).predict(2, level=()).columns[-1] == again.name
    assert len(grid) == 4
