"""Joining: each step has the covariates of its row, also after sorting and filling."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.series import DataError, known_ahead, read
from tests.shop import DAYS, refused, shop

ALL = {"past": "price", "known": ["holiday", "open"], "static": "size"}


def features_as_lists(series):
    return [
        None if part is None else part.tolist() for part in (series.past, series.known, series.static, series.ahead)
    ]


@pytest.mark.parametrize("form", ["pandas", "polars", "file", "index", "unsorted"])
def test_every_source_gives_each_step_the_features_of_its_row(form, tmp_path):
    source, options = shop(), {}
    if form == "polars":
        source = pl.from_dicts(shop().to_dict("records"))
    elif form == "file":
        shop().to_csv(tmp_path / "shop.csv", index=False)
        source = tmp_path / "shop.csv"
    elif form == "index":
        source = shop().set_index("ds")
    elif form == "unsorted":
        source, options = shop()[::-1], {"sort": True}
    panel = read(source, **ALL, freq="D", **options)
    features = {series.unique_id: features_as_lists(series) for series in panel.series}
    easter, no, xmas = [1, 0, 0], [0, 1, 0], [0, 0, 1]
    assert features["B"] == [[[7], [9]], [[*no, 0, 1], [*no, 0, 1]], [0, 1], None]
    rows = [[*no, 0, 1], [*easter, 1, 0], [*no, 0, 1], [*xmas, 0, 1]]
    assert features["A"] == [[[1], [2], [4], [8]], rows, [1, 0], None]
    assert panel.covariates.sizes == (1, 5, 2)
    assert "known covariates: 'holiday' (3 categories), 'open' (2 categories)" in panel.guesses
    assert not any("columns not used" in guess for guess in panel.guesses)


def test_the_calendar_needs_no_columns():
    series = read(pd.Series(np.arange(6.0), DAYS), calendar="day of week").series[0]
    np.testing.assert_allclose(series.known[:, 1], np.cos(2 * np.pi * np.array([3, 4, 5, 6, 0, 1]) / 7))
    assert (series.past, series.static, series.ahead) == (None, None, None)
    assert read(pd.Series(np.arange(6.0), DAYS)).covariates is None


def test_a_table_with_covariates_but_no_time_column_has_row_numbers_as_time():
    table = pd.DataFrame({"y": [1.0, 2.0, None], "x": [1, 2, 3]})
    for options in ({}, {"target_column": "y"}):
        panel = read(table, known="x", **options)
        assert known_ahead(panel, 1).tolist() == [[[3]]]
        assert known_ahead(panel, 1, pd.DataFrame({"ds": [2, 3], "x": [8, 9]})).tolist() == [[[8]]]


@pytest.mark.parametrize("role", ["past", "known", "static"])
def test_an_unknown_covariate_is_named(role):
    with refused("covariate 'prise' is not among the columns", "correct its name; did you mean 'price'?"):
        read(shop(), **{role: "prise"}, freq="D")


def test_covariates_are_not_candidates_for_the_time_or_the_target():
    table = pd.DataFrame({"when": DAYS.astype(str), "sold": range(6), "price": range(6), "until": DAYS.astype(str)})
    panel = read(table, known=["price", "until"])
    assert panel.series[0].unique_id == "sold"
    assert panel.series[0].ds.equals(DAYS)
    with refused("covariate 'y' is already the target column"):
        read(shop(), known="y")
    with refused("covariate 'ds' is already the time column"):
        read(shop(), known="ds")


def test_categories_of_a_file_stay_as_written_and_numbers_stay_numbers(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(
        "ds;y;holiday;price;open\n"
        + "\n".join(
            f"2024-02-0{i};{i},5;{word};{price};{opened}"
            for i, (word, price, opened) in enumerate(
                [("None", "1,5", "True"), ("NA", "NA", "True"), ("x", "2,5", "False"), ("None", "3,5", "True")], 1
            )
        )
    )
    panel = read(path, known=["holiday", "price", "open"], fill="interpolate")
    assert panel.covariates.categories == {"holiday": ("NA", "None", "x"), "open": (False, True)}
    assert panel.series[0].known[:, 3].tolist() == [1.5, 2.0, 2.5, 3.5]
    assert panel.series[0].y.tolist() == [1.5, 2.5, 3.5, 4.5]


def test_categories_that_are_numbers_stay_categories():
    table = pd.DataFrame({"y": np.arange(4.0), "code": pd.Categorical([3, 1, 3, 1])})
    assert read(table, known="code").covariates.known_features == ("code=1", "code=3")
    assert read(table.assign(code=[3, 1, 3, 1]), known="code").covariates.known_features == ("code",)


# ---------------------------------------------------------------------------------------------------- repairs


def test_filled_dates_have_filled_features_and_removed_dates_have_none():
    table = pd.DataFrame({"ds": DAYS[[0, 1, 3, 5]], "y": [None, 1.0, 3.0, 5.0], "price": [9.0, 1.0, None, 5.0]})
    table["plan"] = table["price"]
    series = read(
        table, past="price", known="plan", calendar="day of week", fill="interpolate", fill_limit=0.4, freq="D"
    ).series[0]
    assert series.past.ravel().tolist() == [1, 1, 1, 1, 5]  # the later value was not known then
    assert series.known[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert series.y.tolist() == [1, 2, 3, 4, 5]
    assert series.filled.tolist() == [False, True, False, True, False]
    np.testing.assert_allclose(series.known[:, 2], np.cos(2 * np.pi * np.array([4, 5, 6, 0, 1]) / 7))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=12, max_size=12), min_size=1, max_size=4), st.randoms())
def test_every_step_has_the_features_of_its_own_row(kinds, random):
    """Kinds: 0 no row; 1 no value; else a row with both, as the first and last rows always are."""
    dates = pd.date_range("2024-01-01", periods=12)
    rows = [
        (f"s{s}", date, np.nan if kind == 1 else 1.0, 100.0 * s + t)
        for s, line in enumerate(kinds)
        for t, (date, kind) in enumerate(zip(dates, [2, 2, *line[2:-1], 2], strict=True))
        if kind
    ]
    table = pd.DataFrame(rows, columns=["unique_id", "ds", "y", "x"]).sample(frac=1, random_state=random.randrange(99))
    table = table.assign(z=-table["x"])
    panel = read(table, past="x", known="z", sort=True, fill="previous", fill_limit=1, freq="D")
    rows_of = {(name, date): x for name, date, _, x in rows}
    for series in panel.series:
        last = np.nan
        for date, x, z in zip(series.ds, series.past[:, 0], series.known[:, 0], strict=True):
            last = rows_of.get((series.unique_id, date), last)
            assert (x, z) == (last, -last)


# ----------------------------------------------------------------------------------------------------- excluded


@pytest.mark.parametrize("on_bad", ["skip", "naive"])
def test_series_with_wrong_covariates_are_excluded_with_the_reason(on_bad):
    names = ["gap", "changes", "good", "no value", "infinite", "short y"]
    parts = [
        pd.DataFrame({"unique_id": name, "ds": DAYS, "y": np.arange(6.0), "x": np.arange(6.0), "size": "a"})
        for name in names
    ]
    table = pd.concat(parts, ignore_index=True).astype({"x": object})
    rows = {name: table.index[table["unique_id"] == name] for name in names}
    table.loc[rows["gap"][2], "x"] = None
    table.loc[rows["changes"][3], "size"] = "b"
    table.loc[rows["infinite"][1], "x"] = np.inf
    table.loc[rows["no value"], "size"] = None
    table.loc[rows["short y"][2], "y"] = None
    panel = read(table, past="x", static="size", on_bad=on_bad)
    assert [series.unique_id for series in panel.series] == ["good"]
    assert panel.series[0].past.ravel().tolist() == list(range(6))
    reasons = {excluded.unique_id: excluded.reason for excluded in panel.excluded_series}
    assert list(reasons) == ["gap", "changes", "no value", "infinite", "short y"]
    assert reasons["gap"].startswith("series 'gap', row 3 (2024-02-03): no value in past covariate 'x'; pass fill=")
    assert "'b' differs from 'a' in row 7" in reasons["changes"]
    remedy = 'give a finite number, or leave the cell empty and pass fill="previous" (--fill previous)'
    assert f"inf is infinite; {remedy}" in reasons["infinite"]
    assert "'size'" in reasons["no value"]
    assert all((excluded.series is None) == (on_bad == "skip") for excluded in panel.excluded_series)
    with refused("series 'infinite', row 26"):
        read(table.drop(index=rows["short y"]), past="x", static="size")


# -------------------------------------------------------------------------------------------------------- ahead


def test_future_rows_are_used_up_to_the_first_incomplete_one():
    table = shop().assign(y=[1.0, 1.0, None, None, None, None], price=[7, 1, 2, 9, 4, None])
    panel = read(table, known="price", freq="D", target_column="y", on_bad="skip")
    assert {series.unique_id: (series.y.tolist(), series.ahead.tolist()) for series in panel.series} == {
        "B": ([1.0], [[9.0]])
    }
    panel = read(table[:5], known="price", freq="D", target_column="y")
    assert [series.ahead.tolist() for series in panel.series] == [[[9]], [[2], [4]]]
    assert known_ahead(panel, 1).tolist() == [[[9]], [[2]]]
    with refused(
        "'B'",
        "needs the known covariates 'price' for 2024-02-04 to 2024-02-05 (2 dates), but the history has the first",
        " 1 date;",
    ):
        known_ahead(panel, 2)
    half = read(table[:5].assign(open=[1, 1, 1, 1, None]), known=["price", "open"], freq="D", target_column="y")
    assert [series.ahead.tolist() for series in half.series] == [[[9, 1]], [[2, 1]]]
    gap = read(table.drop(index=2)[:4], known="price", freq="D", target_column="y")
    assert [None if series.ahead is None else series.ahead.tolist() for series in gap.series] == [[[9]], None]


def test_wide_tables_share_their_covariates():
    wide = pd.DataFrame(
        {"day": DAYS, "a": [1, 2, 3, None, None, None], "b": [None, 2, 3, 4, None, None], "x": range(6)}
    )
    panel = read(wide, layout="columns", known="x", calendar="day of week")
    a, b = panel.series
    assert (a.y.tolist(), a.known[:, 0].tolist(), a.ahead[:, 0].tolist()) == ([1, 2, 3], [0, 1, 2], [3, 4, 5])
    assert (b.y.tolist(), b.known[:, 0].tolist(), b.ahead[:, 0].tolist()) == ([2, 3, 4], [1, 2, 3], [4, 5])
    assert known_ahead(panel, 2)[:, :, 0].tolist() == [[3, 4], [4, 5]]
    later = pd.DataFrame({"day": pd.date_range(DAYS[3], periods=9), "x": np.arange(9.0) * 10})
    assert known_ahead(panel, 3, later)[:, :, 0].tolist() == [[0, 10, 20], [10, 20, 30]]
    with refused("layout='columns' supports no static covariates, because a column such as 'x'"):
        read(wide, layout="columns", static="x")
    with refused("layout='rows' supports no covariates"):
        read(wide, layout="rows", calendar=True)


# --------------------------------------------------------------------------------------------------- read(like=)


def test_another_table_is_read_like_a_panel():
    names = {"unique_id": "shop", "ds": "day"}
    panel = read(shop().rename(columns=names), **ALL, id_column="shop", target_column="y", freq="D")
    other = shop().rename(columns=names).iloc[[1, 2, 4]].assign(ds=0, more=1)
    reread = read(other, like=panel)
    assert reread.covariates == panel.covariates
    assert reread.freq == "D"
    assert reread.series[0].known.tolist() == panel.series[1].known[:3].tolist()
    assert read(other, like=panel, **ALL).series[0].known.tolist() == reread.series[0].known.tolist()
    with refused("'new' is a new category, expected one of 'easter', 'none', 'xmas'"):
        read(other.assign(holiday="new"), like=panel)
    with refused("the covariates differ from those of the earlier series, 'price', 'holiday'"):
        read(other, like=panel, past="price")
    with refused("the data are already a panel"):
        read(panel, like=panel)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_polars_dates_keep_their_unit_and_names_stay_categorical(unit, zone):
    table = pl.from_dicts(shop().to_dict("records")).with_columns(
        pl.col("ds").cast(pl.Datetime(unit)).dt.replace_time_zone(zone), pl.col("unique_id").cast(pl.Categorical)
    )
    panel = read(table, freq="D", target_column="y")
    forecasts = panel.table(pd.DataFrame({"unique_id": ["A"], "ds": panel.series[1].ds[:1], "LSTM": [1.0]}))
    assert forecasts.schema["ds"] == table.schema["ds"]
    assert forecasts.schema["unique_id"] == pl.Categorical
    assert table.join(forecasts, on=["unique_id", "ds"]).height == 1
    assert panel.categorical
    assert not read(table.with_columns(pl.col("unique_id").cast(pl.String)), freq="D", target_column="y").categorical


def test_a_table_without_an_eligible_series_is_an_error():
    with pytest.raises(DataError, match=r"all 2 series have errors: series 'B', row 1 .*; series 'A', row 2"):
        read(shop().assign(price=[None, None, 2, 9, 4, 8]), past="price", on_bad="skip", freq="D")


@pytest.mark.parametrize("role", ["past", "known", "static"])
def test_huge_covariates_are_refused_like_huge_values(role):
    table = shop()
    table["x"] = table["unique_id"].map({"A": 2.0, "B": 1e100})  # the largest value allowed
    read(table, **{role: "x"}, freq="D")
    table.loc[[1, 2, 4, 5], "x"] = -1e300
    with refused(
        f"series 'A', row 2 (2024-02-01): {role} covariate 'x': -1e+300 is too large, expected at most 1e+100"
    ):
        read(table, **{role: "x"}, freq="D")


def test_a_huge_covariate_of_the_future_is_refused():
    panel = read(pd.DataFrame({"y": [5.0, 6.0], "price": [1, 1]}), known="price")
    with refused("series 'y', row 1 (2): known covariate 'price': 1e+300 is too large"):
        known_ahead(panel, 1, pd.DataFrame({"ds": [2], "price": [1e300]}))
