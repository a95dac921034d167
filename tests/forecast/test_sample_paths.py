"""Sample paths: their spread, their seed, their limits."""

import pytest

from tests.forecast.several import assert_same_table, fitted
from tests.waves import select_series


def test_paths_of_each_series_are_spread_like_its_intervals():
    model = fitted(max_steps=40)
    drawn, forecasts = model.sample(6, 2000), model.predict(6, level=(50, 80))
    assert drawn.columns.tolist() == ["unique_id", "ds", "path", "LSTM"]
    assert len(drawn) == 4 * 2000 * 6
    joined = drawn.merge(forecasts, on=["unique_id", "ds"], suffixes=("", "-mean"))
    for level in (50, 80):
        inside = joined["LSTM"].between(joined[f"LSTM-lo-{level}"], joined[f"LSTM-hi-{level}"])
        assert inside.mean() == pytest.approx(level / 100, abs=0.06)
    first = drawn[(drawn["unique_id"] == "B") & (drawn["path"] == 7)]
    assert first["ds"].tolist() == select_series(forecasts, "B")["ds"].tolist()


def test_paths_repeat_with_their_seed():
    model = fitted()
    assert_same_table(model.sample(5, 3, seed=1), model.sample(5, 3, seed=1), exact=True)
    assert not model.sample(5, 3, seed=1).equals(model.sample(5, 3, seed=2))
    for options, message in (
        ({"paths": 0}, "paths is 0"),
        ({"paths": 10**12}, "at most 1e.09; use fewer paths"),
        ({"seed": -1}, "seed is -1"),
        ({"horizon": 0}, "horizon"),
    ):
        with pytest.raises(ValueError, match=message):
            model.sample(**{"horizon": 3, **options})
