"""Every way in which an answer can be wrong is a failure, and its reason is said in words."""

import asyncio
import socket
import time

import pytest

from pwb_legacy.compare.load import Ask, burst, closed, scheduled
from pwb_legacy.compare.load.clients import Clients
from pwb_legacy.compare.load.messages import requests

from . import hostile

PAGE = Ask(b"/index.html")
HEAD = b"HTTP/1.1 200 OK\r\n"
REASONS = {
    "cut": (hostile.closing(HEAD + b"Content-Length: 9\r\n\r\nshort"), "closed in the middle of an answer"),
    "cut head": (hostile.closing(HEAD + b"Content-Len"), "closed in the middle of an answer"),
    "silent": (hostile.closing(), "closed before an answer"),
    "reset": (hostile.resetting(), "reset before an answer"),
    "stalls": (hostile.saying(b""), "no answer within 0.3 s"),
    "stalls in between": (hostile.saying(HEAD + b"Content-Length: 9\r\n\r\nshort"), "no answer within 0.3 s"),
    "status": (hostile.saying(b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"), "status 503"),
    "interim": (hostile.saying(b"HTTP/1.1 100 Continue\r\n\r\n"), "status 100, an interim response"),
    "no length": (hostile.closing(HEAD + b"Connection: close\r\n\r\nhello"), "no Content-Length"),
    "two lengths": (
        hostile.saying(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx"),
        "several Content-Lengths",
    ),
    "odd length": (hostile.saying(HEAD + b"Content-Length: +5\r\n\r\nhello"), "a Content-Length that is no number"),
    "chunked": (
        hostile.saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "Transfer-Encoding, where only Content-Length is expected",
    ),
    "odd field": (hostile.saying(HEAD + b"Content-Length 5\r\n\r\nhello"), "a field line without a colon"),
    "no HTTP": (hostile.saying(b"SSH-2.0-OpenSSH\r\n\r\n"), "no HTTP answer"),
    "endless": (hostile.saying(HEAD + b"X: " + b"x" * 70_000), "a head without an end"),
    "too long": (hostile.saying(hostile.GOOD + b"!"), "more bytes than Content-Length promises"),
    "does not close": (
        hostile.saying(HEAD + b"Content-Length: 0\r\nConnection: close\r\n\r\n"),
        "no close after Connection: close within 0.3 s",
    ),
    "HTTP/1.0 does not close": (
        hostile.saying(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
        "no close after Connection: close within 0.3 s",
    ),
}


@pytest.mark.parametrize("name", REASONS)
async def test_a_wrong_answer_is_a_failure_that_says_why(name: str) -> None:
    manner, reason = REASONS[name]
    async with hostile.server(manner) as address:
        tally = await closed(address, [PAGE], 2, 0.2, timeout=0.3)
    assert tally.failures == tally.reasons[reason] >= 2, tally.reasons
    assert not tally.requests
    if "within" in reason:
        assert tally.histogram.get_total_count() == tally.failures
        assert tally.percentile(50) == pytest.approx(300, rel=0.01)


async def test_bytes_that_nobody_asked_for() -> None:
    async def manner(writer: asyncio.StreamWriter) -> None:
        writer.write(hostile.GOOD)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"more")

    async with hostile.server(manner) as address:
        tally = await scheduled(address, [(0, PAGE), (0.5, PAGE)], connections=1)
    assert tally.requests == 2
    assert tally.reasons["bytes without a request"] >= 1


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    tally = await burst(address, PAGE, 3)
    assert tally.reasons == {"cannot connect: Connection refused": 3}


async def test_the_end_comes_although_connections_have_not_begun_to_open() -> None:
    """Their tasks are cancelled before their first step."""
    async with hostile.server(hostile.saying(hostile.GOOD)) as address:
        clients = Clients(address, 50, keep_alive=False, timeout=5, stop=None)
        ask = requests(address, [PAGE], keep_alive=False)[0]
        clients.source = lambda: (ask, time.monotonic())
        clients.engage()
        clients.over()
        async with asyncio.timeout(5):
            tally = await clients.finish()
    assert tally.unfinished == 50
