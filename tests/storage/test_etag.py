"""What the entity tag of a file is made of, and when its times can be trusted (hazards D7 and D12, RFC 9110 8.8.3)."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest

from pwb_async.storage import examiner
from pwb_async.storage.disk import Disk
from pwb_async.storage.etag import METADATA_TAGS, WaitBudget, can_wait, content_tag, file_clock, is_racy
from pwb_async.storage.examiner import SMALL

from .test_disk import a_day_later, as_open_file, make_lookup

SECOND = 10**9
NPM = 499162500
FIXED = 1_600_000_000
"""An mtime that is given to all files and is not a known placeholder."""
LARGE = SMALL + 1
SIZES = pytest.mark.parametrize("size", [1000, LARGE], ids=["small", "large"])
MODES = pytest.mark.parametrize("mode", METADATA_TAGS)


def tag_of(root: Path, name: str = "f", mode: str = "auto", clock: Callable[[], int] = a_day_later) -> bytes | None:
    """The tag that a new Disk makes."""
    found = as_open_file(Disk(str(root), etag=mode, clock=clock).find(make_lookup(name.encode())))
    if found.file is not None:
        found.file.close()
    return found.tag


def publish(root: Path, content: bytes, mtime: float = FIXED) -> None:
    """Replaces the file f by rename."""
    new = root / "f.new"
    new.write_bytes(content)
    os.utime(new, (mtime, mtime))
    new.replace(root / "f")


# ------------------------------------------------------------------------------------------------ the digest of the content


@pytest.mark.parametrize(
    ("content", "tag"),
    [
        (b"", b"99aa06d3014798d86001c324468d497f"),
        (b"abcdefghijklmnopqrstuvwxyz", b"db7ca44e84843d67ebe162220154e1e6"),
    ],
)
def test_the_digest_is_the_same_in_all_releases_and_on_all_machines(content: bytes, tag: bytes) -> None:
    """The values are those of xxhsum -H2. With others, every client would have to fetch every file again."""
    assert content_tag(content) == tag


@MODES
@pytest.mark.parametrize("size", [0, 1, 4096, SMALL])
def test_equal_content_has_one_tag_on_all_servers_at_all_times(tmp_path: Path, size: int, mode: str) -> None:
    content = os.urandom(size)
    tags = set()
    for node, mtime in (("one", FIXED), ("two", 4_000_000_000), ("three", 0)):
        (tmp_path / node).mkdir()
        publish(tmp_path / node, content, mtime)
        tags |= {tag_of(tmp_path / node, mode=mode, clock=clock) for clock in (file_clock, a_day_later)}
    assert tags == {content_tag(content)}


@MODES
def test_other_content_has_another_tag_whatever_the_mtime(tmp_path: Path, mode: str) -> None:
    tags = set()
    for number in range(100):
        publish(tmp_path, b"%03d" % number)
        tags.add(tag_of(tmp_path, mode=mode, clock=file_clock))
    assert len(tags) == 100


# ------------------------------------------------------------------------------------------------ large files


def test_a_large_file_is_not_read_for_its_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pread(*_: object) -> bytes:
        raise AssertionError("it was read")

    publish(tmp_path, bytes(LARGE))
    monkeypatch.setattr(os, "pread", pread)
    for mode in METADATA_TAGS:
        tag_of(tmp_path, mode=mode)


@pytest.mark.parametrize("mode", ["auto", "mtime"])
@pytest.mark.parametrize("mtime", [FIXED, 4_000_000_000], ids=["past", "D12-future"])
def test_the_tag_of_a_large_file_does_not_change_with_time(tmp_path: Path, mode: str, mtime: float) -> None:
    """The tag at once, after 2.1 s, after a day, and when the clock has been set back by an hour."""
    publish(tmp_path, bytes(LARGE), mtime)
    tags = {tag_of(tmp_path, mode=mode, clock=file_clock)}
    for offset in (2.1, 86_400, -3600):
        tags.add(tag_of(tmp_path, mode=mode, clock=lambda by=int(offset * SECOND): file_clock() + by))
    assert len(tags) == 1
    assert None not in tags


@pytest.mark.parametrize("mtime", [NPM, FIXED, 0])
def test_d7_versions_with_the_same_mtime_and_size_have_different_tags(tmp_path: Path, mtime: float) -> None:
    tags = set()
    for number in range(20):
        publish(tmp_path, b"%04d" % number * (LARGE // 4 + 1), mtime)
        tags.add(tag_of(tmp_path, clock=file_clock))
    assert len(tags) == 20
    assert None not in tags


def test_d7_files_made_at_the_same_moment_have_different_tags(tmp_path: Path) -> None:
    """Releases may be unpacked together and published one after another."""
    for release in range(20):
        (tmp_path / f"{release}").mkdir()
        publish(tmp_path / f"{release}", bytes(LARGE))
    assert len({tag_of(tmp_path / f"{release}") for release in range(20)}) == 20


def test_d7_resetting_the_mtime_does_not_restore_the_tag(tmp_path: Path) -> None:
    publish(tmp_path, bytes(LARGE))
    before = tag_of(tmp_path, clock=file_clock)
    with open(tmp_path / "f", "r+b") as file:
        file.write(b"other")
    os.utime(tmp_path / "f", (FIXED, FIXED))
    assert tag_of(tmp_path, clock=file_clock) not in (before, None)


def test_with_mtime_copies_that_keep_their_time_have_the_same_tag(tmp_path: Path) -> None:
    publish(tmp_path, bytes(LARGE))
    os.utime(tmp_path / "f", ns=(0, FIXED * SECOND + 123_456_789))
    for node in ("one", "two"):
        (tmp_path / node).mkdir()
        subprocess.run(["cp", "-p", tmp_path / "f", tmp_path / node], check=True)
    expected = b"%x-%x" % (FIXED * SECOND + 123_456_789, LARGE)
    assert tag_of(tmp_path / "one", mode="mtime") == tag_of(tmp_path / "two", mode="mtime") == expected
    assert tag_of(tmp_path / "one") != tag_of(tmp_path / "two"), "auto: they are not known to be the same"


@pytest.mark.parametrize("mtime", [0, 1, NPM])
def test_with_mtime_a_placeholder_gives_no_tag(tmp_path: Path, mtime: float) -> None:
    publish(tmp_path, bytes(LARGE), mtime)
    assert tag_of(tmp_path, mode="mtime") is None


def test_with_content_a_large_file_has_no_tag(tmp_path: Path) -> None:
    publish(tmp_path, bytes(LARGE))
    assert tag_of(tmp_path, mode="content") is None


# ------------------------------------------------------------------------------------------------ the file system's clock

CTIME = 1_800_000_000 * SECOND + 123_456_789
MS = 1_000_000


@pytest.mark.parametrize(
    ("ctime", "since", "racy"),
    [
        (CTIME, 0, True),
        (CTIME, 10 * MS - 1, True),
        (CTIME, 10 * MS, False),
        (CTIME, -4 * MS, True),  # a fine-grained time is ahead of the clock that ticks
        (CTIME, -3600 * SECOND, False),  # the clock was set back
        (CTIME, 3600 * SECOND, False),
        (1_800_000_000 * SECOND, 0, True),
        (1_800_000_000 * SECOND, 2 * SECOND - 1, True),
        (1_800_000_000 * SECOND, 2 * SECOND, False),
        (1_800_000_000 * SECOND, -3600 * SECOND, False),
    ],
)
def test_a_file_is_racy_as_long_as_another_change_may_get_the_same_ctime(ctime: int, since: int, racy: bool) -> None:
    assert is_racy(ctime, ctime + since) is racy
    assert can_wait(ctime) is (ctime == CTIME)


def test_a_changed_file_gets_its_ctime_from_this_clock(tmp_path: Path) -> None:
    """So a change never has an earlier time than the clock had before it."""
    for _ in range(300):
        before = file_clock()
        (tmp_path / "f").write_bytes(b"x")
        assert before <= (tmp_path / "f").stat().st_ctime_ns


class Pauses:
    """A replacement of time.sleep in the disk, which records each pause and calls `meanwhile` in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object] = bool) -> None:
        self.seconds: list[float] = []
        self._meanwhile = meanwhile
        monkeypatch.setattr(examiner.time, "sleep", self)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._meanwhile()


def test_a_large_file_that_has_just_changed_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(bytes(LARGE))
    ctime = (tmp_path / "f").stat().st_ctime_ns
    clock = iter([ctime, ctime + 4 * MS, ctime + 12 * MS])
    pauses = Pauses(monkeypatch)
    assert tag_of(tmp_path, clock=lambda: next(clock)) == tag_of(tmp_path)
    assert len(pauses.seconds) == 2


def test_a_large_file_that_keeps_changing_has_no_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait is short."""
    path = tmp_path / "f"
    path.write_bytes(bytes(LARGE))
    pauses = Pauses(monkeypatch, lambda: os.truncate(path, path.stat().st_size + 1))
    disk = Disk(str(tmp_path), clock=lambda: path.stat().st_ctime_ns)
    found = as_open_file(disk.find(make_lookup(b"f")))
    assert found.file is not None
    found.file.close()
    assert (found.tag, found.settled) == (None, False)
    assert found.size == LARGE + len(pauses.seconds), "the last status counts"
    assert sum(pauses.seconds) <= 0.05


class TickingDirectory:
    """Large files on a disk whose clock starts at a full second and moves by 5 ms with each pause."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._root = root
        self.now = (file_clock() // SECOND + 1) * SECOND + MS
        self._ctimes: dict[int, int] = {}
        self.pauses = Pauses(monkeypatch, self._tick)
        self.busy: list[str] = []
        self.disk = Disk(str(root), clock=lambda: self.now)
        real = os.fstat
        monkeypatch.setattr(examiner.os, "fstat", lambda number: self._stamped(real(number)))

    def publish(self, name: str) -> None:
        (self._root / name).write_bytes(bytes(LARGE))
        self._ctimes[(self._root / name).stat().st_ino] = self.now

    def tag(self, name: str) -> bytes | None:
        found = as_open_file(self.disk.find(make_lookup(name.encode())))
        assert found.file is not None
        found.file.close()
        return found.tag

    def _tick(self) -> None:
        self.now += 5 * MS
        for name in self.busy:
            self._ctimes[(self._root / name).stat().st_ino] = self.now

    def _stamped(self, status: os.stat_result) -> os.stat_result:
        ctime = self._ctimes.get(status.st_ino, status.st_ctime_ns)
        exact = {name: getattr(status, name) for name in ("st_mtime_ns", "st_ctime_ns")} | {"st_ctime_ns": ctime}
        return os.stat_result(tuple(status), exact)


@pytest.fixture
def ticking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TickingDirectory:
    return TickingDirectory(tmp_path, monkeypatch)


def test_a_file_that_changes_all_the_time_is_soon_not_waited_for(ticking: TickingDirectory) -> None:
    """40 clients may request a log that is being written, and one thread may serve them all."""
    ticking.publish("log")
    ticking.busy = ["log"]
    assert {ticking.tag("log") for _ in range(40)} == {None}
    assert sum(ticking.pauses.seconds) <= 0.02
    ticking.now += SECOND
    ticking.publish("log")
    assert {ticking.tag("log") for _ in range(40)} == {None}
    assert sum(ticking.pauses.seconds) <= 0.04, "in a second"


def test_a_published_file_has_its_tag_at_once_while_another_keeps_changing(ticking: TickingDirectory) -> None:
    ticking.publish("log")
    ticking.busy = ["log"]
    for number in range(4):
        assert ticking.tag("log") is None
        ticking.publish(f"{number}")
        assert ticking.tag(f"{number}") is not None


def test_files_that_are_published_all_the_time_are_not_all_waited_for(ticking: TickingDirectory) -> None:
    tags = []
    for number in range(100):
        ticking.publish(f"{number}")
        tags.append(ticking.tag(f"{number}"))
    assert None not in tags[:4]
    assert sum(ticking.pauses.seconds) <= 0.2


def test_a_file_that_is_published_repeatedly_has_its_tag_at_once(ticking: TickingDirectory) -> None:
    for _ in range(4):
        ticking.publish("f")  # with the inode number of the file before, as a file system may reuse it
        assert ticking.tag("f") is not None


def test_files_that_were_published_together_share_one_wait(ticking: TickingDirectory) -> None:
    for number in range(20):
        ticking.publish(f"{number}")
    assert None not in [ticking.tag(f"{number}") for number in range(20)]
    assert len(ticking.pauses.seconds) == 2


@pytest.mark.parametrize("mode", ["auto", "content"])
def test_small_files_and_files_without_a_tag_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    (tmp_path / "f").write_bytes(bytes(SMALL if mode == "auto" else LARGE))
    pauses = Pauses(monkeypatch)
    tag_of(tmp_path, mode=mode, clock=(tmp_path / "f").stat().st_ctime_ns.__int__)
    assert not pauses.seconds


@pytest.mark.parametrize(
    ("since_ctime", "is_settled"),
    [(0, False), (9 * MS, False), (SECOND, True), (86_400 * SECOND, True), (-3600 * SECOND, False)],
)
def test_a_file_is_settled_once_another_change_would_be_seen(
    tmp_path: Path, since_ctime: int, is_settled: bool
) -> None:
    """A change may be unseen within a tick of ctime, and within the second of Last-Modified."""
    publish(tmp_path, b"x", 4_000_000_000)
    ctime = (tmp_path / "f").stat().st_ctime_ns
    found = as_open_file(Disk(str(tmp_path), clock=lambda: ctime + since_ctime).find(make_lookup(b"f")))
    assert found.settled is is_settled
    assert found.mtime_ns == ctime, "an mtime in the future is not used"


def test_a_file_with_a_fixed_mtime_is_settled_after_a_tick(tmp_path: Path) -> None:
    publish(tmp_path, b"x")
    ctime = (tmp_path / "f").stat().st_ctime_ns
    for since, is_settled in ((9 * MS, False), (10 * MS, True)):
        found = as_open_file(Disk(str(tmp_path), clock=lambda at=ctime + since: at).find(make_lookup(b"f")))
        assert found.settled is is_settled


def test_a_file_that_is_not_settled_is_never_revalidated(tmp_path: Path) -> None:
    publish(tmp_path, b"x")
    ctime = (tmp_path / "f").stat().st_ctime_ns
    now = ctime
    disk = Disk(str(tmp_path), clock=lambda: now)
    known = [(make_lookup(b"f"), as_open_file(disk.find(make_lookup(b"f"))))]
    now = ctime + SECOND
    assert disk.revalidate(known) == [False]
    known = [(make_lookup(b"f"), as_open_file(disk.find(make_lookup(b"f"))))]
    assert disk.revalidate(known) == [True]


@contextmanager
def whole_seconds(folder: Path) -> Iterator[Path]:
    """A file system whose clock counts seconds: ext4 with small inodes."""
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    (folder / "mounted").mkdir()
    made = subprocess.run(["mkfs.ext4", "-q", "-I", "128", image], capture_output=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, folder / "mounted"], capture_output=True)
    if made.returncode or mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder / "mounted"
    finally:
        subprocess.run(["umount", folder / "mounted"], check=True)


@pytest.mark.skipif(not shutil.which("mkfs.ext4") or os.geteuid() != 0, reason="no file system can be mounted here")
def test_a_clock_that_counts_seconds_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file has no tag while it is racy; the tag of a small one is the digest of its content as always."""
    pauses = Pauses(monkeypatch)
    with whole_seconds(tmp_path) as root:
        now = 0
        disk = Disk(str(root), clock=lambda: now)
        for size, content in ((1000, b"one"), (1000, b"two"), (LARGE, b"one"), (LARGE, b"two")):
            (root / "f").write_bytes(content * size)
            ctime = (root / "f").stat().st_ctime_ns
            assert ctime % SECOND == 0
            for now in (ctime, ctime + SECOND, ctime + 2 * SECOND):
                found = as_open_file(disk.find(make_lookup(b"f")))
                if found.file is None:
                    assert found.tag == content_tag(content * size)
                else:
                    found.file.close()
                    assert (found.tag is None) is (now < ctime + 2 * SECOND)
                assert found.settled is (now == ctime + 2 * SECOND)
    assert not pauses.seconds


def test_threads_that_ask_together_do_not_exceed_the_waits_d12(tmp_path: Path) -> None:
    """Two threads meet, if nothing keeps them apart, between the look at the count and the next wait that is counted."""
    budget, status = WaitBudget(), os.stat(tmp_path)
    limit = next(number for number in count() if not budget.allows(b"%d" % number, status, 0))
    budget = WaitBudget()
    for number in range(limit - 1):
        assert budget.allows(b"%d" % number, status, 0)
    barrier = Barrier(2)

    class Name(bytes):
        def __eq__(self, other: object) -> bool:
            with suppress(BrokenBarrierError):
                barrier.wait(0.2)
            return super().__eq__(other)

        __hash__ = bytes.__hash__

    with ThreadPoolExecutor(2) as pool:
        allowed = list(pool.map(lambda name: budget.allows(name, status, 0), (Name(b"a"), Name(b"b"))))
    assert sorted(allowed) == [False, True]
