"""An archive as a file that threads read and close: pieces of every size, and what is given back in the end."""

import io
import os
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pwb_async.core.site.findings import Finding, OpenFile, Unavailable
from pwb_async.listing import archive
from pwb_async.listing.archive import Archive, open_archive
from pwb_async.storage.disk import Disk

MOST = 16
"""Archives that may be sent at the same time."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "d/empty").mkdir(parents=True)
    for name, content in {"a.bin": bytes(100), "b.txt": b"", "c.txt": b"c" * 70_000, "d/x.txt": b""}.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def find(root: Path) -> Finding:
    return open_archive(Disk(str(root)).open_root(), b"", lambda path: False)


def open_one(root: Path) -> tuple[Archive, int]:
    found = find(root)
    assert isinstance(found, OpenFile)
    assert isinstance(found.file, Archive)
    return found.file, found.size


def read(file: Archive, size: int) -> bytes:
    """All of an archive, in pieces of this size but for the last one."""
    content, buffer = b"", bytearray(size)
    while count := file.read_into(buffer, len(content)):
        content += buffer[:count]
        if count < size:
            assert file.read_into(buffer, len(content)) == 0, "less than was asked for means the end"
    return content


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("size", [*range(1, 200), 65536, 1 << 20])
def test_pieces_of_any_size_are_the_whole(root: Path, size: int) -> None:
    """Also where a piece ends between the head of a directory or an empty file and what follows."""
    if size > 1:
        (root / "c.txt").write_bytes(b"c")
    file, length = open_one(root)
    content = read(file, size)
    file.close()
    assert len(content) == length
    members = zipfile.ZipFile(io.BytesIO(content))
    assert members.testzip() is None
    assert members.namelist() == [
        "files/", "files/a.bin", "files/b.txt", "files/c.txt", "files/d/", "files/d/x.txt", "files/d/empty/",
    ]  # fmt: skip


class Pause:
    """A read from the disk that waits until `go` is set, and `begun` until it waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self._pread = os.pread
        monkeypatch.setattr(os, "pread", self._slow)

    def _slow(self, fd: int, length: int, offset: int) -> bytes:
        self.begun.set()
        assert self.go.wait(10)
        return self._pread(fd, length, offset)


@pytest.fixture
def pause(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pause]:
    pause = Pause(monkeypatch)
    yield pause
    pause.go.set()


def test_an_archive_that_is_closed_while_a_thread_reads_gives_everything_back_e6(root: Path, pause: Pause) -> None:
    before = descriptors()
    for _ in range(MOST + 1):
        pause.begun.clear()
        pause.go.clear()
        file, size = open_one(root)
        with ThreadPoolExecutor(1) as thread:
            count = thread.submit(file.read_into, bytearray(size), 0)
            assert pause.begun.wait(10)
            file.close()  # as when --disk-timeout is over; it does not wait
            file.close()
            assert not count.done()
            pause.go.set()
            assert count.result(10) == size
        with pytest.raises(OSError, match="closed"):
            file.read_into(bytearray(1), size)
    del file
    assert descriptors() == before


def test_only_so_many_are_sent_at_the_same_time_whatever_directory_they_are_of(root: Path) -> None:
    files = [open_one(root / "d" if number % 2 else root)[0] for number in range(MOST)]
    assert isinstance(find(root), Unavailable)
    for file in files:
        file.close()
    file, _ = open_one(root)
    file.close()


def test_long_work_is_paced(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each loop over the entries makes pauses, both before the first byte and while the archive is made."""
    for number in range(500):
        (root / f"d/{number}").touch()
    steps = 0

    class Counted:
        def step(self) -> None:
            nonlocal steps
            steps += 1

    monkeypatch.setattr(archive, "Pace", Counted)
    file, size = open_one(root)
    assert steps > 3 * 500
    steps = 0
    read(file, size)
    assert steps > 2 * 500
    file.close()
