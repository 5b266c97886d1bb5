"""Starts a program of pwb_legacy/typed, and talks to it."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[2] / "pwb_legacy" / "typed"
FILES: Final = (
    "fixed_page.py",
    "single.py",
    "threads.py",
    "processes.py",
    "greenlets.py",
    "epoll.py",
    "epoll_threads.py",
)
"""In the order of the book."""
TIMEOUT: Final = 15.0
Address = tuple[str, int]


@contextmanager
def serving(file: str, root: Path) -> Iterator[tuple[Address, int]]:
    """Runs a program until the block ends, and yields its address and its pid."""
    address = ("127.0.0.1", free_port())
    command = [sys.executable, "-W", "error", FOLDER / file, str(address[1]), root]
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            assert eventually(lambda: accepts(address)), file
            yield address, process.pid
            assert process.poll() is None, f"{file} has ended"
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    """A port below those that the kernel gives to clients, which could take it before the server does."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def accepts(address: Address) -> bool:
    with suppress(OSError), socket.create_connection(address, TIMEOUT):
        return True
    return False


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def exchange(address: Address, pieces: Iterable[bytes]) -> bytes:
    """What comes back to these pieces, up to the end of the connection."""
    with socket.create_connection(address, TIMEOUT) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(BrokenPipeError, ConnectionResetError):  # it has responded already, and closed
            for piece in pieces:
                client.sendall(piece)
            client.shutdown(socket.SHUT_WR)
        return read_all(client)


def read_all(client: socket.socket) -> bytes:
    data = b""
    while piece := client.recv(1 << 16):
        data += piece
    return data
