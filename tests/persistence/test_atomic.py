"""Files are written completely or not at all."""

import os
import stat

import pytest

from gatewise.persistence import atomic


def test_new_content_replaces_the_old(tmp_path):
    target = tmp_path / ("n" * 250)  # near the longest name: the temporary file must not need a longer one
    atomic.write(target, b"old")
    atomic.write(str(target), b"new")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    atomic.write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_permissions_are_passed_on(tmp_path):
    target = tmp_path / "private"
    target.write_bytes(b"old")
    target.chmod(0o600)
    atomic.write(target, b"new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_interrupted_write_leaves_only_the_old_file(tmp_path, monkeypatch, step):
    def full(*_):
        raise OSError("no space left")

    target = tmp_path / "target"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="no space left"):
        atomic.write(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_content_is_on_disk_before_the_file_is_replaced(tmp_path, monkeypatch):
    done, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda *arguments: (done.append("fsync"), fsync(*arguments)))
    monkeypatch.setattr(os, "replace", lambda *arguments: (done.append("replace"), replace(*arguments)))
    atomic.write(tmp_path / "target", b"new")
    assert done == ["fsync", "replace"]


def test_irregular_files_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(OSError, match="it is not a regular file; use another name"):
            atomic.write(tmp_path / name, b"new")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere; create it first"):
        atomic.write(tmp_path / "nowhere" / "file", b"new")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_circular_links_are_refused(tmp_path):
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(OSError, match=r"circle|symbolic links"):
        atomic.write(tmp_path / "circle", b"new")


def test_a_private_file_is_never_readable_by_others(tmp_path, monkeypatch):
    target, seen = tmp_path / "target", []
    target.write_bytes(b"old")
    target.chmod(0o600)

    def chmod(path, mode, **options):
        seen.append((mode, path.stat().st_size))
        os.chmod(path, mode, **options)

    monkeypatch.setattr(type(target), "chmod", chmod)
    atomic.write(target, b"new")
    assert seen == [(0o600, 0)]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
