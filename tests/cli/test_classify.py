"""`gatewise classify`: printed output, files and errors."""

import inspect

import numpy as np
import pandas as pd
import pytest

from gatewise import Classifier, datasets
from gatewise.classify import Scores, stratified_mask
from gatewise.cli import main, options

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("folder")
SMALL = ["--hidden-size", "8", "--epochs", "6", "--lr", "0.02"]


@pytest.fixture
def walks(folder):
    """Walks up and down: a table with labels, one without, and a data set with a training and a test file."""
    generator = np.random.default_rng(0)
    y = np.repeat(["up", "down"], 40)
    x = np.cumsum(np.where(y == "up", 0.6, -0.6)[:, None] + generator.normal(size=(80, 12)), axis=1).round(3)
    table = pd.DataFrame(x, columns=[f"t{k}" for k in range(12)])
    table.assign(label=y).to_csv(folder / "walks.csv", index=False)
    table.to_csv(folder / "unlabelled.csv", index=False)
    order = generator.permutation(80)
    for part, indices in (("TRAIN", order[:60]), ("TEST", order[60:])):
        rows = [",".join(map(str, x[k])) + ":" + y[k] for k in indices]
        text = "@problemName Walks\n@classLabel true up down\n@data\n" + "\n".join(rows)
        (folder / f"Walks_{part}.ts").write_text(text)
    return folder


@pytest.fixture
def images(folder):
    """Images of 4 x 3 pixels, the first or the last row bright, in the files of MNIST."""
    generator = np.random.default_rng(0)
    for part, count in (("train", 60), ("t10k", 20)):
        y = np.arange(count, dtype=np.uint8) % 2
        x = generator.integers(0, 60, (count, 4, 3), dtype=np.uint8)
        x[np.arange(count), 3 * y] += 150
        for name, array in (("images-idx3", x), ("labels-idx1", y)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            (folder / f"{part}-{name}-ubyte").write_bytes(head + array.tobytes())
    return folder


def test_classify_without_data_uses_generated_charts(folder, capsys):
    assert main(["classify", *SMALL, "--out", "p.csv", "--save", "m.safetensors"]) == 0
    printed = capsys.readouterr()
    for message in (
        "control charts (generated; give DATA to use your own data)",
        "600 sequences of 60 steps, 1 channel, 6 classes: 'cyclic'",
        "test set: 120 of the sequences, 20 % of each class at random",
        "Test: accuracy ",
        "Confusion matrix: true classes in rows, predicted classes in columns",
        "Verdict: ",
        "Files written: p.csv, m.safetensors",
    ):
        assert message in printed.out
    assert "432 sequences: epoch 6 of 6" in printed.err
    table = pd.read_csv("p.csv")
    charts = datasets.control_charts()
    assert table["label"].tolist() == charts.y[table["sequence"]].tolist()
    model = Classifier.load("m.safetensors")
    probabilities = model.predict_proba(charts.x[table["sequence"]])
    assert table.iloc[:, 4:].to_numpy() == pytest.approx(probabilities, abs=1e-12)
    assert table["predicted"].tolist() == model.classes_[probabilities.argmax(1)].tolist()
    assert str(Scores.of(table["label"], table["predicted"], model.classes_)) in printed.out


def test_a_saved_model_classifies_a_table(walks, capsys):
    assert main(["classify", "walks.csv", *SMALL, "--epochs", "30", "--quiet", "--save", "m.safetensors"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "Verdict: Better than the majority class (" in printed.out
    assert main(["classify", "unlabelled.csv", "--model", "m.safetensors", "--out", "p.csv"]) == 0
    printed = capsys.readouterr().out
    assert "80 sequences of 12 steps, 1 channel, without labels" in printed
    table = pd.read_csv("p.csv")
    lowest, highest = 100 * table["probability"].min(), 100 * table["probability"].max()
    assert f"Predictions: 80 sequences, probability of the predicted class {lowest:.1f} to {highest:.1f} %" in printed
    truth = pd.read_csv("walks.csv")["label"]
    assert (table["predicted"] == truth).mean() > 0.85
    assert "label" not in table
    assert main(["classify", "walks.csv", "--model", "m.safetensors"]) == 0
    assert str(Scores.of(truth, table["predicted"], ["down", "up"])) in capsys.readouterr().out


def test_the_test_set_of_a_data_set_is_used(walks, capsys):
    assert main(["classify", "Walks_TRAIN.ts", *SMALL, "--quiet"]) == 0
    by_name = capsys.readouterr().out
    assert "60 sequences of 12 steps" in by_name
    assert "test set: part of the data set, 20 sequences" in by_name
    (walks / "Walks_TEST.ts").rename("other.ts")
    assert main(["classify", "Walks_TRAIN.ts", "--test", "other.ts", *SMALL, "--quiet"]) == 0
    named = capsys.readouterr().out
    assert "test set: other.ts, 20 sequences" in named
    assert named[named.index("Scores by class") :] == by_name[by_name.index("Scores by class") :]


@pytest.mark.parametrize("view", ["rows", "columns", "pixels", "permuted", "vector"])
def test_images_are_read_in_every_view(images, capsys, view):
    arguments = ["classify", ".", "--view", view, *SMALL, "--epochs", "25", "--quiet", "--save", "m.safetensors"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    steps = {"rows": "4 steps, 3", "columns": "3 steps, 4", "vector": "1 step, 12"}.get(view, "12 steps, 1")
    assert f"60 sequences of {steps} channel" in printed
    assert "accuracy 100.0 % on 20 sequences" in printed
    assert main(["classify", ".", "--view", view, "--model", "m.safetensors"]) == 0
    printed = capsys.readouterr().out
    assert "  test set only" in printed
    assert "  20 sequences of" in printed


@pytest.mark.parametrize("kind", ["summary", "confusion", "learning_curve", "examples", "gates"])
def test_every_figure_is_drawn(images, capsys, kind):
    assert main(["classify", ".", *SMALL, "--quiet", "--plot", "f.png", "--kind", kind]) == 0
    assert (images / "f.png").read_bytes().startswith(b"\x89PNG")


def test_figures_without_labels_or_predictions(walks, capsys):
    assert main(["classify", "walks.csv", *SMALL, "--quiet", "--save", "m.safetensors", "--test-fraction", "0"]) == 0
    assert "Verdict: none (no test set)." in capsys.readouterr().out
    saved = ["classify", "unlabelled.csv", "--model", "m.safetensors", "--plot", "f.png"]
    assert main(saved) == 0
    assert main([*saved, "--kind", "confusion"]) == 2
    assert "--kind confusion needs labels, but the data have none; use --kind examples" in capsys.readouterr().err
    arguments = ["classify", "walks.csv", *SMALL, "--quiet", "--test-fraction", "0", "--plot", "f.png"]
    assert main([*arguments, "--kind", "examples"]) == 2
    assert "there is no test set to predict; use --kind learning_curve; nothing was written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv"], "there is no file missing.csv"),
        (["unlabelled.csv"], "has no labels to train on; name their column with --label"),
        (["walks.csv", "--label", "kind"], "has no column 'kind'"),
        (["walks.csv", "--view", "pixels", "--test-fraction", "2"], "expected a fraction from 0 to below 1"),
        (["walks.csv", "--test", "walks.csv", "--test-fraction", "0.5"], "omit one of the two options"),
        (["Walks_TRAIN.ts", "--test-fraction", "0.5"], "has a test set; omit --test-fraction"),
        (["walks.csv", "--test", "./walks.csv"], "--test is the same file as DATA, the training data"),
        (["unlabelled.csv", "--test", "walks.csv", "--out", "walks.csv"], "is an input file"),
        (["none.npz"], "none contains no sequences"),
        (["walks.csv", "--test", "none.npz"], "none contains no sequences"),
        (["--test", "walks.csv"], "--test needs DATA to train on"),
        (["walks.csv", "--kind", "gates"], "name its file with --plot"),
        (["walks.csv", "--out", "p.txt"], "expected a file name that ends in .csv"),
        (["walks.csv", "--out", "walks.csv"], "is an input file"),
        (["walks.csv", "--out", ""], "--out is empty"),
        (["walks.csv", "--label", ""], "--label is empty"),
        (["walks.csv", "--model", "m.safetensors", "--epochs", "3"], "--epochs applies to training"),
        (["--model", "m.safetensors"], "give DATA"),
        (["walks.csv", "--engine", "steam"], "engine is 'steam'"),
    ],
    ids=str,
)
def test_wrong_data_and_options_are_errors(walks, capsys, arguments, message):
    Classifier(hidden_size=4, epochs=1).fit(np.eye(4), [0, 1, 0, 1]).save("m.safetensors")
    np.savez("none.npz", x=np.ones((0, 12, 1)), y=np.ones(0))
    try:
        code = main(["classify", *arguments])
    except SystemExit as error:  # raised by argparse
        code = error.code
    assert code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({"label": "left"}, [], "label 'left' is not one of the training classes (down, up); leave its sequences out"),
        ({"t3": np.nan}, [], "test.csv, line 2, column 't3': no value"),
        ({"t3": 0.5}, ["--plot", "f.png", "--kind", "summary"], None),
        (None, ["--plot", "f.png", "--kind", "summary"], "needs labels"),
    ],
    ids=["unknown class", "missing value", "fine", "no labels"],
)
def test_an_invalid_test_set_is_an_error_before_training(walks, capsys, change, arguments, message):
    known = pd.read_csv("walks.csv")
    test = known.drop(columns="label") if change is None else known.assign(**change)
    test.to_csv("test.csv", index=False)
    code = main(["classify", "walks.csv", "--test", "test.csv", *SMALL, *arguments])
    printed = capsys.readouterr().err
    assert (code == 0, "epoch" in printed) == (message is None, message is None)
    assert message is None or message in printed


def test_a_test_set_with_other_channels_is_an_error_before_training(walks, capsys):
    np.savez("two.npz", x=np.ones((4, 12, 2)))
    assert main(["classify", "walks.csv", "--test", "two.npz", *SMALL]) == 2
    printed = capsys.readouterr()
    assert "test set: two.npz, 4 sequences, without labels" in printed.out
    assert "have 2 channels, but the training sequences have 1; pass --view as in training" in printed.err
    assert "epoch" not in printed.err


def test_labels_of_any_characters_are_printed_and_drawn(folder, capsys):
    y = np.array(["a\nb", "\x1b[31mred", "日本", "x" * 70] * 10)
    np.savez("names.npz", x=np.random.default_rng(0).normal(size=(40, 5)), y=y)
    assert main(["classify", "names.npz", *SMALL, "--epochs", "1", "--quiet", "--plot", "f.png", "--out", "p.csv"]) == 0
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "gatewise: f.png: the font lacks some characters of the names; they appear as boxes"
    ]
    scores = printed.out[printed.out.index("Scores by class") :]
    assert "\x1b" not in scores
    assert "a\nb" not in scores
    assert "x" * 23 + "…" in scores
    assert set(pd.read_csv("p.csv")["label"]) == set(y.tolist())


def test_classes_without_test_sequences_are_named(folder, capsys):
    x, y = np.random.default_rng(0).normal(size=(42, 5)), np.array(["often"] * 40 + ["rare", "seldom"])
    np.savez("rare.npz", x=x, y=y)
    assert main(["classify", "rare.npz", *SMALL, "--quiet"]) == 0
    printed = capsys.readouterr().out
    assert "20 % of each class at random; too few sequences to test 'rare', 'seldom'\n" in printed
    assert (
        "Verdict: None, because all test sequences are of one class, often; test on sequences of other classes too."
        in printed
    )
    np.savez("few.npz", x=x[:2], y=y[-2:])
    assert main(["classify", "few.npz", *SMALL, "--quiet"]) == 0
    assert "test set: none (20 % of each class is less than one sequence)\n" in capsys.readouterr().out


def test_a_saved_model_keeps_its_view(images, capsys):
    saved = ["classify", ".", "--model", "m.safetensors"]
    assert (
        main(["classify", ".", *SMALL, "--quiet", "--view", "permuted", "--save", "m.safetensors", "--out", "a.csv"])
        == 0
    )
    assert main([*saved, "--out", "b.csv"]) == 0
    assert main([*saved, "--view", "permuted"]) == 0
    assert (images / "a.csv").read_bytes() == (images / "b.csv").read_bytes()
    assert main([*saved, "--view", "pixels"]) == 2
    assert (
        "--view is pixels, but the model of --model was trained with --view permuted; omit --view"
        in capsys.readouterr().err
    )


def test_sequences_with_other_channels_are_an_error(images, capsys):
    Classifier(hidden_size=4, epochs=1).fit(np.eye(4), [0, 1, 0, 1]).save("m.safetensors")
    assert main(["classify", ".", "--model", "m.safetensors"]) == 2
    assert "have 3 channels, but the model was trained on 1; pass --view as in training" in capsys.readouterr().err


def test_the_model_options_are_the_arguments_of_the_classifier():
    arguments = set(inspect.signature(Classifier).parameters)
    assert arguments - set(options.CLASSIFIER) == {"seed", "quiet"}
    assert set(options.CLASSIFIER) <= arguments
    assert options.VIEWS == datasets.VIEWS


def test_the_seed_selects_the_test_sequences(folder):
    for seed in ("1", "2"):
        assert main(["classify", *SMALL, "--epochs", "1", "--quiet", "--seed", seed, "--out", "p.csv"]) == 0
        expected = np.flatnonzero(stratified_mask(datasets.control_charts().y, 0.2, int(seed)))
        assert pd.read_csv("p.csv")["sequence"].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Walks_TRAIN.ts", "--save", "Walks_TEST.ts"], "Walks_TEST.ts is an input file"),
        (["Walks_TRAIN.ts", "--plot", "Walks_TEST.ts"], "Walks_TEST.ts is an input file"),
        (["walks.csv", "--model", "m.safetensors", "--out", "m.safetensors"], "m.safetensors is an input file"),
        (["walks.csv", "--test-fraction", "0", "--out", "p.csv"], "there is no test set to predict; give --test FILE"),
        (["walks.csv", "--view", "permuted"], "is for images, but the data are sequences; omit --view"),
    ],
    ids=str,
)
def test_errors_leave_all_files_unchanged(walks, capsys, arguments, message):
    Classifier(hidden_size=4, epochs=1).fit(np.eye(4), [0, 1, 0, 1]).save("m.safetensors")
    before = {path.name: path.read_bytes() for path in walks.iterdir()}
    assert main(["classify", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in walks.iterdir()} == before
