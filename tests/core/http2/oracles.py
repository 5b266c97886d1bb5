"""Other implementations of HPACK and HTTP/2 as oracles: the libraries hpack and h2 in Python, nghttp2 through ngh2.

A block is read by each as the next one of a connection; what a block means to all of them is a Reading.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final, TypeAlias

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import hpack
import ngh2

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
from pwb_async.core.semantics.messages import FieldList

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
