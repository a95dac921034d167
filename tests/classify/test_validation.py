"""Validation of the arguments of a classifier."""

import numpy as np
import pytest

from gatewise import Classifier


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": "LSTM"}, "cell is 'LSTM', expected one of 'lstm'"),
        ({"pooling": "sum"}, "pooling is 'sum'"),
        ({"scale": "robust"}, "scale is 'robust'"),
        ({"engine": "cuda"}, "engine is 'cuda'"),
        ({"hidden_size": 0}, "hidden_size is 0"),
        ({"num_layers": 1.0}, "num_layers is 1.0"),
        ({"epochs": True}, "epochs is True"),
        ({"patience": 0}, "patience is 0"),
        ({"bidirectional": 1}, "bidirectional is 1"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"validation_fraction": -0.1}, "validation_fraction is -0.1"),
        ({"lr": 0}, "lr is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"class_weight": "even"}, "class_weight is 'even', expected None, 'balanced'"),
        ({"class_weight": {"a": -1}}, "class_weight of 'a' is -1"),
        ({"class_weight": {"a": 1e300}}, "class_weight of 'a' is 1e.300, expected a number from 0 to 1e.06"),
    ],
)
def test_invalid_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Classifier(**arguments)


@pytest.mark.parametrize("weights", [[0, 0, 0, 0], [1, 1, 1], [1, 1, 1, -1], ["a"] * 4, [1, 1, 1, np.nan]])
def test_invalid_sample_weights_are_refused(weights):
    model = Classifier(hidden_size=4, epochs=1).fit(np.eye(4), [0, 1, 0, 1])
    with pytest.raises(
        ValueError, match=r"sample_weight is .*, expected \(\d+,\): finite numbers, none below 0 and not all 0"
    ):
        model.score(np.eye(4), [0, 1, 0, 1], weights)
    with pytest.raises(ValueError, match="y holds none of the training classes; pass labels such as 0"):
        model.score(np.eye(4), ["0", "1", "0", "1"])
