"""Every system call of the serving path fails, at each of its first occurrences, one at a time.

    python -m tests.stress.faults [DESIGN ...] [--occurrences 20] [--calls accept4 ...]     no design: all of them
    python -m tests.stress.faults --quick                                                  for CI, under 25 seconds

How: a server runs; strace attaches to all its threads and has one system call fail with one errno at its K-th
occurrence in each thread (-e inject=CALL:error=ERRNO:when=K); 24 clients send various requests; strace detaches.
A case holds if
  - the server is alive,
  - every connection was framed or aborted: each response is complete and correct, or is 408, 500 or 503, or the
    connection ended in the middle of it; never a wrong byte, never silence beyond the timeouts,
  - the next request, without a failure, gets its usual response,
  - no traceback was printed.
K rises until the call does not occur that often. A failure on a descriptor by which an event loop wakes itself (eventfd, a
pipe, a socket pair) shows nothing about serving, and cannot really happen: if the server did not survive it, it is counted
separately. So is a call from which strace detached while it made it fail: the kernel returns ENOSYS then, which no call of
the table does. That case is tried again on another server.
"""

import argparse
import asyncio
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, NamedTuple

from tests.conformance.designs import Design
from tests.conformance.server import Server, running
from tests.conformance.strace import Injection, can_attach
from tests.conformance.wire import content_length, get, parse_head

from .harness import NAMED, Report, folder, raise_descriptor_limit, sigterm_as_interrupt, temporary_folders, tracebacks

TABLE: Final[dict[str, tuple[str, ...]]] = {
    "accept4": ("EMFILE", "ENFILE", "ENOMEM", "EINTR", "ECONNABORTED", "EAGAIN"),
    "openat2": ("EMFILE", "ENOMEM", "EIO", "EINTR", "EAGAIN"),
    "openat": ("EMFILE", "ENOMEM", "EIO", "EINTR"),
    "fstat,newfstatat": ("EIO", "ENOMEM"),
    "pread64": ("EIO", "EINTR", "ENOMEM"),
    "preadv2": ("EIO", "EAGAIN", "EINTR"),
    "sendfile": ("EIO", "EINTR", "ECONNRESET", "EPIPE", "EAGAIN", "ENOMEM", "EINVAL"),
    "read,recvfrom,recvmsg": ("ECONNRESET", "EINTR", "EAGAIN", "ENOMEM", "EIO"),
    "write,writev,sendto,sendmsg": ("EPIPE", "ECONNRESET", "EINTR", "EAGAIN", "ENOMEM", "EIO"),
    "epoll_ctl": ("ENOMEM",),
    "epoll_wait,epoll_pwait,poll": ("EINTR",),
    "setsockopt": ("ENOMEM",),
    "clone,clone3": ("EAGAIN",),
    "shutdown": ("ENOTCONN", "EIO"),
    "close": ("EIO", "EINTR"),
}
"""System calls with the errors that they may return, in order. ENFILE and ECONNABORTED are those of accept (hazard E7)."""
EDGE_TRIGGERED: Final = ("epoll", "epoll-thread")
"""Edge-triggered designs, to which the kernel reports each change once. An injected EAGAIN would make them wait for another
report that the kernel never makes, so these calls fail with EAGAIN only in epoll-level and epoll-oneshot."""
OPTIONS: Final = ("--header-timeout", "2", "--idle-timeout", "2", "--send-timeout", "2", "--linger-idle", "1")
TIMEOUT: Final = 20.0
"""Seconds for one client: more than all timeouts of the server together, also on a busy machine."""
_LOOP_DESCRIPTOR: Final = re.compile(r"eventfd|<pipe:|UNIX|signalfd|timerfd")
_DIED: Final = "the server died"
_DETACHED: Final = "strace detached in the middle"
_ENOSYS: Final = "Function not implemented"


class Conversation(NamedTuple):
    """The requests of one client on one connection, and the responses that it expects."""

    wire: bytes
    expected: tuple[tuple[int, bytes | None], ...]
    """Status and content of each response; content that is None is not compared."""
    methods: tuple[str, ...]
    window: int = 0


def conversations(root: Path) -> list[Conversation]:
    """All kinds of requests, four times each: from memory, from the disk, large, malformed."""
    one, hundred, million = ((root / name).read_bytes() for name in ("1k.bin", "100k.bin", "1m.bin"))
    small = ((root / "a.txt").read_bytes(), (root / "index.html").read_bytes())
    several = Conversation(
        get("/a.txt")
        + get("/")
        + get("/missing")
        + get("/1k.bin", method="HEAD")
        + get("/1k.bin", "Connection: close"),
        ((200, small[0]), (200, small[1]), (404, None), (200, b""), (200, one)),
        ("GET", "GET", "GET", "HEAD", "GET"),
    )
    large = Conversation(get("/1m.bin", "Connection: close"), ((200, million),), ("GET",), 8192)
    middle = Conversation(get("/100k.bin") + get("/a.txt"), ((200, hundred), (200, small[0])), ("GET", "GET"))
    post = b"POST /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
    refused = Conversation(post + get("/a.txt"), ((405, None), (200, small[0])), ("POST", "GET"))
    parts = Conversation(get("/100k.bin", "Range: bytes=0-9, 100-199"), ((206, None),), ("GET",))
    wrong = Conversation(b"GET / HTTP/1.1\r\nHost: h\r\nno field\r\n\r\n", ((400, None),), ("GET",))
    return [several, large, middle, refused, parts, wrong] * 4


async def converse(address: tuple[str, int], what: Conversation, kept: bool) -> str:
    """Returns `whole`, `refused` (408, 500 or 503), `ended` (in the middle), or a description of what must not happen."""
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        if what.window:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, what.window)
        data = b""
        try:
            async with asyncio.timeout(TIMEOUT):
                await loop.sock_connect(sock, address)
                with suppress(ConnectionError):
                    await loop.sock_sendall(sock, what.wire)
                for (status, content), method in zip(what.expected[: None if kept else 1], what.methods, strict=False):
                    while (end := data.find(b"\r\n\r\n")) < 0:
                        more = await loop.sock_recv(sock, 262144)
                        if not more:
                            return "ended" if b"HTTP/1.1"[: len(data)] == data[:8] else f"BROKEN: {data[:80]!r}"
                        data += more
                    got, _, fields = parse_head(data[:end])
                    length = end + 4 + content_length(got, fields, method)
                    while len(data) < length:
                        more = await loop.sock_recv(sock, 262144)
                        if not more:
                            part = data[end + 4 :]
                            right = got != status or content is None or content.startswith(part)
                            return "ended" if right else f"BROKEN: {len(part)} wrong bytes before the end"
                        data += more
                    if got in (408, 500, 503):
                        return "refused"
                    if got != status:
                        return f"WRONG STATUS: {got} instead of {status}"
                    if content is not None and data[end + 4 : length] != content:
                        return f"WRONG CONTENT: of {what.wire[:40]!r}"
                    data = data[length:]
                return "whole" if not data else f"BROKEN: {data[:80]!r} after the last response"
        except ConnectionError:
            return "ended"
        except TimeoutError:
            return f"SILENCE: after {what.wire[:30]!r} and {len(data)} bytes"
        except AssertionError as error:
            return f"BROKEN: {error}"


class Sweep:
    """All cases of one design."""

    def __init__(self, report: Report, design: Design, root: Path, log_dir: Path) -> None:
        self.report = report
        self.design = design
        self.root = root
        self.log_dir = log_dir
        self.conversations = conversations(root)
        self.cases = 0
        self.not_counted: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    async def run(self, table: dict[str, tuple[str, ...]], occurrences: Sequence[int]) -> None:
        """Runs all cases on one server, and starts another one whenever it has died."""
        left = [(calls, errno, occurrences) for calls, errnos in table.items() for errno in errnos]
        if self.design.name in EDGE_TRIGGERED:
            left = [one for one in left if one[1] != "EAGAIN" or not one[0].startswith(("accept4", "read", "write"))]
        while left:
            log_dir = Path(mkdtemp(dir=self.log_dir))
            try:
                async with running(self.design, self.root, *OPTIONS, log_dir=log_dir, allowed_errors=".") as server:
                    while left:
                        calls, errno, occurrences = left.pop(0)
                        rest = await self.run_occurrences(server, calls, errno, occurrences, log_dir)
                        if rest is not None:
                            left.insert(0, (calls, errno, rest))
                            server.kill()
                            break
            except subprocess.TimeoutExpired:
                self.failures["it does not stop at SIGTERM"] += 1
            except AssertionError as error:
                if "exit status" not in str(error):
                    raise

    async def run_occurrences(
        self, server: Server, calls: str, errno: str, occurrences: Sequence[int], log_dir: Path
    ) -> Sequence[int] | None:
        """Makes one call fail with one errno, from its first occurrence to the last.

        Returns the occurrences that are left when another server is needed, because this one is dead or its event loop
        was hit; None if all is done.
        """
        for at, when in enumerate(occurrences, 1):
            try:
                case = await self.run_case(server, calls, errno, when, log_dir)
            except ProcessLookupError:
                if self.strace_detached(server):
                    return occurrences[max(at - 2, 0) :]
                self.failures[f"{calls} {errno}: {_DIED} soon after when={when - 1}"] += 1
                server.kill()
                return occurrences[at - 1 :]
            if case is None:
                return None
            if _DETACHED in case:
                return occurrences[at - 1 :]
            if _DIED in case:
                return occurrences[at:]
        return None

    async def run_case(self, server: Server, calls: str, errno: str, when: int, log_dir: Path) -> list[str] | None:
        """Runs one case. Returns None if the call did not occur that often."""
        before = len(tracebacks(server))
        injection = Injection(server, calls, errno, when, log_dir)
        async with injection:
            outcomes = await asyncio.gather(
                *(converse(server.address, one, self.design.keeps_alive) for one in self.conversations)
            )
        if not injection.injected:
            return None
        if self.strace_detached(server):
            return [_DETACHED]
        self.cases += 1
        wrong = [outcome for outcome in outcomes if outcome not in ("whole", "refused", "ended")]
        self.outcomes.update(outcome if outcome not in wrong else "wrong" for outcome in outcomes)
        if any(map(_LOOP_DESCRIPTOR.search, injection.injected)):
            self.not_counted[calls] += server.process.poll() is not None
            return [_DIED]
        if server.process.poll() is not None:
            wrong = [_DIED, *server.error_output().splitlines()[-3:]]
        else:
            after = await converse(server.address, self.conversations[2], self.design.keeps_alive)
            if after != "whole":
                wrong.append(f"the next request: {after}")
            if len(tracebacks(server)) > before:
                wrong.append("a traceback: " + _last_error(server))
        for words in dict.fromkeys(wrong):
            self.failures[f"{calls} {errno}: {words}"] += 1
            self.report.write(f"    {self.design.name} {calls} {errno} when={when}: {words}")
            for line in injection.injected[:3]:
                self.report.write(f"      {line[:160]}")
        return wrong

    def strace_detached(self, server: Server) -> bool:
        """Whether strace detached in the middle of a call; that is accepted ten times."""
        is_so = _ENOSYS in server.error_output()
        self.not_counted[_DETACHED] += is_so
        return is_so and self.not_counted[_DETACHED] <= 10

    def print_results(self) -> None:
        outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        self.report.write(f"  {self.design.name}: {self.cases} cases; connections: {outcomes}")
        self.report.figure("cases that do not hold", sum(self.failures.values()), 0)
        for words, count in self.failures.most_common():
            self.report.write(f"    {count} x {words}")
        for calls, count in self.not_counted.items():
            if count:
                why = calls if calls == _DETACHED else f"{calls} failing on a descriptor of its own loop"
                self.report.figure(f"ended by {why}, not counted", count)


def _last_error(server: Server) -> str:
    lines = server.error_output().splitlines()
    errors = [line for line in lines if re.match(r"[A-Za-z_.]*(?:Error|Exception)\b", line)]
    return errors[-1] if errors else "?"


async def sweep(arguments: argparse.Namespace) -> int:
    report = Report()
    if not can_attach():
        report.write("strace is not installed, or may not attach here: nothing was tested")
        return 0
    raise_descriptor_limit()
    table = {calls: TABLE[calls] for calls in arguments.calls or TABLE}
    designs = arguments.designs or (("async-uvloop", "epoll") if arguments.quick else NAMED)
    occurrences: Sequence[int] = range(1, arguments.occurrences + 1)
    if arguments.quick:
        occurrences = (2,)
        table = {calls: errnos[:1] for calls, errnos in table.items() if calls != "epoll_ctl"}
    with temporary_folders() as (root, log_dir):
        for name in designs:
            start = time.monotonic()
            one = Sweep(report, NAMED[name], root, folder(log_dir, name))
            await one.run(table, occurrences)
            one.print_results()
            report.write(f"    {time.monotonic() - start:.0f} s")
    return report.end()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stress.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("designs", nargs="*", metavar="DESIGN", help=", ".join(NAMED))
    parser.add_argument("--occurrences", type=int, default=20)
    parser.add_argument("--calls", nargs="*", choices=TABLE, help="only these")
    parser.add_argument("--quick", action="store_true", help="one errno, one occurrence, two designs")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.designs if name not in NAMED]:
        parser.error(f"no such design: {', '.join(unknown)}")
    sigterm_as_interrupt()
    return asyncio.run(sweep(arguments))


if __name__ == "__main__":
    sys.exit(main())
