"""Days that a spreadsheet has read as months are named; sorting them is no remedy."""

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, read

RANGES = [("2022-01-01", 365, "D"), ("2021-06-10", 100, "D"), ("2021-03-01", 500, "D"), ("2022-01-03", 104, "W-MON")]


def spreadsheet(ds, form):
    """Dates written day first as a spreadsheet that expects the month first keeps them."""
    read_as_dates = [pd.Timestamp(date.year, date.day, date.month) if date.day <= 12 else None for date in ds]
    if form == "text":
        return [f"{date:%Y-%m-%d}" if date else f"{d:%d/%m/%Y}" for d, date in zip(ds, read_as_dates, strict=True)]
    if form == "dates":
        return [date or d for d, date in zip(ds, read_as_dates, strict=True)]
    return [date or f"{d:%d/%m/%Y}" for d, date in zip(ds, read_as_dates, strict=True)]


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("form", ["text", "dates", "mixed"])
@pytest.mark.parametrize(("start", "count", "freq"), RANGES)
def test_swapped_days_are_named_and_never_sorted(start, count, freq, form, sort):
    ds = pd.date_range(start, periods=count, freq=freq)
    table = pd.DataFrame({"date": spreadsheet(ds, form), "sales": np.arange(count) % 7 + 0.5})
    reason = "unlike" if form == "text" else "a spreadsheet has read these days as months"
    with pytest.raises(DataError, match=reason) as error:
        read(table, sort=sort)
    assert "--sort" not in str(error.value)


@pytest.mark.parametrize("seed", range(5))
def test_other_tables_can_be_sorted(seed):
    ds = pd.date_range("2022-01-01", periods=300)
    table = pd.DataFrame({"date": ds, "sales": np.arange(300.0)})
    shuffled = table.sample(frac=1, random_state=seed) if seed else table[::-1]
    assert read(shuffled, sort=True).series[0].y.tolist() == list(range(300))
