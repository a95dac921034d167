"""The native library: where it is looked for, what its environment variables do, and the reasons for its absence."""

import _ctypes
import ctypes
import os
import subprocess
import sys
import threading

import pytest

import gatewise.engines
from gatewise.cli import main
from gatewise.engines import library
from gatewise.engines.library import INSTRUCTIONS, NAME

needs_library = pytest.mark.skipif(library.load() is None, reason=f"native library: {library.reason()}")


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """The library as if it had never been asked for, with no variable set, and as it was again after the test."""
    before = None if library.load() is None else library.instructions()
    for name in ("GATEWISE_NATIVE", "GATEWISE_INSTRUCTIONS"):
        monkeypatch.delenv(name, raising=False)
    library._loaded.cache_clear()
    yield
    monkeypatch.undo()
    library._loaded.cache_clear()
    if before is not None:
        library.load().gatewise_use_instructions(before.encode())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder as the only place to look."""
    monkeypatch.setattr(gatewise.engines, "__path__", [str(tmp_path)])
    return tmp_path


def available():
    """The instruction sets of this machine, the best first."""
    return [name for name in INSTRUCTIONS if library.load().gatewise_use_instructions(name.encode()) == 0]


def test_the_first_folder_that_has_it_wins(tmp_path):
    folders = [tmp_path / name for name in ("none", "empty", "first", "second")]
    for folder in folders[1:]:
        folder.mkdir()
    for folder in folders[2:]:
        (folder / NAME).touch()
    assert library.find(map(str, folders)) == folders[2] / NAME
    assert library.find(map(str, folders[:2])) is None


def test_without_a_library_the_reason_says_how_to_get_one(folder):
    assert library.load() is None
    assert library.reason().startswith(
        "not built at installation: left out, or no compiler found that can (GCC 12 or newer or Clang, with OpenMP); "
    )
    assert "pip install --force-reinstall --no-cache-dir" in library.reason()
    with pytest.raises(RuntimeError, match="there is no native library: not built"):
        library.instructions()


def test_a_damaged_library_is_reported_as_the_system_does(folder):
    (folder / NAME).write_text("not a library")
    assert library.load() is None
    assert library.reason().startswith(f"cannot be loaded: {folder / NAME}: ")
    assert "pip install --force-reinstall" in library.reason()


def test_a_library_of_another_version_is_not_used(folder):
    (folder / NAME).symlink_to(_ctypes.__file__)  # any library that has none of our functions
    assert library.load() is None
    assert "is of another version: " in library.reason()
    assert "gatewise_interface" in library.reason()


@needs_library
def test_a_library_of_another_interface_is_not_used(monkeypatch, capsys):
    path, built = library.find(gatewise.engines.__path__), library.INTERFACE
    monkeypatch.setattr(library, "INTERFACE", built + 1)
    library._loaded.cache_clear()
    assert library.load() is None
    expected = f"{path} is of another version: its interface is {built}, expected {built + 1}; install Gatewise again"
    assert library.reason().startswith(expected)
    assert main(["info"]) == 0
    assert f"native library: none, {expected}" in capsys.readouterr().out


@needs_library
def test_this_process_is_no_forked_child():
    assert library.forked() is False


def test_without_a_library_there_is_no_forked_child_either(folder):
    assert library.forked() is False


@pytest.mark.parametrize(
    ("value", "reason"),
    [("0", "switched off by GATEWISE_NATIVE=0"), ("off", "GATEWISE_NATIVE is 'off', expected 0 or 1")],
)
def test_it_can_be_switched_off(monkeypatch, value, reason):
    monkeypatch.setenv("GATEWISE_NATIVE", value)
    assert library.load() is None
    assert library.reason() == reason


def test_the_package_alone_does_not_load_it():
    code = "import sys, gatewise; print('gatewise.engines.library' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@needs_library
def test_each_instruction_set_of_this_machine_can_be_forced_and_no_other(monkeypatch):
    there = available()
    assert there
    for name in (*INSTRUCTIONS, "avx1024"):
        monkeypatch.setenv("GATEWISE_INSTRUCTIONS", name)
        library._loaded.cache_clear()
        if name in there:
            assert library.reason() is None
            assert library.instructions() == name
        else:
            assert library.load() is None
            expected = f"expected one that this machine has: {', '.join(there)}"
            assert library.reason() == f"GATEWISE_INSTRUCTIONS is {name!r}, {expected}"


@needs_library
def test_empty_variables_are_none(monkeypatch):
    monkeypatch.setenv("GATEWISE_NATIVE", "")
    monkeypatch.setenv("GATEWISE_INSTRUCTIONS", "")
    assert library.load() is not None


@needs_library
def test_a_new_process_obeys_the_variables():
    last = available()[-1]
    code = "from gatewise.engines import library; print(library.instructions())"
    variables = {**os.environ, "GATEWISE_NATIVE": "1", "GATEWISE_INSTRUCTIONS": last}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables)
    assert done.stdout == f"{last}\n", done.stderr


@needs_library
def test_threads_that_come_first_together_get_a_library_that_works():
    found, barrier = [], threading.Barrier(4)

    def ask():
        barrier.wait()
        found.append((library.load(), library.instructions()))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({name for _, name in found}) == 1
    assert len({ctypes.cast(one.gatewise_forward, ctypes.c_void_p).value for one, _ in found}) == 1
    assert library.load() is library.load()


@needs_library
def test_its_functions_are_declared():
    assert library.load().gatewise_multiply_add(1, 10, 1) > 0
    assert library.load().gatewise_release() >= 0
    with pytest.raises(ctypes.ArgumentError):
        library.load().gatewise_forward(1.5)


@pytest.mark.skipif(os.environ.get("GATEWISE_NATIVE") == "0", reason="the library was left out")
def test_the_library_is_there():
    """Else the tests of the native engine would all be skipped, and nobody would know."""
    assert library.reason() is None
