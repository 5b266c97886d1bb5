"""The slices of objects in memory and on disk: what is kept, for how long, and what happens to the files of others."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pwb_async.storage.object_store.slices import SliceDirectory, Slices


def name(number: int) -> str:
    return f"{number:032x}-0"


def test_memory_is_bounded() -> None:
    slices = Slices(memory=10_000)
    for number in range(20):
        slices.put(name(number), bytes(1000))
    assert [number for number in range(20) if slices.get(name(number)) is not None] == list(range(12, 20))
    slices.put(name(19), bytes(500))
    assert slices.in_memory(name(19)) == bytes(500)
    slices.put(name(30), bytes(50_000))
    assert slices.get(name(30)) == bytes(50_000), "what was just fetched is there, whatever its size"


def test_what_is_read_again_is_on_disk(tmp_path: Path) -> None:
    slices = Slices(SliceDirectory(str(tmp_path), 1 << 20), memory=3000)
    slices.put(name(1), b"one")
    assert list(tmp_path.rglob("*-*")) == [], "the event loop writes nothing"
    assert slices.in_memory(name(1)) == slices.get(name(1)) == b"one"
    assert [path.name for path in tmp_path.rglob("*-*")] == [name(1)]
    again = Slices(SliceDirectory(str(tmp_path), 1 << 20))
    assert again.in_memory(name(1)) is None
    assert again.get(name(1)) == again.in_memory(name(1)) == b"one"
    assert again.get(name(2)) is None


def test_the_directory_is_bounded_and_drops_the_oldest(tmp_path: Path) -> None:
    directory = SliceDirectory(str(tmp_path), 100_000)
    (tmp_path / "of-the-user").write_bytes(bytes(200_000))
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab/of-the-user").write_bytes(bytes(200_000))
    for number in range(100):
        directory.write(name(number), bytes(5000))
        os.utime(tmp_path / "00" / name(number), (number, number)) if (
            tmp_path / "00" / name(number)
        ).exists() else None
    kept = [number for number in range(100) if directory.read(name(number)) is not None]
    assert kept == list(range(kept[0], 100))
    assert len(kept) * 5000 <= 100_000
    assert (tmp_path / "of-the-user").exists()
    assert (tmp_path / "ab/of-the-user").exists()


def test_what_is_used_is_known(tmp_path: Path) -> None:
    directory = SliceDirectory(str(tmp_path), 100_000)
    slices = Slices(directory, memory=20_000)
    assert (slices.memory_used, slices.disk_used) == (0, 0)
    for number in range(30):
        slices.put(name(number), bytes(5000))
        slices.get(name(number))
    assert 15_000 < slices.memory_used <= 20_000
    assert slices.disk_used == sum(path.stat().st_size for path in tmp_path.rglob("*-*")) > 50_000
    assert Slices().disk_used == 0


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"", lambda data: bytes(len(data))])
def test_what_a_disk_has_lost_is_fetched_again_e13(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    directory = SliceDirectory(str(tmp_path), 100_000)
    directory.write(name(1), b"content")
    (path,) = tmp_path.rglob("*-*")
    assert directory.read(name(1)) == b"content"
    path.write_bytes(damage(path.read_bytes()))
    assert directory.read(name(1)) is None
    assert not path.exists()
    directory.write(name(1), b"content")
    path.rename(path.with_name(name(2)))
    assert directory.read(name(2)) is None


def test_several_processes_share_a_directory(tmp_path: Path) -> None:
    directories = [SliceDirectory(str(tmp_path), 1 << 20) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        for number in range(50):
            content = bytes([number]) * 10_000
            list(threads.map(lambda directory, n=number, c=content: directory.write(name(n), c), directories))
            assert {directory.read(name(number)) for directory in directories} == {content}
    assert [path for path in tmp_path.rglob("*-*") if "." in path.name] == []


def test_a_disk_that_fails_is_only_slower(tmp_path: Path) -> None:
    directory = SliceDirectory(str(tmp_path / "kept"), 1000)
    (tmp_path / "kept").rmdir()
    (tmp_path / "kept").write_bytes(b"a file in its place")
    slices = Slices(directory)
    slices.put(name(1), b"one")
    assert slices.get(name(1)) == b"one"
    assert slices.get(name(2)) is None


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        SliceDirectory(str(tmp_path / "file"), 1000)
    with pytest.raises(OSError, match="proc"):
        SliceDirectory("/proc/none", 1000)
