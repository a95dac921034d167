"""The progress of a training on a terminal and in a log."""

import sys

from gatewise.training import fit
from tests.training.small_models import Line, line_batches


def test_quiet_prints_nothing_and_a_log_gets_ten_lines(capsys):
    fit(Line(), line_batches(), epochs=100)
    assert capsys.readouterr() == ("", "")
    fit(Line(), line_batches(), epochs=95, held_out=line_batches(1), quiet=False, description="fitting")
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert (out, len(lines)) == ("", 11)
    assert lines[0].startswith("fitting: epoch 1 of 95, loss ")
    assert lines[-1].startswith("fitting: epoch 95 of 95, loss ")
    assert all(", validation loss " in line for line in lines)


def test_without_a_standard_error_there_is_no_progress(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert fit(Line(), line_batches(), epochs=2, quiet=False).epochs == 2


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fit(Line(), line_batches(), epochs=7, quiet=False, description="fitting")
    out, err = capsys.readouterr()
    assert out == ""
    assert "fitting: 100%" in err
    assert "7/7" in err
    assert "loss " in err
