"""A small table of two shops, for the tests of covariates."""

import re

import pandas as pd
import pytest

from gatewise.series import DataError

DAYS = pd.date_range("2024-02-01", periods=6, freq="D")


def shop():
    """Two series of different length, their rows mixed: A has four days, B two."""
    return pd.DataFrame(
        {
            "unique_id": ["B", "A", "A", "B", "A", "A"],
            "ds": DAYS[[2, 0, 1, 3, 2, 3]],
            "y": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            "price": [7, 1, 2, 9, 4, 8],
            "holiday": ["none", "none", "easter", "none", "none", "xmas"],
            "open": [True, True, False, True, True, True],
            "size": ["small", "big", "big", "small", "big", "big"],
        }
    )


def refused(*parts):
    return pytest.raises(DataError, match=".*".join(re.escape(part) for part in parts))
