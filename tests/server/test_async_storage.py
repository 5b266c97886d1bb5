"""Large files between the disk and a client: what the loop may touch, what a thread reads before, how much at a time."""

import asyncio
import ctypes
import errno
import mmap
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pwb_async.core.semantics.messages import File, FileSlice
from pwb_async.core.site.lookup import Candidate, Lookup, OpenFile
from pwb_async.server import sendfile as pump
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
    """That of big.bin, which has just been written, and is in memory."""
    content = os.urandom(SIZE)
    (tmp_path / "big.bin").write_bytes(content)
    return content


@pytest_asyncio.fixture
async def files(tmp_path: Path) -> AsyncIterator[AsyncStorage]:
    files = AsyncStorage(Disk(tmp_path))
    yield files
    files.close()


async def opened(files: AsyncStorage, path: bytes) -> File:
    request: Any = None  # a disk does not look at it
    found = await files.find(Lookup(request, path, (Candidate(path),)))
    assert isinstance(found, OpenFile)
    assert found.file is not None
    return found.file


def forget(path: Path) -> None:
    """Has the kernel drop what it has of a file in memory, where it can."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def resident(path: Path) -> int:
    """Bytes of a file that are in memory."""
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


class Shy:
    """A file on a disk: a look at a page that is not in memory has it read, that page alone, and the next look finds it
    there. loads: calls of read_ahead(). loaded: the pages that these asked for."""

    def __init__(self, file: File) -> None:
        self.device = file.device
        self.fileno, self.close, self.read_into, self._load = file.fileno, file.close, file.read_into, file.read_ahead
        self.loads = 0
        self.loaded: set[int] = set()
        self._looked: set[int] = set()

    def in_page_cache(self, start: int, length: int) -> bool:
        """The first page, and if that is there the last one, as a LargeFile does it."""
        for page in (start // mmap.PAGESIZE, (start + length - 1) // mmap.PAGESIZE):
            if page not in self._looked | self.loaded:
                self._looked.add(page)
                return False
        return True

    def read_ahead(self, start: int, length: int, ahead: int) -> None:
        self._load(start, length, ahead)
        self.loads += 1
        self.loaded |= pages(start, length)


class Client(asyncio.Protocol):
    """The server's end of a connection, reduced to its writer."""

    writer: ResponseWriter

    def __init__(self, drain: SendQueueWatcher) -> None:
        self._drain = drain

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.writer = ResponseWriter(transport, self._drain, SendfileSupport())  # type: ignore[arg-type]

    def pause_writing(self) -> None:
        self.writer.pause()

    def resume_writing(self) -> None:
        self.writer.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        self.writer.lose()


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[ResponseWriter, asyncio.StreamReader]]:
    loop = asyncio.get_running_loop()
    drain = SendQueueWatcher(loop)
    arrived: asyncio.Future[Client] = loop.create_future()

    def make() -> Client:
        arrived.set_result(client := Client(drain))
        return client

    server = await loop.create_server(make, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    client = await arrived
    await asyncio.sleep(0)
    yield client.writer, reader
    writer.close()
    await writer.wait_closed()
    server.close()
    drain.close()


async def sent(writer: ResponseWriter, reader: asyncio.StreamReader, part: FileSlice, files: AsyncStorage) -> bytes:
    """What the client gets of it."""
    reading = asyncio.create_task(reader.readexactly(part.length))
    await writer.send(writer.start([part]), files)
    async with asyncio.timeout(30):
        return await reading


async def test_a_look_has_nothing_read_ahead(files: AsyncStorage, tmp_path: Path) -> None:
    """The loop looks; what it touches may cost a page, not what the kernel would like to read ahead."""
    path = tmp_path / "hole.bin"
    path.touch()
    os.truncate(path, 64 * MIB)
    file = await opened(files, b"hole.bin")
    before = resident(path)
    for start in range(0, 32 * MIB, SENDFILE_CHUNK):
        file.in_page_cache(start, SENDFILE_CHUNK)
    assert resident(path) - before <= 32 * mmap.PAGESIZE
    file.close()


async def test_who_loads_reads_all_and_a_little_ahead(files: AsyncStorage, content: bytes, tmp_path: Path) -> None:
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
async def test_what_a_look_found_cold_is_loaded(
    files: AsyncStorage, content: bytes, start: int, first_page: bool
) -> None:
    """Even if a second look would find its first and its last page there: those that the first look had read."""
    shy = Shy(await opened(files, b"big.bin"))
    if first_page:
        shy.in_page_cache(start, 1)
    async with connection() as (writer, reader):
        assert await sent(writer, reader, FileSlice(shy, start, SIZE - start), files) == content[start:]
    assert shy.loaded == pages(start, SIZE - start)
    shy.close()


async def test_where_nobody_can_say_what_is_in_memory_all_is_loaded(
    files: AsyncStorage, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a network's disk that knows no RWF_NOWAIT, whose reader may wait for long."""
    preadv = os.preadv
    readers: set[int] = set()

    def cannot_say(number: int, buffers: list[bytearray], start: int, flags: int = 0) -> int:
        if flags:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        readers.add(threading.get_ident())
        return preadv(number, buffers, start)

    monkeypatch.setattr(os, "preadv", cannot_say)
    file = await opened(files, b"big.bin")
    shy = Shy(file)
    monkeypatch.setattr(shy, "in_page_cache", file.in_page_cache)
    async with connection() as (writer, reader):
        assert await sent(writer, reader, FileSlice(shy, 0, SIZE), files) == content
    assert shy.loaded == pages(0, SIZE)
    assert readers
    assert threading.get_ident() not in readers
    shy.close()


async def test_what_is_in_memory_is_not_loaded(files: AsyncStorage, content: bytes) -> None:
    shy = Shy(await opened(files, b"big.bin"))
    shy.read_ahead(0, SIZE, 0)
    async with connection() as (writer, reader):
        assert await sent(writer, reader, FileSlice(shy, 0, SIZE), files) == content
    assert shy.loads == 1
    shy.close()


class Sized(ResponseWriter):
    """offered: the bytes of each turn."""

    __slots__ = ("offered",)

    def __init__(self, transport: asyncio.Transport, drain: SendQueueWatcher) -> None:
        super().__init__(transport, drain, SendfileSupport())
        self.offered: list[int] = []

    def _sendfile(self, number: int, file: File, start: int, length: int) -> int:
        self.offered.append(length)
        return super()._sendfile(number, file, start, length)


def clock(durations: Iterator[float]) -> Any:
    """A clock that is asked twice a turn, which takes one of the durations."""
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
async def test_a_turn_that_takes_long_is_followed_by_a_shorter_one_a15(
    files: AsyncStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durations: list[float], sizes: list[int]
) -> None:
    (tmp_path / "hole.bin").touch()
    os.truncate(tmp_path / "hole.bin", 4 * SENDFILE_CHUNK)
    monkeypatch.setattr(pump, "perf_counter", clock(iter(durations + [0.001] * 999)))
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
async def test_parts_that_go_out_at_once_take_turns_a15(
    files: AsyncStorage, content: bytes, tmp_path: Path, count: int, length: int
) -> None:
    """Of a file in memory, to a client that takes all: however many they are, others are served in between."""
    file = await opened(files, b"big.bin")
    parts = [part for at in range(count) for part in (b"head", FileSlice(file, at, length))]
    loop = asyncio.get_running_loop()
    rounds: list[tuple[int, int]] = [(0, 0)]
    async with connection() as (plain, reader):
        writer = plain._transport.get_protocol().writer = Sized(plain._transport, plain._send_queue)  # type: ignore[attr-defined]

        def each_round() -> None:
            nonlocal ticker
            rounds.append((len(writer.offered), sum(writer.offered)))
            ticker = loop.call_soon(each_round)

        ticker = loop.call_soon(each_round)
        reading = asyncio.create_task(reader.readexactly(count * (4 + length)))
        await writer.send(writer.start(parts), files)
        ticker.cancel()
        each_round()
        ticker.cancel()
        async with asyncio.timeout(30):
            data = await reading
    assert data == b"".join(b"head" + content[at : at + length] for at in range(count))
    for before, after in pairwise(rounds):
        assert after[0] - before[0] <= 64
        assert after[1] - before[1] <= 4 * SENDFILE_CHUNK
    file.close()


class Refusing(Sized):
    """A writer to whom the kernel refuses its second call of sendfile(2), and all that follow."""

    def _sendfile(self, number: int, file: File, start: int, length: int) -> int:
        if self.offered:
            self.offered.append(length)
            raise SendfileRefusedError(errno.EINVAL, os.strerror(errno.EINVAL))
        return super()._sendfile(number, file, start, length)


async def test_what_sendfile_refuses_is_read_by_threads_c16(files: AsyncStorage, content: bytes) -> None:
    """From where it has stopped; and the next one from its beginning, without another try."""
    shy = Shy(await opened(files, b"big.bin"))
    shy.read_ahead(0, SIZE, 0)
    readers: set[int] = set()
    read_into = shy.read_into

    def read(buffer: bytearray | memoryview, start: int) -> int:
        readers.add(threading.get_ident())
        return read_into(buffer, start)

    shy.read_into = read
    async with connection() as (plain, reader):
        writer = plain._transport.get_protocol().writer = Refusing(plain._transport, plain._send_queue)  # type: ignore[attr-defined]
        for start in (0, 1):
            assert await sent(writer, reader, FileSlice(shy, start, SIZE - start), files) == content[start:]
            assert writer.sent == SIZE - start
    assert len(writer.offered) == 2
    assert readers
    assert threading.get_ident() not in readers
    shy.close()


async def test_who_reads_nothing_has_one_piece_waiting(files: AsyncStorage, content: bytes) -> None:
    """And the pieces that are not sent do not count as sent when the connection ends."""
    file = await opened(files, b"big.bin")
    async with connection() as (plain, _):
        writer = plain._transport.get_protocol().writer = ResponseWriter(  # type: ignore[attr-defined]
            plain._transport, plain._send_queue, SendfileSupport(enabled=False)
        )
        parts = [FileSlice(file, 0, SIZE)] * 8  # more than the kernel's buffers take
        sending = asyncio.create_task(writer.send(writer.start(parts), files))
        while not writer.paused:
            await asyncio.sleep(0)
        waiting = plain._transport.get_write_buffer_size()
        assert 0 < waiting <= 256 * KIB
        handed_over = writer.sent
        writer.lose()
        plain._transport.abort()
        with pytest.raises(ConnectionError):
            await sending
        assert writer.sent == handed_over - waiting
    file.close()


def test_a_refusal_counts_for_its_file_system_until_the_server_is_configured_anew(tmp_path: Path) -> None:
    refused, other = (LargeFile(os.open(tmp_path, os.O_RDONLY), device) for device in (1, 2))
    support = SendfileSupport()
    support.refuse(refused, SendfileRefusedError(errno.EINVAL, "refused"))
    assert [support.allows(refused), support.allows(other)] == [False, True]
    support.configure(enabled=True)
    assert support.allows(refused)
    support.configure(enabled=False)
    assert not support.allows(other)
