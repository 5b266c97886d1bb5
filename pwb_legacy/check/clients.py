"""Clients that are slow, or vanish: what they do to a server, and to another client."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pwb_async.network.sockets import reset_on_close
from pwb_legacy.compare.checks.essential_rows import FILES
from pwb_legacy.compare.checks.findings import Finding
from pwb_legacy.compare.checks.judge import judge
from pwb_legacy.compare.checks.rows import expect, get, row

from .exchange import exchange
from .server import Address

PATIENCE: Final = 15.0
"""Seconds after which a server should have given up a client that sends half a request."""
LARGE: Final = 8 << 20
LARGE_FILE: Final = "large.bin"
_ORDINARY: Final = row("ordinary", get("/one.txt", "Connection: close"), expect(200, FILES["one.txt"]))


def write_large_file(root: Path) -> None:
    """Add the file of the slow reader to the site."""
    with (root / LARGE_FILE).open("wb") as file:
        file.truncate(LARGE)


def silent(address: Address) -> list[Finding]:
    """Another client must have its response, at the latest when the server has given up the one that sends nothing."""
    try:
        with socket.create_connection(address, PATIENCE) as slow:
            slow.sendall(b"GET /a.txt HTTP/1.1\r\nHo")
            return _ordinary(address)
    except OSError:
        return [Finding("refused")]


def slow_reader(address: Address) -> list[Finding]:
    """A file that no buffer holds must arrive whole, although the client begins late and reads little at a time."""
    request = get(f"/{LARGE_FILE}", "Connection: close")
    try:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            client.settimeout(PATIENCE)
            client.connect(address)
            client.sendall(request)
            time.sleep(0.5)  # the server has filled what buffers there are, and has to wait
            data = bytearray()
            end = time.monotonic() + PATIENCE  # for all of it, or a server that sends a byte now and then never ends
            while len(data) < 2 * LARGE and (piece := client.recv(1 << 16)):
                data += piece
                client.settimeout(max(end - time.monotonic(), 0.001))
    except TimeoutError:
        return [Finding("silence", int(PATIENCE))]
    except OSError:
        return [Finding("reset")]
    expected = expect(200, bytes(LARGE))
    return judge(row("slow", request, expected), bytes(data))


def vanishing(address: Address) -> list[Finding]:
    """Clients reset their connections before, within and after a request; then another one is served."""
    try:
        for sent in (b"", b"GET /a.txt HT", get(f"/{LARGE_FILE}")) * 3:
            with socket.create_connection(address, PATIENCE) as client:
                client.sendall(sent)
                reset_on_close(client)
    except OSError:
        return [Finding("refused")]
    return _ordinary(address)


CLIENTS: Final[dict[str, Callable[[Address], list[Finding]]]] = {
    "client-vanishes": vanishing,
    "client-slow-reader": slow_reader,
    "client-silent": silent,
}
"""By the id under which --rows chooses them. The one that may take longest is the last."""


def _ordinary(address: Address) -> list[Finding]:
    """What is wrong with the response that a well-behaved client gets."""
    answer = exchange(address, _ORDINARY.requests, lambda data: not judge(_ORDINARY, data), PATIENCE)
    if not answer.data and answer.end == "silence":
        return [Finding("held-up", int(PATIENCE))]
    return judge(_ORDINARY, answer.data)
