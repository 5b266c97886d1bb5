"""System calls that fail: accept, fork, clone; and an open that is slow (hazards E4, E6, E7, A12, L9); a signal at a bad moment (F2)."""

import asyncio
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import pytest

from .designs import DESIGNS, Design, concurrent
from .peer import Peer, send_request
from .server import Start, command, environment, eventually
from .strace import Injection, needs_strace, needs_to_attach, strace
from .tree import ALPHABET
from .wire import get

pytestmark = needs_strace
CLONE = "clone,clone3,fork,vfork"
EACH: Final[Any] = {"ids": lambda design: design.name, "indirect": True, "scope": "session"}


def designs_named(*names: str) -> list[Design]:
    return [design for design in DESIGNS if design.name in names]


@pytest.mark.parametrize("error", ["ECONNABORTED", "EMFILE"])
async def test_accept_that_fails_e7_e1_l9(error: str, start: Start) -> None:
    """accept() reports that a client has disconnected, or that resources are short. The next client is served."""
    wrapper = strace("-e", "trace=accept4,accept", "-e", f"inject=accept4,accept:error={error}:when=1..2")
    async with start(
        wrapper=wrapper, allowed_errors="cannot accept|out of system resource|Too many open files|accept"
    ) as server:
        for _ in range(3):
            assert (await send_request(server.address, get())).content == ALPHABET


async def test_a_signal_that_arrives_with_a_client_f2(start: Start) -> None:
    """SIGTERM arrives while accept() returns a client: the server does not wait until its timeout for a request."""
    inject = "inject=accept4,accept:signal=SIGTERM:when=1"
    wrapper = strace("-e", "trace=accept4,accept", "-e", inject, seccomp=False)
    async with (
        start("--header-timeout", "60", "--grace-period", "60", wrapper=wrapper) as server,
        Peer(server.address) as peer,
    ):
        assert await peer.read_to_end_or_reset() == b""
        assert await server.exited(within=3) == 0


@pytest.mark.quiet
@needs_to_attach
@pytest.mark.parametrize("error", ["ENOMEM", "EPROTO"])
async def test_accept_that_fails_for_a_while_e1_e7(error: str, start: Start, tmp_path: Path) -> None:
    """A client waits while accept() fails: the server reports it, pauses, and accepts again as soon as it can."""
    complaint = "cannot accept connections"
    async with start(allowed_errors=complaint) as server:
        assert (await send_request(server.address, get())).content == ALPHABET
        async with Injection(server, "accept,accept4", error, "1+", tmp_path), Peer(server.address):
            await eventually(lambda: complaint in server.error_output(), 3)
            begin, spent = time.monotonic(), server.processor_time()
            await asyncio.sleep(0.5)  # the test measures how little the server does in this time
            assert server.processor_time() - spent <= 0.05 * (time.monotonic() - begin)
        begin = time.monotonic()
        assert (await send_request(server.address, get())).content == ALPHABET
        assert time.monotonic() - begin < 0.5


@pytest.mark.parametrize("design", designs_named("async-uvloop", "async-asyncio", "thread", "process"), **EACH)
async def test_no_more_threads_or_processes_e4_l9(design: Design, start: Start) -> None:
    """clone() fails: the client gets 503 or its response, never nothing, and the server survives."""
    first = 4 if design.program == "pwb" else 1  # the test below covers a thread that the server cannot start without
    wrapper = strace("-e", f"trace={CLONE}", "-e", f"inject={CLONE}:error=EAGAIN:when={first}..{first + 1}")
    async with start(wrapper=wrapper, allowed_errors="thread|process|fork") as server:
        targets = ("/a.txt", "/100k.bin", "/64k+1.bin", "/index.html")
        responses = await asyncio.gather(*(send_request(server.address, get(target)) for target in targets))
        assert {response.status for response in responses} <= {200, 503}
        assert (await send_request(server.address, get())).content == ALPHABET


@pytest.mark.parametrize("design", designs_named("async-uvloop", "async-asyncio", "epoll-thread"), **EACH)
def test_no_thread_to_begin_with_e4(design: Design, served_root: Path, tmp_path: Path) -> None:
    wrapper = strace("-e", f"trace={CLONE}", "-e", f"inject={CLONE}:error=EAGAIN:when=1+")
    server = (*wrapper, *command(design, served_root, "--port", "0"))
    done = subprocess.run(server, cwd=tmp_path, env=environment(), capture_output=True, timeout=10, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(f"{design.program}: cannot start ".encode())
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("design", designs_named("gevent", "epoll"), **EACH)
async def test_no_thread_is_needed_e4(start: Start) -> None:
    wrapper = strace("-e", f"trace={CLONE}", "-e", f"inject={CLONE}:error=EAGAIN:when=1+")
    async with start(wrapper=wrapper) as server:
        assert (await send_request(server.address, get())).content == ALPHABET


@concurrent
async def test_clients_that_disconnect_while_their_file_is_opened_a12(start: Start) -> None:
    """A descriptor that is opened after its client has disconnected is closed."""
    wrapper = strace("-e", "trace=openat2", "-e", "inject=openat2:delay_exit=20000")
    async with start(wrapper=wrapper) as server:
        assert (await send_request(server.address, get())).content == ALPHABET
        before = await server.wait_for_resources(lambda resources: resources.processes == 1)
        for _ in range(20):
            async with Peer(server.address) as peer:
                await peer.send(get("/100k.bin"))
                await peer.wait_until_read()
                peer.reset()
        assert (await send_request(server.address, get())).content == ALPHABET
        await server.wait_for_resources(
            lambda resources: resources.processes == 1 and resources.descriptors <= before.descriptors
        )


@concurrent
async def test_slow_opens_do_not_end_in_silence_e6(start: Start) -> None:
    """The first open of every thread is slow: all requests get their responses."""
    wrapper = strace("-e", "trace=openat2", "-e", "inject=openat2:delay_enter=200000:when=1")
    # Without rules, since strace complains of a thread whose open is still delayed when the process ends.
    async with start("--no-site-rules", wrapper=wrapper) as server, asyncio.timeout(10):
        responses = await asyncio.gather(*(send_request(server.address, get(f"/100k.bin?{n}")) for n in range(6)))
        assert {response.status for response in responses} == {200}
        await eventually(lambda: server.resources().processes == 1, 3)
