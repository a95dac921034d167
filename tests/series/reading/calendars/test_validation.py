"""Validation: invalid rows are refused with row, date and remedy, or repaired on request."""

import re

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, read
from tests.series_tables import DATES, MONTHS, lines, spoil, table

FILL = 'pass fill="interpolate", "previous" or "zero" (--fill interpolate)'


ROW_5 = "series 'y', row 5 (line 6 of sales.csv): "


BAD_ROWS = {
    "missing value": (
        DATES,
        spoil(range(30), 4, ""),
        ROW_5 + f"the value at 2020-05-01 is missing (1 of 30 values); {FILL}",
    ),
    "text": (DATES, spoil(range(30), 4, "n.b."), ROW_5 + "'n.b.' in target 'y' is not a number; give a number such as"),
    "infinite": (DATES, spoil(range(30), 4, "-inf"), ROW_5 + "-inf in target 'y' is infinite; give a number such as"),
    "underscore": (
        DATES,
        ["1_500"] * 30,
        "'1_500' in target 'y' is not a number (and 29 more); give a number such as 1234.5",
    ),
    "gaps": (
        spoil(DATES, 29, "2022-10-01"),
        range(30),
        "series 'y': 4 dates are missing between 2020-01-01 and 2022-10-01: 2022-06-01, 2022-07-01, 2022-08-01, ... "
        f"(the first after row 29 (line 30 of sales.csv)); {FILL}",
    ),
    "duplicate": (spoil(DATES, 4, DATES[3]), range(30), ROW_5 + "duplicate date 2020-04-01; remove or average"),
    "unsorted": (
        spoil(spoil(DATES, 4, DATES[2]), 2, DATES[4]),
        range(30),
        "row 4 (line 5 of sales.csv): 2020-04-01 comes after 2020-05-01; sort the table, or pass sort=True (--sort)",
    ),
    "no date": (
        spoil(DATES, 4, ""),
        range(30),
        ROW_5 + "no date in time column 'ds' (1 row has none); add the date or",
    ),
    "bad date": (
        spoil(DATES, 4, "2020-13-01"),
        range(30),
        ROW_5 + "'2020-13-01' in time column 'ds' cannot be read as a date, unlike '2020-01-01'; write dates as",
    ),
    "either order": (
        MONTHS[:8].strftime("%d/%m/%Y"),
        range(8),
        "dates such as '01/02/2020' in time column 'ds' can be read day first or month first, as 2020-02-01 or "
        "2020-01-02; pass dayfirst=True (--dayfirst) or dayfirst=False (--no-dayfirst)",
    ),
    "fraction": (
        np.arange(30) / 12,
        range(30),
        "row 2 (line 3 of sales.csv): time 0.0833333 in column 'ds' is a fraction",
    ),
    "nothing": (DATES, [""] * 30, "series 'y' has no values at all; check the target column (--target COL)"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows_are_named_with_their_remedy(csv, case):
    ds, y, message = BAD_ROWS[case]
    with pytest.raises(DataError, match=re.escape(message)):
        read(csv(lines(ds, y)))


def test_rows_of_the_right_series_are_named():
    both = pd.concat([table(unique_id="a"), table(unique_id="b", y=spoil(np.arange(30.0), 3, np.nan))])
    with pytest.raises(DataError, match=r"series 'b', row 34: the value at 2020-04-01 is missing"):
        read(both)
    with pytest.raises(
        DataError, match=r"row 31: duplicate date 2020-01-01 .30 rows repeat a date.; .* id_column= .--id."
    ):
        read(both.drop(columns="unique_id"))
    with pytest.raises(DataError, match=r"row 31: no name in series column 'unique_id'"):
        read(both.replace({"unique_id": {"b": None}}))


def test_an_hour_repeated_when_daylight_saving_time_ends_has_its_own_remedy(csv):
    hours = pd.date_range("2024-10-26", periods=48, freq="h", tz="Europe/Berlin")
    local, y = hours.tz_localize(None).strftime("%Y-%m-%d %H:%M"), range(48)
    cause = r"duplicate date.*daylight-saving time ended.*UTC offset, such as 2024-10-27 02:00:00\+02:00"
    with pytest.raises(DataError, match=cause):
        read(csv(lines(local, y)))
    offsets = [hour.isoformat(sep=" ") for hour in hours]
    assert len(read(csv(lines(offsets, y))).series[0]) == 48
    with pytest.raises(DataError, match=r"duplicate date.*\(--id\)$"):
        read(csv(lines(spoil(local, 5, local[4]), y)))


@pytest.mark.parametrize(
    ("fill", "expected", "description"),
    [
        ("interpolate", [0, 3, 6, 9, 12], "by interpolation"),
        ("previous", [0, 0, 0, 9, 12], "with the previous value"),
        ("zero", [0, 0, 0, 9, 12], "with zero"),
    ],
)
def test_fill_repairs_gaps_and_missing_values_and_states_the_repair(fill, expected, description):
    days = pd.to_datetime(["2020-01-01", "2020-01-03", "2020-01-04", "2020-01-05"])
    panel = read(table(days, [0, np.nan, 9, 12]), fill=fill, fill_limit=0.4)
    assert panel.series[0].y.tolist() == expected
    assert panel.guesses[-1] == f"filled {description}: 2 values of series 'y', the first at 2020-01-02"
    assert panel.series[0].filled.tolist() == [False, True, True, False, False]


def test_series_without_missing_values_have_no_filled_values():
    assert read(table(), fill="zero").series[0].filled is None
    leading = read(table(y=[np.nan, *range(29)]), fill="previous").series[0]
    assert (leading.filled, len(leading)) == (None, 29)


def test_interpolation_is_linear_in_time_not_in_rows():
    y = read(table(y=spoil(np.arange(30.0), 1, np.nan)), fill="interpolate").series[0].y
    assert y[1] == pytest.approx(2 * 31 / (31 + 29))  # January has 31 days, February 2020 has 29


def test_values_outside_the_known_ones_are_not_interpolated():
    leading = read(table(y=[np.nan, np.nan, *range(28)]), fill="interpolate")
    assert leading.series[0].ds[0] == MONTHS[2]
    assert leading.guesses[-1] == "left out: the first 2 dates of series 'y', without values"
    trailing = table(y=[*range(28), np.nan, np.nan])
    with pytest.raises(DataError, match=r"cannot interpolate after 2022-04-01, .* pass fill=\"previous\""):
        read(trailing, fill="interpolate")
    assert read(trailing, fill="previous").series[0].y[-3:].tolist() == [27, 27, 27]
    with pytest.raises(DataError, match=r"fill='mean': expected one of interpolate, previous, zero"):
        read(trailing, fill="mean")


def test_rows_are_sorted_on_request_and_the_repair_is_stated():
    panel = read(table().iloc[::-1], sort=True)
    assert panel.series[0].y.tolist() == list(range(30))
    assert "sorted by date: series 'y'" in panel.guesses
    with pytest.raises(DataError, match="row 31: duplicate date 2020-01-01"):
        read(pd.concat([table(), table()[:1]]), sort=True, fill="interpolate")
    shuffled = table(y=spoil(np.arange(30.0), 0, np.nan)).iloc[::-1]
    with pytest.raises(DataError, match="row 30: the value at 2020-01-01"):  # the row of the unsorted table
        read(shuffled, sort=True)
