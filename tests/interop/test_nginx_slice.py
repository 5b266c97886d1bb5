"""nginx with `slice` and a cache in front: it fetches a large file in pieces, and compares their entity tags as
strings (hazard D7)."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.conformance.designs import Design
from tests.conformance.peer import Peer, send_request
from tests.conformance.server import Start, eventually
from tests.conformance.tree import random_bytes
from tests.conformance.wire import Response, get

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

CONFIGURATION = """
daemon off;
worker_processes 1;
{user}
pid {prefix}/nginx.pid;
error_log {prefix}/error.log error;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {prefix}/body;
    proxy_temp_path {prefix}/proxy;
    fastcgi_temp_path {prefix}/fastcgi;
    uwsgi_temp_path {prefix}/uwsgi;
    scgi_temp_path {prefix}/scgi;
    proxy_cache_path {prefix}/cache keys_zone=cache:1m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            slice 1m;
            proxy_cache cache;
            proxy_cache_key $uri$slice_range;
            proxy_set_header Range $slice_range;
            add_header X-Cache $upstream_cache_status;
            proxy_pass {url};
        }}
    }}
}}
"""
Address = tuple[str, int]
SIZE = 4_500_000
PIECE = 1 << 20
FIXED = 1_600_000_000


@asynccontextmanager
async def nginx(url: str, prefix: Path) -> AsyncIterator[Address]:
    """Runs nginx in front of the server at `url`; it is ended by its process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address: Address = free.getsockname()
    user = "user root;" if os.geteuid() == 0 else ""
    (prefix / "nginx.conf").write_text(CONFIGURATION.format(prefix=prefix, port=address[1], url=url, user=user))
    assert NGINX
    command = [NGINX, "-p", prefix, "-e", prefix / "error.log", "-c", prefix / "nginx.conf"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=prefix)
    try:
        await eventually(lambda: _listens(address), 10, "nginx does not start")
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _listens(address: Address) -> bool:
    with suppress(OSError), socket.create_connection(address, 1):
        return True
    return False


def publish(root: Path, content: bytes) -> None:
    (root / "new").write_bytes(content)
    os.utime(root / "new", (FIXED, FIXED))
    (root / "new").replace(root / "big")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


async def through(address: Address, *fields: str) -> Response:
    return await send_request(address, get("/big", *fields))


async def test_a_file_that_was_published_just_now(start: Start, root: Path, tmp_path: Path) -> None:
    """All pieces have the tag of the first, whether they are requested at once or later."""
    async with start("--max-age", "3600", root=root) as server, nginx(server.url, tmp_path) as proxy:
        publish(root, random_bytes(SIZE))
        first = await through(proxy, "Range: bytes=0-99")
        assert (first.status, first.content) == (206, random_bytes(SIZE)[:100])
        whole = await through(proxy)
        assert (whole.status, whole.content) == (200, random_bytes(SIZE))
        assert whole["ETag"] == first["ETag"]
    assert "etag mismatch" not in (tmp_path / "error.log").read_text()


async def test_two_versions_of_equal_time_and_size_are_not_joined(
    start: Start, design: Design, root: Path, tmp_path: Path
) -> None:
    """nginx has the first piece of one version, finds that the second belongs to another, and aborts the transfer."""
    uncached = ("--cache", "off") if design.program == "pwb" else ()
    async with start("--max-age", "3600", *uncached, root=root) as server:
        async with nginx(server.url, tmp_path) as proxy:
            publish(root, random_bytes(SIZE, 1))
            async with asyncio.timeout(10):  # nginx keeps the piece shortly after the response has ended
                while (first := await through(proxy, "Range: bytes=0-99"))["X-Cache"] != "HIT":
                    assert first.status == 206
            publish(root, random_bytes(SIZE, 2))
            async with Peer(proxy) as peer:
                await peer.send(get("/big", "Connection: close"))
                data = await peer.read_to_end_or_reset()
        content = data.partition(b"\r\n\r\n")[2]
        assert content == random_bytes(SIZE, 1)[: len(content)]
        assert len(content) <= PIECE
    assert "etag mismatch in slice response" in (tmp_path / "error.log").read_text()
