"""Series whose missing values stay missing: what is read, and what stands in for the values in computations."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.series import DataError, read
from gatewise.series.gaps import carried, mask_features, seasonally_carried
from tests.series_tables import daily, table
from tests.waves import series

RANDOM = np.random.default_rng(0)
MASKS = [RANDOM.random(n) < fraction for n in (1, 7, 40) for fraction in (0.1, 0.5, 0.9)]


@pytest.mark.parametrize("season", [1, 3, 7])
@pytest.mark.parametrize("missing", MASKS)
def test_the_last_observed_value_of_the_same_phase_stands_in(missing, season):
    y = RANDOM.normal(size=len(missing))
    y[missing] = np.nan  # never read
    expected = []
    for t in range(len(y)):
        phases = [y[s] for s in range(t, -1, -season) if not missing[s]]
        earlier = [y[s] for s in range(t, -1, -1) if not missing[s]]
        expected.append((phases or earlier or [0.0])[0])
    assert carried(y, missing, season).tolist() == expected


@pytest.mark.parametrize("missing", MASKS)
def test_the_mask_and_the_time_since_the_last_observed_value(missing):
    gap = 0 if not missing[0] else None
    for t, (observed, time) in enumerate(mask_features(missing)):
        gap = 0 if not missing[t] else t + 1 if gap is None else gap + 1  # before the first value: since the start
        assert observed == (not missing[t])
        if not missing[: t + 1].all():
            last = max(s for s in range(t + 1) if not missing[s])
            assert time == pytest.approx(np.log1p(t - last) / np.log(366))
        assert 0 <= time <= 1


def test_a_long_gap_counts_as_a_year():
    assert mask_features(np.arange(1000) > 0)[[365, 366, 999], 1].tolist() == [1, 1, 1]


def test_only_series_with_a_mask_change():
    filled = series([1.0, 5.0, 3.0], filled=np.array([False, True, False]))
    masked = series([1.0, 5.0, 3.0], filled=np.array([False, True, False]), masked=True)
    result = seasonally_carried([filled, masked], 1)
    assert result[0] is filled
    assert result[1].y.tolist() == [1, 1, 3]
    assert [one_series.recorded.tolist()[1] for one_series in (filled, masked)] == [
        5,
        pytest.approx(np.nan, nan_ok=True),
    ]


# ------------------------------------------------------------------------------------------------------- reading


def test_missing_values_and_dates_stay_missing():
    days = pd.to_datetime(["2020-01-01", "2020-01-03", "2020-01-04", "2020-01-05"])
    panel = read(table(days, [3, np.nan, 9, np.nan]), fill="none")
    only = panel.series[0]
    assert only.filled.tolist() == [False, True, True, False, True]
    assert only.y.tolist() == [3, 3, 3, 9, 9]
    np.testing.assert_array_equal(only.recorded, [3, np.nan, np.nan, 9, np.nan])
    frame = panel.frame()
    assert frame.columns.tolist() == ["unique_id", "ds", "y"]
    assert frame["ds"].tolist() == pd.date_range("2020-01-01", periods=5).tolist()
    np.testing.assert_array_equal(frame["y"], only.recorded)
    assert panel.guesses[-1] == (
        "missing: 3 values of series 'y', the first at 2020-01-02; they stay missing, and the network reads a mask"
    )
    assert (panel.fill, only.masked) == ("none", True)


def test_missing_values_before_the_first_value_are_left_out():
    panel = read(table(y=[np.nan, np.nan, *range(28)]), fill="none")
    assert (len(panel.series[0]), panel.series[0].masked, panel.series[0].filled) == (28, False, None)
    assert panel.guesses[-1] == "left out: the first 2 dates of series 'y', without values"


def test_many_series_with_missing_values_share_a_sentence():
    gaps = [daily(f"s{k}", y=[1, np.nan, *range(k, 10 + k)]) for k in range(9)]
    assert read(pd.concat(gaps), fill="none").guesses[-1] == (
        "missing: 9 values of 9 series, the first in series 's0' at 2020-01-02; "
        "they stay missing, and the network reads a mask"
    )


def test_a_panel_is_a_table_in_the_library_of_the_data():
    data = pl.from_pandas(daily(y=[0.0, np.nan, *range(2, 12)]))
    frame = read(data, fill="none").frame()
    assert isinstance(frame, pl.DataFrame)
    assert np.isnan(frame["y"].to_numpy()).nonzero()[0].tolist() == [1]


def test_a_table_without_gaps_is_read_as_without_fill():
    panel, plain = read(table(), fill="none"), read(table())
    assert panel.guesses == plain.guesses
    assert (panel.series[0].masked, panel.series[0].filled) == (False, None)
    assert panel.series[0].y.tolist() == plain.series[0].y.tolist()


def test_like_keeps_the_choice():
    like, gap = read(daily(), fill="none"), daily(y=[0.0, np.nan, *range(2, 12)])
    assert read(gap, like=like).series[0].masked
    assert not read(gap, like=like, fill="previous").series[0].masked
    with pytest.raises(DataError, match="is missing"):
        read(gap, like=read(daily(y=[1.0, np.nan, *range(10)]), fill="previous"))


def test_missing_values_of_covariates_are_refused():
    data = daily().assign(price=[1.0, np.nan, *range(10)])
    with pytest.raises(DataError) as refusal:
        read(data, past="price", fill="none")
    assert str(refusal.value) == (
        "series 's3', row 2 (2020-01-02): no value in past covariate 'price'; "
        "fill='none' keeps only values of the target missing; pass fill=\"previous\" (--fill previous)"
    )
    missing_date = daily().assign(price=1.0).drop(index=4)
    with pytest.raises(DataError, match="no value in past covariate 'price'; fill='none' keeps only"):
        read(missing_date, past="price", fill="none")
    static = daily().assign(size=["big", None, *["big"] * 10])
    with pytest.raises(DataError, match="no value in static covariate 'size'; fill='none' keeps only"):
        read(static, static="size", fill="none")
    missing_value = daily(y=[1.0, np.nan, *range(10)]).assign(price=1.0)
    only = read(missing_value, past="price", fill="none").series[0]
    assert (only.masked, len(only.past)) == (True, 12)


def test_an_unknown_fill_is_refused():
    with pytest.raises(DataError, match=r"fill='mean': expected one of interpolate, previous, zero, none"):
        read(table(), fill="mean")
