"""The lookup, which a site hands to a storage, and the findings that a storage returns.

A finding is a value, never an exception.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple, Protocol, TypeAlias

from pwb_async.core.semantics.messages import File, Request


class EntryKind(Enum):
    """The kind of directory entry that a candidate may be."""

    FILE = "file"
    """A regular file; a directory does not match, and the next candidate is tried."""
    DIRECTORY = "directory"
    """A directory; it is found as DIRECTORY."""
    ANY = "any"
    """Either of them."""


class Candidate(NamedTuple):
    """A path at which the storage may find what a request asks for (try_files of nginx)."""

    path: bytes
    """beneath the root, without a slash at either end; b"" is the root itself"""
    kind: EntryKind = EntryKind.ANY
    status: int = 200
    """the status code of a response that is made of this file: 404 for an error page"""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A request to a storage: find the first of these candidates that exists."""

    request: Request
    path: bytes
    """The target's path without its first slash, for logs and delays; it says nothing about what is opened."""
    candidates: tuple[Candidate, ...]
    """The paths to try, in order; the first that matches is the finding, and if none does, NOT_FOUND is."""
    codings: tuple[bytes, ...] = ()
    """The content codings that the client accepts, in order of preference, for a storage that has coded files."""


def candidates_of(path: bytes, folder: bool, indexes: tuple[bytes, ...]) -> tuple[Candidate, ...]:
    """The candidates of a target's path: an index of a directory where the target ends with a slash, else the entry."""
    if not folder:
        return (Candidate(path),)
    prefix = path and path + b"/"
    files = [Candidate(prefix + index, EntryKind.FILE) for index in indexes]
    return (*files, Candidate(path, EntryKind.DIRECTORY))


class OpenFile(NamedTuple):
    """A regular file that is open; its size and times were read from the open file, not by its name (hazard C3)."""

    path: bytes
    """the path of the candidate at which it was found"""
    size: int
    """bytes"""
    mtime_ns: int
    """the last change of its content, in nanoseconds since the epoch"""
    seen_ns: int
    """the moment at which it was examined, in nanoseconds since the epoch"""
    file: File | None
    """the open file; None if `content` holds all of it"""
    content: bytes | None = None
    """the whole content of a small file, which was read at once"""
    version: tuple[int, ...] = ()
    """device, inode, change time of the inode, mtime and size: all that the system reports of a change"""
    shared: bool = False
    """Others hold this finding too: no response closes the file; it closes when the last reference is gone."""
    tag: bytes | None = None
    """the opaque part of its entity tag, which is strong; None for no entity tag"""
    settled: bool = True
    """One more change would give the file another version and another date."""
    generated: bool = False
    """The content is made while it is read, as in /proc and /sys, so the file's size and times do not describe it: size
    is the length of `content`, and version is empty."""
    status: int = 200
    """the status code of the candidate at which it was found"""

    @property
    def owned(self) -> File | None:
        """The file, if the response that is made of it has to close it."""
        return None if self.shared else self.file


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory: found at a target without a final slash, or at one with a slash where there is no index."""


@dataclass(frozen=True, slots=True)
class NotFound:
    """Nothing that may be served, whatever the reason; a client cannot tell them apart (hazards C1, C2, C5)."""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A file or directory that this process has no permission to read."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The system is short of descriptors or memory at the moment, so the file may exist or not (hazard E2)."""


@dataclass(frozen=True, slots=True)
class StorageError:
    """A failure of the storage itself."""

    detail: str
    """the reason, for the log only: a client never sees it"""


Finding: TypeAlias = OpenFile | Directory | NotFound | Forbidden | Unavailable | StorageError


class Storage(Protocol):
    """A place where files are: a disk, or a storage around another one. Its methods block, and never raise OSError."""

    def find(self, lookup: Lookup) -> Finding:
        """Return the first of the lookup's candidates that exists; an OpenFile belongs to the caller."""

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        """Return, for each file that was found before, whether its lookup would find the same version of it now."""


NOT_FOUND: Final = NotFound()
DIRECTORY: Final = Directory()
FORBIDDEN: Final = Forbidden()
UNAVAILABLE: Final = Unavailable()


def same_version(old: OpenFile, new: Finding) -> bool:
    """Whether `new` is the same file as `old` and has not changed since; False where that cannot be decided."""
    return isinstance(new, OpenFile) and old.settled and old.version == new.version
