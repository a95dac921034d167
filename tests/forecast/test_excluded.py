"""Series that cannot be used: excluded, or forecast naively."""

import numpy as np
import pytest

from gatewise import DataError, Forecaster
from gatewise.forecast import seasonal_naive
from tests.forecast.several import COLUMNS, QUICK, fitted, same
from tests.waves import one_of, tables


def spoilt():
    """B has a hole, C is too short, and E has no value at all."""
    data = tables((60, 97, 2, 33, 40))
    data.loc[100, "y"] = np.nan
    data.loc[data["unique_id"] == "E", "y"] = np.nan
    return data


@pytest.mark.parametrize("on_bad", ["skip", "naive"])
def test_unusable_series_are_excluded(on_bad):
    data = spoilt()
    model = Forecaster(**QUICK, season=6, strategy="segment").fit(data, on_bad=on_bad)
    report = model.excluded()
    assert sorted(report["unique_id"]) == ["B", "C", "E"]
    reasons = report.set_index("unique_id")["reason"]
    assert "is missing" in reasons["B"]
    assert reasons["C"] == "series 'C' has 2 values, expected at least 3"
    made = model.predict(8)
    assert sorted(set(made["unique_id"])) == (["A", "D"] if on_bad == "skip" else ["A", "B", "C", "D"])
    good = Forecaster(**QUICK, season=6, strategy="segment").fit(data[data["unique_id"].isin(["A", "D"])])
    same(made[made["unique_id"].isin(["A", "D"])], good.predict(8), exact=True)
    if on_bad == "naive":
        b, c = (one_of(data, name)["y"].ffill().to_numpy() for name in "BC")
        np.testing.assert_array_equal(one_of(made, "B")["LSTM"], seasonal_naive(b, 8, 6))
        np.testing.assert_array_equal(one_of(made, "C")["LSTM"], np.repeat(c[-1], 8))
        assert one_of(made, "B")[COLUMNS[1:]].isna().all(axis=None)
        assert one_of(made, "B")["ds"].tolist() == one_of(made, "A")["ds"].tolist()


def test_a_bad_series_is_refused_by_default():
    with pytest.raises(DataError, match="series 'B'"):
        Forecaster(**QUICK).fit(spoilt())
    short = tables((60, 2))
    with pytest.raises(DataError, match="series 'B' has 2 values, expected at least 3; use a longer series, or on_bad"):
        Forecaster(**QUICK).fit(short)
    assert len(fitted().excluded()) == 0
