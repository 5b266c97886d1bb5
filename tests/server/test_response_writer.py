"""What start() sends at once: other connections wait meanwhile."""

import os
from pathlib import Path

from pwb_async.core.semantics.messages import File, FileSlice
from pwb_async.server.response_writer import ResponseWriter
from pwb_async.server.sendfile import SENDFILE_CHUNK
from pwb_async.storage.open_file import LargeFile

from .test_async_storage import connection


class Unlimited(ResponseWriter):
    """A writer to a socket that takes everything at once."""

    __slots__ = ("offered",)

    offered: list[int]

    def _sendfile(self, fd: int, file: File, start: int, length: int) -> int:
        self.offered.append(length)
        return length


async def test_no_more_than_one_chunk_is_sent_at_once_a15(tmp_path: Path) -> None:
    half = SENDFILE_CHUNK // 2
    content = bytes(3 * SENDFILE_CHUNK)
    (tmp_path / "big.bin").write_bytes(content)
    fd = os.open(tmp_path / "big.bin", os.O_RDONLY)
    file = LargeFile(fd, os.fstat(fd).st_dev)
    file.read_ahead(0, len(content), 0)  # so that it is in the page cache
    async with connection() as (plain, _):
        writer = Unlimited(plain._transport, plain._send_queue, plain._sendfiles)
        writer.offered = []
        rest = writer.start([FileSlice(file, 0, half), FileSlice(file, half, SENDFILE_CHUNK)])
        assert writer.offered == [half, half]
        assert rest == [FileSlice(file, SENDFILE_CHUNK, half)]
        assert writer.sent == SENDFILE_CHUNK
    file.close()
