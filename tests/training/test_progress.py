"""The progress of a training on a terminal and in a log."""

import io
import sys

from gatewise.training import TaskProgress, fit
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


def test_a_log_of_several_trainings_gets_about_ten_lines(capsys):
    with TaskProgress("training", 4, quiet=False) as progress:
        for step in range(1, 101):
            for task in range(4):
                progress.show(task, step / 100, f"loss {step}")
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert (out, len(lines)) == ("", 11)
    assert lines[0] == "training: 0%, 0 of 4 networks trained, loss 1"
    assert lines[-1] == "training: 100%, 4 of 4 networks trained, loss 100"


def test_a_terminal_gets_one_bar_for_several_trainings(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with TaskProgress("training", 2, quiet=False) as progress:
        progress.show("a", 1.0, "loss 3")
        progress.show("b", 0.5, "loss 2")
        progress.show("b", 1.0, "loss 1")
    err = capsys.readouterr().err
    assert "training: 100%|" in err
    assert "2 of 2 networks trained, loss 1" in err
    assert err.count("\n") == 1


def test_several_trainings_can_be_quiet_and_without_a_standard_error(capsys, monkeypatch):
    with TaskProgress("training", 1, quiet=True) as progress:
        progress.show(0, 1.0, "loss")
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stderr", stream)
        assert fit(Line(), line_batches(), epochs=2, quiet=False).epochs == 2
    with TaskProgress("training", 1, quiet=False) as progress:
        progress.show(0, 1.0, "loss")
    assert capsys.readouterr() == ("", "")
