"""Attacks on how events and threads are handled: L13 to L18."""

import time
from contextlib import ExitStack, suppress
from typing import Final

from pwb_legacy.book.client import SOON, WAIT, ask, connect, receive, request, slow_reader, vanish
from pwb_legacy.book.running import Running, wait_until
from pwb_legacy.book.site import PAGE

from .outcome import Outcome, defect, held, other

TOGETHER: Final = 5
"""clients that come at the same moment"""
READERS: Final = 6
"""clients that do not read: the book's programs keep 16 MiB for each"""
VANISHED: Final = 4
REQUESTS: Final = 1000
"""one after the other; of the requests to exhibit 7 one in 50 meets the race, where it is a rare one"""
THREADS: Final = 20
"""more than the pool of any design of PWB"""
MISSES: Final = 8
"""pieces in a row that start no thread, after which no more will"""


def come_together(server: Running) -> Outcome:
    """L13: several clients come before the server looks at its listening socket again."""
    with ExitStack() as stack:
        with server.stopped():
            clients = [stack.enter_context(connect(server.address)) for _ in range(TOGETHER)]
            for client in clients:
                client.sendall(request("/page.html"))
        first = receive(clients[0])
        answers = [first, *(receive(client, SOON) for client in clients[1:])]
    answered = sum(bool(answer.data) for answer in answers)
    if not answered:
        return other("no-answer", seconds=WAIT)
    result = held if answered == TOGETHER else defect
    return result("together", answered=answered, clients=TOGETHER)


def read_nothing(server: Running) -> Outcome:
    """L14: clients that ask for a large file and do not read it, and then an ordinary one."""
    waits = server.program.waits
    readers = 1 if waits == "one" else READERS
    before = server.threads()
    with ExitStack() as stack:
        for _ in range(readers):
            stack.enter_context(slow_reader(server.address, "/large.bin"))
        more = server.threads() - before
        answer = ask(server.address, request("/page.html"), 2 * WAIT)
    if answer.data and waits == "loop" and more >= readers:
        return defect("thread-each", readers=readers, threads=more)
    if answer.data:
        return held("readers-answered", readers=readers, line=answer.status_line)
    if waits == "one":
        return other("one-at-a-time", seconds=2 * WAIT)
    return defect("loop-stands", readers=readers, seconds=2 * WAIT)


def send_and_vanish(server: Running) -> Outcome:
    """L15: clients that send a request and reset the connection before the server looks."""
    before = len(server.sockets())
    for _ in range(VANISHED):
        with server.stopped():
            client = connect(server.address)
            client.sendall(request("/page.html"))
            vanish(client)
        if server.status(0.1) is not None:
            return other("ended-before", error=server.last_error())
    # One may remain: a loop that waits in accept() has the last client in a variable.
    if wait_until(lambda: len(server.sockets()) <= before + 1, 2 * SOON):
        return held("forgotten", clients=VANISHED)
    return defect("kept", kept=len(server.sockets()) - before, clients=VANISHED)


def overtake(server: Running) -> Outcome:
    """L16: two requests on a connection, the first of which takes long: the name of a FIFO."""
    with connect(server.address) as client:
        client.sendall(request("/fifo", keep=True))
        first = receive(client, SOON / 2)
        if not first.data and first.end == "silence":
            client.sendall(request("/page.html"))
            first = receive(client, SOON)
    if first.data.endswith(PAGE):
        return defect("overtaken", line=first.status_line)
    return held("in-order" if first.data else "waits", line=first.status_line)


def come_and_go(server: Running) -> Outcome:
    """L17: clients one after the other, each as soon as the one before has its answer."""
    end = time.monotonic() + 2 * WAIT  # a process for each of 1,000 clients takes longer
    for number in range(1, REQUESTS + 1):
        answer = ask(server.address, request("/page.html"))
        if not answer.data and answer.end != "silence":
            return defect("wrong-client", number=number)
        if not answer.data:
            return other("no-answer", seconds=WAIT)
        if time.monotonic() > end:
            break
    return held("each-answered", requests=number)


def send_segments(server: Running) -> Outcome:
    """L18: one client that sends a piece after the other, each when the one before has had its effect.

    In exhibit 7 some pieces start no thread, since one that is there already, waiting in recv(), takes them.
    """
    before = highest = server.threads()
    patience, misses = WAIT / 2, 0
    with connect(server.address) as client, suppress(OSError):
        while highest < before + THREADS and misses < MISSES:
            client.sendall(request("/fifo", keep=True))
            if wait_until(lambda: server.threads() > highest, patience):  # noqa: B023  called at once
                highest, patience, misses = server.threads(), SOON / 4, 0
            elif patience > SOON:
                break
            else:
                misses += 1
    result = defect if highest >= before + THREADS else held
    return result("threads", threads=highest - before)
