"""Proxies and load balancers of other projects, before the servers under test."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.conformance.peer import Peer

_TIMEOUT: Final = 20.0


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nothing listens on."""
    with socket.create_server((host, 0)) as free:
        return int(free.getsockname()[1])


@asynccontextmanager
async def proxy(words: list[str], text: str, port: int, folder: Path) -> AsyncIterator[None]:
    """Runs a proxy during the block, once it listens. The last of `words` is the name of its configuration."""
    (folder / words[-1]).write_text(text)
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(
            words, cwd=folder, env=os.environ | {"HOME": str(folder)}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        async with asyncio.timeout(_TIMEOUT):
            while True:
                try:
                    async with Peer(("127.0.0.1", port)):
                        break
                except ConnectionError:
                    assert process.poll() is None, (folder / "proxy.log").read_text()
                    await asyncio.sleep(0.02)
        yield
    finally:
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, 10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
