"""Tables with a row for each time step: refused with the options that read them, and read with them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.datasets import FileError, read_rows, read_sequences
from tests.datasets.remedies import follow

N, T = 20, 7
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(N, T, 2)).round(3)
Y = GENERATOR.permutation(np.repeat(["walk", "run"], N // 2))
DAYS = pd.date_range("2024-01-30", periods=T)


def long(x=X, y=Y):
    """A row for each step: k numbers the sequences, t the steps."""
    rows = [(k, t, *step, y[k]) for k, sequence in enumerate(x) for t, step in enumerate(sequence)]
    return pd.DataFrame(rows, columns=["k", "t", *(f"c{c}" for c in range(len(x[0][0]))), "label"])


LONG = long()
WHOLE = LONG.assign(
    c0=(9 * LONG["c0"]).round().astype(int),
    c1=(9 * LONG["c1"]).round().astype(int),
    label=(LONG["label"] == "run").astype(int),
)
SHUFFLED = LONG.sample(frac=1, random_state=0)
ORDER = SHUFFLED["k"].drop_duplicates().tolist()
LENGTHS = [int(n) for n in GENERATOR.integers(3, 12, N)]
RAGGED = [GENERATOR.normal(size=(n, 2)).round(3) for n in LENGTHS]
TRIALS = LONG.assign(person=LONG["k"] // 4, trial=LONG["k"] % 4).drop(columns="k")


def check(result, x=X, y=Y):
    assert len(result) == len(x)
    for sequence, expected in zip(result.x, x, strict=True):
        np.testing.assert_array_equal(sequence, expected)
    assert y is None or result.y.tolist() == list(y)


@pytest.mark.parametrize(
    ("table", "x", "y"),
    [
        (LONG, X, Y),
        (LONG.rename(columns={"k": "proband", "t": "tick", "label": "Activity"}), X, Y),
        (LONG.assign(k="p" + LONG["k"].astype(str)), X, Y),
        (LONG.assign(k=10 * LONG["k"] + 1000, t=LONG["t"] + 1), X, Y),
        (LONG.assign(t=[*DAYS.astype(str)] * N), X, Y),
        (LONG.assign(t=[*DAYS.strftime("%d.%m.%Y")] * N), X, Y),
        (LONG.assign(t=[*DAYS.strftime("%d/%m/%Y")] * N), X, Y),
        (LONG.assign(t=pd.date_range("2024-01-01", periods=N * T, freq="s")), X, Y),
        (LONG.assign(t=(0.02 * LONG["t"]).round(2)), X, Y),
        (LONG.assign(t=LONG["t"] + np.linspace(0, 0.5, N * T).round(3)), X, Y),
        (LONG.drop(columns="k"), X, Y),
        (LONG.drop(columns="t"), X, Y),
        (LONG.drop(columns="t").assign(k="p" + LONG["k"].astype(str)), X, Y),
        (LONG.sort_values(["t", "k"]), X, Y),
        (SHUFFLED, X[ORDER], Y[ORDER]),
        (LONG.drop(columns="c1"), X[..., :1], Y),
        (LONG.assign(c0=(9 * LONG["c0"]).round().astype(int), c1=1), None, Y),
        (LONG.assign(label=(LONG["label"] == "run").astype(int)), X, (Y == "run").astype(int)),
        (LONG.rename(columns={"label": "zustand"}), X, Y),
        (LONG[["label", "k", "t", "c0", "c1"]], X, Y),
        (WHOLE.drop(columns="t"), None, (Y == "run").astype(int)),
        (long(RAGGED), RAGGED, Y),
        (long(RAGGED).drop(columns="t"), RAGGED, Y),
        (long(X[:2], ["a", "b"]), X[:2], ["a", "b"]),
        (long(X[:2], ["a", "b"]).drop(columns="t"), X[:2], ["a", "b"]),
        (long(X[:3, :4], ["a", "b", "a"]), X[:3, :4], ["a", "b", "a"]),
        (TRIALS, X, Y),
        (TRIALS.assign(person="p" + TRIALS["person"].astype(str), trial="t" + TRIALS["trial"].astype(str)), X, Y),
        (LONG.assign(age=20 + LONG["k"] // 3), X, Y),
        (LONG.assign(row=range(N * T)), X, Y),
        (LONG.drop(columns="label"), X, None),
        (LONG.drop(columns=["label", "t"]), X, None),
        (LONG.rename(columns={"c0": "x", "c1": "y", "label": "activity"}).assign(z=0.5 * LONG["c0"]), None, Y),
    ],
    ids=[
        *("id and time", "other names", "text", "from 1", "dates", "d.m.y", "ambiguous", "going on", "floats"),
        *("irregular", "no id", "no time", "no time, text", "by time", "shuffled", "one channel", "integers"),
        *(
            "integer labels",
            "unknown label",
            "label first",
            "whole, no time",
            "ragged",
            "ragged, no time",
            "two",
            "two, no time",
        ),
        *("small", "trials", "trials as text", "age", "row number", "no labels", "only id", "x, y, z"),
    ],
)
def test_time_steps_are_refused_and_read_with_the_printed_options(tmp_path, table, x, y):
    for name, options in (("a.csv", {}), ("b.csv", {"sep": "\t"}), ("c.csv", {"sep": ";", "decimal": ","})):
        table.to_csv(tmp_path / name, index=False, **options)
        result = follow(
            tmp_path / name, message="as in a table with a row for each time step; read it with layout='long'"
        )
        roles = [
            "k",
            "t",
            "proband",
            "tick",
            "label",
            "Activity",
            "activity",
            "zustand",
            "person",
            "trial",
            "age",
            "row",
        ]
        values = (
            table[[column for column in table if column not in roles]].to_numpy().reshape(N, T, -1) if x is None else x
        )
        check(result, values, y)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_time_steps_in_parquet_are_refused_and_read_with_the_printed_options(tmp_path, make):
    pytest.importorskip("pyarrow")
    frame = LONG.assign(k="p" + LONG["k"].astype(str), t=pd.to_datetime([*DAYS] * N))
    if make is pd.DataFrame:
        frame.to_parquet(tmp_path / "a.parquet")
    else:
        make({name: frame[name].to_list() for name in frame}).write_parquet(tmp_path / "a.parquet")
    check(follow(tmp_path / "a.parquet"))


def test_rows_of_one_person_may_be_sequences(tmp_path):
    """Both readings are possible, and both remedies are right."""
    x, y = X.reshape(N, 2 * T), np.repeat(["ill", "well"], N // 2)
    table = pd.DataFrame(x).add_prefix("t").assign(label=y)
    table.insert(0, "person", np.repeat(range(4), 5))
    table.to_csv(tmp_path / "a.csv", index=False)
    check(follow(tmp_path / "a.csv", choice=1), x[..., None], y)
    check(follow(tmp_path / "a.csv"), x.reshape(4, 5, -1), y[::5])


@pytest.mark.parametrize("time", [np.arange(300), pd.date_range("2024-01-01", periods=300, freq="min").astype(str)])
def test_one_recording_is_refused(tmp_path, time):
    steps = GENERATOR.normal(size=(300, 2))
    table = pd.DataFrame({"t": time, "ax": steps[:, 0], "ay": steps[:, 1], "label": np.repeat(list("abc"), 100)})
    table.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(FileError, match=r"'t' goes on in equal steps over all rows; .* add a column COL .* --time t"):
        read_rows(tmp_path / "a.csv")
    table.assign(COL=np.repeat(range(6), 50)).to_csv(tmp_path / "b.csv", index=False)
    result = read_rows(tmp_path / "b.csv", layout="long", id_column="COL", time_column="t")
    check(result, steps.reshape(6, 50, 2), list("aabbcc"))


def test_smooth_rows_without_a_column_of_sequences_are_refused(tmp_path):
    steps = np.stack([np.cumsum(GENERATOR.normal(size=300)) / 10, 5 + np.sin(np.arange(300) / 30)], 1)
    table = pd.DataFrame(steps, columns=["ax", "ay"]).assign(label=np.repeat(list("abc"), 100))
    table.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(FileError, match=r"each row differs little from the one before it|labels in 3 runs"):
        read_rows(tmp_path / "a.csv")
    np.testing.assert_array_equal(read_rows(tmp_path / "a.csv", layout="rows").x[..., 0], steps)


def test_labels_that_change_within_a_sequence_are_refused(tmp_path):
    table = LONG.assign(label=np.where(LONG["t"] < np.array(LENGTHS)[LONG["k"]] / 2, "a", "b"))
    table.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(FileError, match="its labels, column 'label', change within a sequence"):
        read_rows(tmp_path / "a.csv")
    with pytest.raises(
        FileError, match=r"column 'label' is 'a' in line 2 and 'b' in line .*, which are of one sequence"
    ):
        read_rows(tmp_path / "a.csv", layout="long", id_column="k", time_column="t")


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"id_column": "who"}, "has no column 'who'"),
        ({}, {"id_column": "k", "label": "k"}, "named as labels and as sequences"),
        ({}, {"id_column": "k"}, r"columns that are no channels \(column 't': it numbers the steps\).*drop=\['t'\]"),
        ({"t": 1}, {"id_column": "k", "time_column": "t"}, "sequence 0 has time 1 twice, in line 2 and line 3"),
        (
            {"k": LONG["k"] % 5},
            {"id_column": "k", "time_column": "t"},
            "has time 0 twice, in line 2 and line 37; .*--id COL,COL",
        ),
        ({"k": LONG["k"] % 5, "t": None}, {"id_column": "k", "drop": ["t"]}, "begins in line 2 and again in line 37"),
        ({"t": "1/2/2024"}, {"id_column": "k", "time_column": "t"}, "days and months may be swapped; write them like"),
        (
            {"t": ["x1", *range(139)]},
            {"id_column": "k", "time_column": "t"},
            "line 2, column 't': 'x1', expected a number",
        ),
        (
            {"k": [None, *range(139)]},
            {"id_column": "k"},
            "line 2, column 'k': no value, expected the name of a sequence",
        ),
        (
            {"c1": [np.nan if k == 30 else 1.5 for k in range(140)]},
            {"id_column": "k", "time_column": "t"},
            "line 32, column 'c1'",
        ),
        (
            {"c1": ["?" if k == 30 else 1.5 for k in range(140)]},
            {"id_column": "k", "time_column": "t"},
            "line 32, column 'c1': '\\?'",
        ),
        (
            {"age": LONG["k"] // 2},
            {"id_column": "k", "time_column": "t"},
            "column 'age': it has one value in each sequence",
        ),
        ({"age": "x"}, {"id_column": "k", "time_column": "t"}, "column 'age': it holds text.*--drop age"),
        ({"t": LONG["t"] ** 2}, {"time_column": "t", "layout": "long"}, "do not begin anew in equal steps"),
        ({"k": 1.5, "t": 2.5}, {"layout": "long"}, "no column shows which rows are one sequence"),
    ],
    ids=str,
)
def test_invalid_long_tables_are_refused(tmp_path, change, options, message):
    LONG.assign(**change).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(FileError, match=message):
        read_sequences(tmp_path / "a.csv", **{"layout": "long", **options})


def test_arguments_of_another_layout_are_refused(tmp_path):
    LONG.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(ValueError, match=r"id_column= and time_column= \(--id, --time\) are for layout='long'"):
        read_rows(tmp_path / "a.csv", layout="rows", id_column="k")
    with pytest.raises(ValueError, match="layout is 'wide', expected one of rows, long"):
        read_rows(tmp_path / "a.csv", layout="wide")


def test_rows_without_a_time_stay_in_order_and_gaps_are_filled(tmp_path):
    table = LONG.drop(columns="t").assign(c1=[np.nan if k == 30 else float(k) for k in range(N * T)])
    table.to_csv(tmp_path / "a.csv", index=False)
    result = read_rows(tmp_path / "a.csv", layout="long", id_column="k", fill="interpolate")
    assert result.x[4, 2].tolist() == [X[4, 2, 0], 30.0]


@pytest.mark.parametrize("name", ["activity", "state"])
def test_the_column_of_the_labels_may_be_part_of_the_names_of_sequences(tmp_path, name):
    values = np.random.default_rng(0).normal(size=(240, 3))
    users, activities = np.repeat(np.arange(4), 60), np.tile(np.repeat(["walk", "sit", "run"], 20), 4)
    frame = pd.DataFrame(values, columns=["a", "b", "c"]).assign(user=users, **{name: activities})
    frame.to_csv(tmp_path / "a.csv", index=False)
    result = read_rows(tmp_path / "a.csv", id_column=["user", name], label=name)
    np.testing.assert_allclose(result.x.reshape(values.shape), values, rtol=1e-12)
    assert result.y.tolist() == ["walk", "sit", "run"] * 4
    with pytest.raises(FileError, match="named as labels and as sequences or times"):
        read_rows(tmp_path / "a.csv", id_column=name, label=name)
