"""Labelled sequences."""

import numpy as np
import pytest

from gatewise.datasets import FileError, Labelled


def test_different_numbers_of_labels_and_sequences_are_refused():
    with pytest.raises(FileError, match="2 sequences and 3 labels"):
        Labelled(np.zeros((2, 1, 1)), np.zeros(3))
