"""Coded neighbours: files such as app.js.br, which a build has compressed ahead of time, beside app.js.

Only a file that exists itself has neighbours. One of them is not used
  - if it is empty, cannot be read or is no regular file
  - if it is older than the file by more than 2 s: then it has the content of another version, which no client could
    tell (hazard D13)
  - if its first bytes are not those of its coding, or if it says of itself that it holds another number of bytes than
    the file: gzip and zstd do, brotli has neither
  - if a zstd decoder would need more memory for it than a client has to have (RFC 9659)
  - if it is not smaller than the file, unless the client accepts it only with a coding
"""

import os
import stat
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from pwb_async.core.semantics.codings import Acceptable
from pwb_async.core.site.findings import Finding, OpenFile

from .etag import SECOND, is_racy
from .open_file import Descriptor, version_of

ENDINGS: Final = {b"br": b".br", b"zstd": b".zst", b"gzip": b".gz"}
"""What is appended to a file's name for each coding."""
TOLERANCE: Final = 2 * SECOND
"""Nanoseconds by which a neighbour may be older than its file: a copy that does not keep the times writes the two in
any order, and FAT has times in steps of 2 s."""
MAX_ZSTD_WINDOW: Final = 8 << 20
"""Bytes of the largest window that a decoder of the coding zstd has to support (RFC 9659 3)."""
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_HEADER: Final = 18
"""Bytes of the longest frame header of zstd, with its magic number (RFC 8878 3.1.1)."""
NONE: Final[tuple[int, ...]] = ()
"""In place of the version of a neighbour that is not there, or that cannot be served."""


class Neighbour(NamedTuple):
    """A coded file beside another one, open."""

    file: Descriptor
    path: bytes
    status: os.stat_result


class Neighbours(NamedTuple):
    """The neighbours that were looked for."""

    coding: bytes
    """The coding of the one to send; b"" for none."""
    chosen: OpenFile | None
    """That one, under its own name; None for the file itself."""
    versions: tuple[tuple[int, ...], ...]
    """The version of each, in the order of the codings; NONE for one that is not there."""
    settled: bool
    """Whether a later change of any of them is certain to change its version."""


def find_neighbours(
    open_file: Callable[[bytes], int],
    examine: Callable[[Descriptor, bytes], Finding],
    path: bytes,
    original: OpenFile,
    codings: Acceptable,
    *,
    read: bool,
) -> Neighbours:
    """The neighbours of an open file, and the one of them that a client gets.

    open_file: opens a path beneath the root. examine: reads an open file, or leaves a large one open. codings: what the
    client accepts. read: False to learn the versions only.
    """
    opened: dict[bytes, Neighbour] = {}
    versions = []
    settled = True
    for coding in codings.codings:
        neighbour = _open(open_file, path + ENDINGS[coding])
        if neighbour is None:
            versions.append(NONE)
            continue
        opened[coding] = neighbour
        versions.append(version_of(neighbour.status))
        settled = settled and not is_racy(neighbour.status.st_ctime_ns, original.seen_ns)
    coding, chosen = _choose(opened, examine, original, codings) if read and opened else (b"", None)
    if chosen is not None:  # what was read may be a later version than the one that was opened
        versions[codings.codings.index(coding)] = chosen.version
        settled = settled and not is_racy(chosen.version[2], chosen.seen_ns)
    for neighbour in opened.values():
        neighbour.file.close()
    return Neighbours(coding, chosen, tuple(versions), settled)


def unchanged(directory: int, name: bytes, codings: Acceptable, versions: Sequence[tuple[int, ...]]) -> bool:
    """Whether the neighbours of a file are certain to be those with these versions.

    directory: the descriptor of the file's directory. name: the file's name there. It costs one system call for each
    coding. False if that is not enough to find out, as with symbolic links.
    """
    for coding, version in zip(codings.codings, versions, strict=True):
        try:
            status = os.stat(name + ENDINGS[coding], dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            if version != NONE:
                return False
        except OSError:
            return False
        else:
            if not stat.S_ISREG(status.st_mode) or version_of(status) != version:
                return False
    return True


def _open(open_file: Callable[[bytes], int], path: bytes) -> Neighbour | None:
    try:
        file = Descriptor(open_file(path))
        status = os.fstat(file.fileno())
    except OSError:
        return None
    return Neighbour(file, path, status) if stat.S_ISREG(status.st_mode) else None


def _choose(
    opened: dict[bytes, Neighbour],
    examine: Callable[[Descriptor, bytes], Finding],
    original: OpenFile,
    codings: Acceptable,
) -> tuple[bytes, OpenFile | None]:
    """The coding of the best neighbour that can be sent, and what was found; (b"", None) if there is none."""
    oldest = original.version[3] - TOLERANCE
    sizes = {
        coding: neighbour.status.st_size
        for coding, neighbour in opened.items()
        if neighbour.status.st_size and neighbour.status.st_mtime_ns >= oldest
    }
    while coding := codings.best(sizes, original.size):
        size = sizes.pop(coding)
        neighbour = opened[coding]
        try:
            if holds(coding, partial(os.pread, neighbour.file.fileno()), size, original.size):
                found = examine(neighbour.file, neighbour.path)
                if isinstance(found, OpenFile) and not found.generated:
                    return coding, found
        except OSError:
            continue
    return b"", None


def is_sendable(path: bytes, coding: bytes, status: os.stat_result, original: os.stat_result) -> bool:
    """Whether a neighbour is current and fits its file, whichever is smaller. Raises OSError."""
    if not (stat.S_ISREG(status.st_mode) and status.st_size):
        return False
    if status.st_mtime_ns < original.st_mtime_ns - TOLERANCE:
        return False
    file = Descriptor(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    return holds(coding, partial(os.pread, file.fileno()), status.st_size, original.st_size)


def holds(coding: bytes, read: Callable[[int, int], bytes], size: int, original_size: int) -> bool:
    """Whether a file may be one of `original_size` bytes with a coding. Raises OSError.

    read: reads so many bytes of it, from a position. size: its own bytes.
    """
    if coding == b"gzip":
        length = read(4, max(0, size - 4))
        return read(2, 0) == _GZIP_MAGIC and int.from_bytes(length, "little") == original_size & 0xFFFFFFFF
    if coding == b"zstd":
        return _zstd_holds(read(_HEADER, 0), original_size)
    return True


def _zstd_holds(header: bytes, original_size: int) -> bool:
    """Whether the header of a zstd frame fits content of `original_size` bytes (RFC 8878 3.1.1.1)."""
    if header[:4] != _ZSTD_MAGIC or len(header) < 6:
        return False
    descriptor = header[4]
    single_segment = descriptor & 0x20 != 0
    position = 5
    window = original_size
    if not single_segment:
        exponent, mantissa = header[position] >> 3, header[position] & 7
        window = (1 << (10 + exponent)) * (8 + mantissa) // 8
        position += 1
    position += (0, 1, 2, 4)[descriptor & 3]  # the identifier of a dictionary
    width = (int(single_segment), 2, 4, 8)[descriptor >> 6]
    if width:
        content_size = int.from_bytes(header[position : position + width], "little") + (256 if width == 2 else 0)
        if content_size != original_size:
            return False
    return window <= MAX_ZSTD_WINDOW
