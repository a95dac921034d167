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


def steps_of(clock, name, position):
    """30 runs of 20 rows, six channels, and a column that goes on from row to row."""
    frame = pd.DataFrame(NOISE[:600, :6], columns=["ax", "ay", "az", "gx", "gy", "gz"])
    frame.insert(position, name, clock)
    return frame.assign(label=np.repeat(np.tile(["a", "b", "c"], 10), 20))


MILLISECONDS = GENERATOR.integers(18, 23, 600)


@pytest.mark.parametrize(
    "clock",
    [
        np.cumsum(MILLISECONDS),
        np.cumsum(MILLISECONDS.reshape(30, 20), 1).ravel(),
        (0.02 * np.arange(600)).round(2),
        pd.Timestamp("2024-01-01") + pd.to_timedelta(np.cumsum(MILLISECONDS), "ms"),
    ],
    ids=["ms", "ms anew", "seconds", "dates"],
)
@pytest.mark.parametrize(("name", "position"), [("ts", 6), ("time", 0), ("q", 6)])
def test_a_column_that_rises_within_runs_is_the_time_in_both_remedies(tmp_path, clock, name, position):
    frame = steps_of(clock, name, position)
    frame.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(FileError, match="add a column") as refused:
        read_rows(tmp_path / "a.csv")
    values = NOISE[:600, :6]
    rows = read_rows(tmp_path / "a.csv", **options(str(refused.value), 1))
    np.testing.assert_allclose(rows.x[..., 0], values, rtol=1e-12)
    frame.assign(COL=np.arange(600) // 20).sample(frac=1, random_state=0).to_csv(tmp_path / "long.csv", index=False)
    long = read_rows(tmp_path / "long.csv", **options(str(refused.value)))
    found = sorted(map(tuple, long.x.reshape(30, -1)))
    np.testing.assert_allclose(found, sorted(map(tuple, values.reshape(30, -1))), rtol=1e-12)


def smooth_noise(count, columns, kept=0.97):
    """Each row is `kept` of the row before it, and noise."""
    rows = [GENERATOR.normal(size=columns)]
    for _ in range(count - 1):
        rows.append(kept * rows[-1] + np.sqrt(1 - kept**2) * GENERATOR.normal(size=columns))
    return np.array(rows)


@pytest.mark.parametrize("channels", [3, 6, 14])
@pytest.mark.parametrize("labels", [["walk", "sit"], ["walk", "sit", "run"], [0, 1]], ids=str)
def test_numbered_columns_that_are_smooth_down_the_rows_only_are_refused(tmp_path, channels, labels):
    values = smooth_noise(600, channels)
    frame = pd.DataFrame(values).add_prefix("ch").assign(label=np.repeat(labels, 600 // len(labels)))
    frame.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(FileError, match="add a column") as refused:
        read_rows(tmp_path / "a.csv")
    rows = read_rows(tmp_path / "a.csv", **options(str(refused.value), 1))
    np.testing.assert_allclose(rows.x[..., 0], values, rtol=1e-12)
    frame.assign(COL=np.arange(600) // 50).to_csv(tmp_path / "long.csv", index=False)
    long = read_rows(tmp_path / "long.csv", **options(str(refused.value)))
    np.testing.assert_allclose(long.x.reshape(values.shape), values, rtol=1e-12)


PHASES = np.sin(np.arange(14) * 0.4 + GENERATOR.uniform(0, 6.3, (600, 1)))
LEVELS = smooth_noise(600, 1) + 0.05 * NOISE[:600]  # one level for each row, which drifts


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "values",
    [NOISE[:600], PHASES, smooth_noise(14, 600).T, WALKS[:600], WINDOWS[:600], LEVELS],
    ids=["noise", "sines", "smooth", "walks", "windows", "levels"],
)
def test_sequences_sorted_by_class_are_read(tmp_path, values, classes):
    for steps in (3, 6, values.shape[1]):
        frame = (
            pd.DataFrame(values[:, :steps]).add_prefix("t").assign(label=np.repeat(SORTED[:classes], 600 // classes))
        )
        frame.to_csv(tmp_path / "a.csv", index=False)
        assert read_rows(tmp_path / "a.csv").x.shape == (600, steps, 1)
