"""Dates in every common form are read as the dates they are, in text files and in tables of several series."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise import read

HOURS = pd.date_range("2020-02-28 05:00", periods=60, freq="h")
DAYS = pd.date_range("2019-12-20", periods=75)
PAST_HOURS = pd.date_range("1969-12-31", periods=50, freq="h")
PAST_DAYS = pd.date_range("1971-01-01", periods=50)
PAST = pd.date_range("1967-01-01", periods=50, freq="MS")
MONTHS = pd.date_range("2001-03-01", periods=34, freq="MS")
WEEKS = pd.date_range("2018-01-01", periods=110, freq="W-MON")
QUARTERS = pd.date_range("2003-04-01", periods=22, freq="QS")
HALVES = pd.date_range("2003-01-01", periods=12, freq="6MS")
YEARS = pd.date_range("1949-01-01", periods=12, freq="YS")
NAMES = ("January", "February", "März", "avril", "Mayo", "Juni", "juillet", "août", "Sept.", "Oktober", "nov", "Dez.")

QUARTER_FORMS = (
    *("{y}Q{q}", "Q{q} {y}", "{y} Q{q}", "Q{q}-{y}", "{q}Q{yy}", "{y}-Q{q}", "Q{q}'{yy}", "{y}:Q{q}", "{q}Q{y}"),
)
MONTH_FORMS = (
    *("{y}M{m}", "{y}M{m:02}", "{y}-M{m:02}", "M{m:02} {y}", "{m:02}/{y}", "{m}/{y}", "{y}/{m:02}", "{y}/{m}"),
    *("{m:02}-{y}", "{m:02}.{y}", "{y}.{m:02}", "{m}.{y}", "{y}{m:02}", "{m:02}{y}", "{yy}{m:02}", "{m:02}{yy}"),
    *("{m:02}/{yy}", "{y}-{m}"),
)
WEEK_FORMS = (
    *(
        "{g}-W{w:02}",
        "{g}W{w:02}",
        "{g}-W{w:02}-1",
        "W{w:02} {g}",
        "{g}{w:02}",
        "W{w}-{g}",
        "{g}W{w:02}1",
        "KW {w}/{g}",
    ),
)
FORMATS = {
    "months": (
        *("%b-%y", "%b %Y", "%B %Y", "%Y %b", "%b%y", "%y-%b", "%b-%Y", "%Y-%b", "%b'%y", "%d/%m/%Y", "%m/%d/%Y"),
        *("%Y%m%d",),
    ),
    "days": (
        *("%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%y/%m/%d", "%Y%j", "%Y-%j", "%d-%b-%Y"),
        *("%a %d/%m/%Y", "%A, %B %d, %Y", "%b %d, %Y", "%Y/%m/%d", "%d%m%Y", "%m%d%Y", "%y%m%d", "%d%m%y", "%Y.%m.%d"),
        *("%d. %B %Y", "%dth %B %Y", "%d %b %y"),
    ),
    "hours": (
        *("%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y-%m-%dT%H", "%Y-%m-%d %H%M", "%Y-%m-%d %H.%M.%S"),
        *("%d/%m/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d %H", "%Y-%m-%d %H:%M:%S,000", "%a %d %b %Y %H:%M:%S"),
        *("%m/%d/%Y %I %p", "%Y%m%dT%H%M%S", "%Y%m%d %H:%M", "%d-%b-%y %I.%M.%S %p", "%Y/%m/%d %H:%M"),
        *("%b %d, %Y, %I:%M:%S %p", "%d/%m/%Y, %H:%M", "%d.%m.%Y %Hh%M", "%y-%m-%d %H:%M"),
        *("%d%b%Y:%H:%M:%S", "%a %b %d %H:%M:%S %Y", "%d %B %Y %H", "%b %d, %Y %H", "%Y-%b-%d %H%M", "%d %m %Y %H"),
    ),
}
DATES = {"months": MONTHS, "days": DAYS, "hours": HOURS}


def written(form, dates):
    """Dates written in a form of fields, such as {y}Q{q}."""
    return [
        form.format(
            y=date.year,
            yy=f"{date.year % 100:02}",
            m=date.month,
            q=date.quarter,
            h=(date.month + 5) // 6,
            g=date.isocalendar()[0],
            w=date.isocalendar()[1],
        )
        for date in dates
    ]


def seconds(dates, unit):
    return [str(count) for count in dates.as_unit(unit).asi8]


def serials(dates):
    days = (dates - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
    return [f"{day:.10g}" for day in days]


def hours_to_24(form):
    """Hours written as 1 to 24, where 24 is the midnight after the day."""
    before = HOURS - pd.Timedelta(hours=1)
    return [date.strftime(form).format(date.hour + 1) for date in before]


CASES = {
    **{form: (QUARTERS, written(form, QUARTERS)) for form in QUARTER_FORMS},
    **{form: (HALVES, written(form, HALVES)) for form in ("{y}H{h}", "H{h} {y}", "{y}-H{h}", "{y}S{h}")},
    **{form: (MONTHS, written(form, MONTHS)) for form in MONTH_FORMS},
    **{form: (WEEKS, written(form, WEEKS)) for form in WEEK_FORMS},
    **{
        f"{form} of {unit}": (DATES[unit], DATES[unit].strftime(form).tolist())
        for unit, forms in FORMATS.items()
        for form in forms
    },
    "years": (YEARS, [str(date.year) for date in YEARS]),
    "names": (MONTHS, [f"{NAMES[date.month - 1]} {date.year}" for date in MONTHS]),
    "year, then name": (MONTHS, [f"{date.year} {NAMES[date.month - 1]}" for date in MONTHS]),
    "quarters of digits": (QUARTERS, written("{y}0{q}", QUARTERS)),
    "quarters of five digits": (QUARTERS, written("{y}{q}", QUARTERS)),
    "unix hours": (HOURS, seconds(HOURS, "s")),
    "unix days": (DAYS, seconds(DAYS, "s")),
    "unix ms": (HOURS, seconds(HOURS, "ms")),
    "unix us": (DAYS, seconds(DAYS, "us")),
    "unix ns": (HOURS, seconds(HOURS, "ns")),
    "unix months": (MONTHS, seconds(MONTHS, "s")),
    "unix months around 1970": (PAST, seconds(PAST, "s")),
    "unix hours around 1970": (PAST_HOURS, seconds(PAST_HOURS, "s")),
    "unix ms around 1970": (PAST_HOURS, seconds(PAST_HOURS, "ms")),
    "unix days of 1971": (PAST_DAYS, seconds(PAST_DAYS, "s")),
    "serial months": (MONTHS, serials(MONTHS)),
    "serial business days": (DAYS[DAYS.day_of_week < 5], serials(DAYS[DAYS.day_of_week < 5])),
    "serial hours": (HOURS, serials(HOURS)),
    "decimal months": (MONTHS, [f"{date.year + (date.month - 1) / 12:.3f}" for date in MONTHS]),
    "decimal months, rounded": (MONTHS, [f"{date.year + (date.month - 1) / 12:.2f}" for date in MONTHS]),
    "decimal months, middle": (MONTHS, [f"{date.year + (date.month - 0.5) / 12:.3f}" for date in MONTHS]),
    "decimal quarters": (QUARTERS, [f"{date.year + (date.quarter - 1) / 4}" for date in QUARTERS]),
    "json": (DAYS, [f"/Date({count})/" for count in DAYS.as_unit("ms").asi8]),
    "24:00": (HOURS, hours_to_24("%d.%m.%Y {}:00")),
    "ISO 24:00": (HOURS, hours_to_24("%Y-%m-%d {:02}:00:00")),
}


def tables(cells, csv):
    """The sources of two series with these dates: shuffled in a file, and in tables of text and of numbers."""
    text = pd.DataFrame({"unique_id": "a", "ds": cells, "y": np.arange(float(len(cells)))})
    both = pd.concat([text, text.assign(unique_id="b")])
    interleaved = both.sort_values("y", kind="stable").reset_index(drop=True)
    yield "file", csv(interleaved.to_csv(index=False))
    yield "file of tabs", csv(both.to_csv(index=False, sep="\t"))
    yield "text", interleaved
    yield "polars", pl.DataFrame(both.to_dict("list"))
    numbers = pd.to_numeric(pd.Series(cells), errors="coerce")
    if numbers.notna().all() and len(numbers.unique()) == len(cells) and not cells[0].startswith("0"):
        yield "numbers", both.assign(ds=pd.to_numeric(both["ds"]))
        yield "objects", interleaved.assign(ds=pd.to_numeric(interleaved["ds"]).astype(object))


@pytest.mark.parametrize("gap", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_a_form_of_dates_is_read(case, gap, csv):
    dates, cells = CASES[case]
    if gap:
        if dates is HALVES:
            pytest.skip("a calendar of half years with gaps is not inferred")
        keep = np.ones(len(dates), bool)
        keep[7:9] = False
        dates, cells = dates[keep], [cell for cell, present in zip(cells, keep, strict=True) if present]
    for kind, source in list(tables(cells, csv))[: 1 if gap else None]:
        panel = read(source, id_column="unique_id", time_column="ds", fill="previous" if gap else None)
        for series in panel.series:
            at = series.ds.get_indexer(dates)
            assert (at >= 0).all(), (kind, series.ds[:3], panel.guesses)
            assert series.y[at].tolist() == list(range(len(dates))), kind
            assert gap or (series.ds == dates).all(), (kind, series.ds)
