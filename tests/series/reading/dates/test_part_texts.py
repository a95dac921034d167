"""Part texts: months, quarters, weeks and hours as text complete the dates beside them and name no series."""

import numpy as np
import pandas as pd
import pytest

from gatewise import read
from gatewise.series.reading.dates.part_texts import part_text

MONTHS = pd.date_range("2015-01-01", periods=48, freq="MS")
QUARTERS = pd.date_range("2000-01-01", periods=40, freq="QS")
HALVES = pd.date_range("2000-01-01", periods=24, freq="6MS")
HOURS = pd.date_range("2023-03-01", periods=24 * 8, freq="h")
DAYS = pd.date_range("2022-01-03", periods=7 * 60)
WEEKS = DAYS[::7]
ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
NAMES = (
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "JAN FEB MÄR APR MAI JUN JUL AUG SEP OKT NOV DEZ",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "jan feb mars april maj juni juli aug sept okt nov dec",
    " ".join(ROMAN),
)
MONTH_FORMS = ("P{:02d}", "M{:02d}", "M{}", "Month {}", "Monat {:02d}", "{:02d} {name}", "{name} ({})")
QUARTER_FORMS = ("{r}", "{r}. Quartal", "{r} kwartał", "T{q}", "K{q}", "Q{q}", "{q}T", "{q}. Quartal", "Quarter {q}")
ORDINALS = ("1st 2nd 3rd 4th", "quarter"), ("1er 2e 3e 4e", "trimestre"), ("1º 2º 3º 4º", "trimestre")
HALF_FORMS = ("H{}", "S{}", "{}. Halbjahr")
STARTS = (
    "{h:02d}-{e:02d}",
    "{h}-{e}",
    "{h}–{e}",
    "{h:02d}:00 - {m:02d}:00",
    "{h:02d}h-{e:02d}h",
    "T{h:02d}",
    "H{h:02d}",
)
ENDS = ("H{:02d}", "H{}", "HE{}", "HE {:02d}", "Stunde {}", "Hour {}")
NOON = ("{} {half}M", "{}{half}m")
WEEK_FORMS = ("KW {:02d}", "KW{}", "W{:02d}", "Week {}", "S{:02d}", "{}. KW")
WEEKDAYS = (
    "Mo Di Mi Do Fr Sa So",
    "Mon Tue Wed Thu Fri Sat Sun",
    "1 2 3 4 5 6 7",
    "lun. mar. mer. jeu. ven. sam. dim.",
)


def cases():
    """Name -> the dates, and the columns that hold them."""
    for text in NAMES:
        yield text[:12], MONTHS, {"Jahr": MONTHS.year, "Zeitraum": [text.split()[month - 1] for month in MONTHS.month]}
    for form in MONTH_FORMS:
        yield form, MONTHS, {"year": MONTHS.year, "x": [form.format(d.month, name=d.strftime("%B")) for d in MONTHS]}
    for form in QUARTER_FORMS:
        texts = [form.format(q=quarter, r=ROMAN[quarter - 1]) for quarter in QUARTERS.quarter]
        yield f"{form} quarter", QUARTERS, {"year": QUARTERS.year, "x": texts}
    for numbers, word in ORDINALS:
        texts = [f"{numbers.split()[quarter - 1]} {word}" for quarter in QUARTERS.quarter]
        yield f"{numbers} {word}", QUARTERS, {"year": QUARTERS.year, "x": texts}
    for form in HALF_FORMS:
        yield f"{form} half", HALVES, {"year": HALVES.year, "x": [form.format(1 + d.month // 7) for d in HALVES]}
    days = HOURS.strftime("%d.%m.%Y")
    for form in STARTS:
        yield form, HOURS, {"Datum": days, "x": [form.format(h=h, e=h + 1, m=(h + 1) % 24) for h in HOURS.hour]}
    for form in ENDS:
        yield (
            f"{form} end",
            HOURS + pd.Timedelta(hours=1),
            {"Datum": days, "x": [form.format(h + 1) for h in HOURS.hour]},
        )
    for form in NOON:
        yield form, HOURS, {"date": days, "x": [form.format((h - 1) % 12 + 1, half="ap"[h // 12]) for h in HOURS.hour]}
    iso = WEEKS.isocalendar()
    for form in WEEK_FORMS:
        yield f"{form} week", WEEKS, {"Jahr": iso.year.to_numpy(), "x": [form.format(week) for week in iso.week]}
    iso = DAYS.isocalendar()
    for text in WEEKDAYS:
        names = [text.split()[day - 1] for day in iso.day]
        yield text, DAYS, {"Jahr": iso.year.to_numpy(), "KW": iso.week.to_numpy(), "Tag": names}
    for names in (("YEAR", "MO", "DY", "HR"), ("yr", "mo", "dy", "hr"), ("Jahr", "Mon", "Tag", "Std")):
        yield " ".join(names), HOURS, dict(zip(names, (HOURS.year, HOURS.month, HOURS.day, HOURS.hour), strict=True))


CASES = {name: (dates, columns) for name, dates, columns in cases()}


@pytest.mark.parametrize("kind", ["file", "text"])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", CASES)
def test_texts_complete_dates(name, count, kind, tmp_path):
    dates, columns = CASES[name]
    table = pd.DataFrame({**columns, "v": np.arange(len(dates)) % 17 + 30.5})
    if count == 2:
        table = pd.concat([table.assign(land="north"), table.assign(land="south", v=table["v"] + 1)])
    source = table.astype(dict.fromkeys(columns, str))
    if kind == "file":
        source = tmp_path / "table.csv"
        table.to_csv(source, index=False, sep=";")
    panel = read(source)
    assert [series.unique_id for series in panel.series] == [["v"], ["north", "south"]][count - 1]
    for i, series in enumerate(panel.series):
        assert series.ds.tolist() == dates.tolist()
        assert series.y.tolist() == (np.arange(len(dates)) % 17 + 30.5 + i).tolist()


@pytest.mark.parametrize(
    "cells",
    [
        "T1 T2 T3",
        "north south",
        "I II",
        "P1 P2 P3 P4 P5",
        "1-2 2-3 4-6",
        "0-4 5-9 10-14",
        "H1 H3",
        "1h 5h 2h",
        "3 t 1 t",
    ],
)
def test_other_texts_are_no_parts(cells):
    assert part_text(pd.Series(cells.split() * 4)) is None


def test_amounts_with_units_stay_numbers():
    hours = np.random.default_rng(0).integers(0, 25, 200)
    table = pd.DataFrame({"date": pd.date_range("2020-01-01", periods=200), "work": [f"{hour} h" for hour in hours]})
    assert read(table).series[0].y.tolist() == hours.tolist()


@pytest.mark.parametrize("names", ["T1 T2 T3", "I II III", "north south"])
def test_names_beside_years_stay_names(names):
    rows = [(year, name, 1.5 + year) for year in range(1990, 2010) for name in names.split()]
    panel = read(pd.DataFrame(rows, columns=["year", "plot", "v"]))
    assert [series.unique_id for series in panel.series] == names.split()
