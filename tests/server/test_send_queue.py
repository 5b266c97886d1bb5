"""Waiting for a full socket, on real ones: when it is told, and what it leaves behind."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from pwb_async.server.send_queue import SendQueueWatcher

KIB = 1024


@pytest_asyncio.fixture
async def drain() -> AsyncIterator[SendQueueWatcher]:
    drain = SendQueueWatcher(asyncio.get_running_loop())
    yield drain
    drain.close()


@pytest.fixture
def pair() -> tuple[socket.socket, socket.socket]:
    """A connection, its first end full."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = socket.create_connection(listener.getsockname())
        writer = listener.accept()[0]
    writer.setblocking(False)
    reader.setblocking(False)
    fill(writer)
    return writer, reader


def fill(writer: socket.socket) -> int:
    sent = 0
    while True:
        try:
            sent += writer.send(b"x" * 64 * KIB)
        except BlockingIOError:
            return sent


def unsent_bound(sock: socket.socket) -> int:
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)


async def take(reader: socket.socket, length: int) -> None:
    while length > 0:
        length -= len(await asyncio.get_running_loop().sock_recv(reader, length))


async def test_it_calls_when_nearly_all_is_sent_and_not_before(
    drain: SendQueueWatcher, pair: tuple[socket.socket, socket.socket]
) -> None:
    writer, reader = pair
    called = asyncio.Event()
    drain.wait(writer, called.set)
    await take(reader, 64 * KIB)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not called.is_set(), "a little room is not worth a call"
    reading = asyncio.create_task(take(reader, 1 << 30))
    async with asyncio.timeout(10):
        await called.wait()
    reading.cancel()
    assert unsent_bound(writer) == 0, "who writes now is not bounded"
    assert fill(writer) > 1024 * KIB, "a whole buffer has room"
    writer.close()
    reader.close()


async def test_it_calls_once_and_again_when_asked_again(
    drain: SendQueueWatcher, pair: tuple[socket.socket, socket.socket]
) -> None:
    writer, reader = pair
    calls: list[int] = []
    for number in range(3):
        called = asyncio.Event()
        drain.wait(writer, lambda number=number, called=called: (calls.append(number), called.set()))
        reading = asyncio.create_task(take(reader, 1 << 30))
        async with asyncio.timeout(10):
            await called.wait()
        reading.cancel()
        fill(writer)
    assert calls == [0, 1, 2]
    writer.close()
    reader.close()


async def test_who_has_gone_is_told_too(drain: SendQueueWatcher, pair: tuple[socket.socket, socket.socket]) -> None:
    writer, reader = pair
    called = asyncio.Event()
    drain.wait(writer, called.set)
    reader.close()  # with unread bytes: a reset
    async with asyncio.timeout(10):
        await called.wait()
    with pytest.raises(ConnectionError):
        writer.send(b"x")
    writer.close()


async def test_who_has_a_number_that_was_waited_for_is_told_and_the_old_one_is_not(
    drain: SendQueueWatcher, pair: tuple[socket.socket, socket.socket]
) -> None:
    writer, reader = pair
    called: list[str] = []
    number = writer.fileno()
    stale = socket.socket(fileno=number)
    drain.wait(stale, lambda: called.append("old"))
    writer.close()  # by whom it belongs to, as a transport does
    with socket.create_server(("127.0.0.1", 0)) as listener:
        others = [socket.create_connection(listener.getsockname())]
        others.append(listener.accept()[0])
    new = next(sock for sock in others if sock.fileno() == number)
    new.setblocking(False)
    done = asyncio.Event()
    drain.wait(new, lambda: (called.append("new"), done.set()))
    drain.forget(stale)
    stale.detach()
    async with asyncio.timeout(10):
        await done.wait()
    assert called == ["new"]
    for sock in (*others, reader):
        sock.close()


async def test_a_unix_socket_has_no_bound_and_waits_all_the_same(drain: SendQueueWatcher) -> None:
    writer, reader = socket.socketpair()
    writer.setblocking(False)
    reader.setblocking(False)
    fill(writer)
    called = asyncio.Event()
    drain.wait(writer, called.set)
    reading = asyncio.create_task(take(reader, 1 << 30))
    async with asyncio.timeout(10):
        await called.wait()
    reading.cancel()
    writer.close()
    reader.close()
