"""Calendars: series on different calendars are named with theirs, and every remedy of the message works."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.series import DataError, known_ahead, read, split_by_frequency

DAYS = pd.date_range("2022-01-03", periods=120)


def dates(freq, periods, start="2022-01-01"):
    return pd.date_range(start, periods=periods, freq=freq)


MIXED = {  # frequency -> dates of its series, the longest first
    "days and months": {"D": dates("D", 400), "MS": dates("MS", 14)},
    "months and quarters": {"MS": dates("MS", 60), "QS-JAN": dates("QS-JAN", 20)},
    "hours and days": {"h": dates("h", 24 * 30), "D": dates("D", 30)},
    "weeks on two weekdays": {"W-MON": dates("W-MON", 60), "W-SUN": dates("W-SUN", 59)},
    "month starts and ends": {"MS": dates("MS", 60), "ME": dates("ME", 59)},
    "days and business days": {"D": dates("D", 84), "B": dates("B", 60)},
    "business days and days": {"B": dates("B", 160), "D": dates("D", 84, "2022-09-01")},
    "many months and few days": {"MS": dates("MS", 500, "1980-01-01"), "D": dates("D", 300, "2023-01-01")},
    "hours and quarter hours": {"15min": dates("15min", 240), "h": dates("h", 60)},
    "years and months": {"MS": dates("MS", 60, "2010-01-01"), "YS-JAN": dates("YS-JAN", 20, "2000-01-01")},
    "days, weeks and months": {"D": dates("D", 400), "W-SUN": dates("W-SUN", 58), "MS": dates("MS", 14)},
    "quarter ends and month ends": {"ME": dates("ME", 60), "QE-DEC": dates("QE-DEC", 20)},
}


def long(calendars):
    parts = (pd.DataFrame({"unique_id": freq, "ds": ds, "y": np.arange(1.0, len(ds) + 1)}) for freq, ds in calendars)
    return pd.concat(parts, ignore_index=True)


def columns(calendars):
    return long(calendars).pivot_table(index="ds", columns="unique_id", values="y").reset_index()


def text(table):
    return table.assign(ds=table["ds"].astype(str))


SHAPES = {
    "long": (long, {}),
    "columns": (columns, {"layout": "columns"}),
    "text": (lambda calendars: text(long(calendars)), {}),
    "polars columns": (lambda calendars: pl.from_pandas(text(columns(calendars))), {"layout": "columns"}),
}


def assert_series(panel, freq, ds):
    """Whether a panel holds exactly the series of a frequency, with its own values."""
    assert panel.freq == freq
    assert [series.unique_id for series in panel.series] == [freq]
    assert panel.series[0].ds.astype(str).tolist() == ds.astype(str).tolist()
    assert panel.series[0].y.tolist() == list(range(1, len(ds) + 1))
    assert panel.series[0].filled is None


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", MIXED)
def test_series_on_different_calendars_are_named_and_the_remedies_work(case, shape):
    calendars, (build, options) = MIXED[case], SHAPES[shape]
    table = build(calendars.items())
    with pytest.raises(DataError, match=r"^the series are on different calendars: ") as error:
        read(table, **options)
    message = str(error.value)
    assert "fill" not in message
    for freq in calendars:
        assert re.search(rf"{re.escape(freq)}( \([a-z ]+\))?: '{re.escape(freq)}'", message)
        assert_series(read(table, **options, series=freq), freq, calendars[freq])
    freq = re.search(r'freq="(\S+)", on_bad="skip" \(--freq \1 --on-bad skip\)', message)[1]
    panel = read(table, **options, freq=freq, on_bad="skip")
    assert_series(panel, freq, calendars[freq])
    assert {series.unique_id for series in panel.excluded_series} == set(calendars) - {freq}
    (names,) = re.findall(r"series=\['(\S+)'\] \(--series", message)
    assert_series(read(table, **options, series=[names]), names, calendars[names])
    for on_bad in ("raise", "skip"):
        panels = split_by_frequency(table, **options, on_bad=on_bad)
        assert set(panels) == set(calendars)
        for freq, panel in panels.items():
            assert_series(panel, freq, calendars[freq])
            assert panel.excluded_series == ()


def test_series_of_a_minority_are_excluded_with_their_calendar():
    table = long({"a": DAYS, "b": DAYS[5:], "c": dates("MS", 12)}.items())
    panel = read(table, on_bad="skip")
    assert ([series.unique_id for series in panel.series], panel.freq) == (["a", "b"], "D")
    assert panel.excluded_series[0].reason == (
        "series 'c' is on the calendar MS (month start), the others on D (daily); read it separately: "
        "gatewise.series.split_by_frequency (--split-by-frequency), or series='c' (--series c)"
    )
    assert read(table, on_bad="skip", series="c").freq == "MS"
    repaired = read(table, on_bad="naive").excluded_series[0].series
    assert repaired.y[-1] == 12


def test_splitting_keeps_other_errors_with_their_series():
    days = pd.DataFrame({"unique_id": "bad", "ds": DAYS, "y": [np.inf] + [1.0] * 119})
    table = pd.concat([long({"a": DAYS, "c": dates("MS", 12)}.items()), days])
    panels = split_by_frequency(table, on_bad="skip")
    excluded = {freq: [series.unique_id for series in panel.excluded_series] for freq, panel in panels.items()}
    assert excluded == {"D": ["bad"], "MS": []}
    irregular = pd.DataFrame({"unique_id": "odd", "ds": DAYS[[0, 1, 4, 11, 30, 33, 51]], "y": 1.0})
    with pytest.raises(DataError, match="series 'odd'"):  # with the first frequency, so that it is not lost
        split_by_frequency(pd.concat([long({"a": DAYS, "c": dates("MS", 12), "d": dates("MS", 9)}.items()), irregular]))


def test_short_series_join_a_calendar_that_contains_their_dates():
    calendars = {"a": DAYS, "b": dates("MS", 20, "2021-01-01"), "c": dates("MS", 1, "2021-03-01"), "d": DAYS[[4, 5]]}
    calendars |= {"e": DAYS[7:8], "f": dates("MS", 2, "2021-03-01"), "g": dates("h", 2, "2022-01-03 09:00")}
    calendars |= {"h": dates("h", 240, "2022-01-02"), "i": dates("h", 1, "2022-01-03 07:00")}
    panels = split_by_frequency(long(calendars.items()))
    assert {freq: [series.unique_id for series in panel.series] for freq, panel in panels.items()} == {
        "h": ["c", "e", "g", "h", "i"],  # the calendar of the longest series contains all dates
        "D": ["a", "d"],
        "MS": ["b", "f"],
    }


def test_a_table_with_one_calendar_gives_one_panel():
    table = long({"a": DAYS, "b": DAYS[7:]}.items())
    ((freq, panel),) = split_by_frequency(table).items()
    assert (freq, panel.guesses) == ("D", read(table).guesses)


def test_odd_and_even_hours_are_read_at_their_own_dates_with_a_warning():
    table = long({"a": dates("2h", 40), "b": dates("2h", 40, "2022-01-01 01:00")}.items())
    for options in ({}, {"on_bad": "skip"}):
        panel = read(table, **options)
        assert (panel.freq, [str(series.ds[0])[11:13] for series in panel.series]) == ("2h", ["00", "01"])
        assert panel.warnings[0].startswith("phases: the dates of some series lie between those of others, such as ")
    wide = read(table.pivot_table(index="ds", columns="unique_id", values="y").reset_index(), layout="columns")
    assert (wide.freq, [series.y.tolist() for series in wide.series]) == ("2h", [list(range(1, 41))] * 2)
    assert panel.warnings == wide.warnings


def test_a_column_of_monthly_values_in_a_table_of_days_is_monthly():
    days = dates("D", 366)
    monthly = pd.DataFrame({"ds": days, "a": np.where(days.day == 1, days.month, np.nan)})
    for table in (monthly, text(monthly)):
        panel = read(table)
        assert (panel.freq, panel.series[0].y.tolist()) == ("MS", [*range(1, 13), 1])
        assert panel.guesses[-2:] == (
            "frequency: MS (month start), inferred from 13 dates",
            "left out: 353 dates without a value in series 'a', whose values are on the calendar MS (month start)",
        )
    given = read(monthly, freq="MS")
    assert given.series[0].y.tolist() == panel.series[0].y.tolist()
    odd = monthly.assign(a=monthly["a"].where(monthly["ds"] != "2022-05-15", 7.0))  # only blank cells are left out
    with pytest.raises(DataError, match="series 'a', row 135: 2022-05-15 is not on the calendar MS"):
        read(odd, freq="MS")
    few = monthly[:100]  # four values are not enough
    with pytest.raises(DataError, match=r'96 of 100 values\); its dates follow MS .*: pass freq="MS" \(--freq MS\)$'):
        read(few)
    assert read(few, freq="MS").series[0].y.tolist() == [1, 2, 3, 4]
    assert read(monthly, fill="none").freq == "D"  # missing values stay missing, as asked


@pytest.mark.parametrize("layout", ["long", "columns"])
def test_covariates_of_days_between_monthly_values_are_left_out(layout):
    days = dates("D", 500)
    month = days.month + 12 * (days.year - 2022)
    table = pd.DataFrame({"ds": days, "a": np.where((days.day == 1) & (month < 13), month, np.nan)})
    table["plan"], table["weather"] = np.where(days.day == 1, month, 100.0 + days.day), np.arange(500.0)
    panel = read(table, layout=layout, target_column="a", known="plan", past="weather")
    (series,) = panel.series
    assert (panel.freq, series.y.tolist()) == ("MS", list(range(1, 13)))
    assert series.known.ravel().tolist() == list(range(1, 13))
    assert series.past.ravel().tolist()[:3] == [0, 31, 59]
    assert known_ahead(panel, 3).ravel().tolist() == [13, 14, 15]


def test_blank_weekends_are_business_days_and_single_blanks_are_missing():
    table = pd.DataFrame({"ds": DAYS, "y": np.where(DAYS.day_of_week < 5, 1.0, np.nan)})
    assert (read(table).freq, len(read(table).series[0])) == ("B", 86)
    table.loc[1, "y"] = np.nan
    with pytest.raises(DataError, match="1 of 86 values"):
        read(table)
    missing = pd.DataFrame({"ds": DAYS, "y": np.where(np.arange(120) == 7, np.nan, 1.0)})
    with pytest.raises(DataError, match="the value at 2022-01-10 is missing \\(1 of 120 values\\); pass fill="):
        read(missing)


def test_rare_sales_are_not_calendars():
    def sales(seed):
        return DAYS[np.sort(np.random.default_rng(seed).choice(120, 6, replace=False))]

    shops = {f"s{i}": sales(i) for i in range(30)}
    table = long({"all": DAYS, **shops, "chance": DAYS[[0, 2, 4]]}.items())
    with pytest.raises(DataError, match=r"series 's0': \d+ dates are missing .*; its values are too rare") as error:
        read(table)
    assert "fill" not in str(error.value)
    panel = read(table, fill="zero", fill_limit=1)
    assert panel.freq == "D"
    assert sum(series.y.sum() for series in panel.series) == table["y"].sum()


# ------------------------------------------------------------------------------------------------------ fill limit


def limit(message):
    """The option that a message names for filling anyway."""
    numbers = re.search(r"fill_limit=([\d.]+) \(--fill-limit \1\)", message)
    return float(numbers[1])


@pytest.mark.parametrize("fill", ["interpolate", "previous", "zero"])
@pytest.mark.parametrize("case", MIXED)
@pytest.mark.parametrize("shape", ["long", "columns"])
def test_fill_joins_calendars_only_within_its_limit(case, shape, fill):
    build, options = SHAPES[shape]
    table = build(MIXED[case].items())
    if case == "days and business days":  # weekends are less than a third
        assert [len(series) for series in read(table, fill=fill, **options).series].count(84) == 1
        return
    try:
        panel = read(table, fill=fill, **options)
    except DataError as error:
        message = str(error)
        assert message.startswith("the series are on different calendars: ")
        if "fill would invent" in message:
            panel = read(table, fill=fill, fill_limit=limit(message), **options)
            invented = sum(int(series.filled.sum()) for series in panel.series if series.filled is not None)
            assert invented >= int(re.search(r"fill would invent (\d+) of \d+ values", message)[1])
    else:
        assert (case, shape) == ("business days and days", "columns")


@pytest.mark.parametrize("fill", ["interpolate", "previous", "zero"])
def test_fill_invents_at_most_a_third_unless_asked(fill):
    rare = pd.DataFrame({"ds": DAYS[[0, 1, 3, 6, 7, 11, 14, 17, 22, 27, 30]], "y": 1.0})
    with pytest.raises(
        DataError, match=r"series 'y': fill would invent 20 of 31 values, more than fill_limit=0\.333; "
    ) as error:
        read(rare, freq="D", fill=fill)
    assert limit(str(error.value)) == 0.65
    panel = read(rare, freq="D", fill=fill, fill_limit=limit(str(error.value)))
    assert panel.series[0].filled.sum() == 20
    assert panel.series[0].y.sum() == (11 if fill == "zero" else 31)
    assert len(read(rare, freq="D", fill="none").series[0]) == 31
    few = pd.DataFrame({"ds": DAYS[[0, 1, 3, 4, 6, 7]], "y": 1.0})
    assert read(few, fill=fill).series[0].filled.sum() == 2
    with pytest.raises(DataError, match=r"2 of 8 values, more than fill_limit=0\.2;"):
        read(few, fill=fill, fill_limit=0.2)


def test_the_limit_that_is_named_suffices_for_all_series():
    rare = {"a": DAYS, "b": DAYS[[0, 1, 3, 6, 7, 11, 14, 17, 22, 27, 30]], "c": DAYS[[0, 2, 9, 13, 41, 60, 67, 99]]}
    with pytest.raises(DataError, match="series 'b': fill would invent 20 of 31 values") as error:
        read(long(rare.items()), fill="previous")
    assert limit(str(error.value)) == 0.92
    assert [len(series) for series in read(long(rare.items()), fill="previous", fill_limit=0.92).series] == [
        120,
        31,
        100,
    ]


def test_a_wrong_given_frequency_is_answered_with_the_right_one():
    months = pd.DataFrame({"ds": dates("MS", 20), "y": np.arange(20.0)})
    for fill in (None, "previous"):
        with pytest.raises(DataError, match=r'its dates follow MS \(month start\): pass freq="MS" \(--freq MS\)'):
            read(months, freq="D", fill=fill)
        assert read(months, freq="MS", fill=fill).series[0].y.tolist() == list(range(20))
    several = long({"a": dates("MS", 20), "b": DAYS}.items())
    with pytest.raises(
        DataError, match=r"""follow MS .*: read it separately, with series='a', freq="MS" \(--series a"""
    ):
        read(several, freq="D")
    assert read(several, series="a", freq="MS").series[0].y.tolist() == list(range(1, 21))
    numbers = long({"a": np.arange(40), "b": np.arange(0, 40, 4)}.items())
    with pytest.raises(DataError, match=r"follow 4 .*: read it separately, with series='b', freq=\"4\" \(--series b"):
        read(numbers)
    assert read(numbers, series="b", freq="4").series[0].y.tolist() == list(range(1, 11))
