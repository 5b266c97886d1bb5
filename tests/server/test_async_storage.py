"""Large files from the disk to a client: what the loop may read, what a thread reads before it, and how much at once."""

import asyncio
import ctypes
import errno
import mmap
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pwb_async.core.semantics.messages import File, FileSlice
from pwb_async.core.site.findings import OpenFile
from pwb_async.core.site.lookup import Candidate, Lookup
from pwb_async.server import sendfile
from pwb_async.server.async_storage import AsyncStorage
from pwb_async.server.response_writer import ResponseWriter
from pwb_async.server.send_queue import SendQueueWatcher
from pwb_async.server.sendfile import SENDFILE_CHUNK, SendfileRefusedError, SendfileSupport
from pwb_async.storage.disk import Disk
from pwb_async.storage.open_file import LargeFile

KIB, MIB = 1024, 1024 * 1024
SIZE = 5 * MIB
LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """The content of big.bin, which has just been written and is in the page cache."""
    content = os.urandom(SIZE)
    (tmp_path / "big.bin").write_bytes(content)
    return content


@pytest_asyncio.fixture
async def files(tmp_path: Path) -> AsyncIterator[AsyncStorage]:
    files = AsyncStorage(Disk(tmp_path))
    yield files
    files.close()


async def opened(files: AsyncStorage, path: bytes) -> File:
    request: Any = None  # a disk does not use it
    found = await files.find(Lookup(request, path, (Candidate(path),)))
    assert isinstance(found, OpenFile)
    assert found.file is not None
    return found.file


def forget(path: Path) -> None:
    """Have the kernel drop a file from the page cache, where it can."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def resident(path: Path) -> int:
    """Bytes of a file that are in the page cache."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE) as view:
        pages = (ctypes.c_ubyte * -(-len(view) // mmap.PAGESIZE))()
        first = ctypes.c_char.from_buffer(view)
        try:
            assert LIBC.mincore(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(len(view)), pages) == 0
        finally:
            del first
        return sum(page & 1 for page in pages) * mmap.PAGESIZE


def pages(start: int, length: int) -> set[int]:
    return set(range(start // mmap.PAGESIZE, -(-(start + length) // mmap.PAGESIZE)))


class UncachedFile:
    """A file that is not in the page cache: in_page_cache() has the page read that it asks for, and no other.

    calls: how often read_ahead() was called. loaded: the pages that it was called for.
    """

    def __init__(self, file: File) -> None:
        self.device = file.device
        self.fileno, self.close, self.read_into, self._read_ahead = (
            file.fileno,
            file.close,
            file.read_into,
            file.read_ahead,
        )
        self.calls = 0
        self.loaded: set[int] = set()
        self._asked: set[int] = set()

    def in_page_cache(self, start: int, length: int) -> bool:
        """Ask for the first page, and if that is there for the last one, as LargeFile does."""
        for page in (start // mmap.PAGESIZE, (start + length - 1) // mmap.PAGESIZE):
            if page not in self._asked | self.loaded:
                self._asked.add(page)
                return False
        return True

    def read_ahead(self, start: int, length: int, ahead: int) -> None:
        self._read_ahead(start, length, ahead)
        self.calls += 1
        self.loaded |= pages(start, length)


class Client(asyncio.Protocol):
    """The server's end of a connection, reduced to its writer."""

    writer: ResponseWriter

    def __init__(self, send_queue: SendQueueWatcher) -> None:
        self._send_queue = send_queue

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.writer = ResponseWriter(transport, self._send_queue, SendfileSupport())  # type: ignore[arg-type]
        self.writer.limit_buffer()

    def pause_writing(self) -> None:
        self.writer.pause()

    def resume_writing(self) -> None:
        self.writer.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        self.writer.lose()


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[ResponseWriter, asyncio.StreamReader]]:
    loop = asyncio.get_running_loop()
    send_queue = SendQueueWatcher(loop)
    arrived: asyncio.Future[Client] = loop.create_future()

    def make() -> Client:
        arrived.set_result(client := Client(send_queue))
        return client

    server = await loop.create_server(make, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    client = await arrived
    await asyncio.sleep(0)
    yield client.writer, reader
    writer.close()
    await writer.wait_closed()
    server.close()
    send_queue.close()


async def sent(writer: ResponseWriter, reader: asyncio.StreamReader, part: FileSlice, files: AsyncStorage) -> bytes:
    """Send a part, and return what the client has received."""
    reading = asyncio.create_task(reader.readexactly(part.length))
    await writer.send(writer.start([part]), files)
    async with asyncio.timeout(30):
        return await reading


async def test_asking_for_cached_pages_reads_nothing_ahead(files: AsyncStorage, tmp_path: Path) -> None:
    """The loop asks. That may read the page it asks for, but not all that the kernel would read ahead."""
    path = tmp_path / "hole.bin"
    path.touch()
    os.truncate(path, 64 * MIB)
    file = await opened(files, b"hole.bin")
    before = resident(path)
    for start in range(0, 32 * MIB, SENDFILE_CHUNK):
        file.in_page_cache(start, SENDFILE_CHUNK)
    assert resident(path) - before <= 32 * mmap.PAGESIZE
    file.close()


async def test_read_ahead_reads_all_that_it_is_called_for(files: AsyncStorage, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    forget(path)
    file = await opened(files, b"big.bin")
    await files.read_ahead(file, 1000, MIB, 2 * MIB)
    assert file.in_page_cache(1000, MIB)
    assert resident(path) >= MIB
    await files.read_ahead(file, MIB, MIB, 2 * MIB)
    await files.read_ahead(file, SIZE - 10, 10, 0)
    await files.read_ahead(file, SIZE + 10, 10, 10)
    buffer = bytearray(SIZE)
    assert file.read_into(buffer, 0) == SIZE
    assert buffer == content
    file.close()


@pytest.mark.parametrize("start", [0, 1, 3 * MIB])
@pytest.mark.parametrize("first_page", [False, True])
async def test_an_uncached_chunk_is_read_before_it_is_sent(
    files: AsyncStorage, content: bytes, start: int, first_page: bool
) -> None:
    """Even though its first and last page are cached after asking, because asking has read them."""
    file = UncachedFile(await opened(files, b"big.bin"))
    if first_page:
        file.in_page_cache(start, 1)
    async with connection() as (writer, reader):
        assert await sent(writer, reader, FileSlice(file, start, SIZE - start), files) == content[start:]
    assert file.loaded == pages(start, SIZE - start)
    file.close()


async def test_everything_is_read_ahead_where_the_page_cache_cannot_be_asked(
    files: AsyncStorage, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a network file system without RWF_NOWAIT, where reading may take long."""
    preadv = os.preadv
    readers: set[int] = set()

    def without_nowait(fd: int, buffers: list[bytearray], start: int, flags: int = 0) -> int:
        if flags:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        readers.add(threading.get_ident())
        return preadv(fd, buffers, start)

    monkeypatch.setattr(os, "preadv", without_nowait)
    file = await opened(files, b"big.bin")
    uncached = UncachedFile(file)
    monkeypatch.setattr(uncached, "in_page_cache", file.in_page_cache)
    async with connection() as (writer, reader):
        assert await sent(writer, reader, FileSlice(uncached, 0, SIZE), files) == content
    assert uncached.loaded == pages(0, SIZE)
    assert readers
    assert threading.get_ident() not in readers
    uncached.close()


async def test_a_cached_file_is_not_read_ahead(files: AsyncStorage, content: bytes) -> None:
    file = UncachedFile(await opened(files, b"big.bin"))
    file.read_ahead(0, SIZE, 0)
    async with connection() as (writer, reader):
        assert await sent(writer, reader, FileSlice(file, 0, SIZE), files) == content
    assert file.calls == 1
    file.close()


class Sized(ResponseWriter):
    """A writer that notes, in `offered`, how many bytes each sendfile(2) was called for."""

    __slots__ = ("offered",)

    def __init__(self, transport: asyncio.Transport, send_queue: SendQueueWatcher) -> None:
        super().__init__(transport, send_queue, SendfileSupport())
        self.offered: list[int] = []

    def _sendfile(self, fd: int, file: File, start: int, length: int) -> int:
        self.offered.append(length)
        return super()._sendfile(fd, file, start, length)


def clock(durations: Iterator[float]) -> Any:
    """A clock that is read before and after each chunk, which takes one of the durations."""
    now, running = 0.0, False

    def read() -> float:
        nonlocal now, running
        if running:
            now += next(durations)
        running = not running
        return now

    return read


@pytest.mark.parametrize(
    ("durations", "sizes"),
    [
        ([0.001] * 9, [SENDFILE_CHUNK] * 4),
        (
            [0.006] * 99,
            [
                SENDFILE_CHUNK,
                SENDFILE_CHUNK // 2,
                SENDFILE_CHUNK // 4,
                SENDFILE_CHUNK // 8,
                SENDFILE_CHUNK // 16,
                64 * KIB,
                64 * KIB,
                64 * KIB,
            ],
        ),
        (
            [0.006, 0.006, 0.001, 0.001] + [0.0] * 99,
            [
                SENDFILE_CHUNK,
                SENDFILE_CHUNK // 2,
                SENDFILE_CHUNK // 4,
                SENDFILE_CHUNK // 4,
                SENDFILE_CHUNK // 4,
                SENDFILE_CHUNK // 2,
                SENDFILE_CHUNK,
            ],
        ),
    ],
)
async def test_a_slow_chunk_is_followed_by_a_smaller_one_a15(
    files: AsyncStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durations: list[float], sizes: list[int]
) -> None:
    (tmp_path / "hole.bin").touch()
    os.truncate(tmp_path / "hole.bin", 4 * SENDFILE_CHUNK)
    monkeypatch.setattr(sendfile, "perf_counter", clock(iter(durations + [0.001] * 999)))
    file = await opened(files, b"hole.bin")
    async with connection() as (plain, reader):
        writer = plain._transport.get_protocol().writer = Sized(plain._transport, plain._send_queue)  # type: ignore[attr-defined]
        reading = asyncio.create_task(reader.readexactly(4 * SENDFILE_CHUNK))
        await writer.send([FileSlice(file, 0, 4 * SENDFILE_CHUNK)], files)
        async with asyncio.timeout(30):
            assert not any(await reading)
    assert writer.offered[: len(sizes)] == sizes
    file.close()


@pytest.mark.parametrize(("count", "length"), [(512, 16), (64, MIB)])
async def test_other_connections_have_their_turn_between_many_parts_a15(
    files: AsyncStorage, content: bytes, tmp_path: Path, count: int, length: int
) -> None:
    """However many parts of a cached file a client reads without pause, other connections are served in between."""
    file = await opened(files, b"big.bin")
    parts = [part for at in range(count) for part in (b"head", FileSlice(file, at, length))]
    loop = asyncio.get_running_loop()
    iterations: list[tuple[int, int]] = [(0, 0)]
    async with connection() as (plain, reader):
        writer = plain._transport.get_protocol().writer = Sized(plain._transport, plain._send_queue)  # type: ignore[attr-defined]

        def next_iteration() -> None:
            nonlocal ticker
            iterations.append((len(writer.offered), sum(writer.offered)))
            ticker = loop.call_soon(next_iteration)

        ticker = loop.call_soon(next_iteration)
        reading = asyncio.create_task(reader.readexactly(count * (4 + length)))
        await writer.send(writer.start(parts), files)
        ticker.cancel()
        next_iteration()
        ticker.cancel()
        async with asyncio.timeout(30):
            data = await reading
    assert data == b"".join(b"head" + content[at : at + length] for at in range(count))
    for before, after in pairwise(iterations):
        assert after[0] - before[0] <= 64
        assert after[1] - before[1] <= 4 * SENDFILE_CHUNK
    file.close()


class Refusing(Sized):
    """A writer whose second call of sendfile(2) is refused, and each one after it."""

    on_refusal: Callable[[], object] = staticmethod(lambda: None)

    def _sendfile(self, fd: int, file: File, start: int, length: int) -> int:
        if self.offered:
            self.offered.append(length)
            self.on_refusal()
            raise SendfileRefusedError(errno.EINVAL, os.strerror(errno.EINVAL))
        return super()._sendfile(fd, file, start, length)


@pytest.mark.parametrize("cached", [True, False])
async def test_what_sendfile_refuses_is_read_c16(files: AsyncStorage, content: bytes, cached: bool) -> None:
    """From where sendfile has stopped; and the next response from its beginning, without another try.

    Threads read what is not in memory.
    """
    file = UncachedFile(await opened(files, b"big.bin"))
    file.read_ahead(0, SIZE, 0)
    readers: set[int] = set()
    read_into = file.read_into

    def read(buffer: bytearray | memoryview, start: int) -> int:
        readers.add(threading.get_ident())
        return read_into(buffer, start)

    file.read_into = read
    async with connection() as (plain, reader):
        writer = plain._transport.get_protocol().writer = Refusing(plain._transport, plain._send_queue)  # type: ignore[attr-defined]
        if not cached:
            writer.on_refusal = lambda: setattr(file, "in_page_cache", lambda start, length: False)
        for start in (0, 1):
            assert await sent(writer, reader, FileSlice(file, start, SIZE - start), files) == content[start:]
            assert writer.sent == SIZE - start
    assert len(writer.offered) == 2
    assert readers
    assert (readers == {threading.get_ident()}) if cached else (threading.get_ident() not in readers)
    file.close()


async def test_one_piece_at_most_is_buffered_for_a_client_that_reads_nothing(
    files: AsyncStorage, content: bytes
) -> None:
    """When the connection ends, what is buffered does not count as sent."""
    file = await opened(files, b"big.bin")
    async with connection() as (plain, _):
        writer = plain._transport.get_protocol().writer = ResponseWriter(  # type: ignore[attr-defined]
            plain._transport, plain._send_queue, SendfileSupport(enabled=False)
        )
        writer.limit_buffer()
        parts = [FileSlice(file, 0, SIZE)] * 8  # more than the kernel's buffers take
        sending = asyncio.create_task(writer.send(writer.start(parts), files))
        while not writer.paused:
            await asyncio.sleep(0)
        waiting = plain._transport.get_write_buffer_size()
        assert 0 < waiting <= 256 * KIB
        passed = writer.sent
        writer.lose()
        plain._transport.abort()
        with pytest.raises(ConnectionError):
            await sending
        assert writer.sent == passed - waiting
    file.close()


def test_sendfile_is_not_tried_again_on_a_file_system_until_a_reload(tmp_path: Path) -> None:
    refused, other = (LargeFile(os.open(tmp_path, os.O_RDONLY), device) for device in (1, 2))
    support = SendfileSupport()
    support.refuse(refused, SendfileRefusedError(errno.EINVAL, "refused"))
    assert [support.allows(refused), support.allows(other)] == [False, True]
    support.configure(enabled=True)
    assert support.allows(refused)
    support.configure(enabled=False)
    assert not support.allows(other)
