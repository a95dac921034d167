"""Clean tables written in the many forms of real files: hypothesis strategies.

A `Clean` table is a few series on one calendar. `written` writes it in some form: a layout, a form of dates and of
numbers, a delimiter, lines around the table. Reading this text must give the same dates and values, or be refused.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import assume
from hypothesis import strategies as st

NAMES = ("north", "south", "shop 7", "0012", "Süd", "A/B")
NBSP, THIN, NARROW, MINUS = "\u00a0", "\u2009", "\u202f", "\u2212"


@dataclass(frozen=True)
class Clean:
    """Series on one calendar: their names, (T,) dates, and (T,) values of `decimals` digits, NaN where missing."""

    names: tuple[str, ...]
    ds: pd.Index
    y: np.ndarray  # (S, T)
    decimals: int
    freq: str | int


@dataclass(frozen=True)
class Written:
    """A table as text, the arguments that a user would pass, and the dates that it states."""

    text: str
    ds: pd.Index
    options: dict[str, Any] = field(default_factory=dict)
    form: str = ""


# ------------------------------------------------------------------------------------------------------------ dates


@dataclass(frozen=True)
class DateForm:
    """A way to write dates, the calendars whose dates it can hold, and the option that names it."""

    write: Callable[[pd.DatetimeIndex], list[str]]
    freqs: str  # of ALL
    option: dict[str, Any] = field(default_factory=dict)  # decides where the form is ambiguous
    start: bool = False  # whether it states only the period, so that the date is its start


MONTHS, DAYS, HOURS, QUARTERS, YEARS = "MS ME QS YS", "D B W-MON W-SUN", "h 30min 15min", "QS YS", "YS"
ALL = f"{MONTHS} {DAYS} {HOURS}"
LONG = f"{MONTHS} {DAYS}"
EPOCHS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def stamps(form: str) -> Callable[[pd.DatetimeIndex], list[str]]:
    return lambda ds: ds.strftime(form).tolist()


def without_zeros(form: str) -> Callable[[pd.DatetimeIndex], list[str]]:
    """Days, months and hours without leading zeros."""
    return lambda ds: [form.format(d=d.day, m=d.month, y=d.year, yy=f"{d.year % 100:02}", h=d.hour) for d in ds]


def quarters(form: str) -> Callable[[pd.DatetimeIndex], list[str]]:
    return lambda ds: [form.format(y=d.year, q=(d.month + 2) // 3, yy=f"{d.year % 100:02}") for d in ds]


def months(form: str) -> Callable[[pd.DatetimeIndex], list[str]]:
    return lambda ds: [form.format(y=d.year, m=d.month) for d in ds]


def weeks(form: str) -> Callable[[pd.DatetimeIndex], list[str]]:
    return lambda ds: [form.format(y=d.isocalendar()[0], w=d.isocalendar()[1]) for d in ds]


def epochs(unit: str) -> Callable[[pd.DatetimeIndex], list[str]]:
    def counts(ds: pd.DatetimeIndex) -> list[str]:
        assume(not 0 <= (ds[0] - pd.Timestamp(0)).days < 12)  # may count the seconds since the first row
        return [str(value) for value in ds.as_unit("ns").asi8 // (10**9 // EPOCHS[unit])]

    return counts


def serials(ds: pd.DatetimeIndex) -> list[str]:
    days = (ds - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
    return [f"{day:.10g}" for day in days]


DATE_FORMS: dict[str, DateForm] = {
    "iso": DateForm(stamps("%Y-%m-%d"), LONG),
    "iso time": DateForm(stamps("%Y-%m-%d %H:%M"), ALL),
    "iso seconds": DateForm(stamps("%Y-%m-%dT%H:%M:%S"), ALL),
    "slashes": DateForm(stamps("%Y/%m/%d"), LONG),
    "digits": DateForm(stamps("%Y%m%d"), LONG, {"time_format": "%Y%m%d"}),
    "digits of hours": DateForm(stamps("%Y%m%d%H"), f"{LONG} h", {"time_format": "%Y%m%d%H"}),
    "digits of minutes": DateForm(stamps("%Y%m%d%H%M"), ALL, {"time_format": "%Y%m%d%H%M"}),
    "digits of seconds": DateForm(stamps("%Y%m%d%H%M%S"), ALL, {"time_format": "%Y%m%d%H%M%S"}),
    "day of year": DateForm(stamps("%Y%j"), LONG, {"time_format": "%Y%j"}),
    "dmy dots": DateForm(stamps("%d.%m.%Y"), LONG, {"dayfirst": True}),
    "dmy dots time": DateForm(stamps("%d.%m.%Y %H:%M"), ALL, {"dayfirst": True}),
    "dmy slashes": DateForm(stamps("%d/%m/%Y"), LONG, {"dayfirst": True}),
    "mdy slashes": DateForm(stamps("%m/%d/%Y"), LONG, {"dayfirst": False}),
    "mdy short": DateForm(without_zeros("{m}/{d}/{y}"), LONG, {"dayfirst": False}),
    "dmy short": DateForm(without_zeros("{d}.{m}.{y}"), LONG, {"dayfirst": True}),
    "dmy two digits": DateForm(stamps("%d.%m.%y"), LONG, {"time_format": "%d.%m.%y"}),
    "mdy two digits": DateForm(stamps("%m/%d/%y"), LONG, {"time_format": "%m/%d/%y"}),
    "ymd two digits": DateForm(stamps("%y/%m/%d"), LONG, {"time_format": "%y/%m/%d"}),
    "day month name": DateForm(stamps("%d-%b-%Y"), LONG),
    "day month name two digits": DateForm(stamps("%d-%b-%y"), LONG, {"time_format": "%d-%b-%y"}),
    "month name day": DateForm(stamps("%B %d, %Y"), LONG),
    "am pm": DateForm(stamps("%m/%d/%Y %I:%M %p"), HOURS, {"dayfirst": False}),
    "month name year": DateForm(stamps("%b-%y"), MONTHS, {"time_format": "%b-%y"}, start=True),
    "month name long year": DateForm(stamps("%b %Y"), MONTHS, start=True),
    "full month name": DateForm(stamps("%B %Y"), MONTHS, start=True),
    "year month": DateForm(stamps("%Y-%m"), MONTHS, start=True),
    "year month digits": DateForm(stamps("%Y%m"), MONTHS, {"time_format": "%Y%m"}, start=True),
    "month slash year": DateForm(stamps("%m/%Y"), MONTHS, {"time_format": "%m/%Y"}, start=True),
    "months M": DateForm(months("{y}M{m}"), MONTHS, start=True),
    "months M0": DateForm(months("{y}M{m:02}"), MONTHS, start=True),
    "quarters": DateForm(quarters("{y}Q{q}"), QUARTERS, start=True),
    "quarters dash": DateForm(quarters("{y}-Q{q}"), QUARTERS, start=True),
    "quarters first": DateForm(quarters("Q{q} {y}"), QUARTERS, start=True),
    "quarters spaced": DateForm(quarters("{y} Q{q}"), QUARTERS, start=True),
    "weeks": DateForm(weeks("{y}-W{w:02}"), "W-MON"),
    "weeks short": DateForm(weeks("{y}W{w:02}"), "W-MON"),
    "years": DateForm(stamps("%Y"), YEARS, {"time_format": "%Y"}, start=True),
    "epoch s": DateForm(epochs("s"), ALL, {"time_format": "unix"}),
    "epoch ms": DateForm(epochs("ms"), ALL, {"time_format": "unix ms"}),
    "epoch us": DateForm(epochs("us"), ALL, {"time_format": "unix us"}),
    "epoch ns": DateForm(epochs("ns"), ALL, {"time_format": "unix ns"}),
    "serials": DateForm(serials, LONG, {"time_format": "excel"}),
    "weekday": DateForm(stamps("%a %Y-%m-%d"), LONG),
    "utc": DateForm(stamps("%Y-%m-%d %H:%M:%SZ"), ALL),
}
# Two columns: their names, and the forms of both.
SPLIT_FORMS: dict[str, tuple[tuple[str, str], Callable[[pd.DatetimeIndex], list[str]], Any, str]] = {
    "date and time": (("Date", "Time"), stamps("%Y-%m-%d"), stamps("%H:%M"), HOURS),
    "date and time of dots": (("Datum", "Uhrzeit"), stamps("%d.%m.%Y"), stamps("%H.%M.%S"), HOURS),
    "date and hour": (("dteday", "hr"), stamps("%Y-%m-%d"), without_zeros("{h}"), "h"),
    "year and month": (("year", "month"), stamps("%Y"), without_zeros("{m}"), MONTHS),
}

# ---------------------------------------------------------------------------------------------------------- numbers


@dataclass(frozen=True)
class NumberForm:
    """A way to write numbers: separators, signs, what stands around them."""

    decimal: str = "."
    thousands: str = ""
    minus: str = "-"
    before: str = ""
    after: str = ""

    def write(self, value: float, decimals: int) -> str:
        text = f"{abs(value):,.{decimals}f}"
        text = text.translate(str.maketrans({",": self.thousands, ".": self.decimal}))
        text = f"{self.before}{text}{self.after}"
        if value >= 0 or float(f"{value:.{decimals}f}") == 0:
            return text
        return f"({text})" if self.minus == "(" else f"{self.minus}{text}"

    @property
    def option(self) -> dict[str, str]:
        """The arguments that decide where the form is ambiguous."""
        thousands = " " if self.thousands in (NBSP, NARROW) else self.thousands
        return {"decimal": self.decimal, **({"thousands": thousands} if thousands else {})}


NUMBER_FORMS = {
    "plain": NumberForm(),
    "decimal comma": NumberForm(","),
    "english": NumberForm(".", ","),
    "german": NumberForm(",", "."),
    "french": NumberForm(",", NBSP),
    "french thin": NumberForm(",", NARROW),
    "spaces": NumberForm(",", " "),
    "swiss": NumberForm(".", "'"),
    "unicode minus": NumberForm(minus=MINUS),
    "parentheses": NumberForm(".", ",", minus="("),
    "dollars": NumberForm(".", ",", before="$"),
    "euros": NumberForm(",", ".", after=" €"),
    "percent": NumberForm(after="%"),
}
MISSING = ("", "", "NA", "-", ".", "?", "n/a", "#N/A", "NULL", "..", ":", "NaN")

# ------------------------------------------------------------------------------------------------------------ tables

PREAMBLES = ((), ("Sales of the northern region",), ("Exported on 2024-05-01", "", "Unit: pieces"), ("# a comment",))
FOOTERS = ((), ("Source: Statistics Office",), ("", "* provisional values"), ("# end",))


@st.composite
def clean_tables(draw: Any, freqs: str = ALL, most_series: int = 3, missing: bool = True) -> Clean:
    """A few series on one calendar."""
    freq = draw(st.sampled_from(freqs.split()))
    count = draw(st.integers(14, 40))
    start = pd.Timestamp(draw(st.integers(1950, 2014)), draw(st.integers(1, 12)), draw(st.integers(1, 28)))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=most_series, unique=True))
    decimals = draw(st.integers(0, 4))
    seed, scale = draw(st.integers(0, 10**6)), draw(st.sampled_from([0.5, 30.0, 900.0, 2e4, 3e6]))
    level = scale * draw(st.sampled_from([0.0, 1.0, 3.0]))
    y = level + scale * np.random.default_rng(seed).normal(0, 0.3, (len(names), count))
    if draw(st.booleans()):
        y = np.abs(y)
    y = np.array([[float(f"{value:.{decimals}f}") for value in row] for row in y]) + 0.0
    if missing and draw(st.booleans()):
        y[draw(st.integers(0, len(names) - 1)), draw(st.integers(2, count - 3))] = np.nan
    ds = pd.date_range(start, periods=count, freq=freq)
    assume(ds[-1] < pd.Timestamp("2026-01-01"))  # two-digit years are not in the future
    return Clean(tuple(names), ds, y, decimals, freq)


def _quoted(cell: str, delimiter: str) -> str:
    return f'"{cell}"' if delimiter in cell or '"' in cell else cell


def _lines(rows: list[list[str]], delimiter: str) -> list[str]:
    return [delimiter.join(_quoted(cell, delimiter) for cell in row) for row in rows]


def _stated(clean: Clean, start: bool) -> pd.Index:
    """The dates that the written ones state: the start of a period if they name only the period."""
    if not start:
        return clean.ds
    period = {"QS": "Q", "YS": "Y"}.get(clean.freq, "M")
    return clean.ds.to_period("M" if period == "M" else period).to_timestamp()


def _cells(draw: Any, clean: Clean, form: NumberForm) -> list[list[str]]:
    marker = draw(st.sampled_from(MISSING))
    return [
        [marker if np.isnan(value) else form.write(float(value), clean.decimals) for value in row] for row in clean.y
    ]


def _table(clean: Clean, time: list[tuple[str, list[str]]], cells: list[list[str]], layout: str) -> list[list[str]]:
    """The rows of the table, the header first."""
    header, count = [name for name, _ in time], len(clean.ds)
    dates = [[column[t] for _, column in time] for t in range(count)]
    if layout == "rows":
        names = [["region", *time[0][1]]]
        return names + [[name, *row] for name, row in zip(clean.names, cells, strict=True)]
    if layout == "columns":
        return [[*header, *clean.names]] + [[*dates[t], *(row[t] for row in cells)] for t in range(count)]
    if len(clean.names) == 1:
        return [[*header, "sales"]] + [[*dates[t], cells[0][t]] for t in range(count)]
    body = [[*dates[t], name, row[t]] for name, row in zip(clean.names, cells, strict=True) for t in range(count)]
    return [[*header, "unique_id", "sales"], *body]


@st.composite
def written_tables(draw: Any) -> tuple[Clean, Written]:
    """A clean table and the text of a file that holds it."""
    split = draw(st.sampled_from([*SPLIT_FORMS, *[None] * 8]))
    name = split or draw(st.sampled_from([*DATE_FORMS]))
    clean = draw(clean_tables(SPLIT_FORMS[split][3] if split else DATE_FORMS[name].freqs))
    options: dict[str, Any] = {}
    if split:
        columns, *writers, _ = SPLIT_FORMS[split]
        time = [(column, write(clean.ds)) for column, write in zip(columns, writers, strict=True)]
        ds = _stated(clean, split == "year and month")
        if draw(st.booleans()):
            options["time_column"] = list(columns)
        layout = "long"
    else:
        form = DATE_FORMS[name]
        time = [(draw(st.sampled_from(["date", "ds", "Month", "period"])), form.write(clean.ds))]
        ds = _stated(clean, form.start)
        if draw(st.booleans()):
            options |= form.option
        layout = draw(st.sampled_from(["long", "long", "columns", "rows"]))
    if layout == "columns" or (layout == "rows" and draw(st.booleans())):
        options["layout"] = layout
    number = draw(st.sampled_from([*NUMBER_FORMS]))
    if draw(st.booleans()):
        options |= NUMBER_FORMS[number].option
    delimiter = draw(st.sampled_from(",,;\t|"))
    rows = _table(clean, time, _cells(draw, clean, NUMBER_FORMS[number]), layout)
    lines, around = _around(draw, rows, delimiter)
    described = f"{name} | {number} | {layout} | {delimiter!r} | {around} | {options}"
    return clean, Written("\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"])), ds, options, described)


def _around(draw: Any, rows: list[list[str]], delimiter: str) -> tuple[list[str], str]:
    """The lines of a file: the table and what stands around it."""
    kind = draw(st.sampled_from(["nothing"] * 4 + ["preamble", "footer", "empty columns", "index", "repeated header"]))
    header, *body = rows
    if kind == "empty columns":
        rows = [[*row, "", ""] for row in rows]
    if kind == "index":
        rows = [["", *header], *([str(k), *row] for k, row in enumerate(body))]
    if kind == "repeated header":
        rows = [header, *body[: len(body) // 2], header, *body[len(body) // 2 :]]
    lines = _lines(rows, delimiter)
    if kind == "preamble":
        lines = [*draw(st.sampled_from(PREAMBLES)), *lines]
    if kind == "footer":
        lines = [*lines, *draw(st.sampled_from(FOOTERS))]
    return lines, kind


def text_frame(text: str, delimiter: str = ",") -> pd.DataFrame:
    """A plain file as a table of text, as a user gets it with dtype=str."""
    return pd.read_csv(io.StringIO(text), sep=delimiter, dtype=str, keep_default_na=False)
