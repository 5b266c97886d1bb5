"""The disk, with openat2 and with the walk. Ids are codes of docs/hazards.md."""

import errno
import os
import queue
import resource
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request
from pwb_async.core.site.findings import DIRECTORY, FORBIDDEN, NOT_FOUND, Finding, OpenFile, StorageError, Unavailable
from pwb_async.core.site.lookup import Candidate, EntryKind, Lookup, candidates_of
from pwb_async.storage import disk
from pwb_async.storage import open_beneath as beneath
from pwb_async.storage import open_file as descriptor
from pwb_async.storage.disk import Disk
from pwb_async.storage.examiner import SMALL
from pwb_async.storage.open_beneath import DIRECTORY_FLAGS, Opener, openat2, openat_walk
from pwb_async.storage.open_file import LargeFile
from tests.conformance.proc import process_with_command_line

PARSER = RequestParser(Limits())
CANARY = b"the canary"
NOBODY = 65534
INDEXES = (b"index.html", b"default.html")
Find = Callable[..., Finding]


def request() -> Request:
    result = PARSER.parse(b"GET / HTTP/1.1\r\nHost: pwb\r\n")
    assert isinstance(result, Request)
    return result


def make_lookup(path: bytes, folder: bool = False, indexes: tuple[bytes, ...] = INDEXES) -> Lookup:
    return Lookup(request(), path, candidates_of(path, folder, indexes))


def a_day_later() -> int:
    """A clock that is a day ahead, so that all files have settled."""
    return time.time_ns() + 86_400 * 10**9


def write(path: str | bytes, content: bytes = b"") -> None:
    with open(path, "wb") as file:
        file.write(content)


def as_open_file(finding: Finding) -> OpenFile:
    assert isinstance(finding, OpenFile)
    return finding


def without_time(finding: Finding) -> object:
    """A finding without the time at which it was made, for comparisons."""
    if isinstance(finding, OpenFile):
        return finding.path, finding.size, finding.mtime_ns, finding.content
    return finding


def openat2_works() -> bool:
    """Whether the system has openat2, not whether PWB finds it: a mistake there must not skip tests."""
    root = os.open("/", os.O_RDONLY)
    try:
        os.close(openat2(root, b".", DIRECTORY_FLAGS))
    except OSError:
        return False
    finally:
        os.close(root)
    return True


needs_openat2 = pytest.mark.skipif(not openat2_works(), reason="no openat2 here")
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="no strace here")


@pytest.fixture(autouse=True)
def _no_descriptor_leaks() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd"))
    yield
    end = time.monotonic() + 5
    while (now := len(os.listdir("/proc/self/fd"))) != before:  # a thread closes large files that were deleted
        assert time.monotonic() < end, f"{now} descriptors instead of {before}"


@pytest.fixture(params=[pytest.param(openat2, marks=needs_openat2), openat_walk])
def opener(request: pytest.FixtureRequest) -> Opener:
    way: Opener = request.param
    return way


@contextmanager
def directories() -> Iterator[str]:
    """A directory that all users may enter, with an empty `root` in it, and beside that files that must not be served."""
    with tempfile.TemporaryDirectory(prefix="pwb") as base:
        os.chmod(base, 0o755)
        for folder in ("root", "root-sibling"):
            os.mkdir(f"{base}/{folder}")
            os.chmod(f"{base}/{folder}", 0o755)
        for name in ("secret.txt", "index.html", "root-sibling/secret.txt", "root-sibling/index.html"):
            write(f"{base}/{name}", CANARY)
        yield base


@pytest.fixture
def base() -> Iterator[str]:
    with directories() as base:
        yield base


@pytest.fixture
def root(base: str) -> str:
    return f"{base}/root"


@pytest.fixture
def disk_of_root(root: str, opener: Opener) -> Disk:
    return Disk(root, opener=opener)


# ------------------------------------------------------------------ a tree that no test changes

FILES = {
    b"hello.txt": b"hello",
    b"empty": b"",
    b"sub/index.html": b"sub index",
    b"sub/deeper/page.html": b"page",
    b"second/default.html": b"second",
    b"folder-index/index.html/x": b"",
    b"folder-index/default.html": b"beside the folder",
    b"only-folder-index/index.html/x": b"",
    b"fifo-index/default.html": b"beside the fifo",
    b"lost-index/default.html": b"beside the dangling link",
    b"out-index-2/default.html": b"beside the way out",
    b"bare/other.html": b"",
    b"\xff\xfe": b"not UTF-8",
    b"a\r\nX: y.txt": b"line end",
    b"%2e%2e": b"not decoded again",
    b"..\\secret.txt": b"a backslash is a letter",
    b"...": b"three dots",
    b"n" * 255: b"long name",
}
LINKS = {
    b"link-file": b"hello.txt",
    b"link-folder": b"sub",
    b"link-folder-slash": b"sub/",
    b"link-file-slash": b"hello.txt/",
    b"chain-1": b"chain-2",
    b"chain-2": b"sub/chain-3",
    b"sub/chain-3": b"../hello.txt",
    b"sub/deeper/far": b"../../link-folder/deeper/../index.html",
    b"dots": b"./sub/.//deeper/./page.html",
    b"itself": b".",
    b"sub/to-root": b"..",
    b"link-index/index.html": b"../hello.txt",
    b"lost-index/index.html": b"nowhere",
    b"lost": b"nowhere",
    b"loop-a": b"loop-b",
    b"loop-b": b"loop-a",
    b"loop": b"loop",
    b"out-file": b"../secret.txt",
    b"out-folder": b"..",
    b"out-sibling": b"../root-sibling",
    b"out-chain": b"sub/out-deep",
    b"sub/out-deep": b"../../secret.txt",
    b"out-and-in": b"../root/hello.txt",
    b"out-absolute": b"%(base)s/secret.txt",
    b"in-absolute": b"%(base)s/root/hello.txt",
    b"in-absolute-folder": b"%(base)s/root/sub",
    b"out-slash": b"/",
    b"out-slashes": b"//",
    b"out-magic": b"/proc/self/root",
    b"out-zero": b"/dev/zero",
    b"out-index/index.html": b"../../secret.txt",
    b"out-index-2/index.html": b"../../secret.txt",
}

FOUND = [
    ("plain", b"hello.txt", b"hello"),
    ("plain-empty", b"empty", b""),
    ("plain-deep", b"sub/deeper/page.html", b"page"),
    ("C2-file", b"link-file", b"hello"),
    ("C2-folder", b"link-folder/index.html", b"sub index"),
    ("C2-folder-slash", b"link-folder-slash/deeper/page.html", b"page"),
    ("C2-chain", b"chain-1", b"hello"),
    ("C2-dotdot-inside", b"sub/deeper/far", b"sub index"),
    ("C2-dots", b"dots", b"page"),
    ("C2-link-to-root", b"itself/itself/hello.txt", b"hello"),
    ("C2-dotdot-to-root", b"sub/to-root/link-folder/to-root/hello.txt", b"hello"),
    ("C2-40-links", b"40", b"hello"),
    ("C6-255-bytes", b"n" * 255, b"long name"),
    ("C11-not-utf-8", b"\xff\xfe", b"not UTF-8"),
    ("C10-line-end", b"a\r\nX: y.txt", b"line end"),
    ("C1-percent", b"%2e%2e", b"not decoded again"),
    ("C1-backslash", b"..\\secret.txt", b"a backslash is a letter"),
    ("C1-three-dots", b"...", b"three dots"),
]
INDEXES_FOUND = [
    ("plain", b"sub", b"index.html", b"sub index"),
    ("second", b"second", b"default.html", b"second"),
    ("link", b"link-folder", b"index.html", b"sub index"),
    ("link-index", b"link-index", b"index.html", b"hello"),
    ("C5-folder-is-no-index", b"folder-index", b"default.html", b"beside the folder"),
    ("C5-fifo-is-no-index", b"fifo-index", b"default.html", b"beside the fifo"),
    ("C2-lost-index", b"lost-index", b"default.html", b"beside the dangling link"),
    ("C2-out-index", b"out-index-2", b"default.html", b"beside the way out"),
]
DIRECTORIES = [b"", b"sub", b"sub/deeper", b"bare", b"link-folder", b"link-folder-slash", b"itself", b"sub/to-root"]
NO_INDEX = [b"", b"bare", b"sub/deeper", b"only-folder-index", b"out-index", b"itself"]
NOT_SERVED = [
    *(b"nothing", b"sub/nothing", b"nothing/hello.txt", b"lost", b"loop", b"loop-a", b"loop/x", b"41"),  # C6
    *(b"n" * 256, b"sub/" + b"n" * 300, b"a/" * 2047 + b"a", b"a/" * 2047 + b"ab", b"n" * 8000),
    *(b"hello.txt/x", b"link-file/x", b"link-file-slash", b"hello.txt/index.html"),  # C8
    *(b"fifo", b"socket", b"out-zero", b"fifo/x", b"socket/x"),  # C5
    *(b"out-file", b"out-folder", b"out-folder/secret.txt", b"out-sibling/secret.txt", b"out-chain", b"out-and-in"),
    *(b"out-absolute", b"in-absolute", b"in-absolute-folder/index.html", b"out-slash", b"out-slash/etc/passwd"),  # C2
    *(b"out-slashes/etc/passwd", b"out-magic", b"out-magic/etc/passwd", b"itself/out-file", b"out-index/index.html"),
    *(b"..", b"../secret.txt", b"../root/hello.txt", b"../root-sibling/secret.txt", b"sub/../../secret.txt"),  # C1
    *(b"sub/to-root/../secret.txt", b"/etc/passwd", b"//etc/passwd", b"/", b"/..", b"./..", b"....//secret.txt"),
    *(b"..;/secret.txt", b"../", b"..%2fsecret.txt", b"..%5csecret.txt", b"\xc0\xae\xc0\xae/secret.txt", b".. "),
    *(b"../" * 40 + b"etc/passwd", b"itself/" * 39 + b"../secret.txt", b"%252e%252e/secret.txt", b"../secret.txt."),
    *(b"hello.txt\0", b"hello.txt\0.html", b"\0", b"\0/../secret.txt", b"../secret.txt\0"),
    *(b"hello.txt ", b"hello.txt."),
    *(b"hello.txt/", b"hello.txt//", b"hello.txt/.", b"hello.txt/..", b"hello.txt/../hello.txt", b"fifo/"),
]


@pytest.fixture(scope="module")
def tree() -> Iterator[bytes]:
    with directories() as base:
        root = os.fsencode(base) + b"/root/"
        for name, content in FILES.items():
            os.makedirs(os.path.dirname(root + name), exist_ok=True)
            write(root + name, content)
        for name, target in LINKS.items():
            os.makedirs(os.path.dirname(root + name), exist_ok=True)
            os.symlink(target.replace(b"%(base)s", os.fsencode(base)), root + name)
        for count in range(1, 42):
            os.symlink(b"%d" % (count - 1) if count > 1 else b"hello.txt", root + b"%d" % count)
        os.mkfifo(root + b"fifo")
        os.mkfifo(root + b"fifo-index/index.html")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(root + b"socket")
        yield root


@pytest.fixture
def find(tree: bytes, opener: Opener) -> Find:
    storage = Disk(tree, opener=opener)
    return lambda *args, **kwargs: storage.find(make_lookup(*args, **kwargs))


@pytest.mark.parametrize(("path", "content"), [pytest.param(*row, id=name) for name, *row in FOUND])
def test_a_file_is_found_with_its_content(find: Find, path: bytes, content: bytes) -> None:
    found = as_open_file(find(path))
    assert (found.path, found.size, found.content, found.file) == (path, len(content), content, None)


@pytest.mark.parametrize(("path", "name", "content"), [pytest.param(*row, id=name) for name, *row in INDEXES_FOUND])
def test_the_index_of_a_directory_is_found(find: Find, path: bytes, name: bytes, content: bytes) -> None:
    found = as_open_file(find(path, folder=True))
    assert (found.path, found.content) == (b"/".join(filter(None, (path, name))), content)
    assert find(path) == DIRECTORY


@pytest.mark.parametrize("path", DIRECTORIES)
def test_a_directory_without_a_slash(find: Find, path: bytes) -> None:
    assert find(path) == DIRECTORY


@pytest.mark.parametrize("path", NO_INDEX)
def test_a_directory_without_an_index(find: Find, path: bytes) -> None:
    assert find(path, folder=True) == DIRECTORY
    assert find(path, folder=True, indexes=()) == DIRECTORY


@pytest.mark.parametrize("path", NOT_SERVED, ids=lambda path: ascii(path)[2:30])
def test_what_must_not_be_served_is_not_found(find: Find, path: bytes) -> None:
    for folder in (False, True):
        assert find(path, folder) is NOT_FOUND


@pytest.mark.parametrize("path", [b"hello.txt", b"link-file", b"empty", b"fifo", b"socket"])
def test_c8_a_file_with_a_slash_is_not_found(find: Find, path: bytes) -> None:
    assert find(path, folder=True) is NOT_FOUND
    assert find(path, folder=True, indexes=()) is NOT_FOUND


def test_the_index_of_the_root(disk_of_root: Disk, root: str) -> None:
    assert disk_of_root.find(make_lookup(b"", folder=True)) == DIRECTORY
    write(f"{root}/index.html", b"front")
    found = as_open_file(disk_of_root.find(make_lookup(b"", folder=True)))
    assert (found.path, found.content) == (b"index.html", b"front")


@pytest.mark.parametrize(
    ("candidates", "found"),
    [
        ((Candidate(b"nothing"), Candidate(b"hello.txt")), (b"hello.txt", 200)),
        ((Candidate(b"hello.txt"), Candidate(b"empty")), (b"hello.txt", 200)),
        ((Candidate(b"sub"), Candidate(b"hello.txt")), DIRECTORY),
        ((Candidate(b"sub", EntryKind.FILE), Candidate(b"hello.txt")), (b"hello.txt", 200)),
        ((Candidate(b"hello.txt", EntryKind.DIRECTORY), Candidate(b"empty")), (b"empty", 200)),
        ((Candidate(b"nothing"), Candidate(b"sub", EntryKind.DIRECTORY)), DIRECTORY),
        ((Candidate(b"nothing"), Candidate(b"hello.txt", EntryKind.FILE, 404)), (b"hello.txt", 404)),
        ((Candidate(b"nothing"), Candidate(b"sub", EntryKind.FILE, 404)), NOT_FOUND),
        ((Candidate(b"out-file"), Candidate(b"\0"), Candidate(b"empty")), (b"empty", 200)),
        ((), NOT_FOUND),
    ],
)
def test_the_first_candidate_that_exists_is_found(
    tree: bytes, opener: Opener, candidates: tuple[Candidate, ...], found: object
) -> None:
    finding = Disk(tree, opener=opener).find(Lookup(request(), b"", candidates))
    assert ((finding.path, finding.status) if isinstance(finding, OpenFile) else finding) == found


def test_a_file_is_not_the_same_once_an_earlier_candidate_exists(root: str, opener: Opener) -> None:
    """That holds even if the file itself has not changed."""
    write(f"{root}/hello.txt", b"hello")
    storage = Disk(root, opener=opener, clock=a_day_later)
    lookup = Lookup(request(), b"new", (Candidate(b"new"), Candidate(b"hello.txt", EntryKind.FILE, 404)))
    found = as_open_file(storage.find(lookup))
    assert storage.revalidate([(lookup, found)]) == [True]
    write(f"{root}/new", b"new")
    assert storage.revalidate([(lookup, found)]) == [False]


SEGMENTS = [b"..", b".", b"", b"f", b"d", b"g", b"k", b"l", b"m", b"nothing"]
WAYS = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=6).map(b"/".join)


@needs_openat2
@settings(max_examples=400, deadline=None)
@given(st.lists(WAYS.filter(len), min_size=6, max_size=6), WAYS, st.booleans())
def test_openat2_and_the_walk_find_the_same_whatever_the_links(targets: list[bytes], path: bytes, folder: bool) -> None:
    with directories() as base:
        root = os.fsencode(base) + b"/root/"
        os.mkdir(root + b"d")
        write(root + b"f", b"outer")
        write(root + b"d/g", b"inner")
        for name, target in zip((b"k", b"l", b"m", b"d/k", b"d/l", b"d/m"), targets, strict=True):
            os.symlink(target, root + name)
        one, other = (
            without_time(Disk(root, opener=way).find(make_lookup(path, folder, indexes=(b"g", b"k"))))
            for way in (openat2, openat_walk)
        )
    assert one == other
    assert CANARY not in repr(one).encode()


# ---------------------------------------------------------------------------------------------- unusual files and roots


@pytest.mark.parametrize("small", [0, 100, 64 * 1024])
def test_a_file_up_to_the_small_size_is_read_at_once(root: str, opener: Opener, small: int) -> None:
    storage = Disk(root, opener=opener, small=small)
    for size in {max(small - 1, 0), small, small + 1}:
        content = os.urandom(size)
        write(f"{root}/f", content)
        found = as_open_file(storage.find(make_lookup(b"f")))
        assert found.size == size
        if size <= small:
            assert found.file is None
            assert found.content == content
        else:
            assert found.content is None
            assert found.file is not None
            assert os.pread(found.file.fileno(), size + 1, 0) == content
            assert not os.get_inheritable(found.file.fileno())
            found.file.close()


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("dropped", [False, True])
def test_a_deleted_large_file_is_closed_by_a_thread(
    root: str, monkeypatch: pytest.MonkeyPatch, deleted: bool, dropped: bool
) -> None:
    """Closing it blocks while the disk frees it (0.36 s for 2 GiB), which must not happen in a loop."""
    closed: queue.Queue[int] = queue.Queue()
    monkeypatch.setattr(descriptor, "close", lambda fd: (os.close(fd), closed.put(threading.get_ident())))
    write(f"{root}/f", b"xy")
    found: OpenFile | None = as_open_file(Disk(root, small=1).find(make_lookup(b"f")))
    assert found is not None
    assert found.file is not None
    assert closed.empty(), "the finding holds it"
    fd = found.file.fileno()
    if deleted:
        os.unlink(f"{root}/f")
    if not dropped:
        found.file.close()
    found = None
    assert (closed.get(timeout=10) != threading.get_ident()) == deleted
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    assert closed.empty()


def test_a_deleted_large_file_is_closed_even_if_no_thread_can_be_started(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(descriptor, "start_new_thread", no_thread)
    write(f"{root}/f", b"xy")
    found = as_open_file(Disk(root, small=1).find(make_lookup(b"f")))
    assert found.file is not None
    os.unlink(f"{root}/f")
    fd = found.file.fileno()
    found.file.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_a_descriptor_is_closed_once(root: str) -> None:
    write(f"{root}/f", b"xy")
    found = as_open_file(Disk(root, small=1).find(make_lookup(b"f")))
    assert isinstance(found.file, LargeFile)
    fd = found.file.fileno()
    found.file.close()
    assert os.dup2(0, fd) == fd  # another file has its number now
    found.file.close()
    with pytest.raises(ValueError, match="closed"):
        found.file.fileno()
    del found
    os.close(fd)
    for _ in range(50):
        Disk(root, small=1).find(make_lookup(b"f"))  # dropped: A12, and the leak fixture counts


def test_c12_a_sparse_file_of_5_gib(disk_of_root: Disk, root: str) -> None:
    size = 5 << 30
    write(f"{root}/sparse")
    os.truncate(f"{root}/sparse", size)
    found = as_open_file(disk_of_root.find(make_lookup(b"sparse")))
    assert found.file is not None
    assert (found.size, found.content) == (size, None)
    assert os.pread(found.file.fileno(), 6, (1 << 32) - 1) == bytes(6)


@pytest.mark.parametrize("when", [-315619200, 0, 1, 4070908800, 15 << 30], ids=["1960", "1970", "1 s", "2099", "2480"])
def test_d12_unusual_times(disk_of_root: Disk, root: str, when: int) -> None:
    write(f"{root}/f")
    os.utime(f"{root}/f", ns=(0, when * 10**9 + 1))
    kept = os.stat(f"{root}/f")
    found = as_open_file(disk_of_root.find(make_lookup(b"f")))
    assert found.mtime_ns == min(kept.st_mtime_ns, kept.st_ctime_ns), "what was set ahead of the clock says nothing"
    assert found.seen_ns > 1_700_000_000 * 10**9


def test_c6_the_longest_path_and_a_longer_one(disk_of_root: Disk, root: str) -> None:
    folder = os.open(root, os.O_PATH)
    for _ in range(20):
        os.mkdir(b"d" * 200, dir_fd=folder)
        folder, parent = os.open(b"d" * 200, os.O_PATH, dir_fd=folder), folder
        os.close(parent)
    for size in (75, 76):
        os.close(os.open(b"f" * size, os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)
    path = (b"d" * 200 + b"/") * 20
    assert len(path + b"f" * 75) == 4095
    assert isinstance(disk_of_root.find(make_lookup(path + b"f" * 75)), OpenFile)
    assert disk_of_root.find(make_lookup(path + b"f" * 76)) is NOT_FOUND


def test_a_deep_directory(disk_of_root: Disk, root: str) -> None:
    path = b"/".join([b"d"] * 300)
    os.makedirs(os.fsencode(root) + b"/" + path)
    write(os.fsencode(root) + b"/" + path + b"/f", b"deep")
    os.symlink(b"../" * 300 + path + b"/f", os.fsencode(root) + b"/" + path + b"/back")
    os.symlink(b"../" * 301 + b"secret.txt", os.fsencode(root) + b"/" + path + b"/out")
    assert as_open_file(disk_of_root.find(make_lookup(path + b"/back"))).content == b"deep"
    assert disk_of_root.find(make_lookup(path + b"/out")) is NOT_FOUND
    assert disk_of_root.find(make_lookup(path)) == DIRECTORY


def test_c5_a_device_does_not_block(opener: Opener) -> None:
    storage = Disk("/dev", opener=opener)
    blocks = [entry.name for entry in os.scandir("/dev") if stat.S_ISBLK(entry.stat(follow_symlinks=False).st_mode)]
    for name in ("zero", "null", "full", "random", "tty"):
        assert storage.find(make_lookup(name.encode())) is NOT_FOUND
        assert storage.find(make_lookup(name.encode(), folder=True)) is NOT_FOUND
    for name in blocks[:3]:
        assert storage.find(make_lookup(name.encode())) in (
            NOT_FOUND,
            FORBIDDEN,
        )  # in containers root may not read all of them


def test_c5_fifos_do_not_block(tree: bytes, opener: Opener) -> None:
    storage = Disk(tree, opener=opener)
    findings: list[Finding] = []
    threads = [
        threading.Thread(target=lambda: findings.append(storage.find(make_lookup(b"fifo"))), daemon=True)
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert findings == [NOT_FOUND] * 50


def test_c2_magic_links_are_not_followed(base: str, opener: Opener) -> None:
    storage = Disk("/proc", opener=opener)
    with open(f"{base}/secret.txt", "rb") as secret:
        for path in ("root", "root/etc/passwd", "cwd", "cwd/pyproject.toml", "exe", f"fd/{secret.fileno()}"):
            assert storage.find(make_lookup(b"self/" + path.encode())) is NOT_FOUND
            assert storage.find(make_lookup(b"thread-self/" + path.encode())) is NOT_FOUND
            assert storage.find(make_lookup(b"self/" + path.encode(), folder=True)) is NOT_FOUND
    assert isinstance(storage.find(make_lookup(b"self/status")), OpenFile)  # the link "self" is an ordinary one


def test_the_root_stays_the_same_after_chdir(base: str, opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    write(f"{base}/root/f", b"here")
    os.mkdir(f"{base}/root/sub")
    os.symlink("root/sub", f"{base}/link")
    monkeypatch.chdir(base)
    disks = [Disk(name, opener=opener) for name in ("root", b"root/", "./root", "link/..")]
    monkeypatch.chdir("/")
    for storage in disks:
        assert as_open_file(storage.find(make_lookup(b"f"))).content == b"here"


def test_a_root_that_cannot_be_served(base: str) -> None:
    os.mkdir(f"{base}/locked", 0o000)
    for name, error in (
        ("nothing", FileNotFoundError),
        ("secret.txt", NotADirectoryError),
        ("locked", PermissionError),
    ):
        with nobody(), pytest.raises(error) as caught:
            Disk(f"{base}/{name}")
        assert caught.value.filename == f"{base}/{name}"


def test_the_root_may_be_the_slash(opener: Opener) -> None:
    storage = Disk("/", opener=opener)
    assert storage.find(make_lookup(b"proc/self")) == DIRECTORY
    assert storage.find(make_lookup(b"../proc/self")) is NOT_FOUND


# --------------------------------------------------------------------------------- C6: files that this process may not read


@contextmanager
def nobody() -> Iterator[None]:
    """Runs as another user for a while, since root may read everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_c6_a_file_without_the_right_to_read_it_is_forbidden(disk_of_root: Disk, base: str, root: str) -> None:
    for folder, mode in (("locked", 0o000), ("enter-only", 0o111), ("no-index", 0o755), ("bad-index", 0o755)):
        os.mkdir(f"{root}/{folder}")
        write(f"{root}/{folder}/f", b"content")
        if folder != "bad-index":
            write(f"{root}/{folder}/index.html", b"index")
        else:
            os.mkdir(f"{root}/{folder}/index.html", 0o000)
            write(f"{root}/{folder}/default.html", b"default")
        if folder == "no-index":
            os.chmod(f"{root}/{folder}/index.html", 0o000)
        os.chmod(f"{root}/{folder}", mode)
    write(f"{root}/closed.txt", b"closed")
    os.chmod(f"{root}/closed.txt", 0o000)
    os.chmod(f"{base}/secret.txt", 0o000)
    os.symlink("closed.txt", f"{root}/link")
    os.symlink("../secret.txt", f"{root}/out")
    os.symlink("locked/nothing", f"{root}/lost")
    with nobody():
        assert disk_of_root.find(make_lookup(b"closed.txt")) is FORBIDDEN
        assert disk_of_root.find(make_lookup(b"closed.txt", folder=True)) is NOT_FOUND
        assert disk_of_root.find(make_lookup(b"link")) is FORBIDDEN
        assert disk_of_root.find(make_lookup(b"out")) is NOT_FOUND  # it must not reveal what is outside (C2)
        assert disk_of_root.find(make_lookup(b"lost")) is FORBIDDEN
        assert disk_of_root.find(make_lookup(b"locked/f")) is FORBIDDEN
        assert disk_of_root.find(make_lookup(b"locked/nothing")) is FORBIDDEN
        assert disk_of_root.find(make_lookup(b"locked")) == DIRECTORY
        assert disk_of_root.find(make_lookup(b"locked", folder=True)) is FORBIDDEN
        assert disk_of_root.find(make_lookup(b"enter-only")) == DIRECTORY
        assert as_open_file(disk_of_root.find(make_lookup(b"enter-only/f"))).content == b"content"
        assert as_open_file(disk_of_root.find(make_lookup(b"enter-only", folder=True))).content == b"index"
        assert disk_of_root.find(make_lookup(b"enter-only", folder=True, indexes=())) == DIRECTORY
        assert disk_of_root.find(make_lookup(b"no-index", folder=True)) is FORBIDDEN
        assert as_open_file(disk_of_root.find(make_lookup(b"bad-index", folder=True))).content == b"default"
    for folder in ("locked", "bad-index/index.html"):
        os.chmod(f"{root}/{folder}", 0o755)  # so that it can be removed


# -- files whose size is not their length


@pytest.mark.parametrize("length", [100, 10_000, SMALL - 1, SMALL, SMALL + 1, 3 * SMALL])
def test_c15_a_file_with_size_0_and_content(opener: Opener, length: int) -> None:
    """A read from /proc gives at most a page."""
    with process_with_command_line(length) as (folder, content):
        found = Disk(folder, opener=opener).find(make_lookup(b"cmdline"))
    if length <= SMALL:
        found = as_open_file(found)
        assert (found.content, found.size, found.file, found.generated) == (content, length, None, True)
        assert found.version == ()
    else:
        assert found == StorageError(f"its size is not its length, and it holds more than {SMALL} bytes")


@pytest.mark.parametrize("root", ["/proc/sys/kernel", "/sys/kernel"])
def test_c15_files_whose_size_is_not_their_length(opener: Opener, root: str) -> None:
    storage, some = Disk(root, opener=opener), 0
    for name in os.listdir(root):
        path = f"{root}/{name}"
        with suppress(OSError), open(path, "rb", buffering=0) as file:
            content, size = file.read(SMALL + 1), os.fstat(file.fileno()).st_size
            if len(content) in (0, size) or content != _read(path):
                continue  # it says what it holds, or holds another thing each time
            found = as_open_file(storage.find(make_lookup(name.encode())))
            assert (found.content, found.size, found.generated) == (content, len(content), True), path
            some += 1
    assert some


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read(SMALL + 1)


def test_c15_an_empty_file_costs_one_read(disk_of_root: Disk, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.pread, []

    def pread(fd: int, length: int, start: int) -> bytes:
        calls.append((length, start))
        return real(fd, length, start)

    write(f"{root}/f")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", pread)
        found = as_open_file(disk_of_root.find(make_lookup(b"f")))
    assert (found.content, found.generated, calls) == (b"", False, [(1, 0)])


def test_c15_a_file_that_changes_within_a_tick(disk_of_root: Disk, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was truncated and written again has the same times.

    Its size counts as different from its length only if it is so in each attempt.
    """
    real, sizes = os.pread, [50, 0, 50]

    def pread(fd: int, length: int, start: int) -> bytes:
        if not sizes:
            return real(fd, length, start)
        os.truncate(f"{root}/f", sizes.pop())
        content = real(fd, length, start)
        os.truncate(f"{root}/f", 100)
        return content

    write(f"{root}/f", bytes(100))
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", pread)
        patch.setattr(disk, "version_of", lambda status: (status.st_ino, status.st_size))
        found = as_open_file(disk_of_root.find(make_lookup(b"f")))
    assert (found.size, found.content, found.generated) == (100, bytes(100), False)


def test_c15_revalidation_reads_a_file_that_was_empty() -> None:
    """A file in /proc may have content now though its times and size are the same."""

    def find_and_revalidate() -> None:
        storage = Disk(f"/proc/self/task/{threading.get_native_id()}", clock=a_day_later)
        lookup = make_lookup(b"children")
        empty = as_open_file(storage.find(lookup))
        assert (empty.content, empty.generated) == (b"", False)
        assert storage.revalidate([(lookup, empty)]) == [True]
        with process_with_command_line(100):
            assert storage.revalidate([(lookup, empty)]) == [False]

    with ThreadPoolExecutor(1) as pool:  # a thread that has no children yet
        pool.submit(find_and_revalidate).result()


# ------------------------------------------------------------------------------------------ D1 to D7: files that change


def test_d1_a_file_that_is_truncated_before_it_is_read(
    disk_of_root: Disk, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, sizes = os.fstat, [50, 20]

    def fstat(fd: int) -> os.stat_result:
        status = real(fd)
        if sizes:
            os.truncate(f"{root}/f", sizes.pop(0))
        return status

    write(f"{root}/f", b"x" * 100)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fstat)
        found = as_open_file(disk_of_root.find(make_lookup(b"f")))
        sizes[:] = range(19, 0, -1)
        at_last = disk_of_root.find(make_lookup(b"f"))
    assert (found.size, found.content) == (20, b"x" * 20)
    assert at_last == Unavailable("it changes while it is read")


def test_d2_a_file_that_grows_before_it_is_read(disk_of_root: Disk, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fstat

    def fstat(fd: int) -> os.stat_result:
        status = real(fd)
        os.truncate(f"{root}/f", 5000)
        return status

    write(f"{root}/f", b"x" * 100)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fstat)
        found = as_open_file(disk_of_root.find(make_lookup(b"f")))
    assert (found.size, found.content) == (100, b"x" * 100)


def test_d1_a_file_that_is_written_all_the_time(disk_of_root: Disk, root: str) -> None:
    write(f"{root}/f", bytes(60_000))
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            os.truncate(f"{root}/f", 10)
            os.truncate(f"{root}/f", 60_000)

    with ThreadPoolExecutor() as pool:
        pool.submit(change)
        try:
            sizes: set[int] = set()
            looks, end = 0, time.monotonic() + 20
            while looks < 3000 or (len(sizes) < 2 and time.monotonic() < end):
                looks += 1
                found = disk_of_root.find(make_lookup(b"f"))
                if isinstance(found, OpenFile):
                    assert found.content == bytes(found.size)
                    sizes.add(found.size)
                else:
                    assert found == Unavailable("it changes while it is read")
        finally:
            done.set()
    assert sizes == {10, 60_000}


def test_d3_a_file_that_is_replaced_by_rename(disk_of_root: Disk, root: str) -> None:
    for version in range(200):
        old = disk_of_root.find(make_lookup(b"f"))
        write(f"{root}/new", b"%03d" % version * 60_000)
        os.rename(f"{root}/new", f"{root}/f")
        if isinstance(old, OpenFile):
            assert old.file is not None
            assert os.pread(old.file.fileno(), old.size, 0) == b"%03d" % (version - 1) * 60_000
    assert isinstance(old, OpenFile)


def test_d4_a_file_that_is_overwritten_in_place(disk_of_root: Disk, root: str) -> None:
    for second, content in enumerate((b"one", b"two")):
        write(f"{root}/f", content)
        os.utime(f"{root}/f", (second, second))
        found = as_open_file(disk_of_root.find(make_lookup(b"f")))
        assert (found.content, found.mtime_ns) == (content, second * 10**9)


def test_d7_two_versions_that_differ_only_in_their_inode(disk_of_root: Disk, root: str) -> None:
    for name in ("one", "two"):
        write(f"{root}/{name}", name.encode())
        os.utime(f"{root}/{name}", (1, 1))
    seen: list[OpenFile] = []
    for name in ("one", "two"):
        os.rename(f"{root}/{name}", f"{root}/f")
        status = os.stat(f"{root}/f")
        seen.append(as_open_file(disk_of_root.find(make_lookup(b"f"))))
        assert seen[-1].version[:3] == (status.st_dev, status.st_ino, status.st_ctime_ns)
    assert (seen[0].size, seen[0].mtime_ns) == (seen[1].size, seen[1].mtime_ns)
    assert seen[0].version != seen[1].version


def test_d6_a_release_that_is_switched(base: str, opener: Opener) -> None:
    for release in (b"1", b"2"):
        folder = os.fsencode(base) + b"/release" + release
        os.makedirs(folder + b"/sub")
        write(folder + b"/sub/index.html", release)
        os.symlink(b"sub/../sub", folder + b"/link")
    os.symlink("release1", f"{base}/current")
    storage = Disk(f"{base}/current", opener=opener)
    done = threading.Event()

    def swap(release: int) -> None:
        os.symlink(f"release{release}", f"{base}/tmp")
        os.rename(f"{base}/tmp", f"{base}/current")

    def watch() -> set[bytes | None]:
        seen = set()
        while not done.is_set():
            seen.add(as_open_file(storage.find(make_lookup(b"link", folder=True))).content)
        return seen

    with ThreadPoolExecutor() as pool:
        watcher = pool.submit(watch)
        try:
            for count in range(200):
                swap(1 + count % 2)
                found = as_open_file(storage.find(make_lookup(b"sub", folder=True)))
                assert found.content == b"%d" % (1 + count % 2)
        finally:
            done.set()
        assert watcher.result() <= {b"1", b"2"}
    os.unlink(f"{base}/current")
    assert storage.find(make_lookup(b"sub", folder=True)) == Unavailable("the root cannot be opened: ENOENT")
    swap(1)
    assert isinstance(storage.find(make_lookup(b"sub", folder=True)), OpenFile)


FLIP = """
import ctypes, os, select, sys
rename = ctypes.CDLL(None, use_errno=True).renameat2
pairs = [(b"x", b"x-out"), (b"d", b"d-out"), (b"x", b"x-out"), (b"e", b"e-in")]
flips = 0
os.chdir(sys.argv[1])
while flips < 20_000 or not select.select([0], [], [], 0)[0]:
    for _ in range(250):
        for one, other in pairs:
            if rename(-100, one, -100, other, 2):
                sys.exit(os.strerror(ctypes.get_errno()))
            flips += 1
    if flips == 1000:
        print("flipping", flush=True)
print(flips)
"""


def test_c3_names_that_become_links(disk_of_root: Disk, base: str, root: str) -> None:
    good = {b"x": b"good", b"d/secret.txt": b"good", b"e/f": b"e", b"via": b"good"}
    for folder in ("d", "e", "e-real"):
        os.mkdir(f"{root}/{folder}")
    write(f"{root}/x", b"good")
    write(f"{root}/d/secret.txt", b"good")
    write(f"{root}/e/f", b"e")
    write(f"{root}/e-real/f", b"e")
    os.symlink("../secret.txt", f"{root}/x-out")
    os.symlink("../root-sibling", f"{root}/d-out")
    os.symlink("e-real", f"{root}/e-in")
    os.symlink("d/../e/../x", f"{root}/via")
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", FLIP, root], stdin=pipe, stdout=pipe, stderr=pipe, text=True) as racer:
        assert racer.stdin is not None
        assert racer.stdout is not None
        assert racer.stderr is not None
        if racer.stdout.readline() != "flipping\n":
            pytest.skip("no RENAME_EXCHANGE here: " + racer.stderr.read())

        def client(path: bytes) -> dict[object, int]:
            seen: dict[object, int] = {}
            for _ in range(3000):
                found = disk_of_root.find(make_lookup(path))
                key = found.content if isinstance(found, OpenFile) else found
                seen[key] = seen.get(key, 0) + 1
            return seen

        with ThreadPoolExecutor(4) as pool:
            results = dict(zip(good, pool.map(client, good), strict=True))
        racer.stdin.close()
        assert int(racer.stdout.read()) >= 20_000
    for path, seen in results.items():
        assert seen.keys() <= {good[path], NOT_FOUND, Unavailable("EAGAIN")}
        assert seen[good[path]] > 10
        if path == b"e/f":  # it exists all the time; the walk may give up, but rarely
            assert seen[good[path]] > 2900
        else:
            assert seen[NOT_FOUND] > 10  # it was a race


# ----------------------------------------------------------------------------------------- errors, and no descriptors


@pytest.mark.parametrize(
    ("finding", "numbers"),
    [
        (NOT_FOUND, "ENOENT ENOTDIR ENAMETOOLONG ELOOP EXDEV ENXIO ENODEV EISDIR EILSEQ"),
        (FORBIDDEN, "EACCES EPERM"),
        (Unavailable, "EMFILE ENFILE ENOMEM EAGAIN EINTR"),
        (StorageError, "EIO ESTALE ENOSYS EINVAL EOVERFLOW"),
    ],
)
def test_the_finding_for_each_errno(root: str, finding: Finding | Callable[[str], Finding], numbers: str) -> None:
    for name in numbers.split():

        def fail(root: int, path: bytes, flags: int, name: str = name) -> int:
            raise OSError(getattr(errno, name), name)

        storage = Disk(root, opener=fail)
        for folder in (False, True):
            assert storage.find(make_lookup(b"f", folder)) == (finding(name) if callable(finding) else finding)


def test_e2_no_descriptors_are_left(disk_of_root: Disk, root: str) -> None:
    os.makedirs(f"{root}/a/b")
    write(f"{root}/a/b/f", b"content")
    os.symlink("a/../a/b/f", f"{root}/link")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for lookup in (
        make_lookup(b"a/b/f"),
        make_lookup(b"link"),
        make_lookup(b"a/b", folder=True, indexes=(b"nothing", b"f")),
    ):
        findings: list[Finding] = []
        free = os.dup(0)
        os.close(free)
        while not findings or isinstance(findings[-1], Unavailable):
            resource.setrlimit(resource.RLIMIT_NOFILE, (free + len(findings), hard))
            try:
                findings.append(disk_of_root.find(lookup))
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert len(findings) > 2  # never NOT_FOUND, whichever descriptor could not be opened
        assert isinstance(findings[-1], OpenFile)


@pytest.mark.parametrize("call", ["pread", "fstat"])
def test_c6_a_read_error(disk_of_root: Disk, root: str, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "injected")

    write(f"{root}/f", b"content")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        found = disk_of_root.find(make_lookup(b"f"))
    assert found == StorageError("EIO")


def test_an_error_on_closing_is_ignored(disk_of_root: Disk, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.close

    def close(fd: int) -> None:
        real(fd)
        raise OSError(errno.EIO, "injected")

    write(f"{root}/f", b"content")
    with monkeypatch.context() as patch:
        patch.setattr(os, "close", close)
        found = disk_of_root.find(make_lookup(b"f"))
    assert as_open_file(found).content == b"content"


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.EINTR])
def test_c4_openat2_is_tried_four_times(root: str, opener: Opener, code: int) -> None:
    write(f"{root}/f", b"content")
    failures = 0

    def fail(root: int, path: bytes, flags: int) -> int:
        nonlocal failures
        if failures:
            failures -= 1
            raise OSError(code, "injected")
        return opener(root, path, flags)

    storage = Disk(root, opener=fail)
    failures = 3
    assert as_open_file(storage.find(make_lookup(b"f"))).content == b"content"
    failures = 4
    assert storage.find(make_lookup(b"f")) == Unavailable(errno.errorcode[code])
    assert failures == 0


@pytest.mark.parametrize("failures", [1, 3, 4])
def test_c3_a_link_that_is_replaced_during_the_walk(root: str, monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    real, left = os.readlink, [errno.EINVAL] * failures

    def readlink(name: bytes, *, dir_fd: int) -> bytes:
        if left:
            raise OSError(left.pop(), "injected")
        return real(name, dir_fd=dir_fd)

    write(f"{root}/f", b"content")
    os.symlink("f", f"{root}/link")
    os.symlink(".", f"{root}/folder")
    storage = Disk(root, opener=openat_walk)
    for path in (b"link", b"folder/f"):
        left[:] = [errno.EINVAL] * failures
        with monkeypatch.context() as patch:
            patch.setattr(os, "readlink", readlink)
            found = storage.find(make_lookup(path))
        if path == b"folder/f" and failures == 4:  # a file, as far as anybody can tell
            assert found is NOT_FOUND
        else:
            assert as_open_file(found).content == b"content"
    for code, finding in (
        (errno.EINVAL, Unavailable("EAGAIN")),
        (errno.ENOENT, NOT_FOUND),
    ):  # always a file, always gone
        left[:] = [code] * 1000
        with monkeypatch.context() as patch:
            patch.setattr(os, "readlink", readlink)
            assert storage.find(make_lookup(b"link")) == finding


def test_a_system_without_o_path(tree: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (beneath, disk):
        monkeypatch.setattr(module, "DIRECTORY_FLAGS", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    storage = Disk(tree, opener=openat_walk)
    for _, path, content in FOUND:
        assert as_open_file(storage.find(make_lookup(path))).content == content
    for path in DIRECTORIES:
        assert storage.find(make_lookup(path)) == DIRECTORY
    for path in NOT_SERVED:
        assert storage.find(make_lookup(path)) is NOT_FOUND


@needs_openat2
def test_c4_openat2_is_used_where_it_works(root: str) -> None:
    assert Disk(root)._opener is openat2


def _forbidden(root: int, path: bytes, flags: int) -> int:
    raise PermissionError(errno.EPERM, "seccomp")


def _not_beneath(root: int, path: bytes, flags: int) -> int:
    return os.open(path, flags, dir_fd=root)


@pytest.mark.parametrize("call", [_forbidden, _not_beneath])
def test_c4_the_walk_is_used_where_openat2_does_not_work(
    root: str, monkeypatch: pytest.MonkeyPatch, call: Opener
) -> None:
    monkeypatch.setattr(beneath, "openat2", call)
    assert Disk(root)._opener is openat_walk


def test_c4_the_walk_is_used_on_other_systems(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert Disk(root)._opener is openat_walk


def test_several_threads_find_at_the_same_time(tree: bytes, opener: Opener) -> None:
    storage = Disk(tree, opener=opener)
    rows = {b"hello.txt": b"hello", b"nothing": NOT_FOUND, b"sub": DIRECTORY, b"out-file": NOT_FOUND, b"dots": b"page"}

    def client(path: bytes) -> set[object]:
        findings = (storage.find(make_lookup(path)) for _ in range(500))
        return {found.content if isinstance(found, OpenFile) else found for found in findings}

    with ThreadPoolExecutor(len(rows)) as pool:
        assert list(pool.map(client, rows)) == [{finding} for finding in rows.values()]


SCRIPT = """
import os, sys
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.http1.limits import Limits
from pwb_async.core.site.lookup import Lookup, candidates_of
from pwb_async.storage.disk import Disk
request = RequestParser(Limits()).parse(b"GET / HTTP/1.1\\r\\nHost: pwb\\r\\n")
storage = Disk(sys.argv[1])
before = len(os.listdir("/proc/self/fd"))
findings = [storage.find(Lookup(request, path, candidates_of(path, False, ()))) for path in (b"f", b"link", b"out")]
print(storage._opener.__name__, *(getattr(found, "content", found) for found in findings))
sys.exit(len(os.listdir("/proc/self/fd")) - before)
"""


@needs_strace
@needs_openat2
@pytest.mark.parametrize(
    ("injection", "expected"),
    [
        ("error=ENOSYS", ("openat_walk", b"content")),
        ("error=EPERM", ("openat_walk", b"content")),
        ("error=EAGAIN:when=1..2", ("openat_walk", b"content")),
        ("retval=0:when=2", ("openat_walk", b"content")),  # the probe's second call: it does not refuse `..`
        ("error=EAGAIN:when=3..5", ("openat2", b"content")),
        ("error=EAGAIN:when=3..6", ("openat2", Unavailable("EAGAIN"))),
        ("error=ENOSYS:when=3", ("openat2", StorageError("ENOSYS"))),  # not settled again at a request
    ],
)
def test_c4_openat2_that_fails_later(root: str, injection: str, expected: tuple[str, object]) -> None:
    write(f"{root}/f", b"content")
    os.symlink("f", f"{root}/link")
    os.symlink("../secret.txt", f"{root}/out")
    strace = ("strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf")
    inject = ("-e", "trace=openat2", "-e", f"inject=openat2:{injection}")
    program = (sys.executable, "-c", SCRIPT, root)
    environment = os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(os.path.dirname(disk.__file__)))}
    ran = subprocess.run((*strace, *inject, *program), capture_output=True, text=True, timeout=30, env=environment)
    assert (ran.stdout.strip(), ran.returncode) == (" ".join(map(str, (*expected, b"content", NOT_FOUND))), 0), (
        ran.stderr
    )


# -- revalidation


def _touch_later(path: str) -> None:
    os.utime(path, ns=(1, 1))


def _become_link(path: str) -> None:
    os.rename(path, f"{path}.old")
    os.symlink("/etc/hostname", path)


CHANGES: dict[str, Callable[[str], object]] = {
    "touched": _touch_later,
    "mode": lambda path: os.chmod(path, 0o600),
    "deleted": os.unlink,
    "shorter": lambda path: os.truncate(path, 1),
    "c3-a-link-that-leads-out": _become_link,
}


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_revalidation_reports_the_changed_file_and_no_other(root: str, change: str, folder: bool) -> None:
    os.mkdir(f"{root}/d")
    for name in ("d/index.html", "d/other"):
        write(f"{root}/{name}", b"content")
    storage = Disk(root, clock=a_day_later)
    lookups = (make_lookup(b"d", folder=True) if folder else make_lookup(b"d/index.html"), make_lookup(b"d/other"))
    known = [(lookup, as_open_file(storage.find(lookup))) for lookup in lookups]
    assert storage.revalidate(known) == [True, True]
    CHANGES[change](f"{root}/d/index.html")
    assert storage.revalidate(known) == [False, True]


def test_revalidation_reports_a_new_index_that_comes_first(root: str) -> None:
    write(f"{root}/default.html")
    storage = Disk(root, clock=a_day_later)
    lookup = make_lookup(b"", folder=True)
    known = [(lookup, as_open_file(storage.find(lookup)))]
    assert storage.revalidate(known) == [True]
    write(f"{root}/index.html")
    assert storage.revalidate(known) == [False]


def test_d6_revalidation_after_the_root_was_removed_or_switched(root: str) -> None:
    for release in ("one", "two"):
        os.mkdir(f"{root}/{release}")
        write(f"{root}/{release}/f", b"x")
    os.symlink("one", f"{root}/now")
    storage = Disk(f"{root}/now", clock=a_day_later)
    known = [(make_lookup(b"f"), as_open_file(storage.find(make_lookup(b"f"))))]
    os.unlink(f"{root}/now")
    assert storage.revalidate(known) == [False]
    os.symlink("two", f"{root}/now")
    assert storage.revalidate(known) == [False]
