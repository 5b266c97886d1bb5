"""What a site wants to know of a disk, and everything a disk can find. A finding is a value, never an exception."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol, TypeAlias

from pwb_async.core.semantics.messages import File, Request


@dataclass(frozen=True, slots=True)
class Lookup:
    """path: beneath the root, without a slash at either end, b"" is the root itself.

    folder: the target ended in a slash, so only one of `indexes` in that folder will do, the first that is there.
    """

    request: Request
    path: bytes
    folder: bool
    indexes: tuple[bytes, ...] = ()


class OpenFile(NamedTuple):
    """A regular file that is open; size and time come from the open file, not from its name (hazard C3).

    name: the file's own name. size: bytes. mtime_ns: last change, seen_ns: when we looked, nanoseconds since the
    epoch. content: all its bytes, if it is so small that they were read at once; then file is None. version: device,
    inode, time of the inode's last change, mtime, size: all that the system tells of a change.
    tag: the opaque part of its entity tag, which is strong; None: it has none.
    settled: one more change would give the file another version, and another date.
    shared: others have this finding too, so nobody closes its file; it closes when the last one lets go of it.
    generated: the content is made as it is read, as in /proc and /sys: what the system tells of the file says nothing
    of it. size is the length of `content`, and version is empty.
    """

    name: bytes
    size: int
    mtime_ns: int
    seen_ns: int
    file: File | None
    content: bytes | None = None
    version: tuple[int, ...] = ()
    shared: bool = False
    tag: bytes | None = None
    settled: bool = True
    generated: bool = False

    @property
    def owned(self) -> File | None:
        """The file, if whoever answers with it has to close it."""
        return None if self.shared else self.file


@dataclass(frozen=True, slots=True)
class Directory:
    """A folder: found by a target without a slash, or by one with a slash where no index is."""


@dataclass(frozen=True, slots=True)
class NotFound:
    """Nothing that a client may know of, whatever the reason (hazards C1, C2, C5)."""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """It is there, but this process may not read it."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """It may be there: the machine ran out of something for the moment (hazard E2)."""


@dataclass(frozen=True, slots=True)
class StorageError:
    """The disk failed. why: for the log, never for a client."""

    detail: str


Finding: TypeAlias = OpenFile | Directory | NotFound | Forbidden | Unavailable | StorageError


class Storage(Protocol):
    """Where files are: the disk, or what stands between it and us. Blocking; look_again is for what find has found."""

    def find(self, lookup: Lookup) -> Finding: ...
    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]: ...


NOT_FOUND: Final = NotFound()
DIRECTORY: Final = Directory()
FORBIDDEN: Final = Forbidden()
UNAVAILABLE: Final = Unavailable()


def same_version(old: OpenFile, new: Finding) -> bool:
    """Whether `new` is the same file, and has not changed since. False if nobody can say."""
    return isinstance(new, OpenFile) and old.settled and old.version == new.version
