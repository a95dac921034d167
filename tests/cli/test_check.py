"""`gatewise check`: printed output and exit codes."""

import subprocess
import sys

import pandas as pd
import pytest

from gatewise.cli import main

pytestmark = pytest.mark.usefixtures("sales")


def test_a_clean_file_gives_its_summary_and_exit_code_0(capsys):
    assert main(["check", "whole.csv"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith("Data: whole.csv\n  time column: 'day' (the only column of dates)\n")
    assert "  seasons: 7 steps (significant)\n" in printed.out


def test_a_file_that_a_forecast_refuses_gives_exit_code_2_and_the_remedy_works(capsys):
    assert main(["check", "sales.csv"]) == 2
    printed = capsys.readouterr()
    assert "missing: 2 values of series 'sold'" in printed.out
    assert printed.err.startswith("gatewise: series 'sold': 2 dates are missing")
    assert "(--fill interpolate)" in printed.err
    assert main(["check", "sales.csv", "--fill", "interpolate"]) == 0


def test_warnings_give_exit_code_1(capsys, monkeypatch):
    monkeypatch.setattr("gatewise.series.reading.read.findings", lambda panel: ("look here",))
    assert main(["check", "whole.csv"]) == 1
    assert "\n\nWarnings\n  look here\n" in capsys.readouterr().out


def test_without_a_file_the_built_in_series_is_checked(capsys):
    assert main(["check"]) == 0
    assert "from 104 to 622" in capsys.readouterr().out


def test_a_missing_file_gives_exit_code_2(capsys):
    assert main(["check", "no.csv"]) == 2
    assert capsys.readouterr().err == "gatewise: there is no file no.csv; check the path\n"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["check", "whole.csv"], 0),
        (["check", "sales.csv"], 2),
        (["forecast", "sales.csv", "--horizon", "3"], 2),
        (["backtest", "sales.csv", "--horizon", "3"], 2),
    ],
)
def test_check_and_refusals_do_not_import_torch(command, code):
    script = f"import sys, gatewise.cli as c; print(c.main({command!r}), 'torch' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == f"{code} False"


def test_series_of_several_frequencies_are_summarized_one_after_the_other(capsys):
    days, months = pd.date_range("2024-01-01", periods=60), pd.date_range("2020-01-01", periods=40, freq="MS")
    tables = [pd.DataFrame({"id": name, "ds": ds, "y": range(len(ds))}) for name, ds in (("a", days), ("b", months))]
    pd.concat(tables).to_csv("two.csv", index=False)
    assert main(["check", "two.csv", "--id", "id"]) == 2
    assert "--split-by-frequency" in capsys.readouterr().err
    assert main(["check", "two.csv", "--id", "id", "--split-by-frequency"]) == 0
    printed = capsys.readouterr().out
    assert "\n\nFrequency D\n" in printed
    assert "\n\nFrequency MS\n" in printed


def test_an_infinite_value_is_an_error(folder, capsys):
    (folder / "inf.csv").write_text("date,y\n2020-01-01,3\n2020-01-02,inf\n2020-01-03,5\n")
    assert main(["check", "inf.csv"]) == 2
    assert "inf in target 'y' is infinite" in capsys.readouterr().err
