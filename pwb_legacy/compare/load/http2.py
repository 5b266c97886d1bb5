"""A client of HTTP/2 (RFC 9113) with prior knowledge: it sends all its requests at once, over one connection.

It is no more than what a client needs to see when a response is complete, and whether it was right: its status is 200,
and it has as many bytes as its Content-Length promises. Its windows are as large as they can be, so that no response
waits for them. Frames and HPACK are those of pwb_async/core; tests/core/http2 holds them against other implementations.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, cast

from pwb_async.core.http2 import frames, hpack
from pwb_async.core.http2.errors import HTTP2ConnectionError

from .messages import Address
from .own_cost import Meter
from .result import Tally

_BEGINNING: Final = b"".join(
    [
        frames.PREFACE,
        frames.settings([(frames.ENABLE_PUSH, 0), (frames.INITIAL_WINDOW_SIZE, frames.MAX_WINDOW)]),
        frames.window_update(frames.CONNECTION, frames.MAX_WINDOW - frames.DEFAULT_WINDOW),
    ]
)
"""What the client sends ahead of its requests."""
_LIMITS: Final = hpack.ListLimits(100, 1 << 16)
_HEADS: Final = 4096
"""Different field blocks that are remembered, as with HTTP/1.1 (messages.py)."""


async def multiplexed(address: Address, targets: Sequence[bytes], *, timeout: float) -> Tally:
    """Send a GET request for each target at the same moment, at most 100. The time that is measured begins before the
    connection is opened, and ends with the last response. Raises OSError if there is no connection."""
    client = _Client(_requests(address, targets))
    meter, began = Meter(), time.monotonic()
    transport, _ = await asyncio.get_running_loop().create_connection(lambda: client, *address)
    try:
        async with asyncio.timeout(timeout):
            await client.done.wait()
    except TimeoutError:
        client.fail(f"no answer within {timeout:g} s")
    seconds = time.monotonic() - began
    cpu, waited = meter.read()
    transport.abort()
    tally = Tally(len(client.moments), client.failures.total(), bytes=client.bytes, reasons=client.failures)
    tally.seconds, tally.in_time, tally.cpu, tally.waited = seconds, tally.requests, cpu, waited
    for moment in client.moments:
        tally.record(int((moment - began) * 1e6))
    return tally


def _requests(address: Address, targets: Sequence[bytes]) -> dict[bytes, bytes]:
    """A HEADERS frame for each target, by its stream."""
    host = ip_address(address[0]).compressed
    authority = f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"
    common = hpack.literal(b":method", b"GET") + hpack.literal(b":scheme", b"http")
    common += hpack.literal(b":authority", authority.encode())
    flags = frames.END_HEADERS | frames.END_STREAM
    streams = [(2 * number + 1).to_bytes(4, "big") for number in range(len(targets))]
    return {
        stream: frames.frame(frames.HEADERS, flags, stream, common + hpack.literal(b":path", target))
        for stream, target in zip(streams, targets, strict=True)
    }


@lru_cache(_HEADS)
def _length(block: bytes) -> int:
    """Bytes of content that a response promises. Raises HTTP2ConnectionError and ValueError, in words, for a response
    that is not right."""
    fields, table, _ = hpack.decode(hpack.INITIAL_TABLE, block, _LIMITS)
    named = dict(fields)
    if table is not hpack.INITIAL_TABLE:
        raise ValueError("fields that depend on a table")
    if (status := named.get(b":status", b"")) != b"200":
        raise ValueError(f"status {status.decode('latin-1')}")
    if not (length := named.get(b"content-length", b"")).isdigit():
        raise ValueError("no Content-Length")
    return int(length)


class _Client(asyncio.Protocol):
    """The connection with its requests."""

    def __init__(self, requests: dict[bytes, bytes]) -> None:
        self._wire = _BEGINNING + b"".join(requests.values())
        self._waiting = set(requests)
        self._left: dict[bytes, int] = {}  # bytes of content that are still to come
        self._start = b""
        self._transport: asyncio.Transport | None = None
        self.moments: list[float] = []
        """When each right response was complete, by the monotonic clock."""
        self.bytes = 0
        """Of everything that was received."""
        self.failures: Counter[str] = Counter()
        """Why requests failed, in words, and how many."""
        self.done = asyncio.Event()
        """Set when every request has been answered, or has failed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._wire)

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        data = self._start + data
        begin = 0
        while len(data) >= begin + frames.HEADER.size:
            high, low, kind, flags, stream = frames.HEADER.unpack_from(data, begin)
            payload = begin + frames.HEADER.size
            end = payload + (high << 8 | low)
            if end > len(data):
                break
            self._take(kind, flags, stream, data[payload:end])
            begin = end
        self._start = data[begin:]

    def connection_lost(self, _: Exception | None) -> None:
        self.fail("closed before an answer")

    def fail(self, reason: str) -> None:
        """Count the requests that have no response yet as failed."""
        for stream in list(self._waiting):
            self._over(stream, reason)

    def _take(self, kind: int, flags: int, stream: bytes, payload: bytes) -> None:
        why = ""
        match kind:
            case frames.DATA:
                self._left[stream] = self._left.get(stream, 0) - len(payload)
            case frames.HEADERS:
                try:
                    self._left[stream] = _length(payload)
                except HTTP2ConnectionError as error:
                    why = error.detail
                except ValueError as error:
                    why = str(error)
            case frames.RST_STREAM:
                why = f"reset with code {int.from_bytes(payload, 'big')}"
            case frames.SETTINGS if not flags & frames.ACK:
                assert self._transport is not None
                self._transport.write(frames.SETTINGS_ACK)
        ends = kind in (frames.DATA, frames.HEADERS) and flags & frames.END_STREAM
        if ends and not why and self._left.get(stream):
            why = "not the bytes that Content-Length promises"
        if ends or why:
            self._over(stream, why)

    def _over(self, stream: bytes, why: str) -> None:
        """A response is complete, or wrong for a reason. What else arrives for it does not count."""
        if stream not in self._waiting:
            return
        self._waiting.remove(stream)
        if why:
            self.failures[why] += 1
        else:
            self.moments.append(time.monotonic())
        if not self._waiting:
            self.done.set()
