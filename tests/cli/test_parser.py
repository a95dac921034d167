"""The command line: usage errors, the options of the forecaster, and the import of torch."""

import inspect
import subprocess
import sys

import pytest

import gatewise
from gatewise import Forecaster
from gatewise.cli import main, options

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("folder")
SMALL = ["--max-steps", "20", "--hidden-size", "8", "--ensemble-size", "1"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["forecast"],
        ["forecast", "--horizon", "0"],
        ["forecast", "--horizon", "two"],
        ["forecast", "--horizon", "3", "--level", "80,120"],
        ["forecast", "--horizon", "3", "--level", "high"],
        ["forecast", "--horizon", "3", "--fill", "magic"],
        ["forecast", "--horizon", "3", "--season", "24,"],
        ["forecast", "--horizon", "3", "--season", "24,0"],
        ["forecast", "--horizon", "3", "--season", "day"],
        ["forecast", "--horizon", "3", "--fallback", "SeasonalNaive0"],
        ["forecast", "--horizon", "3", "--fallback", "Best"],
        ["forecast", "--horizon", "3", "--seed", "-1"],
        ["forecast", "--horizon", "3", "--seed", str(2**63)],
    ],
)
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: gatewise" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "season"), [("6", 6), ("4,12", (4, 12)), ("12,4", (12, 4))])
def test_one_season_or_several(sales, monkeypatch, text, season):
    passed = {}

    def record(self, **options):
        passed.update(options)
        raise ValueError("stop here")

    monkeypatch.setattr(Forecaster, "__init__", record)
    fallback = ["--fallback", "SeasonalNaive12"]
    assert main(["forecast", "whole.csv", "--horizon", "3", "--season", text, *fallback]) == 2
    assert passed == {"season": season, "fallback": "SeasonalNaive12", "horizon": 3, "quiet": False}


def test_seasons_that_are_refused_give_the_reason(sales, capsys):
    assert main(["forecast", "whole.csv", "--horizon", "3", "--season", "12,12"]) == 2
    assert "season is (12, 12), expected different integers of at least 2" in capsys.readouterr().err


def test_the_largest_seed_is_accepted(sales):
    options = ["--windows", "0", "--seed", str(2**63 - 1), *SMALL]
    assert main(["forecast", "whole.csv", "--horizon", "3", *options]) == 0


def test_the_package_runs_as_a_module():
    run = subprocess.run([sys.executable, "-m", "gatewise", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout == f"gatewise {gatewise.__version__}\n"


def test_the_parser_and_the_package_do_not_import_torch():
    code = (
        "import sys, gatewise, gatewise.cli as c; c.command_line(); "
        "print(sorted({'torch', 'pandas'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_early_errors_do_not_import_torch(folder):
    code = (
        "import sys, gatewise.cli as c; print(c.main(['forecast', 'f.csv', '--horizon', '3', '--out', 'no/f.csv']), "
        "'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "2 False\n"


def test_the_model_options_are_the_arguments_of_the_forecaster():
    arguments = set(inspect.signature(Forecaster).parameters)
    assert set(options.FORECASTER) <= arguments
    assert arguments - set(options.FORECASTER) == {"horizon", "batch_size", "validation_fraction", "quiet"}
