"""`gatewise classify`: the columns of test files and of saved models, copies, and refusals without torch."""

import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gatewise import Classifier
from gatewise.cli import main

pytestmark = pytest.mark.usefixtures("folder")
SMALL = ["--hidden-size", "4", "--epochs", "1", "--quiet"]
N, T = 40, 10
GENERATOR = np.random.default_rng(0)
X = np.cumsum(GENERATOR.normal(size=(N, T)), 1).round(3)
Y = GENERATOR.permutation(np.repeat(["walk", "run"], N // 2))
NAMES = {"numbers": [f"t{k}" for k in range(T)], "words": list("ABCDEFGHIJ")}


def rows(names, x=X):
    return pd.DataFrame(x, columns=names).assign(label=Y)


def predicted(capsys, path, *arguments):
    """Probabilities, or the error."""
    if main(["classify", *arguments, "--out", "out.csv", "--quiet"]):
        return capsys.readouterr().err
    return pd.read_csv(path)["p(walk)"].to_numpy()


@pytest.fixture(params=["test", "model"])
def classify(request, capsys):
    """Predict a file as --test of a training, or with a saved model: the same network, the same columns."""

    def run(training, test, suffix="csv"):
        options = {"sep": "\t"} if suffix == "tsv" else {}
        training.to_csv(f"train.{suffix}", index=False, **options)
        test.to_csv(f"test.{suffix}", index=False, **options)
        if request.param == "test":
            return predicted(capsys, "out.csv", f"train.{suffix}", "--test", f"test.{suffix}", *SMALL)
        assert main(["classify", f"train.{suffix}", "--test-fraction", "0", "--save", "m.safetensors", *SMALL]) == 0
        return predicted(capsys, "out.csv", f"test.{suffix}", "--model", "m.safetensors")

    return run


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
@pytest.mark.parametrize("kind", NAMES)
def test_columns_are_compared_by_name(classify, kind, suffix):
    names = NAMES[kind]
    train, test = rows(names), rows(names, X + 0.5)
    expected = classify(train, test, suffix)
    assert len(expected) == N
    backwards = classify(train, test[[*names[::-1], "label"]], suffix)
    shuffled = classify(train, test[["label", names[3], *names[:3], *names[4:]]], suffix)
    if kind == "numbers":  # put in order
        assert backwards == pytest.approx(expected, abs=1e-7)
        assert shuffled == pytest.approx(expected, abs=1e-7)
    else:
        assert "its columns in another order: 'J' where the training has 'A'; expected the columns" in backwards
        assert "its columns in another order: 'D' where the training has 'A'" in shuffled
    assert f"has no column '{names[5]}'" in classify(train, test.drop(columns=names[5]), suffix)
    renamed = classify(train, test.rename(columns={names[5]: names[5] + "bc"}), suffix)
    assert "no step" in renamed or f"no column '{names[5]}' and unexpected columns '{names[5]}bc'" in renamed
    total = classify(train, test.assign(total=X.sum(1)), suffix)
    assert "column 'total' is no step" in total or "unexpected columns 'total'" in total


def test_sequences_of_other_lengths_have_more_or_fewer_numbers(classify):
    names = NAMES["numbers"]
    train, test = rows(names), rows(names)
    assert len(classify(train, test.drop(columns=names[7:]))) == N
    assert len(classify(train.drop(columns=names[7:]), test)) == N


def test_channels_are_compared_by_name(capsys):
    long = pd.DataFrame({"k": np.repeat(range(N), T), "a": X.ravel(), "b": 2 * X.ravel(), "label": np.repeat(Y, T)})
    options = ["--layout", "long", "--id", "k"]
    long.to_csv("a.csv", index=False)
    assert main(["classify", "a.csv", "--save", "m.safetensors", *options, *SMALL]) == 0
    long[["k", "b", "a"]].to_csv("b.csv", index=False)
    error = predicted(capsys, "out.csv", "b.csv", "--model", "m.safetensors", *options)
    assert "its columns in another order: 'b' where the training has 'a'" in error
    long[["k", "a", "b"]].to_csv("b.csv", index=False)
    assert len(predicted(capsys, "out.csv", "b.csv", "--model", "m.safetensors", *options)) == N


def test_a_model_without_names_reads_by_position(capsys):
    Classifier(hidden_size=4, epochs=1).fit(X, Y).save("m.safetensors")
    rows(NAMES["words"]).to_csv("a.csv", index=False)
    assert len(predicted(capsys, "out.csv", "a.csv", "--model", "m.safetensors")) == N


def test_a_copy_of_the_training_file_is_no_test_set(capsys):
    rows(NAMES["numbers"]).to_csv("a.csv", index=False)
    shutil.copy("a.csv", "b.csv")
    assert main(["classify", "a.csv", "--test", "b.csv", *SMALL]) == 2
    assert "--test b.csv is a copy of a.csv, the training data; give other sequences" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "a,b\n1,2\n3\n\n4,5,6\n"),
        ("a.csv", "k,t,v,label\n" + "".join(f"{k},{t},{k * t % 7},x\n" for k in range(9) for t in range(9))),
        ("a.ts", "no header\n"),
        ("a.arff", "no header\n"),
        ("a.npz", "no archive"),
        ("a.tsv", "x\ty\tlabel\nu\tv\tw\n"),
        ("a.xyz", "unknown"),
    ],
    ids=str,
)
def test_files_that_cannot_be_used_are_refused_without_torch(folder, name, content):
    (folder / name).write_text(content)
    Classifier(hidden_size=4, epochs=1).fit(X, Y).save("m.safetensors")
    for more in ([], ["--model", "m.safetensors"]):
        command = ["classify", name, *more]
        script = f"import sys, gatewise.cli as c; print(c.main({command!r}), 'torch' in sys.modules)"
        printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        assert printed.splitlines()[-1] == "2 False"
