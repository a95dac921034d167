"""The native library: its folders, its environment variables, and the reasons if it is not available."""

import _ctypes
import ctypes
import os
import subprocess
import sys
import threading

import pytest

import gatewise.engines
from gatewise.cli import main
from gatewise.engines.native import loader
from gatewise.engines.native.loader import INSTRUCTIONS, NAME

needs_library = pytest.mark.skipif(loader.load() is None, reason=f"native library: {loader.reason()}")


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Reset the library to its state before first use, without environment variables; restore it after the test."""
    before = None if loader.load() is None else loader.instructions()
    for name in ("GATEWISE_NATIVE", "GATEWISE_INSTRUCTIONS"):
        monkeypatch.delenv(name, raising=False)
    loader._loaded.cache_clear()
    yield
    monkeypatch.undo()
    loader._loaded.cache_clear()
    if before is not None:
        loader.load().gatewise_use_instructions(before.encode())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, the only one that is searched."""
    monkeypatch.setattr(gatewise.engines, "__path__", [str(tmp_path)])
    return tmp_path


def available():
    """The instruction sets of this machine, best first."""
    return [name for name in INSTRUCTIONS if loader.load().gatewise_use_instructions(name.encode()) == 0]


def test_the_first_folder_with_the_library_is_used(tmp_path):
    folders = [tmp_path / name for name in ("none", "empty", "first", "second")]
    for folder in folders[1:]:
        folder.mkdir()
    for folder in folders[2:]:
        (folder / NAME).touch()
    assert loader.find(map(str, folders)) == folders[2] / NAME
    assert loader.find(map(str, folders[:2])) is None


def test_the_reason_for_a_missing_library_contains_a_remedy(folder):
    assert loader.load() is None
    assert loader.reason().startswith(
        "not built at installation (skipped, or no suitable compiler); install a compiler with OpenMP (GCC 12 or "
        "newer, such as g++, or Clang), then reinstall"
    )
    assert "pip install --force-reinstall --no-cache-dir" in loader.reason()
    with pytest.raises(RuntimeError, match="the native library is not available: not built"):
        loader.instructions()


def test_a_damaged_library_is_reported_with_the_system_error(folder):
    (folder / NAME).write_text("not a library")
    assert loader.load() is None
    assert loader.reason().startswith(f"cannot be loaded: {folder / NAME}: ")
    assert "pip install --force-reinstall" in loader.reason()


def test_a_library_from_another_version_is_not_used(folder):
    (folder / NAME).symlink_to(_ctypes.__file__)  # any library without the required functions
    assert loader.load() is None
    assert "is from another version: " in loader.reason()
    assert "gatewise_interface" in loader.reason()


@needs_library
def test_a_library_with_another_interface_is_not_used(monkeypatch, capsys):
    path, built = loader.find(gatewise.engines.__path__), loader.INTERFACE
    monkeypatch.setattr(loader, "INTERFACE", built + 1)
    loader._loaded.cache_clear()
    assert loader.load() is None
    expected = f"{path} is from another version: its interface is {built}, expected {built + 1}; reinstall Gatewise"
    assert loader.reason().startswith(expected)
    assert main(["info"]) == 0
    assert f"native library: none, {expected}" in capsys.readouterr().out


@needs_library
def test_this_process_is_not_a_forked_child():
    assert loader.forked() is False


def test_forked_is_false_without_a_library(folder):
    assert loader.forked() is False


@pytest.mark.parametrize(
    ("value", "reason"),
    [("0", "switched off by GATEWISE_NATIVE=0"), ("off", "GATEWISE_NATIVE is 'off', expected 0 or 1")],
)
def test_an_environment_variable_disables_the_library(monkeypatch, value, reason):
    monkeypatch.setenv("GATEWISE_NATIVE", value)
    assert loader.load() is None
    assert loader.reason() == reason


def test_importing_gatewise_does_not_load_the_library():
    code = "import sys, gatewise; print('gatewise.engines.native.loader' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout == "False\n"


@needs_library
def test_only_instruction_sets_of_this_machine_can_be_forced(monkeypatch):
    supported = available()
    assert supported
    for name in (*INSTRUCTIONS, "avx1024"):
        monkeypatch.setenv("GATEWISE_INSTRUCTIONS", name)
        loader._loaded.cache_clear()
        if name in supported:
            assert loader.reason() is None
            assert loader.instructions() == name
        else:
            assert loader.load() is None
            expected = f"expected one that this machine supports: {', '.join(supported)}"
            assert loader.reason() == f"GATEWISE_INSTRUCTIONS is {name!r}, {expected}"


@needs_library
def test_empty_environment_variables_are_ignored(monkeypatch):
    monkeypatch.setenv("GATEWISE_NATIVE", "")
    monkeypatch.setenv("GATEWISE_INSTRUCTIONS", "")
    assert loader.load() is not None


@needs_library
def test_a_new_process_reads_the_environment_variables():
    last = available()[-1]
    code = "from gatewise.engines.native import loader; print(loader.instructions())"
    variables = {**os.environ, "GATEWISE_NATIVE": "1", "GATEWISE_INSTRUCTIONS": last}
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables)
    assert process.stdout == f"{last}\n", process.stderr


@needs_library
def test_concurrent_first_calls_get_a_working_library():
    results, barrier = [], threading.Barrier(4)

    def load():
        barrier.wait()
        results.append((loader.load(), loader.instructions()))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({name for _, name in results}) == 1
    assert len({ctypes.cast(library.gatewise_forward, ctypes.c_void_p).value for library, _ in results}) == 1
    assert loader.load() is loader.load()


@needs_library
def test_the_functions_of_the_library_are_declared():
    assert loader.load().gatewise_multiply_add(1, 10, 1) > 0
    assert loader.load().gatewise_release() >= 0
    with pytest.raises(ctypes.ArgumentError):
        loader.load().gatewise_forward(1.5)


@pytest.mark.skipif(os.environ.get("GATEWISE_NATIVE") == "0", reason="the library is disabled")
def test_the_library_is_available():
    """Without this test, a missing library would silently skip all tests of the native engine."""
    assert loader.reason() is None
