"""The check that all designs respond alike: each gets the same bytes, and the responses are compared byte by byte.

Each request is sent on a connection of its own, which the client then ends on its side. Everything up to the end of the
connection is compared, with its dates masked. Of a design that ends each connection after one response, only this first
response is compared, without the field Connection: it is the only difference that designs may have.
"""

import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Final, NamedTuple

from pwb_legacy.compare.load.messages import Address
from pwb_legacy.compare.measure.results import Equality
from pwb_legacy.compare.measure.servers import CannotError, Contestant, Server, serving

from .request_corpus import Case

TIMEOUT: Final = 15.0
SETTLED: Final = 2.5
"""Seconds after which no cache gives the answer to a file that has changed."""
RESET: Final = b"(the connection was reset)"
_SHOWN: Final = 2000
"""Characters of a request or an answer's line that are printed."""
_DATE: Final = re.compile(rb"(?<=\r\nDate: )[^\r\n]*")
_CONNECTION: Final = re.compile(rb"(?<=\r\n)Connection: [^\r\n]*\r\n")
_LENGTH: Final = re.compile(rb"\r\nContent-Length: (\d+)\r\n")


@dataclass(frozen=True, slots=True)
class Difference:
    """A request that was not answered alike. answers: by design, as far as they can be compared."""

    case: Case
    answers: Mapping[str, bytes]

    def __str__(self) -> str:
        """The request, and where the answers part: what most designs say first."""
        groups: dict[bytes, list[str]] = {}
        for name, answer in self.answers.items():
            groups.setdefault(answer, []).append(name)
        most, *others = sorted(groups.items(), key=lambda pair: -len(pair[1]))
        lines = [f"not answered alike: {self.case.name}", *(f"> {line}" for line in _lines(self.case.wire))]
        for answer, names in others:
            lines += unified_diff(
                _lines(most[0]), _lines(answer), ", ".join(most[1]), ", ".join(names), n=2, lineterm=""
            )
        return "\n".join(lines)


class Proof(NamedTuple):
    """The result of the check."""

    equality: Equality
    silent: dict[str, str]
    """The designs that could not start, and why."""


def say(address: Address, wire: bytes, timeout: float = TIMEOUT) -> bytes:
    """Everything that is answered to `wire`, up to the end of the connection."""
    for _ in range(3):
        try:
            with socket.create_connection(address, timeout) as peer:
                return b"".join(_converse(peer, wire))
        except TimeoutError:
            return b"(no answer within %d s)" % timeout
        except OSError:
            continue  # a reset may take an answer with it
    return RESET


def masked(stream: bytes) -> bytes:
    """Answers without their dates."""
    return _DATE.sub(b"*", stream)


def first(stream: bytes) -> tuple[bytes, bytes]:
    """The first response in `stream` without its field Connection, as every design sends it, and the bytes behind it.

    Whether it has content is judged by what follows its head."""
    head, end, rest = masked(stream).partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    size = 0 if not length or rest.startswith(b"HTTP/1.1 ") else int(length[1])
    return _CONNECTION.sub(b"", head + end) + rest[:size], rest[size:]


def differences(
    contestants: Sequence[Contestant], addresses: Sequence[Address], cases: Sequence[Case]
) -> Iterator[Difference]:
    """Every case to every contestant, all contestants at the same time. What seems to differ is asked again a little
    later: a file may have changed just now, and only one of them have seen it."""
    suspects = [difference.case for difference in _asked(contestants, addresses, cases)]
    if suspects:
        time.sleep(SETTLED)
        yield from _asked(contestants, addresses, suspects)


def _asked(
    contestants: Sequence[Contestant], addresses: Sequence[Address], cases: Sequence[Case]
) -> Iterator[Difference]:
    with ThreadPoolExecutor(len(contestants)) as threads:
        streams = threads.map(lambda address: [say(address, case.wire) for case in cases], addresses)
        for case, *answers in zip(cases, *streams, strict=True):
            if found := compare(case, dict(zip(contestants, answers, strict=True))):
                yield found


def compare(case: Case, streams: Mapping[Contestant, bytes]) -> Difference | None:
    """What they answered to one case; None: all the same. The first that keeps connections is the measure."""
    measure = next((stream for one, stream in streams.items() if one.keeps_alive), next(iter(streams.values())))
    answers = {
        one.name: masked(stream) if one.keeps_alive else _as_if_kept(stream, measure) for one, stream in streams.items()
    }
    return Difference(case, answers) if len(set(answers.values())) > 1 else None


def _as_if_kept(stream: bytes, measure: bytes) -> bytes:
    """`measure`, if its first answer is this one, and there is no other; else what differs."""
    answer, more = first(stream)
    return masked(measure) if not more and answer == first(measure)[0] else answer + more


def prove(
    contestants: Sequence[Contestant],
    root: Path,
    cases: Callable[[Address], Sequence[Case]],
    options: Sequence[str] = (),
) -> Proof:
    """Start all contestants on a folder and compare them.

    cases: what to send, made with the first one's help. options: those of every design.
    """
    with ExitStack() as stack, ThreadPoolExecutor(len(contestants)) as threads:
        began = list(threads.map(lambda one: _begin(stack, one, root, options), contestants))
        servers = {one: it for one, it in zip(contestants, began, strict=True) if isinstance(it, Server)}
        silent = {one.name: it for one, it in zip(contestants, began, strict=True) if isinstance(it, str)}
        addresses = [server.address for server in servers.values()]
        sent = cases(addresses[0]) if addresses else []
        found = list(differences(list(servers), addresses, sent)) if addresses else []
    return Proof(Equality(len(sent), [str(one) for one in found]), silent)


def validators(address: Address, target: bytes) -> tuple[bytes, bytes]:
    """The entity tag and the modification date of a file, as one design sends them; empty where it sends none."""
    answer = say(address, b"HEAD %s HTTP/1.1\r\nHost: h\r\n\r\n" % target)
    tag, date = re.search(rb"\r\nETag: ([^\r]*)", answer), re.search(rb"\r\nLast-Modified: ([^\r]*)", answer)
    return tag[1] if tag else b"", date[1] if date else b""


def _begin(stack: ExitStack, contestant: Contestant, root: Path, options: Sequence[str]) -> Server | str:
    try:
        return stack.enter_context(serving(contestant, root, options=options))
    except CannotError as error:
        return str(error)


def _converse(peer: socket.socket, wire: bytes) -> Iterator[bytes]:
    try:
        peer.sendall(wire)
        peer.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass  # the server reads no more; what it has sent before is still to be read
    while piece := peer.recv(1 << 16):
        yield piece


def _lines(stream: bytes) -> list[str]:
    """For people: printable, a line each."""
    return [ascii(line.decode("latin-1"))[1:-1][:_SHOWN] for line in stream.splitlines(keepends=True)]
