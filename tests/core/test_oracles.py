"""A comparison with h11 and llhttp (httptools): they read every request as PWB does, or reject it for a reviewed reason.

The danger is two parsers that read the same bytes differently (request smuggling): another method, target, field or
end. It is safe that they reject more than PWB, but every reason is listed, so that a new one fails the test.
"""

from collections.abc import Iterable
from typing import NamedTuple

import h11
import httptools
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pwb_async.core.events import BadRequest, ConnectionState
from pwb_async.core.http1.connection import Connection
from pwb_async.core.semantics.messages import Request, Response
from tests.core.http1.test_corpus import CASES, Case

from .driver import MARKER, NOW, PARSER
from .test_properties import built_from_pieces, mutated

property_test = settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))


class Read(NamedTuple):
    """One request as one parser read it, with its fields by lower-case name."""

    method: bytes
    target: bytes
    minor: int
    fields: dict[bytes, bytes]

    @classmethod
    def of(cls, method: bytes, target: bytes, version: bytes, fields: Iterable[tuple[bytes, bytes]]) -> "Read":
        joined: dict[bytes, bytes] = {}
        for name, value in fields:
            name, value = name.lower(), value.strip(b" \t")
            if name == b"transfer-encoding":
                value = value.lower()  # h11 lowers the case
            joined[name] = joined[name] + b", " + value if name in joined else value
        return cls(method, target, int(version[-1:]), joined)


def ours(wire: bytes) -> tuple[list[Read], bool]:
    """Return the requests that PWB finds in `wire`, and whether it waits for another, which no parser may have found."""
    connection = Connection(PARSER)
    found = []
    connection.receive_data(wire)
    while isinstance(event := connection.next_event(), Request | BadRequest):
        if isinstance(event, Request):
            method, target, version = event.request_line.split(b" ")
            found.append(
                Read.of(method, target, version, [(n, v) for n, vs in event.fields._values.items() for v in vs])
            )
        connection.respond(event, Response(204, ()), NOW)
    return found, connection.state in (ConnectionState.HEAD, ConnectionState.IDLE)


# --- h11 ---


def with_h11(wire: bytes, count: int) -> tuple[list[Read], str]:
    """Return the first `count` requests as h11 reads them, and its reason if it rejects one."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=64 * 1024)
    connection.receive_data(wire)
    found: list[Read] = []
    try:
        while len(found) < count:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                found.append(Read.of(event.method, event.target, event.http_version, event.headers))
            elif isinstance(event, h11.EndOfMessage):
                connection.send(h11.Response(status_code=204, headers=[]))
                connection.send(h11.EndOfMessage())
                if connection.their_state is h11.MUST_CLOSE:
                    return found, "the connection ends"
                connection.start_next_cycle()
            elif not isinstance(event, h11.Data):
                return found, repr(event)
    except h11.RemoteProtocolError as error:
        return found, str(error)
    return found, ""


# --- llhttp ---


class _Callbacks:
    def __init__(self) -> None:
        self.found: list[Read] = []
        self.parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self.url = b""
        self.fields: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        version = self.parser.get_http_version().encode()
        self.found.append(Read.of(self.parser.get_method(), self.url, version, self.fields))


def with_llhttp(wire: bytes) -> tuple[list[Read], str]:
    """Return the requests as llhttp reads them, and its reason if it rejects one; it is restarted after an Upgrade."""
    found: list[Read] = []
    while True:
        callbacks = _Callbacks()
        try:
            callbacks.parser.feed_data(wire)
        except httptools.HttpParserUpgrade as upgrade:
            wire = wire[upgrade.args[0] :]
            found += callbacks.found
            continue
        except httptools.HttpParserError as error:
            return found + callbacks.found, str(error)
        return found + callbacks.found, ""


# --- the comparison ---

REVIEWED = {
    "h11": {
        "illegal request line": "UTF-8 in the target, which is answered with a redirect (RFC 9112 3.2)",
        "no request line received": "an empty line before the request line, which RFC 9112 2.2 allows to skip",
        "the connection ends": "HTTP/1.0 with keep-alive, which h11 does not speak",
        "illegal chunk header": "white space around the semicolon of a chunk extension (RFC 9112 7.1.1 BWS), obs-text; "
        "more than twenty digits",
        "bad Content-Length": "more than twenty digits, of which all but nineteen are zeros in front (RFC 9110 8.6)",
    },
    "llhttp": {
        "Invalid method encountered": "it has a list of methods; the response to any other token is 501 here",
        "Expected space after method": "the same, if a method begins like one in its list",
        "Invalid char in url": "UTF-8 in the target, which is answered with a redirect (RFC 9112 3.2)",
        "Invalid HTTP version": "HTTP/1.2 to 1.9, which are read as 1.1 (RFC 9110 2.5)",
        "Data after `Connection: close`": "it interprets Connection in a trailer section (against RFC 9110 6.5.1)",
        "Invalid character in chunk size": "white space around the semicolon of a chunk extension",
        "Request has invalid `Transfer-Encoding`": "white space behind chunked, which is removed (RFC 9110 5.5)",
    },
}
"""For each parser, the reasons for which it rejects what PWB accepts, and why that is safe. Any other reason fails."""


def compare(parser: str, wire: bytes) -> None:
    mine, state = ours(wire)
    theirs, detail = with_h11(wire, len(mine) + 1) if parser == "h11" else with_llhttp(wire)
    assert theirs[: len(mine)] == mine[: len(theirs)], "the same bytes are read differently"
    if len(theirs) < len(mine):
        assert any(detail.startswith(reason) for reason in REVIEWED[parser]), f"{parser} rejects: {detail}"
    elif state:
        assert len(theirs) == len(mine), "a request where PWB finds none"


@pytest.mark.parametrize("parser", ["h11", "llhttp"])
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_corpus(case: Case, parser: str) -> None:
    compare(parser, case.wire)
    compare(parser, case.wire + MARKER)


@pytest.mark.parametrize("parser", ["h11", "llhttp"])
@given(wire=built_from_pieces | mutated())
@property_test
def test_mutations(parser: str, wire: bytes) -> None:
    compare(parser, wire)


tokens = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=8).map(str.encode)
values = st.lists(
    st.binary(min_size=1, max_size=8).map(lambda raw: bytes(byte for byte in raw if byte > 32)), max_size=3
)
visible = "".join(chr(byte) for byte in range(33, 127) if byte != 35)
paths = st.text("/.%25eE~a:@;=", max_size=20) | st.text(visible, max_size=9)
targets = st.builds("{}/{}".format, st.sampled_from(["", "", "http://h", "HTTPS://[::1]:80"]), paths).map(str.encode)
ends = st.sampled_from([b"", b" ", b"\t", b" \t "])
extensions = st.lists(st.builds(b";%s=%s".__mod__, st.tuples(tokens, tokens)), max_size=2).map(b"".join)


@st.composite
def sound(draw: st.DrawFn) -> bytes:
    """Draw valid requests in a row, with all the variation that the grammar allows."""
    wire = b""
    for _ in range(draw(st.integers(1, 3))):
        method = draw(st.sampled_from([b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS", b"DELETE"]))
        lines = [b"Host:" + draw(ends) + b"h" + draw(ends)]
        for name in draw(st.lists(tokens, max_size=4)):
            value = draw(st.sampled_from([b" ", b"\t"])).join(draw(values)).replace(b"\x7f", b"")
            lines.append(b"X-" + name + b":" + draw(ends) + value + draw(ends))
        content = draw(st.binary(max_size=20))
        framing = draw(st.sampled_from(["none", "length", "chunked"]))
        body = b""
        if framing == "length":
            lines.append(b"Content-Length: %d" % len(content))
            body = content
        elif framing == "chunked":
            lines.append(b"Transfer-Encoding: " + draw(st.sampled_from([b"chunked", b"Chunked"])))
            for at in range(0, len(content), 7):
                chunk = content[at : at + 7]
                body += b"%x%s\r\n%s\r\n" % (len(chunk), draw(extensions), chunk)
            trailers = [b"X-%s: %s\r\n" % (name, name) for name in draw(st.lists(tokens, max_size=2))]
            body += b"0%s\r\n%s\r\n" % (draw(extensions), b"".join(trailers))
        draw(st.randoms()).shuffle(lines)
        wire += b"\r\n".join([b"%s %s HTTP/1.1" % (method, draw(targets)), *lines, b"", body])
    return wire


@pytest.mark.parametrize("parser", ["h11", "llhttp"])
@given(wire=sound())
@property_test
def test_sound_requests(parser: str, wire: bytes) -> None:
    compare(parser, wire)
