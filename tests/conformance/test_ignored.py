"""Signals that are ignored at the start stay ignored, as nohup(1) and background jobs of a script require."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from .peer import Peer, send_request
from .server import Server, Start, eventually
from .tree import ALPHABET
from .wire import get
from .wrappers import BACKGROUND, nohup


@asynccontextmanager
async def serving_checks(server: Server) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A function that checks that a new client is served, and so is a kept connection where the design keeps any."""
    async with AsyncExitStack() as stack:
        kept = [await stack.enter_async_context(Peer(server.address))] if server.design.keeps_alive else []

        async def check_all_served() -> None:
            assert (await send_request(server.address, get())).content == ALPHABET
            for peer in kept:
                await peer.send(get())
                assert (await peer.read_response()).content == ALPHABET

        await check_all_served()
        yield check_all_served


async def test_nohup(start: Start) -> None:
    """The terminal hangs up, and SIGHUP is sent; some designs reload on it, and the others survive it."""
    terminal, wrapper = nohup()
    async with start(wrapper=wrapper, allowed_errors="^pwb: reloaded$|^nohup: ") as server:
        async with serving_checks(server) as check_all_served:
            os.close(terminal)
            await check_all_served()
            os.killpg(server.pid, signal.SIGHUP)
            await check_all_served()
        if server.design.program == "pwb":
            await eventually(lambda: "reloaded" in server.error_output(), 3)


async def test_background_job_of_a_script(start: Start) -> None:
    """Ctrl-C is meant for the script: it must end neither the server nor the child that serves a client."""
    async with start(wrapper=BACKGROUND) as server:
        async with serving_checks(server) as check_all_served:
            for _ in range(3):
                os.killpg(server.pid, signal.SIGINT)
                await check_all_served()
        assert server.process.poll() is None
