"""Date ranges: the start of a range, names of time zones and further forms of dates in one cell."""

import numpy as np
import pandas as pd
import pytest

from gatewise import read

HOURS = pd.date_range("2023-01-01", periods=60, freq="h")
WEEKS = pd.date_range("2022-01-03", periods=60, freq="7D")
RANGES = {
    "{a:%d.%m.%Y %H:%M} - {b:%d.%m.%Y %H:%M}": HOURS,
    "{a:%Y-%m-%d %H:%M} – {b:%Y-%m-%d %H:%M}": HOURS,
    "{a:%d.%m.%Y %H:%M} - {b:%H:%M}": HOURS,
    "{a:%d.%m.%Y} - {b:%d.%m.%Y}": WEEKS,
    "{a:%d.%m.%Y} bis {b:%d.%m.%Y}": WEEKS,
    "{a:%Y-%m-%d}/{b:%Y-%m-%d}": WEEKS,
    "{a:%Y-%m-%d} to {b:%Y-%m-%d}": WEEKS,
}
FORMS = {"%Y%m%d:%H%M": HOURS, "%gW%V": WEEKS, "KW %V %G": WEEKS, "%V. KW %G": WEEKS, "KW%V/%G": WEEKS}


@pytest.mark.parametrize("is_file", [False, True])
@pytest.mark.parametrize("form", RANGES)
def test_ranges_begin_with_their_dates(form, is_file, csv):
    dates = RANGES[form]
    step = dates[1] - dates[0] - pd.Timedelta(days=int(dates is WEEKS))
    table = pd.DataFrame({"date": [form.format(a=date, b=date + step) for date in dates], "v": np.arange(60) + 0.5})
    panel = read(csv(table.to_csv(index=False, sep=";")) if is_file else table)
    assert panel.series[0].ds.tolist() == dates.tolist()
    assert any(guess.endswith("the start of the range") for guess in panel.guesses)


@pytest.mark.parametrize("is_file", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_further_forms_are_read(form, is_file, csv):
    table = pd.DataFrame({"date": [date.strftime(form) for date in FORMS[form]], "v": np.arange(60) + 0.5})
    panel = read(csv(table.to_csv(index=False)) if is_file else table)
    assert panel.series[0].ds.tolist() == FORMS[form].tolist()


@pytest.mark.parametrize("names", [("CET", "CEST"), ("MEZ", "MESZ")])
def test_names_of_zones_are_offsets(names):
    dates = pd.date_range("2023-10-28", periods=60, freq="h", tz="Europe/Berlin")
    cells = [f"{date:%Y-%m-%d %H:%M} {names[int(date.dst() > pd.Timedelta(0))]}" for date in dates]
    panel = read(pd.DataFrame({"date": cells, "v": np.arange(60) + 0.5}))
    assert panel.series[0].ds.tolist() == dates.tz_convert("UTC").tolist()
