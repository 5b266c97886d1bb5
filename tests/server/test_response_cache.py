"""The response cache on a real disk: freshness, eviction, and the same bytes as without a cache."""

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
from pwb_async.core.site.coding_negotiation import CodingNegotiation
from pwb_async.core.site.findings import Finding, OpenFile
from pwb_async.core.site.lookup import NO_REQUEST, Candidate, Lookup, Storage
from pwb_async.core.site.redirect_rules import RedirectRules, parse_rule
from pwb_async.core.site.site import Site
from pwb_async.server.async_storage import AsyncStorage
from pwb_async.server.cache_store import CacheStore, Entry
from pwb_async.server.response_cache import ResponseCache
from pwb_async.storage import disk, examiner
from pwb_async.storage.compression import CompressingStorage
from pwb_async.storage.disk import Disk
from tests.conformance.server import eventually
from tests.storage.test_disk import a_day_later

LONG_AGO = 1_600_000_000
READER = RequestParser(Limits())
SITE = Site()
TTL = 1.0
SPACE = 64 << 20


def ask(path: str, *lines: str, method: str = "GET", reader: RequestParser = READER) -> Request:
    head = "".join(f"{line}\r\n" for line in (f"{method} {path} HTTP/1.1", "Host: x", *lines))
    request = reader.parse(head.encode())
    assert isinstance(request, Request)
    return request


class Counted(Disk):
    """A disk that lists the paths it is asked for, and how many by each revalidation, which hangs until `dead` is set."""

    def __init__(self, root: Path, precompressed: bool = False) -> None:
        super().__init__(str(root), precompressed=precompressed, clock=a_day_later)
        self.calls: list[bytes] = []
        self.revalidations: list[int] = []
        self.dead: threading.Event | None = None

    def find(self, lookup: Lookup) -> Finding:
        self.calls.append(lookup.path)
        return super().find(lookup)

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        self.calls += [lookup.path for lookup, _ in known]
        self.revalidations.append(len(known))
        if self.dead:
            self.dead.wait()
        return super().revalidate(known)


class StorageError(Disk):
    def find(self, lookup: Lookup) -> Finding:
        raise ValueError("broken")


class Case:
    """A cache in front of a directory of its own; `calls` are the paths for which the disk was asked."""

    def __init__(self, root: Path, space: int = SPACE, site: Site = SITE, compress: bool = False) -> None:
        self.root = root
        self.site, self.reader = site, RequestParser(Limits(), site.variant)
        self.disk: Storage = Disk(str(root), precompressed=site.variant is not None, clock=a_day_later)
        counted = self.disk_counted = Counted(root, site.variant is not None)
        self.calls, self.revalidations = counted.calls, counted.revalidations
        storage: Storage = counted
        if compress:
            self.disk, storage = CompressingStorage(self.disk), CompressingStorage(counted)
        self.files = AsyncStorage(storage)
        self.cache = ResponseCache(site, self.files, space, TTL)
        self.now = asyncio.get_running_loop().time

    def write(self, name: str, content: bytes, mtime: float = LONG_AGO) -> Path:
        path = self.root / name
        path.write_bytes(content)
        os.utime(path, (mtime, mtime))
        return path

    def ask(self, path: str, *lines: str, method: str = "GET") -> Request:
        return ask(path, *lines, method=method, reader=self.reader)

    async def fetch(self, path: str, *lines: str, method: str = "GET") -> bytes:
        """The bytes that a client gets with the cache."""
        request = self.ask(path, *lines, method=method)
        response = self.cache.get(request, self.now())
        if response is None:
            lookup = self.site.locate(request)
            assert isinstance(lookup, Lookup)
            response = self.site.reply(lookup, await self.cache.find(lookup))
        return wire(request, response)

    def plain(self, path: str, *lines: str, method: str = "GET") -> bytes:
        """The bytes that a client gets without a cache."""
        request = self.ask(path, *lines, method=method)
        lookup = self.site.locate(request)
        assert isinstance(lookup, Lookup)
        return wire(request, self.site.reply(lookup, self.disk.find(lookup)))

    def holds(self, path: str) -> bool:
        return self.cache.get(self.ask(path), self.now()) is not None


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
    before = len(case.calls)
    for _ in range(2):
        assert await case.fetch("/a.html", *REQUESTS[name], method=method) == case.plain(
            "/a.html", *REQUESTS[name], method=method
        )
    assert len(case.calls) == before, "the cache asked the disk"


async def test_a_hundred_clients_of_an_uncached_file_cause_one_call(case: Case) -> None:
    case.write("a.html", b"x" * 1000)
    answers = await asyncio.gather(*(case.fetch("/a.html") for _ in range(100)))
    assert set(answers) == {case.plain("/a.html")}
    assert case.calls == [b"a.html"]


async def test_an_exception_of_the_disk_reaches_every_request_that_waits(case: Case) -> None:
    cache = ResponseCache(SITE, AsyncStorage(StorageError(str(case.root))), SPACE, TTL)
    lookup = SITE.locate(ask("/a.html"))
    assert isinstance(lookup, Lookup)
    results = await asyncio.gather(*(cache.find(lookup) for _ in range(3)), return_exceptions=True)
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
async def test_revalidation_sees_a_change(case: Case, change: str, size: int) -> None:
    path = case.write("a.html", b"x" * size)
    await case.fetch("/a.html")
    assert case.holds("/a.html")
    CHANGES[change](path)
    assert case.cache.get(ask("/a.html"), case.now() + 2 * TTL) is None, "it is fresh for too long"
    await case.cache.refresh(horizon=2 * TTL)
    assert not case.holds("/a.html")
    assert await case.fetch("/a.html") == case.plain("/a.html")


async def test_revalidation_sees_a_swapped_release(case: Case) -> None:
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
    await case.cache.refresh(horizon=2 * TTL)
    assert (await case.fetch("/a.html")).endswith(b"two")


async def test_entries_in_use_are_revalidated_together(case: Case) -> None:
    for name in "abc":
        case.write(f"{name}.html", b"x")
        await case.fetch(f"/{name}.html")
    for name in "ab":
        assert case.holds(f"/{name}.html")
    case.calls.clear()
    await case.cache.refresh(horizon=2 * TTL)
    assert case.calls == [b"a.html", b"b.html"], "c was not used after it had been cached"
    later = case.now() + 0.9 * TTL
    assert case.cache.get(ask("/a.html"), later) is not None


async def test_many_entries_are_revalidated_in_several_calls(case: Case) -> None:
    """The event loop waits for the interpreter lock during a call, so that none may be long."""
    names = [f"{number:03}.html" for number in range(150)]
    for name in reversed(names):
        case.write(name, b"hello")
        await case.fetch(f"/{name}")
    for name in names:
        await case.fetch(f"/{name}")
    case.revalidations.clear()
    await case.cache.refresh(horizon=2 * TTL)
    assert sum(case.revalidations) == len(names)
    assert max(case.revalidations) < len(names) / 2
    assert case.calls[-len(names) :] == [name.encode() for name in names]  # neighbours in one call


async def test_a_stale_entry_is_found_again_and_keeps_its_responses_if_it_is_unchanged(case: Case) -> None:
    names = [f"{number}.html" for number in range(5)]
    for name in names:
        case.write(name, b"old")
        await case.fetch(f"/{name}")
        assert case.holds(f"/{name}")
    before = dict(case.cache._entries)
    for entry in before.values():
        entry.fresh_until = 0.0
    case.write("2.html", b"new content")
    (case.root / "3.html").unlink()
    case.calls.clear()
    answers = await asyncio.gather(*(case.fetch(f"/{name}") for name in names for _ in range(20)))
    assert answers == [case.plain(f"/{name}") for name in names for _ in range(20)]
    assert case.calls == [name.encode() for name in names], "requests for one file share one call"
    after = case.cache._entries
    assert {key for key in before if after.get(key) is before[key]} == {b"0.html", b"1.html", b"4.html"}
    assert before[b"0.html"].plain_response is not None
    assert case.holds("/0.html")


async def test_e6_a_request_does_not_wait_for_a_revalidation_that_hangs(case: Case) -> None:
    """One directory that hangs must not hold up the others, though one call revalidates all of them."""
    for name in ("dead", "a", "b"):
        case.write(f"{name}.html", b"x")
        await case.fetch(f"/{name}.html")
        assert case.holds(f"/{name}.html")
    revived = threading.Event()
    case.disk_counted.dead = revived
    case.files.reconfigure(case.disk_counted, 0.2)
    try:
        async with asyncio.timeout(10):
            refreshing = asyncio.create_task(case.cache.refresh(horizon=2 * TTL))
            for entry in case.cache._entries.values():
                entry.fresh_until = 0.0
            assert await case.fetch("/a.html") == case.plain("/a.html")
            assert case.holds("/a.html")
            await refreshing
            assert not case.holds("/a.html"), "an entry that may hang is revalidated again and again"
            case.disk_counted.dead = None
            assert await case.fetch("/b.html") == case.plain("/b.html")
            assert case.holds("/b.html")
            await case.cache.refresh(horizon=2 * TTL)
            assert case.holds("/b.html"), "another thread revalidates"
    finally:
        revived.set()


@pytest.mark.parametrize(
    ("first_used", "last_used", "revalidated"),
    [
        pytest.param(20.0, 3.0, True, id="used-again-recently"),
        pytest.param(20.0, 7.0, False, id="not-recently"),
        pytest.param(5.0, 5.0, False, id="once-as-a-crawler-does"),
    ],
)
async def test_only_entries_in_repeated_and_recent_use_are_revalidated_in_advance(
    case: Case, first_used: float, last_used: float, revalidated: bool
) -> None:
    case.write("a.html", b"x")
    await case.fetch("/a.html")
    entry = case.cache._entries[b"a.html"]
    now = case.now()
    entry.first_used, entry.last_used, entry.fresh_until = now - first_used, now - last_used, now + 0.1
    case.calls.clear()
    await case.cache.refresh(horizon=0.3)
    assert case.calls == ([b"a.html"] if revalidated else [])


async def test_clear_closes_the_files(case: Case) -> None:
    case.write("large.bin", b"x" * 1_000_000)
    before = len(os.listdir("/proc/self/fd"))
    await case.fetch("/large.bin")
    assert case.holds("/large.bin")
    case.cache.clear()
    assert not case.holds("/large.bin")
    await eventually(lambda: len(os.listdir("/proc/self/fd")) == before, 10)
    await case.fetch("/large.bin")
    assert case.holds("/large.bin")
    case.cache.clear()


async def test_an_unused_open_file_is_closed(case: Case) -> None:
    path = case.write("large.bin", b"x" * 200000)
    before = len(os.listdir("/proc/self/fd"))
    await case.fetch("/large.bin")
    assert len(os.listdir("/proc/self/fd")) > before
    path.unlink()
    cache = case.cache
    entry = cache._entries[b"large.bin"]
    entry.fresh_until = 0.0
    del entry
    await cache.refresh(horizon=0)
    # A thread closes what has been deleted.
    await eventually(lambda: len(os.listdir("/proc/self/fd")) == before, 10)


@pytest.mark.parametrize("settled", [False, True])
async def test_d7_revalidation_sees_a_second_change_within_a_tick(
    case: Case, monkeypatch: pytest.MonkeyPatch, settled: bool
) -> None:
    """Such a change leaves the times as they are. No file system does that at will, so the test hides the times."""
    for module in (disk, examiner):
        monkeypatch.setattr(module, "version_of", lambda status: ())
    path = case.write("a.html", b"one")
    if not settled:
        at = path.stat().st_ctime_ns
        case.files.reconfigure(Disk(str(case.root), clock=lambda: at), 10)
    assert (await case.fetch("/a.html")).endswith(b"one")
    case.write("a.html", b"two")
    assert case.holds("/a.html")
    await case.cache.refresh(horizon=2 * TTL)
    assert case.holds("/a.html") is settled
    assert (await case.fetch("/a.html")).endswith(b"one" if settled else b"two")


async def test_a_head_request_caches_a_file_for_other_methods(case: Case) -> None:
    """Its entity tag takes the content, which is then there."""
    case.write("a.html", b"x" * 1000)
    assert await case.fetch("/a.html", method="HEAD") == case.plain("/a.html", method="HEAD")
    assert case.holds("/a.html")
    assert await case.fetch("/a.html") == case.plain("/a.html")
    assert case.calls == [b"a.html"]


async def test_a_crawler_does_not_empty_the_cache(tmp_path: Path) -> None:
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
    used = sum(entry.size for entry in case.cache._entries.values())
    assert 0 < used <= 400_000
    case.files.close()


async def test_the_responses_of_an_entry_are_bounded_and_counted(case: Case) -> None:
    case.write("a.html", b"x" * 1000)
    await case.fetch("/a.html")
    for number in range(100):
        await case.fetch("/a.html", f"Range: bytes={number}-{number + 1}")
    entry = case.cache._entries[b"a.html"]
    assert len(entry.responses) == 16
    assert entry.size >= 16 * 2048


async def test_d12_a_file_from_the_future_is_like_any_other(case: Case) -> None:
    """Its responses do not change with time: they are kept when it is revalidated, and count once."""
    case.write("a.html", b"x" * 1000, mtime=4_000_000_000)
    await case.fetch("/a.html")
    entry = case.cache._entries[b"a.html"]
    for _ in range(10):
        for number in range(20):
            await case.fetch("/a.html", f"Range: bytes={number}-{number + 1}")
        await case.cache.refresh(horizon=2 * TTL)
        assert len(entry.responses) == 16
    assert case.cache._entries[b"a.html"] is entry
    assert entry.size == case.cache._store.used == case.cache._store.used_small < 17 * 2048 + 2 * 1100


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
async def test_a14_the_cache_takes_no_more_memory_than_it_counts(case: Case, size: int, lines: list[str]) -> None:
    names = [f"/{number}.html" for number in range(20)]
    for name in names:
        case.write(name[1:], b"x" * size)
    await case.fetch(names[0])  # what is made once for all files
    tracemalloc.start()
    try:
        for name in names:
            for number in range(1, 10):
                await case.fetch(name, *(line.format(number=number) for line in lines))
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(case.cache._entries) == len(names)
    assert taken <= sum(entry.size for entry in case.cache._entries.values()) + 20_000


STAND_INS = {
    "error-page": Site(clean_urls=True),
    "error-page-whatever-the-coding": Site(negotiation=CodingNegotiation(True, True)),
    "application": Site(spa=True, indexes=(b"404.html", b"index.html")),
    "rewrite": Site(redirects=RedirectRules([parse_rule("x", "/*", "/:splat/a", 404, False)])),
}
"""Sites on which 404.html is sent for other paths."""


@pytest.mark.parametrize("name", STAND_INS)
@pytest.mark.parametrize("path", ["x" * 7000 + ".png", "x/" * 3500 + "x.png"], ids=["long", "deep"])
async def test_a14_a_page_for_other_paths_takes_no_more_memory_than_it_counts(
    tmp_path: Path, name: str, path: str
) -> None:
    case = Case(tmp_path, site=STAND_INS[name])
    try:
        case.write("404.html", b"page")
        await case.fetch("/nope")
        tracemalloc.start()
        try:
            for number in range(20):
                await case.fetch(
                    f"/{number}{path}", "Accept: text/html", "Accept-Encoding: br", "Sec-Fetch-Dest: document"
                )
            gc.collect()
            taken, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        entries = list({entry.key: entry for entry in case.cache._entries.values()}.values())
        assert len(entries) == 21
        assert taken <= sum(entry.size for entry in entries) + 20_000
    finally:
        case.files.close()


def test_a14_what_was_removed_is_remembered_in_little_memory() -> None:
    store = CacheStore(max_bytes=200_000)
    finding = OpenFile(b"404.html", 4, 0, 0, None, b"page")
    tracemalloc.start()
    try:
        for number in range(500):
            path = b"%d" % number + b"x" * 4000
            store.add(Entry(path, Lookup(NO_REQUEST, path, (Candidate(path),)), finding, 0, 0))
            del path
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert store.entries
    assert taken < 200_000 + 500 * 200


async def test_equal_conditions_share_a_response_whatever_other_fields_there_are(case: Case) -> None:
    case.write("a.html", b"x" * 1000)
    await case.fetch("/a.html")
    for agent in ("curl", "Firefox"):
        for line in ("If-None-Match: *", "Range: bytes=0-1"):
            await case.fetch("/a.html", f"User-Agent: {agent}", line)
    assert len(case.cache._entries[b"a.html"].responses) == 2


async def test_only_files_are_cached(case: Case) -> None:
    (case.root / "sub").mkdir()
    for target in ("/missing", "/sub", "/sub/"):
        await case.fetch(target)
        assert not case.holds(target)


async def test_c1_an_escaped_slash_is_not_the_cached_file(case: Case) -> None:
    (case.root / "sub").mkdir()
    case.write("sub/a.html", b"x")
    case.write("index.html", b"x")
    for there, elsewhere in (("/sub/a.html", "/sub%2fa.html"), ("/", "/%2f")):
        await case.fetch(there)
        assert case.holds(there)
        assert not case.holds(elsewhere)
