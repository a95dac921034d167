"""Fiscal years: a year and a month or quarter, where years begin in another month than January."""

import re

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, read

FORMS = {  # name -> the first months of the periods, and the text of each
    "names": (range(1, 13), lambda ds: ds.strftime("%b")),
    "numbers": (range(1, 13), lambda ds: ds.month),
    "quarters": ((1, 4, 7, 10), lambda ds: ds.quarter),
    "Q1": ((1, 4, 7, 10), lambda ds: [f"Q{quarter}" for quarter in ds.quarter]),
}


def fiscal(form, start, periods, first=0, ends=False):
    """The dates of fiscal years, and a table with the year in which each starts or ends."""
    months, text = FORMS[form]
    freq = "QS-JAN" if len(months) == 4 else "MS"
    ds = pd.date_range(f"2012-{start:02d}-01", periods=periods + first, freq=freq)[first:]
    year = ds.year - (ds.month < start) + ends
    name = "quarter" if len(months) == 4 else "Month"
    return ds, pd.DataFrame({"FY": year, name: text(ds), "y": np.arange(periods) + 0.5})


def refusal(source, **options):
    with pytest.raises(DataError) as caught:
        read(source, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("form", "start", "periods", "first"),
    [
        ("names", 4, 36, 0),
        ("names", 10, 30, 0),
        ("names", 7, 40, 3),
        ("names", 4, 12, 0),
        ("names", 4, 15, 0),
        ("numbers", 4, 36, 0),
        ("numbers", 11, 25, 2),
        ("quarters", 4, 24, 0),
        ("quarters", 10, 9, 1),
        ("Q1", 7, 16, 0),
        ("Q1", 4, 4, 0),
    ],
)
@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("falls", [False, True])
def test_fiscal_years_are_refused_with_both_meanings(form, start, periods, first, ends, falls, csv):
    ds, table = fiscal(form, start, periods, first, ends)
    ds, table = (ds[::-1], table[::-1].reset_index(drop=True)) if falls else (ds, table)
    for source in (table, csv(table.to_csv(index=False))):
        message = refusal(source)
        assert message == refusal(source, sort=True)
        assert "as in fiscal years" in message
        assert "--sort" not in message
        starts, ended = re.findall(r"\d{4}-\d\d-\d\d", message)[2:]
        written = ended if ends else starts
        assert pd.Timestamp(written) == ds[0]
        dated = pd.DataFrame({"date": ds.strftime("%Y-%m-%d"), "y": table["y"]})
        panel = read(dated, sort=falls)
        assert panel.series[0].ds.tolist() == sorted(ds)


def test_the_months_are_named():
    message = refusal(fiscal("names", 10, 36)[1])
    assert "the months of each year run from October to September" in message


def test_fiscal_years_with_a_missing_month():
    _, table = fiscal("names", 4, 36)
    assert "as in fiscal years" in refusal(table.drop(index=17), sort=True)


def test_fiscal_years_of_several_series():
    _, table = fiscal("names", 4, 36)
    both = pd.concat([table.assign(shop=shop) for shop in ("north", "south")], ignore_index=True)
    short = table[:9].assign(shop="west")  # in order, with the same years
    for options in ({}, {"sort": True}, {"on_bad": "skip"}):
        message = refusal(pd.concat([both, short], ignore_index=True), **options)
        assert "as in fiscal years" in message


@pytest.mark.parametrize("seed", range(20))
def test_shuffled_months_are_sorted(seed):
    ds = pd.date_range("2012-01-01", periods=36, freq="MS")
    table = pd.DataFrame({"year": ds.year, "month": ds.month, "y": np.arange(36) + 0.5})
    rows = np.random.default_rng(seed).permutation(36)
    assert "--sort" in refusal(table.iloc[rows])
    assert read(table.iloc[rows], sort=True).series[0].y.tolist() == table["y"].tolist()


@pytest.mark.parametrize("rows", [[*range(35, -1, -1)], [*range(12, 36), *range(12)], [1, 0, *range(2, 36)]])
def test_blocks_of_rows_out_of_order_are_sorted(rows):
    ds = pd.date_range("2012-01-01", periods=36, freq="MS")
    table = pd.DataFrame({"year": ds.year, "month": ds.month, "y": np.arange(36) + 0.5})
    assert read(table.iloc[rows], sort=True).series[0].y.tolist() == table["y"].tolist()
