"""All baselines: finite forecasts, no leakage, and many windows as each one."""

import warnings

import numpy as np
import pandas as pd
import pytest

from gatewise.forecast.baselines import DESCRIPTIONS, NAMES, forecasts
from gatewise.series import Series

SEASON, HORIZON = 6, 8


def hourly_series(sizes=(900, 120, 15, 500), covariates=1, seed=0, gaps=True):
    rng = np.random.default_rng(seed)
    result = []
    for k, size in enumerate(sizes):
        x = rng.normal(size=(size + HORIZON, covariates))
        y = 10 + np.sin(np.arange(size) * 2 * np.pi / SEASON) + x[:size].sum(1) + rng.normal(size=size) / 5
        filled = rng.random(size) < 0.1 if gaps and k % 2 else None
        ds = pd.date_range(f"2024-01-0{1 + k % 2}", periods=size, freq="h")
        result.append(Series(k, ds, y * 10.0**k, filled, known=x[:size], ahead=x[size:]))
    return result


def random_windows(series, count=40, seed=1):
    rng = np.random.default_rng(seed)
    which = rng.integers(0, len(series), count)
    return which, np.array([rng.integers(1, len(series[k]) + 1) for k in which])


def test_every_baseline_is_described_and_the_naive_ones_are_first():
    assert list(DESCRIPTIONS) == list(NAMES)
    assert list(forecasts(hourly_series(), np.array([0]), np.array([50]), 2, 6)) == list(NAMES[:-1])  # not intermittent
    assert list(forecasts(hourly_series(), np.array([0]), np.array([50]), 2, 1)) == [
        name for name in NAMES[:-1] if name != "SeasonalNaive"
    ]
    assert list(forecasts(hourly_series(), np.array([0]), np.array([50]), 2, 6, names=("Theta", "Drift"))) == [
        "Drift",
        "Theta",
    ]
    with pytest.raises(ValueError, match="baseline 'ETS' is unknown, expected one of Naive, Drift"):
        forecasts(hourly_series(), np.array([0]), np.array([50]), 2, 6, names=("ETS",))


@pytest.mark.parametrize("freq", [None, "h"])
@pytest.mark.parametrize("season", [1, SEASON])
def test_many_windows_equal_each_window(freq, season):
    series = hourly_series()
    which, cuts = random_windows(series)
    together = forecasts(series, which, cuts, HORIZON, season, freq=freq)
    for row in range(len(which)):
        alone = forecasts(series, which[[row]], cuts[[row]], HORIZON, season, freq=freq)
        for name, mean in alone.items():
            np.testing.assert_allclose(mean[0], together[name][row], rtol=1e-7, err_msg=name)


@pytest.mark.parametrize("freq", [None, "h"])
def test_values_after_the_cut_and_filled_values_change_nothing(freq):
    series = hourly_series()
    which, cuts = random_windows(series)
    before = forecasts(series, which, cuts, HORIZON, SEASON, freq=freq)
    for row, (k, cut) in enumerate(zip(which, cuts, strict=True)):
        y = series[k].y.copy()
        y[cut:] = -1e6
        if series[k].filled is not None and not series[k].filled[:cut].all():
            y[np.flatnonzero(~series[k].filled[:cut])[-1] + 1 : cut] = 1e6  # filled from later values
        changed = Series(k, series[k].ds, y, series[k].filled, known=series[k].known, ahead=series[k].ahead)
        after = forecasts([changed], np.array([0]), np.array([cut]), HORIZON, SEASON, freq=freq)
        for name, mean in after.items():
            np.testing.assert_allclose(mean[0], before[name][row], rtol=1e-7, err_msg=f"{name} {k} {cut}")


def test_the_length_of_the_series_after_the_cut_changes_nothing():
    (series,) = hourly_series((600,))
    short = Series(
        0, series.ds[:400], series.y[:400], known=series.known[:400], ahead=series.known[400 : 400 + HORIZON]
    )
    arguments = np.array([0]), np.array([400]), HORIZON, SEASON
    for name, mean in forecasts([short], *arguments, freq="h").items():
        np.testing.assert_array_equal(mean, forecasts([series], *arguments, freq="h")[name], err_msg=name)


def test_future_covariates_are_those_of_the_series():
    (series,) = hourly_series((600,))
    bare = Series(0, series.ds, series.y, known=series.known)
    arguments = np.array([0, 0]), np.array([600, 596]), HORIZON, SEASON
    future = np.stack([series.ahead, np.concatenate([np.full((4, 1), np.nan), series.ahead[:4]])])
    expected = forecasts([series], *arguments)["Ridge"]
    np.testing.assert_array_equal(forecasts([bare], *arguments, future=future)["Ridge"], expected)
    usual = forecasts([bare], *arguments)  # without covariates after the end: the seasonal naive forecast
    np.testing.assert_array_equal(usual["Ridge"], usual["SeasonalNaive"])
    assert np.abs(expected - usual["SeasonalNaive"]).max() > 0.1


def test_covariates_of_one_series_do_not_change_another():
    series = hourly_series((600, 500))
    arguments = np.array([1]), np.array([450]), HORIZON, SEASON
    expected = forecasts(series, *arguments, names=("Ridge",))["Ridge"][0]
    for known in (None, 1e14 * series[0].known):
        panel = [Series(0, series[0].ds, series[0].y, known=known), series[1]]
        which, cuts = np.array([1, 0]), np.array([450, 600])
        mean = forecasts(panel, which, cuts, HORIZON, SEASON, names=("Ridge",))["Ridge"]
        np.testing.assert_allclose(mean[0], expected, rtol=1e-9)
        assert np.isfinite(mean).all()


def unusual_series():
    rng, n = np.random.default_rng(0), 90
    noise, steps = rng.normal(size=n), np.arange(n)
    return {
        "constant": np.full(n, 3.0),
        "zeros": np.zeros(n),
        "huge": noise * 1e300,
        "huge and positive": np.abs(noise) * 1e300,
        "tiny": noise * 1e-300,
        "subnormal": np.full(n, 5e-324),
        "zeros, then values": np.where(steps < 70, 0.0, noise),
        "mostly zeros": np.where(rng.random(n) < 0.1, 5.0, 0.0),
        "one jump": np.where(steps < 50, 1.0, 1e12),
        "nearly constant": 1e9 + 1e-6 * noise,
        "wide range": np.exp(20 * noise),
        "growth": np.exp(steps),
        "a pure season": np.tile([1.0, 2.0, 3.0, 4.0, 5.0, 9.0], 15),
    }


@pytest.mark.parametrize("kind", unusual_series())
@pytest.mark.parametrize("season", [1, 6, 24, 50])
def test_forecasts_are_finite_and_silent(kind, season):
    y = unusual_series()[kind]
    x = np.random.default_rng(1).normal(size=(100, 2)) * [1, 1e12]
    series = [
        Series("plain", pd.date_range("2024-01-01", periods=90, freq="h"), y),
        Series("covariates", pd.RangeIndex(90), y, known=x[:90], ahead=x[90:]),
        Series("filled", pd.RangeIndex(90), y, np.arange(90) % 3 == 1),
        Series("all filled", pd.RangeIndex(90), np.zeros(90), np.ones(90, bool)),
    ]
    cuts = np.array([1, 2, 3, 4, 5, 8, 13, 24, 30, 47, 60, 89, 90])
    for one_series in series:
        freq = "h" if isinstance(one_series.ds, pd.DatetimeIndex) else 1
        with warnings.catch_warnings(), np.errstate(all="raise"):
            warnings.simplefilter("error")
            by_name = forecasts([one_series], np.zeros(len(cuts), int), cuts, 10, season, freq=freq)
        for name, mean in by_name.items():
            assert np.isfinite(mean).all(), (name, one_series.unique_id)
            if kind in ("constant", "zeros", "subnormal") and one_series.unique_id != "all filled":
                np.testing.assert_allclose(mean, y[0], rtol=1e-9)


@pytest.mark.parametrize(
    "freq", ["YS", "QS", "MS", "W-SUN", "SMS", "B", "D", "7D", "h", "6h", "15min", "min", "7min", "s"]
)
def test_every_frequency_has_a_calendar(freq):
    ds = pd.date_range("2020-01-01", periods=400, freq=freq, tz="Europe/Berlin" if freq in ("D", "h") else None)
    y = 5 + np.random.default_rng(0).normal(size=400)
    mean = forecasts([Series("A", ds, y)], np.array([0, 0]), np.array([300, 400]), 5, 7, freq=freq)
    assert all(np.isfinite(part).all() for part in mean.values())
    assert not np.array_equal(mean["Ridge"], mean["SeasonalNaive"])


def test_no_windows_give_empty_forecasts():
    nothing = np.empty(0, int)
    by_name = forecasts([], nothing, nothing, 3, 12)
    assert {name: mean.shape for name, mean in by_name.items()} == dict.fromkeys(NAMES, (0, 3))
