"""Round trip: a table written in any form is read as it was, or refused; never as something else."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings

from gatewise import DataError, read
from tests.series.reading.forms import Clean, Written, written_tables

QUICK, THOROUGH = 500, 10_000
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def expected_names(clean: Clean, written: Written) -> list[str]:
    return ["sales"] if len(clean.names) == 1 and " | long | " in written.form else list(clean.names)


def differences(clean: Clean, panel, written: Written) -> str:
    """What was read differently; empty if nothing was."""
    names = [str(series.unique_id) for series in panel.series]
    if names != expected_names(clean, written):
        return f"series {names} instead of {expected_names(clean, written)}"
    for series, y in zip(panel.series, clean.y, strict=True):
        present = ~np.isnan(y)
        first, last = (
            (present.argmax(), len(y) - present[::-1].argmax()) if " | rows | " in written.form else (0, len(y))
        )
        ds, y = written.ds[first:last], y[first:last]
        if len(series) != len(y):
            return f"{len(series)} values instead of {len(y)}"
        if not isinstance(series.ds, pd.DatetimeIndex) or not (series.ds.tz_localize(None) == ds).all():
            return f"dates {list(series.ds[:3])} instead of {list(ds[:3])}"
        if not np.array_equal(series.recorded, y, equal_nan=True):
            return f"values {series.recorded} instead of {y}"
    return ""


def outcome(folder, clean: Clean, written: Written) -> str:
    """How a written table is read: "right", "refused: ..." or "wrong: ..."."""
    path = folder / "table.csv"
    path.write_text(written.text, encoding="utf-8")
    try:
        panel = read(path, fill="none", **written.options)
    except DataError as error:
        return f"refused: {error}"
    different = differences(clean, panel, written)
    return f"wrong: {different}" if different else "right"


def check_round_trip(folder, table):
    clean, written = table
    result = outcome(folder, clean, written)
    assert not result.startswith("wrong"), f"{result}\n{written.form}\n{written.text[:600]}"
    assume(result == "right" or True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@settings(max_examples=QUICK, deadline=None, suppress_health_check=CHECKS, derandomize=True)
@given(table=written_tables())
def test_a_table_in_any_form_is_read_as_it_was_or_refused(folder, table):
    check_round_trip(folder, table)


@pytest.mark.slow
@settings(max_examples=THOROUGH, deadline=None, suppress_health_check=CHECKS)
@given(table=written_tables())
def test_many_tables_in_any_form_are_read_as_they_were_or_refused(folder, table):
    check_round_trip(folder, table)
