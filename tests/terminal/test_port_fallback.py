"""--port-fallback, --quiet, and the port of the platform, on a real server."""

import re
import socket
from pathlib import Path

import pytest

from tests.conformance.peer import send_request
from tests.conformance.wire import get
from tests.process.command import launched


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("a")
    return tmp_path


async def test_the_next_free_port_is_used_and_logged(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with launched(".", "--port", str(port), "--port-fallback", folder=root) as server:
            assert server.address[1] > port
            assert (await send_request(server.address, get("/a.txt"))).content == b"a"
            found = re.fullmatch(
                r"pwb: port (\d+) is in use by .+ \(pid \d+\): listening on port (\d+)\n", server.error_output()
            )
            assert found, server.error_output()
            assert found.groups() == (str(port), str(server.address[1]))


async def test_the_port_of_a_platform(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with launched(".", folder=root, environ={"PORT": str(port)}) as server:
        assert server.address == ("127.0.0.1", port)
