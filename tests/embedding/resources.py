"""What a program uses: descriptors, threads, tasks and memory."""

import asyncio
import gc
import http.client
import os
import signal
import threading
from typing import Final, NamedTuple

TIMEOUT: Final = 15.0
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)


class Resources(NamedTuple):
    """What the process uses now."""

    descriptors: dict[str, str]
    """What each open descriptor refers to, but for the one that reads the directory."""
    threads: frozenset[threading.Thread]
    handlers: tuple[object, ...]
    """The handlers of signals."""
    tasks: frozenset[object]
    """The tasks of the running loop, if there is one."""


def resources() -> Resources:
    """What the process uses now."""
    descriptors = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            descriptors[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            continue
    try:
        tasks = frozenset[object](asyncio.all_tasks())
    except RuntimeError:
        tasks = frozenset()
    return Resources(descriptors, frozenset(threading.enumerate()), tuple(map(signal.getsignal, _SIGNALS)), tasks)


def memory() -> int:
    """Bytes of memory that the process has, after garbage was collected."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fetch(port: int | None, path: str = "/a.txt") -> bytes:
    """The content at a path of the server on this machine."""
    assert port is not None
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()
