"""`gatewise classify`: what it prints, writes and refuses, run as a person would."""

import inspect

import numpy as np
import pandas as pd
import pytest

from gatewise import Classifier, datasets
from gatewise.classify import Scores, stratified_mask
from gatewise.cli import classify, main

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("folder")
SMALL = ["--hidden-size", "8", "--epochs", "6", "--lr", "0.02"]


@pytest.fixture
def walks(folder):
    """Walks up and down: a table with labels, one without, and a set in two parts."""
    chance = np.random.default_rng(0)
    y = np.repeat(["up", "down"], 40)
    x = np.cumsum(np.where(y == "up", 0.6, -0.6)[:, None] + chance.normal(size=(80, 12)), axis=1).round(3)
    table = pd.DataFrame(x, columns=[f"t{k}" for k in range(12)])
    table.assign(label=y).to_csv(folder / "walks.csv", index=False)
    table.to_csv(folder / "unlabelled.csv", index=False)
    order = chance.permutation(80)
    for part, which in (("TRAIN", order[:60]), ("TEST", order[60:])):
        rows = [",".join(map(str, x[k])) + ":" + y[k] for k in which]
        text = "@problemName Walks\n@classLabel true up down\n@data\n" + "\n".join(rows)
        (folder / f"Walks_{part}.ts").write_text(text)
    return folder


@pytest.fixture
def images(folder):
    """Four-pixel images, bright above or below, in MNIST's files."""
    chance = np.random.default_rng(0)
    for part, count in (("train", 60), ("t10k", 20)):
        y = np.arange(count, dtype=np.uint8) % 2
        x = chance.integers(0, 60, (count, 4, 3), dtype=np.uint8)
        x[np.arange(count), 3 * y] += 150
        for name, array in (("images-idx3", x), ("labels-idx1", y)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            (folder / f"{part}-{name}-ubyte").write_bytes(head + array.tobytes())
    return folder


def test_without_data_it_runs_on_generated_charts(folder, capsys):
    assert main(["classify", *SMALL, "--out", "p.csv", "--save", "m.safetensors"]) == 0
    said = capsys.readouterr()
    for words in (
        "control charts (generated here",
        "600 sequences of 60 steps, 1 channel, 6 classes: 'cyclic'",
        "test part: 120 of the sequences, drawn at random, 20 % of each class",
        "Test: accuracy ",
        "Confusion matrix: true classes in rows, predicted in columns",
        "Verdict: ",
        "Written: p.csv, m.safetensors",
    ):
        assert words in said.out
    assert "432 sequences: epoch 6 of 6" in said.err
    table = pd.read_csv("p.csv")
    charts = datasets.control_charts()
    assert table["label"].tolist() == charts.y[table["sequence"]].tolist()
    model = Classifier.load("m.safetensors")
    shares = model.predict_proba(charts.x[table["sequence"]])
    assert table.iloc[:, 4:].to_numpy() == pytest.approx(shares, abs=1e-12)
    assert table["predicted"].tolist() == model.classes_[shares.argmax(1)].tolist()
    assert str(Scores.of(table["label"], table["predicted"], model.classes_)) in said.out


def test_a_table_is_learnt_and_then_classified_by_the_kept_model(walks, capsys):
    assert main(["classify", "walks.csv", *SMALL, "--epochs", "30", "--quiet", "--save", "m.safetensors"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "Verdict: Better than the majority class (" in said.out
    assert main(["classify", "unlabelled.csv", "--model", "m.safetensors", "--out", "p.csv"]) == 0
    said = capsys.readouterr().out
    assert "80 sequences of 12 steps, 1 channel, without labels" in said
    table = pd.read_csv("p.csv")
    surest, least = 100 * table["probability"].max(), 100 * table["probability"].min()
    assert f"Predicted: 80 sequences, the surest {surest:.1f} %, the least sure {least:.1f} %" in said
    truth = pd.read_csv("walks.csv")["label"]
    assert (table["predicted"] == truth).mean() > 0.85
    assert "label" not in table
    assert main(["classify", "walks.csv", "--model", "m.safetensors"]) == 0
    assert str(Scores.of(truth, table["predicted"], ["down", "up"])) in capsys.readouterr().out


def test_the_test_part_of_a_set_is_used(walks, capsys):
    assert main(["classify", "Walks_TRAIN.ts", *SMALL, "--quiet"]) == 0
    by_name = capsys.readouterr().out
    assert "60 sequences of 12 steps" in by_name
    assert "test part: that of the set, 20 sequences" in by_name
    (walks / "Walks_TEST.ts").rename("other.ts")
    assert main(["classify", "Walks_TRAIN.ts", "--test", "other.ts", *SMALL, "--quiet"]) == 0
    named = capsys.readouterr().out
    assert "test part: other.ts, 20 sequences" in named
    assert named[named.index("Each class") :] == by_name[by_name.index("Each class") :]


@pytest.mark.parametrize("view", ["rows", "columns", "pixels", "permuted", "vector"])
def test_images_are_read_in_every_view(images, capsys, view):
    asked = ["classify", ".", "--view", view, *SMALL, "--epochs", "25", "--quiet", "--save", "m.safetensors"]
    assert main(asked) == 0
    said = capsys.readouterr().out
    steps = {"rows": "4 steps, 3", "columns": "3 steps, 4", "vector": "1 step, 12"}.get(view, "12 steps, 1")
    assert f"60 sequences of {steps} channel" in said
    assert "accuracy 100.0 % on 20 sequences" in said
    assert main(["classify", ".", "--view", view, "--model", "m.safetensors"]) == 0
    said = capsys.readouterr().out
    assert "its test part only" in said
    assert "  20 sequences of" in said


@pytest.mark.parametrize("kind", ["summary", "confusion", "learning_curve", "examples", "gates"])
def test_every_picture_is_drawn(images, capsys, kind):
    assert main(["classify", ".", *SMALL, "--quiet", "--plot", "f.png", "--kind", kind]) == 0
    assert (images / "f.png").read_bytes().startswith(b"\x89PNG")


def test_pictures_without_labels_or_predictions(walks, capsys):
    assert main(["classify", "walks.csv", *SMALL, "--quiet", "--save", "m.safetensors", "--test-fraction", "0"]) == 0
    assert "Verdict: none, as nothing was held back" in capsys.readouterr().out
    kept = ["classify", "unlabelled.csv", "--model", "m.safetensors", "--plot", "f.png"]
    assert main(kept) == 0
    assert main([*kept, "--kind", "confusion"]) == 2
    assert "needs labels" in capsys.readouterr().err
    asked = ["classify", "walks.csv", *SMALL, "--quiet", "--test-fraction", "0", "--plot", "f.png"]
    assert main([*asked, "--kind", "examples"]) == 2
    assert "nothing is held back to predict; nothing was written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["missing.csv"], "there is no file missing.csv"),
        (["unlabelled.csv"], "has no labels to learn from; name their column with --label"),
        (["walks.csv", "--label", "kind"], "has no column 'kind'"),
        (["walks.csv", "--view", "pixels", "--test-fraction", "2"], "expected a share from 0 to below 1"),
        (["walks.csv", "--test", "walks.csv", "--test-fraction", "0.5"], "leave one out"),
        (["Walks_TRAIN.ts", "--test-fraction", "0.5"], "has a test part of its own; leave --test-fraction out"),
        (["walks.csv", "--test", "./walks.csv"], "--test is DATA itself, which the model is trained on"),
        (["unlabelled.csv", "--test", "walks.csv", "--out", "walks.csv"], "is the file that is read"),
        (["none.npz"], "none holds no sequences"),
        (["walks.csv", "--test", "none.npz"], "none holds no sequences"),
        (["--test", "walks.csv"], "belongs to a DATA of your own"),
        (["walks.csv", "--kind", "gates"], "name the file with --plot"),
        (["walks.csv", "--out", "p.txt"], "expected a name that ends in .csv"),
        (["walks.csv", "--out", "walks.csv"], "is the file that is read"),
        (["walks.csv", "--out", ""], "--out is empty"),
        (["walks.csv", "--label", ""], "--label is empty"),
        (["walks.csv", "--model", "m.safetensors", "--epochs", "3"], "--epochs belongs to training"),
        (["--model", "m.safetensors"], "give DATA"),
        (["walks.csv", "--engine", "steam"], "engine is 'steam'"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_refused(walks, capsys, asked, words):
    Classifier(hidden_size=4, epochs=1).fit(np.eye(4), [0, 1, 0, 1]).save("m.safetensors")
    np.savez("none.npz", x=np.ones((0, 12, 1)), y=np.ones(0))
    try:
        code = main(["classify", *asked])
    except SystemExit as stopped:  # argparse's own
        code = stopped.code
    assert code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "asked", "words"),
    [
        ({"label": "left"}, [], "label 'left' is none of the classes of training: down, up; leave its sequences out"),
        ({"t3": np.nan}, [], "sequence 0, step 3, channel 0: NaN"),
        ({}, ["--plot", "f.png", "--kind", "summary"], None),
        (None, ["--plot", "f.png", "--kind", "summary"], "needs labels"),
    ],
    ids=["unknown class", "missing value", "fine", "no labels"],
)
def test_what_would_fail_after_the_training_is_refused_before(walks, capsys, change, asked, words):
    known = pd.read_csv("walks.csv")
    test = known.drop(columns="label") if change is None else known.assign(**change)
    test.to_csv("test.csv", index=False)
    code = main(["classify", "walks.csv", "--test", "test.csv", *SMALL, *asked])
    said = capsys.readouterr().err
    assert (code == 0, "epoch" in said) == (words is None, words is None)
    assert words is None or words in said


def test_a_test_part_of_other_channels_is_refused_before_the_training(walks, capsys):
    np.savez("two.npz", x=np.ones((4, 12, 2)))
    assert main(["classify", "walks.csv", "--test", "two.npz", *SMALL]) == 2
    said = capsys.readouterr()
    assert "test part: two.npz, 4 sequences, without labels" in said.out
    assert "has 2 channels, but in training there are 1; give the --view" in said.err
    assert "epoch" not in said.err


def test_names_of_any_letters_are_said_and_drawn(folder, capsys):
    y = np.array(["a\nb", "\x1b[31mred", "日本", "x" * 70] * 10)
    np.savez("names.npz", x=np.random.default_rng(0).normal(size=(40, 5)), y=y)
    assert main(["classify", "names.npz", *SMALL, "--epochs", "1", "--quiet", "--plot", "f.png", "--out", "p.csv"]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "gatewise: f.png: the font does not have all letters of the names; boxes stand for them"
    ]
    shown = said.out[said.out.index("Each class") :]
    assert "\x1b" not in shown
    assert "a\nb" not in shown
    assert "x" * 23 + "…" in shown
    assert set(pd.read_csv("p.csv")["label"]) == set(y.tolist())


def test_classes_that_are_not_tested_are_named(folder, capsys):
    x, y = np.random.default_rng(0).normal(size=(42, 5)), np.array(["often"] * 40 + ["rare", "seldom"])
    np.savez("rare.npz", x=x, y=y)
    assert main(["classify", "rare.npz", *SMALL, "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "20 % of each class, none of 'rare', 'seldom', which have too few\n" in said
    assert "Verdict: None: all test sequences are of one class, often; test on sequences of other classes too." in said
    np.savez("few.npz", x=x[:2], y=y[-2:])
    assert main(["classify", "few.npz", *SMALL, "--quiet"]) == 0
    assert "test part: none, as 20 % of each class are none\n" in capsys.readouterr().out


def test_a_kept_model_remembers_its_view(images, capsys):
    kept = ["classify", ".", "--model", "m.safetensors"]
    assert (
        main(["classify", ".", *SMALL, "--quiet", "--view", "permuted", "--save", "m.safetensors", "--out", "a.csv"])
        == 0
    )
    assert main([*kept, "--out", "b.csv"]) == 0
    assert main([*kept, "--view", "permuted"]) == 0
    assert (images / "a.csv").read_bytes() == (images / "b.csv").read_bytes()
    assert main([*kept, "--view", "pixels"]) == 2
    assert "--view is pixels, but the model of --model was trained on permuted" in capsys.readouterr().err


def test_sequences_of_other_channels_are_refused(images, capsys):
    Classifier(hidden_size=4, epochs=1).fit(np.eye(4), [0, 1, 0, 1]).save("m.safetensors")
    assert main(["classify", ".", "--model", "m.safetensors"]) == 2
    assert "has 3 channels, but the model was trained on 1; give the --view" in capsys.readouterr().err


def test_what_the_command_offers_is_what_the_classifier_takes():
    taken = set(inspect.signature(Classifier).parameters)
    assert taken - set(classify.MODEL) == {"seed", "quiet"}
    assert set(classify.MODEL) <= taken
    assert classify.VIEWS == datasets.VIEWS


def test_the_seed_draws_what_is_tested(folder):
    for seed in ("1", "2"):
        assert main(["classify", *SMALL, "--epochs", "1", "--quiet", "--seed", seed, "--out", "p.csv"]) == 0
        expected = np.flatnonzero(stratified_mask(datasets.control_charts().y, 0.2, int(seed)))
        assert pd.read_csv("p.csv")["sequence"].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["Walks_TRAIN.ts", "--save", "Walks_TEST.ts"], "Walks_TEST.ts is the file that is read"),
        (["Walks_TRAIN.ts", "--plot", "Walks_TEST.ts"], "Walks_TEST.ts is the file that is read"),
        (["walks.csv", "--model", "m.safetensors", "--out", "m.safetensors"], "m.safetensors is the file that is read"),
        (["walks.csv", "--test-fraction", "0", "--out", "p.csv"], "nothing is held back to predict; give --test"),
        (["walks.csv", "--view", "permuted"], "is for images, but these are sequences already"),
    ],
    ids=str,
)
def test_nothing_is_overwritten_or_left_out_unseen(walks, capsys, asked, words):
    Classifier(hidden_size=4, epochs=1).fit(np.eye(4), [0, 1, 0, 1]).save("m.safetensors")
    before = {path.name: path.read_bytes() for path in walks.iterdir()}
    assert main(["classify", *asked]) == 2
    assert words in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in walks.iterdir()} == before
