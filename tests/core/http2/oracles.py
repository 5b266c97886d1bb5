"""Other implementations of HPACK and HTTP/2 as oracles: the libraries hpack and h2 in Python, nghttp2 through ngh2.

A block is read by each as the next one of a connection; what a block means to all of them is a Reading. Where they
differ, the difference is reviewed if it has one of the reasons in is_reviewed() or is_reviewed_request().
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import hpack
import ngh2

from pwb_async.core.events import BadRequest
from pwb_async.core.http2.frames import (
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADER,
    HEADERS,
    PREFACE,
    RST_STREAM,
    frame,
    settings,
)
from pwb_async.core.http2.hpack import INITIAL_TABLE, HPACKError, ListLimits, Table, decode
from pwb_async.core.http2.requests import Malformed
from pwb_async.core.semantics.messages import FieldList, Request

NO_LIMITS: Final = ListLimits(10**6, 10**9)
COMPRESSION_ERROR: Final = 9


class Verdict(Enum):
    """What a block means that is no list of fields."""

    COMPRESSION_ERROR = "compression error"
    """It cannot be decoded: the connection ends."""
    MALFORMED = "malformed"
    """It can be decoded, and is no valid request: the stream ends."""


Reading: TypeAlias = FieldList | Verdict
REFUSED: Final = Verdict.COMPRESSION_ERROR
MALFORMED: Final = Verdict.MALFORMED


def ours(blocks: Iterable[bytes], table: Table = INITIAL_TABLE) -> list[Reading]:
    """How PWB reads the blocks of a connection, up to the first that ends it."""
    readings: list[Reading] = []
    for block in blocks:
        try:
            fields, table, _ = decode(table, block, NO_LIMITS)
        except HPACKError:
            return [*readings, REFUSED]
        readings.append(fields)
    return readings


def by_hpack(blocks: Iterable[bytes]) -> list[Reading]:
    """How hpack reads them, up to the first that ends the connection."""
    decoder = hpack.Decoder(max_header_list_size=10**9)
    readings: list[Reading] = []
    for block in blocks:
        try:
            readings.append(tuple((bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True)))
        except hpack.HPACKError:
            return [*readings, REFUSED]
    return readings


def frames_of(data: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Type, flags, stream and payload of each frame."""
    while data:
        high, low, kind, flags, stream = HEADER.unpack_from(data)
        length = high << 8 | low
        yield kind, flags, stream, data[HEADER.size : HEADER.size + length]
        data = data[HEADER.size + length :]


def by_nghttp2(blocks: Iterable[bytes]) -> list[Reading]:
    """How nghttp2 reads them as requests, up to the first that ends the connection."""
    server = ngh2.Connection(ngh2.Role.SERVER)
    server.initiate_connection({})
    server.receive_data(PREFACE + settings(()))
    server.events()
    server.data_to_send()
    readings: list[Reading] = []
    for number, block in enumerate(blocks):
        stream = (2 * number + 1).to_bytes(4, "big")
        server.receive_data(frame(HEADERS, END_HEADERS | END_STREAM, stream, block))
        requests = [event for event in server.events() if isinstance(event, ngh2.RequestReceived)]
        for kind, _, _, payload in frames_of(server.data_to_send()):
            if kind == GOAWAY:
                assert payload[-1] == COMPRESSION_ERROR, payload
                return [*readings, REFUSED]
            assert kind == RST_STREAM
        if requests:
            server.send_response(requests[0].stream_id, [(b":status", b"204")], end_stream=True)
            server.data_to_send()
        readings.append(tuple((name, value) for name, value in requests[0].headers) if requests else MALFORMED)
    return readings


def by_h2(block: bytes) -> Reading:
    """How h2 reads the first block of a connection as a request."""
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
    server.initiate_connection()
    server.receive_data(PREFACE + settings(()))
    try:
        events = server.receive_data(frame(HEADERS, END_HEADERS | END_STREAM, b"\0\0\0\1", block))
    except h2.exceptions.ProtocolError as error:
        return REFUSED if "decod" in str(error) else MALFORMED
    for event in events:
        if isinstance(event, h2.events.RequestReceived):
            return tuple((bytes(name), bytes(value)) for name, value in event.headers)
    return MALFORMED


class Difference(NamedTuple):
    """A block that PWB and an oracle read differently."""

    oracle: str
    ours: str
    theirs: str
    reviewed: bool


def differences(blocks: Sequence[bytes]) -> Iterator[Difference]:
    """Where the oracles read the blocks of a connection in another way, for each of them the first place."""
    found = ours(blocks)
    for oracle, theirs in (("hpack", by_hpack(blocks)), ("nghttp2", by_nghttp2(blocks))):
        for block, reading, other in zip(blocks, found, theirs, strict=False):
            # nghttp2 shows no fields of a list that is no request.
            if reading != other and (other is not MALFORMED or reading is REFUSED):
                yield Difference(oracle, _word(reading), _word(other), is_reviewed(block, reading, other))
                break


def is_reviewed(block: bytes, reading: Reading, theirs: Reading) -> bool:
    """Whether a difference has one of these reasons.

    The others read an integer of five octets behind its first, up to 2^32, and PWB of four. No size in HTTP/2 is that
    large, and RFC 7541 5.1 leaves the limit to the implementation. They also accept more than two table size updates at
    the beginning of a block, which is what RFC 7541 4.2 allows: to the smallest size, and to the present one.
    """
    long_integer = any(
        block[at] & 0x0F == 0x0F and all(octet & 0x80 for octet in block[at + 1 : at + 5])
        for at in range(len(block) - 5)
    )
    return reading is REFUSED and theirs is not REFUSED and (long_integer or _THREE_UPDATES.match(block) is not None)


_THREE_UPDATES: Final = re.compile(rb"(?:[\x20-\x3e]|\x3f[\x80-\xff]*[\x00-\x7f]){3}")


def request_differences(block: bytes, found: Request | BadRequest | Malformed) -> Iterator[Difference]:
    """Where the oracles read the first block of a connection as another request; found: what PWB reads.

    A status instead of a stream error is no difference, since RFC 9113 8.1.1 allows both.
    """
    (fields,) = ours([block])
    assert not isinstance(fields, Verdict)
    for oracle, theirs in (("nghttp2", by_nghttp2([block])[0]), ("h2", by_h2(block))):
        if isinstance(found, Malformed):
            agree, verdict = theirs is MALFORMED, found.detail
        elif isinstance(found, Request):
            agree, verdict = theirs in (fields, _with_one_cookie(fields)), "request"
        else:
            agree, verdict = theirs is not REFUSED, str(found.status)
        if not agree:
            reviewed = oracle == "h2" and is_reviewed_request(found, fields, theirs)
            yield Difference(oracle, verdict, _word(theirs), reviewed)


def is_reviewed_request(found: Request | BadRequest | Malformed, fields: FieldList, theirs: Reading) -> bool:
    """Whether a difference from h2 has one of these reasons. There is none from nghttp2."""
    names = {name for name, _ in fields}
    if isinstance(found, Malformed):
        # h2 accepts names that are no tokens and control characters in values, which RFC 9110 5 excludes, sorts cookies
        # behind pseudo-fields before it looks for those that are too late, checks the length at the end of DATA, takes
        # Host for the authority of CONNECT, and accepts ":protocol" (RFC 8441) without having announced it.
        odd = any(not _NAME.fullmatch(name) or _CONTROL.search(value) for name, value in fields)
        return theirs is not MALFORMED and (
            odd or not names.isdisjoint((b"cookie", b"content-length", b"host", b":protocol"))
        )
    # To h2, another case or the default port makes another authority.
    return theirs is MALFORMED and names >= {b"host", b":authority"}


_NAME: Final = re.compile(rb":?[!#$%&'*+\-.^_`|~0-9a-z]+")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def _with_one_cookie(fields: FieldList) -> FieldList:
    """The fields as h2 gives them, with the crumbs of a cookie joined at the end."""
    crumbs = [value for name, value in fields if name == b"cookie"]
    others = tuple(field for field in fields if field[0] != b"cookie")
    return (*others, (b"cookie", b"; ".join(crumbs))) if crumbs else fields


def _word(reading: Reading) -> str:
    return reading.value if isinstance(reading, Verdict) else "fields"
