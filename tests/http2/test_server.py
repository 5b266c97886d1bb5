"""HTTP/2 of a real server: large files, windows, the log, timeouts, and the ends of a connection."""

import asyncio
import http.client
import os
import re
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import h2.exceptions
import pytest

from pwb_async.core.http2 import frames
from tests.conformance.designs import Design
from tests.conformance.server import Server, Start, eventually, running
from tests.conformance.tls import trusting_context
from tests.conformance.tree import ALPHABET, FILES

from .client import Client


def descriptors_of(server: Server, name: str) -> int:
    """How many descriptors of a file with this name the server has."""
    count = 0
    for pid in server.process_ids():
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                count += os.readlink(f"/proc/{pid}/fd/{fd}").endswith(name)
            except FileNotFoundError:
                continue
    return count


def test_many_requests_at_once(server: Server) -> None:
    with Client(server.address) as client:
        for _ in range(3):
            streams = [client.get("/a.txt", flush=False) for _ in range(100)]
            client.flush()
            assert {answer.content for answer in client.wait(*streams)} == {ALPHABET}


def test_more_requests_than_the_limit_are_refused_and_the_others_answered(server: Server) -> None:
    with Client(server.address) as client:
        client.receive()
        client.h2.remote_settings.max_concurrent_streams = 1000
        client.h2.remote_settings.acknowledge()
        streams = [client.get("/missing", flush=False) for _ in range(150)]
        client.flush()
        answers = client.wait(*streams)
        assert sum(answer.reset == 7 for answer in answers) == 50
        assert all(answer.status == 404 for answer in answers[:100])


def test_http_1_is_served_on_the_same_port(server: Server) -> None:
    host, port = server.address
    if server.design.tls:
        connection = http.client.HTTPSConnection(host, port, timeout=10, context=trusting_context())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=10)
    for _ in range(2):
        connection.request("PUT", "/a.txt", b"x")
        assert connection.getresponse().read()
        connection.request("GET", "/a.txt")
        assert connection.getresponse().read() == ALPHABET
    connection.close()


@pytest.mark.parametrize("size", [1, 23])
def test_a_preface_in_pieces(size: int, server: Server) -> None:
    with Client(server.address, pieces=size) as client:
        assert client.wait(client.get())[0].content == ALPHABET


async def test_large_files_share_a_connection(start_h2c: Start, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    contents = {f"{n}.bin": os.urandom(3 << 20) for n in range(5)}
    for name, content in contents.items():
        (root / name).write_bytes(content)
    async with start_h2c("--cache", "off", root=root) as server:

        def ask() -> None:
            with Client(server.address) as client:
                streams = {name: client.get(f"/{name}", flush=False) for name in contents}
                client.flush()
                for name, stream in streams.items():
                    assert client.wait(stream)[0].content == contents[name]
            with Client(server.address, acknowledge=False) as client:
                streams = {name: client.get(f"/{name}", flush=False) for name in contents}
                assert client.wait(client.get(method="OPTIONS"))[0].status == 204
                assert sum(descriptors_of(server, name) for name in contents) == 2

        await asyncio.to_thread(ask)
        await eventually(lambda: not any(descriptors_of(server, name) for name in contents), 5)


@pytest.mark.parametrize("cache", ["off", "64M"])
async def test_a_large_file_without_a_window_gives_its_place_to_others(
    cache: str, start_h2c: Start, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    contents = {f"{n}.bin": os.urandom(1 << 20) for n in range(4)}
    for name, content in contents.items():
        (root / name).write_bytes(content)
    async with start_h2c("--cache", cache, root=root, allowed_errors="the file has changed") as server:

        def ask() -> None:
            with Client(server.address, acknowledge=False) as client:
                client.h2.increment_flow_control_window(1 << 30)
                streams = {}
                for name in contents:  # in this order, so that the third one takes the place of 1.bin
                    streams[name] = client.get(f"/{name}")
                    while len(client.answers[streams[name]].content) < 65535:
                        client.receive()
                (root / "new").write_bytes(bytes(1 << 20))
                (root / "new").rename(root / "1.bin")
                time.sleep(1.1)  # until the cache looks again
                for name, stream in streams.items():
                    client.h2.increment_flow_control_window(1 << 30, stream)
                    client.flush()
                    [answer] = client.wait(stream)
                    if name == "1.bin":
                        assert answer.reset == 2
                    else:
                        assert answer.content == contents[name]

        await asyncio.to_thread(ask)
        await eventually(lambda: cache != "off" or not any(descriptors_of(server, name) for name in contents), 5)


async def test_a_large_file_that_becomes_shorter(start_h2c: Start, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "large.bin").write_bytes(bytes(3 << 20))
    async with start_h2c("--cache", "off", root=root, allowed_errors="content cut short") as server:

        def ask() -> None:
            with Client(server.address, acknowledge=False) as client:
                large = client.get("/large.bin")
                while len(client.answers[large].content) < 65535:
                    client.receive()
                os.truncate(root / "large.bin", 10)
                client.h2.increment_flow_control_window(1 << 20)
                client.h2.increment_flow_control_window(1 << 20, large)
                client.flush()
                assert client.wait(large)[0].reset == 2
                assert client.wait(client.get("/large.bin"))[0].content == bytes(10)

        await asyncio.to_thread(ask)
        assert server.log.exists()


async def test_a_head_of_a_large_file_has_its_length(start_h2c: Start, served_root: Path) -> None:
    async with start_h2c() as server:

        def ask() -> None:
            with Client(server.address) as client:
                [answer] = client.wait(client.get("/30m.bin", method="HEAD"))
                assert (answer.named["content-length"], answer.content) == (str(len(FILES[b"30m.bin"])), b"")

        await asyncio.to_thread(ask)
        assert descriptors_of(server, "30m.bin") <= 1, "only that of the cache"


async def test_the_log_has_what_was_sent(start_h2c: Start) -> None:
    async with start_h2c() as server:

        def ask() -> None:
            with Client(server.address, acknowledge=False) as client:
                client.wait(client.get("/a.txt", ("user-agent", "test")))
                client.wait(client.get("/" + "a" * 8200))
                large = client.get("/30m.bin")
                while len(client.answers[large].content) < 65000:
                    client.receive()
                client.h2.reset_stream(large)
                client.flush()
                client.h2.increment_flow_control_window(1 << 20)
                assert client.wait(client.get("/missing"))[0].status == 404

        await asyncio.to_thread(ask)
        await eventually(lambda: server.log.read_bytes().count(b"\n") == 4, 5)
        lines = server.log.read_text().splitlines()
        assert re.fullmatch(r'127\.0\.0\.1 - - \[.*\] "GET /a\.txt HTTP/2\.0" 200 26 "-" "test"', lines[0])
        assert re.search(r'"GET /a{8000,} ?.*" 414 [0-9]+ "-" "-"', lines[1])
        sent = re.search(r'"GET /30m.bin HTTP/2.0" 200 ([0-9]+) ', lines[2])
        assert sent is not None
        assert 60_000 < int(sent[1]) <= 65535


async def test_requests_are_counted_and_the_connection_is_closed_in_two_steps(start_h2c: Start) -> None:
    async with start_h2c("--requests-per-connection", "3") as server:

        def ask() -> None:
            with Client(server.address) as client:
                streams = [client.get(flush=False) for _ in range(5)]
                client.flush()
                assert all(answer.content == ALPHABET for answer in client.wait(*streams))
                client.read_to_end()
                assert client.goaways == [(2**31 - 1, 0), (9, 0)]

        await asyncio.to_thread(ask)


async def test_a_connection_that_was_closed_is_not_written_to_by_a_shutdown(
    design: Design, served_root: Path, tmp_path: Path
) -> None:
    """While the server waits for the client to close, too."""
    async with running(design, served_root, log_dir=tmp_path) as server:

        def stop() -> None:
            with Client(server.address) as client:
                client.socket.sendall(frames.frame(frames.DATA, 0, frames.CONNECTION, b"x"))
                client.read_to_end()
                server.signal()
                server.process.wait(20)

        await asyncio.to_thread(stop)


TIMEOUTS = ("--header-timeout", "0.3", "--idle-timeout", "0.5", "--send-timeout", "0.6", "--linger-idle", "0.3")


def closed_after(client: Client) -> float:
    """The seconds until the server closes."""
    started = time.monotonic()
    client.read_to_end()
    return time.monotonic() - started


@pytest.mark.quiet
async def test_the_deadlines_of_a_connection(start_h2c: Start) -> None:
    async with start_h2c(*TIMEOUTS) as server:

        def silent() -> None:
            with Client(server.address) as client:
                client.wait(client.get())
                assert 0.4 < closed_after(client) < 2
                assert client.goaways == [(1, 0)]

        def pings() -> None:
            with Client(server.address) as client:
                started = time.monotonic()
                with suppress(h2.exceptions.ProtocolError, OSError):
                    while time.monotonic() < started + 5:
                        client.h2.ping(b"12345678")
                        client.flush()
                        if not client.receive():
                            break
                        time.sleep(0.05)
                assert time.monotonic() - started < 2.5, "PING does not extend the idle timeout"

        def dribble(begin: bytes) -> None:
            """Send one byte after another."""
            with socket.create_connection(tuple(server.address), 10) as plain:
                started = time.monotonic()
                with suppress(OSError):
                    for index in range(len(begin)):
                        plain.sendall(begin[index : index + 1])
                        time.sleep(0.05)
                plain.settimeout(10)
                with suppress(OSError):
                    while plain.recv(1 << 16):
                        pass
                assert time.monotonic() - started < 2.5

        def closed_windows() -> None:
            with Client(server.address, window=0) as client:
                client.get()
                assert 0.5 < closed_after(client) < 2.5
                assert client.goaways == [(1, 11)]

        preface = frames.PREFACE + frames.settings(())
        await asyncio.gather(
            asyncio.to_thread(silent),
            asyncio.to_thread(pings),
            asyncio.to_thread(dribble, preface),
            asyncio.to_thread(dribble, preface[:-9] * 2),
            asyncio.to_thread(dribble, preface + frames.frame(0xEE, 0, frames.CONNECTION, bytes(200))),
            asyncio.to_thread(closed_windows),
        )


@pytest.mark.quiet
async def test_a_request_that_is_too_long_is_stopped_after_a_while(start_h2c: Start) -> None:
    post = [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"h"), (b":path", b"/a.txt")]

    def ask() -> None:
        with Client(server.address) as client:
            stream = client.request([*post, (b"content-length", b"1000000")], b"x" * 1000, end=False)
            [answer] = client.wait(stream)
            assert (answer.status, answer.reset) == (405, None)
            begin = time.monotonic()
            while answer.reset is None:
                assert client.receive()
            assert answer.reset == 0
            assert time.monotonic() - begin > 0.3
            assert client.wait(client.get())[0].content == ALPHABET
        with Client(server.address) as client:
            streams = [client.request(post, b"x", end=False) for _ in range(100)]
            assert {answer.status for answer in client.wait(*streams)} == {405}
            client.h2.remote_settings.max_concurrent_streams = 1000
            client.h2.remote_settings.acknowledge()
            assert client.wait(client.get())[0].content == ALPHABET
            assert [client.answers[stream].reset for stream in streams[:2]] == [0, None]

    async with start_h2c("--linger-idle", "0.5") as server:
        await asyncio.to_thread(ask)


async def test_a_minimum_rate_is_counted_in_content(start_h2c: Start) -> None:
    async with start_h2c("--send-timeout", "0.6", "--min-send-rate", "1000") as server:

        def slow() -> None:
            with Client(server.address, window=0) as client:
                stream, started = client.get("/100k.bin"), time.monotonic()
                with suppress(h2.exceptions.ProtocolError, OSError):
                    while time.monotonic() < started + 5 and not client.goaways:
                        client.h2.increment_flow_control_window(1, stream)
                        client.h2.ping(b"12345678")  # bytes that are acknowledged, but no content
                        client.flush()
                        client.receive()
                        time.sleep(0.05)
                assert client.goaways == [(1, 11)]
                assert 0.5 < time.monotonic() - started < 2.5

        await asyncio.to_thread(slow)


async def test_a_stop_waits_for_the_responses_under_way(start_h2c: Start) -> None:
    async with start_h2c() as server:

        def begin() -> tuple[Client, int]:
            client = Client(server.address, acknowledge=False).__enter__()
            large = client.get("/30m.bin")
            while len(client.answers[large].content) < 65535:
                client.receive()
            return client, large

        client, large = await asyncio.to_thread(begin)
        idle = await asyncio.to_thread(Client(server.address).__enter__)
        await asyncio.to_thread(lambda: idle.wait(idle.get()))
        server.signal()

        def go_on() -> None:
            idle.read_to_end()
            both = [(2**31 - 1, 0), (1, 0)]
            assert idle.goaways == both
            while len(client.goaways) < 2:
                client.receive()
            assert client.goaways == both
            client.h2.increment_flow_control_window(1 << 30)
            client.h2.increment_flow_control_window(1 << 30, large)
            client.flush()
            assert client.wait(large)[0].content == FILES[b"30m.bin"]
            client.read_to_end()
            client.socket.close()
            idle.socket.close()

        await asyncio.to_thread(go_on)


async def test_a_reload_loses_no_request(start_h2c: Start) -> None:
    """The old workers retire: GOAWAY twice, and whatever comes meanwhile is answered."""
    async with start_h2c("--workers", "2", allowed_errors="reloaded") as server:

        def ask(until: list[bool]) -> tuple[int, int]:
            connections = requests = 0
            while not until:
                connections += 1
                with Client(server.address) as client:
                    while not client.goaways and not until:
                        streams = [client.get(flush=False) for _ in range(5)]
                        client.flush()
                        assert all(answer.content == ALPHABET for answer in client.wait(*streams))
                        requests += 5
            return connections, requests

        until: list[bool] = []
        asking = [asyncio.create_task(asyncio.to_thread(ask, until)) for _ in range(2)]
        for count in (1, 2, 3):
            await asyncio.sleep(0.2)  # a client at work
            server.signal(signal.SIGHUP)
            await eventually(lambda wanted=count: server.error_output().count("reloaded") >= wanted, 10)
        until.append(True)
        for connections, requests in await asyncio.gather(*asking):
            assert connections > 1
            assert requests > 10
