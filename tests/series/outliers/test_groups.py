"""Groups: values of another scale, standstills and levels are one finding, and no usual range comes from them."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest

import gatewise as gw
from gatewise.series.outliers.detection import find
from gatewise.series.outliers.layout import Layout
from gatewise.series.outliers.search import search
from gatewise.series.outliers.support import supported
from gatewise.series.outliers.treatment import untreated

Change = Callable[[np.ndarray], np.ndarray]


def waves(size: int, seed: int = 0) -> np.ndarray:
    return np.asarray(100 + 10 * np.sin(0.9 * np.arange(size)) + np.random.default_rng(seed).normal(0, 3, size))


def weekly(size: int, seed: int = 0) -> np.ndarray:
    pattern = np.resize([0.0, 10.0, -10.0, 5.0, 12.0, -8.0, -10.0], size)
    return np.asarray(100 + pattern + np.random.default_rng(seed).normal(0, 3, size))


def table(y: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=len(y)), "a": y})


def changed(y: np.ndarray, rows: slice | np.ndarray, factor: float) -> np.ndarray:
    y = y.copy()
    y[rows] *= factor
    return y


def date(row: int) -> str:
    return str((pd.Timestamp("2024-01-01") + pd.Timedelta(days=row)).date())


@pytest.mark.parametrize("factor", [1000, 100, 0.01, 0.001, 10])
@pytest.mark.parametrize("length", [3, 4, 5, 6, 7, 8, 10])
@pytest.mark.parametrize("end", ["first", "last"])
@pytest.mark.parametrize("how", ["report", "clip"])
def test_another_level_at_an_end_is_one_finding(factor: float, length: int, end: str, how: str) -> None:
    rows = slice(length) if end == "first" else slice(300 - length, 300)
    values = changed(waves(300), rows, factor)
    panel = gw.read(table(values), outliers=how)
    (sentence,) = panel.warnings
    start, before = (
        (f"the first {length} values of series 'a', until {date(length - 1)},", "after")
        if end == "first"
        else (f"the last {length} values of series 'a', since {date(300 - length)},", "before")
    )
    assert sentence.startswith(f"level: {start} are about ")
    number, kind = re.search(r"about (1/)?([\d,.]+) ", sentence).group(2, 1)  # type: ignore[union-attr]
    size = float(number.replace(",", ""))
    assert (1 / size if kind else size) == pytest.approx(factor, rel=0.25)
    assert f"those {before}" in sentence
    assert sentence.endswith("outliers='clip' leaves them as they are") == (how == "clip")
    np.testing.assert_array_equal(panel.series[0].y, values)


@pytest.mark.parametrize("length", [6, 7, 10, 40])
@pytest.mark.parametrize("factor", [1000, 100, 0.001])
def test_a_long_run_of_another_scale_is_one_finding(length: int, factor: float) -> None:
    (sentence,) = gw.read(table(changed(waves(100), slice(20, 20 + length), factor))).warnings
    assert sentence.startswith(
        f"level: {length} values of series 'a' from {date(20)} to {date(19 + length)} are about "
    )


@pytest.mark.parametrize("length", [1, 2, 3, 5])
@pytest.mark.parametrize("factor", [1000, 100, 0.001])
def test_short_runs_are_outliers_that_are_clipped_whole(length: int, factor: float) -> None:
    values = waves(300)
    wrong = changed(values, slice(150, 150 + length), factor)
    (sentence,) = gw.read(table(wrong)).warnings
    low, high = (float(text) for text in re.findall(r"([\d.]+) to ([\d.]+)\)", sentence)[0])
    assert 75 < low < high < 130
    np.testing.assert_allclose(gw.read(table(wrong), outliers="clip").series[0].y, values, atol=25)


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.3])
@pytest.mark.parametrize(("factor", "size"), [(1000, "1,000 times"), (100, "100 times"), (0.001, "1/1,000 of")])
def test_random_values_of_another_scale_are_one_finding(fraction: float, factor: float, size: str) -> None:
    rows = np.flatnonzero(np.random.default_rng(1).random(300) < fraction)
    values = changed(waves(300), rows, factor)
    panel = gw.read(table(values), outliers="clip")
    assert panel.warnings[0].startswith(f"scale: {len(rows)} of 300 values of series 'a' are about {size} the others")
    assert date(int(rows[0])) in panel.warnings[0]
    np.testing.assert_array_equal(panel.series[0].y, values)


@pytest.mark.parametrize("size", [4, 5, 6, 8, 10, 11])
@pytest.mark.parametrize("at", [0, 2, -1])
def test_another_scale_in_few_values(size: int, at: int) -> None:
    sentences = gw.read(table(changed(waves(size), np.array([at]), 1000))).warnings
    assert [s for s in sentences if s.startswith(f"scale: 1 of {size} values of series 'a' is about 1,000 times")]


@pytest.mark.parametrize(("start", "length"), [(0, 3), (0, 6), (97, 3), (94, 6), (20, 20), (20, 60), (60, 40)])
@pytest.mark.parametrize("value", [0.0, 101.5, -7.0])
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_standstills_are_named(start: int, length: int, value: float, library: str) -> None:
    values = waves(100)
    values[start : start + length] = value
    data = table(values)
    sentences = gw.read(data if library == "pandas" else pl.from_pandas(data)).warnings
    names = (f"{length} values of series 'a' equal {value:g} from {date(start)} to {date(start + length - 1)}", "end")
    assert len(sentences) == 1
    assert names[0] in sentences[0] or (f"the last {length} values" in sentences[0] and start + length == 100)


def test_a_long_standstill_in_the_middle_is_named() -> None:
    values = waves(1000)
    values[300:600] = 101.5
    dates = f"from {date(300)} to {date(599)}"
    assert gw.read(table(values)).warnings == (f"standstill: 300 values of series 'a' equal 101.5 {dates}",)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 6])
def test_zeros_at_the_end_of_a_weekly_pattern_are_treated_whole_or_not_at_all(length: int) -> None:
    values = weekly(1000)
    values[1000 - length :] = 0.0
    panel = gw.read(table(values), outliers="clip")
    zeros = int((panel.series[0].y == 0).sum())
    assert zeros == (length if length > 2 else 0)
    if length > 2:
        assert panel.warnings[0].startswith(
            f"standstill: {length} values of series 'a' equal 0 from {date(1000 - length)}"
        )
    else:
        np.testing.assert_allclose(panel.series[0].y, weekly(1000), atol=25)


@pytest.mark.parametrize(
    "values",
    [
        np.resize([50.0, 51.5, 50.7, 52.1, 49.3, 0.5, 0.4], 140) + np.random.default_rng(0).random(140) / 10,
        np.resize(np.r_[np.zeros(10), np.arange(1.0, 15)], 24 * 8) + 0.0,  # nights
        np.random.default_rng(1).poisson(0.3, 300) * 1.0,
        np.repeat(np.random.default_rng(2).normal(20, 1, 40), np.random.default_rng(3).integers(5, 40, 40)),
        np.exp(np.random.default_rng(4).normal(size=300)),
        np.random.default_rng(5).random(100),
        np.random.default_rng(6).normal(size=400),
        np.random.default_rng(7).poisson(400, 300) * 1.0,
    ],
)
def test_usual_repetitions_and_scales_are_no_groups(values: np.ndarray) -> None:
    assert [s for s in gw.read(values).warnings if s.startswith(("scale", "standstill", "level"))] == []


def test_outliers_beside_a_group_have_ranges_of_the_other_values() -> None:
    values = waves(200)
    values[100:160] *= 1000
    values[[40, 180]] = [400.0, -50.0]
    (found,) = search(gw.read(table(values)).series, "D")
    assert found.rows.tolist() == [40, 180]
    assert ((found.lower > 60) & (found.upper < 140)).all()


@pytest.mark.parametrize("text", ["99999999", "1e+08", "1000000", "-999", "1e20"])
def test_a_sentinel_is_named_once(text: str) -> None:
    values = weekly(1000)
    values[[100, 200, 330, 331, 555, 700]] = float(text)
    sentences = gw.read(table(values)).warnings
    assert len(sentences) == 1
    assert "occurs 6 times" in sentences[0]


def test_small_rain_among_zeros_is_no_outlier_and_ranges_are_not_negative() -> None:
    generator = np.random.default_rng(3)
    rain = np.where(generator.random(1000) < 0.3, generator.gamma(0.7, 8, 1000), 0)
    rain[np.flatnonzero(rain)[50]] = 0.000623
    assert gw.read(table(rain)).warnings == ()
    sold = generator.poisson(3, 300) * 1.0
    sold[100] = 90
    (found,) = search(gw.read(table(sold)).series, "D")
    assert (found.rows.tolist(), found.lower.tolist()) == ([100], [0.0])


def test_many_usual_series_have_no_outliers_and_many_errors_are_found() -> None:
    values = 100 + 5 * np.random.default_rng(0).normal(size=(2000, 100))
    days = pd.date_range("2024-01-01", periods=100)
    data = pd.DataFrame(values.T, columns=[f"s{k}" for k in range(2000)]).assign(ds=days)
    panel = gw.read(data, layout="columns", time_column="ds")
    assert panel.warnings == ()
    data.loc[50, "s7"] *= 10
    assert [one.rows.tolist() for one in search(gw.read(data, layout="columns", time_column="ds").series, "D")] == [
        [50]
    ]


def test_few_series_with_promotions_have_outliers() -> None:
    generator, flagged = np.random.default_rng(1), 0
    for _ in range(100):
        sold = generator.poisson(20, 400) * 1.0
        for start in generator.integers(0, 397, size=6):
            sold[start : start + 3] = generator.poisson(40, 3)
        flagged += bool(len(find(sold, Layout(np.array([400])), [7]).rows))
    assert flagged <= 5


def test_a_range_that_comes_from_outliers_is_not_supported() -> None:
    values = waves(60)
    values[50:] = 900 + np.arange(10)
    layout = Layout(np.array([60]))
    found = find(changed(waves(60), np.array([30]), 10), layout, [1])
    assert supported(found, changed(waves(60), np.array([30]), 10), layout, [1]).rows.tolist() == [30]
    wrong = found._replace(rows=np.array([49]), lower=np.array([890.0]), upper=np.array([910.0]))
    assert not len(supported(wrong, values, layout, [1]).rows)


def test_groups_are_no_treatment() -> None:
    values = changed(waves(100), slice(60, 100), 1000)
    panel = gw.read(table(values), outliers="missing", fill="interpolate")
    np.testing.assert_array_equal(untreated(panel.series[0]).y, values)
    assert panel.series[0].filled is None or not panel.series[0].filled.any()
