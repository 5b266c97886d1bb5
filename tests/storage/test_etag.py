"""What the entity tag of a file is made of, and when its times can be trusted (hazards D7 and D12, RFC 9110 8.8.3)."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pwb_async.storage import disk as disk_module
from pwb_async.storage.disk import SMALL, Disk
from pwb_async.storage.etag import METADATA_TAGS, can_wait, content_tag, file_clock, is_racy

from .test_disk import later, look, opened

SECOND = 10**9
NPM = 499162500
FIXED = 1_600_000_000
"""A time that somebody gives to all files, and that is no known placeholder."""
LARGE = SMALL + 1
SIZES = pytest.mark.parametrize("size", [1000, LARGE], ids=["small", "large"])
MODES = pytest.mark.parametrize("mode", METADATA_TAGS)


def tag_of(root: Path, name: str = "f", mode: str = "auto", clock: Callable[[], int] = later) -> bytes | None:
    """The tag that a disk of its own makes; the file is closed."""
    found = opened(Disk(str(root), etag=mode, clock=clock).find(look(name.encode())))
    if found.file is not None:
        found.file.close()
    return found.tag


def publish(root: Path, content: bytes, mtime: float = FIXED) -> None:
    """A file with a fixed time, by rename."""
    new = root / "f.new"
    new.write_bytes(content)
    os.utime(new, (mtime, mtime))
    new.replace(root / "f")


# ------------------------------------------------------------------------------------------------ a digest of the bytes


@pytest.mark.parametrize(
    ("content", "tag"),
    [
        (b"", b"99aa06d3014798d86001c324468d497f"),
        (b"abcdefghijklmnopqrstuvwxyz", b"db7ca44e84843d67ebe162220154e1e6"),
    ],
)
def test_a_digest_is_the_same_with_every_release_and_on_every_machine(content: bytes, tag: bytes) -> None:
    """As xxhsum -H2 prints it; other values would make every client fetch every file anew."""
    assert content_tag(content) == tag


@MODES
@pytest.mark.parametrize("size", [0, 1, 4096, SMALL])
def test_equal_bytes_have_one_tag_on_two_servers_and_at_all_times(tmp_path: Path, size: int, mode: str) -> None:
    content = os.urandom(size)
    tags = set()
    for node, mtime in (("one", FIXED), ("two", 4_000_000_000), ("three", 0)):
        (tmp_path / node).mkdir()
        publish(tmp_path / node, content, mtime)
        tags |= {tag_of(tmp_path / node, mode=mode, clock=clock) for clock in (file_clock, later)}
    assert tags == {content_tag(content)}


@MODES
def test_other_bytes_have_another_tag_whatever_their_time(tmp_path: Path, mode: str) -> None:
    tags = set()
    for number in range(100):
        publish(tmp_path, b"%03d" % number)
        tags.add(tag_of(tmp_path, mode=mode, clock=file_clock))
    assert len(tags) == 100


# ------------------------------------------------------------------------------------------------ large files


def test_nothing_of_a_large_file_is_read_for_its_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pread(*_: object) -> bytes:
        raise AssertionError("it was read")

    publish(tmp_path, bytes(LARGE))
    monkeypatch.setattr(os, "pread", pread)
    for mode in METADATA_TAGS:
        tag_of(tmp_path, mode=mode)


@pytest.mark.parametrize("mode", ["auto", "mtime"])
@pytest.mark.parametrize("mtime", [FIXED, 4_000_000_000], ids=["past", "D12-future"])
def test_the_tag_of_a_large_file_does_not_change_with_time(tmp_path: Path, mode: str, mtime: float) -> None:
    """At once, 2.1 s later, a day later, and when the clock has been set back by an hour."""
    publish(tmp_path, bytes(LARGE), mtime)
    tags = {tag_of(tmp_path, mode=mode, clock=file_clock)}
    for offset in (2.1, 86_400, -3600):
        tags.add(tag_of(tmp_path, mode=mode, clock=lambda by=int(offset * SECOND): file_clock() + by))
    assert len(tags) == 1
    assert None not in tags


@pytest.mark.parametrize("mtime", [NPM, FIXED, 0])
def test_d7_large_files_with_one_time_and_size_have_a_tag_each(tmp_path: Path, mtime: float) -> None:
    tags = set()
    for number in range(20):
        publish(tmp_path, b"%04d" % number * (LARGE // 4 + 1), mtime)
        tags.add(tag_of(tmp_path, clock=file_clock))
    assert len(tags) == 20
    assert None not in tags


def test_d7_so_have_two_that_were_made_in_the_same_moment(tmp_path: Path) -> None:
    """As releases do that are unpacked together and put up one after the other."""
    for release in range(20):
        (tmp_path / f"{release}").mkdir()
        publish(tmp_path / f"{release}", bytes(LARGE))
    assert len({tag_of(tmp_path / f"{release}") for release in range(20)}) == 20


def test_d7_a_time_that_is_put_back_does_not_put_the_tag_back(tmp_path: Path) -> None:
    publish(tmp_path, bytes(LARGE))
    before = tag_of(tmp_path, clock=file_clock)
    with open(tmp_path / "f", "r+b") as file:
        file.write(b"other")
    os.utime(tmp_path / "f", (FIXED, FIXED))
    assert tag_of(tmp_path, clock=file_clock) not in (before, None)


def test_mtime_agrees_on_copies_that_keep_their_time(tmp_path: Path) -> None:
    publish(tmp_path, bytes(LARGE))
    os.utime(tmp_path / "f", ns=(0, FIXED * SECOND + 123_456_789))
    for node in ("one", "two"):
        (tmp_path / node).mkdir()
        subprocess.run(["cp", "-p", tmp_path / "f", tmp_path / node], check=True)
    expected = b"%x-%x" % (FIXED * SECOND + 123_456_789, LARGE)
    assert tag_of(tmp_path / "one", mode="mtime") == tag_of(tmp_path / "two", mode="mtime") == expected
    assert tag_of(tmp_path / "one") != tag_of(tmp_path / "two"), "auto: they are not known to be the same"


@pytest.mark.parametrize("mtime", [0, 1, NPM])
def test_mtime_makes_nothing_of_a_placeholder(tmp_path: Path, mtime: float) -> None:
    publish(tmp_path, bytes(LARGE), mtime)
    assert tag_of(tmp_path, mode="mtime") is None


def test_content_makes_no_tag_of_what_is_not_read(tmp_path: Path) -> None:
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
def test_racy_is_what_another_change_could_be_stamped_like(ctime: int, since: int, racy: bool) -> None:
    assert is_racy(ctime, ctime + since) is racy
    assert can_wait(ctime) is (ctime == CTIME)


def test_a_file_is_stamped_by_this_clock(tmp_path: Path) -> None:
    """So a change after a reading of the clock never has an earlier time than it read."""
    for _ in range(300):
        before = file_clock()
        (tmp_path / "f").write_bytes(b"x")
        assert before <= (tmp_path / "f").stat().st_ctime_ns


class Pauses:
    """Stands in for time.sleep in the disk: notes each pause, and what happens meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object] = bool) -> None:
        self.seconds: list[float] = []
        self._meanwhile = meanwhile
        monkeypatch.setattr(disk_module.time, "sleep", self)

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


def test_a_large_file_that_goes_on_changing_has_no_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait is short, and has an end."""
    path = tmp_path / "f"
    path.write_bytes(bytes(LARGE))
    pauses = Pauses(monkeypatch, lambda: os.truncate(path, path.stat().st_size + 1))
    disk = Disk(str(tmp_path), clock=lambda: path.stat().st_ctime_ns)
    found = opened(disk.find(look(b"f")))
    assert found.file is not None
    found.file.close()
    assert (found.tag, found.settled) == (None, False)
    assert found.size == LARGE + len(pauses.seconds), "what was seen last counts"
    assert sum(pauses.seconds) <= 0.05


class TickingFolder:
    """Large files on a disk whose clock moves by 5 ms with each pause, counted from the beginning of a second."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._root = root
        self.now = (file_clock() // SECOND + 1) * SECOND + MS
        self._ctimes: dict[int, int] = {}
        self.pauses = Pauses(monkeypatch, self._tick)
        self.busy: list[str] = []
        self.disk = Disk(str(root), clock=lambda: self.now)
        real = os.fstat
        monkeypatch.setattr(disk_module.os, "fstat", lambda number: self._stamped(real(number)))

    def publish(self, name: str) -> None:
        (self._root / name).write_bytes(bytes(LARGE))
        self._ctimes[(self._root / name).stat().st_ino] = self.now

    def tag(self, name: str) -> bytes | None:
        found = opened(self.disk.find(look(name.encode())))
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
def ticking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TickingFolder:
    return TickingFolder(tmp_path, monkeypatch)


def test_a_file_that_changes_all_the_time_is_soon_not_waited_for(ticking: TickingFolder) -> None:
    """One thread may serve everybody, and 40 clients may ask for a log that is being written."""
    ticking.publish("log")
    ticking.busy = ["log"]
    assert {ticking.tag("log") for _ in range(40)} == {None}
    assert sum(ticking.pauses.seconds) <= 0.02
    ticking.now += SECOND
    ticking.publish("log")
    assert {ticking.tag("log") for _ in range(40)} == {None}
    assert sum(ticking.pauses.seconds) <= 0.04, "in a second"


def test_beside_it_a_file_that_was_just_published_has_its_tag_at_once(ticking: TickingFolder) -> None:
    ticking.publish("log")
    ticking.busy = ["log"]
    for number in range(4):
        assert ticking.tag("log") is None
        ticking.publish(f"{number}")
        assert ticking.tag(f"{number}") is not None


def test_files_that_are_published_without_end_do_not_take_all_the_time(ticking: TickingFolder) -> None:
    tags = []
    for number in range(100):
        ticking.publish(f"{number}")
        tags.append(ticking.tag(f"{number}"))
    assert None not in tags[:4]
    assert sum(ticking.pauses.seconds) <= 0.2


def test_a_file_that_is_published_again_and_again_has_its_tag_at_once(ticking: TickingFolder) -> None:
    for _ in range(4):
        ticking.publish("f")  # with the number of the file before it, as a file system may give it
        assert ticking.tag("f") is not None


def test_files_that_were_published_together_are_waited_for_together(ticking: TickingFolder) -> None:
    for number in range(20):
        ticking.publish(f"{number}")
    assert None not in [ticking.tag(f"{number}") for number in range(20)]
    assert len(ticking.pauses.seconds) == 2


@pytest.mark.parametrize("mode", ["auto", "content"])
def test_a_small_file_is_not_waited_for_nor_one_that_has_no_tag(
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
def test_settled_is_what_cannot_change_unseen(tmp_path: Path, since_ctime: int, is_settled: bool) -> None:
    """Neither within its tick, nor within the second that is told as Last-Modified."""
    publish(tmp_path, b"x", 4_000_000_000)
    ctime = (tmp_path / "f").stat().st_ctime_ns
    found = opened(Disk(str(tmp_path), clock=lambda: ctime + since_ctime).find(look(b"f")))
    assert found.settled is is_settled
    assert found.mtime_ns == ctime, "a time in the future was set, and says nothing"


def test_a_fixed_time_settles_with_its_tick(tmp_path: Path) -> None:
    publish(tmp_path, b"x")
    ctime = (tmp_path / "f").stat().st_ctime_ns
    for since, is_settled in ((9 * MS, False), (10 * MS, True)):
        found = opened(Disk(str(tmp_path), clock=lambda at=ctime + since: at).find(look(b"f")))
        assert found.settled is is_settled


def test_what_has_not_settled_is_looked_at_anew(tmp_path: Path) -> None:
    publish(tmp_path, b"x")
    ctime = (tmp_path / "f").stat().st_ctime_ns
    now = ctime
    disk = Disk(str(tmp_path), clock=lambda: now)
    known = [(look(b"f"), opened(disk.find(look(b"f"))))]
    now = ctime + SECOND
    assert disk.revalidate(known) == [False]
    known = [(look(b"f"), opened(disk.find(look(b"f"))))]
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
    """A large file has no tag as long as it is racy, and the bytes of a small one decide as ever."""
    pauses = Pauses(monkeypatch)
    with whole_seconds(tmp_path) as root:
        now = 0
        disk = Disk(str(root), clock=lambda: now)
        for size, content in ((1000, b"one"), (1000, b"two"), (LARGE, b"one"), (LARGE, b"two")):
            (root / "f").write_bytes(content * size)
            ctime = (root / "f").stat().st_ctime_ns
            assert ctime % SECOND == 0
            for now in (ctime, ctime + SECOND, ctime + 2 * SECOND):
                found = opened(disk.find(look(b"f")))
                if found.file is None:
                    assert found.tag == content_tag(content * size)
                else:
                    found.file.close()
                    assert (found.tag is None) is (now < ctime + 2 * SECOND)
                assert found.settled is (now == ctime + 2 * SECOND)
    assert not pauses.seconds
