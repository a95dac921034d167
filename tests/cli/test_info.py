"""`gatewise info`: versions, engines, the native library and optional packages."""

import pytest

import gatewise
from gatewise.cli import main

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.usefixtures("folder")


def test_info_lists_engines_and_optional_packages(capsys):
    assert main(["info"]) == 0
    printed = capsys.readouterr().out
    for text in (
        f"gatewise {gatewise.__version__}",
        "torch ",
        "reference",
        "aten",
        "matplotlib",
        "processor: 1 thread, ",
    ):
        assert text in printed


def test_info_names_the_instruction_set_and_the_threads(capsys, monkeypatch):
    monkeypatch.setattr("gatewise.engines.native.loader.reason", lambda: None)
    monkeypatch.setattr("gatewise.engines.native.loader.instructions", lambda: "avx512")
    monkeypatch.setattr("torch.get_num_threads", lambda: 3)
    assert main(["info"]) == 0
    assert "native library: avx512, 3 threads\n" in capsys.readouterr().out


def test_info_gives_the_reason_for_a_missing_native_library(capsys, monkeypatch):
    monkeypatch.setattr("gatewise.engines.native.loader.reason", lambda: "switched off")
    assert main(["info"]) == 0
    assert "native library: none, switched off\n" in capsys.readouterr().out
