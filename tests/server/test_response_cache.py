"""The shelf on a real disk: what it trusts and for how long, who stays, and that it answers as the disk would."""

import asyncio
import gc
import os
import threading
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request
from pwb_async.core.site.lookup import Finding, Lookup, OpenFile
from pwb_async.core.site.site import Site
from pwb_async.server.async_storage import AsyncStorage
from pwb_async.server.response_cache import ResponseCache
from pwb_async.storage import disk
from pwb_async.storage.disk import Disk
from tests.conformance.server import eventually
from tests.storage.test_disk import later

LONG_AGO = 1_600_000_000
READER = RequestParser(Limits())
SITE = Site()
TTL = 1.0
SPACE = 64 << 20


def ask(path: str, *lines: str, method: str = "GET") -> Request:
    head = "".join(f"{line}\r\n" for line in (f"{method} {path} HTTP/1.1", "Host: x", *lines))
    request = READER.parse(head.encode())
    assert isinstance(request, Request)
    return request


class Counted(Disk):
    """looks: how often it was asked, by path. dead: until it is set, no look comes back. Its files have settled."""

    def __init__(self, root: Path) -> None:
        super().__init__(str(root), clock=later)
        self.looks: list[bytes] = []
        self.dead: threading.Event | None = None

    def find(self, lookup: Lookup) -> Finding:
        self.looks.append(lookup.path)
        return super().find(lookup)

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        self.looks += [lookup.path for lookup, _ in known]
        if self.dead:
            self.dead.wait()
        return super().revalidate(known)


class StorageError(Disk):
    def find(self, lookup: Lookup) -> Finding:
        raise ValueError("broken")


class Case:
    """A shelf over a folder of its own; looks: how often the disk was asked, by path."""

    def __init__(self, root: Path, space: int = SPACE) -> None:
        self.root = root
        self.disk = Disk(str(root), clock=later)
        counted = self.disk_counted = Counted(root)
        self.looks = counted.looks
        self.files = AsyncStorage(counted)
        self.shelf = ResponseCache(SITE, self.files, space, TTL)
        self.now = asyncio.get_running_loop().time

    def write(self, name: str, content: bytes, mtime: float = LONG_AGO) -> Path:
        path = self.root / name
        path.write_bytes(content)
        os.utime(path, (mtime, mtime))
        return path

    async def fetch(self, path: str, *lines: str, method: str = "GET") -> bytes:
        """What a client gets, from the shelf if it is there, else through it."""
        request = ask(path, *lines, method=method)
        response = self.shelf.answer(request, self.now())
        if response is None:
            lookup = SITE.locate(request)
            assert isinstance(lookup, Lookup)
            response = SITE.reply(lookup, await self.shelf.find(lookup))
        return wire(request, response)

    def plain(self, path: str, *lines: str, method: str = "GET") -> bytes:
        """What a client gets without a shelf."""
        request = ask(path, *lines, method=method)
        lookup = SITE.locate(request)
        assert isinstance(lookup, Lookup)
        return wire(request, SITE.reply(lookup, self.disk.find(lookup)))

    def holds(self, path: str) -> bool:
        return self.shelf.answer(ask(path), self.now()) is not None


def wire(request: Request, response: object) -> bytes:
    connection = Connection(READER)
    out = b""
    for part in connection.respond(request, response, LONG_AGO * 1.5):  # type: ignore[arg-type]
        out += part if isinstance(part, bytes) else os.pread(part.file.fileno(), part.length, part.start)
    return out


@pytest_asyncio.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    case = Case(tmp_path)
    yield case
    case.files.close()


REQUESTS = {
    "whole": [],
    "9110-13.1.2-not-modified": ["If-None-Match: *"],
    "9110-13.1.1-precondition-failed": ['If-Match: "other"'],
    "9110-14.2-range": ["Range: bytes=2-4"],
    "9110-14.6-ranges": ["Range: bytes=0-0,3-5"],
    "9110-15.5.17-unsatisfiable": ["Range: bytes=999999999-"],
}


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, 131072, 131073, 300000])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", REQUESTS)
async def test_a_hit_sends_the_same_bytes_as_the_disk(case: Case, name: str, method: str, size: int) -> None:
    case.write("a.html", os.urandom(size))
    await case.fetch("/a.html")
    assert case.holds("/a.html")
    looked = len(case.looks)
    for _ in range(2):
        assert await case.fetch("/a.html", *REQUESTS[name], method=method) == case.plain(
            "/a.html", *REQUESTS[name], method=method
        )
    assert len(case.looks) == looked, "the shelf asked the disk"


async def test_a_hundred_clients_of_a_cold_file_cause_one_look(case: Case) -> None:
    case.write("a.html", b"x" * 1000)
    answers = await asyncio.gather(*(case.fetch("/a.html") for _ in range(100)))
    assert set(answers) == {case.plain("/a.html")}
    assert case.looks == [b"a.html"]


async def test_what_the_disk_raises_reaches_all_who_wait(case: Case) -> None:
    shelf = ResponseCache(SITE, AsyncStorage(StorageError(str(case.root))), SPACE, TTL)
    lookup = SITE.locate(ask("/a.html"))
    assert isinstance(lookup, Lookup)
    results = await asyncio.gather(*(shelf.find(lookup) for _ in range(3)), return_exceptions=True)
    assert [str(result) for result in results] == ["broken"] * 3


def _replace(path: Path) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(b"new")
    os.replace(new, path)


CHANGES = {
    "D3-replaced": _replace,
    "D4-overwritten": lambda path: path.write_bytes(b"NEW CONTENT"),
    "D1-truncated": lambda path: os.truncate(path, 1),
    "deleted": lambda path: path.unlink(),
    "mode-changed": lambda path: path.chmod(0o600),
}


@pytest.mark.parametrize("size", [1000, 200000])
@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_is_seen_by_the_next_look(case: Case, change: str, size: int) -> None:
    path = case.write("a.html", b"x" * size)
    await case.fetch("/a.html")
    assert case.holds("/a.html")
    CHANGES[change](path)
    assert case.shelf.answer(ask("/a.html"), case.now() + 2 * TTL) is None, "trusted for longer than its time"
    await case.shelf.refresh(horizon=2 * TTL)
    assert not case.holds("/a.html")
    assert await case.fetch("/a.html") == case.plain("/a.html")


async def test_a_swapped_release_is_seen_by_the_next_look(case: Case) -> None:
    for release in ("one", "two"):
        (case.root / release).mkdir()
        case.write(f"{release}/a.html", release.encode())
    current = case.root / "current"
    current.symlink_to("one")
    case.files.reconfigure(Disk(str(current)), 10)
    assert (await case.fetch("/a.html")).endswith(b"one")
    assert case.holds("/a.html")
    (case.root / "next").symlink_to("two")
    os.replace(case.root / "next", current)
    await case.shelf.refresh(horizon=2 * TTL)
    assert (await case.fetch("/a.html")).endswith(b"two")


async def test_what_was_asked_for_is_looked_at_again_in_one_go_and_stays(case: Case) -> None:
    for name in "abc":
        case.write(f"{name}.html", b"x")
        await case.fetch(f"/{name}.html")
    for name in "ab":
        assert case.holds(f"/{name}.html")
    case.looks.clear()
    await case.shelf.refresh(horizon=2 * TTL)
    assert case.looks == [b"a.html", b"b.html"], "c was not asked for since it was put there"
    later = case.now() + 0.9 * TTL
    assert case.shelf.answer(ask("/a.html"), later) is not None


async def test_who_asks_for_what_is_no_longer_trusted_waits_for_one_look_at_all(case: Case) -> None:
    names = [f"{number}.html" for number in range(5)]
    for name in names:
        case.write(name, b"old")
        await case.fetch(f"/{name}")
        case.shelf._entries[name.encode()].fresh_until = 0.0
    case.write("2.html", b"new content")
    (case.root / "3.html").unlink()
    case.looks.clear()
    answers = await asyncio.gather(*(case.fetch(f"/{name}") for name in names for _ in range(20)))
    assert answers == [case.plain(f"/{name}") for name in names for _ in range(20)]
    assert case.looks[:5] == [name.encode() for name in names], "one look at all"
    assert sorted(case.looks[5:]) == [b"2.html", b"3.html"], "only what has changed is found anew"
    assert case.holds("/0.html")


async def test_e6_who_asks_does_not_wait_for_a_look_that_hangs(case: Case) -> None:
    """One dead folder must not hold the others, though one thread looks at all of them."""
    for name in ("dead", "a", "b"):
        case.write(f"{name}.html", b"x")
        await case.fetch(f"/{name}.html")
        case.shelf._entries[f"{name}.html".encode()].fresh_until = 0.0
    revived = threading.Event()
    case.disk_counted.dead = revived
    try:
        async with asyncio.timeout(10):
            assert await case.fetch("/dead.html") == case.plain("/dead.html")
            assert await case.fetch("/a.html") == case.plain("/a.html")
            assert case.holds("/a.html")
    finally:
        revived.set()
    case.disk_counted.dead = None
    assert await case.fetch("/b.html") == case.plain("/b.html")


@pytest.mark.parametrize(
    ("came", "asked", "is_looked_at"),
    [
        pytest.param(20.0, 3.0, True, id="asked-for-again-lately"),
        pytest.param(20.0, 7.0, False, id="not-lately"),
        pytest.param(5.0, 5.0, False, id="once-as-a-crawler-does"),
    ],
)
async def test_what_is_asked_for_now_and_then_keeps_its_trust(
    case: Case, came: float, asked: float, is_looked_at: bool
) -> None:
    case.write("a.html", b"x")
    await case.fetch("/a.html")
    entry = case.shelf._entries[b"a.html"]
    now = case.now()
    entry.first_used, entry.last_used, entry.fresh_until = now - came, now - asked, now + 0.1
    case.looks.clear()
    await case.shelf.refresh(horizon=0.3)
    assert case.looks == ([b"a.html"] if is_looked_at else [])


async def test_an_open_file_that_nobody_asks_for_is_let_go(case: Case) -> None:
    path = case.write("large.bin", b"x" * 200000)
    before = len(os.listdir("/proc/self/fd"))
    await case.fetch("/large.bin")
    assert len(os.listdir("/proc/self/fd")) > before
    path.unlink()
    shelf = case.shelf
    entry = shelf._entries[b"large.bin"]
    entry.fresh_until = 0.0
    del entry
    await shelf.refresh(horizon=0)
    # A thread closes what has been deleted.
    await eventually(lambda: len(os.listdir("/proc/self/fd")) == before, 10)


@pytest.mark.parametrize("settled", [False, True])
async def test_d7_a_second_change_within_a_tick_is_seen_by_the_next_look(
    case: Case, monkeypatch: pytest.MonkeyPatch, settled: bool
) -> None:
    """Such a change leaves no other times behind. No file system here does that at will, so its times are blotted out."""
    monkeypatch.setattr(disk, "_version", lambda status: ())
    path = case.write("a.html", b"one")
    if not settled:
        at = path.stat().st_ctime_ns
        case.files.reconfigure(Disk(str(case.root), clock=lambda: at), 10)
    assert (await case.fetch("/a.html")).endswith(b"one")
    case.write("a.html", b"two")
    assert case.holds("/a.html")
    await case.shelf.refresh(horizon=2 * TTL)
    assert case.holds("/a.html") is settled
    assert (await case.fetch("/a.html")).endswith(b"one" if settled else b"two")


async def test_a_head_puts_a_file_on_the_shelf_for_all(case: Case) -> None:
    """Its entity tag takes the content, which is then there."""
    case.write("a.html", b"x" * 1000)
    assert await case.fetch("/a.html", method="HEAD") == case.plain("/a.html", method="HEAD")
    assert case.holds("/a.html")
    assert await case.fetch("/a.html") == case.plain("/a.html")
    assert case.looks == [b"a.html"]


async def test_a_crawler_does_not_empty_the_shelf(tmp_path: Path) -> None:
    case = Case(tmp_path, space=400_000)
    for number in range(20):
        case.write(f"hot{number}.html", b"h" * 2000)
    for number in range(300):
        case.write(f"cold{number}.html", b"c" * 2000)
    for _ in range(3):
        for number in range(20):
            await case.fetch(f"/hot{number}.html")
    for number in range(300):
        await case.fetch(f"/cold{number}.html")
        await case.fetch(f"/hot{number % 20}.html")
    assert sum(case.holds(f"/hot{number}.html") for number in range(20)) == 20
    used = sum(entry.size for entry in case.shelf._entries.values())
    assert 0 < used <= 400_000
    case.files.close()


async def test_answers_that_differ_from_client_to_client_are_bounded_and_counted(case: Case) -> None:
    case.write("a.html", b"x" * 1000)
    await case.fetch("/a.html")
    for number in range(100):
        await case.fetch("/a.html", f"Range: bytes={number}-{number + 1}")
    entry = case.shelf._entries[b"a.html"]
    assert len(entry.answers) == 16
    assert entry.size >= 16 * 2048


async def test_d12_a_file_from_the_future_is_like_any_other(case: Case) -> None:
    """Its answers do not change with time: they are kept when it is looked at again, and count once."""
    case.write("a.html", b"x" * 1000, mtime=4_000_000_000)
    await case.fetch("/a.html")
    entry = case.shelf._entries[b"a.html"]
    for _ in range(10):
        for number in range(20):
            await case.fetch("/a.html", f"Range: bytes={number}-{number + 1}")
        await case.shelf.refresh(horizon=2 * TTL)
        assert len(entry.answers) == 16
    assert case.shelf._entries[b"a.html"] is entry
    assert entry.size == case.shelf._used == case.shelf._used_small < 17 * 2048 + 2 * 1100


HUGE_FIELDS = [f"X-{number}: {'x' * 8000}" for number in range(3)]


@pytest.mark.parametrize(
    ("size", "lines"),
    [
        (100, HUGE_FIELDS),
        (4096, []),
        (100, [*HUGE_FIELDS, "If-None-Match: *"]),
        (100, [f"If-None-Match: *, {'x' * 8000}"]),
        (100_000, ["Range: bytes={number}-"]),
        (100_000, ["Range: bytes={number}-99998,0-0"]),
    ],
)
async def test_a14_the_shelf_takes_no_more_memory_than_it_counts(case: Case, size: int, lines: list[str]) -> None:
    names = [f"/{number}.html" for number in range(20)]
    for name in names:
        case.write(name[1:], b"x" * size)
    await case.fetch(names[0])  # what is made once for all
    tracemalloc.start()
    try:
        for name in names:
            for number in range(1, 10):
                await case.fetch(name, *(line.format(number=number) for line in lines))
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(case.shelf._entries) == len(names)
    assert taken <= sum(entry.size for entry in case.shelf._entries.values()) + 20_000


async def test_equal_conditions_share_an_answer_whatever_else_a_client_says(case: Case) -> None:
    case.write("a.html", b"x" * 1000)
    await case.fetch("/a.html")
    for agent in ("curl", "Firefox"):
        for line in ("If-None-Match: *", "Range: bytes=0-1"):
            await case.fetch("/a.html", f"User-Agent: {agent}", line)
    assert len(case.shelf._entries[b"a.html"].answers) == 2


async def test_what_is_no_file_is_not_kept(case: Case) -> None:
    (case.root / "sub").mkdir()
    for target in ("/missing", "/sub", "/sub/"):
        await case.fetch(target)
        assert not case.holds(target)


async def test_c1_an_escaped_slash_is_not_the_file_that_is_on_the_shelf(case: Case) -> None:
    (case.root / "sub").mkdir()
    case.write("sub/a.html", b"x")
    case.write("index.html", b"x")
    for there, elsewhere in (("/sub/a.html", "/sub%2fa.html"), ("/", "/%2f")):
        await case.fetch(there)
        assert case.holds(there)
        assert not case.holds(elsewhere)
