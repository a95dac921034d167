"""Output: tables have the library and the types of the data; CSV files."""

import dataclasses

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.datasets import air_passengers
from gatewise.series import Forecast, Series, as_pandas, read, to_frame, to_table, write_csv
from tests.series_tables import AIR, MONTHS, SOURCES


def forecast(name="A", ds=MONTHS[:2], levels=(95, 80)):
    bounds = {level: (np.full(2, -level, float), np.full(2, level, float)) for level in levels}
    return Forecast(name, ds, np.array([1.0, 2.0]), "LSTM", bounds, paths=np.zeros((3, 2)))


@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_forecasts_are_one_long_table(backend):
    frame = to_frame([forecast("A"), forecast("B")], backend)
    assert type(frame).__module__.startswith(backend)
    assert list(frame.columns) == ["unique_id", "ds", "LSTM", "LSTM-lo-80", "LSTM-hi-80", "LSTM-lo-95", "LSTM-hi-95"]
    assert list(frame["unique_id"]) == ["A", "A", "B", "B"]
    assert [list(frame[column]) for column in frame.columns[2:]] == [[1, 2, 1, 2]] + [
        [v] * 4 for v in (-80, 80, -95, 95)
    ]
    assert [str(date)[:10] for date in frame["ds"]] == ["2020-01-01", "2020-02-01"] * 2


@pytest.mark.parametrize("kind", [pl.Date, pl.Datetime("us"), pl.Datetime("us", "Europe/Berlin")])
def test_polars_dates_keep_their_type_so_that_tables_join(kind):
    source = pl.DataFrame({"ds": MONTHS.to_list(), "y": range(30)}).with_columns(pl.col("ds").cast(pl.Datetime("us")))
    source = source.with_columns(pl.col("ds").dt.replace_time_zone(getattr(kind, "time_zone", None)).cast(kind))
    panel = read(source)
    result = to_frame([forecast(ds=panel.series[0].ds[5:7])], panel.backend, date_only=panel.date_only)
    assert result["ds"].dtype == kind
    assert result.join(source, on="ds")["y"].to_list() == [5, 6]


@pytest.mark.parametrize("source", ["pandas", "polars dates", "polars datetimes"])
def test_tables_keep_the_library_and_types_of_the_data(source):
    panel = read(SOURCES[source][0])
    frame = pd.DataFrame({"model": ["LSTM", "Naive"], "cutoff": panel.series[0].ds[:2], "MASE": [0.5, 1.0]})
    result = to_table(frame, panel.backend, date_only=panel.date_only)
    assert type(result).__module__.startswith(panel.backend)
    assert panel.backend == "pandas" or result["cutoff"].dtype == SOURCES[source][0]["ds"].dtype
    pd.testing.assert_frame_equal(as_pandas(result), frame, check_dtype=False)


def test_integer_time_remains_integers():
    assert to_frame([forecast(ds=pd.Index([3, 4]))], "polars")["ds"].to_list() == [3, 4]


def test_forecasts_that_do_not_fit_one_table_are_refused():
    with pytest.raises(
        ValueError, match="expected forecasts of one model with the same levels and quantiles, got none"
    ):
        to_frame([])
    kinds = r"got \[\('LSTM', \(80,\), \(\)\), \('LSTM', \(80, 95\), \(\)\)\]; make a table of each"
    with pytest.raises(ValueError, match=kinds):
        to_frame([forecast(), forecast(levels=(80,))])
    with pytest.raises(ValueError, match="make a table of each"):
        to_frame([forecast(), dataclasses.replace(forecast(), quantiles={0.5: np.ones(2)})])


@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_csv_files_are_written_whole_with_plain_dates(tmp_path, backend):
    path = tmp_path / "forecast.csv"
    write_csv(to_frame([forecast(levels=())], backend), path)
    assert path.read_text() == "unique_id,ds,LSTM\nA,2020-01-01,1.0\nA,2020-02-01,2.0\n"
    assert [file.name for file in tmp_path.iterdir()] == ["forecast.csv"]


def test_a_symbolic_link_is_preserved(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "forecast.csv")
    write_csv(to_frame([forecast()]), tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "forecast.csv").read_text().startswith("unique_id,ds,LSTM")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "forecast.csv"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_csv(to_frame([forecast()]), path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("forecast.csv", "old")]
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere; create it first"):
        write_csv(to_frame([forecast()]), tmp_path / "nowhere" / "forecast.csv")


def test_a_written_table_reads_back(tmp_path):
    write_csv(air_passengers(), tmp_path / "air.csv")
    (series,) = read(tmp_path / "air.csv").series
    assert isinstance(series, Series)
    assert (series.y == AIR["y"]).all()
    assert len(series) == 144
