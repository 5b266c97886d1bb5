"""Archives for tests: made by the standard library, and by hand where they are to lie."""

import io
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple
from zlib import compressobj, crc32

from pwb_async.core.site.findings import Finding, OpenFile
from pwb_async.core.site.lookup import Storage
from tests.storage.test_disk import make_lookup

MTIME: Final = 1_600_000_000
DATE: Final = (2020, 9, 13, 12, 26, 40)
"""The same moment, as ZIP has it."""
LINK: Final = 0o120777 << 16


def make_zip(
    path: Path,
    files: Iterable[tuple[str, bytes]] | Mapping[str, bytes],
    *,
    links: Mapping[str, str] | None = None,
    method: int = zipfile.ZIP_DEFLATED,
) -> Path:
    """A ZIP archive, which takes the place of one that was there."""
    made = path.with_name(path.name + ".new")
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items() if isinstance(files, Mapping) else files:
            archive.writestr(zipfile.ZipInfo(name, DATE), content, method)
        for name, target in (links or {}).items():
            info = zipfile.ZipInfo(name, DATE)
            info.create_system, info.external_attr = 3, LINK
            archive.writestr(info, target)
    os.replace(made, path)
    return path


def make_tar(
    path: Path,
    files: Iterable[tuple[str, bytes]] | Mapping[str, bytes],
    *,
    links: Mapping[str, str] | None = None,
    form: int = tarfile.PAX_FORMAT,
    change: Callable[[tarfile.TarInfo], object] = lambda info: None,
) -> Path:
    """A tar archive, which takes the place of one that was there."""
    made = path.with_name(path.name + ".new")
    with tarfile.open(made, "w", format=form) as archive:
        for name, content in files.items() if isinstance(files, Mapping) else files:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), MTIME
            change(info)
            archive.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    os.replace(made, path)
    return path


MAKERS: Final = {".zip": make_zip, ".tar": make_tar}
"""What makes an archive, by its ending."""


class Packed(NamedTuple):
    """A member for pack()."""

    name: bytes
    content: bytes = b""
    """The target of a link."""
    mode: int = stat.S_IFREG
    mtime: int = MTIME
    compress: bool = False


def pack(path: Path, members: Iterable[Packed]) -> Path:
    """An archive of members with any names and times; of many members it is made faster than by the standard library."""
    with path.open("wb") as file:
        (_pack_tar if path.suffix == ".tar" else _pack_zip)(file, members)
    return path


def _pack_tar(file: BinaryIO, members: Iterable[Packed]) -> None:
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member in members:
            info = tarfile.TarInfo(os.fsdecode(member.name))
            info.mtime = member.mtime
            if stat.S_ISLNK(member.mode):
                info.type, info.linkname = tarfile.SYMTYPE, os.fsdecode(member.content)
                archive.addfile(info)
            else:
                info.size = len(member.content)
                archive.addfile(info, io.BytesIO(member.content))


def _pack_zip(file: BinaryIO, members: Iterable[Packed]) -> None:
    directory = bytearray()
    count = 0
    for member in members:
        count += 1
        coder = compressobj(6, wbits=-15)
        data = coder.compress(member.content) + coder.flush() if member.compress else member.content
        # The time of Unix, since that of DOS begins in 1980.
        extra = struct.pack("<2sHBi", b"UT", 5, 1, member.mtime) if abs(member.mtime) < 1 << 31 else b""
        common = struct.pack(
            "<5H3L2H",
            20,
            1 << 11,
            8 if member.compress else 0,
            0,
            33,
            crc32(member.content),
            len(data),
            len(member.content),
            len(member.name),
            len(extra),
        )
        directory += b"PK\1\2" + struct.pack("<H", 3 << 8) + common
        directory += struct.pack("<3H2L", 0, 0, 0, member.mode << 16, file.tell()) + member.name + extra
        file.write(b"PK\3\4" + common + member.name + extra + data)
    start = file.tell()
    file.write(directory)
    if count >= 65535:
        end = file.tell()
        file.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), start))
        file.write(struct.pack("<4sLQL", b"PK\6\7", 0, end, 1))
    few = min(count, 65535)
    file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, few, few, len(directory), start, 0))


def pack_folder(path: Path, folder: Path, leave_out: Collection[bytes] = ()) -> Path:
    """An archive of the files and links in a folder; what is neither is left out, as is what is named."""
    return pack(path, _members(os.fsencode(folder), leave_out))


def _members(folder: bytes, leave_out: Collection[bytes]) -> Iterator[Packed]:
    for directory, folders, files in os.walk(folder):
        for each in (os.path.join(directory, name) for name in (*folders, *files)):
            status, name = os.lstat(each), os.path.relpath(each, folder)
            if name in leave_out:
                continue
            if stat.S_ISLNK(status.st_mode):
                yield Packed(name, os.readlink(each), status.st_mode, int(status.st_mtime))
            elif stat.S_ISREG(status.st_mode):
                with open(each, "rb") as file:
                    content = file.read()
                yield Packed(name, content, status.st_mode, int(status.st_mtime), compress=len(content) < 1 << 20)


def find(storage: Storage, path: str) -> Finding:
    """What is found at a path."""
    return storage.find(make_lookup(os.fsencode(path)))


def found(storage: Storage, path: str) -> OpenFile:
    """The file at a path."""
    finding = find(storage, path)
    assert isinstance(finding, OpenFile), finding
    return finding


def read(finding: OpenFile, start: int = 0, length: int | None = None) -> bytes:
    """Some bytes of a file, or all from `start` on."""
    length = finding.size - start if length is None else length
    if finding.content is not None:
        return finding.content[start : start + length]
    assert finding.file is not None
    buffer = bytearray(length)
    view, filled = memoryview(buffer), 0
    while filled < length and (count := finding.file.read_into(view[filled : filled + 65536], start + filled)):
        filled += count
    return bytes(buffer[:filled])
