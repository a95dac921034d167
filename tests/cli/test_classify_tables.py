"""`gatewise classify`: how tables are read, and the options that messages print."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest

from gatewise.cli import main

pytestmark = pytest.mark.usefixtures("folder")
SMALL = ["--hidden-size", "4", "--epochs", "1", "--quiet"]
N, T = 40, 9
GENERATOR = np.random.default_rng(0)
X = np.cumsum(GENERATOR.normal(size=(N, T)), 1).round(3)
Y = GENERATOR.permutation(np.repeat(["walk", "run"], N // 2))
ROWS = pd.DataFrame(X).add_prefix("t").assign(label=Y)
LONG = pd.DataFrame({"k": np.repeat(range(N), T), "t": np.tile(range(T), N), "v": X.ravel(), "label": np.repeat(Y, T)})
READ = f"{N} sequences of {T} steps, 1 channel, 2 classes: 'run', 'walk'"


def run(capsys, *arguments):
    code = main(["classify", *arguments, *SMALL])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.parametrize(
    "table",
    [
        LONG,
        LONG.drop(columns="t"),
        LONG.drop(columns="k"),
        LONG.sample(frac=1, random_state=0),
        LONG.assign(t=LONG["t"].map(lambda k: f"2024-03-{k + 1:02}")),
        LONG.rename(columns={"k": "no of person", "t": "time in s"}),
        LONG.assign(age=20 + LONG["k"] // 2),
        pd.concat([pd.Series(1001 + np.arange(N), name="sample_id"), ROWS], axis=1),
        ROWS.assign(fold=GENERATOR.integers(0, 5, N), file=[f"{k}.wav" for k in range(N)]),
        ROWS.assign(place=GENERATOR.choice(["X", "Y"], N)),
    ],
    ids=["long", "no time", "no id", "shuffled", "dates", "blanks in names", "age", "sample", "fold and file", "place"],
)
def test_the_printed_options_read_a_table(folder, capsys, table):
    table.to_csv("a.csv", index=False)
    code, _, error = run(capsys, "a.csv")
    assert (code, "nothing was written" in error or error.startswith("gatewise: a.csv: ")) == (2, True)
    options = shlex.split(re.findall(r"\((--[^()]*)\)", error)[0])
    code, printed, error = run(capsys, "a.csv", *options)
    assert (code, error) == (0, "")
    assert READ in printed


def test_both_files_are_read_with_the_options_and_faults_name_the_file(folder, capsys):
    LONG[: 30 * T].to_csv("train.csv", index=False)
    LONG[30 * T :].to_csv("test.csv", index=False)
    options = ["--layout", "long", "--id", "k", "--time", "t"]
    code, printed, _ = run(capsys, "train.csv", "--test", "test.csv", *options)
    assert (code, "test set: test.csv, 10 sequences" in printed) == (0, True)
    LONG[30 * T :].assign(v=np.where(LONG["t"] == 4, np.nan, LONG["v"])[30 * T :]).to_csv("test.csv", index=False)
    code, _, error = run(capsys, "train.csv", "--test", "test.csv", *options)
    assert (code, "test.csv, line 6, column 'v': no value" in error) == (2, True)
    assert run(capsys, "train.csv", "--test", "test.csv", *options, "--fill", "interpolate")[0] == 0
    LONG[30 * T :].assign(label="sit").to_csv("test.csv", index=False)
    code, _, error = run(capsys, "train.csv", "--test", "test.csv", *options)
    assert (code, "test.csv: label 'sit' is not one of the training classes" in error) == (2, True)


def test_labels_that_are_found_by_their_values_are_printed(folder, capsys):
    ROWS.rename(columns={"label": "zustand"}).to_csv("a.csv", index=False)
    code, printed, _ = run(capsys, "a.csv")
    assert code == 0
    assert f"{READ}\n  labels: column 'zustand', found by its values; label= (--label) names another\n" in printed


@pytest.mark.parametrize("row", [0, 5, N - 1])
def test_a_missing_cell_is_named_by_its_line_before_training(folder, capsys, row):
    table = ROWS.copy()
    table.loc[row, "t3"] = np.nan
    table.to_csv("a.csv", index=False)
    code, _, error = run(capsys, "a.csv")
    assert (code, f"a.csv, line {row + 2}, column 't3': no value" in error) == (2, True)
    assert run(capsys, "a.csv", "--fill", "interpolate")[0] == 0


def test_an_archive_with_channels_first_needs_a_view(folder, capsys):
    np.savez("a.npz", x=X[:, None], y=Y)
    code, _, error = run(capsys, "a.npz")
    assert code == 0  # nine steps are too few to be sure
    np.savez("a.npz", x=np.repeat(X, 3, axis=1)[:, None], y=Y)
    code, _, error = run(capsys, "a.npz")
    assert (code, "read as 1 step of 27 channels; if it is (N, C, T), read 27 steps of 1 channel" in error) == (2, True)
    code, printed, _ = run(capsys, "a.npz", "--view", "columns")
    assert (code, "40 sequences of 27 steps, 1 channel" in printed) == (0, True)
    code, printed, _ = run(capsys, "a.npz", "--view", "rows")
    assert (code, "40 sequences of 1 step, 27 channels" in printed) == (0, True)


def test_both_parts_of_a_numpy_archive_are_used(folder, capsys):
    np.savez("a.npz", X_train=X[:30], y_train=Y[:30], X_test=X[30:], y_test=Y[30:])
    code, printed, _ = run(capsys, "a.npz")
    assert (code, "test set: part of the data set, 10 sequences" in printed) == (0, True)


def test_a_saved_model_reads_a_long_table(folder, capsys):
    ROWS.to_csv("a.csv", index=False)
    LONG.drop(columns="label").to_csv("b.csv", index=False)
    ROWS.drop(columns="label").to_csv("c.csv", index=False)
    assert run(capsys, "a.csv", "--save", "m.safetensors")[0] == 0
    assert main(["classify", "b.csv", "--model", "m.safetensors"]) == 2
    assert "--layout long --id k --time t" in capsys.readouterr().err
    options = ["--layout", "long", "--id", "k", "--time", "t"]
    assert main(["classify", "b.csv", "--model", "m.safetensors", "--out", "b_out.csv", *options]) == 0
    assert main(["classify", "c.csv", "--model", "m.safetensors", "--out", "c_out.csv"]) == 0
    left, right = pd.read_csv("b_out.csv"), pd.read_csv("c_out.csv")
    assert left["probability"].to_numpy() == pytest.approx(right["probability"].to_numpy(), abs=1e-12)


@pytest.mark.parametrize(
    "option", [["--label", "a"], ["--drop", "a"], ["--layout", "long"], ["--fill", "zero"]], ids=str
)
def test_options_of_tables_need_a_table(folder, capsys, option):
    code, _, error = run(capsys, *option)
    assert (code, f"{option[0]} applies to DATA, which is not given" in error) == (2, True)
    np.savez("a.npz", x=X, y=Y)
    code, _, error = run(capsys, "a.npz", *option)
    assert (code, "is for columns" in error) == ((0, False) if option[0] == "--fill" else (2, True))
