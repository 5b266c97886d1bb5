"""A page of many small files, over HTTP/1.1 and over HTTP/2: the clients, the scenarios, and what is said of them."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pwb_async.core.http2 import frames, hpack
from pwb_async.core.http2.errors import ErrorCode
from pwb_legacy.compare.load import Tally, again, page_over_http1, page_over_http2
from pwb_legacy.compare.load.http2 import multiplexed
from pwb_legacy.compare.load.messages import Address
from pwb_legacy.compare.load.pages import CONNECTIONS
from pwb_legacy.compare.measure import sample_site
from pwb_legacy.compare.measure.results import Played, Results
from pwb_legacy.compare.measure.rounds import Bench, measure
from pwb_legacy.compare.measure.scenarios import PAGES, PROTOCOLS, SCENARIOS
from pwb_legacy.compare.measure.servers import CONTESTANTS, HTTP2, serving
from pwb_legacy.compare.option_values import with_http2
from pwb_legacy.compare.report.claims import verdict
from pwb_legacy.compare.report.words import Words

from .sample_results import results
from .test_compare import told
from .test_verdict import NOISY, rounds

Fetch = Callable[[Address, Sequence[bytes]], Awaitable[Tally]]
ASYNC = next(one for one in CONTESTANTS if one.name == "async")
PLAYED = [one for one in SCENARIOS if one.name in PAGES]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> sample_site.Site:
    return sample_site.make(tmp_path_factory.mktemp("site"), 1)


@pytest.mark.parametrize("fetch", [page_over_http1, page_over_http2])
async def test_all_files_of_a_page(site: sample_site.Site, fetch: Fetch) -> None:
    with serving(HTTP2, site.root) as server:
        tally = await fetch(server.address, site.small)
        n = len(site.small)
        assert (tally.requests, tally.failures, tally.in_time) == (n, 0, n), tally.reasons
        assert tally.histogram.get_total_count() == n
        assert tally.bytes > n * sample_site.SMALL
        assert tally.seconds > 0
        ends: list[bool] = []
        twice = await again(
            lambda: fetch(server.address, site.small), 1.5 * tally.seconds, end=lambda: ends.append(True)
        )
        assert (twice.requests % n, twice.failures, ends) == (0, 0, [True])
        missing = await fetch(server.address, [*site.small[1:], b"/nowhere"])
        assert missing.requests == n - 1
        assert missing.reasons == {"status 404": 1}


@asynccontextmanager
async def answering(*sent: bytes) -> AsyncIterator[Address]:
    """The address of a server that sends these bytes when it has received something, and then ends the connection; with
    nothing to send it waits."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        for piece in sent:
            writer.write(piece)
            await writer.drain()
        if sent:
            writer.write_eof()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        yield listener.sockets[0].getsockname()


FIRST, SECOND = b"\0\0\0\1", b"\0\0\0\3"


def head(stream: bytes, length: int, status: int = 200, flags: int = 0) -> bytes:
    block = hpack.status(status) + hpack.literal(b"content-length", b"%d" % length)
    return frames.frame(frames.HEADERS, frames.END_HEADERS | flags, stream, block)


def data(stream: bytes, content: bytes, flags: int = frames.END_STREAM) -> bytes:
    return frames.frame(frames.DATA, flags, stream, content)


SETTINGS = frames.settings(())
GOOD = SETTINGS + head(FIRST, 5) + data(FIRST, b"he", 0) + data(FIRST, b"llo")
NO_LENGTH = frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, SECOND, hpack.status(200))
INDEXED = frames.frame(frames.HEADERS, frames.END_HEADERS, SECOND, b"\x88\x40\x01a\x01b")
WRONG = {
    "closed": (b"", "closed before an answer"),
    "reset": (frames.reset(SECOND, ErrorCode.REFUSED_STREAM), "reset with code 7"),
    "short": (head(SECOND, 5) + data(SECOND, b"hell"), "not the bytes that Content-Length promises"),
    "long": (head(SECOND, 5) + data(SECOND, b"hello!"), "not the bytes that Content-Length promises"),
    "status": (head(SECOND, 0, 404, frames.END_STREAM), "status 404"),
    "no length": (NO_LENGTH, "no Content-Length"),
    "a table": (INDEXED, "fields that depend on a table"),
    "no HPACK": (frames.frame(frames.HEADERS, frames.END_HEADERS, SECOND, b"\xff"), "the block ends within a field"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("pieces", [1, 1000], ids=["byte by byte", "at once"])
async def test_a_response_that_is_not_right(name: str, pieces: int) -> None:
    wrong, why = WRONG[name]
    wire = GOOD + wrong
    async with answering(*(wire[start : start + pieces] for start in range(0, len(wire), pieces))) as address:
        tally = await multiplexed(address, [b"/a", b"/b"], timeout=10)
    assert (tally.requests, tally.failures) == (1, 1)
    ((found, times),) = tally.reasons.items()
    assert found.startswith(why)
    assert times == 1


async def test_a_server_that_says_nothing() -> None:
    async with answering() as address:
        tally = await multiplexed(address, [b"/a", b"/b"], timeout=0.1)
    assert (tally.requests, tally.reasons) == (0, {"no answer within 0.1 s": 2})


async def test_a_response_without_content() -> None:
    async with answering(SETTINGS + head(FIRST, 0, flags=frames.END_STREAM)) as address:
        tally = await multiplexed(address, [b"/a"], timeout=10)
    assert (tally.requests, tally.failures) == (1, 0)


# --- the scenarios


def test_a_folder_with_few_files_is_asked_for_them_several_times(tmp_path: Path) -> None:
    for size in (1, 2000, 90_000):
        (tmp_path / f"{size}.html").write_bytes(bytes(size))
    small = sample_site.find(tmp_path, 1).small
    assert len(small) == sample_site.SMALL_FILES
    assert small[:4] == (b"/2000.html", b"/1.html", b"/90000.html", b"/2000.html")


def test_http2_is_there_where_a_scenario_compares_it() -> None:
    kept = [one for one in SCENARIOS if one.name == "kept"]
    assert with_http2(CONTESTANTS, kept) == list(CONTESTANTS)
    names = [one.name for one in with_http2(CONTESTANTS, PLAYED)]
    assert names[names.index("async") + 1] == HTTP2.name
    twice = with_http2([ASYNC.on(1), ASYNC.on(2)], PLAYED)
    assert [one.name for one in twice] == ["async@1", "async-http2@1", "async@2", "async-http2@2"]
    assert all(PLAYED[0].has(one) and not kept[0].has(one) for one in twice if one.kind == "protocol")


async def test_a_far_page_waits_for_each_file_with_http1_and_once_with_http2(site: sample_site.Site) -> None:
    scenario = next(one for one in PLAYED if one.name == "page-20ms")
    bench = Bench([ASYNC, HTTP2], [scenario], site, rounds=1, seconds=0.05, connections=2, seed=1)
    assert bench.total == 2
    found = {one.design: one async for one in measure(bench)}
    assert {one.why for one in found.values()} == {None}
    assert {one.failures for one in found.values()} == {0}
    by_http1, by_http2 = (found[name].page_ms or 0.0 for name in PROTOCOLS)
    trips = len(site.small) / CONNECTIONS
    assert by_http1 > 19 * (1 + trips)
    assert 38 < by_http2 < by_http1
    assert found[HTTP2.name].cpu_us


async def test_the_requests_of_a_page_are_many_at_a_time(site: sample_site.Site) -> None:
    """Six connections with HTTP/1.1, one with HTTP/2."""
    for fetch, connections in ((page_over_http1, CONNECTIONS), (page_over_http2, 1)):
        opened: list[object] = []

        async def count(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opened: list[object] = opened
        ) -> None:
            opened.append(writer)
            await reader.read(10)
            writer.close()

        async with await asyncio.start_server(count, "127.0.0.1", 0) as listener:
            await fetch(listener.sockets[0].getsockname(), site.small[:CONNECTIONS])
        assert len(opened) == connections


def test_designs_without_http2_do_not_play_them() -> None:
    status, output, errors = told("compare", "--modes", "epoll", "--scenarios", "page-0ms,page-20ms")
    assert (status, output) == (2, "")
    assert errors == "pwb-legacy: --scenarios: none of these designs plays page-0ms, page-20ms\n"


def test_the_whole_command(tmp_path: Path) -> None:
    words = ("--quick", "--modes", "epoll,async", "--scenarios", "kept,page-0ms,page-20ms", "--out", tmp_path)
    status, said, errors = told("compare", *words, "--duration", "0.05")
    assert (status, errors) == (0, "")
    made = Results.from_json((tmp_path / "compare.json").read_text())
    assert {(one.design, one.scenario) for one in made.measurements} == {
        ("epoll", "kept"), ("async", "kept"),
        *((name, scenario) for name in PROTOCOLS for scenario in ("page-0ms", "page-20ms")),
    }  # fmt: skip
    assert all(one.why is None for one in made.measurements)
    assert "ms: until the page is complete" in said
    page = (tmp_path / "compare.html").read_text()
    assert "A client fetches 60 small files: with HTTP/1.1 over 6 connections" in page
    assert '<h2 id="page-20ms">A page of small files, 20 ms away <code>page-20ms</code></h2>' in page
    assert "was not measured" not in page


# --- what is said


def made_up(figure: str, **figures: dict[str, tuple[float, ...]]) -> Results:
    """Of the scenarios page_0ms and so on."""
    named = {name.replace("_", "-"): of for name, of in figures.items()}
    parts = [results(name, **{figure: of}) for name, of in named.items()]
    details = {one.name: one.details for one in PLAYED}
    parts[0].scenarios = [Played(name, details=details[name], modes=list(PROTOCOLS)) for name in named]
    parts[0].measurements = [one for part in parts for one in part.measurements]
    return parts[0]


def sentences(made: Results, language: str = "en") -> list[str]:
    return Words(made, language).verdict(verdict(made))


def test_all_delays_are_one_sentence() -> None:
    near = {"async": rounds(5.0), "async-http2": rounds(4.9, NOISY)}
    far = {"async": rounds(1100), "async-http2": rounds(200)}
    made = made_up("page_ms", page_0ms=near, page_100ms=far)
    assert sentences(made)[0] == (
        "A page of small files, time until the page is complete: at 0 ms, 8 rounds cannot tell the designs apart; at 100 "
        "ms, least with async-http2 (200 ms): async has 5.5 times that (5.5 to 5.5; ahead in 8 of 8 rounds)."
    )
    assert re.search("0 毫秒.*8 轮.*100 毫秒.*async-http2", sentences(made, "zh")[0])


def test_what_no_delay_shows_is_said_once() -> None:
    few = {"async": (5.0,), "async-http2": (2.0,)}
    made = made_up("cpu_us", page_0ms=few, page_20ms=few)
    assert sentences(made)[0] == (
        "A page of small files, CPU time for a request: one round tells only factors of ten, and there is none."
    )
