"""The command `gatewise classify`: its arguments, and what is done in which order."""

import argparse
from pathlib import Path
from typing import Any

from gatewise.cli import files as outputs
from gatewise.cli import validation as checks
from gatewise.cli.parser import count, given, option, share, whole

MODEL = (
    "cell",
    "hidden_size",
    "num_layers",
    "bidirectional",
    "pooling",
    "dropout",
    "scale",
    "class_weight",
    "validation_fraction",
    "patience",
    "epochs",
    "batch_size",
    "lr",
    "engine",
)
KINDS = ("summary", "confusion", "learning_curve", "examples", "gates")
USUAL = "rows"
VIEWS = (USUAL, "columns", "pixels", "permuted", "vector")


def add(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument(
        "file",
        nargs="?",
        metavar="DATA",
        help="folder with MNIST's files or a set of the UCR or UEA archives, or a .ts, .npz, .csv, .tsv or .parquet "
        "file; generated control charts if left out",
    )
    command.add_argument("--test", metavar="FILE", help="the sequences to test on")
    command.add_argument(
        "--test-fraction",
        type=share,
        metavar="P",
        help="share of each class to test on, where DATA has no test part (0.2)",
    )
    command.add_argument("--label", metavar="COL", help="column of labels of a table (label, class, target or y)")
    command.add_argument(
        "--view", choices=VIEWS, help="how an image is read (rows; by a kept model as in its training)"
    )
    command.add_argument("--out", metavar="F.csv", help="write the predictions, with the probability of each class")
    command.add_argument("--plot", metavar="F.png", help="draw a picture (.png, .svg, .pdf)")
    command.add_argument(
        "--kind", choices=KINDS, help="of picture: confusions beside the learning curve (summary), or one of the others"
    )
    command.add_argument("--save", metavar="M.safetensors", help="keep the model in a file")
    command.add_argument(
        "--model",
        metavar="M.safetensors",
        help="classify DATA by a kept model, without training",
    )
    command.add_argument("--seed", type=whole, help="of everything random (0)")
    command.add_argument("--quiet", action="store_true", help="show no progress")
    _add_model(command)
    command.set_defaults(run=classify, excluded=None, paths_out=None, future=None)


def _add_model(command: argparse.ArgumentParser) -> None:
    model = command.add_argument_group("model", "see gatewise.Classifier, which knows the defaults")
    model.add_argument("--cell", choices=("lstm", "gru", "rnn"), help="kind of network (lstm)")
    model.add_argument("--hidden-size", type=count, metavar="H", help="units of a layer (128)")
    model.add_argument("--num-layers", type=count, metavar="L", help="stacked layers (1)")
    model.add_argument("--bidirectional", action="store_true", help="read backwards in time as well")
    model.add_argument("--pooling", choices=("last", "mean", "max"), help="what of the states tells the class (last)")
    model.add_argument("--dropout", type=float, metavar="P", help="share of hidden values left out in training (0)")
    model.add_argument("--scale", choices=("standard", "none"), help="of the values (standard)")
    model.add_argument(
        "--class-weight", choices=("balanced",), help="as much weight for rare classes as for common ones"
    )
    model.add_argument(
        "--validation-fraction",
        type=float,
        metavar="P",
        help="share of the training sequences that it is watched by (0.1)",
    )
    model.add_argument("--patience", type=count, metavar="K", help="epochs without a better one that end training")
    model.add_argument("--epochs", type=count, metavar="K", help="passes over the sequences (8 to 100, by how many)")
    model.add_argument("--batch-size", type=count, metavar="B", help="sequences of a training step (64)")
    model.add_argument("--lr", type=float, help="highest learning rate (0.003)")
    model.add_argument("--engine", help="what runs the equations (auto; `gatewise info` lists them)")


def classify(arguments: argparse.Namespace) -> None:
    """Train on one part, test on the other, and write what was asked for."""
    _check(arguments)
    from gatewise import Classifier
    from gatewise.cli import classified

    if arguments.model is not None:
        model = Classifier.load(arguments.model)
        _take_view(arguments, model.view_)
        test: Any = classified.to_classify(arguments)
        classified.check_kind(test, arguments.kind)
    else:
        model = Classifier(**given(arguments, (*MODEL, "seed")), quiet=arguments.quiet)
        arguments.view = arguments.view or USUAL
        train, test = classified.parts(arguments)
        classified.check(train, test, arguments.kind, arguments.out)
        model.fit(train.x, train.y).view_ = arguments.view
    found = classified.result(model, test)
    files = {
        "save": lambda: model,
        "plot": lambda: classified.figure(model, found, arguments.kind, arguments.view == "rows"),
    }
    outputs.write(arguments, files if found is None else {**files, "out": found.table})
    classified.say(model, found, arguments)


def _take_view(arguments: argparse.Namespace, trained: str) -> None:
    """Read images as the model did in its training."""
    if trained and arguments.view not in (None, trained):
        raise ValueError(
            f"--view is {arguments.view}, but the model of --model was trained on {trained}; leave --view out"
        )
    arguments.view = arguments.view or trained or USUAL


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be done, before any work."""
    from gatewise.datasets.sources import beside

    arguments.found_beside = None if arguments.file is None else beside(Path(arguments.file))
    checks.check_files(arguments)
    for name in ("test", "label"):
        if getattr(arguments, name) == "":
            raise ValueError(f"{option(name)} is empty; give a name, or leave it out")
    if arguments.kind is not None and arguments.plot is None:
        raise ValueError("--kind says which picture to draw; name the file with --plot F.png")
    if arguments.model is not None:
        for name in given(arguments, ("test", "test_fraction", "save", "seed", *MODEL)):
            raise ValueError(f"{option(name)} belongs to training, but the model of --model is trained already")
    if arguments.test is not None and arguments.test_fraction is not None:
        raise ValueError("--test gives the sequences to test on, and --test-fraction takes some of DATA; leave one out")
    if arguments.test is not None and arguments.file is not None and _same(arguments.test, arguments.file):
        raise ValueError("--test is DATA itself, which the model is trained on; give other sequences, or leave it out")
    if arguments.file is None and arguments.test is not None:
        raise ValueError("--test belongs to a DATA of your own; give that too")


def _same(path: str, other: str) -> bool:
    return Path(path).resolve() == Path(other).resolve()
