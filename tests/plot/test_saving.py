"""Figures in files, and no side effects on matplotlib."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from gatewise import plot

MONTHS = pd.date_range("1959-01-01", periods=24, freq="MS")
Y = np.random.default_rng(0).normal(100, 10, 24)


def test_settings_stay_unchanged_and_pyplot_is_not_imported(tmp_path):
    """Runs in a new process, in which no other test has drawn a figure."""
    code = """
import sys
from gatewise import plot
assert not {"matplotlib", "pandas"} & set(sys.modules), "imported before the first figure"
import matplotlib
def settings():  # without the backend: reading it makes matplotlib load pyplot
    return {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}
before = settings()
plot.save(plot.series([1, 2], [3, 4]), sys.argv[1])
plot.gates({"reset": [[0.0, 1.0]]})
assert settings() == before, "settings changed"
assert "matplotlib.pyplot" not in sys.modules, "pyplot imported"
"""
    run = subprocess.run([sys.executable, "-c", code, tmp_path / "a.png"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".PNG", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
)
def test_save_writes_the_format_of_the_suffix_and_the_same_bytes_again(tmp_path, suffix, start):
    path = tmp_path / f"figure{suffix}"
    assert plot.save(plot.series(MONTHS, Y), path) == path
    first = path.read_bytes()
    assert first.startswith(start)
    plot.save(plot.series(MONTHS, Y).figure, str(path))
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_save_takes_axes_on_a_part_of_a_figure(tmp_path):
    part = Figure().subfigures(1, 2)[1]
    assert plot.save(plot.series(MONTHS, Y, ax=part.subplots()), tmp_path / "part.png").stat().st_size > 1000


def test_a_symbolic_link_stays_a_link(tmp_path):
    (tmp_path / "link.png").symlink_to(tmp_path / "figure.png")
    assert plot.save(plot.series(MONTHS, Y), tmp_path / "link.png") == tmp_path / "link.png"
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "figure.png"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        plot.save(plot.series(MONTHS, Y), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_without_matplotlib_the_error_names_the_package_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'figures need matplotlib, .* pip install "gatewise\[plot\]"'):
        plot.series(MONTHS, Y)
    with pytest.raises(ImportError, match=r'pip install "gatewise\[plot\]"'):
        plot.check("a.png")
    with pytest.raises(ImportError, match=r'pip install "gatewise\[plot\]"'):
        plot.gates({"reset": np.zeros((4, 2))})
