"""Attacks by what is around a server, its queue, signals and output: L19 and L20."""

import socket
from contextlib import ExitStack
from typing import Final

from pwb_legacy.book.client import WAIT, ask, connect, request
from pwb_legacy.book.running import Running

from .outcome import Outcome, defect, held

ARRIVALS: Final = 300


def interrupt(server: Running) -> Outcome:
    """L19: more clients than the queue has room for, and Ctrl-C while a client is connected."""
    with connect(server.address), ExitStack() as stack:
        with server.stopped():
            arrivals = [stack.enter_context(socket.socket()) for _ in range(ARRIVALS)]
            for client in arrivals:
                client.setblocking(False)
                client.connect_ex(server.address)
            queued = sum(_is_connected(client) for client in arrivals)
            stack.close()
            server.interrupt()
        status = server.status(WAIT)
    values = {"queued": queued, "arrivals": ARRIVALS, "status": status, "seconds": WAIT}
    if status is None:
        return defect("stays", **values)
    if status or queued < ARRIVALS:
        return defect("traceback", error=server.last_error(), **values)
    return held("stops", **values)


def fill_the_output(server: Running) -> Outcome:
    """L20: a full pipe as standard output, which nothing reads."""
    server.fill_output()
    answer = ask(server.address, request("/page.html"))
    return held("answered", line=answer.status_line) if answer.data else defect("no-answer", seconds=WAIT)


def _is_connected(client: socket.socket) -> bool:
    try:
        client.getpeername()
    except OSError:
        return False
    return True
