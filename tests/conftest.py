"""Settings that every test shares."""

import os

import pytest
import torch


@pytest.fixture(autouse=True)
def global_random_state_is_left_alone():
    """A test that needs torch's global generator says so by `torch.random.fork_rng`; the library never touches it."""
    before = torch.get_rng_state()
    yield
    assert torch.equal(before, torch.get_rng_state()), "the global random state of torch was changed"


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Workers of pytest-xdist share the cores: each runs on one thread, and trains one network at a time."""
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(autouse=True)
def threads_as_before(one_thread):
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def csv(tmp_path):
    """Write a CSV file and give its path."""

    def write(content, name="sales.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
