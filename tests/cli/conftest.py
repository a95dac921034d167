"""Files that the tests of the command share."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def sales(folder):
    """90 days with a weekly pattern: complete in whole.csv, without two days in sales.csv."""
    days = pd.date_range("2024-01-01", periods=90, freq="D")
    table = pd.DataFrame({"day": days, "sold": 20 + 5 * np.sin(np.arange(90) * 2 * np.pi / 7)})
    table.drop([40, 60]).to_csv(folder / "sales.csv", index=False)
    table.to_csv(folder / "whole.csv", index=False)
    return folder
