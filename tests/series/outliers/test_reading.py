"""Outliers of tables: the sentences about them, and their treatment."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import gatewise as gw
from gatewise.series import DataError
from gatewise.series.outliers.report import number, rounded
from gatewise.series.outliers.treatment import untreated

SIZE = 120
DAYS = pd.date_range("2024-01-01", periods=SIZE)


def sales(changes: dict[int, float], seed: int = 0) -> np.ndarray:
    values = np.round(np.random.default_rng(seed).normal(100, 5, size=SIZE), 1)
    for at, value in changes.items():
        values[at] = value
    return values


def table(changes: dict[int, float]) -> pd.DataFrame:
    return pd.DataFrame({"ds": DAYS, "a": sales(changes)})


SENTENCES = [
    ({64: 9999}, "outlier: 9,999 on 2024-03-05 in series 'a' (usual range around it "),
    ({64: 1000.5}, "outlier: 1,000.5 on 2024-03-05 in series 'a' (usual range around it "),
    ({64: -100}, "outlier: -100 on 2024-03-05 in series 'a' (usual range around it "),
    ({64: 0}, "outlier: 0 on 2024-03-05 in series 'a' (usual range around it "),
    ({64: 0.1}, "outlier: 0.1 on 2024-03-05 in series 'a' (usual range around it "),
    ({2: 100000}, "outlier: 100,000 on 2024-01-03 in series 'a' (usual range around it "),
    ({119: 1e7}, "outlier: 10,000,000 on 2024-04-29 in series 'a' (usual range around it "),
    ({0: -1}, "outlier: -1 on 2024-01-01 in series 'a' (usual range around it "),
    (
        {64: 900, 65: 950, 66: 920},
        "outliers: 3 values from 2024-03-05 to 2024-03-07 in series 'a', such as 950 (usual range around it ",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), SENTENCES)
@pytest.mark.parametrize("source", ["pandas", "polars", "csv", "tsv"])
def test_outliers_are_warnings_with_date_and_size(
    changes: dict[int, float], sentence: str, source: str, tmp_path: Any
) -> None:
    data: Any = table(changes)
    if source == "polars":
        data = pl.from_pandas(data)
    elif source != "pandas":
        path = tmp_path / "sales.csv"
        data.to_csv(path, index=False, sep="," if source == "csv" else "\t")
        data = path
    panel = gw.read(data)
    assert [warning[: len(sentence)] for warning in panel.warnings] == [sentence]
    low, high = panel.warnings[0][len(sentence) : -1].split(" to ")
    assert 70 < float(low) < 97 < 103 < float(high) < 130
    np.testing.assert_array_equal(panel.series[0].y, sales(changes))  # they are reported, nothing else


def test_the_whole_sentence() -> None:
    values = np.tile([95.0, 100.0, 105.0, 98.0, 102.0], 12)
    values[30] = 5000.0
    assert gw.read(values).warnings == ("outlier: 5,000 at time 30 in series 'y' (usual range around it 88.3 to 112)",)


def test_many_outliers_share_a_sentence() -> None:
    columns = {f"s{k}": sales({20 + k: 9000 + k, 90: 700}, seed=k) for k in range(5)}
    panel = gw.read(pd.DataFrame({"ds": DAYS, **columns}), layout="columns")
    assert len(panel.warnings) == 4
    assert panel.warnings[3].startswith("outliers: 7 more values in 5 series ('s")
    assert panel.warnings[3].endswith(", ...)")


def test_clean_series_give_no_warning() -> None:
    assert gw.read(table({})).warnings == ()


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        ([5.0] * 40, "constant: all 40 values of series 'a' are 5"),
        ([0.0] * 40, "constant: all 40 values of series 'a' are 0"),
        ([1.25] * 3, "constant: all 3 values of series 'a' are 1.25"),
        (
            [*range(40), *[7.0] * 20],
            "constant end: the last 20 values of series 'a' are 7, since 2024-02-10",
        ),
        (
            [*np.sin(range(40)), *[0.0] * 14],
            "constant end: the last 14 values of series 'a' are 0, since 2024-02-10",
        ),
    ],
)
def test_constant_series_are_warnings(values: list[float], warning: str) -> None:
    panel = gw.read(pd.DataFrame({"ds": DAYS[: len(values)], "a": values}))
    assert panel.warnings == (warning,)


@pytest.mark.parametrize(
    "values", [[*range(40), *[7.0] * 2], [0.0, 0, 0, 0, 0, 0, 0, 1] * 6 + [0.0] * 9, [1.0, 2.0], [3.0, 3.0]]
)
def test_usual_standstills_are_no_warnings(values: list[float]) -> None:
    assert gw.read(pd.DataFrame({"ds": DAYS[: len(values)], "a": values}), freq="D").warnings == ()


LOW = "counts: values are whole numbers >= 0; lower=0 (--lower 0) keeps forecasts so"
COUNTS = "counts: values are whole numbers >= 0; lower=0 (--lower 0) and integer=True (--integer) keep forecasts so"
POSITIVE = "values: none is negative; lower=0 (--lower 0) keeps forecasts so"


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (np.random.default_rng(0).poisson(2, size=60), LOW),
        (np.random.default_rng(1).poisson(0.2, size=60), LOW),
        (np.random.default_rng(2).poisson(2, size=60) * 1.0, LOW),
        (np.random.default_rng(8).negative_binomial(2, 0.2, size=60), COUNTS),
        (np.random.default_rng(3).exponential(5, size=60), POSITIVE),
        (np.random.default_rng(4).poisson(2, size=60) * 1.5, POSITIVE),
        (np.random.default_rng(5).normal(size=60), None),
        (np.random.default_rng(6).poisson(2, size=60) - 1, None),
        (np.random.default_rng(7).poisson(400, size=60), None),  # no forecast comes near zero
    ],
)
def test_counts_are_noted(values: np.ndarray, note: str | None) -> None:
    panel = gw.read(values)
    notes = [guess for guess in panel.guesses if guess in (LOW, COUNTS, POSITIVE)]
    assert notes == ([] if note is None else [note])


def test_clip_moves_outliers_to_the_usual_range() -> None:
    changes = {30: 9999.0, 64: -50.0}
    panel = gw.read(table(changes), outliers="clip")
    series, values = panel.series[0], sales(changes)
    others = np.delete(np.arange(SIZE), [30, 64])
    np.testing.assert_array_equal(series.y[others], values[others])
    assert 100 < series.y[30] < 130
    assert 70 < series.y[64] < 100
    np.testing.assert_array_equal(untreated(series).y, values)
    sentence = "outliers: 2 values clipped to the usual range around each (2024-01-31, 2024-03-05 in series 'a')"
    assert (sentence in panel.guesses, panel.warnings, panel.outliers) == (True, (), "clip")


@pytest.mark.parametrize("fill", ["interpolate", "previous", "zero", "none"])
@pytest.mark.parametrize("at", [30, 64, SIZE - 1])
def test_missing_outliers_are_filled(fill: str, at: int) -> None:
    values = sales({at: 9999.0})
    panel = gw.read(table({at: 9999.0}), outliers="missing", fill=fill)
    series = panel.series[0]
    after = values[at + 1] if at + 1 < SIZE else values[at - 1]
    expected = {"interpolate": (values[at - 1] + after) / 2, "zero": 0.0}.get(fill, values[at - 1])
    assert series.y[at] == pytest.approx(expected)
    assert series.filled is not None
    assert np.flatnonzero(series.filled).tolist() == [at]
    assert series.masked == (fill == "none")
    date = DAYS[at].date()
    assert f"outliers: 1 value treated as missing (fill={fill!r}) ({date} in series 'a')" in panel.guesses


def test_missing_outliers_need_a_fill_and_the_remedy_works() -> None:
    with pytest.raises(DataError) as error:
        gw.read(table({30: 9999.0}), outliers="missing")
    assert str(error.value) == (
        "outliers='missing' makes values missing that must be filled; "
        'pass fill="interpolate", "previous", "zero" or "none" (--fill interpolate)'
    )
    assert gw.read(table({30: 9999.0}), outliers="missing", fill="interpolate").series[0].y.max() < 130


def test_missing_values_stay_missing_before_and_after_a_treatment() -> None:
    values = table({30: 9999.0})
    values.loc[[10, 50], "a"] = np.nan
    series = gw.read(values, outliers="missing", fill="interpolate").series[0]
    assert series.filled is not None
    assert np.flatnonzero(series.filled).tolist() == [10, 30, 50]
    before = untreated(series)
    assert before.filled is not None
    assert np.flatnonzero(before.filled).tolist() == [10, 50]
    assert before.y[30] == 9999.0


@pytest.mark.parametrize(
    ("value", "text"),
    [(9999.0, "9,999"), (0.25, "0.25"), (-1234.5678, "-1,234.57"), (1e12, "1,000,000,000,000")],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text
    assert rounded(round(value, 2))


@pytest.mark.parametrize(("worst", "factor"), [(900, 1), (-900, 1), (9000, 100)])
def test_clipped_values_are_whole_among_whole_values_only(worst: float, factor: int) -> None:
    counts = factor * np.random.default_rng(0).poisson(20, 96).astype(float)
    counts[50] = worst * factor
    days = pd.date_range("2024-01-01", periods=96)
    clipped = gw.read(pd.DataFrame({"ds": days, "y": counts}), outliers="clip").series[0].y
    assert clipped[50] == np.rint(clipped[50]) != counts[50]
    assert np.delete(clipped, 50).tolist() == np.delete(counts, 50).tolist()
    halves = gw.read(pd.DataFrame({"ds": days, "y": counts + 0.25}), outliers="clip").series[0].y
    assert abs(halves[50] - clipped[50]) < 1.5
    assert halves[50] != np.rint(halves[50])
