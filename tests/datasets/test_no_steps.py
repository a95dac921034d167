"""Columns that are no steps: refused with the options that read the table, and tables without them read as they are."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.datasets import FileError, control_charts, read_rows
from tests.datasets.remedies import follow, options

N, T = 60, 12
GENERATOR = np.random.default_rng(0)
X = np.cumsum(GENERATOR.normal(size=(N, T)), 1).round(3)
COUNTS = (10 * X).round().astype(int)
Y = GENERATOR.permutation(np.repeat(["walk", "run", "sit"], N // 3))
DAYS = pd.Timestamp("2024-01-01") + pd.to_timedelta(GENERATOR.integers(0, 400, N), "D")
FOLDS = GENERATOR.integers(0, 5, N)
ROWS = np.arange(N)


def table(x=X, *, last=(), **first):
    """Columns before and after the steps t0, t1, ..., and the labels."""
    steps = pd.DataFrame(x).add_prefix("t").assign(label=Y, **dict(last))
    return pd.concat([pd.DataFrame(first), steps], axis=1)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ({"sample_id": 1001 + ROWS}, {}),
        ({"probe": GENERATOR.permutation(N)}, {}),
        ({"uid": GENERATOR.choice(10**6, N, replace=False)}, {}),
        ({"person": 1 + FOLDS}, {}),
        ({"age": GENERATOR.integers(20, 80, N)}, {}),
        ({"age": GENERATOR.uniform(20, 80, N).round(1)}, {}),
        ({"weight": GENERATOR.uniform(500, 800, N).round(1)}, {}),
        ({}, {"fold": FOLDS}),
        ({}, {"fold": ROWS % 5}),
        ({"file": [f"record{k}.wav" for k in range(N)]}, {}),
        ({"day": DAYS.astype(str)}, {}),
        ({"day": DAYS.strftime("%d.%m.%y")}, {}),
        ({"day": DAYS.strftime("%Y%m%d").astype(int)}, {}),
        ({"time": 1.7e9 + GENERATOR.uniform(0, 1e6, N)}, {}),
        ({"who": GENERATOR.choice(list("ABCDE"), N)}, {}),
        ({"male": FOLDS < 2}, {}),
        ({}, {"code": pd.factorize(Y)[0]}),
        ({"a": ROWS, "b": FOLDS, "c": GENERATOR.integers(20, 80, N)}, {"d": GENERATOR.integers(0, 3, N)}),
        ({"": ROWS}, {}),
    ],
    ids=str,
)
def test_columns_that_are_no_steps_are_refused_and_left_out_as_printed(tmp_path, first, last):
    for x in (X, COUNTS) if set(first) & {"sample_id", "probe", "uid", "person", "fold", "file"} else (X,):
        for name, form in (("a.csv", {}), ("b.csv", {"sep": "\t"}), ("c.csv", {"sep": ";", "decimal": ","})):
            table(x, last=last, **first).to_csv(tmp_path / name, index=False, **form)
            result = follow(tmp_path / name, message="is no step of a sequence")
            np.testing.assert_array_equal(result.x[..., 0], x)
            assert result.y.tolist() == Y.tolist()


def test_a_column_of_the_position_may_be_a_step(tmp_path):
    frame = table(start=ROWS)
    frame.to_csv(tmp_path / "a.csv", index=False)
    result = follow(tmp_path / "a.csv", choice=1)  # --keep start
    np.testing.assert_array_equal(result.x[..., 0], np.column_stack([ROWS, X]))


@pytest.mark.parametrize(
    "column", [ROWS, 10**6 + GENERATOR.choice(10**5, N, replace=False), 5 * GENERATOR.permutation(N)]
)
def test_whole_numbers_without_a_name_of_their_own_are_found_among_whole_numbers(tmp_path, column):
    pd.DataFrame(np.column_stack([column, COUNTS])).assign(label=Y).to_csv(tmp_path / "a.csv", index=False)
    np.testing.assert_array_equal(follow(tmp_path / "a.csv", message="column '0' is no step").x[..., 0], COUNTS)


@pytest.mark.parametrize("dates", [DAYS, DAYS.date, DAYS.tz_localize("Europe/Berlin")], ids=["times", "dates", "zone"])
def test_columns_of_any_type_in_parquet_are_judged(tmp_path, dates):
    pytest.importorskip("pyarrow")
    frame = table(day=dates).assign(label=pd.Categorical(Y)).rename(columns={"label": "zustand"})
    frame.to_parquet(tmp_path / "a.parquet")
    pl.read_parquet(tmp_path / "a.parquet").write_parquet(tmp_path / "b.parquet")
    for name in ("a.parquet", "b.parquet"):
        result = follow(tmp_path / name, message="column 'day' is no step of a sequence: it holds dates or times")
        np.testing.assert_array_equal(result.x[..., 0], X)
        assert result.y.tolist() == Y.tolist()
        assert "zustand" in result.notes[0]


def test_dates_of_each_day_are_refused_with_both_readings(tmp_path):
    table(day=pd.date_range("2024-01-01", periods=N).astype(str)).to_csv(tmp_path / "a.csv", index=False)
    result = follow(tmp_path / "a.csv", choice=1, message="'day' goes on in equal steps over all rows")
    np.testing.assert_array_equal(result.x[..., 0], X)


WALK = np.cumsum(GENERATOR.normal(size=(N, 64)), 1)
SPECTRUM = np.abs(np.fft.rfft(50 + WALK, axis=1))
IMAGES = np.zeros((N, 6, 6), int)
IMAGES[:, 1:5, 1:5] = GENERATOR.integers(0, 256, (N, 4, 4)) * (GENERATOR.random((N, 4, 4)) < 0.7)
PIXELS = IMAGES.reshape(N, -1)
WINDOWS = np.lib.stride_tricks.sliding_window_view(np.cumsum(GENERATOR.normal(size=N + T - 1)), T)
FEATURES = np.column_stack([WALK.mean(1), WALK.std(1), WALK.max(1), (np.diff(np.sign(WALK)) != 0).sum(1), WALK.min(1)])


@pytest.mark.parametrize(
    ("x", "names"),
    [
        (X, None),
        (X - X[:, :1], None),
        (COUNTS, None),
        (np.cumsum(np.abs(X), 1), None),
        (np.cumsum(GENERATOR.integers(1, 5, (N, T)), 1), None),
        (np.exp(np.cumsum(GENERATOR.uniform(0.5, 1.5, (N, T)), 1)).round(), None),
        (GENERATOR.integers(0, 2, (N, T)), None),
        (PIXELS, None),
        (PIXELS / 255, None),
        (SPECTRUM, None),
        (np.maximum(20 * np.log10(SPECTRUM), 20), None),
        (WINDOWS, None),
        (X, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        (X, ["baseline", *(f"week{k}" for k in range(1, T))]),
        (X, [f"{name}-{axis}()" for name in ("mean", "std", "max", "min") for axis in "XYZ"]),
        (FEATURES, ["mean", "std", "max", "crossings", "min"]),
        (X[:3], None),
    ],
    ids=[
        *("walks", "from zero", "counts", "monotone", "monotone counts", "growth", "binary", "pixels", "pixels to 1"),
        *("spectrum", "decibels", "windows", "months", "baseline", "feature names", "features", "three rows"),
    ],
)
def test_tables_of_steps_are_read_as_they_are(tmp_path, x, names):
    frame = pd.DataFrame(x, columns=names or [f"t{k}" for k in range(x.shape[1])])
    for labelled in (frame, frame.assign(label=Y[: len(x)]), frame.assign(label=Y[: len(x)]).sort_values("label")):
        labelled.to_csv(tmp_path / "a.csv", index=False)
        result = read_rows(tmp_path / "a.csv")
        np.testing.assert_allclose(result.x[..., 0], labelled[frame.columns].to_numpy(), rtol=1e-12)
        assert result.notes == ()


def test_charts_are_read_as_they_are(tmp_path):
    charts = control_charts()
    pd.DataFrame(charts.x[..., 0]).assign(label=charts.y).to_csv(tmp_path / "a.csv", index=False)
    np.testing.assert_allclose(read_rows(tmp_path / "a.csv").x, charts.x, rtol=1e-12)


def test_unknown_columns_to_drop_or_keep_are_refused(tmp_path):
    table().to_csv(tmp_path / "a.csv", index=False)
    for name in ("drop", "keep"):
        with pytest.raises(FileError, match=f"has no column 'who'; .*; correct {name}="):
            read_rows(tmp_path / "a.csv", **{name: ["who"]})


PIECES = np.repeat(np.arange(30), 20)
STEPS = GENERATOR.normal(size=(600, 6))
CLOCK = np.cumsum(GENERATOR.integers(18, 23, 600))


@pytest.mark.parametrize("names", [np.arange(30), 7 * np.arange(30) + 100, [f"person {k}" for k in range(30)]], ids=str)
@pytest.mark.parametrize("clock", [True, False])
def test_a_column_that_repeats_with_one_label_is_offered_as_the_sequence_of_time_steps(tmp_path, names, clock):
    frame = pd.DataFrame(STEPS, columns=["ax", "ay", "az", "gx", "gy", "gz"])
    frame = frame.assign(subject=np.asarray(names)[PIECES], label=np.array(["a", "b", "c"])[PIECES % 3])
    frame = (frame.assign(ts=CLOCK) if clock else frame).sample(frac=1, random_state=0)
    frame.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(FileError, match="if each row is a time step of the sequence that column 'subject'") as refused:
        read_rows(tmp_path / "a.csv")
    assert ("add a column COL of the times" in str(refused.value)) != clock
    if not clock:
        frame.assign(COL=frame.index).to_csv(tmp_path / "a.csv", index=False)
    result = read_rows(tmp_path / "a.csv", **options(str(refused.value), -1))
    order = [np.flatnonzero(frame["subject"].unique() == name)[0] for name in names]
    np.testing.assert_allclose(result.x[order].reshape(600, 6), STEPS, rtol=1e-12)
    assert result.y[order].tolist() == ["a", "b", "c"] * 10
