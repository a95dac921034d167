"""Series and a quick forecaster that the tests of the sktime adapter share."""

import numpy as np
import pandas as pd

from gatewise import Forecaster, datasets
from gatewise.sktime import GatewiseForecaster

QUICK = GatewiseForecaster.get_test_params()[0]


def passengers() -> pd.Series:
    return datasets.air_passengers().set_index("ds")["y"].to_period("M")


def series(index: pd.Index) -> pd.Series:
    return pd.Series(np.random.default_rng(0).normal(size=len(index)).cumsum(), index)


def forecast(y: pd.Series, steps: int) -> np.ndarray:
    return Forecaster(**QUICK).fit(y).predict(steps, level=())["LSTM"].to_numpy()


def several(*lengths: int, columns: tuple[str, ...] = ("y",)) -> pd.DataFrame:
    """A panel of daily series, which begin together."""
    dates = pd.date_range("2020-01-01", periods=max(lengths), freq="D")
    rows = [(f"{name}", date) for name, length in zip("abc", lengths, strict=False) for date in dates[:length]]
    values = np.random.default_rng(0).normal(size=(len(rows), len(columns))).cumsum(axis=0)
    return pd.DataFrame(values, pd.MultiIndex.from_tuples(rows, names=["shop", "day"]), list(columns))


def long(y: pd.DataFrame) -> pd.DataFrame:
    """The columns and instances of a panel as Gatewise has many series."""
    columns = [y[column].rename("y").reset_index().assign(column=column) for column in y.columns]
    table = pd.concat(columns, ignore_index=True).rename(columns={"day": "ds"})
    return table.assign(unique_id=table["shop"] + "/" + table["column"])[["unique_id", "ds", "y"]]
