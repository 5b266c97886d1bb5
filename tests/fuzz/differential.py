"""Sends the same mutated requests to every design and to nginx.

    python -m tests.fuzz.differential [--requests 1000] [--seed 1]     exit status 1 if two of our designs differ
    python -m tests.fuzz.differential --show NAME                      the requests that fall under one reviewed class
    python -m tests.fuzz.differential --pages                          with --spa and --clean-urls, which nginx has not
    python -m tests.fuzz.differential --guarded                        with passwords, addresses, CORS and a trusted proxy

Each request has a connection of its own: its bytes, then the end of the client's sending side. PWB's designs must send the
same bytes except for Date. A design without persistent connections sends the first response only, with Connection: close.

Of nginx's responses the statuses are compared, and the content of a 200, up to the first difference; a class in
differences.toml must give the reason for it. The sending side is not closed for nginx, which takes that for the end of the
client; it closes after its own short timeouts. A difference that no class explains is printed as "unreviewed".
"""

import argparse
import asyncio
import re
import signal
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.credentials import parse_basic
from tests.conformance import tree
from tests.conformance.coded import DECODERS
from tests.conformance.peer import Peer
from tests.conformance.server import Server, running
from tests.conformance.wire import Response, parse_responses
from tests.core.driver import converse

from .mutate import composed, mutants, seeds
from .peers import OURS, Address, nginx

CONCURRENT: Final = 25
REVIEWED: Final = Path(__file__).parent / "differences.toml"
_STATUS: Final = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) [^\r\n]*\r\n")


GUARDED: Final = """
trusted_proxy = ["127.0.0.1"]
cors = ["https://a.example"]
browse = true

[[access]]
for = "/sub/*"
htpasswd = "{folder}/users"

[[access]]
for = "/coded/*"
deny = ["192.0.2.0/24"]

[[rewrites]]
from = "/missing/*"
to = "/sub/:splat"
"""
"""The configuration of --guarded."""
USERS: Final = "bob:$apr1$PwbPwbPw$rjpPRznd/rS1As3qMVjdz0\n"
BOB: Final = (b"bob", b"secret")


class Difference(NamedTuple):
    """A reviewed class of differences, with regular expressions that decide whether a difference belongs to it."""

    name: str
    ours: re.Pattern[str]
    """Matches PWB's response: `400 detail` to a malformed request, else `200 GET /target`, or `end` and the last response."""
    nginx: re.Pattern[str]
    """Matches nginx's status, or `nothing`, `bare` (a response without a head, HTTP/0.9), `reset`, `200 other content`."""
    request: re.Pattern[str]
    """Matches somewhere in the bytes of the request."""
    reason: str


def reviewed() -> list[Difference]:
    table: dict[str, Any] = tomllib.loads(REVIEWED.read_text())

    def pattern(one: dict[str, str], key: str) -> re.Pattern[str]:
        return re.compile(one.get(key, ""), re.DOTALL)

    return [
        Difference(one["name"], pattern(one, "ours"), pattern(one, "nginx"), pattern(one, "request"), one["reason"])
        for one in table["difference"]
    ]


RESET: Final = b"(reset)"
"""The result for a server whose connection was reset each time, since a reset may destroy its responses."""


async def exchange(address: Address, wire: bytes, finish: bool) -> bytes:
    """Sends `wire`, and returns everything that the server sends until the end of the connection."""
    for _ in range(3):
        async with Peer(address) as peer:
            with suppress(ConnectionError):
                await peer.send(wire)
                if finish:
                    peer.half_close()
            try:
                return await peer.read_to_end()
            except ConnectionError:
                continue  # a reset may destroy the response
    return RESET


def normal(stream: bytes) -> tuple[bytes, ...]:
    """The responses of a design without their dates. Fails if they are not framed."""
    return tuple(answer.without_date for answer in parse_responses(stream))


def first_only(stream: bytes) -> tuple[bytes, ...]:
    """The first response, without the fields in which a design without persistent connections differs."""
    return tuple(answer.without_date_and_connection for answer in parse_responses(stream)[:1])


class Reading(NamedTuple):
    """The responses of nginx: their statuses, or a word for what is not a response, and their contents."""

    words: list[str]
    contents: list[bytes]


def read_nginx(stream: bytes, methods: list[bytes]) -> Reading:
    if stream == RESET:
        return Reading(["reset"], [b""])
    words: list[str] = []
    contents: list[bytes] = []
    at = 0
    while match := _STATUS.match(stream, at):
        end = stream.find(b"\r\n\r\n", at)
        if end < 0:
            break
        length = re.search(rb"\r\nContent-Length: (\d+)", stream[at:end])
        start = end + 4
        size = int(length[1]) if length else 0
        method = methods[len(words)] if len(words) < len(methods) else b""
        if match[1] in (b"204", b"304") or method == b"HEAD" or stream.startswith(b"HTTP/1.1 ", start):
            size = 0
        if match[1] != b"100":
            words.append(match[1].decode())
            contents.append(stream[start : start + size])
        at = start + size
    if at < len(stream):
        words.append("bare")
        contents.append(stream[at:])
    return Reading(words, contents)


def interpret(wire: bytes) -> list[tuple[str, bytes]]:
    """How the core reads the bytes: for each response, the detail of the error or the requested target, and the method."""
    events = [answer.event for answer in converse([wire, b""]).answers]
    return [
        (event.detail, event.method)
        if isinstance(event, BadRequest)
        else (f"{event.method.decode('latin-1')} {event.request_line.split(b' ')[1].decode('latin-1')}", event.method)
        for event in events
    ]


def guesses_a_password(wire: bytes) -> bool:
    """Whether a request has wrong credentials: how many a client may send is counted over time, and by process."""
    events = [answer.event for answer in converse([wire, b""]).answers]
    sent = [parse_basic(event.fields.get(b"authorization")) for event in events if event.fields is not None]
    return any(each is not None and each != BOB for each in sent)


def decoded(response: Response) -> bytes:
    """The content without its coding, as nginx sends it, which is configured to know none."""
    decode = DECODERS.get(response["Content-Encoding"] or "")
    return decode(response.content) if decode and response.status == 200 and response.content else response.content


def difference(ours: list[Response], events: list[tuple[str, bytes]], theirs: Reading) -> tuple[str, str] | None:
    """The first difference, as PWB's and nginx's response; None if there is none."""
    mine = [f"{answer.status} {event}" for answer, (event, _) in zip(ours, events, strict=True)]
    for at in range(max(len(mine), len(theirs.words))):
        if at == len(theirs.words):
            return mine[at], "nothing"
        if at == len(mine):
            return f"end {mine[-1]}" if mine else "end", theirs.words[at]
        status, content = str(ours[at].status), decoded(ours[at])
        if status != theirs.words[at]:
            return mine[at], theirs.words[at]
        if status == "200" and content and theirs.contents[at] and content != theirs.contents[at]:
            return mine[at], "200 other content"
    return None


class Run:
    """One differential run and its results."""

    def __init__(self, servers: list[Server], nginx_address: Address | None, show: str) -> None:
        self.servers = servers
        self.nginx = nginx_address
        self.show = show
        self.classes = reviewed()
        self.seen: Counter[str] = Counter()
        self.unreviewed: Counter[str] = Counter()
        self.designs_differ = 0
        self.same_as_nginx = 0
        self.statuses: Counter[int] = Counter()

    async def compare_servers(self, wire: bytes) -> None:
        streams = await asyncio.gather(*(exchange(server.address, wire, True) for server in self.servers))
        answers = self.compare(wire, list(streams))
        if self.nginx is not None and answers is not None:
            self.compare_with_nginx(wire, answers, await exchange(self.nginx, wire, False))

    def compare(self, wire: bytes, streams: list[bytes]) -> list[Response] | None:
        """The responses that all designs sent; None if they differ."""
        names = [server.design.name for server in self.servers]
        try:
            expected, first = normal(streams[0]), first_only(streams[0])
            for server, stream in zip(self.servers, streams, strict=True):
                same = normal(stream) == expected if server.design.keeps_alive else first_only(stream) == first
                assert same, f"{server.design.name} differs from {names[0]}"
        except AssertionError as error:
            self.designs_differ += 1
            print(f"DESIGNS DIFFER: {error}\n  request: {wire!r}")
            for name, stream in zip(names, streams, strict=True):
                print(f"  {name}: {stream[:600]!r}")
            return None
        answers = parse_responses(streams[0])
        self.statuses.update(answer.status for answer in answers)
        return answers

    def compare_with_nginx(self, wire: bytes, answers: list[Response], stream: bytes) -> None:
        events = interpret(wire)
        if len(events) != len(answers):
            self.designs_differ += 1
            print(f"THE CORE ALONE answers {len(events)} times, the designs {len(answers)} times: {wire!r}")
            return
        found = difference(answers, events, read_nginx(stream, [method for _, method in events]))
        if found is None:
            self.same_as_nginx += 1
            return
        ours, theirs = found
        text = wire.decode("latin-1")
        for one in self.classes:
            if one.ours.fullmatch(ours) and one.nginx.fullmatch(theirs) and one.request.search(text):
                self.seen[one.name] += 1
                if one.name == self.show:
                    print(f"{one.name}: ours {ours}, nginx {theirs}: {wire!r}")
                return
        self.unreviewed[f"ours {ours}, nginx {theirs}"] += 1
        print(f"unreviewed: ours {ours}, nginx {theirs}: {wire[:1500]!r}", flush=True)

    def print_results(self, requests: int) -> int:
        print(f"{requests:,} mutated requests to {', '.join(server.design.name for server in self.servers)}")
        print("  statuses: " + ", ".join(f"{count:,} x {status}" for status, count in sorted(self.statuses.items())))
        print(f"  our designs differ: {self.designs_differ} times")
        if self.nginx is None:
            print("  nginx is not installed")
        else:
            print(f"  nginx: the same {self.same_as_nginx:,} times, reviewed differences:")
            for name, count in self.seen.most_common():
                print(f"    {count:5,}  {name}")
            print(f"  unreviewed differences: {sum(self.unreviewed.values())}")
        return 1 if self.designs_differ else 0


async def differential(
    requests: int, seed: int, show: str, with_nginx: bool, options: tuple[str, ...] = (), guarded: bool = False
) -> int:
    with TemporaryDirectory(prefix="pwb-differential-") as name:
        world = Path(name, "world")
        world.mkdir()
        world.chmod(0o755)
        Path(name).chmod(0o755)
        root = tree.build(world)
        if guarded:
            Path(name, "users").write_text(USERS)
            Path(name, "guarded.toml").write_text(GUARDED.format(folder=name))
            options = (*options, "--config", f"{name}/guarded.toml")
        async with AsyncExitStack() as stack:
            servers = []
            for design in OURS:
                log_dir = Path(name, design.name)
                log_dir.mkdir()
                servers.append(
                    await stack.enter_async_context(
                        running(design, root, *options, log_dir=log_dir, allowed_errors="ResourceWarning")
                    )
                )
            prefix = Path(name, "nginx")
            prefix.mkdir()
            prefix.chmod(0o777)
            address = await stack.enter_async_context(nginx(root, prefix)) if with_nginx else None
            run = Run(servers, address, show)
            wires = islice((wire for wire in _requests(seed) if not (guarded and guesses_a_password(wire))), requests)
            running_now: set[asyncio.Task[None]] = set()
            for wire in wires:
                running_now.add(asyncio.create_task(run.compare_servers(wire)))
                if len(running_now) >= CONCURRENT:
                    done, running_now = await asyncio.wait(running_now, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        task.result()
            for task in running_now:
                await task
            return run.print_results(requests)


def _requests(seed: int) -> Iterator[bytes]:
    """Mutants of the corpus and composed requests, by turns, without those for huge files."""
    wires = [wire for wire in seeds(9000) if len(wire) < 9000]
    wires += 3 * [wire for wire in wires if wire.startswith(b"GET ") and wire.count(b"\r\n\r\n") == 1]
    pairs = zip(mutants(seed, wires, most=3), composed(seed), strict=False)
    return (wire for pair in pairs for wire in pair if b"bin" not in wire)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.differential", description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", default="", help="a class of differences.toml: print its requests")
    parser.add_argument("--no-nginx", action="store_true", help="only our own designs")
    parser.add_argument("--pages", action="store_true", help="with --spa and --clean-urls, only our own designs")
    parser.add_argument("--guarded", action="store_true", help="with access rules and CORS, only our own designs")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: the servers are ended, too
    options = ("--spa", "--clean-urls") if arguments.pages else ()
    with_nginx = not (arguments.no_nginx or arguments.pages or arguments.guarded)
    run = differential(arguments.requests, arguments.seed, arguments.show, with_nginx, options, arguments.guarded)
    return asyncio.run(run)


if __name__ == "__main__":
    sys.exit(main())
