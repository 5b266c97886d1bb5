"""Archives that few programs make, or that are made to harm (hazards C17, C18, D14, E11)."""

import os
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

import pytest

from pwb_async.core.site.findings import NOT_FOUND, OpenFile, StorageError, Unavailable
from pwb_async.storage.archives.index import ArchiveError
from pwb_async.storage.archives.storage import ArchiveStorage

from .build import MAKERS, Packed, find, found, make_zip, pack, read

HUGE = 5 << 30
"""More bytes than 32 bits can count, and than a test may read."""
pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")


@pytest.fixture(params=MAKERS)
def ending(request: pytest.FixtureRequest) -> str:
    """How the name of an archive ends."""
    name: str = request.param
    return name


def test_odd_names_are_names_or_nothing_c17(tmp_path: Path, ending: str) -> None:
    """None leads anywhere else, and none hides another."""
    odd = [
        rb"..\\up.txt",
        rb"c:\\x.txt",
        rb"a\\b.txt",
        b"con",
        b"A.txt",
        b" ",
        b"~",
        b"%2e%2e",
        b"-rf",
        "ä.txt".encode(),
    ]
    bad = [b"../up", b"/etc/passwd", b"a/../../up", b"a/./b", b"a//b", b"x" * 5000, b"..", b"d/.."]
    members = [Packed(name, name[:10]) for name in (b"a.txt", *odd)] + [Packed(name, b"canary") for name in bad]
    if ending == ".tar":
        members = [each for each in members if len(each.name) < 4000]
    storage = ArchiveStorage(str(pack(tmp_path / f"x{ending}", members)))
    for name in (b"a.txt", *odd):
        assert found(storage, os.fsdecode(name)).content == name[:10]
    for name in bad:
        assert find(storage, os.fsdecode(name)) is NOT_FOUND
    assert len(storage.open_root().index) == 1 + len(odd)


def test_names_with_a_zero_byte_or_no_utf_8_c17(tmp_path: Path, ending: str) -> None:
    path = pack(
        tmp_path / f"x{ending}", [Packed(b"a.txtX.html", b"canary"), Packed(b"\xff\xfe.txt", b"latin"), Packed(b"z")]
    )
    if ending == ".zip":  # pack() has set the flag of UTF-8, which lies
        path.write_bytes(path.read_bytes().replace(b"a.txtX.html", b"a.txt\0.html"))
        storage = ArchiveStorage(str(path))
        assert find(storage, "a.txt") is NOT_FOUND
        assert find(storage, "a.txt\0.html") is NOT_FOUND
    storage = ArchiveStorage(str(path))
    assert found(storage, os.fsdecode(b"\xff\xfe.txt")).content == b"latin"
    assert [each.name for each in storage.open_root().open_folder(b"").scan()][-1] == os.fsdecode(b"\xff\xfe.txt")


def test_a_file_and_a_directory_of_one_name(tmp_path: Path, ending: str) -> None:
    storage = ArchiveStorage(str(pack(tmp_path / f"x{ending}", [Packed(b"a", b"file"), Packed(b"a/b", b"beneath")])))
    assert found(storage, "a").content == b"file"
    assert found(storage, "a/b").content == b"beneath"


def test_what_was_written_to_a_pipe_has_its_sizes_behind_it(tmp_path: Path) -> None:
    class Pipe:
        """A file that cannot be positioned."""

        def __init__(self, file: BinaryIO) -> None:
            self.write, self.flush = file.write, file.flush

    content = os.urandom(300_000)
    with (tmp_path / "x.zip").open("wb") as file, zipfile.ZipFile(Pipe(file), "w") as archive:  # type: ignore[call-overload]
        archive.writestr("small.txt", b"small")
        archive.writestr("large.bin", content, zipfile.ZIP_DEFLATED)
    storage = ArchiveStorage(str(tmp_path / "x.zip"))
    assert found(storage, "small.txt").content == b"small"
    assert read(found(storage, "large.bin")) == content


def test_a_part_of_an_archive_has_a_reason(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"a.txt": b"a"})
    data = bytearray(path.read_bytes())
    for place in (4, 6):
        struct.pack_into("<H", data, data.rindex(b"PK\5\6") + place, 2)
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="one of several parts"):
        ArchiveStorage(str(path))


def test_a_member_that_is_larger_than_memory_e11(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"x{ending}"
    with path.open("wb") as file:
        (huge_tar if ending == ".tar" else huge_zip)(file)
    assert path.stat().st_blocks * 512 < 1 << 20, "it is sparse"
    storage = ArchiveStorage(str(path))
    huge = found(storage, "huge.bin")
    assert (huge.size, huge.has_ranges) == (HUGE, True)
    assert read(huge, HUGE - 3) == b"end"
    assert read(huge, (1 << 32) - 5, 10) == bytes(10)
    assert found(storage, "behind.txt").content == b"behind"


def huge_tar(file: BinaryIO) -> None:
    """Writes an archive with a member that is a hole, but for its end."""
    for name, size, content in ((b"huge.bin", HUGE, b"end"), (b"behind.txt", 6, b"behind")):
        info = tarfile.TarInfo(name.decode())
        info.size = size
        file.write(info.tobuf(tarfile.PAX_FORMAT if size < 1 << 33 else tarfile.GNU_FORMAT))
        file.seek(size - len(content), os.SEEK_CUR)
        file.write(content)
        file.seek(-file.tell() % 512, os.SEEK_CUR)
    file.write(bytes(1024))


def huge_zip(file: BinaryIO) -> None:
    """The same, whose sizes and offsets are those of ZIP64."""
    directory = b""
    for name, size, content in ((b"huge.bin", HUGE, b"end"), (b"behind.txt", 6, b"behind")):
        offset, full = file.tell(), 0xFFFFFFFF
        file.write(b"PK\3\4" + struct.pack("<5H3L2H", 45, 0, 0, 0, 33, 0, full, full, len(name), 0) + name)
        file.seek(size - len(content), os.SEEK_CUR)
        file.write(content)
        extra = struct.pack("<2H3Q", 1, 24, size, size, offset)
        common = struct.pack(
            "<6H3L5H2L",
            45,
            45,
            0,
            0,
            0,
            33,
            crc32(content),
            full,
            full,
            len(name),
            len(extra),
            0,
            0,
            0,
            0,
            full,
        )
        directory += b"PK\1\2" + common + name + extra
    start = file.tell()
    file.write(directory)
    end = file.tell()
    file.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 2, 2, len(directory), start))
    file.write(struct.pack("<4sLQL", b"PK\6\7", 0, end, 1))
    file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0xFFFF, 0xFFFF, 2, 2, len(directory), 0xFFFFFFFF, 0))


def test_members_that_share_their_bytes_are_served_one_by_one_e11(tmp_path: Path) -> None:
    """As in bombs that have the same compressed bytes thousands of times: nothing is read before it is asked for."""
    path = make_zip(tmp_path / "x.zip", {"a.bin": bytes(1000), "b.bin": bytes(1000)})
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\1\2")
    struct.pack_into("<L", data, second + 42, 0)
    path.write_bytes(data)
    storage = ArchiveStorage(str(path))
    assert found(storage, "a.bin").content == found(storage, "b.bin").content == bytes(1000)


def test_an_archive_that_is_cut_off_while_a_member_is_read_d14(tmp_path: Path, ending: str) -> None:
    content = os.urandom(300_000)
    path = MAKERS[ending](tmp_path / f"x{ending}", {"a.bin": content})
    storage = ArchiveStorage(str(path))
    file = found(storage, "a.bin")
    assert read(file, 0, 100) == content[:100]
    os.truncate(path, 150_000)
    begun = read(file)
    assert len(begun) < len(content)
    assert begun == content[: len(begun)]
    assert isinstance(find(storage, "a.bin"), Unavailable | StorageError)


@pytest.mark.parametrize("mode", [0o100644, 0o120777])
def test_a_place_that_no_file_can_have_d14(tmp_path: Path, mode: int) -> None:
    """Neither a member nor a symbolic link there keeps the others from being served."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo("x")
        member.create_system, member.external_attr = 3, mode << 16
        member.extra = struct.pack("<2HQ", 0x9999, 8, 0)
        archive.writestr(member, "a.txt")
        archive.writestr("a.txt", "a")
    content = bytearray(path.read_bytes())
    entry = content.find(b"PK\1\2")
    content[entry + 42 : entry + 46] = b"\xff" * 4  # the offset is in the field of ZIP64
    content[entry + 47 : entry + 59] = struct.pack("<2HQ", 1, 8, 1 << 63)
    path.write_bytes(content)
    storage = ArchiveStorage(str(path))
    assert found(storage, "a.txt").content == b"a"
    assert not isinstance(find(storage, "x"), OpenFile)


@pytest.mark.parametrize("mtime", ["--5", "-", "-999999999999", "999999999999", "1e9", "x"])
def test_times_that_are_none(tmp_path: Path, mtime: str) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a.txt")
        member.pax_headers["mtime"] = mtime
        archive.addfile(member)
    assert found(ArchiveStorage(str(path)), "a.txt").mtime_ns <= path.stat().st_mtime_ns
