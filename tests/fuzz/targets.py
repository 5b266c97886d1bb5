"""The targets of the fuzzer: functions of bytes that raise when something is wrong.

Everything else that a target needs (where to cut the bytes, what the disk finds, which limits apply) is computed from the
bytes' checksum, so that an input is one file and gives the same result in every run.
"""

import re
import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

from pwb_async.config.headers_file import parse_headers
from pwb_async.config.redirects_file import parse_redirects
from pwb_async.core.events import BadRequest, ConnectionState, Event, Fault, Signal
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.field_lines import parse_fields
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser, parse_request_line
from pwb_async.core.semantics.entity_tags import parse_tags
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.grammar import TOKEN
from pwb_async.core.semantics.messages import HTTP_1_0, HTTP_1_1, REASONS, FileSlice, Part, Request, Response
from pwb_async.core.semantics.preconditions import evaluate, range_applies
from pwb_async.core.semantics.ranges import multipart, parse_ranges
from pwb_async.core.semantics.target import Target, parse_target
from pwb_async.core.site.added_fields import AddedFields
from pwb_async.core.site.cache_policy import CachePolicy
from pwb_async.core.site.coding_negotiation import CodingNegotiation
from pwb_async.core.site.cors import Cors
from pwb_async.core.site.error_files import error_files
from pwb_async.core.site.findings import (
    DIRECTORY,
    FORBIDDEN,
    NOT_FOUND,
    Finding,
    Moved,
    OpenFile,
    StorageError,
    Unavailable,
)
from pwb_async.core.site.header_rules import HeaderRules
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.redirect_rules import RedirectRules
from pwb_async.core.site.security_fields import SecurityFields
from pwb_async.core.site.servable import is_servable
from pwb_async.core.site.site import Site
from pwb_async.core.site.validators import validators_of_file

from . import http2, http2_frames
from .pseudo_random import PseudoRandom, cut

NOW: Final = 1_700_000_000
SECOND: Final = 10**9
CONTENT: Final = bytes(range(256)) * 8
SMALL: Final = Limits(request_line=60, field=40, fields=4, head=160, content=20, requests=3, blank_lines=2, bad_head=50)
PARSERS: Final = tuple(map(RequestParser, (Limits(), Limits(), SMALL, Limits(content=5), Limits(requests=2))))
SITES: Final = (
    Site(),
    Site(indexes=(b"index.html", b"i"), cache_policy=CachePolicy(60), max_ranges=3),
    Site(indexes=(), cache_policy=CachePolicy(0), max_ranges=1, error_pages=False),
    Site(indexes=(b"index.html", b"x.html"), spa=True, clean_urls=True),
    Site(indexes=(), spa=True, clean_urls=True, relative_redirects=True, dotfiles=True),
    Site(negotiation=CodingNegotiation(True, True)),
    Site(
        redirects=RedirectRules(parse_redirects("R", b"/r/* /:splat 301\n/:a /x/:a 302\n/* /:splat 410\n").rules),
        added_fields=AddedFields(
            Cors([b"https://a.example"]),
            SecurityFields("strict", isolated=True),
            HeaderRules(parse_headers("H", b"/*\nX-Splat: s:splat\nVary: A\nLink: a\n/:a\nLink: :a\n! X-None").rules),
        ),
    ),
)
_FIELD: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*")
_WITHOUT_CONTENT: Final = (204, 304)


class CountingFile:
    """A stand-in for an open file that counts how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.closed += 1


class Conversation:
    """A connection, a site and their input; each response is checked at once."""

    def __init__(self, random: PseudoRandom) -> None:
        self.random = random
        self.parser = PARSERS[random.below(len(PARSERS))]
        self.site = SITES[random.below(len(SITES))]
        self.connection = Connection(self.parser)
        self.answers = 0
        self.over = False

    def finding(self) -> Finding:
        """Any result of a lookup on the disk."""
        which = self.random.below(12)
        if which < 5:
            return (DIRECTORY, NOT_FOUND, FORBIDDEN, Unavailable("EMFILE"), StorageError("EIO"))[which]
        size = (0, 1, 26, len(CONTENT))[self.random.below(4)]
        times = (0, 1, SECOND, NOW * SECOND, (NOW - 1) * SECOND, (NOW - 99) * SECOND, -(10**18), 4 * 10**18, 10**21)
        mtime = times[self.random.below(len(times))]
        name = (b"x.html", b"x", b"\xff\r\n", b"a.tar.gz")[self.random.below(4)]
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
            CountingFile() if content is None else None,
            content,
            tag=(b"a", b"other", None)[self.random.below(3)],
            settled=bool(self.random.below(2)),
        )

    def feed(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            if self.random.below(2):
                event = self.connection.receive(piece)
            else:
                self.connection.receive_data(piece)
                event = self.connection.next_event()
            while self.answer(event):
                event = self.connection.next_event()
            self.check_bounds()

    def answer(self, event: Event) -> bool:
        """Responds to one event, if it needs a response."""
        if isinstance(event, Signal):
            return False
        assert not self.over, "an event after the last response"
        finding: Finding | None = None
        if isinstance(event, BadRequest):
            assert event.status in REASONS
            response = self.site.refuse(event)
        else:
            where = self.site.locate(event)
            if isinstance(where, Response):
                response = where
            else:
                for path in (where.path, *(each.path for each in where.candidates), *error_files_of(where)):
                    assert b"\0" not in path
                    assert not path.startswith(b"/")
                    assert b".." not in path.split(b"/")
                finding = self.finding()
                if any(each.status == 301 for each in where.candidates) and self.random.below(2):
                    finding = Moved(b"x.html")
                response = self.site.reply(where, finding)
        parts = self.connection.respond(event, response, NOW)
        check_answer(event, response, parts, self.connection.head_length)
        file = finding.file if isinstance(finding, OpenFile) else None
        if isinstance(file, CountingFile):
            before = file.closed
            response.close()
            assert (before, file.closed) == (0, 1), "the response must close its file once"
        self.answers += 1
        waiting = self.connection.state
        assert waiting is not ConnectionState.RESPONDING
        self.over = waiting in (ConnectionState.LINGER, ConnectionState.CLOSED)
        assert self.over or not isinstance(event, BadRequest)
        assert b"Connection: close\r\n" in _bytes(parts[0]) or not self.over
        return True

    def check_bounds(self) -> None:
        """The input that is kept of a client is bounded, whatever it sends (hazard B8)."""
        kept = len(self.connection._buffer) - self.connection._offset
        limits = self.parser.limits
        assert kept <= max(limits.head, 256 + 2), f"{kept} bytes are kept"
        assert not limits.requests or self.answers <= limits.requests

    def end(self) -> None:
        """Ends the connection in one of the possible ways."""
        how = self.random.below(4)
        if how == 0:
            self.feed([b""])
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


def error_files_of(lookup: Lookup) -> list[bytes]:
    """The paths at which an error page is looked for."""
    return [] if lookup.error_directory is None else list(error_files(lookup.error_directory, 503))


def check_answer(event: Request | BadRequest, response: Response, parts: list[Part], head_length: int) -> None:
    """Checks that a response on the wire is framed as RFC 9112 6.3 requires."""
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
    if response.status in _WITHOUT_CONTENT or event.method == b"HEAD":
        assert length == 0
    else:
        assert promised == b"%d" % length
    assert length == response.length
    if response.status >= 500:
        assert values[b"cache-control"] == b"no-store"
    location = values.get(b"location")
    assert location is None or re.match(rb"(?:\.\.?)?/(?![/\\])", location), location


def _bytes(part: Part) -> bytes:
    assert isinstance(part, bytes)
    return part


def connection(data: bytes) -> None:
    """A connection: requests in any pieces, any results of lookups, and an end."""
    random = PseudoRandom(data)
    peer = Conversation(random)
    peer.feed(cut(data, random))
    peer.end()


def end(data: bytes) -> None:
    """The responses are the same whether the end of the input arrives with it or later."""
    random = PseudoRandom(data)
    parser = PARSERS[random.below(len(PARSERS))]
    pieces = cut(data, random)
    assert _statuses(parser, pieces, late=False) == _statuses(parser, pieces, late=True)


def _statuses(parser: RequestParser, pieces: list[bytes], late: bool) -> list[int]:
    """The statuses of all responses, with an empty disk. late: all responses precede the end of the input."""
    peer = Connection(parser)
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
    """The head parser: with and without its cache it agrees, and a head that is refused early is refused as a whole, too."""
    for parser in PARSERS[1:3]:
        whole, end, _ = data.partition(b"\r\n\r\n")
        if end and not whole.startswith(b"\r\n"):
            section = whole + b"\r\n"
            first = parser.parse(section)
            again = RequestParser(parser.limits).parse(section)
            assert _outcome(first) == _outcome(again)
            at_once = parser.parse_single(data[: len(whole) + 4])
            assert at_once is None or _outcome(at_once) == _outcome(first)
            if isinstance(first, Request):
                assert TOKEN.fullmatch(first.method)
                assert first.version in (HTTP_1_0, HTTP_1_1)
                assert len(section) + 2 <= parser.limits.head
                assert len(first.request_line) <= parser.limits.request_line
                early = parser.check_partial(section, 0, 0)
                assert not isinstance(early, Fault), early
            else:
                assert first.status in REASONS
        checked: tuple[int, int] | Fault = (0, 0)
        for step in range(1, min(len(data), 400) + 1, 7):
            checked = parser.check_partial(data[:step], *checked)
            if isinstance(checked, Fault):
                assert checked.status in REASONS
                break
    fields = parse_fields(data, PARSERS[0].limits)
    if isinstance(fields, Fields):
        for name in (b"host", b"connection", b"expect", b"range"):
            fields.get(name)
            fields.members(name)


def _outcome(read: Request | BadRequest) -> object:
    if isinstance(read, BadRequest):
        return read.status, read.detail, read.first_line, read.method
    line = (read.request_line, read.method, read.target, read.version)
    return line, read.persistent, read.fields.content_length, read.fields.host, read.plain


def target(data: bytes) -> None:
    """The target parser: no path leaves the site, and a redirect leads to the same file."""
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
            for location, folder in ((found.location, found.trailing_slash), (found.directory_location(), True)):
                assert re.match(rb"(?:\.\.?)?/(?![/\\])", location), location
                assert re.fullmatch(rb"[!-\"$-~]+", location), location
                back = parse_target(b"GET", location)
                assert isinstance(back, Target), back
                assert (back.segments, back.trailing_slash) == (found.segments, folder)
                assert found.unescaped or back.query == found.query
            location = found.directory_location(relative=True)
            assert re.fullmatch(rb"\./([!-.0->@-~]+/)?(\?[!-\"$-~]*)?", location), location


def _check_target(found: Target) -> None:
    for segment in found.segments:
        assert segment not in (b"", b".", b"..")
        assert b"\0" not in segment
    if not is_servable(found.segments):
        return
    path = b"/".join(found.segments)
    assert b"/../" not in b"/%s/" % path
    assert not path.startswith(b"/")
    assert not any(name.startswith(b".") for name in path.split(b"/")[1:])


def ranges(data: bytes) -> None:
    """Byte ranges and conditions, as values of their fields."""
    random = PseudoRandom(data)
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
    tag = (b"a", b"other", None)[random.below(3)]
    found = OpenFile(b"x", 26, mtimes[random.below(len(mtimes))], NOW * SECOND, CountingFile(), tag=tag)
    current = validators_of_file(found._replace(settled=bool(random.below(2))))
    names = (b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"if-range", b"range")
    fields = Fields({name: [(value, other)[random.below(2)]] for name in names if random.below(2)}, 0)
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
    **http2.TARGETS,
    **http2_frames.TARGETS,
}


def within(target: Callable[[bytes], None], seconds: float = 5.0) -> Callable[[bytes], None]:
    """A target that raises TimeoutError when it has used `seconds` of processor time, so that other programs do not matter."""

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
