"""Labels in long runs: a row for each time step is refused, and a table sorted by class is read."""

import numpy as np
import pandas as pd
import pytest

from gatewise.datasets import FileError, control_charts, read_rows
from tests.datasets.remedies import options

GENERATOR = np.random.default_rng(0)
N = 1200
NOISE = GENERATOR.normal(size=(N, 14))
DRIFT = 0.1 * np.cumsum(NOISE, 0) + GENERATOR.uniform(4000, 4500, 14)
EEG = ["AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4"]


def recording(values, names, labels, label="label"):
    """A row for each time step, runs of equal length."""
    values = values[:, : len(names)]
    return pd.DataFrame(values, columns=names).assign(**{label: np.repeat(labels, N // len(labels))})


@pytest.mark.parametrize(
    "frame",
    [
        recording(
            NOISE + np.r_[0, 0, 9.8, np.zeros(11)], ["acc_x", "acc_y", "acc_z"], ["walk", "run", "sit"], "activity"
        ),
        recording(NOISE, ["accX", "accY", "accZ"], ["walk", "run", "walk", "sit"], "activity"),
        recording(DRIFT, EEG, [0, 1, 0, 1], "eyeDetection"),
        recording(DRIFT, [f"V{k}" for k in range(14)], [0, 1, 0, 1], "Class"),
        recording(DRIFT, [f"V{k}" for k in range(14)], [0, 1], "Class"),
        recording(NOISE, ["x", "z"], GENERATOR.permutation(np.repeat(["a", "b"], 30))),
        recording(NOISE, ["x", "z"], [f"s{k}" for k in range(60)]),
        recording(NOISE, ["volts"], ["on", "off", "on", "off"]),
        recording(0.5 * NOISE + DRIFT, ["temperature", "humidity", "light"], ["empty", "busy"]),
    ],
    ids=["sorted axes", "axes", "eeg", "V", "V sorted", "x z", "x z names", "one column", "sorted drift"],
)
def test_labels_in_long_runs_are_refused_and_both_readings_work(tmp_path, frame):
    label = frame.columns[-1]
    for k, form in enumerate([{}, {"sep": "\t"}, {"sep": ";", "decimal": ","}]):
        frame.to_csv(tmp_path / f"{k}.csv", index=False, **form)
        with pytest.raises(FileError, match="add a column") as refused:
            read_rows(tmp_path / f"{k}.csv")
    rows = read_rows(tmp_path / "0.csv", **options(str(refused.value), 1))
    np.testing.assert_allclose(rows.x[..., 0], frame.drop(columns=label).to_numpy(), rtol=1e-12)
    assert rows.y.tolist() == frame[label].tolist()
    runs = (frame[label] != frame[label].shift()).cumsum()
    frame.assign(COL=runs).to_csv(tmp_path / "long.csv", index=False)
    long = read_rows(tmp_path / "long.csv", **options(str(refused.value)))
    assert len(long) == runs.max()
    np.testing.assert_allclose(long.x[0], frame[runs == 1].drop(columns=label).to_numpy(), rtol=1e-12)


WALKS = np.cumsum(GENERATOR.normal(size=(N, 12)), 1)
BEATS = 10 * np.sin(np.arange(12.0)) + 0.1 * GENERATOR.normal(size=(N, 12))
WINDOWS = np.lib.stride_tricks.sliding_window_view(np.cumsum(GENERATOR.normal(size=N + 11)), 12)
T = [f"t{k}" for k in range(12)]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
SORTED = ["a", "b", "c"]
IRIS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


@pytest.mark.parametrize(
    "frame",
    [
        recording(WALKS, T, SORTED),
        recording(WALKS, T, [*SORTED, *SORTED]),  # two tables, each sorted
        recording(BEATS, T, SORTED),
        recording(BEATS, T, [*SORTED, *SORTED]),
        recording(WINDOWS, T, SORTED),
        recording(WINDOWS, T, ["a", "b", "a", "b"]),
        recording(WALKS, MONTHS, SORTED),
        recording(WALKS, MONTHS, GENERATOR.permutation(np.repeat(SORTED, N // 3))),
        recording(NOISE[:, :4] + [5, 3, 4, 1], IRIS, SORTED, "species"),
        recording(np.tile(WALKS[:, :4], (1, 6)), [f"c{k}" for k in range(24)], ["a", "b", "a", "b"]),
    ],
    ids=["walks", "twice", "beats", "beats twice", "windows", "windows in runs", "months", "mixed", "iris", "wide"],
)
def test_tables_of_sequences_in_runs_are_read(tmp_path, frame):
    frame.to_csv(tmp_path / "a.csv", index=False)
    result = read_rows(tmp_path / "a.csv")
    np.testing.assert_allclose(result.x[..., 0], frame.iloc[:, :-1].to_numpy(), rtol=1e-12)


@pytest.mark.parametrize("columns", [5, 12, 20, 60])
def test_sorted_charts_are_read(tmp_path, columns):
    charts = control_charts(each=30)
    frame = pd.DataFrame(charts.x[:, :columns, 0]).add_prefix("t").assign(label=charts.y)
    for table in (frame, frame.sort_values("label"), pd.concat([frame, frame])):
        table.to_csv(tmp_path / "a.csv", index=False)
        assert read_rows(tmp_path / "a.csv").x.shape == (len(table), columns, 1)
