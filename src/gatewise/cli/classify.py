"""`gatewise classify`: train a classifier on labelled sequences and test it, or use a saved one."""

import argparse
from typing import Any

from gatewise.cli import validation
from gatewise.cli.files import OutputFiles
from gatewise.cli.options import CLASSIFIER, DEFAULT_VIEW, given


def run(arguments: argparse.Namespace, files: OutputFiles) -> None:
    """Classify with a new model, or with a saved one."""
    validation.check_classify(arguments)
    model, test = _train(arguments) if arguments.model is None else _load(arguments)
    from gatewise.cli import predictions

    result = predictions.predict(model, test)
    contents = {
        "save": lambda: model,
        "plot": lambda: predictions.figure(model, result, arguments.kind, arguments.view),
    }
    files.write(contents if result is None else {**contents, "out": result.table})
    predictions.print_result(model, result, arguments.model, files.written)


def _train(arguments: argparse.Namespace) -> tuple[Any, Any]:
    """Train a model with the given options; return it with the test set, or None."""
    from gatewise.cli import sequences

    arguments.view_given = arguments.view is not None
    arguments.view = arguments.view or DEFAULT_VIEW
    train, test = sequences.read_training_and_test(arguments)
    from gatewise import Classifier  # after reading: a file that cannot be used is refused without torch

    model = Classifier(**given(arguments, (*CLASSIFIER, "seed")), quiet=arguments.quiet)
    sequences.check_before_training(train, test, arguments.kind, arguments.out, arguments.test)
    model.fit(train.x, train.y, channels_first=False).view_ = arguments.view
    model.set_feature_names(train.columns)
    return model, test


def _load(arguments: argparse.Namespace) -> tuple[Any, Any]:
    """Load a saved model; return it with the sequences to classify."""
    from gatewise.cli import sequences

    parts = sequences.read_parts_to_classify(arguments)
    from gatewise import Classifier

    model = Classifier.load(arguments.model)
    arguments.view = _saved_view(arguments.view, model.view_)
    test = sequences.sequences_to_classify(parts, arguments, getattr(model, "feature_names_in_", ()))
    sequences.check_kind(test, arguments.kind)
    return model, test


def _saved_view(view: str | None, saved: str) -> str:
    """The view that the model was trained with; a different --view is an error."""
    if saved and view not in (None, saved):
        raise ValueError(f"--view is {view}, but the model of --model was trained with --view {saved}; omit --view")
    return view or saved or DEFAULT_VIEW
