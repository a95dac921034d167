"""Merged series: columns that may name series whose dates never coincide, and columns that only describe the dates."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.cli import main
from gatewise.series import DataError, read, split_by_frequency

NOISE = np.random.default_rng(0).normal(size=1000)
DAYS = pd.date_range("2023-01-01", periods=200)


def values(level, count):
    return (level + level / 20 * NOISE[:count]).round(3)


def long(parts, column="product"):
    """A long table: name -> (level, dates), in blocks of rows."""
    return pd.concat(
        [pd.DataFrame({column: name, "date": ds, "y": values(level, len(ds))}) for name, (level, ds) in parts.items()],
        ignore_index=True,
    )


def consecutive(levels, freq, count, start="2020-01-01"):
    ds = pd.date_range(start, periods=count * len(levels), freq=freq)
    return long({name: (level, ds[k * count :][:count]) for k, (name, level) in enumerate(levels.items())})


def alternating(levels, freq, count=120):
    ds = pd.date_range("2020-01-01", periods=count, freq=freq)
    table = long({name: (level, ds[k :: len(levels)]) for k, (name, level) in enumerate(levels.items())})
    return table.sort_values("date", ignore_index=True)


def check_names_both(table, columns=("product",), shape="the values jump where it changes"):
    """The error names both readings, and each option reads the table so."""
    option = repr(columns[0]) if len(columns) == 1 else repr(list(columns))
    remedy = f"pass id_column={option} (--id {','.join(columns)}) for a series of each name, or id_column=[]"
    for options in ({}, {"sort": True}):
        with pytest.raises(DataError, match=re.escape(f"no date repeats, but {shape}; {remedy}")):
            read(table, **options)
    together = read(table, id_column=[], sort=True).series
    order = np.argsort(pd.DatetimeIndex(table["date"]))
    assert [series.unique_id for series in together] == ["y"]
    assert together[0].y.tolist() == table["y"].to_numpy()[order].tolist()
    check_separate(table, columns)


def check_separate(table, columns=("product",)):
    panels = split_by_frequency(table, id_column=list(columns), sort=True).values()
    groups = {"/".join(map(str, name)): rows for name, rows in table.groupby(list(columns), sort=False)}
    separate = [series for panel in panels for series in panel.series]
    assert {str(series.unique_id) for series in separate} == set(groups)
    for series in separate:
        rows = groups[str(series.unique_id)].sort_values("date")
        assert series.y.tolist() == rows["y"].tolist()
        assert (series.ds == pd.DatetimeIndex(rows["date"])).all()


CONSECUTIVE = {
    "months": consecutive({"old": 100, "new": 5000}, "MS", 24),
    "hours": consecutive({"M1": 10, "M2": 40, "M3": 20}, "h", 50),
    "whole days": consecutive({"M1": 10, "M2": 40, "M3": 20}, "h", 24),
    "days": consecutive({"a": 10, "b": 5}, "D", 30),
    "weeks": consecutive({"a": 1, "b": 7, "c": 2, "d": 9}, "W-MON", 20),
    "quarters": consecutive({"north": 100, "south": 200}, "QS", 12),
    "business days": consecutive({"x": 3, "y": 30}, "B", 40),
    "whole years": consecutive({"P1": 10, "P2": 40, "P3": 20}, "MS", 12),
    "numbers": consecutive({7: 10, 8: 40, 9: 20}, "D", 30),
}


@pytest.mark.parametrize("name", CONSECUTIVE)
def test_names_in_blocks_of_dates_whose_values_jump_are_not_dropped(name):
    check_names_both(CONSECUTIVE[name])


@pytest.mark.parametrize("freq", ["D", "h", "30min", "MS", "W-MON"])
@pytest.mark.parametrize("levels", [{"A": 100, "B": 5000}, {"P": 10, "Q": 40, "R": 90}], ids=["two", "three"])
def test_alternating_names_with_levels_of_their_own_are_not_dropped(levels, freq):
    check_names_both(alternating(levels, freq))


@pytest.mark.parametrize("kind", ["csv", "tsv", "pandas", "polars"])
@pytest.mark.parametrize("table", [CONSECUTIVE["months"], alternating({"A": 1, "B": 5}, "D")], ids=["blocks", "days"])
def test_text_of_every_source_is_refused(kind, table, tmp_path):
    text = table.astype({"date": str})
    source = {"pandas": text, "polars": pl.DataFrame(text.to_dict("list"))}.get(kind, tmp_path / f"table.{kind}")
    if kind in ("csv", "tsv"):
        table.to_csv(source, index=False, sep="," if kind == "csv" else "\t")
    with pytest.raises(DataError, match=r"pass id_column='product' \(--id product\)"):
        read(source)
    assert len(read(source, id_column="product").series) == 2
    assert len(read(source, id_column="").series) == 1


def test_the_command_reads_one_series_or_several(tmp_path, capsys):
    CONSECUTIVE["months"].to_csv(tmp_path / "t.csv", index=False)
    data = ["check", str(tmp_path / "t.csv")]
    assert main(data) != 0
    assert '(--id product) for a series of each name, or id_column=[] (--id "")' in capsys.readouterr().err
    main([*data, "--id", ""])
    assert "series 'y': 48 values" in capsys.readouterr().out
    main([*data, "--id", "product"])
    assert "series column: 'product'" in capsys.readouterr().out


BACK = {
    "even days, then odd": alternating({"A": 10, "B": 11}, "D").sort_values("product"),
    "later block first": consecutive({"new": 10, "old": 10}, "MS", 24).iloc[[*range(24, 48), *range(24)]],
    "falling within each": alternating({"A": 10, "B": 11}, "D").sort_values("product")[::-1],
    "third hours": alternating({"a": 10, "b": 10, "c": 10}, "h").sort_values("product", kind="stable"),
    "odd months": alternating({"a": 10, "b": 90}, "MS").sort_values("product", kind="stable"),
    "numbers": alternating({11: 10, 12: 10}, "D").sort_values("product", kind="stable"),
}


@pytest.mark.parametrize("name", BACK)
def test_dates_that_go_back_between_names_are_not_sorted(name):
    check_names_both(BACK[name].reset_index(drop=True), shape="the dates go back, except within each name")


def test_several_columns_may_explain_dates_that_go_back():
    table = consecutive({"ax": 1, "ay": 1, "bx": 1, "by": 1}, "MS", 12).iloc[
        [*range(24, 36), *range(12), *range(36, 48), *range(12, 24)]
    ]
    table = table.assign(store=table["product"].str[0], item=table["product"].str[1]).drop(columns="product")
    check_names_both(table, ("store", "item"), "the dates go back, except within each name")


def test_dates_that_go_back_within_a_given_series_name_the_other_column():
    table = BACK["third hours"].assign(store="s").reset_index(drop=True)
    remedy = (
        "if the table holds several series, pass id_column=['store', 'product'] (--id store,product); else sort the "
        "table, or pass sort=True (--sort)"
    )
    with pytest.raises(DataError, match=re.escape(remedy)):
        read(table, id_column="store")
    check_separate(table, ("store", "product"))


CALENDARS = {
    "starts and ends of months": {"M": (1, "MS"), "E": (1, "ME")},
    "weekdays": {"A": (1, "W-MON"), "B": (1, "W-TUE")},
    "three": {"M": (10, "MS"), "D": (2, "D"), "Q": (5, "QS")},
    "weeks and months": {"W": (10, "W-WED"), "M": (10, "MS")},
    "years and days": {"D": (10, "D"), "Y": (10, "YS")},
}


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("in_blocks", [False, True])
@pytest.mark.parametrize("name", CALENDARS)
def test_series_on_different_calendars_name_the_id_column(name, in_blocks, sort):
    counts = {"D": 400, "Q": 30, "YS": 10}
    parts = {
        key: (level, pd.date_range("2020-01-01", periods=counts.get(key, 48), freq=freq))
        for key, (level, freq) in CALENDARS[name].items()
    }
    table = long(parts)
    table = table if in_blocks else table.sort_values("date", ignore_index=True)
    with pytest.raises(DataError, match=r"pass id_column='product' \(--id product\)"):
        read(table, sort=sort)
    panels = split_by_frequency(table, sort=sort, id_column="product")
    lengths = {str(series.unique_id): len(series) for panel in panels.values() for series in panel.series}
    assert lengths == {key: len(ds) for key, (_, ds) in parts.items()}


def plain(ds=DAYS, level=100.0, **columns):
    return pd.DataFrame({"date": ds, "y": level + 2 * NOISE[: len(ds)], **columns})


def by_phase(ds, phases, levels):
    return plain(ds, np.array(levels, float)[phases] * 10)


MONTHS, QUARTERS = (
    pd.date_range("2018-01-01", periods=60, freq="MS"),
    pd.date_range("2000-01-01", periods=60, freq="QS"),
)
HOURS, HALVES = pd.date_range("2023-01-01", periods=400, freq="h"), pd.date_range("2023-01-01", periods=99, freq="12h")
WORK = pd.date_range("2023-01-02", periods=200, freq="B")
WEEK, YEAR = [10, 11, 12, 13, 50, 90, 0], [0, 3, 9, 20, 40, 80, 90, 70, 50, 30, 10, 2]
DESCRIBED = {
    "weekdays": (by_phase(DAYS, DAYS.day_of_week, WEEK), DAYS.day_name()),
    "weekends": (by_phase(DAYS, DAYS.day_of_week, WEEK), np.where(DAYS.day_of_week > 4, "weekend", "week")),
    "business days": (by_phase(WORK, WORK.day_of_week, WEEK), WORK.day_name()),
    "holidays": (plain(), np.where(NOISE[:200] > 1.5, "yes", "no")),
    "constant": (plain(), "DE"),
    "months of days": (plain(), DAYS.month_name()),
    "month names": (by_phase(MONTHS, MONTHS.month - 1, YEAR), MONTHS.month_name()),
    "seasons": (by_phase(MONTHS, MONTHS.month - 1, YEAR), np.array(["w", "sp", "su", "a"])[MONTHS.month % 12 // 3]),
    "quarters": (by_phase(QUARTERS, QUARTERS.quarter - 1, [1, 20, 50, 5]), [f"Q{q}" for q in QUARTERS.quarter]),
    "morning": (by_phase(HALVES, (HALVES.hour > 0) * 1, [1, 9]), np.where(HALVES.hour > 0, "PM", "AM")),
    "night": (by_phase(HOURS, (HOURS.hour > 7) * 1, [1, 9]), np.where(HOURS.hour > 7, "day", "night")),
    "days of hours": (by_phase(HOURS, (HOURS.hour > 7) * 1, [1, 9]), HOURS.strftime("d%d")),
    "years": (by_phase(MONTHS, MONTHS.year - 2018, [1, 9, 20, 30, 41]), MONTHS.year.astype(str)),
    "fiscal years": (by_phase(MONTHS, MONTHS.year - 2018, [1, 9, 20, 30, 41]), MONTHS.strftime("FY%y")),
    "year numbers": (by_phase(MONTHS, MONTHS.year - 2018, [1, 9, 20, 30, 41]), MONTHS.year),
    "quality": (plain(), np.where(np.arange(200) > 180, "provisional", "final")),
    "trend, training set": (plain(level=np.arange(200.0)), np.where(np.arange(200) > 150, "test", "train")),
    "walk": (plain(level=NOISE[300:500].cumsum()), np.where(np.arange(200) > 100, "after", "before")),
    "dummy": (by_phase(DAYS, (np.arange(200) > 99) * 1, [1, 9]), (np.arange(200) > 99) * 1),
    "sums of months": (plain(level=pd.Series(9.0, DAYS).groupby(DAYS.month).cumsum().to_numpy()), DAYS.month_name()),
    "weeks": (by_phase(DAYS, DAYS.day_of_week, WEEK), DAYS.strftime("W%V")),
}


@pytest.mark.parametrize("order", ["rising", "falling", "mixed"])
@pytest.mark.parametrize("name", DESCRIBED)
def test_columns_that_describe_the_dates_are_not_used(name, order):
    table, column = DESCRIBED[name]
    rows = table.assign(note=column)
    rows = {"rising": rows, "falling": rows[::-1], "mixed": rows.sample(frac=1, random_state=1)}[order]
    panel = read(rows, sort=order != "rising")
    assert len(panel.series) == 1
    assert panel.series[0].y.tolist() == table["y"].tolist()
    assert "columns not used: 'note'" in panel.guesses


def test_a_covariate_is_no_name():
    panel = read(CONSECUTIVE["months"], past="product")
    assert [len(series) for series in panel.series] == [48]
