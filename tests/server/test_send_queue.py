"""Waiting for full sockets, on real ones: when the callback is called, and what remains set on the socket."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from pwb_async.server.send_queue import SendQueueWatcher

KIB = 1024


@pytest_asyncio.fixture
async def watcher() -> AsyncIterator[SendQueueWatcher]:
    watcher = SendQueueWatcher(asyncio.get_running_loop())
    yield watcher
    watcher.close()


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


async def receive(reader: socket.socket, length: int) -> None:
    while length > 0:
        length -= len(await asyncio.get_running_loop().sock_recv(reader, length))


async def test_the_callback_is_called_when_nearly_all_is_sent_and_not_before(
    watcher: SendQueueWatcher, pair: tuple[socket.socket, socket.socket]
) -> None:
    writer, reader = pair
    called = asyncio.Event()
    watcher.wait(writer, called.set)
    await receive(reader, 64 * KIB)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not called.is_set(), "a little free space is not worth a call"
    reading = asyncio.create_task(receive(reader, 1 << 30))
    async with asyncio.timeout(10):
        await called.wait()
    reading.cancel()
    assert unsent_bound(writer) == 0, "the next write is not limited"
    assert fill(writer) > 1024 * KIB, "a whole buffer is free"
    writer.close()
    reader.close()


async def test_each_wait_calls_back_once(watcher: SendQueueWatcher, pair: tuple[socket.socket, socket.socket]) -> None:
    writer, reader = pair
    calls: list[int] = []
    for number in range(3):
        called = asyncio.Event()
        watcher.wait(writer, lambda number=number, called=called: (calls.append(number), called.set()))
        reading = asyncio.create_task(receive(reader, 1 << 30))
        async with asyncio.timeout(10):
            await called.wait()
        reading.cancel()
        fill(writer)
    assert calls == [0, 1, 2]
    writer.close()
    reader.close()


async def test_a_reset_calls_back(watcher: SendQueueWatcher, pair: tuple[socket.socket, socket.socket]) -> None:
    writer, reader = pair
    called = asyncio.Event()
    watcher.wait(writer, called.set)
    reader.close()  # with unread bytes: a reset
    async with asyncio.timeout(10):
        await called.wait()
    with pytest.raises(ConnectionError):
        writer.send(b"x")
    writer.close()


async def test_a_socket_with_a_reused_descriptor_calls_back_and_the_old_one_does_not(
    watcher: SendQueueWatcher, pair: tuple[socket.socket, socket.socket]
) -> None:
    writer, reader = pair
    called: list[str] = []
    fd = writer.fileno()
    stale = socket.socket(fileno=fd)
    watcher.wait(stale, lambda: called.append("old"))
    writer.close()  # as a transport does with a socket that is its own
    with socket.create_server(("127.0.0.1", 0)) as listener:
        others = [socket.create_connection(listener.getsockname())]
        others.append(listener.accept()[0])
    new = next(sock for sock in others if sock.fileno() == fd)
    new.setblocking(False)
    done = asyncio.Event()
    watcher.wait(new, lambda: (called.append("new"), done.set()))
    watcher.forget(stale)
    stale.detach()
    async with asyncio.timeout(10):
        await done.wait()
    assert called == ["new"]
    for sock in (*others, reader):
        sock.close()


async def test_a_unix_socket_calls_back_without_the_option(watcher: SendQueueWatcher) -> None:
    writer, reader = socket.socketpair()
    writer.setblocking(False)
    reader.setblocking(False)
    fill(writer)
    called = asyncio.Event()
    watcher.wait(writer, called.set)
    reading = asyncio.create_task(receive(reader, 1 << 30))
    async with asyncio.timeout(10):
        await called.wait()
    reading.cancel()
    writer.close()
    reader.close()
