"""Digits without separators: every reading of them is read or named."""

import re

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, read

HOURS = pd.date_range("2024-02-27", periods=200, freq="h")


def table(cells):
    return pd.DataFrame({"date": cells, "v": np.arange(len(cells)) + 0.5})


def refusal(source, **options):
    with pytest.raises(DataError) as caught:
        read(source, **options)
    return str(caught.value)


def followed(source, message):
    """The dates of each format that a message names."""
    formats = re.findall(r"(?:time_format=|\()'(.*?)'", message)
    return {form: read(source, time_format=form).series[0].ds for form in formats}


@pytest.mark.parametrize("year", [2003, 2011, 2024])
@pytest.mark.parametrize("order", ["%d%m%y", "%m%d%y"])
@pytest.mark.parametrize("freq", ["MS", "D"])
def test_six_digits_in_a_row_may_be_days_or_months(year, order, freq, csv):
    ds = pd.date_range(f"{year}-01-01", periods=12, freq=freq)
    source = csv(table(ds.strftime(order)).to_csv(index=False))
    message = refusal(source)
    found = followed(source, message)
    assert set(found) == {"%d%m%y", "%m%d%y", "integer"}
    assert found[order].tolist() == ds.tolist()
    other = pd.date_range(f"{year}-01-01", periods=12, freq="D" if freq == "MS" else "MS")
    assert found["%m%d%y" if order == "%d%m%y" else "%d%m%y"].tolist() == other.tolist()
    for date in (ds[0], ds[-1], other[-1]):
        assert str(date.date()) in message


@pytest.mark.parametrize("first", ["2020-01-20", "2023-01-01", "2019-03-01"])
@pytest.mark.parametrize("step", ["D", "7D"])
def test_days_of_one_year_are_named_beside_serial_numbers_and_integers(first, step, csv):
    ds = pd.date_range(first, periods=300 if step == "D" else 40, freq=step)
    cells = ds.strftime("%y%j")
    for source in (csv(table(cells).to_csv(index=False)), table(cells.astype(int))):
        found = followed(source, refusal(source))
        assert set(found) == {"%y%j", "excel", "integer"}
        assert found["%y%j"].tolist() == ds.tolist()


@pytest.mark.parametrize("first", ["2020-11-20", "2008-06-01", "1998-10-10", "2015-01-01"])
@pytest.mark.parametrize("freq", ["D", "7D", "B"])
def test_days_of_several_years(first, freq, csv):
    ds = pd.date_range(first, periods=400 if freq == "D" else 270, freq=freq)
    source = csv(table(ds.strftime("%y%j")).to_csv(index=False))
    assert read(source).series[0].ds.tolist() == ds.tolist()


def test_business_days_of_one_year_are_no_serial_numbers(csv):
    ds = pd.bdate_range("2020-01-20", periods=150)
    assert read(csv(table(ds.strftime("%y%j")).to_csv(index=False))).series[0].ds.tolist() == ds.tolist()


WITH_A_GAP = [*range(10001, 10101), *range(10102, 10202)]


@pytest.mark.parametrize("values", [range(10001, 10301), range(60001, 60301), WITH_A_GAP])
def test_integers_of_five_digits_stay_integers(values):
    panel = read(table(np.array(values)), fill="previous")
    assert "time: integers, not dates" in panel.guesses


@pytest.mark.parametrize("first", ["2021-01-01", "2024-05-06", "2003-02-03"])
def test_serial_numbers_with_weekends_left_out_stay_serial_numbers(first):
    ds = pd.bdate_range(first, periods=90)
    days = (ds - pd.Timestamp("1899-12-30")).days
    assert read(table(days.to_numpy())).series[0].ds.tolist() == ds.tolist()


STAMPS = ["%y%m%d%H", "%d%m%y%H", "%m%d%y%H", "%y%m%d%H%M", "%d%m%y%H%M", "%m%d%y%H%M", "%y%m%d%H%M%S", "%d%m%y%H%M%S"]
STAMPS += [f"{day}{time}" for day in ("%d%m%Y", "%m%d%Y") for time in ("%H", "%H%M", "%H%M%S")]


@pytest.mark.parametrize("form", STAMPS)
@pytest.mark.parametrize("first", ["2024-02-27", "2008-12-20", "2019-11-28"])
def test_digits_with_a_time_of_day(form, first, csv):
    ds = pd.date_range(first, periods=200, freq="h")
    cells = ds.strftime(form)
    for source in (csv(table(cells).to_csv(index=False)), table(cells), table(cells.astype(np.int64))):
        panel = read(source)
        assert panel.series[0].ds.tolist() == ds.tolist()
        assert any(guess.startswith("dates: ") for guess in panel.guesses)


def test_quarter_hours_of_one_day(csv):
    ds = pd.date_range("2024-02-27", periods=96, freq="15min")
    source = csv(table(ds.strftime("%y%m%d%H%M")).to_csv(index=False))
    found = followed(source, refusal(source))  # in February 2024 or 1927
    assert set(found) == {"%y%m%d%H%M", "%d%m%y%H%M"}
    assert found["%y%m%d%H%M"].tolist() == ds.tolist()


def test_the_order_of_day_and_month_is_asked_for_before_a_time_of_day(csv):
    ds = pd.date_range("2024-05-01", periods=6 * 24, freq="h")
    source = csv(table(ds.strftime("%d%m%Y%H%M")).to_csv(index=False))
    assert read(source).series[0].ds.tolist() == ds.tolist()  # only days are in a row
    ds = pd.date_range("2024-05-05", periods=24, freq="h")
    source = csv(table(ds.strftime("%d%m%Y%H%M")).to_csv(index=False))
    assert read(source).series[0].ds.tolist() == ds.tolist()  # the same in both orders
    ds = pd.date_range("2024-05-06", periods=24, freq="h")
    source = csv(table(ds.strftime("%d%m%Y%H%M")).to_csv(index=False))
    assert "dayfirst=True (--dayfirst) or dayfirst=False" in refusal(source)
    assert read(source, dayfirst=True).series[0].ds.tolist() == ds.tolist()


@pytest.mark.parametrize("first", ["2024-04-01 22:20:00", "2017-12-01", "2026-01-01"])
@pytest.mark.parametrize("freq", ["s", "min", "h", "D"])
def test_seconds_since_1970_stay_seconds(first, freq):
    ds = pd.date_range(first, periods=60, freq=freq)
    assert read(table(ds.as_unit("s").asi8)).series[0].ds.tolist() == ds.tolist()
