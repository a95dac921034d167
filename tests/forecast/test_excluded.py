"""Invalid series are excluded, or forecast naively."""

import numpy as np
import pytest

from gatewise import DataError, Forecaster
from gatewise.forecast import seasonal_naive
from tests.forecast.several import COLUMNS, QUICK, assert_same_table, fitted
from tests.waves import select_series, tables


def invalid_table():
    """B has a gap, C is too short, and E has no value."""
    data = tables((60, 97, 2, 33, 40))
    data.loc[100, "y"] = np.nan
    data.loc[data["unique_id"] == "E", "y"] = np.nan
    return data


@pytest.mark.parametrize("on_bad", ["skip", "naive"])
def test_invalid_series_are_excluded(on_bad):
    data = invalid_table()
    model = Forecaster(**QUICK, season=6, strategy="segment").fit(data, on_bad=on_bad)
    excluded = model.excluded()
    assert sorted(excluded["unique_id"]) == ["B", "C", "E"]
    reasons = excluded.set_index("unique_id")["reason"]
    assert "is missing" in reasons["B"]
    assert reasons["C"] == "series 'C' has 2 values, expected at least 3"
    forecasts = model.predict(8)
    assert sorted(set(forecasts["unique_id"])) == (["A", "D"] if on_bad == "skip" else ["A", "B", "C", "D"])
    reference = Forecaster(**QUICK, season=6, strategy="segment").fit(data[data["unique_id"].isin(["A", "D"])])
    assert_same_table(forecasts[forecasts["unique_id"].isin(["A", "D"])], reference.predict(8), exact=True)
    if on_bad == "naive":
        b, c = (select_series(data, name)["y"].ffill().to_numpy() for name in "BC")
        np.testing.assert_array_equal(select_series(forecasts, "B")["LSTM"], seasonal_naive(b, 8, 6))
        np.testing.assert_array_equal(select_series(forecasts, "C")["LSTM"], np.repeat(c[-1], 8))
        assert select_series(forecasts, "B")[COLUMNS[1:]].isna().all(axis=None)
        assert select_series(forecasts, "B")["ds"].tolist() == select_series(forecasts, "A")["ds"].tolist()


def test_an_invalid_series_is_refused_by_default():
    with pytest.raises(DataError, match="series 'B'"):
        Forecaster(**QUICK).fit(invalid_table())
    short = tables((60, 2))
    with pytest.raises(DataError, match="series 'B' has 2 values, expected at least 3; use a longer series, or on_bad"):
        Forecaster(**QUICK).fit(short)
    assert len(fitted().excluded()) == 0
