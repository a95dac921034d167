"""A model of several series that tests share."""

import pandas as pd

from gatewise import Forecaster
from tests.waves import tables

QUICK = {
    "hidden_size": 6,
    "max_steps": 10,
    "ensemble_size": 1,
    "batch_size": 32,
    "dropout": 0.0,
    "horizon": 6,
    "fallback": "none",
}
LENGTHS = (60, 97, 8, 33)
COLUMNS = ["LSTM", "LSTM-lo-80", "LSTM-hi-80", "LSTM-lo-95", "LSTM-hi-95"]


def fitted(strategy="segment", lengths=LENGTHS, **options):
    return Forecaster(**{**QUICK, "season": 6, "context": 12, **options}, strategy=strategy).fit(tables(lengths))


def assert_same_table(actual, expected, exact=False):
    pd.testing.assert_frame_equal(
        actual.reset_index(drop=True), expected.reset_index(drop=True), check_exact=exact, rtol=1e-4
    )
