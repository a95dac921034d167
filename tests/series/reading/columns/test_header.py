"""Headers of wide tables: dates in many forms, with words and marks around them, and other columns among them."""

import re

import numpy as np
import pandas as pd
import pytest

from gatewise import Forecaster
from gatewise.series import DataError, read

MONTHS = pd.date_range("2020-01-01", periods=18, freq="MS")
WEEKS = pd.date_range("2020-01-06", periods=18, freq="W-MON")
YEARS = pd.date_range("1960-01-01", periods=18, freq="YS")
ISO = MONTHS.strftime("%Y-%m").tolist()
FIRSTS = MONTHS[:12].strftime("%d/%m/%Y").tolist()  # 01/01/2020, 01/02/2020, ...
FRENCH = ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."]


def written(path, header, rows=2, others=None):
    """A file of random series with these columns; `others` gives the values of some of them."""
    values = pd.DataFrame(np.random.default_rng(0).normal(100, 10, (rows, len(header))).round(1), columns=header)
    for column, of in (others or {}).items():
        values[column] = of(values)
    values.insert(0, "Region", [f"R{k}" for k in range(rows)])
    values.to_csv(path / "table.csv", index=False)
    return path / "table.csv"


@pytest.mark.parametrize(
    ("header", "options", "ds"),
    [
        (FIRSTS, {"dayfirst": True}, MONTHS[:12]),
        (FIRSTS, {"dayfirst": False}, pd.date_range("2020-01-01", periods=12)),
        (FIRSTS, {"time_format": "%d/%m/%Y"}, MONTHS[:12]),
        (FIRSTS, {"time_format": "%m/%d/%Y"}, pd.date_range("2020-01-01", periods=12)),
        (MONTHS[:12].strftime("%d/%m/%y"), {"dayfirst": True}, MONTHS[:12]),
        (MONTHS[:12].strftime("%m%Y"), {"time_format": "%m%Y"}, MONTHS[:12]),
        (MONTHS.strftime("D%y%m"), {"time_format": "D%y%m"}, MONTHS),
        (YEARS.strftime("%Y"), {"time_format": "%Y"}, YEARS),
    ],
)
def test_options_decide_how_dates_of_the_header_are_read(header, options, ds, tmp_path):
    assert read(written(tmp_path, header), **options).series[0].ds.tolist() == ds.tolist()


def test_ambiguous_dates_of_the_header_name_options_that_work(tmp_path):
    path = written(tmp_path, FIRSTS)
    with pytest.raises(DataError, match=r"pass dayfirst=True \(--dayfirst\) or dayfirst=False \(--no-dayfirst\)"):
        read(path)
    with pytest.raises(DataError, match=r"column '01/01/2020': .* does not have time_format='%d.%m.%Y'"):
        read(path, time_format="%d.%m.%Y")
    first = read(path, dayfirst=True)
    (tmp_path / "later").mkdir()
    later = read(written(tmp_path / "later", ["01/01/2021", "01/02/2021"]), like=first)
    assert later.series[0].ds.tolist() == pd.to_datetime(["2021-01-01", "2021-02-01"]).tolist()


WRITTEN = {  # form -> header, dates
    "X2020.01.01": (MONTHS.strftime("X%Y.%m.%d"), MONTHS),
    "X2020.01": (MONTHS.strftime("X%Y.%m"), MONTHS),
    "2020_01": (MONTHS.strftime("%Y_%m"), MONTHS),
    "2020_01_01": (MONTHS.strftime("%Y_%m_%d"), MONTHS),
    "Sales 2020-01": (MONTHS.strftime("Sales %Y-%m"), MONTHS),
    "2020-01 Sales": (MONTHS.strftime("%Y-%m Sales"), MONTHS),
    "net_sales_2020_01": (MONTHS.strftime("net_sales_%Y_%m"), MONTHS),
    "Sales Jan-20": (MONTHS.strftime("Sales %b-%y"), MONTHS),
    "Sales 202001": (MONTHS.strftime("Sales %Y%m"), MONTHS),
    "2020-01 (p)": (MONTHS.strftime("%Y-%m (p)"), MONTHS),
    "1960.0": (YEARS.strftime("%Y.0"), YEARS),
    "Week of 2020-01-06": (WEEKS.strftime("Week of %Y-%m-%d"), WEEKS),
    "w/c 06/01/2020": (WEEKS.strftime("w/c %d/%m/%Y"), WEEKS),
    "janv. 2020": ([f"{FRENCH[day.month - 1]} {day.year}" for day in MONTHS], MONTHS),
    "janv.-20": ([f"{FRENCH[day.month - 1]}-{day:%y}" for day in MONTHS], MONTHS),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_words_and_separators_around_dates_are_left_out(name, tmp_path):
    header, ds = WRITTEN[name]
    panel = read(written(tmp_path, header))
    assert [series.ds.tolist() for series in panel.series] == [ds.tolist()] * 2
    assert any(f"{str(header[0])!r} read as" in guess for guess in panel.guesses)


@pytest.mark.parametrize(
    "header",
    [
        [f"Quarter 2020-{k}" for k in range(1, 5)],
        [f"Trim {k} {year}" for year in (2019, 2020) for k in range(1, 5)],
        ["Sensor 2001", "Sensor 2002", "Sensor 2003"],
        [f"Q 2020-{k:02d}" for k in range(1, 13)],
    ],
)
def test_numbers_beside_words_that_may_be_no_months_are_no_dates(header, tmp_path):
    path = written(tmp_path, header)
    with pytest.raises(DataError, match="no time column found"):
        read(path)
    assert read(path, layout="rows").freq == 1


def test_numbers_beside_a_word_for_weeks_are_weeks_or_refused(tmp_path):
    path = written(tmp_path, [f"week 2020-{k:02d}" for k in range(1, 13)])
    with pytest.raises(DataError, match=r"'%Y-%m'\) or 2019-12-30 \('%G-%V'"):
        read(path)


def test_a_long_table_with_words_and_years_in_its_header_stays_long(tmp_path):
    table = pd.DataFrame({"date": MONTHS, "sales_2020_01": 1.0, "sales_2020_02": 2.0, "sales_2020_03": 3.0})
    panel = read(table, target_column="sales_2020_01")
    assert panel.series[0].ds.tolist() == MONTHS.tolist()
    with pytest.raises(DataError, match="the target column is ambiguous"):
        read(table)


@pytest.mark.parametrize("mark", [" (p)", "*", "F", " p", "r", " [rev]", " est."])
@pytest.mark.parametrize("count", [1, 4])
def test_marks_behind_the_last_dates_are_left_out(mark, count, tmp_path):
    header = [*ISO[:-count], *(f"{month}{mark}" for month in ISO[-count:])]
    panel = read(written(tmp_path, header))
    assert panel.series[0].ds.tolist() == MONTHS.tolist()
    assert any(f"{header[-1]!r} read as" in guess and "without the mark" in guess for guess in panel.guesses)


@pytest.mark.parametrize("name", ["2020-01 (p)", "2021-07 Budget", "2030-01 (p)", "Score 7"])
def test_other_names_behind_the_dates_are_not_used(name, tmp_path):
    panel = read(written(tmp_path, [*ISO, name]))
    assert panel.series[0].ds.tolist() == MONTHS.tolist()
    assert f"columns not used: {name!r}" in panel.guesses


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ([month.replace("2020-06", "2020-O6") for month in ISO], "2020-O6"),
        ([day.strftime("%Y-%m" if day.month == 6 else "%b-%y") for day in MONTHS[:12]], "2020-06"),
        ([month.replace("2020-06", "June") for month in ISO], "June"),
        ([month.replace("2021-03", "2021-03 Budget") for month in ISO], "2021-03 Budget"),
    ],
)
def test_a_column_in_the_place_of_a_missing_date_is_named(header, column, tmp_path):
    path = written(tmp_path, header)
    for options in ({}, {"layout": "rows"}, {"fill": "interpolate"}):
        with pytest.raises(DataError, match=f"column {column!r} stands in the place of .*; correct its name") as error:
            read(path, **options)
        assert "fill" not in str(error.value)
    table = pd.read_csv(path)
    right = MONTHS[header.index(column)].strftime("%b-%y" if header[0] == "Jan-20" else "%Y-%m")
    assert len(read(table.rename(columns={column: right})).series[0]) == len(header)
    with pytest.raises(DataError, match=r"1 date is missing"):
        read(table.drop(columns=column))


def total(columns, of=pd.DataFrame.sum):
    return lambda values: of(values[columns], axis=1).round(1)


QUARTERS = ["Jan-20", "Feb-20", "Mar-20", "Q1-20", "Apr-20", "May-20", "Jun-20", "Q2-20"]
TOTALS = {  # header, totals
    "a year": ([*ISO[:12], "2020", *ISO[12:]], {"2020": total(ISO[:12])}),
    "a mean": ([*ISO[:12], "2020", *ISO[12:]], {"2020": total(ISO[:12], pd.DataFrame.mean)}),
    "before": (["2020", *ISO], {"2020": total(ISO[:12])}),
    "quarters": (QUARTERS, {"Q1-20": total(QUARTERS[:3]), "Q2-20": total(QUARTERS[4:7])}),
    "years": ([*ISO, "2020", "2021"], {"2020": total(ISO[:12]), "2021": total(ISO[12:])}),
    "three years": (
        [*(f"{year}Q{k}" for year in (2019, 2020, 2021) for k in range(1, 5)), "2019", "2020", "2021"],
        {str(year): total([f"{year}Q{k}" for k in range(1, 5)]) for year in (2019, 2020, 2021)},
    ),
    "words": ([*ISO, "Total"], {"Total": total(ISO)}),
}


@pytest.mark.parametrize("layout", [None, "rows"])
@pytest.mark.parametrize("name", TOTALS)
def test_totals_among_the_dates_are_left_out(name, layout, tmp_path):
    header, others = TOTALS[name]
    panel = read(written(tmp_path, header, others=others), layout=layout)
    assert len(panel.series[0]) == len(header) - len(others)
    left_out = ", ".join(map(repr, others))
    assert f"left out: {left_out}, sums or means of dates in the header" in panel.guesses


@pytest.mark.parametrize("layout", [None, "rows"])
@pytest.mark.parametrize("name", [name for name in TOTALS if name != "words"])
def test_other_periods_among_the_dates_are_refused(name, layout, tmp_path):
    header, others = TOTALS[name]
    path = written(tmp_path, header)
    with pytest.raises(DataError, match=f"column {next(iter(others))!r} is no date like .*; remove it") as error:
        read(path, layout=layout)
    assert "--layout" not in str(error.value)
    table = pd.read_csv(path).drop(columns=list(others))
    assert len(read(table, layout=layout).series[0]) == len(header) - len(others)


@pytest.mark.parametrize("layout", [None, "rows"])
@pytest.mark.parametrize(
    "form", ["%Y-%m {}", "{} %Y-%m", "{}_%Y_%m", "%Y-%m_{}", "{} %b-%y", "%b-%y {}", "%Y-%m ({})", "%b %Y {}"]
)
def test_two_columns_for_each_date_are_refused_with_both_names(form, layout, tmp_path):
    kinds = {kind: MONTHS.strftime(form.format(kind)).tolist() for kind in ("Actual", "Budget")}
    path = written(tmp_path, [name for both in zip(*kinds.values(), strict=True) for name in both])
    names = f"{kinds['Actual'][0]!r} and {kinds['Budget'][0]!r}"
    with pytest.raises(DataError, match=f"two columns for 2020-01-01, {re.escape(names)}; .*one kind") as error:
        read(path, layout=layout)
    assert "--layout" not in str(error.value)
    kept = read(pd.read_csv(path).drop(columns=kinds["Budget"]), layout=layout)
    assert kept.series[0].ds.tolist() == MONTHS.tolist()


@pytest.mark.parametrize("layout", [None, "rows"])
def test_dates_of_two_forms_are_refused_with_both(layout, tmp_path):
    header = [*ISO[:9], *MONTHS[9:].strftime("%b-%y")]
    path = written(tmp_path, header)
    with pytest.raises(DataError, match="several forms, such as '2020-01' and 'Oct-20'; write all of them in one"):
        read(path, layout=layout)
    table = pd.read_csv(path).set_axis(["Region", *ISO], axis=1)
    assert read(table, layout=layout).series[0].ds.tolist() == MONTHS.tolist()


def test_a_model_is_updated_with_later_columns_of_the_same_words(tmp_path):
    model = Forecaster(strategy="segment", horizon=3, max_steps=2, ensemble_size=1, quiet=True)
    months = pd.date_range("2015-01-01", periods=60, freq="MS").strftime("Sales %Y-%m")
    later = pd.DataFrame({"Region": ["R1", "R0"], "Sales 2020-01": [7.0, 8.0]})
    model.fit(written(tmp_path, months)).update(later)
    assert {series.unique_id: series.y[-1] for series in model.state.panel.series} == {"R0": 8, "R1": 7}
