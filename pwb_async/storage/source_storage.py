"""A storage of files that are no files of the system's: the members of an archive, or the objects of a store.

find, step by step:
  1. takes the source as it is now, such as one release of an archive: each response is wholly from it (hazard D6)
  2. looks up the lookup's candidates, as a disk does, and the nearest error page of the site for an error
  3. chooses among the coded neighbours of a file, by the rules of precompressed.py
  4. reads a small file whole, and makes its entity tag of the content; leaves a large one to be read in pieces
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from pwb_async.core.semantics.codings import NO_CODING, Acceptable
from pwb_async.core.semantics.messages import File
from pwb_async.core.site.findings import (
    DIRECTORY,
    FORBIDDEN,
    NOT_FOUND,
    Finding,
    NotFound,
    OpenFile,
    Unavailable,
    same_version,
)
from pwb_async.core.site.lookup import Candidate, EntryKind, Lookup

from .candidates import find_first
from .errors import finding_of, name_of
from .etag import SECOND, content_tag
from .examiner import SMALL
from .precompressed import ENDINGS, NONE, TOLERANCE, holds

_LONGEST_PATH: Final = 4095
"""Bytes of the longest path that a disk would find, and so of any other source."""


class StoredFile(NamedTuple):
    """A file of a source, which has not been read."""

    path: bytes
    size: int
    """Bytes."""
    mtime_ns: int
    """The modification time, in nanoseconds since the epoch."""
    version: tuple[int, ...]
    """What differs if the file does (OpenFile.version)."""
    tag: bytes | None
    """The opaque part of its entity tag if it is too large to be read at once; None for no tag."""
    settled: bool
    """As in OpenFile."""
    sequential: bool
    """As in OpenFile."""
    handle: Any
    """What the source needs in order to read it."""


class Source(Protocol):
    """Named files that do not change, or whose change is found out while they are read.

    Paths have no slash at either end; b"" is the root.
    """

    def expect(self, paths: Sequence[bytes]) -> None:
        """Prepare for these paths, all of which are going to be looked up, and perhaps one of them read."""

    def look_up(self, path: bytes) -> StoredFile | Finding:
        """The file at a path; NOT_FOUND, or another finding, but never a Directory, if there is none."""

    def is_directory(self, path: bytes) -> bool:
        """Whether a path is a directory."""

    def read(self, file: StoredFile) -> bytes:
        """The whole content of a small file. Raises OSError."""

    def open(self, file: StoredFile) -> File:
        """A large file, to be read at positions. Raises OSError."""


class SourceStorage:
    """A Storage of the files of a source. A class of its own says which source that is at a given moment."""

    def __init__(self, *, precompressed: bool = False, small: int = SMALL) -> None:
        """precompressed: whether coded neighbours are looked for. small: bytes up to which a file is read at once."""
        self._precompressed = precompressed
        self._small = small

    def source(self) -> Source:
        """The source as it is now. Raises OSError."""
        raise NotImplementedError

    def hides(self, path: bytes) -> bool:
        """False: no configuration is read from it."""
        return False

    def find(self, lookup: Lookup) -> Finding:
        """The first of the lookup's candidates that exists now. The caller has to close the file of an OpenFile."""
        try:
            return _View(self.source(), self._precompressed, self._small).find(lookup, True)
        except OSError as error:
            return Unavailable(f"the root cannot be opened: {name_of(error)}")

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        """Whether each file that was found before would be found now, and in the same version."""
        try:
            view = _View(self.source(), self._precompressed, self._small)
        except OSError:
            return [False] * len(known)
        return [same_version(found, view.find(lookup, False)) for lookup, found in known]


class _View:
    """The files of a source during one call."""

    def __init__(self, source: Source, precompressed: bool, small: int) -> None:
        self._source = source
        self._precompressed = precompressed
        self._small = small
        self._seen = time.time_ns()

    def find(self, lookup: Lookup, read: bool) -> Finding:
        """What a lookup finds; without `read` an OpenFile has neither content nor a file, only its status."""
        finding = find_first(lookup, self._find_candidate, read)
        for path in self._in_directories(lookup.error_files(finding)):
            if isinstance(page := self._find_file(path, NO_CODING, read), OpenFile):
                return lookup.with_page(finding, page)
        return finding

    def _in_directories(self, paths: Iterable[bytes]) -> Iterator[bytes]:
        """Yield those of these paths, the nearest first, whose directories exist; the others are not looked up.

        The names of a request decide how many there are, and each may cost a request to a store.
        """
        deepest: bytes | None = None
        for path in paths:
            directory = path.rpartition(b"/")[0]
            if deepest is None:
                deepest = self._deepest(directory)
            if not directory or directory == deepest or deepest.startswith(directory + b"/"):
                yield path

    def _deepest(self, path: bytes) -> bytes:
        """The longest part of a path, from its start, that is a directory."""
        end = 0
        while end < len(path):
            following = (path + b"/").index(b"/", end + 1)
            if not self._source.is_directory(path[:following]):
                break
            end = following
        return path[:end]

    def _find_candidate(self, candidate: Candidate, codings: Acceptable, read: bool) -> Finding:
        path = candidate.path
        if b"\0" in path or len(path) > _LONGEST_PATH:
            return NOT_FOUND
        if candidate.kind is EntryKind.DIRECTORY:
            return self._find_directory(path)
        negotiated = self._precompressed and candidate.compressible
        finding = self._find_file(path, codings if negotiated else NO_CODING, read)
        if candidate.kind is EntryKind.ANY and isinstance(finding, NotFound):
            return self._find_directory(path)
        return finding

    def _find_directory(self, path: bytes) -> Finding:
        return DIRECTORY if not path or self._source.is_directory(path) else NOT_FOUND

    def _find_file(self, path: bytes, codings: Acceptable, read: bool) -> Finding:
        if not path:
            return NOT_FOUND
        try:
            file = self._source.look_up(path)
            if not isinstance(file, StoredFile):
                return file
            if codings.preferences and file.size:
                return self._negotiate(file, codings, read)
            return self._open(file, read)
        except PermissionError:
            return FORBIDDEN
        except OSError as error:
            return finding_of(error)

    def _negotiate(self, original: StoredFile, codings: Acceptable, read: bool) -> OpenFile:
        """A file, or the best of its coded neighbours in its place. Raises OSError."""
        self._source.expect([original.path + ENDINGS[coding] for coding in codings.codings])
        neighbours: dict[bytes, StoredFile] = {}
        for coding in codings.codings:
            neighbour = self._source.look_up(original.path + ENDINGS[coding])
            if isinstance(neighbour, StoredFile):
                neighbours[coding] = neighbour
        chosen = self._choose(original, neighbours, codings) if read else None
        opened = self._open(original, read) if chosen is None else chosen
        return opened._replace(
            neighbours=tuple(
                neighbours[coding].version if coding in neighbours else NONE for coding in codings.codings
            ),
            settled=original.settled and all(each.settled for each in neighbours.values()),
        )

    def _choose(
        self, original: StoredFile, neighbours: dict[bytes, StoredFile], codings: Acceptable
    ) -> OpenFile | None:
        """The best neighbour that can be sent, as a representation of the file; None for the file itself."""
        oldest = original.mtime_ns - TOLERANCE
        sizes = {coding: each.size for coding, each in neighbours.items() if each.size and each.mtime_ns >= oldest}
        while coding := codings.best(sizes, original.size):
            size = sizes.pop(coding)
            try:
                coded = self._open(neighbours[coding], True)
                if not holds(coding, partial(_read_at, coded), size, original.size):
                    continue
            except OSError:
                continue
            described = self._open(original, False)
            return described._replace(
                size=coded.size,
                file=coded.file,
                content=coded.content,
                tag=coded.tag and b"%s-%s" % (coded.tag, coding),
                coding=coding,
                sequential=coded.sequential,
            )
        return None

    def _open(self, file: StoredFile, read: bool) -> OpenFile:
        """A file with its content, or open if it is large; without `read` neither. Raises OSError."""
        content = opened = None
        tag = file.tag
        if read and file.size <= self._small:
            content = self._source.read(file)
            tag = content_tag(content)
        elif read:
            opened = self._source.open(file)
        settled = file.settled and file.mtime_ns // SECOND < self._seen // SECOND
        return OpenFile(
            file.path,
            file.size,
            file.mtime_ns,
            self._seen,
            opened,
            content,
            file.version,
            tag=tag,
            settled=settled,
            sequential=file.sequential and content is None,
        )


def _read_at(found: OpenFile, length: int, start: int) -> bytes:
    """Some bytes of an open file. Raises OSError."""
    if found.content is not None:
        return found.content[start : start + length]
    assert found.file is not None
    buffer = bytearray(length)
    return bytes(buffer[: found.file.read_into(buffer, start)])
