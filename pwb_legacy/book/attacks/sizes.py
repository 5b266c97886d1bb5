"""Attacks by large files: L5 and L6."""

from pwb_legacy.book.client import WAIT, connect, receive, request, slow_reader, unread
from pwb_legacy.book.running import Running, wait_until
from pwb_legacy.book.site import HUGE, LARGE, PAGE

from .outcome import Outcome, defect, held


def stop_while_it_sends(server: Running) -> Outcome:
    """L5: the server is stopped and continued (Ctrl-Z, fg) while send() waits, which then returns early."""
    with slow_reader(server.address, "/large.bin") as client:
        before = -1
        while before != (before := unread(client)):  # until nothing more comes: send() waits
            wait_until(lambda: False, 0.1)
        with server.stopped():
            pass
        answer = receive(client, WAIT)
    size = len(answer.data.partition(b"\r\n\r\n")[2])
    if size >= LARGE:
        return held("whole", size=LARGE)
    if size <= len(PAGE):
        return held("too-small", size=size)
    return defect("cut-off", got=size, size=LARGE)


def ask_for_a_huge_file(server: Running) -> Outcome:
    """L6: how much memory a file takes that is not read by its client."""
    before = server.peak_memory()
    with connect(server.address) as client:
        client.sendall(request("/huge.bin"))
        wait_until(lambda: unread(client), WAIT)
        grown = max(0, server.peak_memory() - before)
    values = {"grown": f"{grown / 2**20:.0f}", "size": HUGE >> 20}
    return defect("in-memory", **values) if grown > HUGE // 2 else held("not-in-memory", **values)
