"""System calls that fail: accept, fork, clone; and an open that takes its time (hazards E4, E6, E7, A12, L9)."""

import asyncio
import time
from pathlib import Path

import pytest

from .applies import Start, concurrent
from .designs import DESIGNS
from .peer import Peer, ask
from .server import eventually
from .strace import Injection, needs_strace, strace
from .tree import LETTERS
from .wire import get

pytestmark = needs_strace
STARTS_THEM_LATE = [one for one in DESIGNS if one.name in ("async-uvloop", "async-asyncio", "thread", "process")]
"""Designs that start threads or processes while they serve; the others have theirs from the beginning, or none."""


@pytest.mark.parametrize("error", ["ECONNABORTED", "EMFILE"])
async def test_accept_that_fails_e7_e1_l9(error: str, start: Start) -> None:
    """accept() tells what happened to a client who is gone, or that there is no room now. The next one is served."""
    wrapper = strace("-e", "trace=accept4,accept", "-e", f"inject=accept4,accept:error={error}:when=1..2")
    async with start(
        wrapper=wrapper, may_say="cannot accept|out of system resource|Too many open files|accept"
    ) as server:
        for _ in range(3):
            assert (await ask(server.address, get())).content == LETTERS


@pytest.mark.parametrize("error", ["ENOMEM", "EPROTO"])
async def test_accept_that_fails_for_a_while_e1_e7(error: str, start: Start, tmp_path: Path) -> None:
    """Somebody waits, and nobody can be let in: the server says so, rests, and goes on as soon as it can."""
    complaint = "cannot accept connections"
    async with start(may_say=complaint) as server:
        assert (await ask(server.address, get())).content == LETTERS
        async with Injection(server, "accept,accept4", error, "1+", tmp_path), Peer(server.address):
            await eventually(lambda: complaint in server.grumbles(), 3)
            begin, spent = time.monotonic(), server.processor_time()
            await asyncio.sleep(1)  # what is measured is how little it does in this time
            assert server.processor_time() - spent <= 0.05 * (time.monotonic() - begin)
        begin = time.monotonic()
        assert (await ask(server.address, get())).content == LETTERS
        assert time.monotonic() - begin < 0.5


@pytest.mark.parametrize("design", STARTS_THEM_LATE, ids=lambda design: design.name, indirect=True, scope="session")
async def test_no_more_threads_or_processes_e4_l9(start: Start) -> None:
    """clone() fails: this client is told 503, or is answered all the same; never silence, and the server lives."""
    calls = "clone,clone3,fork,vfork"
    wrapper = strace("-e", f"trace={calls}", "-e", f"inject={calls}:error=EAGAIN:when=1")
    async with start(wrapper=wrapper, may_say="thread|process|fork") as server:
        for _ in range(4):
            answer = await ask(server.address, get())
            assert answer.status in (200, 503)
        assert answer.content == LETTERS


@concurrent
async def test_clients_who_leave_while_their_file_is_opened_a12(start: Start) -> None:
    """The descriptor that comes back for nobody is closed all the same."""
    wrapper = strace("-e", "trace=openat2", "-e", "inject=openat2:delay_exit=20000")
    async with start(wrapper=wrapper) as server:
        assert (await ask(server.address, get())).content == LETTERS
        before = await server.settles(lambda vitals: vitals.processes == 1)
        for _ in range(20):
            async with Peer(server.address) as peer:
                await peer.send(get("/100k.bin"))
                await peer.heard()
                peer.reset()
        assert (await ask(server.address, get())).content == LETTERS
        await server.settles(lambda vitals: vitals.processes == 1 and vitals.descriptors <= before.descriptors)


@concurrent
async def test_slow_opens_do_not_end_in_silence_e6(start: Start) -> None:
    """The first open of every thread takes its time: all are answered."""
    wrapper = strace("-e", "trace=openat2", "-e", "inject=openat2:delay_enter=200000:when=1")
    async with start(wrapper=wrapper) as server, asyncio.timeout(10):
        answers = await asyncio.gather(*(ask(server.address, get(f"/100k.bin?{n}")) for n in range(6)))
        assert {answer.status for answer in answers} == {200}
        await eventually(lambda: server.vitals().processes == 1, 3)
