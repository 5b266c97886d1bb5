"""A server without a network: Connection and Site are driven with pieces of bytes, and files are values.

    conversation = converse([b"GET / HTTP/1.1\r\n", b"Host: h\r\n\r\n"])
    conversation.statuses, conversation.waiting, conversation.answers[0].field(b"etag")

Like every server it passes bytes on, responds to events, closes responses and expires connections.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast
from zlib import crc32

from hypothesis import HealthCheck, settings

from pwb_async.core.events import CLOSED, NEED_DATA, BadRequest, ConnectionState, Event
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import File, FileSlice, Part, Request, Response
from pwb_async.core.site.findings import DIRECTORY, NOT_FOUND, Finding, Moved, OpenFile
from pwb_async.core.site.lookup import EntryKind, Lookup
from pwb_async.core.site.site import Site

NOW = 1_700_000_000
"""The time of every conversation: Tue, 14 Nov 2023 22:13:20 GMT."""
CHANGED = NOW - 86_400
"""The modification time of every file in TREE: Mon, 13 Nov 2023 22:13:20 GMT."""
LAST_MODIFIED = b"Mon, 13 Nov 2023 22:13:20 GMT"

MARKER = b"GET /marker HTTP/1.1\r\nHost: h\r\n\r\n"
"""A request that is pipelined, or smuggled where a parser errs."""

ALPHABET = b"abcdefghijklmnopqrstuvwxyz"

TREE: Mapping[bytes, bytes] = {
    b"index.html": b"<h1>front</h1>",
    b"a.txt": ALPHABET,
    b"empty.txt": b"",
    b"marker": b"MARKER",
    b"sub/index.html": b"<h1>sub</h1>",
    b"sub/deep/x.css": b"p {}",
    b"bare/only.txt": b"no index beside me",
    b".well-known/security.txt": b"Contact: mailto:x@example.com",
    b"\xff\xfe": b"an odd name",
    b"a b": b"a space in the name",
    b"a\\b": b"a backslash in the name",
    b".env": b"CANARY",
    b".git/config": b"CANARY",
}


class FakeFile:
    """An open file without a descriptor."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.closed = 0

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.closed += 1


def tag_of(content: bytes) -> bytes:
    """Return the opaque part of an entity tag, in place of the storage's digest."""
    return b"%08x" % crc32(content)


def open_file(name: bytes, content: bytes, mtime_ns: int = CHANGED * 10**9) -> OpenFile:
    return OpenFile(name, len(content), mtime_ns, NOW * 10**9, cast(File, FakeFile(content)), tag=tag_of(content))


def find(lookup: Lookup, tree: Mapping[bytes, bytes] = TREE) -> Finding:
    """Find the first candidate in a mapping, or the site's error page, as Disk.find does on a disk."""
    finding = _find_first(lookup, tree)
    for path in lookup.error_files(finding):
        if path in tree:
            return lookup.with_page(finding, open_file(path, tree[path]))
    return finding


def _find_first(lookup: Lookup, tree: Mapping[bytes, bytes]) -> Finding:
    for path, kind, status, _ in lookup.candidates:
        if path in tree and kind is not EntryKind.DIRECTORY:
            return Moved(path) if status == 301 else open_file(path, tree[path])._replace(status=status)
        beneath = path + b"/" if path else b""
        if kind is not EntryKind.FILE and any(name.startswith(beneath) for name in tree):
            return DIRECTORY
    return NOT_FOUND


@dataclass
class Answer:
    """One event with the response to it, as it was sent."""

    event: Request | BadRequest
    response: Response
    wire: bytes
    state: ConnectionState

    @property
    def status(self) -> int:
        return int(self.wire[9:12])

    @property
    def head(self) -> bytes:
        return self.wire.partition(b"\r\n\r\n")[0]

    @property
    def content(self) -> bytes:
        return self.wire.partition(b"\r\n\r\n")[2]

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        lines = self.head.split(b"\r\n")[1:]
        return [(name.lower(), value) for name, _, value in (line.partition(b": ") for line in lines)]

    def field(self, name: bytes) -> bytes | None:
        values = [value for found, value in self.fields if found == name]
        assert len(values) <= 1, f"{name!r} occurs {len(values)} times"
        return values[0] if values else None

    @property
    def request(self) -> Request:
        assert isinstance(self.event, Request), self.event
        return self.event

    @property
    def bad(self) -> BadRequest:
        assert isinstance(self.event, BadRequest), self.event
        return self.event


@dataclass
class Conversation:
    """The events and responses of one connection so far."""

    connection: Connection
    answers: list[Answer] = field(default_factory=list)
    last: Event = NEED_DATA

    @property
    def statuses(self) -> list[int]:
        return [answer.status for answer in self.answers]

    @property
    def wire(self) -> bytes:
        return b"".join(answer.wire for answer in self.answers)

    @property
    def state(self) -> ConnectionState:
        return self.connection.state

    @property
    def is_open(self) -> bool:
        return self.state not in (ConnectionState.LINGER, ConnectionState.CLOSED)

    @property
    def targets(self) -> list[bytes]:
        """The paths of the valid requests."""
        events = [answer.event for answer in self.answers]
        return [b"/" + b"/".join(event.target.segments) for event in events if isinstance(event, Request)]


PARSER = RequestParser(Limits())
SITE = Site()


class Driver:
    """A client and a server on one connection, driven step by step."""

    def __init__(
        self,
        limits: Limits | None = None,
        site: Site = SITE,
        disk: Callable[[Lookup], Finding] = find,
        server: bytes = b"PWB",
    ) -> None:
        self.site = site
        self.disk = disk
        self.conversation = Conversation(Connection(PARSER if limits is None else RequestParser(limits), server))
        self.connection = self.conversation.connection

    def send(self, *chunks: bytes) -> Conversation:
        """Send chunks as the client, and respond to every event; b"" closes the client's sending side."""
        for chunk in chunks:
            if self.answer(self.connection.receive(chunk)):
                self.answer_all()
        return self.conversation

    def expire(self) -> Conversation:
        """Let the deadline pass."""
        self.answer(self.connection.expire())
        return self.conversation

    def answer_all(self) -> None:
        while self.answer(self.connection.next_event()):
            pass

    def answer(self, event: Event) -> bool:
        """Respond to one event; return False if it is a signal."""
        self.conversation.last = event
        if isinstance(event, BadRequest):
            response = self.site.refuse(event)
        elif isinstance(event, Request):
            answer = self.site.locate(event)
            response = self.site.reply(answer, self.disk(answer)) if isinstance(answer, Lookup) else answer
        else:
            assert event in (NEED_DATA, CLOSED)
            return False
        try:
            wire = b"".join(map(read_part, self.connection.respond(event, response, NOW)))
        finally:
            response.close()
        self.conversation.answers.append(Answer(event, response, wire, self.connection.state))
        return True


def read_part(part: Part) -> bytes:
    """Return the bytes of a part; a slice must lie within its file."""
    if isinstance(part, FileSlice):
        assert isinstance(part.file, FakeFile)
        assert not part.file.closed
        assert part.start >= 0
        assert part.length > 0
        assert part.start + part.length <= len(part.file.content)
        return part.file.content[part.start : part.start + part.length]
    return part


def converse(chunks: Iterable[bytes], limits: Limits | None = None, site: Site = SITE) -> Conversation:
    """Send chunk after chunk on a new connection, and respond to every event."""
    return Driver(limits, site).send(*chunks)


def ask(wire: bytes, limits: Limits | None = None, site: Site = SITE) -> Answer:
    """Return the response to a single request."""
    (answer,) = converse([wire], limits, site).answers
    return answer


def get(target: bytes = b"/a.txt", *fields: bytes, method: bytes = b"GET", version: bytes = b"HTTP/1.1") -> bytes:
    """Return a request with Host."""
    return b"\r\n".join([b"%s %s %s" % (method, target, version), b"Host: h", *fields, b"", b""])


def byte_by_byte(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def cuts(data: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Yield ways to split `data`: whole, byte by byte, and in two pieces at every position (hazard B10)."""
    yield "whole", [data]
    yield "byte by byte", byte_by_byte(data)
    for at in range(1, len(data)):
        yield f"cut at {at}", [data[:at], data[at:]]


quick = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
"""The settings of property tests: no time limit, which would fail on a loaded machine."""
