"""Later tables are read like the first one."""

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from gatewise import DataError, Forecaster, read
from gatewise.cli import main
from gatewise.forecast.persistence.panel_state import pack_panel, unpack_panel
from gatewise.series.panel import Panel
from gatewise.series.reading.future import known_ahead

DAYS = [f"{day:02d}/02/2024" for day in range(1, 21)]
ISO = [f"2024-02-{day:02d}" for day in range(1, 21)]
THOUSANDS = ["854", "1.029", "987", "1.100"] * 5
NEW = ["2024-02-21", "2024-02-22"]


def as_source(frame: pd.DataFrame, kind: str, folder: Path) -> Any:
    """A table as pandas, polars or a file of this kind."""
    if kind == "pandas":
        return frame
    if kind == "polars":
        return pl.from_pandas(frame)
    path = folder / f"new.{kind}"
    frame.to_csv(path, index=False, sep="\t" if kind == "tsv" else ";" if kind == "semicolon.csv" else ",")
    return path


def stored(panel: Panel) -> Panel:
    content, arrays = pack_panel(panel)
    return unpack_panel(content, arrays)


NUMBERS: list[Any] = [
    (THOUSANDS, {}, ["1.204", "1.377"], [1204, 1377]),
    (THOUSANDS, {}, ["1.200", "2.000"], [1200, 2000]),
    (THOUSANDS, {}, ["912", "1.377"], [912, 1377]),
    (THOUSANDS, {}, ["1204.5", "1377.25"], [1204.5, 1377.25]),  # contradicts
    (["8.5", "1.029", "98.7", "1.100"] * 5, {}, ["1.204", "1.377"], [1.204, 1.377]),
    (["854", "1,029", "987", "1,100"] * 5, {}, ["1,204", "1,377"], [1204, 1377]),
    (["8,5", "1,029", "98,7", "1,100"] * 5, {}, ["1,204", "1,377"], [1.204, 1.377]),
    (["8,5", "1,029", "98,7", "1,100"] * 5, {}, ["12.5", "13.25"], [12.5, 13.25]),  # contradicts
    (["1.029", "1.100"] * 10, {"decimal": ","}, ["1.204", "1.377"], [1204, 1377]),
    (["1.029", "1.100"] * 10, {"thousands": "."}, ["1.204", "1.377"], [1204, 1377]),
    (["1.029", "1.100"] * 10, {"thousands": ""}, ["1.204", "1.377"], [1.204, 1.377]),
]


@pytest.mark.parametrize("kind", ["pandas", "polars", "csv", "tsv", "semicolon.csv"])
@pytest.mark.parametrize(("first", "given", "later", "values"), NUMBERS)
def test_numbers(
    first: list[str], given: Any, later: list[str], values: list[float], kind: str, tmp_path: Path
) -> None:
    earlier = read(pd.DataFrame({"ds": ISO, "sales": first}), **given)
    new = as_source(pd.DataFrame({"ds": NEW, "sales": later}), kind, tmp_path)
    for panel in (earlier, stored(earlier)):
        assert read(new, like=panel).series[0].y.tolist() == values


DATES: list[Any] = [
    (DAYS, {}, ["01/03/2024", "02/03/2024"], "2024-03-01"),
    (DAYS, {}, ["2024-03-01", "2024-03-02"], "2024-03-01"),
    (DAYS, {}, ["03/13/2024", "03/14/2024"], "2024-03-13"),  # contradicts
    ([f"02/{day:02d}/2024" for day in range(1, 21)], {}, ["03/01/2024", "03/02/2024"], "2024-03-01"),
    ([f"{day:02d}.02.2024" for day in range(1, 21)], {}, ["01.03.2024", "02.03.2024"], "2024-03-01"),
    (DAYS[:10], {"dayfirst": True}, ["01/03/2024", "02/03/2024"], "2024-03-01"),
    ([f"{day:02d}02{24}" for day in range(1, 13)], {"time_format": "%d%m%y"}, ["010324", "020324"], "2024-03-01"),
    (DAYS, {"time_format": "%d/%m/%Y"}, ["01/03/2024"], "2024-03-01"),
]


@pytest.mark.parametrize("kind", ["pandas", "polars", "csv"])
@pytest.mark.parametrize(("first", "given", "later", "start"), DATES)
def test_dates(first: list[str], given: Any, later: list[str], start: str, kind: str, tmp_path: Path) -> None:
    earlier = read(pd.DataFrame({"ds": first, "sales": range(len(first))}), **given)
    new = as_source(pd.DataFrame({"ds": later, "sales": range(5, 5 + len(later))}), kind, tmp_path)
    for panel in (earlier, stored(earlier)):
        ds = read(new, like=panel).series[0].ds
        assert ds.equals(pd.date_range(start, periods=len(later)))


def test_explicit_options_win() -> None:
    earlier = read(pd.DataFrame({"ds": DAYS, "sales": THOUSANDS}))
    new = pd.DataFrame({"ds": ["03/01/2024", "03/02/2024"], "sales": ["1.204", "1.377"]})
    panel = read(new, like=earlier, decimal=".", dayfirst=False)
    assert panel.series[0].y.tolist() == [1.204, 1.377]
    assert panel.series[0].ds[0] == pd.Timestamp("2024-03-01")


def test_columns_missing_and_aggregate() -> None:
    table = pd.DataFrame({"a": "x", "b": "y", "day": ISO, "n": 1, "sales": range(20)}).astype({"a": str})
    options: dict[str, Any] = {"id_column": ["a", "b"], "time_column": "day", "target_column": "sales"}
    earlier = stored(read(table, **options, aggregate="sum", missing="-77"))
    new = pd.DataFrame({"a": "x", "b": "y", "day": [*NEW, NEW[1], "2024-02-23"], "n": 1, "sales": [1, 2, 3, -77]})
    series = read(new, like=earlier, fill="previous").series[0]
    assert (series.unique_id, series.y.tolist()) == ("x/y", [1, 5, 5])


@pytest.mark.parametrize(("new", "values"), [("wide", [[1, 2], [3, 4]]), ("long", [[7, 8]])])
def test_layout(new: str, values: list[list[float]]) -> None:
    earlier = read(pd.DataFrame({"ds": ISO, "a": range(20), "b": range(20)}), layout="columns")
    tables = {
        "wide": pd.DataFrame({"ds": NEW, "a": [1, 2], "b": [3, 4]}),
        "long": pd.DataFrame({"unique_id": "a", "ds": NEW, "y": [7, 8]}),
    }
    panel = read(tables[new], like=stored(earlier))
    assert [series.y.tolist() for series in panel.series] == values


def test_values_against_the_memory_are_refused_and_the_remedy_works() -> None:
    earlier = read(pd.DataFrame({"ds": ISO, "sales": ["1.5", "2.25"] * 10}))
    new = pd.DataFrame({"ds": [*NEW, "2024-02-23"], "sales": ["854", "1.029", "987"]})
    with pytest.raises(DataError, match=r"'1.029' is 1.029 with a decimal point or 1029 with thousands; pass decimal"):
        read(new, like=earlier)
    assert read(new, like=earlier, thousands=".").series[0].y.tolist() == [854, 1029, 987]


@pytest.mark.parametrize("kind", ["pandas", "polars", "csv"])
def test_future_covariates(kind: str, tmp_path: Path) -> None:
    visits = [f"{value:,}".replace(",", ".") for value in range(900, 1100, 10)]
    visits[3] = "930,5"
    first = as_source(pd.DataFrame({"ds": DAYS, "sales": range(20), "visits": visits}), "csv", tmp_path)
    earlier = read(first, known="visits")
    new = as_source(pd.DataFrame({"ds": ["21/02/2024", "22/02/2024"], "visits": ["1.204", "1.377"]}), kind, tmp_path)
    values = known_ahead(stored(earlier), 2, new)
    assert values is not None
    assert values.tolist() == [[[1204], [1377]]]


def test_guesses_name_the_earlier_table() -> None:
    earlier = read(pd.DataFrame({"ds": DAYS, "sales": THOUSANDS}))
    panel = read(pd.DataFrame({"ds": ["01/03/2024", "02/03/2024"], "sales": ["1.204", "1.377"]}), like=earlier)
    assert "thousands separators in column 'sales': '1.204' read as 1204, as in the earlier table" in panel.guesses
    assert "dates: '01/03/2024' read as 2024-03-01, as in the earlier table" in panel.guesses


def test_old_and_invalid_files() -> None:
    content, arrays = pack_panel(read(pd.DataFrame({"ds": DAYS, "sales": THOUSANDS})))
    with pytest.raises(ValueError, match="'read_by' has dayfirst 1, which is not valid"):
        unpack_panel({**content, "read_by": {"dayfirst": 1}}, dict(arrays))
    del content["read_by"]
    assert unpack_panel(content, dict(arrays)).read_by.content() == {}


def test_saved_model_and_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = Forecaster(max_steps=2, ensemble_size=1)
    history = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=80).strftime("%d/%m/%Y"), "sales": THOUSANDS * 4})
    model.fit(history)
    model.save(tmp_path / "m.safetensors")
    new = pd.DataFrame({"ds": ["21/03/2024", "22/03/2024"], "sales": ["1.204", "1.377"]})
    new.to_csv(tmp_path / "new.csv", index=False)
    loaded = Forecaster.load(tmp_path / "m.safetensors")
    loaded.update(tmp_path / "new.csv")
    assert loaded.state.panel.series[0].y[-2:].tolist() == [1204, 1377]
    command = ["forecast", str(tmp_path / "new.csv"), "--model", str(tmp_path / "m.safetensors"), "--horizon", "2"]
    assert main(command) == 0
    assert "'1.204' read as 1204, as in the earlier table" in capsys.readouterr().out
