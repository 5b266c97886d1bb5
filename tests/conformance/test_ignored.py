"""Signals that were ignored at the start: nohup(1), and a script's background job, mean that to stay so."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from .applies import Start
from .peer import Peer, send_request
from .server import Server, eventually
from .tree import ALPHABET
from .wire import get
from .wrappers import BACKGROUND, nohup


@asynccontextmanager
async def visitors(server: Server) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """What asks again and again: a new client, and, where it would not be in the way of that, one that stays."""
    async with AsyncExitStack() as stack:
        kept = [await stack.enter_async_context(Peer(server.address))] if server.design.keeps_alive else []

        async def all_are_served() -> None:
            assert (await send_request(server.address, get())).content == ALPHABET
            for peer in kept:
                await peer.send(get())
                assert (await peer.read_response()).content == ALPHABET

        await all_are_served()
        yield all_are_served


async def test_nohup(start: Start) -> None:
    """The terminal hangs up; and SIGHUP is sent as for a reload, which some designs have and the others survive."""
    terminal, wrapper = nohup()
    async with start(wrapper=wrapper, allowed_errors="^pwb: reloaded$|^nohup: ") as server:
        async with visitors(server) as all_are_served:
            os.close(terminal)
            await all_are_served()
            os.killpg(server.pid, signal.SIGHUP)
            await all_are_served()
        if server.design.program == "pwb":
            await eventually(lambda: "reloaded" in server.error_output(), 3)


async def test_background_job_of_a_script(start: Start) -> None:
    """Ctrl-C is for the script: it must end neither the server nor what has been forked for a client."""
    async with start(wrapper=BACKGROUND) as server:
        async with visitors(server) as all_are_served:
            for _ in range(3):
                os.killpg(server.pid, signal.SIGINT)
                await all_are_served()
        assert server.process.poll() is None
