"""The response cache and content codings: what is shared between clients that accept different codings, and what is not."""

import asyncio
import gc
import os
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pwb_async.core.site.added_fields import AddedFields
from pwb_async.core.site.coding_negotiation import CodingNegotiation
from pwb_async.core.site.cors import Cors
from pwb_async.core.site.site import Site
from pwb_async.storage import compression
from pwb_async.storage.coders import encode
from tests.conformance.coded import SCRIPT, br, gz

from .test_response_cache import LONG_AGO, SPACE, TTL, Case

SITE = Site(negotiation=CodingNegotiation(precompressed=True), added_fields=AddedFields(Cors([b"https://a.example"])))
CONTENT = b"".join(b"line %d\n" % n for n in range(100))
IMAGE = os.urandom(20_000)
VALUES = ("gzip", "br", "zstd", "gzip, br", "gzip, deflate, br, zstd", "br;q=0.5, gzip", "zstd, identity;q=0", "x, *")
ORIGIN = "Origin: https://a.example"


def accept(value: str) -> str:
    return f"Accept-Encoding: {value}"


@pytest_asyncio.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    case = Case(tmp_path, site=SITE)
    case.write("a.js", CONTENT)
    case.write("a.js.br", br(CONTENT))
    case.write("b.png", IMAGE)
    yield case
    case.files.close()


@pytest.mark.parametrize("target", ["/a.js", "/b.png", "/"])
async def test_every_client_gets_the_same_bytes_as_without_a_cache(case: Case, target: str) -> None:
    case.write("index.html", CONTENT)
    case.write("index.html.gz", gz(CONTENT))
    for _ in range(3):
        for value in ("", *VALUES):
            for lines in ((), (ORIGIN,), ("Range: bytes=1-3",), ("If-None-Match: *",)):
                lines += (accept(value),) if value else ()
                assert await case.fetch(target, *lines) == case.plain(target, *lines)


async def test_an_image_is_read_and_kept_once(case: Case) -> None:
    for value in VALUES:
        await case.fetch("/b.png", accept(value))
    assert case.calls == [b"b.png"]
    for value in VALUES:
        assert case.cache.get(case.ask("/b.png", accept(value)), case.now()) is not None
        await case.fetch("/b.png", accept(value), ORIGIN)
    assert case.calls == [b"b.png"] * 2, "the origin is in the response, so that one is another"


async def test_clients_that_ask_for_an_image_together_cause_one_call(case: Case) -> None:
    await asyncio.gather(*(case.fetch("/b.png", accept(value)) for value in VALUES * 5))
    assert case.calls == [b"b.png"]


async def test_an_image_is_revalidated_once_for_all(case: Case) -> None:
    for value in VALUES:
        await case.fetch("/b.png", accept(value))
        await case.fetch("/b.png", accept(value))
    await case.cache.refresh(2 * TTL)
    assert case.revalidations == [1]
    case.write("b.png", IMAGE[::-1])
    await case.cache.refresh(2 * TTL)
    assert [case.cache.get(case.ask("/b.png", accept(value)), case.now()) for value in VALUES] == [None] * len(VALUES)
    for value in VALUES:
        assert (await case.fetch("/b.png", accept(value))).endswith(IMAGE[::-1])


async def test_another_key_does_not_make_an_entry_fresh(case: Case) -> None:
    await case.fetch("/b.png", accept("gzip"))
    (entry,) = set(case.cache._entries.values())
    fresh_until = entry.fresh_until
    await case.fetch("/b.png", accept("br"))
    assert entry.fresh_until == fresh_until
    entry.fresh_until = 0.0
    case.write("b.png", IMAGE[::-1])
    assert (await case.fetch("/b.png", accept("zstd"))).endswith(IMAGE[::-1])


@pytest.mark.parametrize("change", ["better", "neighbour", "gone", "file"])
async def test_a_coded_entry_sees_every_change(case: Case, change: str) -> None:
    lines = (accept("gzip, br"),)
    case.write("a.js.gz", gz(CONTENT))
    (case.root / "a.js.br").unlink()
    for _ in range(3):
        assert b"Content-Encoding: gzip" in await case.fetch("/a.js", *lines)
    match change:
        case "better":
            case.write("a.js.br", br(CONTENT))
        case "neighbour":
            case.write("a.js.gz", gz(CONTENT), LONG_AGO + 1)
        case "gone":
            (case.root / "a.js.gz").unlink()
        case "file":
            case.write("a.js", CONTENT + b"more", LONG_AGO + 60)
    calls = len(case.calls)
    await case.cache.refresh(2 * TTL)
    assert await case.fetch("/a.js", *lines) == case.plain("/a.js", *lines)
    assert len(case.calls) == calls + 2, "one revalidation, and one find"


async def test_a14_images_take_the_same_memory_however_many_codings_are_accepted(tmp_path: Path) -> None:
    case = Case(tmp_path, site=SITE)
    for number in range(50):
        case.write(f"{number}.png", IMAGE)
    taken = []
    tracemalloc.start()
    try:
        for values in (VALUES[:1], VALUES):
            for value in values:
                for number in range(50):
                    await case.fetch(f"/{number}.png", accept(value))
            gc.collect()
            taken.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    case.files.close()
    assert taken[0] > 50 * len(IMAGE)
    assert taken[1] - taken[0] < 50 * (len(VALUES) - 1) * 1024, "without sharing it would be 20 times as much"
    assert case.cache._store.used <= SPACE


async def test_the_keys_of_an_entry_go_with_it(tmp_path: Path) -> None:
    case = Case(tmp_path, space=300_000, site=SITE)
    for number in range(40):
        case.write(f"{number}.png", IMAGE)
        for value in VALUES:
            await case.fetch(f"/{number}.png", accept(value))
    case.files.close()
    entries = case.cache._entries
    assert len(set(map(id, entries.values()))) < 20
    for key, entry in entries.items():
        assert key in (entry.key, *entry.aliases)
        assert entries[entry.key] is entry
    assert case.cache._store.used == sum(
        entry.size for entry in {id(entry): entry for entry in entries.values()}.values()
    )


@pytest_asyncio.fixture
async def compressing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Case, list[bytes]]]:
    """A cache of compressed responses, and the codings that have been used."""
    codings: list[bytes] = []

    def counted(content: bytes, coding: bytes, level: int) -> bytes:
        codings.append(coding)
        return encode(content, coding, level)

    monkeypatch.setattr(compression, "encode", counted)
    case = Case(tmp_path, site=Site(negotiation=CodingNegotiation(True, True)), compress=True)
    case.write("a.js", SCRIPT)
    yield case, codings
    case.files.close()


async def test_content_is_compressed_once_for_a_hundred_clients(compressing: tuple[Case, list[bytes]]) -> None:
    case, codings = compressing
    lines = (accept("gzip, br"),)
    responses = await asyncio.gather(*(case.fetch("/a.js", *lines) for _ in range(100)))
    assert codings == [b"br"]
    assert set(responses) == {case.plain("/a.js", *lines)}


async def test_compressed_content_that_is_unchanged_is_not_compressed_again(
    compressing: tuple[Case, list[bytes]],
) -> None:
    case, codings = compressing
    lines = (accept("br"),)
    first = await case.fetch("/a.js", *lines)
    for _ in range(3):
        for entry in case.cache._entries.values():
            entry.fresh_until = 0.0
        assert await case.fetch("/a.js", *lines) == first
    assert codings == [b"br"]
    await case.cache.refresh(2 * TTL)
    assert await case.fetch("/a.js", *lines, method="HEAD") == first.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert codings == [b"br"]
    case.write("a.js", SCRIPT[:-1])
    for entry in case.cache._entries.values():
        entry.fresh_until = 0.0
    assert await case.fetch("/a.js", *lines) != first
    assert codings == [b"br", b"br"]


async def test_a_range_is_one_of_the_content_as_it_is(compressing: tuple[Case, list[bytes]]) -> None:
    case, codings = compressing
    lines = (accept("br"), "Range: bytes=3-5")
    for _ in range(2):
        assert (await case.fetch("/a.js", *lines)).endswith(b"\r\n\r\n" + SCRIPT[3:6])
        assert b"Content-Encoding: br" in await case.fetch("/a.js", lines[0])
    assert codings == [b"br"]


async def test_the_bytes_of_compressed_content_are_counted(tmp_path: Path) -> None:
    case = Case(tmp_path, space=300_000, site=Site(negotiation=CodingNegotiation(True, True)), compress=True)
    for number in range(80):
        case.write(f"{number}.js", os.urandom(5000).hex().encode())
        await case.fetch(f"/{number}.js", accept("zstd"))
    case.files.close()
    entries = case.cache._entries.values()
    assert 10 < len(entries) < 80
    assert all(entry.finding.compressed and entry.size >= entry.finding.size for entry in entries)
    assert case.cache._store.used == sum(entry.size for entry in entries) <= 300_000
