"""Floor 1, each row both ways: openat2 and the walk. Ids are codes of docs/hazards.md."""

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
from pwb_async.core.site.lookup import (
    DIRECTORY,
    FORBIDDEN,
    NOT_FOUND,
    UNAVAILABLE,
    Candidate,
    EntryKind,
    Finding,
    Lookup,
    OpenFile,
    StorageError,
    candidates_of,
)
from pwb_async.storage import disk
from pwb_async.storage import open_beneath as beneath
from pwb_async.storage import open_file as descriptor
from pwb_async.storage.disk import SMALL, Disk
from pwb_async.storage.open_beneath import DIRECTORY_FLAGS, Opener, openat2, openat_walk
from pwb_async.storage.open_file import LargeFile
from tests.conformance.proc import process_with_command_line

READER = RequestParser(Limits())
CANARY = b"the canary"
NOBODY = 65534
INDEXES = (b"index.html", b"default.html")
Find = Callable[..., Finding]


def request() -> Request:
    result = READER.parse(b"GET / HTTP/1.1\r\nHost: pwb\r\n")
    assert isinstance(result, Request)
    return result


def look(path: bytes, folder: bool = False, indexes: tuple[bytes, ...] = INDEXES) -> Lookup:
    return Lookup(request(), path, candidates_of(path, folder, indexes))


def later() -> int:
    """A clock for a disk whose files are to have settled: a day has gone by."""
    return time.time_ns() + 86_400 * 10**9


def write(path: str | bytes, content: bytes = b"") -> None:
    with open(path, "wb") as file:
        file.write(content)


def opened(finding: Finding) -> OpenFile:
    assert isinstance(finding, OpenFile)
    return finding


def gist(finding: Finding) -> object:
    """A finding without the time: what two ways to find it have in common."""
    if isinstance(finding, OpenFile):
        return finding.path, finding.size, finding.mtime_ns, finding.content
    return finding


def has_openat2() -> bool:
    """Whether there is one, not whether it is used well: a test must not be skipped for that."""
    root = os.open("/", os.O_RDONLY)
    try:
        os.close(openat2(root, b".", DIRECTORY_FLAGS))
    except OSError:
        return False
    finally:
        os.close(root)
    return True


needs_openat2 = pytest.mark.skipif(not has_openat2(), reason="no openat2 here")
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
def place() -> Iterator[str]:
    """A folder that everybody may enter, with an empty `root` in it and a canary beside."""
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
    with place() as base:
        yield base


@pytest.fixture
def root(base: str) -> str:
    return f"{base}/root"


@pytest.fixture
def served(root: str, opener: Opener) -> Disk:
    return Disk(root, opener=opener)


# ------------------------------------------------------------------ one tree that nobody changes, and what is where

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
FOUND_IN_FOLDER = [
    ("plain", b"sub", b"index.html", b"sub index"),
    ("second", b"second", b"default.html", b"second"),
    ("link", b"link-folder", b"index.html", b"sub index"),
    ("link-index", b"link-index", b"index.html", b"hello"),
    ("C5-folder-is-no-index", b"folder-index", b"default.html", b"beside the folder"),
    ("C5-fifo-is-no-index", b"fifo-index", b"default.html", b"beside the fifo"),
    ("C2-lost-index", b"lost-index", b"default.html", b"beside the dangling link"),
    ("C2-out-index", b"out-index-2", b"default.html", b"beside the way out"),
]
FOLDERS = [b"", b"sub", b"sub/deeper", b"bare", b"link-folder", b"link-folder-slash", b"itself", b"sub/to-root"]
NO_INDEX = [b"", b"bare", b"sub/deeper", b"only-folder-index", b"out-index", b"itself"]
NOWHERE = [
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
    with place() as base:
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
    there = Disk(tree, opener=opener)
    return lambda *args, **kwargs: there.find(look(*args, **kwargs))


@pytest.mark.parametrize(("path", "content"), [pytest.param(*row, id=name) for name, *row in FOUND])
def test_a_file(find: Find, path: bytes, content: bytes) -> None:
    found = opened(find(path))
    assert (found.path, found.size, found.content, found.file) == (path, len(content), content, None)


@pytest.mark.parametrize(("path", "name", "content"), [pytest.param(*row, id=name) for name, *row in FOUND_IN_FOLDER])
def test_an_index(find: Find, path: bytes, name: bytes, content: bytes) -> None:
    found = opened(find(path, folder=True))
    assert (found.path, found.content) == (b"/".join(filter(None, (path, name))), content)
    assert find(path) is DIRECTORY


@pytest.mark.parametrize("path", FOLDERS)
def test_a_folder_without_a_slash(find: Find, path: bytes) -> None:
    assert find(path) is DIRECTORY


@pytest.mark.parametrize("path", NO_INDEX)
def test_a_folder_without_an_index(find: Find, path: bytes) -> None:
    assert find(path, folder=True) is DIRECTORY
    assert find(path, folder=True, indexes=()) is DIRECTORY


@pytest.mark.parametrize("path", NOWHERE, ids=lambda path: ascii(path)[2:30])
def test_nothing_that_a_client_may_know_of(find: Find, path: bytes) -> None:
    for folder in (False, True):
        assert find(path, folder) is NOT_FOUND


@pytest.mark.parametrize("path", [b"hello.txt", b"link-file", b"empty", b"fifo", b"socket"])
def test_c8_a_file_is_no_folder(find: Find, path: bytes) -> None:
    assert find(path, folder=True) is NOT_FOUND
    assert find(path, folder=True, indexes=()) is NOT_FOUND


def test_an_index_in_the_root(served: Disk, root: str) -> None:
    assert served.find(look(b"", folder=True)) is DIRECTORY
    write(f"{root}/index.html", b"front")
    found = opened(served.find(look(b"", folder=True)))
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


def test_a_later_candidate_is_another_file_once_an_earlier_one_exists(root: str, opener: Opener) -> None:
    """Whether it has changed itself does not matter then."""
    write(f"{root}/hello.txt", b"hello")
    there = Disk(root, opener=opener, clock=later)
    lookup = Lookup(request(), b"new", (Candidate(b"new"), Candidate(b"hello.txt", EntryKind.FILE, 404)))
    found = opened(there.find(lookup))
    assert there.revalidate([(lookup, found)]) == [True]
    write(f"{root}/new", b"new")
    assert there.revalidate([(lookup, found)]) == [False]


SEGMENTS = [b"..", b".", b"", b"f", b"d", b"g", b"k", b"l", b"m", b"nothing"]
WAYS = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=6).map(b"/".join)


@needs_openat2
@settings(max_examples=400, deadline=None)
@given(st.lists(WAYS.filter(len), min_size=6, max_size=6), WAYS, st.booleans())
def test_both_ways_find_the_same_in_any_web_of_links(targets: list[bytes], path: bytes, folder: bool) -> None:
    with place() as base:
        root = os.fsencode(base) + b"/root/"
        os.mkdir(root + b"d")
        write(root + b"f", b"outer")
        write(root + b"d/g", b"inner")
        for name, target in zip((b"k", b"l", b"m", b"d/k", b"d/l", b"d/m"), targets, strict=True):
            os.symlink(target, root + name)
        one, other = (
            gist(Disk(root, opener=way).find(look(path, folder, indexes=(b"g", b"k"))))
            for way in (openat2, openat_walk)
        )
    assert one == other
    assert CANARY not in repr(one).encode()


# ---------------------------------------------------------------------------------------------- odd files and roots


@pytest.mark.parametrize("small", [0, 100, 64 * 1024])
def test_where_small_ends(root: str, opener: Opener, small: int) -> None:
    there = Disk(root, opener=opener, small=small)
    for size in {max(small - 1, 0), small, small + 1}:
        content = os.urandom(size)
        write(f"{root}/f", content)
        found = opened(there.find(look(b"f")))
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
    """The last one to close it waits for the disk (0.36 s with 2 GiB), and a loop must not."""
    closed: queue.Queue[int] = queue.Queue()
    monkeypatch.setattr(descriptor, "close", lambda number: (os.close(number), closed.put(threading.get_ident())))
    write(f"{root}/f", b"xy")
    found: OpenFile | None = opened(Disk(root, small=1).find(look(b"f")))
    assert found is not None
    assert found.file is not None
    assert closed.empty(), "it is somebody else's now"
    number = found.file.fileno()
    if deleted:
        os.unlink(f"{root}/f")
    if not dropped:
        found.file.close()
    found = None
    assert (closed.get(timeout=10) != threading.get_ident()) == deleted
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
    assert closed.empty()


def test_a_deleted_large_file_is_closed_without_threads_too(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(descriptor, "start_new_thread", no_thread)
    write(f"{root}/f", b"xy")
    found = opened(Disk(root, small=1).find(look(b"f")))
    assert found.file is not None
    os.unlink(f"{root}/f")
    number = found.file.fileno()
    found.file.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_a_descriptor_closes_itself_once(root: str) -> None:
    write(f"{root}/f", b"xy")
    found = opened(Disk(root, small=1).find(look(b"f")))
    assert isinstance(found.file, LargeFile)
    number = found.file.fileno()
    found.file.close()
    assert os.dup2(0, number) == number  # its number belongs to somebody else now
    found.file.close()
    with pytest.raises(ValueError, match="closed"):
        found.file.fileno()
    del found
    os.close(number)
    for _ in range(50):
        Disk(root, small=1).find(look(b"f"))  # dropped: A12, and the leak fixture counts


def test_c12_a_sparse_file_of_5_gib(served: Disk, root: str) -> None:
    size = 5 << 30
    write(f"{root}/sparse")
    os.truncate(f"{root}/sparse", size)
    found = opened(served.find(look(b"sparse")))
    assert found.file is not None
    assert (found.size, found.content) == (size, None)
    assert os.pread(found.file.fileno(), 6, (1 << 32) - 1) == bytes(6)


@pytest.mark.parametrize("when", [-315619200, 0, 1, 4070908800, 15 << 30], ids=["1960", "1970", "1 s", "2099", "2480"])
def test_d12_odd_times(served: Disk, root: str, when: int) -> None:
    write(f"{root}/f")
    os.utime(f"{root}/f", ns=(0, when * 10**9 + 1))
    kept = os.stat(f"{root}/f")
    found = opened(served.find(look(b"f")))
    assert found.mtime_ns == min(kept.st_mtime_ns, kept.st_ctime_ns), "what was set ahead of the clock says nothing"
    assert found.seen_ns > 1_700_000_000 * 10**9


def test_c6_the_longest_path_and_one_more(served: Disk, root: str) -> None:
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
    assert isinstance(served.find(look(path + b"f" * 75)), OpenFile)
    assert served.find(look(path + b"f" * 76)) is NOT_FOUND


def test_a_deep_tree(served: Disk, root: str) -> None:
    path = b"/".join([b"d"] * 300)
    os.makedirs(os.fsencode(root) + b"/" + path)
    write(os.fsencode(root) + b"/" + path + b"/f", b"deep")
    os.symlink(b"../" * 300 + path + b"/f", os.fsencode(root) + b"/" + path + b"/back")
    os.symlink(b"../" * 301 + b"secret.txt", os.fsencode(root) + b"/" + path + b"/out")
    assert opened(served.find(look(path + b"/back"))).content == b"deep"
    assert served.find(look(path + b"/out")) is NOT_FOUND
    assert served.find(look(path)) is DIRECTORY


def test_c5_devices_answer_at_once(opener: Opener) -> None:
    there = Disk("/dev", opener=opener)
    blocks = [entry.name for entry in os.scandir("/dev") if stat.S_ISBLK(entry.stat(follow_symlinks=False).st_mode)]
    for name in ("zero", "null", "full", "random", "tty"):
        assert there.find(look(name.encode())) is NOT_FOUND
        assert there.find(look(name.encode(), folder=True)) is NOT_FOUND
    for name in blocks[:3]:
        assert there.find(look(name.encode())) in (NOT_FOUND, FORBIDDEN)  # containers keep root from some


def test_c5_50_fifos_at_once(tree: bytes, opener: Opener) -> None:
    there = Disk(tree, opener=opener)
    findings: list[Finding] = []
    threads = [
        threading.Thread(target=lambda: findings.append(there.find(look(b"fifo"))), daemon=True) for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert findings == [NOT_FOUND] * 50


def test_c2_magic_links(base: str, opener: Opener) -> None:
    there = Disk("/proc", opener=opener)
    with open(f"{base}/secret.txt", "rb") as secret:
        for path in ("root", "root/etc/passwd", "cwd", "cwd/pyproject.toml", "exe", f"fd/{secret.fileno()}"):
            assert there.find(look(b"self/" + path.encode())) is NOT_FOUND
            assert there.find(look(b"thread-self/" + path.encode())) is NOT_FOUND
            assert there.find(look(b"self/" + path.encode(), folder=True)) is NOT_FOUND
    assert isinstance(there.find(look(b"self/status")), OpenFile)  # the link `self` itself is an honest one


def test_the_root_is_made_absolute(base: str, opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    write(f"{base}/root/f", b"here")
    os.mkdir(f"{base}/root/sub")
    os.symlink("root/sub", f"{base}/link")
    monkeypatch.chdir(base)
    disks = [Disk(name, opener=opener) for name in ("root", b"root/", "./root", "link/..")]
    monkeypatch.chdir("/")
    for there in disks:
        assert opened(there.find(look(b"f"))).content == b"here"


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


def test_the_slash_is_a_root_too(opener: Opener) -> None:
    there = Disk("/", opener=opener)
    assert there.find(look(b"proc/self")) is DIRECTORY
    assert there.find(look(b"../proc/self")) is NOT_FOUND


# --------------------------------------------------------------------------------- C6: what this process may not read


@contextmanager
def nobody() -> Iterator[None]:
    """Root may read everything, so it is somebody else for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_c6_what_may_not_be_read(served: Disk, base: str, root: str) -> None:
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
        assert served.find(look(b"closed.txt")) is FORBIDDEN
        assert served.find(look(b"closed.txt", folder=True)) is NOT_FOUND
        assert served.find(look(b"link")) is FORBIDDEN
        assert served.find(look(b"out")) is NOT_FOUND  # no oracle (C2)
        assert served.find(look(b"lost")) is FORBIDDEN
        assert served.find(look(b"locked/f")) is FORBIDDEN
        assert served.find(look(b"locked/nothing")) is FORBIDDEN
        assert served.find(look(b"locked")) is DIRECTORY
        assert served.find(look(b"locked", folder=True)) is FORBIDDEN
        assert served.find(look(b"enter-only")) is DIRECTORY
        assert opened(served.find(look(b"enter-only/f"))).content == b"content"
        assert opened(served.find(look(b"enter-only", folder=True))).content == b"index"
        assert served.find(look(b"enter-only", folder=True, indexes=())) is DIRECTORY
        assert served.find(look(b"no-index", folder=True)) is FORBIDDEN
        assert opened(served.find(look(b"bad-index", folder=True))).content == b"default"
    for folder in ("locked", "bad-index/index.html"):
        os.chmod(f"{root}/{folder}", 0o755)  # so that it can be removed


# -- files whose size is not their length


@pytest.mark.parametrize("length", [100, 10_000, SMALL - 1, SMALL, SMALL + 1, 3 * SMALL])
def test_c15_a_file_that_says_0_and_holds_more(opener: Opener, length: int) -> None:
    """/proc gives at most a page at a time."""
    with process_with_command_line(length) as (folder, content):
        found = Disk(folder, opener=opener).find(look(b"cmdline"))
    if length <= SMALL:
        found = opened(found)
        assert (found.content, found.size, found.file, found.generated) == (content, length, None, True)
        assert found.version == ()
    else:
        assert found == StorageError(f"its size is not its length, and it holds more than {SMALL} bytes")


@pytest.mark.parametrize("root", ["/proc/sys/kernel", "/sys/kernel"])
def test_c15_files_that_say_another_size_than_they_hold(opener: Opener, root: str) -> None:
    there, some = Disk(root, opener=opener), 0
    for name in os.listdir(root):
        path = f"{root}/{name}"
        with suppress(OSError), open(path, "rb", buffering=0) as file:
            content, size = file.read(SMALL + 1), os.fstat(file.fileno()).st_size
            if len(content) in (0, size) or content != _read(path):
                continue  # it says what it holds, or holds another thing each time
            found = opened(there.find(look(name.encode())))
            assert (found.content, found.size, found.generated) == (content, len(content), True), path
            some += 1
    assert some


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read(SMALL + 1)


def test_c15_an_empty_file_costs_one_read(served: Disk, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.pread, []

    def pread(number: int, length: int, start: int) -> bytes:
        calls.append((length, start))
        return real(number, length, start)

    write(f"{root}/f")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", pread)
        found = opened(served.find(look(b"f")))
    assert (found.content, found.generated, calls) == (b"", False, [(1, 0)])


def test_c15_a_file_that_changes_in_a_tick_of_its_clock(
    served: Disk, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Truncated and filled again, it looks as before: that its size is not its length is believed only of one that
    looks so each time."""
    real, sizes = os.pread, [50, 0, 50]

    def pread(number: int, length: int, start: int) -> bytes:
        if not sizes:
            return real(number, length, start)
        os.truncate(f"{root}/f", sizes.pop())
        content = real(number, length, start)
        os.truncate(f"{root}/f", 100)
        return content

    write(f"{root}/f", bytes(100))
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", pread)
        patch.setattr(disk, "_version", lambda status: (status.st_ino, status.st_size))
        found = opened(served.find(look(b"f")))
    assert (found.size, found.content, found.generated) == (100, bytes(100), False)


def test_c15_looking_again_reads_a_file_that_was_empty() -> None:
    """In /proc it may hold something now, and nothing else has changed."""

    def look_twice() -> None:
        there = Disk(f"/proc/self/task/{threading.get_native_id()}", clock=later)
        lookup = look(b"children")
        empty = opened(there.find(lookup))
        assert (empty.content, empty.generated) == (b"", False)
        assert there.revalidate([(lookup, empty)]) == [True]
        with process_with_command_line(100):
            assert there.revalidate([(lookup, empty)]) == [False]

    with ThreadPoolExecutor(1) as pool:  # a thread that has no children yet
        pool.submit(look_twice).result()


# ------------------------------------------------------------------------------------------ 1D: the disk changes


def test_d1_truncated_before_it_is_read(served: Disk, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real, sizes = os.fstat, [50, 20]

    def fstat(number: int) -> os.stat_result:
        status = real(number)
        if sizes:
            os.truncate(f"{root}/f", sizes.pop(0))
        return status

    write(f"{root}/f", b"x" * 100)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fstat)
        found = opened(served.find(look(b"f")))
        sizes[:] = range(19, 0, -1)
        at_last = served.find(look(b"f"))
    assert (found.size, found.content) == (20, b"x" * 20)
    assert at_last is UNAVAILABLE


def test_d2_grown_before_it_is_read(served: Disk, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fstat

    def fstat(number: int) -> os.stat_result:
        status = real(number)
        os.truncate(f"{root}/f", 5000)
        return status

    write(f"{root}/f", b"x" * 100)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fstat)
        found = opened(served.find(look(b"f")))
    assert (found.size, found.content) == (100, b"x" * 100)


def test_d1_a_writer_that_never_rests(served: Disk, root: str) -> None:
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
                found = served.find(look(b"f"))
                if isinstance(found, OpenFile):
                    assert found.content == bytes(found.size)
                    sizes.add(found.size)
                else:
                    assert found is UNAVAILABLE
        finally:
            done.set()
    assert sizes == {10, 60_000}


def test_d3_replaced_by_rename(served: Disk, root: str) -> None:
    for version in range(200):
        old = served.find(look(b"f"))
        write(f"{root}/new", b"%03d" % version * 60_000)
        os.rename(f"{root}/new", f"{root}/f")
        if isinstance(old, OpenFile):
            assert old.file is not None
            assert os.pread(old.file.fileno(), old.size, 0) == b"%03d" % (version - 1) * 60_000
    assert isinstance(old, OpenFile)


def test_d4_overwritten_in_place(served: Disk, root: str) -> None:
    for second, content in enumerate((b"one", b"two")):
        write(f"{root}/f", content)
        os.utime(f"{root}/f", (second, second))
        found = opened(served.find(look(b"f")))
        assert (found.content, found.mtime_ns) == (content, second * 10**9)


def test_d7_two_versions_that_differ_in_their_identity_alone(served: Disk, root: str) -> None:
    for name in ("one", "two"):
        write(f"{root}/{name}", name.encode())
        os.utime(f"{root}/{name}", (1, 1))
    seen: list[OpenFile] = []
    for name in ("one", "two"):
        os.rename(f"{root}/{name}", f"{root}/f")
        status = os.stat(f"{root}/f")
        seen.append(opened(served.find(look(b"f"))))
        assert seen[-1].version[:3] == (status.st_dev, status.st_ino, status.st_ctime_ns)
    assert (seen[0].size, seen[0].mtime_ns) == (seen[1].size, seen[1].mtime_ns)
    assert seen[0].version != seen[1].version


def test_d6_a_release_is_swapped(base: str, opener: Opener) -> None:
    for release in (b"1", b"2"):
        folder = os.fsencode(base) + b"/release" + release
        os.makedirs(folder + b"/sub")
        write(folder + b"/sub/index.html", release)
        os.symlink(b"sub/../sub", folder + b"/link")
    os.symlink("release1", f"{base}/current")
    there = Disk(f"{base}/current", opener=opener)
    done = threading.Event()

    def swap(release: int) -> None:
        os.symlink(f"release{release}", f"{base}/tmp")
        os.rename(f"{base}/tmp", f"{base}/current")

    def watch() -> set[bytes | None]:
        seen = set()
        while not done.is_set():
            seen.add(opened(there.find(look(b"link", folder=True))).content)
        return seen

    with ThreadPoolExecutor() as pool:
        watcher = pool.submit(watch)
        try:
            for count in range(200):
                swap(1 + count % 2)
                found = opened(there.find(look(b"sub", folder=True)))
                assert found.content == b"%d" % (1 + count % 2)
        finally:
            done.set()
        assert watcher.result() <= {b"1", b"2"}
    os.unlink(f"{base}/current")
    assert there.find(look(b"sub", folder=True)) is UNAVAILABLE
    swap(1)
    assert isinstance(there.find(look(b"sub", folder=True)), OpenFile)


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


def test_c3_names_that_turn_into_links(served: Disk, base: str, root: str) -> None:
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
                found = served.find(look(path))
                key = found.content if isinstance(found, OpenFile) else found
                seen[key] = seen.get(key, 0) + 1
            return seen

        with ThreadPoolExecutor(4) as pool:
            results = dict(zip(good, pool.map(client, good), strict=True))
        racer.stdin.close()
        assert int(racer.stdout.read()) >= 20_000
    for path, seen in results.items():
        assert seen.keys() <= {good[path], NOT_FOUND, UNAVAILABLE}
        assert seen[good[path]] > 10
        if path == b"e/f":  # it is there all the time; the walk may give up on it, but hardly ever
            assert seen[good[path]] > 2900
        else:
            assert seen[NOT_FOUND] > 10  # it was a race


# ----------------------------------------------------------------------------------------- errors, and running out


@pytest.mark.parametrize(
    ("finding", "numbers"),
    [
        (NOT_FOUND, "ENOENT ENOTDIR ENAMETOOLONG ELOOP EXDEV ENXIO ENODEV EISDIR EILSEQ"),
        (FORBIDDEN, "EACCES EPERM"),
        (UNAVAILABLE, "EMFILE ENFILE ENOMEM EAGAIN EINTR"),
        (None, "EIO ESTALE ENOSYS EINVAL EOVERFLOW"),
    ],
)
def test_what_an_errno_means(root: str, finding: Finding | None, numbers: str) -> None:
    for name in numbers.split():

        def fail(root: int, path: bytes, flags: int, name: str = name) -> int:
            raise OSError(getattr(errno, name), name)

        there = Disk(root, opener=fail)
        for folder in (False, True):
            assert there.find(look(b"f", folder)) == (finding or StorageError(name))


def test_e2_no_descriptors_left(served: Disk, root: str) -> None:
    os.makedirs(f"{root}/a/b")
    write(f"{root}/a/b/f", b"content")
    os.symlink("a/../a/b/f", f"{root}/link")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for lookup in (look(b"a/b/f"), look(b"link"), look(b"a/b", folder=True, indexes=(b"nothing", b"f"))):
        findings: list[Finding] = []
        free = os.dup(0)
        os.close(free)
        while not findings or findings[-1] is UNAVAILABLE:
            resource.setrlimit(resource.RLIMIT_NOFILE, (free + len(findings), hard))
            try:
                findings.append(served.find(lookup))
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert len(findings) > 2  # never "missing", whichever descriptor it was that we could not have
        assert isinstance(findings[-1], OpenFile)


@pytest.mark.parametrize("call", ["pread", "fstat"])
def test_c6_a_read_error(served: Disk, root: str, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "injected")

    write(f"{root}/f", b"content")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        found = served.find(look(b"f"))
    assert found == StorageError("EIO")


def test_an_error_on_closing_is_no_news(served: Disk, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.close

    def close(number: int) -> None:
        real(number)
        raise OSError(errno.EIO, "injected")

    write(f"{root}/f", b"content")
    with monkeypatch.context() as patch:
        patch.setattr(os, "close", close)
        found = served.find(look(b"f"))
    assert opened(found).content == b"content"


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EINTR])
def test_c4_three_more_tries(root: str, opener: Opener, number: int) -> None:
    write(f"{root}/f", b"content")
    failures = 0

    def fail(root: int, path: bytes, flags: int) -> int:
        nonlocal failures
        if failures:
            failures -= 1
            raise OSError(number, "injected")
        return opener(root, path, flags)

    there = Disk(root, opener=fail)
    failures = 3
    assert opened(there.find(look(b"f"))).content == b"content"
    failures = 4
    assert there.find(look(b"f")) is UNAVAILABLE
    assert failures == 0


@pytest.mark.parametrize("failures", [1, 3, 4])
def test_c3_the_walk_meets_a_link_that_is_none_any_more(
    root: str, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    real, left = os.readlink, [errno.EINVAL] * failures

    def readlink(name: bytes, *, dir_fd: int) -> bytes:
        if left:
            raise OSError(left.pop(), "injected")
        return real(name, dir_fd=dir_fd)

    write(f"{root}/f", b"content")
    os.symlink("f", f"{root}/link")
    os.symlink(".", f"{root}/folder")
    there = Disk(root, opener=openat_walk)
    for path in (b"link", b"folder/f"):
        left[:] = [errno.EINVAL] * failures
        with monkeypatch.context() as patch:
            patch.setattr(os, "readlink", readlink)
            found = there.find(look(path))
        if path == b"folder/f" and failures == 4:  # a file, as far as anybody can tell
            assert found is NOT_FOUND
        else:
            assert opened(found).content == b"content"
    for number, finding in ((errno.EINVAL, UNAVAILABLE), (errno.ENOENT, NOT_FOUND)):  # always a file, always gone
        left[:] = [number] * 1000
        with monkeypatch.context() as patch:
            patch.setattr(os, "readlink", readlink)
            assert there.find(look(b"link")) is finding


def test_a_system_without_o_path(tree: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (beneath, disk):
        monkeypatch.setattr(module, "DIRECTORY_FLAGS", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    there = Disk(tree, opener=openat_walk)
    for _, path, content in FOUND:
        assert opened(there.find(look(path))).content == content
    for path in FOLDERS:
        assert there.find(look(path)) is DIRECTORY
    for path in NOWHERE:
        assert there.find(look(path)) is NOT_FOUND


@needs_openat2
def test_c4_openat2_is_used_where_it_is(root: str) -> None:
    assert Disk(root)._opener is openat2


def _forbidden(root: int, path: bytes, flags: int) -> int:
    raise PermissionError(errno.EPERM, "seccomp")


def _not_beneath(root: int, path: bytes, flags: int) -> int:
    return os.open(path, flags, dir_fd=root)


@pytest.mark.parametrize("call", [_forbidden, _not_beneath])
def test_c4_an_openat2_that_is_none(root: str, monkeypatch: pytest.MonkeyPatch, call: Opener) -> None:
    monkeypatch.setattr(beneath, "openat2", call)
    assert Disk(root)._opener is openat_walk


def test_c4_another_system(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert Disk(root)._opener is openat_walk


def test_each_thread_has_its_own_errno(tree: bytes, opener: Opener) -> None:
    there = Disk(tree, opener=opener)
    rows = {b"hello.txt": b"hello", b"nothing": NOT_FOUND, b"sub": DIRECTORY, b"out-file": NOT_FOUND, b"dots": b"page"}

    def client(path: bytes) -> set[object]:
        findings = (there.find(look(path)) for _ in range(500))
        return {found.content if isinstance(found, OpenFile) else found for found in findings}

    with ThreadPoolExecutor(len(rows)) as pool:
        assert list(pool.map(client, rows)) == [{finding} for finding in rows.values()]


STRACED = """
import os, sys
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.http1.limits import Limits
from pwb_async.core.site.lookup import Lookup, candidates_of
from pwb_async.storage.disk import Disk
request = RequestParser(Limits()).parse(b"GET / HTTP/1.1\\r\\nHost: pwb\\r\\n")
there = Disk(sys.argv[1])
before = len(os.listdir("/proc/self/fd"))
findings = [there.find(Lookup(request, path, candidates_of(path, False, ()))) for path in (b"f", b"link", b"out")]
print(there._opener.__name__, *(getattr(found, "content", found) for found in findings))
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
        ("error=EAGAIN:when=3..6", ("openat2", UNAVAILABLE)),
        ("error=ENOSYS:when=3", ("openat2", StorageError("ENOSYS"))),  # not settled again at a request
    ],
)
def test_c4_openat2_fails(root: str, injection: str, expected: tuple[str, object]) -> None:
    write(f"{root}/f", b"content")
    os.symlink("f", f"{root}/link")
    os.symlink("../secret.txt", f"{root}/out")
    strace = ("strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf")
    inject = ("-e", "trace=openat2", "-e", f"inject=openat2:{injection}")
    program = (sys.executable, "-c", STRACED, root)
    environment = os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(os.path.dirname(disk.__file__)))}
    ran = subprocess.run((*strace, *inject, *program), capture_output=True, text=True, timeout=30, env=environment)
    assert (ran.stdout.strip(), ran.returncode) == (" ".join(map(str, (*expected, b"content", NOT_FOUND))), 0), (
        ran.stderr
    )


# -- looking again


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
def test_looking_again_sees_what_changed_and_only_that(root: str, change: str, folder: bool) -> None:
    os.mkdir(f"{root}/d")
    for name in ("d/index.html", "d/other"):
        write(f"{root}/{name}", b"content")
    there = Disk(root, clock=later)
    lookups = (look(b"d", folder=True) if folder else look(b"d/index.html"), look(b"d/other"))
    known = [(lookup, opened(there.find(lookup))) for lookup in lookups]
    assert there.revalidate(known) == [True, True]
    CHANGES[change](f"{root}/d/index.html")
    assert there.revalidate(known) == [False, True]


def test_looking_again_sees_an_index_that_goes_before_the_one_that_was_found(root: str) -> None:
    write(f"{root}/default.html")
    there = Disk(root, clock=later)
    lookup = look(b"", folder=True)
    known = [(lookup, opened(there.find(lookup)))]
    assert there.revalidate(known) == [True]
    write(f"{root}/index.html")
    assert there.revalidate(known) == [False]


def test_d6_looking_again_when_the_root_has_gone_or_was_swapped(root: str) -> None:
    for release in ("one", "two"):
        os.mkdir(f"{root}/{release}")
        write(f"{root}/{release}/f", b"x")
    os.symlink("one", f"{root}/now")
    there = Disk(f"{root}/now", clock=later)
    known = [(look(b"f"), opened(there.find(look(b"f"))))]
    os.unlink(f"{root}/now")
    assert there.revalidate(known) == [False]
    os.symlink("two", f"{root}/now")
    assert there.revalidate(known) == [False]
