"""The options of `gatewise classify` and their help texts."""

import argparse

from gatewise.cli.options import (
    FIGURES,
    VIEWS,
    column_list,
    fraction,
    non_negative_integer,
    one_or_more_columns,
    positive_integer,
)


def add_classify(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file",
        nargs="?",
        metavar="DATA",
        help=".ts, .arff, .npz, .csv, .tsv, .txt or .parquet file, or a folder with MNIST files or with a UCR or "
        "UEA data set (generated control charts)",
    )
    command.add_argument(
        "--model", metavar="MODEL.safetensors", help="classify DATA with a saved model, without training"
    )
    command.add_argument("--quiet", action="store_true", help="show no progress")
    data = command.add_argument_group("data")
    data.add_argument(
        "--label",
        metavar="COL",
        help="column of the labels in a table (a usual name such as label, class or activity, or the only column "
        "of a few distinct values)",
    )
    data.add_argument(
        "--layout",
        choices=("rows", "long"),
        help="layout of a table: a row for each sequence, or a row for each time step (rows; a table that seems to "
        "have a row for each time step is refused)",
    )
    data.add_argument(
        "--id",
        dest="id_column",
        type=one_or_more_columns,
        metavar="COL",
        help="for --layout long: column that names the sequence of a row, or several such as person,trial",
    )
    data.add_argument(
        "--time", dest="time_column", metavar="COL", help="for --layout long: times, which sort the rows of a sequence"
    )
    data.add_argument("--drop", type=column_list, metavar="COL,...", help="columns of a table to leave out")
    data.add_argument(
        "--keep",
        type=column_list,
        metavar="COL,...",
        help="columns of a table that are steps or channels although their values do not show it",
    )
    data.add_argument(
        "--fill", choices=("interpolate", "zero"), help="fill in missing values within sequences (they are errors)"
    )
    data.add_argument(
        "--view", choices=VIEWS, help="how an image becomes a sequence (rows, or the view of the saved model)"
    )
    data.add_argument("--test", metavar="FILE", help="test sequences")
    data.add_argument(
        "--test-fraction",
        type=fraction,
        metavar="P",
        help="fraction of each class used for testing, if there is no test set (0.2)",
    )
    output = command.add_argument_group("output files")
    output.add_argument("--out", metavar="OUT.csv", help="write predictions and class probabilities as a table")
    output.add_argument("--plot", metavar="PLOT.png", help="plot a figure (.png, .svg, .pdf)")
    output.add_argument(
        "--kind",
        choices=FIGURES,
        help="figure for --plot (summary: confusion matrix and learning curve)",
    )
    output.add_argument("--save", metavar="MODEL.safetensors", help="save the model")
    _add_classifier(command)
    command.set_defaults(excluded=None, paths_out=None, future=None)


def _add_classifier(command: argparse.ArgumentParser) -> None:
    model = command.add_argument_group(
        "model and training", "Defaults that are not shown depend on the data; see gatewise.Classifier."
    )
    model.add_argument("--cell", choices=("lstm", "gru", "rnn"), help="recurrent cell (lstm)")
    model.add_argument(
        "--hidden-size",
        type=positive_integer,
        metavar="H",
        help="units per layer (128; 64 for fewer than 1,000 training sequences)",
    )
    model.add_argument("--num-layers", type=positive_integer, metavar="L", help="stacked layers (1)")
    model.add_argument("--bidirectional", action="store_true", help="read the sequences in both directions")
    model.add_argument("--pooling", choices=("last", "mean", "max"), help="pooling of the hidden states (last)")
    model.add_argument("--dropout", type=float, metavar="P", help="dropout probability (0)")
    model.add_argument("--scale", choices=("standard", "none"), help="scaling of the channels (standard)")
    model.add_argument(
        "--class-weight", choices=("balanced",), help="balanced: every class has the same total weight in the loss"
    )
    model.add_argument(
        "--validation-fraction",
        type=float,
        metavar="P",
        help="fraction of the training sequences used for validation (0.1)",
    )
    model.add_argument(
        "--patience",
        type=positive_integer,
        metavar="K",
        help="stop training after this many epochs without improvement",
    )
    model.add_argument(
        "--epochs",
        type=positive_integer,
        metavar="K",
        help="passes over the training sequences (8 to 100, fewer for more data)",
    )
    model.add_argument("--batch-size", type=positive_integer, metavar="B", help="sequences per training step (64)")
    model.add_argument("--lr", type=float, help="maximum learning rate (0.003)")
    model.add_argument("--seed", type=non_negative_integer, help="random seed (0)")
    model.add_argument("--engine", help="computation engine, listed by `gatewise info` (auto)")
