"""The benchmark of accuracy: missing data sets are marked in the table."""

import pytest

from benchmarks import accuracy


@pytest.mark.parametrize(
    ("name", "file"), [("AirPassengers", "AirPassengers.csv"), ("M4Hourly", "Hourly-train.csv"), ("ETTh1", "ETTh1.csv")]
)
def test_a_missing_data_set_is_marked(name, file, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["accuracy", str(tmp_path), "--only", name])
    accuracy.main()
    row = capsys.readouterr().out.splitlines()[0]
    assert row.startswith(f"| {name} | skipped: ")
    assert row.endswith(f"{file} is missing | | | | | |")
