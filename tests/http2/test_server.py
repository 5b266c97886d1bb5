"""HTTP/2 of a real server: large files, windows, the log, timeouts, and the ends of a connection."""

import asyncio
import http.client
import os
from pathlib import Path

import pytest

from tests.conformance.server import Server, Start, eventually
from tests.conformance.tls import trusting_context
from tests.conformance.tree import ALPHABET

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
