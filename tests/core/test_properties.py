"""Properties of the core for any input: nothing raises, and splits and later bytes change no earlier response."""

from itertools import pairwise
from urllib.parse import urljoin

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pwb_async.core.events import BadRequest, ConnectionState
from pwb_async.core.http1.limits import Limits
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.semantics.target import Target, parse_target
from pwb_async.core.site.cache_policy import CachePolicy
from pwb_async.core.site.findings import DIRECTORY, FORBIDDEN, NOT_FOUND, Finding, OpenFile, StorageError, Unavailable
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.site import Site
from tests.core.http1.test_corpus import CASES

from .driver import ALPHABET, NOW, Conversation, Driver, FakeFile, byte_by_byte, converse, tag_of

property_test = settings(deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))

SMALL = Limits(request_line=60, field=40, fields=4, head=160, content=20, requests=3, blank_lines=2, bad_head=50)
"""Limits that short inputs reach."""

WIRES = [case.wire for case in CASES if len(case.wire) < 1000]
PIECES = [
    *(b"GET", b"HEAD", b"POST", b"OPTIONS", b"/", b"/a.txt", b"*", b"http://h/", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0"),
    *(b" ", b"\r\n", b"\r\n\r\n", b"\r", b"\n", b":", b": ", b"\t", b"\0", b"\xff", b"%2e", b"..", b"#", b"\\", b";"),
    *(b"Host: h\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"Expect: "),
    *(b"GET / HTTP/1.1\r\nHost: h\r\n", b"POST / HTTP/1.1\r\nHost: h\r\n", b"Range: bytes=", b"100-continue\r\n"),
    *(b"0", b"5", b"0\r\n\r\n", b"5\r\nhello\r\n", b"hello", b"X: y\r\n", b"If-None-Match: ", b'"a"', b"-", b","),
]

built_from_pieces = st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=30).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw one or two requests of the corpus, with some bytes removed, inserted or repeated."""
    wire = bytearray(draw(st.sampled_from(WIRES)) + draw(st.sampled_from([b"", *WIRES])))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(wire)))
        length = draw(st.integers(0, 8))
        how = draw(st.sampled_from(["cut", "put", "twice"]))
        if how == "cut":
            del wire[at : at + length]
        elif how == "put":
            wire[at:at] = draw(st.sampled_from(PIECES) | st.binary(min_size=1, max_size=2))
        else:
            wire[at:at] = wire[at : at + length]
    return bytes(wire)


wires = st.binary(max_size=100) | built_from_pieces | mutated()
bounds = st.sampled_from([None, SMALL, Limits(content=5)])


@st.composite
def sized(draw: st.DrawFn) -> OpenFile:
    content = draw(st.sampled_from([b"", b"x", ALPHABET]))
    mtime_ns = draw(st.sampled_from([0, NOW * 10**9, (NOW - 9) * 10**9]) | st.integers(-(10**20), 10**22))
    held = draw(st.booleans())
    file = None if held else FakeFile(content)
    name = draw(st.sampled_from([b"x.html", b"x"]) | st.binary(max_size=5))
    tag, settled = draw(st.sampled_from([tag_of(content), None])), draw(st.booleans())
    held_content = content if held else None
    return OpenFile(name, len(content), mtime_ns, NOW * 10**9, file, held_content, tag=tag, settled=settled)


findings = sized() | st.sampled_from([DIRECTORY, NOT_FOUND, FORBIDDEN, Unavailable("EMFILE"), StorageError("EIO")])


def pieces_of(wire: bytes, places: list[int]) -> list[bytes]:
    """Split `wire` at the given positions, without empty pieces, since those mean the end of file."""
    bounds = sorted({0, len(wire), *(place % (len(wire) + 1) for place in places)})
    return [wire[start:end] for start, end in pairwise(bounds)]


def summary(conversation: Conversation) -> tuple[bytes, bool]:
    return conversation.wire, conversation.is_open


@given(wires, st.lists(st.integers(0, 10**4), max_size=8), bounds, st.data())
@property_test
def test_no_bytes_and_no_finding_can_raise(
    wire: bytes, places: list[int], limits: Limits | None, data: st.DataObject
) -> None:
    def disk(lookup: Lookup) -> Finding:
        return data.draw(findings)

    driver = Driver(limits, Site(indexes=(b"index.html", b"i"), cache_policy=CachePolicy(60), max_ranges=3), disk)
    conversation = driver.send(*pieces_of(wire, places))
    for answer in conversation.answers:
        assert 200 <= answer.status <= 505
        assert answer.head.count(b"\r\n\r\n") == 0
        length = answer.field(b"content-length")
        if length is not None and answer.content:
            assert int(length) == len(answer.content)
        if isinstance(answer.event, BadRequest):
            assert answer is conversation.answers[-1]
            assert answer.state is ConnectionState.LINGER
    how = data.draw(st.sampled_from(["eof", "expire", "more", "none"]))
    if how == "eof":
        assert driver.send(b"").state is ConnectionState.CLOSED
    elif how == "expire":
        driver.expire()
        driver.expire()
        assert driver.conversation.state is ConnectionState.CLOSED
    elif how == "more":
        before = len(conversation.answers)
        is_open = conversation.is_open
        driver.send(wire or b"\0")
        assert is_open or len(conversation.answers) == before


@given(wires, st.lists(st.integers(0, 10**4), max_size=12), bounds)
@property_test
def test_splitting_never_changes_the_outcome_b10(wire: bytes, places: list[int], limits: Limits | None) -> None:
    whole = converse([wire] if wire else [], limits)
    steps = Driver(limits)
    steps.connection.receive_data(wire or b"\r\n")
    steps.answer_all()
    assert summary(steps.conversation) == summary(whole)
    for chunks in (pieces_of(wire, places), byte_by_byte(wire)):
        assert summary(converse(chunks, limits)) == summary(whole)
        assert converse(chunks, limits).targets == whole.targets


@given(wires, wires, bounds)
@property_test
def test_later_bytes_never_change_earlier_responses(wire: bytes, later: bytes, limits: Limits | None) -> None:
    before = converse([wire] if wire else [], limits)
    after = converse([wire + later] if wire + later else [], limits)
    answered = [answer.status for answer in after.answers[: len(before.answers)]]
    assert answered == before.statuses
    if not before.is_open:
        assert after.wire == before.wire


@given(wires, bounds)
@property_test
def test_buffered_input_is_bounded(wire: bytes, limits: Limits | None) -> None:
    conversation = converse(byte_by_byte(wire), limits)
    held = (limits or Limits()).head
    assert len(conversation.connection._buffer) - conversation.connection._offset <= held


raw_paths = st.lists(
    st.sampled_from(
        [
            b"/",
            b"..",
            b".",
            b"\xc3\xbc",
            b"\xc2",
            b"\x85",
            b"%2e",
            b"%2F",
            b"%5c",
            b"\\",
            b"%00",
            b"a",
            b"%",
            b"?",
            b"%0d%0a",
            b"%ff",
            b"//",
        ]
    )
    | st.binary(max_size=3),
    max_size=12,
).map(b"".join)


@given(raw_paths.map(lambda raw: b"/" + raw) | raw_paths | raw_paths.map(lambda raw: b"http://h" + raw), st.booleans())
@property_test
def test_no_target_leaves_the_site_c1_c9(raw: bytes, folder: bool) -> None:
    target = parse_target(b"GET", raw)
    if isinstance(target, str):
        return
    assert isinstance(target, Target)
    for segment in target.segments:
        assert segment not in (b"", b".", b"..")
        assert b"\0" not in segment
    for location in (target.location, target.directory_location()):
        assert location[:1] == b"/"
        assert location[1:2] not in (b"/", b"\\")
        assert all(32 < byte < 127 for byte in location)
        again = parse_target(b"GET", location)
        assert isinstance(again, Target)
        assert again.segments == target.segments
        assert target.unescaped or again.query == target.query
        assert again.trailing_slash or (location == target.location and not target.trailing_slash)
    if raw.isascii() and target.segments and not target.trailing_slash:
        base = raw if raw[:1] == b"h" else b"http://h" + raw
        there = urljoin(base.partition(b"?")[0], target.directory_location(relative=True))
        again = parse_target(b"GET", there)
        assert isinstance(again, Target)
        assert (again.segments, again.trailing_slash, again.authority) == (
            target.segments,
            True,
            target.authority or b"h",
        )


@given(built_from_pieces | mutated())
@property_test
def test_locate_and_reply_are_pure(wire: bytes) -> None:
    """The same input gives the same response on another connection, with another site."""
    first, again = converse([wire], site=Site()) if wire else None, converse([wire], site=Site()) if wire else None
    assert first is None or again is None or first.wire == again.wire


@given(findings, st.sampled_from(WIRES))
@property_test
def test_every_opened_file_is_closed(finding: Finding, wire: bytes) -> None:
    found: list[FakeFile] = []

    def disk(lookup: Lookup) -> Finding:
        if isinstance(finding, OpenFile) and finding.content is None:
            file = FakeFile(ALPHABET[: finding.size])
            found.append(file)
            return finding._replace(file=file)
        return finding

    conversation = Driver(disk=disk).send(*[wire] if wire else [])
    assert all(file.closed == 1 for file in found)
    assert all(isinstance(answer.event, Request | BadRequest) for answer in conversation.answers)
    assert all(isinstance(answer.response, Response) for answer in conversation.answers)
