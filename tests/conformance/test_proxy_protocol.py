"""--proxy-protocol on every design: haproxy and nginx in front, headers that are wrong, peers that are not trusted."""

import asyncio
import re
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.core.http1.test_proxy_protocol import v2

from .peer import Peer
from .server import Server, Start
from .test_access import configured, guarded_root
from .wire import get

__all__ = ("guarded_root",)
OPTIONS = ("--trusted-proxy", "127.0.0.0/8", "--proxy-protocol")
HAPROXY = """
defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen one
  bind 127.0.0.1:{port}
  server pwb {address}:{upstream} {send}
"""
NGINX = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ }}
http {{
  access_log off;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://{address}:{upstream};
      proxy_set_header {field};
    }}
  }}
}}
"""


@asynccontextmanager
async def in_front(
    program: tuple[str, ...], text: str, server: Server, folder: Path, **words: str
) -> AsyncIterator[str]:
    """The URL of a proxy in front of the server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address, upstream = server.address
    config = folder / "proxy.conf"
    config.write_text(text.format(folder=folder, port=port, address=address, upstream=upstream, **words))
    process = subprocess.Popen([*program, str(config)], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        async with asyncio.timeout(10):
            while True:
                try:
                    async with Peer(("127.0.0.1", port)):
                        break
                except ConnectionError:
                    assert process.poll() is None, process.stderr and process.stderr.read()
                    await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await asyncio.to_thread(process.communicate, timeout=10)


async def curl(url: str, *options: str) -> str:
    """The status and the content that curl gets."""
    done = await asyncio.to_thread(
        subprocess.run, ["curl", "-s", "-w", " %{http_code}", *options, url], capture_output=True, text=True, timeout=20
    )
    return done.stdout


@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2"])
async def test_haproxy_in_front(send: str, start: Start, guarded_root: Path, tmp_path: Path) -> None:
    """curl from 127.0.0.9: the rules and the log are about it, not about the proxy."""
    (tmp_path / "pwb.toml").write_text('[[access]]\nfor = "/here"\nallow = ["127.0.0.9"]\n')
    async with (
        start(*OPTIONS, root=guarded_root) as server,
        in_front(("haproxy", "-f"), HAPROXY, server, tmp_path, send=send) as url,
    ):
        assert await curl(url + "/a.txt", "--interface", "127.0.0.9") == "open 200"
        assert await curl(url + "/here/a.txt", "--interface", "127.0.0.9") == "here 200"
        assert (await curl(url + "/here/a.txt")).endswith(" 403")
    clients = re.findall(r'^(\S+) - - .*"GET (\S+) ', server.log.read_text(), re.MULTILINE)
    expected = [("127.0.0.1", "/here/a.txt"), ("127.0.0.9", "/a.txt"), ("127.0.0.9", "/here/a.txt")]
    assert sorted(clients) == expected


@pytest.mark.parametrize(
    "field",
    [
        "X-Forwarded-For $proxy_add_x_forwarded_for",
        'Forwarded "for=$remote_addr;proto=$scheme"; proxy_set_header X-Forwarded-For ""',
    ],
)
async def test_nginx_in_front(field: str, start: Start, guarded_root: Path, tmp_path: Path) -> None:
    """What the client sends itself is not believed."""
    (tmp_path / "pwb.toml").write_text('[[access]]\nfor = "/here"\nallow = ["127.0.0.9"]\n')
    lie = ("-H", "X-Forwarded-For: 127.0.0.9", "-H", "Forwarded: for=127.0.0.9")
    async with (
        start("--trusted-proxy", "127.0.0.1", root=guarded_root) as server,
        in_front(("nginx", "-c"), NGINX, server, tmp_path, field=field) as url,
    ):
        assert await curl(url + "/here/a.txt", "--interface", "127.0.0.9") == "here 200"
        assert (await curl(url + "/here/a.txt", "--interface", "127.0.0.8", *lie)).endswith(" 403")
    assert {line.split()[0] for line in server.log.read_text().splitlines()} == {"127.0.0.8", "127.0.0.9"}


async def test_headers_in_pieces_and_wrong_ones(start: Start, guarded_root: Path, tmp_path: Path) -> None:
    configured(tmp_path)
    line, request = b"PROXY TCP4 192.0.2.7 127.0.0.1 5 80\r\n", get("/elsewhere/a.txt", "Connection: close")
    async with start(*OPTIONS, "--header-timeout", "1", root=guarded_root) as server:
        for header, client in (line, "192.0.2.7"), (v2("2001:db8::7"), "2001:db8::7"):
            async with Peer(server.address) as peer:
                await peer.send_pieces([header[:5], header[5:20], header[20:] + request[:9], request[9:]])
                assert (await peer.read_response()).content == b"elsewhere", client
        for bad in (request, line[1:] + request, b"PROXY " + b"x" * 200, v2("192.0.2.7")[:12] + b"\x21\x11\xff\xff"):
            async with Peer(server.address) as peer:
                await peer.send(bad)
                assert await peer.read_to_end_or_reset() == b"", bad
        for unfinished in (b"", line[:20]):  # until the deadline of a head
            async with Peer(server.address) as peer:
                await peer.send(unfinished)
                assert await peer.read_to_end_or_reset() == b""
        async with Peer(server.address) as peer:
            await peer.send(b"PROXY UNKNOWN\r\n" + request)
            assert (await peer.read_response()).status == 403, "the peer itself"


async def test_a_peer_that_is_not_trusted(start: Start, guarded_root: Path) -> None:
    """It is closed at once, even with a header."""
    options = ("--trusted-proxy", "192.0.2.0/24", "--proxy-protocol")
    async with start(*options, root=guarded_root) as server:
        for data in (b"", get(), b"PROXY TCP4 192.0.2.7 127.0.0.1 5 80\r\n" + get()):
            async with Peer(server.address) as peer:
                try:
                    await peer.send(data)
                except ConnectionError:
                    continue
                assert await peer.read_to_end_or_reset() == b""
    assert server.log.read_text() == ""
