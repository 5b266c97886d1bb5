"""The guard, the client resolver and the observers of a context: they work alike in every design, also if they fail."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from . import hooked
from .designs import DESIGNS, FIXED, Design, concurrent
from .peer import Peer, send_request
from .server import running
from .wire import get

every_design = pytest.mark.parametrize(
    "design", [*DESIGNS, FIXED], ids=lambda design: design.name, indirect=True, scope="session"
)
FAILURES = (
    r"has failed$|of the test fails$|a fault of this server|^  |Traceback|AttributeError|ValueError|^pwb: Fatal error"
)


@every_design
async def test_guard_client_and_observers_are_alike_in_every_design(
    design: Design, served_root: Path, tmp_path: Path
) -> None:
    observed = tmp_path / "observed"
    wrapper = (sys.executable, hooked.__file__, str(observed))
    requests = [
        (get("/a.txt", "X-Forwarded-For: 192.0.2.1"), "192.0.2.1", 200),
        (get("/a.txt", f"X-Forwarded-For: {hooked.REFUSED_CLIENT}"), hooked.REFUSED_CLIENT, 403),  # cached by now
        (get("/30m.bin", f"X-Forwarded-For: {hooked.REFUSED_CLIENT}", method="HEAD"), hooked.REFUSED_CLIENT, 403),
        (get("/a.txt"), "127.0.0.1", 200),
        (b"?\r\n\r\n", "127.0.0.1", 400),
    ]
    async with running(design, served_root, log_dir=tmp_path, wrapper=wrapper) as server:
        for request, _, status in requests:
            response = await send_request(server.address, request)
            assert response.status == status
            if status == 403 and not request.startswith(b"HEAD "):
                assert response.content == hooked.REFUSAL
    expected = sorted(f"{client} {status}" for _, client, status in requests)  # threads report in any order
    assert sorted(observed.read_text().splitlines()) == expected
    logged = re.findall(r'^(\S+) - - \[[^]]*\] "[^"]*" (\d+) ', server.log.read_text(), re.MULTILINE)
    assert sorted(map(" ".join, logged)) == expected, "the access log names the client, not the peer"


@every_design
async def test_a_hook_that_raises_holds_up_no_client(design: Design, served_root: Path, tmp_path: Path) -> None:
    """Guard and resolver: 500, and the request is not served; an observer: nothing, and the next one is called."""
    observed = tmp_path / "observed"
    wrapper = (sys.executable, hooked.__file__, str(observed))
    requests = [
        (get("/a.txt"), "127.0.0.1", 200),
        (get("/a.txt", "X-Fail: observer"), "127.0.0.1", 200),  # cached by now
        (get("/30m.bin", "X-Fail: observer", method="HEAD"), "127.0.0.1", 200),  # in a task
        (get("/a.txt", "X-Fail: guard"), "127.0.0.1", 500),
        (get("/30m.bin", "X-Fail: guard", method="HEAD"), "127.0.0.1", 500),
        (get("/a.txt", "X-Fail: resolver"), "-", 500),
        (get("/a.txt", "X-Forwarded-For: 192.0.2.1, 192.0.2.2"), "-", 500),  # returned as it is, it is no address
        (get("/a.txt"), "127.0.0.1", 200),
    ]
    async with running(design, served_root, log_dir=tmp_path, wrapper=wrapper, allowed_errors=FAILURES) as server:
        peer = Peer(server.address)
        async with peer:
            for request, _, status in requests:
                if not design.keeps_alive:
                    response = await send_request(server.address, request)
                else:
                    await peer.send(request)
                    response = await peer.read_response(request.split()[0].decode())
                assert response.status == status, request
        for name in ("observer", "guard", "resolver"):
            assert f"RuntimeError: the {name} of the test fails" in server.error_output()
    expected = sorted(f"{client} {status}" for _, client, status in requests)
    assert sorted(observed.read_text().splitlines()) == expected
    logged = re.findall(r'^(\S+) - - \[[^]]*\] "[^"]*" (\d+) ', server.log.read_text(), re.MULTILINE)
    assert sorted(map(" ".join, logged)) == expected


@every_design
async def test_a_guard_that_returns_no_response_ends_only_its_connection(
    design: Design, served_root: Path, tmp_path: Path
) -> None:
    """Also behind a response that a task sends: the server must take the next request itself."""
    wrapper = (sys.executable, hooked.__file__, str(tmp_path / "observed"))
    nonsense = get("/a.txt", "X-Fail: nonsense")
    async with running(design, served_root, log_dir=tmp_path, wrapper=wrapper, allowed_errors=FAILURES) as server:
        for requests in (nonsense, get("/100k.bin") + nonsense):
            async with Peer(server.address) as peer:
                await peer.send(requests)
                received = await peer.read_to_end_or_reset()
            assert received.count(b"HTTP/1.1 ") == requests.count(b"/100k.bin")
        assert (await send_request(server.address, get())).status == 200


@concurrent
async def test_hooks_that_raise_at_capacity(design: Design, served_root: Path, tmp_path: Path) -> None:
    """The client that is refused gets its 503, and the server accepts the next one."""
    wrapper = (sys.executable, hooked.__file__, str(tmp_path / "observed"))
    options = ("--max-connections", "1")
    async with running(
        design, served_root, *options, log_dir=tmp_path, wrapper=wrapper, allowed_errors=FAILURES
    ) as server:
        async with Peer(server.address, receive_buffer=4096) as peer:
            await peer.send(get("/30m.bin"))
            await peer.read_at_least(1)
            for _ in range(3):
                assert (await send_request(server.address, get())).status == 503
            peer.reset()
        async with asyncio.timeout(3):
            while (await send_request(server.address, get())).status != 200:
                await asyncio.sleep(0.02)
    assert (tmp_path / "observed").read_text().count("- 503\n") >= 3
