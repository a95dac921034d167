"""Aggregate: several rows of a series and date as one."""

import re

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, known_ahead, read

DAYS = pd.date_range("2024-01-01", periods=10)
RECEIPTS = pd.DataFrame({"date": DAYS.repeat(3).strftime("%Y-%m-%d"), "amount": np.arange(30.0) ** 2})


@pytest.mark.parametrize("source", ["file", "pandas", "text"])
@pytest.mark.parametrize("how", ["sum", "mean", "last"])
def test_rows_of_a_date_become_one_value(how, source, tmp_path):
    table = RECEIPTS.astype(str) if source == "text" else RECEIPTS
    if source == "file":
        RECEIPTS.to_csv(tmp_path / "table.csv", index=False)
        table = tmp_path / "table.csv"
    with pytest.raises(DataError, match=re.escape('aggregate="sum", "mean" or "last" (--aggregate sum)')):
        read(table)
    panel = read(table, aggregate=how)
    groups = RECEIPTS["amount"].to_numpy().reshape(10, 3)
    expected = {"sum": groups.sum(axis=1), "mean": groups.mean(axis=1), "last": groups[:, 2]}[how]
    assert panel.series[0].ds.tolist() == DAYS.tolist()
    assert panel.series[0].y.tolist() == pytest.approx(expected.tolist())
    assert f"aggregated by {how}: 30 rows to 10, one for each date of a series" in panel.guesses


def test_each_series_is_aggregated_in_any_order_of_rows():
    table = pd.concat([RECEIPTS.assign(shop="a"), RECEIPTS.assign(shop="b", amount=1.0)])
    shuffled = table.sample(frac=1, random_state=0)
    for source in (table, shuffled):
        panel = read(source, id_column="shop", aggregate="sum")
        by_name = {series.unique_id: series for series in panel.series}
        assert by_name["b"].y.tolist() == [3.0] * 10
        assert by_name["a"].y.tolist() == RECEIPTS.groupby("date")["amount"].sum().tolist()
        assert by_name["a"].ds.tolist() == DAYS.tolist()
    both = read(table, target_column="amount", aggregate="sum")
    assert both.series[0].y.tolist() == (RECEIPTS.groupby("date")["amount"].sum() + 3).tolist()


def test_missing_values_are_left_out():
    amount = RECEIPTS["amount"].where(RECEIPTS.index % 3 != 2)
    amount[:3] = np.nan
    table = RECEIPTS.assign(amount=amount)
    for how, value in (("sum", 9 + 16), ("mean", 12.5), ("last", 16)):
        with pytest.raises(DataError, match="the value at 2024-01-01 is missing"):
            read(table, aggregate=how)
        assert read(table, aggregate=how, fill="zero").series[0].y[:2].tolist() == [0, value]


def test_a_table_without_duplicates_stays_the_same():
    table = RECEIPTS[::3]
    assert read(table, aggregate="sum").guesses == read(table).guesses


def test_covariates_are_aggregated_too():
    table = RECEIPTS.assign(price=np.arange(30) % 3 + 1.0, day=RECEIPTS["date"].str[-1], size="big")
    for how, price in (("sum", 2.0), ("mean", 2.0), ("last", 3.0)):
        panel = read(table, target_column="amount", aggregate=how, past="price", known="day", static="size")
        assert panel.series[0].past.ravel().tolist() == [price] * 10
        assert panel.series[0].known.argmax(axis=1).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    with pytest.raises(DataError, match=r"row 5, 2024-01-02: covariate 'day' is 'x', but '2' in another row"):
        read(
            table.assign(day=table["day"].mask(table.index == 4, "x")),
            target_column="amount",
            aggregate="sum",
            past="day",
        )


def test_future_rows_are_aggregated_like_the_history():
    table = RECEIPTS.assign(price=1.0)
    panel = read(table, target_column="amount", aggregate="sum", known="price")
    later = pd.DataFrame({"date": ["2024-01-11", "2024-01-11", "2024-01-12"], "price": [1, 4, 7]})
    assert known_ahead(panel, 2, later).ravel().tolist() == [2.5, 7]
    assert read(table, like=panel).series[0].y.tolist() == panel.series[0].y.tolist()
    inside = pd.concat([table, later.assign(amount=np.nan)])
    ahead = read(inside, target_column="amount", aggregate="sum", known="price")
    assert known_ahead(ahead, 2).ravel().tolist() == [2.5, 7]
    last = read(table, target_column="amount", aggregate="last", known="price")
    assert known_ahead(last, 2, later).ravel().tolist() == [4, 7]


def test_exact_copies_are_named():
    table = pd.concat([RECEIPTS[::3], RECEIPTS[::3][-4:]])
    with pytest.raises(DataError, match=r'4 rows are exact copies of another row; .*aggregate="last" \(--aggregate l'):
        read(table)
    assert read(table, aggregate="last").series[0].y.tolist() == RECEIPTS["amount"][::3].tolist()
    doubled = read(table, aggregate="sum").series[0].y
    assert doubled[-1] == 2 * RECEIPTS["amount"].iloc[27]


def test_numbers_that_name_series_are_no_values_of_a_total():
    table = pd.DataFrame({"date": RECEIPTS["date"], "shop": [1, 2, 3] * 10, "amount": RECEIPTS["amount"]})
    with pytest.raises(DataError, match=r"id_column='shop' \(--id shop\); else make one value of them with aggregate="):
        read(table)
    assert read(table, aggregate="sum").series[0].unique_id == "amount"
    assert len(read(table, id_column="shop")) == 3


def test_an_hour_is_proposed_if_the_time_is_given():
    hours = pd.date_range("2024-01-01", periods=96, freq="h")
    table = pd.DataFrame({"date": hours.strftime("%Y-%m-%d"), "hour": hours.hour, "v": 1.5})
    with pytest.raises(DataError, match=r"pass time_column=\['date', 'hour'\] \(--time date,hour\), as 'hour' compl"):
        read(table, time_column="date", target_column="v")
    assert read(table, time_column=["date", "hour"]).series[0].ds.tolist() == hours.tolist()


SUBTOTALS = {
    "years": (pd.date_range("2015-01-01", periods=36, freq="MS"), "%Y-%m", "%Y"),
    "months": (pd.date_range("2020-01-01", periods=91), "%Y-%m-%d", "%Y-%m"),
}


def with_subtotals(ds, form, longer):
    """Rows of dates, and after each period a row with its sum."""
    table = pd.DataFrame({"Month": ds.strftime(form), "Sales": 100.0 + np.arange(len(ds)) % 7})
    parts = []
    for name, rows in table.groupby(ds.strftime(longer)):
        parts += [rows, pd.DataFrame({"Month": [name], "Sales": [rows["Sales"].sum()]})]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("options", [{}, {"aggregate": "sum"}, {"aggregate": "last"}], ids=str)
@pytest.mark.parametrize("case", SUBTOTALS)
def test_totals_labelled_with_a_longer_period_are_to_be_removed(case, options, csv):
    ds, form, longer = SUBTOTALS[case]
    table = with_subtotals(ds, form, longer)
    for source, first in ((csv(table.to_csv(index=False)), 2), (table, 1)):
        with pytest.raises(DataError, match=r"names a longer period than .*, as a total does; remove ") as error:
            read(source, **options)
        assert "aggregate" not in str(error.value)
        rows = re.search(r"remove (?:lines|rows) ([\d, and]*), which", str(error.value))[1]
        panel = read(table.drop(index=[int(row) - first for row in re.findall(r"\d+", rows)]), **options)
        assert panel.series[0].ds.tolist() == ds.tolist()
