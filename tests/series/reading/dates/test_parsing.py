"""Dates: integers stay integers, two possible readings are refused, and the options that decide are right."""

import numpy as np
import pandas as pd
import pytest

from gatewise import DataError, read
from gatewise.series.reading.dates.parsing import looks_like_dates, plausible_dates

DAYS = pd.date_range("2020-01-01", periods=12)
MONTHS = pd.date_range("2020-01-01", periods=12, freq="MS")


def dates_of(cells, **options):
    """The dates read from a column of cells."""
    table = pd.DataFrame({"ds": cells})
    return read(table.assign(y=np.arange(float(len(table)))), time_column="ds", **options).series[0].ds


def guess_of(cells):
    table = pd.DataFrame({"ds": cells})
    panel = read(table.assign(y=np.arange(float(len(table)))), time_column="ds")
    return next(guess for guess in panel.guesses if guess.startswith(("dates", "time:")))


INTEGERS = {
    "from 0": range(100),
    "from 1": range(1, 101),
    "hundreds": range(100, 1000, 100),
    "centuries": range(1700, 2101, 100),
    "decades": range(1700, 1800, 10),
    "past the last year": range(1500, 3000),
    "a slice of six digits": range(202_090, 202_110),
    "small years": range(100_001, 100_013),
    "a slice of five digits": range(12_340, 12_400),
    "seven digits": range(1_234_560, 1_234_660),
    "eight digits": range(51_234_560, 51_234_590),
    "nine digits": range(400_000_001, 400_000_100),
    "months before years": range(101_700, 102_000),
    "days before years": range(10_101_700, 10_101_900),
    "days before short years": range(110_132, 110_199),
    "negative": range(-20, 20),
    "floats": np.arange(0.0, 60, 2),
}


@pytest.mark.parametrize("case", INTEGERS)
def test_plain_integers_stay_integer_time(case, csv):
    cells = list(INTEGERS[case])
    assert dates_of(cells).tolist() == cells
    assert guess_of(cells) == "time: integers, not dates"
    assert not plausible_dates(pd.Series(cells))
    path = csv("ds,y\n" + "".join(f"{cell},1.5\n" for cell in cells))
    assert read(path, time_column="ds").series[0].ds.tolist() == cells


def test_integers_with_gaps_stay_integer_time():
    assert dates_of([1, 2, 3, 5, 6, 8, 9, 10], fill="previous").tolist() == list(range(1, 11))


@pytest.mark.parametrize(
    ("cells", "guess"),
    [
        (range(1949, 1961), "dates: integers read as years"),
        ([20200131, 20200201, 20200202], "dates: integers read as year, month, day"),
        ([202011, 202012, 202101], "dates: 202011 read as 2020-11-01"),
        ([1577836800, 1577840400, 1577844000], "dates: 1577836800 read as 2020-01-01"),
        ([43831, 43862, 43891, 43922], "dates: 43831 read as 2020-01-01"),
        ([43831.5, 43832.5, 43833.5], "dates: 43831.5 read as 2020-01-01 12:00:00"),
        (["Jan-49", "Feb-49", "Mar-49"], "dates: 'Jan-49' read as 1949-01-01"),
        (["2018-W01", "2018-W02", "2018-W03"], "dates: '2018-W01' read as 2018-01-01"),
    ],
)
def test_the_reading_is_stated(cells, guess):
    assert guess_of(cells) == guess


# Cells, what the error says, and the options that it names with the dates they give.
AMBIGUOUS = {
    "serial numbers of days": (
        range(43831, 43843),
        "holds integers such as 43831, which can be dates (2020-01-01) or counted steps",
        [({"time_format": "excel"}, DAYS), ({"time_format": "integer"}, pd.RangeIndex(43831, 43843))],
    ),
    "serial numbers of weeks": (
        range(43831, 43900, 7),
        "can be dates (2020-01-01) or counted steps; pass time_format='excel' (--time-format excel)",
        [({"time_format": "excel"}, pd.date_range("2020-01-01", periods=10, freq="7D"))],
    ),
    "day or month": (
        DAYS.strftime("%d/%m/%Y"),
        "'02/01/2020' in time column 'ds' can be read day first or month first, as 2020-01-02 or 2020-02-01; pass",
        [({"dayfirst": True}, DAYS), ({"dayfirst": False}, MONTHS)],
    ),
    "day or month, with points": (
        MONTHS.strftime("%d.%m.%Y"),
        "pass dayfirst=True (--dayfirst) or dayfirst=False (--no-dayfirst)",
        [({"dayfirst": True}, MONTHS), ({"dayfirst": False}, DAYS)],
    ),
    "day or month, with times": (
        DAYS.strftime("%d/%m/%Y 10:00"),
        "can be read day first or month first, as 2020-01-02 10:00:00 or 2020-02-01 10:00:00",
        [({"dayfirst": True}, DAYS + pd.Timedelta(hours=10)), ({"dayfirst": False}, MONTHS + pd.Timedelta(hours=10))],
    ),
    "day or month, two-digit years": (
        DAYS.strftime("%d/%m/%y"),
        "day first or month first",
        [({"dayfirst": True}, DAYS), ({"dayfirst": False}, MONTHS)],
    ),
    "day or month, digits": (
        [int(cell) for cell in pd.date_range("2020-01-10", periods=3).strftime("%d%m%Y")],
        "day first or month first",
        [({"dayfirst": True}, pd.date_range("2020-01-10", periods=3)), ({"dayfirst": False}, MONTHS[9:])],
    ),
    "weeks or days": (
        range(200101, 200125),
        "can be read as 2001-01-01 ('week') or 2020-01-01 ('%y%m%d')",
        [
            ({"time_format": "week"}, pd.date_range("2001-01-01", periods=24, freq="W-MON")),
            ({"time_format": "%y%m%d"}, pd.date_range("2020-01-01", periods=24)),
        ],
    ),
    "years or days": (
        [f"Jan-{year:02}" for year in range(1, 13)],
        "dates such as 'Jan-01' in time column 'ds' can be months of years (2001-01-01) or days without a year",
        [({"time_format": "%b-%y"}, pd.date_range("2001-01-01", periods=12, freq="YS"))],
    ),
    "years or months": (
        [f"01/{year:02}" for year in range(1, 13)],
        "('%m/%y') or 2001-02-01 ('%y/%m'); pass the right format as time_format= (--time-format)",
        [
            ({"time_format": "%m/%y"}, pd.date_range("2001-01-01", periods=12, freq="YS")),
            ({"time_format": "%y/%m"}, pd.date_range("2001-01-01", periods=12, freq="MS")),
        ],
    ),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_two_readings_are_refused_and_the_named_options_decide(case):
    cells, message, remedies = AMBIGUOUS[case]
    with pytest.raises(DataError) as error:
        dates_of(cells)
    assert message in str(error.value)
    for options, dates in remedies:
        assert str(next(iter(options.values()))) in str(error.value)
        assert dates_of(cells, **options).tolist() == dates.tolist()


REFUSED = {
    "month 13": ([*range(201901, 201913), *range(202001, 202014)], "row 25: 202013 in time column 'ds' cannot be read"),
    "30 February": ([20200228 + day for day in (0, 2, *range(73, 93))], "row 2: 20200230 in time column 'ds'"),
    "days without a year": (
        [f"{name}-{day:02}" for name in ("Jan", "Mar") for day in range(1, 29)],
        "are days without a year; write the year, too",
    ),
    "days and months without a year": (
        [f"{day}/1" for day in range(1, 28)],
        "'1/1' in time column 'ds' cannot be read",
    ),
    "tenths of years": ([2020.1, 2020.2, 2020.3], "is a fraction; .*pass time_format='%Y.%m' or 'decimal year'"),
    "ISO and German": (["2020-01-01", "2020-01-02", "03.01.2020"], "row 3: '03.01.2020' .*unlike '2020-01-01'"),
    "German and ISO": (["01.01.2020", "02.01.2020", "2020-01-03"], "row 3: '2020-01-03' .*unlike '01.01.2020'"),
    "two separators": (["13/01/2020", "14.01.2020", "15/01/2020"], "row 2: '14.01.2020' .*unlike '13/01/2020'"),
    "months of two forms": (["Jan 2020", "Feb 2020", "03/2020"], "row 3: '03/2020' .*unlike 'Jan 2020'"),
    "an offset is missing": (
        ["2020-01-01 00:00+01:00", "2020-01-01 01:00", "2020-01-01 02:00+01:00"],
        "row 2: '2020-01-01 01:00' .*unlike '2020-01-01 00:00.01:00'",
    ),
    "week 53 of digits": ([201852, 201853, 201901, 201902], "row 2: 201853 in time column 'ds' cannot be read"),
    "a total": (["202011", "202012", "202101", "Total"], "row 4: 'Total' in time column 'ds' cannot be read as a date"),
    "text after serial numbers": (["43831", "43832", "x"], "row 3: 'x' in time column 'ds' cannot be read as a date"),
    "week 54": (["2018-W52", "2018-W53", "2019-W01"], "row 2: '2018-W53' in time column"),
    "quarter 5": (["2018Q4", "2018Q5", "2019Q1"], "row 2: '2018Q5' in time column"),
    "hour 25": (["01.01.2020 23:00", "01.01.2020 25:00", "02.01.2020 01:00"], "row 2: '01.01.2020 25:00'"),
    "unknown month": (["Jan 2020", "Foo 2020", "Mar 2020"], "row 2: 'Foo 2020' in time column"),
    "unknown zone": (["2020-01-01 00:00 XYZ"] * 3, "row 1: '2020-01-01 00:00 XYZ' in time column"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_cells_that_are_no_dates_are_refused_by_row(case):
    cells, message = REFUSED[case]
    with pytest.raises(DataError, match=message):
        dates_of(cells)


def test_the_order_of_the_rows_decides_between_irregular_readings():
    days = pd.DatetimeIndex(["2020-03-01", "2020-03-09", "2020-03-12", "2020-04-02", "2020-05-10", "2020-06-01"])
    table = pd.DataFrame({"unique_id": "a", "y": np.arange(6.0)})
    for form in ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%y", "%m-%d-%Y"):
        panel = read(table.assign(ds=days.strftime(form)), freq="D", fill="previous", fill_limit=1)
        assert panel.series[0].ds[[0, -1]].tolist() == days[[0, -1]].tolist()


@pytest.mark.parametrize(("form", "dayfirst"), [("%d/%m/%Y", False), ("%m/%d/%Y", True), ("%d.%m.%y", False)])
def test_an_order_that_contradicts_cells_is_refused(form, dayfirst):
    days = pd.date_range("2020-01-01", periods=20)
    with pytest.raises(DataError, match=f"row 13: .* cannot be read as a date, .*pass dayfirst={not dayfirst} "):
        dates_of(days.strftime(form), dayfirst=dayfirst)
    assert (dates_of(days.strftime(form), dayfirst=not dayfirst) == days).all()


ZONES = {
    "one UTC suffix": ["2020-01-01 00:00:00+00:00", "2020-01-01 01:00:00 UTC", "2020-01-01 02:00:00+00:00"],
    "all UTC": ["2020-01-01 00:00:00 UTC", "2020-01-01 01:00:00 UTC", "2020-01-01 02:00:00 UTC"],
    "Z and zeros": ["2020-01-01T00:00:00Z", "2020-01-01T01:00:00+00:00", "2020-01-01T02:00:00Z"],
    "GMT": ["2020-01-01 00:00 GMT", "2020-01-01 01:00 GMT", "2020-01-01 02:00 GMT"],
    "+0000": ["2020-01-01 00:00:00 +0000", "2020-01-01 01:00:00Z", "2020-01-01 02:00:00+00"],
    "Z, or nothing": ["2020-01-01T00:00:00Z", "2020-01-01T01:00:00", "2020-01-01T02:00:00Z"],
    "basic": ["20200101T000000Z", "20200101T010000Z", "20200101T020000Z"],
    "German": ["01.01.2020 00:00 UTC", "01.01.2020 01:00 UTC", "01.01.2020 02:00Z"],
}


@pytest.mark.parametrize("case", ZONES)
def test_the_names_of_utc_are_one_time_zone(case):
    table = pd.DataFrame({"ds": ZONES[case], "y": [1.0, 2, 3]})
    panel = read(table)
    assert (panel.series[0].ds == pd.date_range("2020-01-01", periods=3, freq="h", tz="UTC")).all()
    assert not any("offset" in guess for guess in panel.guesses)


def test_one_offset_is_kept_and_several_become_utc():
    hours = pd.date_range("2020-01-01", periods=3, freq="h", tz="UTC+01:00")
    cells = ["2020-01-01 00:00:00 +0100", "2020-01-01 01:00:00 +0100", "2020-01-01 02:00:00 +01:00"]
    assert (dates_of(cells) == hours).all()
    assert dates_of(cells).tz.utcoffset(None) == pd.Timedelta(hours=1)
    summer = ["2020-03-29T01:00:00+01:00", "2020-03-29T03:00:00+02:00", "2020-03-29T04:00:00+02:00"]
    assert (dates_of(summer) == pd.date_range("2020-03-29", periods=3, freq="h", tz="UTC")).all()
    assert guess_of(summer) == "dates: several UTC offsets, read as UTC"


def test_dates_text_and_serial_numbers_in_one_column():
    days = pd.date_range("2020-01-10", periods=6)
    cells = pd.Series([days[0], days[1].to_pydatetime(), "12.01.2020", "13.01.2020", 43844, 43845.0], dtype=object)
    assert (dates_of(cells) == days).all()
    for at, cell in ((2, "foo"), (4, 1e9)):
        spoiled = cells.copy()
        spoiled[at] = cell
        with pytest.raises(DataError, match=rf"row {at + 1}: .*{cell}.* in time column 'ds' cannot be read as a date"):
            dates_of(spoiled)


PLAUSIBLE = ([202011, 202012, 202101], range(1949, 1961), range(1577836800, 1577840000, 60), [2020.25, 2020.5, 2020.75])
IMPLAUSIBLE = ([1.5, 2.5, 3.5], [], [np.nan, 1.0], ["2020-01-01"], [True, False], [3_000_000_007, 512_345_678, 7_123])


def test_dates_in_numbers_are_plausible():
    assert all(plausible_dates(pd.Series(cells)) for cells in PLAUSIBLE)
    assert not any(plausible_dates(pd.Series(cells)) for cells in IMPLAUSIBLE)
    assert looks_like_dates(pd.Series(["202011", "202012", "202101"]))
    assert not looks_like_dates(pd.Series(["10115", "20095", "80331"]))


CODES = (["12-2003", "01-2019", "07-2021"], ["10.5.3", "10.6.1", "11.0.2"], ["1-2-20", "3-4-15", "7-9-31"])
IRREGULAR = pd.DatetimeIndex(["2020-01-05", "2020-02-11", "2020-02-19", "2020-05-30", "2021-07-01", "2023-01-02"])


def test_codes_are_no_dates():
    assert not any(looks_like_dates(pd.Series(cells)) for cells in CODES)
    for form in ("%Y-%m-%d", "%d.%m.%y", "%m/%d/%y", "%b-%y", "%B %d, %Y", "%Y%m%d", "%G-W%V", "%d/%m/%y %H:%M"):
        assert looks_like_dates(pd.Series(IRREGULAR.strftime(form))), form


def test_years_written_with_a_point_are_years(csv):
    rows = "".join(f"{year}.0,{year % 7}\n" for year in range(1975, 2005))
    assert read(csv(f"date,sales\n{rows}")).series[0].ds[0] == pd.Timestamp("1975-01-01")
