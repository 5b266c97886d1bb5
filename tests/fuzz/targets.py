"""What is fuzzed: functions of bytes that raise when something is wrong, whatever the bytes are.

Where the bytes alone do not say enough (where to cut them, what the disk finds, which limits hold), the rest comes
from their checksum, so that an input is one file and means the same in every run.
"""

import re
import signal
from collections.abc import Callable
from itertools import pairwise
from types import FrameType
from typing import Final
from zlib import crc32

from pwb_async.core.events import BadRequest, ConnectionState, Event, Fault, Signal
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.field_lines import parse_fields
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser, parse_request_line
from pwb_async.core.semantics.entity_tags import parse_tags
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.grammar import TOKEN
from pwb_async.core.semantics.messages import REASONS, FileSlice, Part, Request, Response
from pwb_async.core.semantics.preconditions import evaluate, range_applies
from pwb_async.core.semantics.ranges import multipart, parse_ranges
from pwb_async.core.semantics.target import Target, parse_target
from pwb_async.core.site.lookup import (
    DIRECTORY,
    FORBIDDEN,
    NOT_FOUND,
    UNAVAILABLE,
    Finding,
    Lookup,
    OpenFile,
    StorageError,
)
from pwb_async.core.site.site import Site, is_hidden
from pwb_async.core.site.validators import validators_of_file

NOW: Final = 1_700_000_000
SECOND: Final = 10**9
CONTENT: Final = bytes(range(256)) * 8
SMALL: Final = Limits(request_line=60, field=40, fields=4, head=160, content=20, requests=3, blank_lines=2, bad_head=50)
READERS: Final = tuple(map(RequestParser, (Limits(), Limits(), SMALL, Limits(content=5), Limits(requests=2))))
SITES: Final = (
    Site(),
    Site(indexes=(b"index.html", b"i"), max_age=60, ranges=3),
    Site(indexes=(), max_age=0, ranges=1),
)
_FIELD: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*")
_BARE: Final = (204, 304)


class Chance:
    """Numbers that depend on nothing but the input: a linear congruential generator, cheap to start."""

    def __init__(self, data: bytes) -> None:
        self._state = crc32(data) << 17 | len(data)

    def below(self, bound: int) -> int:
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return (self._state >> 33) % bound


class Held:
    """An open file as a value, that knows how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.closed += 1


class Peer:
    """Both ends of a conversation; whatever is answered is checked at once."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        self.reader = READERS[chance.below(len(READERS))]
        self.site = SITES[chance.below(len(SITES))]
        self.connection = Connection(self.reader)
        self.answers = 0
        self.over = False

    def finding(self) -> Finding:
        """Anything that a disk can find."""
        which = self.chance.below(12)
        if which < 5:
            return (DIRECTORY, NOT_FOUND, FORBIDDEN, UNAVAILABLE, StorageError("EIO"))[which]
        size = (0, 1, 26, len(CONTENT))[self.chance.below(4)]
        times = (0, 1, SECOND, NOW * SECOND, (NOW - 1) * SECOND, (NOW - 99) * SECOND, -(10**18), 4 * 10**18, 10**21)
        mtime = times[self.chance.below(len(times))]
        name = (b"x.html", b"x", b"\xff\r\n", b"a.tar.gz")[self.chance.below(4)]
        if which < 9:
            return self.version(name, size, mtime, CONTENT[:size])
        return self.version(name, size, mtime, None)

    def version(self, name: bytes, size: int, mtime: int, content: bytes | None) -> OpenFile:
        """A file with or without an entity tag, settled or not."""
        return OpenFile(
            name,
            size,
            mtime,
            NOW * SECOND,
            Held() if content is None else None,
            content,
            tag=(b"a", b"other", None)[self.chance.below(3)],
            settled=bool(self.chance.below(2)),
        )

    def talk(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            if self.chance.below(2):
                event = self.connection.receive(piece)
            else:
                self.connection.receive_data(piece)
                event = self.connection.next_event()
            while self.answer(event):
                event = self.connection.next_event()
            self.check_bounds()

    def answer(self, event: Event) -> bool:
        """Answers one event, if there is something to answer."""
        if isinstance(event, Signal):
            return False
        assert not self.over, "an event behind the last answer"
        finding: Finding | None = None
        if isinstance(event, BadRequest):
            assert event.status in REASONS
            response = self.site.refuse(event)
        else:
            where = self.site.locate(event)
            if isinstance(where, Response):
                response = where
            else:
                assert b"\0" not in where.path
                assert not where.path.startswith(b"/")
                assert b".." not in where.path.split(b"/")
                finding = self.finding()
                response = self.site.reply(where, finding)
        parts = self.connection.respond(event, response, NOW)
        check_answer(event, response, parts, self.connection.head_length)
        held = finding.file if isinstance(finding, OpenFile) else None
        if isinstance(held, Held):
            before = held.closed
            response.close()
            assert (before, held.closed) == (0, 1), "a file that is not closed once, by the response"
        self.answers += 1
        waiting = self.connection.state
        assert waiting is not ConnectionState.RESPONDING
        self.over = waiting in (ConnectionState.LINGER, ConnectionState.CLOSED)
        assert self.over or not isinstance(event, BadRequest)
        assert b"Connection: close\r\n" in _bytes(parts[0]) or not self.over
        return True

    def check_bounds(self) -> None:
        """What is kept of a client is bounded whatever it sends (hazard B8)."""
        kept = len(self.connection._data) - self.connection._at
        limits = self.reader.limits
        assert kept <= max(limits.head, 256 + 2), f"{kept} bytes are kept"
        assert not limits.requests or self.answers <= limits.requests

    def end(self) -> None:
        """One of the ways in which it can end, and then it has ended."""
        how = self.chance.below(4)
        if how == 0:
            self.talk([b""])
        elif how == 1:
            self.answer(self.connection.expire())
            self.answer(self.connection.expire())
        elif how == 2:
            self.connection.close_after_response = True
            assert self.connection.safe_to_close in (True, False)
            return
        else:
            return
        assert self.connection.state is ConnectionState.CLOSED
        assert self.connection.next_event() is Signal.CLOSED


def check_answer(event: Request | BadRequest, response: Response, parts: list[Part], head_length: int) -> None:
    """An answer on the wire is framed as RFC 9112 6.3 wants it."""
    first = _bytes(parts[0])
    head, _, rest = first.partition(b"\r\n\r\n")
    assert head_length == len(head) + 4
    assert b"\r\n\r\n" in first
    status_line, *lines = head.split(b"\r\n")
    assert status_line == b"HTTP/1.1 %d %s" % (response.status, REASONS[response.status])
    values: dict[bytes, bytes] = {}
    for line in lines:
        assert _FIELD.fullmatch(line), line
        name, _, value = line.partition(b": ")
        assert name.lower() not in values, line
        values[name.lower()] = value
    length = len(rest)
    for part in parts[1:]:
        if isinstance(part, FileSlice):
            assert part.start >= 0
            assert 0 < part.length <= len(CONTENT) - part.start
            length += part.length
        else:
            length += len(part)
    promised = values.get(b"content-length")
    if response.status in _BARE or event.method == b"HEAD":
        assert length == 0
    else:
        assert promised == b"%d" % length
    assert length == response.length
    if response.status >= 500:
        assert values[b"cache-control"] == b"no-store"
    location = values.get(b"location")
    assert location is None or re.match(rb"/(?![/\\])", location), location


def _bytes(part: Part) -> bytes:
    assert isinstance(part, bytes)
    return part


def cut(data: bytes, chance: Chance) -> list[bytes]:
    """`data` in up to nine pieces, none of them empty, for that would be the end of file."""
    places = {chance.below(len(data) + 1) for _ in range(chance.below(9))}
    bounds = [0, *sorted(places - {0, len(data)}), len(data)]
    return [data[start:end] for start, end in pairwise(bounds) if start < end]


def connection(data: bytes) -> None:
    """A conversation: requests in any cut, answered from any disk, and an end."""
    chance = Chance(data)
    peer = Peer(chance)
    peer.talk(cut(data, chance))
    peer.end()


def end(data: bytes) -> None:
    """What the client sent is answered alike whether its end is known by then or comes later."""
    chance = Chance(data)
    reader = READERS[chance.below(len(READERS))]
    pieces = cut(data, chance)
    assert _statuses(reader, pieces, late=False) == _statuses(reader, pieces, late=True)


def _statuses(reader: RequestParser, pieces: list[bytes], late: bool) -> list[int]:
    """Of all answers, from a disk that has nothing. late: everything is answered before the end of file comes."""
    peer = Connection(reader)
    statuses: list[int] = []

    def answer_all() -> None:
        while not isinstance(event := peer.next_event(), Signal):
            where = SITES[0].refuse(event) if isinstance(event, BadRequest) else SITES[0].locate(event)
            response = SITES[0].reply(where, NOT_FOUND) if isinstance(where, Lookup) else where
            peer.respond(event, response, NOW)
            statuses.append(response.status)

    for piece in pieces:
        peer.receive_data(piece)
        if late:
            answer_all()
    peer.receive_data(b"")
    answer_all()
    return statuses


def head(data: bytes) -> None:
    """The head parser: cached and uncached ways agree, and what is refused early is refused as a whole, too."""
    for reader in READERS[1:3]:
        whole, end, _ = data.partition(b"\r\n\r\n")
        if end and not whole.startswith(b"\r\n"):
            section = whole + b"\r\n"
            first = reader.parse(section)
            again = RequestParser(reader.limits).parse(section)
            assert _outcome(first) == _outcome(again)
            at_once = reader.parse_single(data[: len(whole) + 4])
            assert at_once is None or _outcome(at_once) == _outcome(first)
            if isinstance(first, Request):
                assert TOKEN.fullmatch(first.method)
                assert first.line.minor in (0, 1)
                assert len(section) + 2 <= reader.limits.head
                assert len(first.line.raw) <= reader.limits.request_line
                early = reader.check_partial(section, 0, 0)
                assert not isinstance(early, Fault), early
            else:
                assert first.status in REASONS
        checked: tuple[int, int] | Fault = (0, 0)
        for step in range(1, min(len(data), 400) + 1, 7):
            checked = reader.check_partial(data[:step], *checked)
            if isinstance(checked, Fault):
                assert checked.status in REASONS
                break
    fields = parse_fields(data, READERS[0].limits)
    if isinstance(fields, Fields):
        for name in (b"host", b"connection", b"expect", b"range"):
            fields.get(name)
            fields.members(name)


def _outcome(read: Request | BadRequest) -> object:
    if isinstance(read, BadRequest):
        return read.status, read.detail, read.first_line, read.method
    return read.line, read.persistent, read.fields.content_length, read.fields.host, read.plain


def target(data: bytes) -> None:
    """The target resolver: nothing that leaves the site, and a redirect that leads back to the same place."""
    line = data.partition(b"\r\n")[0]
    parse_request_line(line)
    pieces = line.split(b" ")
    raw = pieces[1] if len(pieces) > 1 else line
    for method in (b"GET", b"OPTIONS", b"CONNECT"):
        found = parse_target(method, raw)
        if isinstance(found, str):
            assert found
            continue
        _check_target(found)
        if not found.asterisk:
            for location, folder in ((found.location, found.folder), (found.as_folder(), True)):
                assert re.match(rb"/(?![/\\])", location), location
                assert re.fullmatch(rb"[!-\"$-~]+", location), location
                back = parse_target(b"GET", location)
                assert isinstance(back, Target), back
                assert (back.segments, back.folder) == (found.segments, folder)
                assert found.unescaped or back.query == found.query
            location = found.as_folder(relative=True)
            assert re.fullmatch(rb"\./([!-.0->@-~]+/)?(\?[!-\"$-~]*)?", location), location


def _check_target(found: Target) -> None:
    for segment in found.segments:
        assert segment not in (b"", b".", b"..")
        assert b"\0" not in segment
    if is_hidden(found.segments):
        return
    path = b"/".join(found.segments)
    assert b"/../" not in b"/%s/" % path
    assert not path.startswith(b"/")
    assert not any(name.startswith(b".") for name in path.split(b"/")[1:])


def ranges(data: bytes) -> None:
    """Byte ranges and conditions, as values of their fields."""
    chance = Chance(data)
    value, _, other = data.partition(b"\n")
    for size in (0, 1, 26, 10**6, 2**63):
        for most in (1, 512):
            found = parse_ranges(value, size, most)
            if found is None:
                continue
            assert len(found) <= most
            assert size
            for part in found:
                assert part.start >= 0
                assert 1 <= part.length <= size - part.start
                assert part.content_range(size).startswith(b"bytes ")
            assert sum(part.length for part in found) <= size
            form = multipart(found, size, 0, ((b"Content-Type", b"text/plain"),))
            if form is not None:
                lengths = [*map(len, form.heads), *(part.length for part in found), len(form.end)]
                assert len(form.heads) == len(found)
                assert sum(lengths) == form.length <= size + 4096
    mtimes = (0, SECOND, NOW * SECOND, (NOW - 99) * SECOND, -(10**18), 10**21)
    tag = (b"a", b"other", None)[chance.below(3)]
    found = OpenFile(b"x", 26, mtimes[chance.below(len(mtimes))], NOW * SECOND, Held(), tag=tag)
    current = validators_of_file(found._replace(settled=bool(chance.below(2))))
    names = (b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"if-range", b"range")
    fields = Fields({name: [(value, other)[chance.below(2)]] for name in names if chance.below(2)}, 0)
    assert evaluate(fields, current) in (None, 304, 412)
    assert range_applies(fields, current) in (True, False)
    for known in parse_tags(value):
        assert b'"' not in known.opaque
    if current.tag is not None:
        assert parse_tags(bytes(current.tag)) == [current.tag]


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "connection": connection,
    "end": end,
    "head": head,
    "target": target,
    "ranges": ranges,
}


def within(target: Callable[[bytes], None], seconds: float = 5.0) -> Callable[[bytes], None]:
    """A target that raises TimeoutError when it has used so much processor time: other programs cannot make it late."""

    def too_long(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"one input took more than {seconds} s")

    def watched(data: bytes) -> None:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            target(data)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    signal.signal(signal.SIGPROF, too_long)
    return watched
