"""Files that change while they are served (hazards C3 and D1 to D7). Each test changes a folder of its own."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from .designs import Design, concurrent
from .peer import Peer, run_together, send_request
from .server import Server, Start, eventually, running
from .tree import CANARY, entity_tag, random_bytes
from .wire import Response, get

MEGABYTE = 1 << 20
VERSIONS = 200


@pytest.fixture(scope="session")
async def workshop(design: Design, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Server, Path]]:
    """A server and the folder that it serves, which the test may change."""
    root = tmp_path_factory.mktemp("workshop")
    (root / "still.txt").write_bytes(b"still")
    async with running(
        design, root, log_dir=tmp_path_factory.mktemp("log_dir"), allowed_errors="content cut short"
    ) as server:
        yield server, root


async def send_until(server: Server, target: str, until: Callable[[], bool]) -> list[Response]:
    """Sends requests on new and on kept connections until `until` is true, and returns the responses."""
    responses = []
    while not until():
        async with Peer(server.address) as peer:
            for _ in range(10 if server.design.keeps_alive else 1):
                await peer.send(get(target))
                responses.append(await peer.read_response())
    return responses


async def send_during(server: Server, target: str, work: Coroutine[Any, Any, None]) -> list[Response]:
    """Runs `work` while three clients send requests, and returns their responses."""
    working = asyncio.create_task(work)
    batches = await run_together(*(send_until(server, target, working.done) for _ in range(3)))
    await working
    return list(chain(*batches))


async def test_a_deleted_file_is_freed_when_its_clients_disconnect_a12_d2(
    workshop: tuple[Server, Path],
) -> None:
    """When clients disconnect within a large file, and it is deleted, its space on the disk is freed."""
    server, root = workshop
    (root / "doomed").write_bytes(random_bytes(24 * MEGABYTE, 3))

    async def disconnect() -> None:
        async with Peer(server.address) as peer:
            await peer.send(get("/doomed"))
            await peer.read_at_least(4096)
            peer.reset()

    await run_together(*(disconnect() for _ in range(10)))
    os.unlink(root / "doomed")
    await eventually(lambda: not any(map(_deleted, server.process_ids())), 5, "the file is still open")


def _deleted(pid: int) -> bool:
    """Whether a process of the server still holds the deleted file open."""
    numbers: list[str] = []
    with suppress(OSError):  # the process has ended
        numbers = os.listdir(f"/proc/{pid}/fd")
    return any(_target(f"/proc/{pid}/fd/{number}").endswith("doomed (deleted)") for number in numbers)


def _target(link: str) -> str:
    with suppress(OSError):  # closed meanwhile
        return os.readlink(link)
    return ""


async def test_truncated_while_sent_d1(workshop: tuple[Server, Path]) -> None:
    """The client sees short content and the end of the connection, never the next response within this one."""
    server, root = workshop
    (root / "shrinks").write_bytes(random_bytes(24 * MEGABYTE, 2))
    async with Peer(server.address, receive_buffer=16 * 1024) as peer:
        await peer.send(get("/shrinks") + get("/still.txt"))
        start = await peer.read_at_least(1)
        os.truncate(root / "shrinks", MEGABYTE)
        data = start + await peer.read_to_end_or_reset()
    assert data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 25165824\r\n" in data
    assert len(data) < 24 * MEGABYTE
    assert data.count(b"HTTP/1.1 ") == 1
    assert "cut short" in server.error_output()
    assert (await send_request(server.address, get("/still.txt"))).content == b"still"


async def test_grows_while_sent_d2(workshop: tuple[Server, Path]) -> None:
    """The client gets exactly Content-Length bytes, and then the next response."""
    server, root = workshop
    content = random_bytes(24 * MEGABYTE, 3)
    (root / "grows").write_bytes(content)
    async with Peer(server.address, receive_buffer=64 * 1024) as peer:
        await peer.send(get("/grows") + get("/still.txt"))
        await peer.wait_for_response()
        with open(root / "grows", "ab") as file:
            file.write(random_bytes(8 * MEGABYTE, 4))
        assert (await peer.read_response()).content == content
        if server.design.keeps_alive:
            assert (await peer.read_response()).content == b"still"


SIZES = pytest.mark.parametrize("size", [1000, 200_000], ids=["small", "large"])
FIXED = 1_600_000_000
"""The modification time that all versions of a file share."""


def publish(path: Path, content: bytes, mtime: float | None = FIXED) -> None:
    """Publishes a new version by rename. mtime: its modification time; None for the time of the writing."""
    new = path.with_name("new")
    new.write_bytes(content)
    if mtime is not None:
        os.utime(new, (mtime, mtime))
    new.replace(path)


@SIZES
@pytest.mark.parametrize("growth", [4, 0], ids=["growing", "D7-equal-time-and-size"])
async def test_replaced_under_load_d3(size: int, growth: int, workshop: tuple[Server, Path]) -> None:
    """Two hundred versions published by rename: the content and fields of every response belong to one of them."""
    server, root = workshop
    target = f"/replaced-{size}-{growth}"

    def length(version: int) -> int:
        return size + growth * version

    def write(version: int) -> None:
        publish(root / target[1:], b"%04d" % version * (length(version) // 4), None if growth else FIXED)

    async def replace() -> None:
        for version in range(1, VERSIONS + 1):
            write(version)
            await asyncio.sleep(0.001)

    write(0)
    tags: dict[str, bytes] = {}
    for response in await send_during(server, target, replace()):
        assert response.status == 200
        version = response.content[:4]
        assert response.content == version * (len(response.content) // 4)
        assert len(response.content) == length(int(version))
        tag = response["ETag"]
        assert tag is None or tag.startswith('"'), "weak: it would change with time alone"
        assert tag is None or tags.setdefault(tag, version) == version, "one entity tag, two contents"
    await until_content(server, target, b"%04d" % VERSIONS)


async def until(server: Server, request: bytes, condition: Callable[[Response], bool]) -> Response:
    """The first response that meets a condition; the time to live of the cache is one second."""
    async with asyncio.timeout(3):
        while not condition(response := await send_request(server.address, request)):
            await asyncio.sleep(0.02)
    return response


async def until_content(server: Server, target: str, start: bytes) -> Response:
    """The first response whose content begins with `content`."""
    return await until(server, get(target), lambda response: response.content.startswith(start))


async def test_overwritten_in_place_d4(workshop: tuple[Server, Path]) -> None:
    server, root = workshop
    (root / "overwritten").write_bytes(b"old")
    before = await send_request(server.address, get("/overwritten"))
    (root / "overwritten").write_bytes(b"new")
    after = await until_content(server, "/overwritten", b"new")
    assert before["ETag"] != after["ETag"]


@SIZES
@pytest.mark.parametrize("mtime", [None, FIXED, 4_000_000_000], ids=["now", "past", "D12-future"])
async def test_a_new_file_is_resumable_at_once_d7(
    size: int, mtime: float | None, workshop: tuple[Server, Path]
) -> None:
    """The entity tag is strong, so that an interrupted download can be resumed, and it does not change."""
    server, root = workshop
    name = f"fresh-{size}-{mtime}"
    publish(root / name, random_bytes(size), mtime)
    tag = (await send_request(server.address, get(f"/{name}", method="HEAD")))["ETag"] or ""
    assert tag.startswith('"')
    rest = await send_request(server.address, get(f"/{name}", "Range: bytes=500-", f"If-Range: {tag}"))
    assert (rest.status, rest.content, rest["ETag"]) == (206, random_bytes(size)[500:], tag)
    assert (await send_request(server.address, get(f"/{name}", f"If-None-Match: {tag}"))).status == 304
    os.utime(root / name, (FIXED + 1, FIXED + 1))
    if size == 1000:  # the content of a large file is not read for its tag
        touched = await until(server, get(f"/{name}"), lambda response: response["Last-Modified"] == LATER)
        assert touched["ETag"] == tag, "the same bytes"


async def test_a_large_file_that_changes_all_the_time_delays_no_client_d7(workshop: tuple[Server, Path]) -> None:
    """Forty requests for a log that is being written take less time than 50 ms of waiting for each tag would."""
    server, root = workshop
    (root / "log").write_bytes(random_bytes(200_000))

    async def append() -> None:
        with open(root / "log", "ab", buffering=0) as file:
            while True:
                file.write(b"a line\n")
                await asyncio.sleep(0.002)

    writer = asyncio.create_task(append())
    try:
        start = time.monotonic()
        responses = await run_together(*(send_request(server.address, get("/log", method="HEAD")) for _ in range(40)))
        took = time.monotonic() - start
    finally:
        writer.cancel()
    assert {response.status for response in responses} == {200}
    assert took < 1.5


LATER = "Sun, 13 Sep 2020 12:26:41 GMT"
"""A second after FIXED."""


@SIZES
@pytest.mark.parametrize("mtime", [FIXED, 499_162_500], ids=["fixed", "npm"])
async def test_equal_time_and_size_are_another_version_d7(
    size: int, mtime: float, workshop: tuple[Server, Path]
) -> None:
    """Builds that give all files one time: a cache gets the new content, and no download joins two versions."""
    server, root = workshop
    name = f"built-{size}-{mtime}"
    publish(root / name, random_bytes(size, 1), mtime)
    before = await send_request(server.address, get(f"/{name}"))
    assert before.content == random_bytes(size, 1)
    publish(root / name, random_bytes(size, 2), mtime)
    again = get(f"/{name}", f"If-None-Match: {before['ETag']}")
    after = await until(server, again, lambda response: response.status != 304)
    assert (after.status, after.content) == (200, random_bytes(size, 2))
    rest = await send_request(server.address, get(f"/{name}", "Range: bytes=500-", f"If-Range: {before['ETag']}"))
    assert (rest.status, rest.content) == (200, random_bytes(size, 2))
    rest = await send_request(server.address, get(f"/{name}", "Range: bytes=500-", f"If-Range: {after['ETag']}"))
    assert (rest.status, rest.content) == (206, random_bytes(size, 2)[500:])


async def test_nodes_agree_as_they_can(start: Start, tmp_path: Path) -> None:
    """Small files are tagged by content; large ones, with --etag mtime, by a time that copies preserve."""
    for node in ("one", "two"):
        (tmp_path / node).mkdir()
    publish(tmp_path / "one" / "large", random_bytes(200_000))
    publish(tmp_path / "one" / "small", random_bytes(1000))
    subprocess.run(["cp", "-p", tmp_path / "one/large", tmp_path / "two"], check=True)
    publish(tmp_path / "two" / "small", random_bytes(1000), mtime=FIXED + 7)
    tags: dict[tuple[str, str], set[str | None]] = {}
    for mode in ("auto", "content", "mtime"):
        for node in ("one", "two"):
            async with start("--etag", mode, root=tmp_path / node) as server:
                for name in ("small", "large"):
                    response = await send_request(server.address, get(f"/{name}", method="HEAD"))
                    assert response["Last-Modified"] is not None
                    tags.setdefault((mode, name), set()).add(response["ETag"])
    assert {tag for (_, name), found in tags.items() if name == "small" for tag in found} == {
        entity_tag(random_bytes(1000))
    }
    assert tags["content", "large"] == {None}
    assert tags["mtime", "large"] == {f'"{FIXED * 10**9:x}-{200_000:x}"'}
    assert len(tags["auto", "large"]) == 2


async def test_removed_d3(workshop: tuple[Server, Path]) -> None:
    server, root = workshop
    (root / "removed").write_bytes(b"there")
    assert (await send_request(server.address, get("/removed"))).status == 200
    (root / "removed").unlink()
    async with asyncio.timeout(3):
        while (await send_request(server.address, get("/removed"))).status != 404:
            await asyncio.sleep(0.02)


async def test_release_swapped_under_load_d6(start: Start, tmp_path: Path) -> None:
    """The root is a link to a release, which `mv -T` replaces two hundred times."""
    for name in ("odd", "even"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page").write_text(name * 100)
    current = tmp_path / "current"
    current.symlink_to("even")

    async def swap() -> None:
        for number in range(1, VERSIONS + 1):
            (tmp_path / "next").symlink_to("odd" if number % 2 else "even")
            (tmp_path / "next").replace(current)
            await asyncio.sleep(0.001)
        (tmp_path / "even" / "new").write_text("last")
        (tmp_path / "even" / "new").replace(tmp_path / "even" / "page")

    async with start(root=current) as server:
        for response in await send_during(server, "/page", swap()):
            assert response.status == 200
            assert response.content in (b"odd" * 100, b"even" * 100, b"last")
        await until_content(server, "/page", b"last")


FLIP = """
import ctypes, sys
renameat2 = ctypes.CDLL(None).renameat2
inside, outside = (name.encode() for name in sys.argv[1:])
while True:
    renameat2(-100, inside, -100, outside, 2)
"""
"""Exchanges two names by RENAME_EXCHANGE as fast as possible, in a process of its own."""


async def test_race_between_a_file_and_a_way_out_c3(start: Start, design: Design, tmp_path: Path) -> None:
    """The file that was opened decides whether it is served, not an earlier check of its name."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "canary").write_bytes(CANARY)
    (root / "flips").write_bytes(b"inside")
    (root / "flop").symlink_to("../canary")
    options = ("--cache", "off") if design.program == "pwb" else ()
    async with start(*options, root=root) as server:
        flipper = subprocess.Popen([sys.executable, "-c", FLIP, str(root / "flips"), str(root / "flop")])
        try:
            await eventually(lambda: (root / "flips").is_symlink(), 5, "nothing flips")
            looks = iter(range(300))
            targets = ["/flips", "/flop"] * 2
            batches = await run_together(
                *(send_until(server, target, lambda: next(looks, None) is None) for target in targets)
            )
        finally:
            flipper.kill()
            flipper.wait()
    responses = list(chain(*batches))
    assert {response.status for response in responses} <= {200, 404, 503}
    assert {response.content for response in responses if response.status == 200} == {b"inside"}


@concurrent
async def test_kept_connection_sees_changes_d3(workshop: tuple[Server, Path]) -> None:
    """No connection gets a cached response for longer than the time to live."""
    server, root = workshop
    (root / "seen").write_bytes(b"one")
    async with Peer(server.address) as peer:
        await peer.send(get("/seen"))
        assert (await peer.read_response()).content == b"one"
        (root / "seen.new").write_bytes(b"two!")
        (root / "seen.new").replace(root / "seen")
        async with asyncio.timeout(3):
            content = b""
            while content != b"two!":
                await peer.send(get("/seen"))
                content = (await peer.read_response()).content
                assert content in (b"one", b"two!")
                await asyncio.sleep(0.01)
