"""Filled down: names and years that stand only in the first row of their group are those of the rows below."""

import numpy as np
import pandas as pd
import pytest

from gatewise.series import DataError, read

MONTHS = pd.date_range("2015-01-01", periods=24, freq="MS")
NAMES = ("North", "South", "NA")


def pivot(names=NAMES, form="%Y-%m-%d"):
    parts = [
        pd.DataFrame({"region": name, "month": MONTHS.strftime(form), "y": 100.0 * k + np.arange(24) % 7})
        for k, name in enumerate(names, start=1)
    ]
    return pd.concat(parts, ignore_index=True)


def first_only(column):
    return column.where(column != column.shift())


@pytest.mark.parametrize("options", [{}, {"id_column": "region"}], ids=str)
@pytest.mark.parametrize("form", ["%Y-%m-%d", "%b %Y", "%Y%m"])
def test_names_in_the_first_row_of_a_group(csv, form, options):
    full = pivot(form=form)
    sparse = full.assign(region=first_only(full["region"]))
    for source in (csv(sparse.to_csv(index=False)), sparse):
        panel = read(source, **options)
        assert "blank cells in column 'region': read as the cell above them" in panel.guesses
        assert [series.unique_id for series in panel.series] == list(NAMES)
        for series, expected in zip(panel.series, read(full, id_column="region").series, strict=True):
            assert series.ds.equals(expected.ds)
            assert series.y.tolist() == expected.y.tolist()


@pytest.mark.parametrize("item_is_sparse", [True, False])
def test_names_of_two_levels(item_is_sparse):
    full = pd.concat([pivot().assign(item=item) for item in "ab"]).sort_values(["region", "item", "month"])
    item = first_only(full["item"]) if item_is_sparse else full["item"]
    panel = read(full.assign(region=first_only(full["region"]), item=item), id_column=["region", "item"])
    assert [series.unique_id for series in panel.series] == [f"{name}/{i}" for name in sorted(NAMES) for i in "ab"]


def test_a_row_that_is_there_twice_is_named_in_its_series():
    full = pivot()
    sparse = full.assign(region=first_only(full["region"])).iloc[[*range(30), 29, *range(30, 72)]]
    with pytest.raises(DataError, match="series 'South', row 31: duplicate date 2015-06-01"):
        read(sparse, id_column="region")


@pytest.mark.parametrize("names", [("Year", "Month"), ("Jahr", "Monat")], ids=str)
@pytest.mark.parametrize("form", ["%m", "%b"])
def test_years_in_the_first_row_of_the_year(csv, tmp_path, names, form):
    months = MONTHS[3:]
    year = pd.Series(months.year)
    month = months.strftime(form)
    columns = {names[0]: first_only(year), names[1]: month.astype(int) if form == "%m" else month}
    table = pd.DataFrame({**columns, "Sales": 100.0 + np.arange(21) % 5})
    table.to_excel(tmp_path / "sales.xlsx", index=False)
    for source in (csv(table.to_csv(index=False)), table, tmp_path / "sales.xlsx"):
        panel = read(source)
        (series,) = panel.series
        assert (series.unique_id, list(series.ds)) == ("Sales", list(months))
        assert f"blank cells in column {names[0]!r}: read as the cell above them" in panel.guesses


def test_notes_beside_rows_of_one_series_are_not_filled():
    notes = ["start", *[None] * 9, "move", *[None] * 13]
    panel = read(pd.DataFrame({"month": MONTHS, "note": notes, "y": np.arange(24.0)}))
    assert not any("blank cells" in guess for guess in panel.guesses)
    assert len(panel.series[0]) == 24
