"""Examines a server: each row in up to three ways of sending it, then the clients; one after the other.

A server that ends or no longer answers is started again, so that one defect does not hide the others. The time is
bounded, whatever the server does.
"""

import random
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from pwb_legacy.compare.checks.essential_rows import ROWS
from pwb_legacy.compare.checks.findings import Finding
from pwb_legacy.compare.checks.judge import judge
from pwb_legacy.compare.checks.rows import Row, expect, get

from .clients import CLIENTS
from .exchange import Answer, exchange
from .server import HOST, Server, serving

TIME: Final = 120.0
"""Seconds after which no further row is begun."""
HANGS: Final = 8
"""Rows without a response after which the rest is not tried: each takes seconds."""
ENDING: Final = 0.3
"""Seconds in which a server ends after what it has not survived."""
BY_ID: Final = {row.id: row for row in ROWS}
HUNG: Final = frozenset({"silence", "refused", "held-up"})
"""Findings after which the server is started again."""
IDS: Final = (*BY_ID, *CLIENTS)
"""All that is examined, in this order."""


class Failure(NamedTuple):
    """What went wrong first with a row or a client."""

    id: str
    way: str
    """whole, bytes, pipelined or client."""
    sent: bytes
    received: bytes
    findings: list[Finding]
    printed: str
    """The end of what the server has printed."""


class Result(NamedTuple):
    """The outcome of a row or a client."""

    id: str
    failure: Failure | None


class GivenUpError(Exception):
    """The rest of the rows is not tried. Its argument is hangs or time."""


Command = Callable[[int, Path], Sequence[str]]
"""Makes the command from a port and the root."""


def examine(command: Command, port: int, root: Path, ids: Sequence[str]) -> Iterator[Result]:
    """Yield the results. port: 0 for a free one at each start.

    Raises NotStartedError, CannotRunError, GivenUpError.
    """
    left = list(ids)
    end = time.monotonic() + TIME
    hangs = 0
    while left:
        with serving(command(chosen := port or free_port(), root), chosen) as server:
            usable = True
            while left and usable:
                if time.monotonic() > end:
                    raise GivenUpError("time")
                server.printed()  # what belongs to the rows before
                failure = _examine_one(server, left[0])
                yield Result(left.pop(0), failure)
                hung = failure is not None and any(each.kind in HUNG for each in failure.findings)
                hangs += hung
                usable = not hung and server.status() is None
        if left and hangs >= HANGS:
            raise GivenUpError("hangs")


def _examine_one(server: Server, name: str) -> Failure | None:
    if name in CLIENTS:
        findings = CLIENTS[name](server.address)
        return _failure(server, Failure(name, "client", b"", b"", findings, "")) if findings else None
    for way, row, pieces in _ways(BY_ID[name]):
        answer = exchange(server.address, pieces, lambda data, row=row: not judge(row, data))  # type: ignore[misc]
        if findings := _findings(row, answer):
            return _failure(server, Failure(name, way, b"".join(pieces), answer.data, findings, ""))
    return None


def _ways(row: Row) -> Iterator[tuple[str, Row, Sequence[bytes]]]:
    """How a row is sent; a row that leaves the connection open also with another request behind it."""
    wire = b"".join(row.requests)
    yield "whole", row, (wire,)
    yield "bytes", row, [wire[at : at + 1] for at in range(len(wire))]
    if not row.ends:
        another, one = get("/one.txt", "Connection: close"), expect(200, b"1")
        longer = row._replace(requests=(*row.requests, another), responses=(*row.responses, one), ends=True)
        yield "pipelined", longer, (b"".join(longer.requests),)


def _findings(row: Row, answer: Answer) -> list[Finding]:
    if answer.end == "refused" or (answer.end == "reset" and not answer.data):
        return [Finding(answer.end)]
    found = judge(row, answer.data)
    if found and answer.end != "closed":
        found.append(Finding(answer.end, 3))
    return found


def _failure(server: Server, failure: Failure) -> Failure:
    """The failure, with what became of the server."""
    status = server.status(ENDING)
    if status is not None:
        ended = Finding("killed", -status) if status < 0 else Finding("ended", status)
        failure = failure._replace(findings=[*failure.findings, ended])
    return failure._replace(printed=server.printed())


def free_port() -> int:
    """A port below those that the kernel gives to clients, which could take it before the server does."""
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311  not for secrets
        with suppress(OSError), socket.create_server((HOST, port)):
            return port
