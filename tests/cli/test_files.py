"""Output files and streams: interrupts, closed pipes, full disks, and files that must not be overwritten."""

import errno
import os
import subprocess
import sys

import pandas as pd
import pytest

from gatewise.cli import main

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("folder")
SMALL = ["--max-steps", "20", "--hidden-size", "8", "--ensemble-size", "1"]


def test_an_interrupt_exits_with_130_and_writes_nothing(sales, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("gatewise.forecast.model.training.fit", interrupt)
    assert main(["forecast", "whole.csv", "--horizon", "3", "--out", "f.csv", *SMALL]) == 130
    assert "interrupted; nothing was written" in capsys.readouterr().err
    assert not (sales / "f.csv").exists()


def test_an_interrupt_between_two_files_names_the_written_one(sales, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("gatewise.plot.save", interrupt)
    arguments = ["forecast", "whole.csv", "--horizon", "3", "--out", "f.csv", "--plot", "f.png", "--windows", "0"]
    assert main([*arguments, *SMALL]) == 130
    assert "interrupted; files already written: f.csv" in capsys.readouterr().err
    assert len(pd.read_csv("f.csv")) == 3


def test_an_input_file_is_never_overwritten(sales, capsys):
    before = (sales / "whole.csv").read_bytes()
    (sales / "link.csv").symlink_to("whole.csv")
    for name in ("whole.csv", "./whole.csv", "link.csv"):
        assert main(["forecast", "whole.csv", "--horizon", "3", "--out", name, *SMALL]) == 2
        assert "is an input file; give another name" in capsys.readouterr().err
    assert (sales / "whole.csv").read_bytes() == before


def run(arguments, **options):
    return subprocess.run([sys.executable, "-m", "gatewise", *arguments], capture_output=True, text=True, **options)


def test_files_are_written_even_if_standard_output_is_closed(sales):
    arguments = f"{sys.executable} -u -m gatewise forecast whole.csv --horizon 40 --windows 0 --quiet {' '.join(SMALL)}"
    subprocess.run(["sh", "-c", f"{arguments} --out piped.csv | head -1"], capture_output=True, check=True)
    subprocess.run(["sh", "-c", f"{arguments} --out closed.csv >&- 2>&-"], capture_output=True, check=True)
    for name in ("piped.csv", "closed.csv"):
        assert len(pd.read_csv(sales / name)) == 40


FULL = pytest.param(
    "2>/dev/full >printed.txt", marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="none")
)


@pytest.mark.parametrize("reader", ["2>&1 >printed.txt | head -1", FULL])
def test_the_command_continues_if_progress_cannot_be_written(sales, reader):
    command = f"{sys.executable} -m gatewise forecast whole.csv --horizon 4 --windows 0 --out f.csv"
    options = ["--max-steps", "300", "--hidden-size", "8", "--ensemble-size", "1"]
    subprocess.run(["sh", "-c", f"{command} {' '.join(options)} {reader}"], capture_output=True, check=True)
    assert len(pd.read_csv(sales / "f.csv")) == 4
    assert "Files written: f.csv" in (sales / "printed.txt").read_text()


def test_characters_that_the_terminal_lacks_are_replaced(sales):
    (sales / "whole.csv").write_text((sales / "whole.csv").read_text().replace("sold", "Umsätze"), encoding="utf-8")
    arguments = ["forecast", "whole.csv", "--horizon", "3", "--windows", "0", "--quiet", *SMALL]
    result = run(arguments, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert result.returncode == 0
    assert "Ums?tze" in result.stdout


def test_a_full_disk_is_an_error_with_a_remedy(sales, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gatewise.persistence.atomic.os.fsync", full)
    options = ["--windows", "0", "--quiet", "--out", "f.csv", *SMALL]
    assert main(["forecast", "whole.csv", "--horizon", "2", *options]) == 2
    printed = (
        "gatewise: the output: No space left on device; free disk space, or write elsewhere; nothing was written\n"
    )
    assert capsys.readouterr().err == printed
    assert sorted(path.name for path in sales.iterdir()) == ["sales.csv", "whole.csv"]
