"""Attacks by what a request says: L1 to L4, L7 and L8."""

from typing import Final

from pwb_legacy.book.client import SOON, WAIT, Answer, ask, connect, receive, request
from pwb_legacy.book.running import Running
from pwb_legacy.book.site import CANARY

from .outcome import Outcome, defect, held, other

CONTENT: Final = b"x" * 8192
"""more than one recv() of the book takes"""


def climb_out(server: Running) -> Outcome:
    """L1: a path that leads out of the served folder."""
    answer = ask(server.address, request("/../canary.txt"))
    if CANARY in answer.data:
        return defect("canary", line=answer.status_line)
    return held("no-canary", line=answer.status_line)


def send_in_two_pieces(server: Running) -> Outcome:
    """L2: a request in two segments; an answer to the first one is too early."""
    whole = request("/page.html")
    first, second = whole[:8], whole[8:]
    with connect(server.address) as client:
        client.sendall(first)
        early = receive(client, SOON)
        if early.data:
            return defect("early", sent=len(first), size=len(whole), line=early.status_line)
        client.sendall(second)
        return held("in-time", line=receive(client).status_line)


def send_nonsense(server: Running) -> Outcome:
    """L3: bytes that are no request."""
    answer = ask(server.address, b"\xff\xfe\r\n\r\n")
    if answer.is_http:
        return held("refused", line=answer.status_line)
    return _without_answer(server, answer)


def ask_for_a_folder(server: Running) -> Outcome:
    """L4: a name for which open() raises another error than FileNotFoundError."""
    answer = ask(server.address, request("/folder"))
    if answer.is_http:
        return held("answered", line=answer.status_line)
    return _without_answer(server, answer)


def ask_for_a_head(server: Running) -> Outcome:
    """L7: HEAD, which has no content, and fields that every client needs."""
    answer = ask(server.address, request("/page.html", "HEAD"))
    head, _, content = answer.data.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].decode("latin-1") for line in head.split(b"\r\n")[1:]]
    listed = ", ".join(names)
    if not answer.is_http:
        return other("no-answer", seconds=WAIT)
    if content or "Content-Length" not in names:
        return defect("bare-head", content=len(content), fields=listed)
    return held("full-head", fields=listed)


def upload(server: Running) -> Outcome:
    """L8: more input than one recv() takes, so that some is unread when the connection is closed."""
    length = f"Content-Length: {len(CONTENT)}\r\n"
    answer = ask(server.address, request("/page.html", "POST", length) + CONTENT)
    if answer.end == "reset":
        return defect("reset", line=answer.status_line)
    return held("clean-end", line=answer.status_line)


def _without_answer(server: Running, answer: Answer) -> Outcome:
    if server.status(SOON if answer.end == "silence" else 2 * SOON) is not None:
        return defect("ended", error=server.last_error())
    return defect("closed" if answer.end != "silence" else "silent", seconds=WAIT, error=server.last_error())
