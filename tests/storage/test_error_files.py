"""Error pages and addresses without .html on a real disk: what is found in the same call, and when it has changed."""

import errno
import os
from pathlib import Path

import pytest

from pwb_async.core.site.findings import FORBIDDEN, NOT_FOUND, Finding, Moved, OpenFile, StorageError, Unavailable
from pwb_async.core.site.lookup import NO_REQUEST, Candidate, EntryKind, Lookup
from pwb_async.storage.disk import Disk
from pwb_async.storage.open_beneath import Opener, openat_walk

FILES = {
    "404.html": b"root 404",
    "403.html": b"root 403",
    "50x.html": b"root 50x",
    "sub/404.html": b"sub 404",
    "sub/503.html": b"sub 503",
    "sub/empty/x": b"x",
    "about.html": b"about",
    "broken": b"b",
    "large/404.html": bytes(200_000),
    "odd/404.html/x": b"x",
}


def a_day_later() -> int:
    return 2 * 10**18


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def failing(code: int, *paths: bytes) -> Opener:
    """An opener that fails for these paths."""

    def open_path(root: int, path: bytes, flags: int) -> int:
        if path in paths:
            raise OSError(code, os.strerror(code))
        return openat_walk(root, path, flags)

    return open_path


def lookup_of(path: str, directory: str = "", status: int = 200) -> Lookup:
    segments = tuple(directory.encode().split(b"/")) if directory else ()
    candidate = Candidate(path.encode(), EntryKind.FILE, status)
    return Lookup(NO_REQUEST, path.encode(), (candidate,), error_directory=segments)


def found(finding: Finding) -> tuple[int, bytes | None]:
    assert isinstance(finding, OpenFile), finding
    return finding.status, finding.content


@pytest.mark.parametrize(
    ("path", "directory", "content"),
    [
        ("x", "", b"root 404"),
        ("sub/x", "sub", b"sub 404"),
        ("sub/empty/x/y", "sub/empty/x", b"sub 404"),
        ("no/such/x", "no/such", b"root 404"),
        ("odd/x", "odd", b"root 404"),
    ],
)
def test_the_nearest_page_is_found(root: Path, path: str, directory: str, content: bytes) -> None:
    assert found(Disk(root.as_posix()).find(lookup_of(path, directory))) == (404, content)


def test_nothing_is_looked_for_where_nothing_fails(root: Path) -> None:
    assert found(Disk(root.as_posix()).find(lookup_of("about.html"))) == (200, b"about")
    without = Lookup(NO_REQUEST, b"x", (Candidate(b"x"),))
    assert Disk(root.as_posix()).find(without) is NOT_FOUND
    assert found(Disk(root.as_posix()).find(Lookup(NO_REQUEST, b".env", (), error_directory=()))) == (404, b"root 404")


def test_no_page_at_all(tmp_path: Path) -> None:
    assert Disk(tmp_path.as_posix()).find(lookup_of("sub/x", "sub")) is NOT_FOUND
    disk = Disk(tmp_path.as_posix(), opener=failing(errno.EACCES, b"x"))
    assert disk.find(lookup_of("x")) is FORBIDDEN


def test_a_forbidden_file(root: Path) -> None:
    disk = Disk(root.as_posix(), opener=failing(errno.EACCES, b"broken", b"sub/404.html"))
    assert found(disk.find(lookup_of("broken"))) == (403, b"root 403")
    assert found(disk.find(lookup_of("sub/x", "sub"))) == (404, b"root 404"), "a page that cannot be read is none"


@pytest.mark.parametrize(
    ("code", "kind", "status", "content"),
    [(errno.EMFILE, Unavailable, 503, b"sub 503"), (errno.EIO, StorageError, 500, b"root 50x")],
)
def test_a_failure(root: Path, code: int, kind: type[Unavailable | StorageError], status: int, content: bytes) -> None:
    disk = Disk(root.as_posix(), opener=failing(code, b"broken"))
    finding = disk.find(lookup_of("broken", "sub"))
    assert isinstance(finding, kind)
    assert finding.detail == errno.errorcode[code]
    assert finding.page is not None
    assert (finding.page.status, finding.page.content, finding.page.shared) == (status, content, True)


def test_a_large_page_is_open(root: Path) -> None:
    finding = Disk(root.as_posix()).find(lookup_of("large/x", "large"))
    assert isinstance(finding, OpenFile)
    assert (finding.status, finding.size, finding.content) == (404, 200_000, None)
    assert finding.file is not None
    finding.file.close()


def test_a_file_with_another_address_is_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "pread", None)
    assert Disk(root.as_posix()).find(lookup_of("about.html", status=301)) == Moved(b"about.html")


@pytest.fixture
def known(root: Path) -> tuple[Disk, list[tuple[Lookup, OpenFile]]]:
    disk = Disk(root.as_posix(), clock=a_day_later)
    lookups = [lookup_of("x"), lookup_of("sub/x", "sub"), Lookup(NO_REQUEST, b".env", (), error_directory=())]
    files = [finding for lookup in lookups if isinstance(finding := disk.find(lookup), OpenFile)]
    return disk, list(zip(lookups, files, strict=True))


def test_revalidation_of_pages(root: Path, known: tuple[Disk, list[tuple[Lookup, OpenFile]]]) -> None:
    disk, pages = known
    assert disk.revalidate(pages) == [True, True, True]
    (root / "x").write_bytes(b"a file now")
    assert disk.revalidate(pages) == [False, True, True]
    (root / "404.html").write_bytes(b"another 404")
    assert disk.revalidate(pages) == [False, True, False]
    (root / "sub/404.html").unlink()
    assert disk.revalidate(pages) == [False, False, False]


def test_revalidation_of_a_file_that_is_its_own_error_page(root: Path) -> None:
    """The same file with another status is another response."""
    disk = Disk(root.as_posix(), clock=a_day_later)
    by_rule, by_name = lookup_of("404.html", status=404), lookup_of("404.html")
    finding = disk.find(by_rule)
    assert isinstance(finding, OpenFile)
    assert disk.revalidate([(by_rule, finding), (by_name, finding)]) == [True, False]
    os.link(root / "404.html", root / "x")
    page = disk.find(lookup_of("y"))
    assert isinstance(page, OpenFile)
    assert disk.revalidate([(lookup_of("x"), page)]) == [False]
