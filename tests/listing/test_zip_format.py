"""Records of ZIP archives, as Python's own reader understands them; numbers that need 64 bits, too."""

import io
import zipfile
import zlib
from pathlib import Path

import pytest

from pwb_async.listing.zip_format import (
    BLOCK,
    ZipEntry,
    block_head,
    central_header,
    descriptor,
    end_records,
    local_header,
)

GIB = 1 << 30


def packed(entry: ZipEntry, content: bytes) -> bytes:
    blocks = [content[start : start + BLOCK] for start in range(0, len(content), BLOCK)]
    data = b"".join(block_head(len(block), block is blocks[-1]) + block for block in blocks)
    return local_header(entry) + data + descriptor(entry, zlib.crc32(content))


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_content_in_blocks(size: int) -> None:
    content = bytes(index % 251 for index in range(size))
    entry = ZipEntry("ä.txt".encode(), size, 1_600_000_001)
    data = packed(entry, content)
    assert len(data) == entry.length
    directory = central_header(entry, zlib.crc32(content), 0)
    archive = zipfile.ZipFile(io.BytesIO(data + directory + end_records(1, len(data), len(directory))))
    assert archive.read("ä.txt") == content


@pytest.mark.parametrize("mtime", [-1, 0, 315_532_799, 2**31 - 1, 2**31, 4_354_819_199, 10**12])
def test_any_time(mtime: int) -> None:
    entry = ZipEntry(b"\xff", 0, mtime)
    data = packed(entry, b"")
    directory = central_header(entry, 0, 0)
    archive = zipfile.ZipFile(io.BytesIO(data + directory + end_records(1, len(data), len(directory))))
    assert 1980 <= archive.infolist()[0].date_time[0] <= 2107


def test_large_numbers(tmp_path: Path) -> None:
    entries = [ZipEntry(b"large", 5 * GIB, 1), ZipEntry(b"behind", 0, 1), ZipEntry(b"edge", 0xFFFFFFFF, 1)]
    offsets = [0, entries[0].length, entries[0].length + entries[1].length]
    end = offsets[2] + entries[2].length
    with (tmp_path / "large.zip").open("wb") as file:  # with a hole in place of the content
        for entry, offset in zip(entries, offsets, strict=True):
            file.seek(offset)
            file.write(local_header(entry))
        file.seek(end)
        directory = b"".join(central_header(entry, 0, at) for entry, at in zip(entries, offsets, strict=True))
        file.write(directory + end_records(3, end, len(directory)))
    with zipfile.ZipFile(tmp_path / "large.zip") as archive:
        found = [(each.filename, each.file_size, each.compress_size, each.header_offset) for each in archive.infolist()]
        assert found == [
            (entry.name.decode(), entry.size, entry.packed_size, offset)
            for entry, offset in zip(entries, offsets, strict=True)
        ]
        assert archive.read("behind") == b""


def test_many_entries() -> None:
    entries = [ZipEntry(b"%d/" % number, 0, 0) for number in range(70_000)]
    data, directory = bytearray(), bytearray()
    for entry in entries:
        directory += central_header(entry, 0, len(data))
        data += local_header(entry)
    archive = zipfile.ZipFile(io.BytesIO(data + directory + end_records(len(entries), len(data), len(directory))))
    assert len(archive.infolist()) == len(entries)
