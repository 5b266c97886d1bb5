"""Checks of access in threads: they delay no other client, are bounded, and survive a client that leaves."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from threading import Event, Semaphore

import bcrypt
import pytest

from pwb_async.config.options import Options
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request
from pwb_async.core.site.access import Check
from pwb_async.runtime.opening import open_context
from pwb_async.server import site_state
from pwb_async.server.server import Server
from pwb_async.server.state import ServerState
from tests.conformance.designs import Design
from tests.conformance.peer import Peer, send_request
from tests.conformance.rows.access import authorization
from tests.conformance.server import running
from tests.conformance.test_rules import build
from tests.conformance.wire import get
from tests.http2.client import Client

from .test_seams import ask, serving

ASYNC = [Design(f"async-{loop}", ("pwb_async", "--loop", loop)) for loop in ("uvloop", "asyncio")]


@pytest.mark.parametrize("design", ASYNC, ids=lambda design: design.name)
async def test_a_check_delays_no_other_client(design: Design, tmp_path: Path) -> None:
    """One of bcrypt with cost 12 takes some 0.2 s of a processor; a client that has left ends none."""
    root = build(tmp_path / "root", {"a.txt": b"open", "private/a.txt": b"private"})
    (tmp_path / "users").write_text(f"bob:{bcrypt.hashpw(b'pw', bcrypt.gensalt(12)).decode()}\n")
    (tmp_path / "pwb.toml").write_text('[[access]]\nfor = "/private"\nhtpasswd = "users"\n')
    request = get("/private/a.txt", authorization("bob", "pw"))
    async with running(design, root, "--trusted-proxy", "127.0.0.1", log_dir=tmp_path) as server:
        for number in range(8):
            async with Peer(server.address) as peer:
                await peer.send(get("/private/a.txt", authorization("bob", str(number))))
                await peer.wait_until_read()
                peer.reset()
        checked = asyncio.ensure_future(send_request(server.address, request))
        async with Peer(server.address) as peer:
            for _ in range(20):
                await peer.send(get())
                assert (await peer.read_response()).content == b"open"
        assert not checked.done(), "eight checks are before it, and it takes as long itself"
        assert (await checked).content == b"private"
        assert (await send_request(server.address, request)).content == b"private"


async def ask_http2(server: Server, *lines: str, host: str = "x") -> bytes:
    """The response by HTTP/2 to what test_seams.ask() sends, in the form of HTTP/1.1."""

    def exchange() -> bytes:
        fields = [(":method", "GET"), (":scheme", "http"), (":authority", host), (":path", "/a.html")]
        fields += [(name.lower(), value) for name, value in (line.split(": ") for line in lines)]
        with Client(server.context.sockets[0].getsockname()[:2]) as client:
            stream = client.request([(name.encode(), value.encode()) for name, value in fields])
            (answer,) = client.wait(stream)
        return b"".join(b"%s: %s\r\n" % (name.replace(b"x-host", b"X-Host"), value) for name, value in answer.fields)

    return await asyncio.to_thread(exchange)


@pytest.mark.parametrize("ask", [ask, ask_http2])
async def test_checks_that_outlast_a_reload(tmp_path: Path, ask: Callable[..., Awaitable[bytes]]) -> None:
    """The keys of their requests are none of the new configuration, in which the host makes a difference."""
    checking, go_on = Semaphore(0), {b"1": Event(), b"2": Event()}

    def guard(client: str, request: Request) -> Check | None:
        value = request.fields.get(b"x-check")
        if value is None:
            return None
        checking.release()
        return Check(partial(check, value))

    def check(value: bytes) -> None:
        assert go_on[value].wait(10)

    async with serving(tmp_path, "--http2", guard=guard) as server:
        checked = [asyncio.ensure_future(ask(server, f"X-Check: {number}")) for number in (1, 2)]
        for _ in checked:
            assert await asyncio.to_thread(checking.acquire, timeout=10)
        (tmp_path / "_headers").write_text("http://x/*\nX-Host: x\n")
        context = server.context.reload_rules(server.loop.time())
        assert context is not None
        server.reconfigure(context)
        for task, event in zip(checked, go_on.values(), strict=True):
            event.set()
            assert b"X-Host: x\r\n" in await task
        for host, expected in (("y", False), ("x", True)) * 2:
            assert (b"X-Host: x\r\n" in await ask(server, host=host)) is expected


async def test_checks_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 if too many wait, and if no thread can be started."""
    monkeypatch.setattr(site_state, "_MAX_CHECKS", 4)
    request = RequestParser(Limits()).parse(b"GET / HTTP/1.1\r\nHost: h\r\n")
    assert isinstance(request, Request)
    context = open_context("pwb", Options(root=str(tmp_path), port=0, access_log="off"))
    try:
        server, go_on = ServerState(context, 0), Event()
        waiting = [server.run_check(request, Check(lambda: go_on.wait() and None)) for _ in range(4)]
        response = await server.run_check(request, Check(lambda: None))
        assert response is not None
        assert (response.status, dict(response.fields)[b"Retry-After"]) == (503, b"1")
        go_on.set()
        assert await asyncio.gather(*waiting) == [None] * 4
        assert await server.run_check(request, Check(lambda: None)) is None
        server.close()
        another = ServerState(context, 0)
        monkeypatch.setattr(site_state, "DiskThreads", fail)
        response = await another.run_check(request, Check(lambda: None))
        assert response is not None
        assert response.status == 503
        another.close()
    finally:
        context.close()


def fail(*arguments: object) -> None:
    raise RuntimeError("can't start new thread")
