"""--live-reload in a server process: the event stream, its ends, workers, sandbox, reload; and no trace of it without."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conformance.designs import Design
from tests.conformance.peer import Peer, send_request
from tests.conformance.server import Start, environment, eventually, running
from tests.conformance.wire import get
from tests.http2.client import Client
from tests.live_reload.stream import NAVIGATION, PATH, event_stream

from .helpers import fetch_fresh, wait_for_message, workers
from .test_privileges import needs_landlock

H2 = Design("h2", ("pwb_async",), tls=True)
H2C = Design("h2c", ("pwb_async", "--http2"))


@pytest.fixture(autouse=True)
def page(root: Path) -> Path:
    page = root / "index.html"
    page.write_bytes(b"<p>one")
    return page


async def test_a_page_has_the_version_before_and_after_a_change(run: Start, page: Path) -> None:
    async with run("--live-reload") as server, event_stream(server.address) as stream:
        first = await send_request(server.address, get("/", NAVIGATION))
        page.write_bytes(b"<p>two")
        event = await stream.next()
        assert f"?{event['after']}" in first.content.decode()
        second = await send_request(server.address, get("/", NAVIGATION))
        assert second.content.startswith(b"<p>two<script")
        assert f"?{event['version']}" in second.content.decode()
        plain = await send_request(server.address, get("/"))
        assert plain.content == b"<p>two", "what was found before must not be sent from a cache"


async def test_compressed_files_are_as_they_are(run: Start, root: Path) -> None:
    """A navigation gets the page itself, with the script; anything else what is beside it."""
    page = b"<p>" + b"text " * 1000
    (root / "index.html").write_bytes(page)
    (root / "index.html.gz").write_bytes(gzip.compress(page))
    async with run("--live-reload") as server:
        coded = await send_request(server.address, get("/", "Accept-Encoding: gzip"))
        assert coded["Content-Encoding"] == "gzip"
        assert coded.content == (root / "index.html.gz").read_bytes()
        plain = await send_request(server.address, get("/", "Accept-Encoding: gzip", NAVIGATION))
        assert plain.content.startswith(page + b"<script src=")
        itself = await send_request(server.address, get("/index.html.gz", NAVIGATION))
        assert itself.content == coded.content


async def test_style_sheets_are_named(run: Start, root: Path) -> None:
    async with run("--live-reload") as server, event_stream(server.address) as stream:
        (root / "a b.css").write_bytes(b"p {}")
        assert (await stream.next())["swap"] == ["/a b.css"]


async def test_what_is_ignored(run: Start, root: Path, page: Path) -> None:
    """The access log lies in the root, and has a line for each request."""
    options = ("--live-reload", "--live-reload-ignore", "*.map", "--access-log", str(root / "access.log"))
    async with run(*options) as server, event_stream(server.address) as stream:
        (root / "a.map").write_bytes(b"x")
        for _ in range(3):
            await fetch_fresh(server, "/a.txt")
        await eventually(lambda: (root / "access.log").read_bytes().count(b"/a.txt") == 3, 5)
        (root / "a.css").write_bytes(b"x")
        assert (await stream.next()).get("swap") == ["/a.css"], "the first event is that of the last change"


async def test_the_stream_is_a_response_that_ends_with_the_connection(run: Start) -> None:
    async with run("--live-reload") as server, Peer(server.address) as peer:
        await peer.send(get("/a.txt") + get(PATH))
        assert (await peer.read_response()).status == 200
        received = b""
        while b"data: " not in received:
            received += await peer.read_at_least(1)
        head = received.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        assert head[0] == "HTTP/1.1 200 OK"
        assert "Connection: close" in head
        assert "Content-Type: text/event-stream; charset=utf-8" in head
        assert not [line for line in head if line.startswith(("Content-Length", "Transfer-Encoding"))]
        server.signal()
        await peer.read_to_end()


@pytest.mark.parametrize("ending", ["close", "half_close", "reset", "request"])
async def test_a_client_that_leaves_is_forgotten_and_logged(run: Start, ending: str) -> None:
    async with run("--live-reload") as server:
        async with event_stream(server.address) as stream:
            if ending == "close":
                stream.peer.socket.close()
            elif ending == "request":
                await stream.peer.send(get("/a.txt"))
            else:
                getattr(stream.peer, ending)()
            await eventually(lambda: f"GET {PATH} HTTP/1.1" in server.log.read_text(), 5)
        [line] = server.log.read_text().splitlines()
        assert '" 200 ' in line


async def test_a_shutdown_ends_the_stream_at_once(run: Start) -> None:
    async with run("--live-reload") as server, event_stream(server.address) as stream:
        server.signal()
        started_at = time.monotonic()
        assert b"data" not in await stream.peer.read_to_end()
        assert await server.exited() == 0
        assert time.monotonic() - started_at < 5, "the grace period is 30 s"


async def test_a_restart_is_another_version(run: Start) -> None:
    versions = []
    for _ in range(2):
        async with run("--live-reload") as server, Peer(server.address) as peer:
            await peer.send(get(PATH))
            content = await peer.read_content_start()
            while b"}\n\n" not in content:
                content += await peer.read_at_least(1)
            versions.append(json.loads(content.partition(b"data: ")[2])["version"])
    assert versions[0] != versions[1]


async def test_a_reload_of_the_options_and_of_rules_reloads_pages(run: Start, root: Path) -> None:
    errors = "reloaded|rules read again"
    async with run("--live-reload", allowed_errors=errors) as server, event_stream(server.address) as stream:
        server.signal(signal.SIGHUP)
        assert "swap" not in await stream.next()
        (root / "_headers").write_text("/*\n  X-Rule: yes\n")
        assert "swap" not in await stream.next()
        response = await send_request(server.address, get("/", NAVIGATION))
        assert response["X-Rule"] == "yes"
        assert b"<script" in response.content
        (root / "a.css").write_bytes(b"x")
        assert (await stream.next())["swap"] == ["/a.css"]


async def test_it_can_be_switched_by_a_restart_only(run: Start, tmp_path: Path) -> None:
    config = tmp_path / "pwb.toml"
    config.write_text("live_reload = true")
    async with run(allowed_errors="reloaded|only a restart") as server, event_stream(server.address) as stream:
        config.write_text("live_reload = false")
        server.signal(signal.SIGHUP)
        await wait_for_message(server, "--live-reload is still on: only a restart can change it")
        await stream.next()
        assert b"<script" in (await send_request(server.address, get("/", NAVIGATION))).content


async def test_one_process_serves(run: Start, page: Path) -> None:
    line = "one process serves, whatever --workers is: --live-reload"
    async with run("--live-reload", "--workers", "3", allowed_errors=line) as server:
        assert workers(server) == [server.pid]
        assert server.error_output().count(line) == 1
        async with event_stream(server.address) as stream:
            page.write_bytes(b"<p>two")
            await stream.next()


@needs_landlock
async def test_in_the_sandbox(run: Start, root: Path, page: Path) -> None:
    async with run("--live-reload", "--sandbox", allowed_errors="reloaded|rules read again") as server:
        async with event_stream(server.address) as stream:
            page.write_bytes(b"<p>two")
            await stream.next()
            (root / "_headers").write_text("/*\n  X-Rule: yes\n")
            await stream.next()
            assert b"<script" in (await send_request(server.address, get("/", NAVIGATION))).content
            server.signal(signal.SIGHUP)
            await stream.peer.read_to_end()
        async with event_stream(server.address) as stream:
            page.write_bytes(b"<p>three")
            await stream.next()


@needs_landlock
async def test_the_page_of_another_worker_is_another_version(run: Start) -> None:
    async with run("--live-reload", "--sandbox", allowed_errors="was killed by signal 9") as server:
        first = await send_request(server.address, get("/", NAVIGATION))
        [worker] = workers(server)
        os.kill(worker, signal.SIGKILL)
        await eventually(lambda: workers(server) not in ([worker], [server.pid]), 10)
        second = await send_request(server.address, get("/", NAVIGATION))
        assert first.content != second.content


@pytest.mark.parametrize("design", [H2C, H2], ids=lambda design: design.name)
async def test_a_stream_of_http_2(design: Design, root: Path, page: Path, tmp_path: Path) -> None:
    async with running(design, root, "--live-reload", log_dir=tmp_path) as server:
        with Client(server.address) as client:
            stream = client.get(PATH)
            answer = client.answers[stream]
            while b"data: " not in answer.content:
                assert client.receive()
            assert answer.status == 200
            assert "content-length" not in answer.named
            for number in range(2, 5):
                page.write_bytes(b"<p>%d" % number)
                while answer.content.count(b"data: ") < number:
                    assert client.receive()
                [other] = client.wait(client.get("/"))
                assert other.content == b"<p>%d" % number
            server.signal()
            while not client.closed and client.receive():
                pass
            assert answer.ended
            assert answer.reset is None
        assert await server.exited() == 0
        [line] = [line for line in server.log.read_text().splitlines() if PATH in line]
        assert f'" 200 {len(answer.content)}' in line


@pytest.mark.parametrize("design", [H2C, H2], ids=lambda design: design.name)
async def test_a_stream_of_http_2_that_the_client_resets(
    design: Design, root: Path, page: Path, tmp_path: Path
) -> None:
    async with running(design, root, "--live-reload", log_dir=tmp_path) as server:
        with Client(server.address) as client:
            stream = client.get(PATH)
            while b"data: " not in client.answers[stream].content:
                assert client.receive()
            client.h2.reset_stream(stream, 8)
            client.flush()
            page.write_bytes(b"<p>two")
            [other] = client.wait(client.get("/"))
            assert other.status == 200
            await eventually(lambda: f'GET {PATH} HTTP/2.0" 200' in server.log.read_text(), 5)


PRODUCTION = """
import asyncio, sys
from pwb_async.config.loader import read_options
from pwb_async.runtime.opening import open_context
from pwb_async.server.server import Server

async def main():
    server = Server(open_context("pwb", read_options("pwb", [".", "--port", "0", "--access-log", "off"], {}, ".")))
    running = asyncio.create_task(server.serve())
    host, port = server.context.sockets[0].getsockname()
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET /-/live-reload HTTP/1.1\\r\\nHost: h\\r\\nConnection: close\\r\\n\\r\\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 404 ")
    writer.close()
    server.shutdown()
    await running

asyncio.run(main())
parts = (
    "pwb_async.live_reload", "pwb_async.runtime.live_reload", "pwb_async.server.live_reload",
    "pwb_async.server.streaming_protocol", "watchfiles", "anyio",
)
print([name for name in sys.modules if name.startswith(parts)])
"""


def test_nothing_of_it_is_in_a_production_process(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRODUCTION], cwd=root, env=environment(), capture_output=True, text=True, timeout=30
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


async def test_the_profile_for_development_has_it(run: Start) -> None:
    async with run("--profile", "dev") as server:
        request = f"GET / HTTP/1.1\r\nHost: localhost\r\n{NAVIGATION}\r\n\r\n"
        assert (await send_request(server.address, request.encode())).content.startswith(b"<p>one<script")
        assert (await send_request(server.address, get(PATH))).status == 403, "of a host that is not this machine"


async def test_without_the_option_nothing_is_appended(run: Start) -> None:
    async with run() as server:
        response = await send_request(server.address, get("/", NAVIGATION))
        assert response.content == b"<p>one"
        for path in (PATH, PATH + ".js"):
            assert (await send_request(server.address, get(path))).status == 404
        assert Path(f"/proc/{server.pid}/maps").read_text().count("_rust_notify") == 0
