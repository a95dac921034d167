"""Panel: lengths, tables of many forecasts, and the future dates of many series."""

import numpy as np
import pytest

from gatewise.series import DataError, Forecast, Series, check_length, future, futures, read, to_frame
from tests.series_tables import CALENDARS, MONTHS, table, ten_series


def test_short_series_are_refused_with_the_reason():
    check_length(read(table()), 30, "two seasons")
    with pytest.raises(
        DataError, match=r"series 'y' has 30 values, expected at least 31 \(two seasons\); give a longer series"
    ):
        check_length(read(table()), 31, "two seasons")


def forecasts(lengths, dates=MONTHS):
    for i, length in enumerate(lengths):
        mean = np.arange(length) + 100.0 * i
        yield Forecast(
            f"s{i}", dates[i : i + length], mean, "GRU", {80: (mean - 1, mean + 1), 95: (mean - 2, mean + 2)}
        )


@pytest.mark.parametrize("dates", CALENDARS.values())
@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_a_table_of_forecasts_is_the_concatenation_of_their_tables(backend, dates):
    parts = [*forecasts([3, 1, 5], dates), *forecasts([2], dates)]
    frame = to_frame(parts, backend)
    tables = [to_frame([part], backend) for part in parts]
    assert type(frame).__module__.startswith(backend)
    assert list(frame.columns) == ["unique_id", "ds", "GRU", "GRU-lo-80", "GRU-hi-80", "GRU-lo-95", "GRU-hi-95"]
    for column in frame.columns:
        assert list(frame[column]) == [value for part in tables for value in part[column]]
        assert frame[column].dtype == tables[0][column].dtype


def test_futures_are_shared_by_series_that_end_together():
    series = [Series(i, MONTHS[i % 3 : 20 + i % 2], np.ones(20)) for i in range(12)]
    ahead = futures(series, "MS", 7)
    assert all(index.equals(future(one_series.ds, "MS", 7)) for index, one_series in zip(ahead, series, strict=True))
    assert len({id(index) for index in ahead}) == 2
    panel = read(ten_series())
    assert [len(index) for index in futures(panel, panel.freq, 3)] == [3] * 10
