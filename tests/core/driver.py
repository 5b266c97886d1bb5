"""A driver without a network: Connection and Site over chunks of bytes, with a tree of values instead of a disk.

    talk = converse([b"GET / HTTP/1.1\r\n", b"Host: h\r\n\r\n"])
    talk.statuses, talk.waiting, talk.answers[0].field(b"etag")

It does what every driver does: hands over bytes, answers events, closes responses, stops when told to.
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
from pwb_async.core.site.lookup import DIRECTORY, NOT_FOUND, EntryKind, Finding, Lookup, OpenFile
from pwb_async.core.site.site import Site

NOW = 1_700_000_000
"""When every conversation takes place: Tue, 14 Nov 2023 22:13:20 GMT."""
CHANGED = NOW - 86_400
"""When every file of the tree was last changed: Mon, 13 Nov 2023 22:13:20 GMT."""
LAST_MODIFIED = b"Mon, 13 Nov 2023 22:13:20 GMT"

MARKER = b"GET /marker HTTP/1.1\r\nHost: h\r\n\r\n"
"""What is smuggled, or honestly pipelined."""

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
    """An open file as a value; a driver would read it by its descriptor."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.closed = 0

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.closed += 1


def tag_of(content: bytes) -> bytes:
    """Stands for what a disk makes: the opaque part of an entity tag."""
    return b"%08x" % crc32(content)


def open_file(name: bytes, content: bytes, mtime_ns: int = CHANGED * 10**9) -> OpenFile:
    return OpenFile(name, len(content), mtime_ns, NOW * 10**9, cast(File, FakeFile(content)), tag=tag_of(content))


def find(lookup: Lookup, tree: Mapping[bytes, bytes] = TREE) -> Finding:
    """What pwb_async.storage.disk.Disk.find does, on a mapping."""
    for path, kind, status in lookup.candidates:
        if path in tree and kind is not EntryKind.DIRECTORY:
            return open_file(path, tree[path])._replace(status=status)
        beneath = path + b"/" if path else b""
        if kind is not EntryKind.FILE and any(name.startswith(beneath) for name in tree):
            return DIRECTORY
    return NOT_FOUND


@dataclass
class Answer:
    """One event and what was answered to it, as it went over the wire."""

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
        assert len(values) <= 1, f"{name!r} stands {len(values)} times"
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
class Talk:
    """A conversation so far. kept: the connection goes on. closed: it has come to its end."""

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
    def kept(self) -> bool:
        return self.state not in (ConnectionState.LINGER, ConnectionState.CLOSED)

    @property
    def targets(self) -> list[bytes]:
        """The paths of the requests that were understood."""
        events = [answer.event for answer in self.answers]
        return [b"/" + b"/".join(event.target.segments) for event in events if isinstance(event, Request)]


PARSER = RequestParser(Limits())
SITE = Site()


class Peer:
    """Both ends of a conversation, one step at a time."""

    def __init__(
        self,
        limits: Limits | None = None,
        site: Site = SITE,
        disk: Callable[[Lookup], Finding] = find,
        server: bytes = b"PWB",
    ) -> None:
        self.site = site
        self.disk = disk
        self.talk = Talk(Connection(PARSER if limits is None else RequestParser(limits), server))
        self.connection = self.talk.connection

    def send(self, *chunks: bytes) -> Talk:
        """The client sends; everything that can be answered is answered. b"" is the end of what it sends."""
        for chunk in chunks:
            if self.answer(self.connection.receive(chunk)):
                self.answer_all()
        return self.talk

    def expire(self) -> Talk:
        """The deadline passes."""
        self.answer(self.connection.expire())
        return self.talk

    def answer_all(self) -> None:
        while self.answer(self.connection.next_event()):
            pass

    def answer(self, event: Event) -> bool:
        """Answers one event; False if there is nothing to answer."""
        self.talk.last = event
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
        self.talk.answers.append(Answer(event, response, wire, self.connection.state))
        return True


def read_part(part: Part) -> bytes:
    """The bytes of a part; a slice must lie within its file."""
    if isinstance(part, FileSlice):
        assert isinstance(part.file, FakeFile)
        assert not part.file.closed
        assert part.start >= 0
        assert part.length > 0
        assert part.start + part.length <= len(part.file.content)
        return part.file.content[part.start : part.start + part.length]
    return part


def converse(chunks: Iterable[bytes], limits: Limits | None = None, site: Site = SITE) -> Talk:
    """A whole conversation: chunk after chunk, each answered as far as it can be."""
    return Peer(limits, site).send(*chunks)


def ask(wire: bytes, limits: Limits | None = None, site: Site = SITE) -> Answer:
    """The one answer to one request."""
    (answer,) = converse([wire], limits, site).answers
    return answer


def get(target: bytes = b"/a.txt", *fields: bytes, method: bytes = b"GET", version: bytes = b"HTTP/1.1") -> bytes:
    """A request with a Host."""
    return b"\r\n".join([b"%s %s %s" % (method, target, version), b"Host: h", *fields, b"", b""])


def byte_by_byte(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def cuts(data: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Ways to send `data`: whole, byte by byte, in two pieces cut at each place (hazard B10)."""
    yield "whole", [data]
    yield "byte by byte", byte_by_byte(data)
    for at in range(1, len(data)):
        yield f"cut at {at}", [data[:at], data[at:]]


quick = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
"""For property tests: no clock in the verdict."""
