"""A service manager such as systemd, as far as it reads the messages of a server (sd_notify(3))."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.conformance.peer import TIMEOUT


class Manager:
    """A service manager that collects the messages of the server."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))

    async def receive(self) -> str:
        async with asyncio.timeout(TIMEOUT):
            return (await asyncio.get_running_loop().sock_recv(self._socket, 4096)).decode()

    def waiting(self) -> list[str]:
        """The messages that have arrived and have not been received."""
        messages = []
        with suppress(BlockingIOError):
            while True:
                messages.append(self._socket.recv(4096).decode())
        return messages

    def close(self) -> None:
        self._socket.close()


@contextmanager
def manager(path: Path) -> Iterator[Manager]:
    """A manager that listens on the Unix socket at `path` inside the block."""
    manager = Manager(path)
    try:
        yield manager
    finally:
        manager.close()
