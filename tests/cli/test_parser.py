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
        ["forecast", "--horizon", "3", "--seed", "-1"],
        ["forecast", "--horizon", "3", "--seed", str(2**63)],
    ],
)
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: gatewise" in capsys.readouterr().err


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
