"""The findings that a storage returns for a lookup. A finding is a value, never an exception."""

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from pwb_async.core.semantics.messages import FieldList, File


class OpenFile(NamedTuple):
    """A regular file that was opened: size and times are those of the open file, not of its name (hazard C3).

    A small one has been read whole and closed again, and `content` has its bytes; a large one is open still, as `file`.
    """

    path: bytes
    """The path of the candidate at which it was found."""
    size: int
    """Bytes."""
    mtime_ns: int
    """The last change of its content, in nanoseconds since the epoch."""
    seen_ns: int
    """The moment at which it was examined, in nanoseconds since the epoch."""
    file: File | None
    """The file, open; None if `content` has all of it."""
    content: bytes | None = None
    """The whole content of a small file, which was read in the same call."""
    version: tuple[int, ...] = ()
    """Device, inode, change time of the inode, mtime and size: all that the system reports of a change."""
    shared: bool = False
    """Whether several responses use this finding. None of them closes the file; it closes with its last reference."""
    tag: bytes | None = None
    """The opaque part of its entity tag, which is strong; None for no entity tag."""
    settled: bool = True
    """Whether any later change is certain to change `version` and the modification time: the file was not modified so
    recently that the file system's clock might give the next change the same time ("racy" in storage/etag.py),
    nor in the second in which it was examined."""
    generated: bool = False
    """Whether the content is generated while it is read, as in /proc and /sys. The file's own size and times do not
    describe it then: `size` is the length of `content`, and `version` is empty."""
    status: int = 200
    """The status code of the candidate at which it was found."""
    coding: bytes = b""
    """The content coding of what is sent; b"" for the file itself. `path`, `mtime_ns` and `version` are always those of
    the file; `size`, `content`, `file` and `tag` those of the coded representation."""
    compressed: bool = False
    """Whether PWB made the coded representation itself, so that it has no ranges."""
    neighbours: tuple[tuple[int, ...], ...] = ()
    """The versions of the coded files beside it that were looked for, in the order of Lookup.codings; () for one that
    is not there."""
    media_type: bytes = b""
    """Its media type, if that is not the one of its path: it is a listing or an archive of a directory."""
    fields: FieldList = ()
    """Fields that describe it beside those of any file."""
    sequential: bool = False
    """Whether a byte of it can only be read after all bytes before it, as those of a large compressed member of an
    archive, so that it has no ranges."""

    @property
    def has_ranges(self) -> bool:
        """Whether ranges of it can be requested: it is certain to have the same bytes each time."""
        return not (self.generated or self.compressed or self.sequential)

    @property
    def file_to_close(self) -> File | None:
        """The file, if a response that is made of it has to close it."""
        return None if self.shared else self.file


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory: found at a target without a final slash, or at one with a slash where there is no index."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A file whose address is another one."""

    path: bytes
    """The path of the file."""


@dataclass(frozen=True, slots=True)
class NotFound:
    """No file that may be served. The reason is not kept, because no client may learn it (hazards C1, C2, C5)."""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A file or directory that this process has no permission to read."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file to which this client has no access, although the path that it requested needs none."""

    status: int
    """The status code of the response."""
    fields: FieldList = ()
    """Fields of the response."""
    page: bytes = b""
    """The content of the site's own page; b"" for none."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A lookup that failed for a reason that is expected to pass, such as a lack of descriptors (hazard E2).

    The file may exist.
    """

    detail: str
    """The reason, for the log only; a client never sees it."""
    page: OpenFile | None = None
    """The site's own page for this error; it is shared."""


@dataclass(frozen=True, slots=True)
class StorageError:
    """A failure of the storage itself."""

    detail: str
    """The reason, for the log only; a client never sees it."""
    page: OpenFile | None = None
    """The site's own page for this error; it is shared."""


Finding: TypeAlias = OpenFile | Directory | Moved | NotFound | Forbidden | Refused | Unavailable | StorageError
"""The result of a lookup."""

# The findings without attributes, each as one shared object.
NOT_FOUND: Final = NotFound()
DIRECTORY: Final = Directory()
FORBIDDEN: Final = Forbidden()


def same_version(old: OpenFile, new: Finding) -> bool:
    """Whether `new` is certain to be the same file as `old`, unchanged, with the same status."""
    if not isinstance(new, OpenFile) or not old.settled or old.generated:
        return False
    return (old.version, old.neighbours, old.path, old.status) == (new.version, new.neighbours, new.path, new.status)
