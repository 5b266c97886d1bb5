"""Attacks by clients that make a server wait, or that are too many: L9 to L12."""

from contextlib import ExitStack, suppress

from pwb_legacy.book.client import SOON, WAIT, ask, connect, receive, request, vanish
from pwb_legacy.book.running import Running, wait_until

from .outcome import Outcome, defect, held

CROWD = 40
"""clients at once, of which a program that can open 20 descriptors more has room for half"""


def exhaust_descriptors(server: Running) -> Outcome:
    """L9: a client that has gone before it is served, and then more clients than there are descriptors."""
    with server.stopped():
        client = connect(server.address)
        client.sendall(request("/page.html"))
        vanish(client)
    if server.status(SOON) is not None:
        return defect("ended-by-vanished", error=server.last_error())
    server.limit_descriptors(CROWD // 2)
    with ExitStack() as stack, suppress(ConnectionError):  # it has ended
        patience = 2 * SOON  # of a program that has no core for a while
        for _ in range(CROWD):
            before = server.descriptors()
            stack.enter_context(connect(server.address))
            if not wait_until(lambda: server.descriptors() > before, patience):  # noqa: B023  called at once
                patience = 0.0  # it accepts no more
        server.status(SOON)
    if server.status(SOON) is not None:
        return defect("ended-by-crowd", crowd=CROWD, error=server.last_error("OSError"))
    answer = ask(server.address, request("/page.html"))
    if answer.data:
        return held("crowd-gone", crowd=CROWD, line=answer.status_line)
    return defect("deaf-after-crowd", crowd=CROWD, error=server.last_error("OSError"))


def say_nothing(server: Running) -> Outcome:
    """L10: a client that connects and sends nothing."""
    with connect(server.address) as client:
        if receive(client, WAIT).end != "silence":
            return held("silent-closed", seconds=WAIT)
        answer = ask(server.address, request("/page.html"), SOON)
        return defect("place-held" if answer.data else "server-held", seconds=WAIT)


def leave_children(server: Running) -> Outcome:
    """L11: what a child process has open, and what is left when it has ended."""
    patience = SOON if server.program.waits == "one" else 2 * WAIT
    with connect(server.address):
        ask(server.address, request("/page.html"), patience)  # with its answer, the client before has its child
        if not server.children():
            return held("no-children")
        wait_until(lambda: len(server.children()) <= 1, SOON)  # the second child has ended, and was waited for
        zombies = server.zombies()
        living = [pid for pid in server.children() if pid not in zombies]
        heirs = [pid for pid in living if server.sockets(pid) & server.listening_sockets()]
    if zombies or heirs:
        return defect("zombies", zombies=len(zombies), heirs=len(heirs))
    return held("reaped")


def ask_for_a_page(server: Running) -> Outcome:
    """L12: one client that does everything right."""
    answer = ask(server.address, request("/page.html"))
    return held("answered", line=answer.status_line) if answer.data else defect("no-answer", seconds=WAIT)
