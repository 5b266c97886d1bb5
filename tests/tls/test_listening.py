"""Where a server with TLS listens: on a Unix socket, on sockets of the service manager, with workers."""

import asyncio
import re
import signal
import socket
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.conformance.peer import TIMEOUT, Peer, send_request
from tests.conformance.server import Server, eventually
from tests.conformance.tls import TLSAddress, TLSStream, certificate_options, trusting_context
from tests.conformance.wire import get
from tests.process.command import launched

TEXT: Final = b"hello"
PASS_SOCKETS: Final = """
import fcntl, os, sys
first, second, *words = sys.argv[1:]
copies = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 10) for fd in (first, second)]
for fd, copy in zip((3, 4), copies):
    os.dup2(copy, fd)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(words[0], words)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "a.txt").write_bytes(TEXT)
    return folder


def announced(server: Server) -> str:
    return server.log.read_text().splitlines()[0]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_a_unix_socket(loop: str, root: Path, tmp_path: Path) -> None:
    async with launched(root, "--unix", "s", "--loop", loop, *certificate_options(), folder=tmp_path) as server:
        reader, writer = await asyncio.open_unix_connection(
            tmp_path / "s", ssl=trusting_context(), server_hostname="localhost"
        )
        writer.write(get("/a.txt", "Connection: close"))
        async with asyncio.timeout(TIMEOUT):
            assert (await reader.read()).endswith(TEXT)
        writer.close()
        assert re.search(r"listening on unix:\S+/s with TLS \(", announced(server))


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_handed_over_socket_with_the_port_of_redirect_https_is_taken_for_it(
    workers: str, root: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as secure:
        ports = plain.getsockname()[1], secure.getsockname()[1]
        async with launched(
            *(root, "--redirect-https", str(ports[0]), "--workers", workers, *certificate_options()),
            folder=tmp_path,
            wrapper=(sys.executable, "-c", PASS_SOCKETS, str(plain.fileno()), str(secure.fileno())),
            environ={"LISTEN_FDS": "2"},
            descriptors=[plain.fileno(), secure.fileno()],
        ) as server:
            where = f"https://127.0.0.1:{ports[1]}/ and redirecting http://127.0.0.1:{ports[0]}/"
            assert f"listening on {where}" in announced(server)
            assert (await send_request(TLSAddress(("127.0.0.1", ports[1])), get("/a.txt"))).content == TEXT
            redirect = await send_request(
                ("127.0.0.1", ports[0]), f"GET /a.txt HTTP/1.1\r\nHost: h:{ports[0]}\r\n\r\n".encode()
            )
            assert redirect["Location"] == f"https://h:{ports[1]}/a.txt"


async def test_the_only_socket_cannot_be_that_of_redirect_https(root: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        port = plain.getsockname()[1]
        async with launched(
            *(root, "--redirect-https", str(port), *certificate_options()),
            folder=tmp_path,
            wrapper=(sys.executable, "-c", PASS_SOCKETS.replace("(3, 4)", "(3,)"), *[str(plain.fileno())] * 2),
            environ={"LISTEN_FDS": "1"},
            descriptors=[plain.fileno()],
            status=1,
        ) as server:
            await server.exited()
        assert re.fullmatch(r"pwb: cannot listen on .*: it is the only port that there is.*\n", server.error_output())


async def test_a_reload_while_a_handshake_is_under_way(root: Path, tmp_path: Path) -> None:
    """The old workers finish it, and the connection then closes after its response."""
    async with launched(
        root, "--port", "0", "--workers", "2", "--access-log", "off", *certificate_options(), folder=tmp_path
    ) as server:
        found = re.search(r"https://127\.0\.0\.1:(\d+)/", announced(server))
        assert found
        address = TLSAddress(("127.0.0.1", int(found[1])))
        plain = Peer(("127.0.0.1", address[1]))
        plain.tls = TLSStream(address)
        async with asyncio.timeout(TIMEOUT):
            await asyncio.get_running_loop().sock_connect(plain.socket, ("127.0.0.1", address[1]))
            assert not plain.tls.shake_hands()
            hello = plain.tls.take()
            await plain.send_raw(hello[:50])
            server.signal(signal.SIGHUP)
            await eventually(lambda: "reloaded" in server.error_output(), TIMEOUT)
            await plain.send_raw(hello[50:])
            await plain._shake_hands()
            await plain.send(get("/a.txt"))
            response = await plain.read_response()
            assert response.content == TEXT
            assert response["Connection"] == "close"
            assert await plain.read_to_end() == b""
        plain.socket.close()
        assert (await send_request(address, get("/a.txt"))).content == TEXT


async def test_a_stop_does_not_wait_for_handshakes(root: Path, tmp_path: Path) -> None:
    async with launched(root, "--port", "0", *certificate_options(), folder=tmp_path) as server:
        found = re.search(r"https://127\.0\.0\.1:(\d+)/", announced(server))
        assert found
        async with Peer(("127.0.0.1", int(found[1]))) as peer:
            await peer.send(b"\x16\x03\x01")
            await peer.wait_until_read()
            server.signal()
            assert await server.exited(5) == 0
