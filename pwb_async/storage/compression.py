"""Compression on the fly: a storage that compresses what another one has found, in the thread that has read it.

The response cache keeps the result like any other finding, so that content is compressed once for all clients that
accept the same codings; a server without a cache compresses it for each request. What is left as it is:
  - a file whose media type is not compressible, or that has a coding already
  - one of less than 256 bytes, where a coding saves no packet, or of more than 10 MiB
  - the content for a request with Range
  - content that would not become 5 % smaller; this is remembered
  - content of 1 MiB and more while as much is being compressed as may be at the same time
A file that changes while it is read is left as it is, too; the next request finds it again.
"""

import os
from collections.abc import Sequence
from threading import BoundedSemaphore, Lock
from typing import Final

from pwb_async.core.semantics.codings import Acceptable
from pwb_async.core.semantics.messages import NO_DEVICE, File
from pwb_async.core.site.findings import Finding, OpenFile
from pwb_async.core.site.lookup import Lookup, Storage

from .coders import FAST_LEVELS, encode
from .etag import content_tag
from .open_file import version_of

SMALLEST: Final = 256
LARGEST: Final = 10 << 20
"""Bytes of content. As many bytes of HTML take 0.08 s with br, 0.05 with zstd and 0.1 with gzip."""
LARGEST_SHARE: Final = 0.95
"""How large coded content may be, as a share of the content as it is."""
_LARGE: Final = 1 << 20
"""Bytes of content from which on only a few are compressed at the same time, as an encoder needs several times that,
and takes a thread from the lookups of other files for a tenth of a second."""
_LARGE_AT_ONCE: Final = 2
_REMEMBERED: Final = 1024
"""Files of which it is remembered that a coding does not make them smaller."""


class CompressingStorage:
    """A Storage that compresses the files of another one."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._large = BoundedSemaphore(_LARGE_AT_ONCE)
        self._lock = Lock()
        self._incompressible: dict[tuple[bytes, tuple[int, ...]], None] = {}

    def find(self, lookup: Lookup) -> Finding:
        """What the other storage finds, compressed where that is of use."""
        found = self._storage.find(lookup)
        if (
            lookup.compress
            and lookup.codings.preferences
            and isinstance(found, OpenFile)
            and SMALLEST <= found.size <= LARGEST
            and not (found.coding or found.generated)
            and any(each.path == found.path and each.compressible for each in lookup.candidates)
        ):
            return self._compress(found, lookup.codings)
        return found

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        """Whether each file is unchanged, and so is what was made of it."""
        return self._storage.revalidate(known)

    def _compress(self, found: OpenFile, codings: Acceptable) -> OpenFile:
        coding = codings.preferences[0][0]
        if (coding, found.version) in self._incompressible and codings.identity:
            return found
        if found.size < _LARGE:
            return self._encode(found, coding, codings.identity)
        if not self._large.acquire(blocking=False):
            return found._replace(settled=False)  # as it is; the cache finds it again when it is fresh no longer
        try:
            return self._encode(found, coding, codings.identity)
        finally:
            self._large.release()

    def _encode(self, found: OpenFile, coding: bytes, identity: bool) -> OpenFile:
        """The file with a coding, or as it is if that is of no use and acceptable."""
        content, coded = _encode(found, coding)
        if content is None:
            return found
        if len(coded) > LARGEST_SHARE * found.size and identity:
            if found.settled:
                self._remember((coding, found.version))
            return found
        if found.file is not None:
            found.file.close()
        tag = content_tag(content) if found.tag is None or found.content is None else found.tag
        return found._replace(
            size=len(coded),
            content=coded,
            file=None,
            tag=b"%s-%s%d" % (tag, coding, FAST_LEVELS[coding]),
            coding=coding,
            compressed=True,
        )

    def _remember(self, key: tuple[bytes, tuple[int, ...]]) -> None:
        with self._lock:
            self._incompressible[key] = None
            if len(self._incompressible) > _REMEMBERED:
                del self._incompressible[next(iter(self._incompressible))]


def _encode(found: OpenFile, coding: bytes) -> tuple[bytes | None, bytes]:
    """The content, and the same with a coding; (None, b"") if it cannot be read as it was found."""
    content = found.content
    if content is None and found.file is not None:
        content = _read(found.file, found)
    return (None, b"") if content is None else (content, encode(content, coding, FAST_LEVELS[coding]))


def _read(file: File, found: OpenFile) -> bytes | None:
    """All bytes of an open file; None if it has changed or cannot be read. One without a descriptor never changes."""
    content = bytearray(found.size)
    view = memoryview(content)
    position = 0
    try:
        while position < found.size:
            read = file.read_into(view[position:], position)
            if not read:
                return None
            position += read
        unchanged = file.device == NO_DEVICE or version_of(os.fstat(file.fileno())) == found.version
    except OSError:
        return None
    return bytes(content) if unchanged else None
