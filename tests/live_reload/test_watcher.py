"""The thread that watches directories: what it reports of saves, builds and directories that are replaced."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Event

import pytest

from pwb_async.live_reload.changes import ADDED, Change
from pwb_async.live_reload.watcher import Watcher

TIMEOUT = 20.0


class Reports:
    """What a watcher reports."""

    def __init__(self) -> None:
        self.ready = Event()
        self.batches: Queue[set[Change]] = Queue()

    def next(self) -> set[Change]:
        return self.batches.get(timeout=TIMEOUT)

    def next_names(self) -> set[str]:
        return {os.path.basename(path) for _, path in self.next()}


@contextmanager
def watching(
    *directories: Path, accepts: Callable[[int, str], bool] = lambda kind, path: True, replaced: bool = False
) -> Iterator[Reports]:
    """What is reported of these directories inside the block."""
    reports = Reports()
    watcher = Watcher([*map(str, directories)], accepts, reports.ready.set, reports.batches.put, replaced=replaced)
    watcher.start()
    try:
        assert reports.ready.wait(TIMEOUT)
        yield reports
    finally:
        watcher.stop()
        watcher.join(TIMEOUT)
        assert not watcher.is_alive()


def save(path: Path) -> None:
    """Saves a file as editors do: another one takes its place."""
    temporary = path.with_name(path.name + ".x")
    temporary.write_bytes(os.urandom(8))
    temporary.replace(path)


def test_a_save_is_one_batch(tmp_path: Path) -> None:
    with watching(tmp_path) as reports:
        for name in ("a.html", "b.css"):
            save(tmp_path / name)
            assert reports.next_names() == {name, name + ".x"}


def test_a_directory_that_is_made_is_watched(tmp_path: Path) -> None:
    with watching(tmp_path) as reports:
        (tmp_path / "sub").mkdir()
        assert reports.next_names() == {"sub"}
        (tmp_path / "sub/a.html").write_bytes(b"x")
        assert "a.html" in reports.next_names()


def test_a_directory_that_is_made_anew_is_watched(tmp_path: Path) -> None:
    """As builds do with a folder of theirs."""
    sub = tmp_path / "sub"
    sub.mkdir()
    with watching(tmp_path) as reports:
        for _ in range(5):
            shutil.rmtree(sub)
            sub.mkdir()
            save(tmp_path / "built.html")
            while "built.html" not in reports.next_names():
                pass
            save(sub / "a.html")
            assert "a.html" in reports.next_names()


@pytest.mark.quiet
def test_a_build_of_2000_files_is_one_batch(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / str(number)).mkdir()
    with watching(tmp_path) as reports:
        for number in range(2000):
            (tmp_path / str(number % 20) / f"{number}.html").write_bytes(b"x" * 1000)
        assert len(reports.next_names()) == 2000
        save(tmp_path / "last.html")
        assert reports.next_names() == {"last.html", "last.html.x"}


def test_what_is_replaced_is_reported(tmp_path: Path) -> None:
    """As after a reload of the options."""
    with watching(tmp_path, replaced=True) as reports:
        assert reports.next() == {(ADDED, str(tmp_path))}


def test_what_is_not_accepted_is_not_reported(tmp_path: Path) -> None:
    with watching(tmp_path, accepts=lambda kind, path: path.endswith(".html")) as reports:
        (tmp_path / "a.log").write_bytes(b"x")
        (tmp_path / "a.html").write_bytes(b"x")
        assert reports.next_names() == {"a.html"}


def test_a_directory_that_is_replaced_is_watched_again(tmp_path: Path) -> None:
    root = tmp_path / "dist"
    root.mkdir()
    with watching(root) as reports:
        reports.ready.clear()
        shutil.rmtree(root)
        root.mkdir()
        assert reports.ready.wait(TIMEOUT)
        assert (ADDED, str(root)) in reports.next()
        save(root / "a.html")
        assert reports.next_names() == {"a.html", "a.html.x"}


def test_a_link_to_another_release_is_followed(tmp_path: Path) -> None:
    for release in ("1", "2"):
        (tmp_path / release).mkdir()
    current, new = tmp_path / "current", tmp_path / "new"
    current.symlink_to("1")
    with watching(current) as reports:
        new.symlink_to("2")
        new.replace(current)
        assert reports.next_names() == {"current"}
        save(tmp_path / "2/a.html")
        assert reports.next_names() == {"a.html", "a.html.x"}


def test_a_directory_is_waited_for(tmp_path: Path) -> None:
    """As while a build has removed it; pages are not reloaded into nothing."""
    root = tmp_path / "dist"
    root.mkdir()
    with watching(root) as reports:
        reports.ready.clear()
        root.rmdir()
        assert not reports.ready.wait(1), "it is not there"
        assert reports.batches.empty()
        root.mkdir()
        assert reports.ready.wait(TIMEOUT)
        assert reports.next() == {(ADDED, str(root))}


@pytest.mark.parametrize("error", [OSError, RuntimeError])
def test_without_notifications_files_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: type[Exception]
) -> None:
    """As at the limit on inotify watches."""
    import watchfiles

    watch = watchfiles.watch

    def limited(*paths: str, force_polling: bool | None, **options: object) -> object:
        if not force_polling:
            raise error("OS file watch limit reached")
        return watch(*paths, force_polling=True, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(watchfiles, "watch", limited)
    with caplog.at_level(logging.WARNING, "pwb"), watching(tmp_path) as reports:
        assert "OS file watch limit reached; files are looked at in turn instead" in caplog.text
        reports.next()
        save(tmp_path / "a.html")
        assert "a.html" in reports.next_names()
