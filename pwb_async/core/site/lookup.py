"""The lookup that a site passes to a storage, and the findings that a storage returns.

A finding is a value, never an exception.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from operator import attrgetter
from typing import Final, NamedTuple, Protocol, TypeAlias

from pwb_async.core.semantics.codings import NO_CODING, Acceptable
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.messages import HTTP_1_1, FieldList, File, Request
from pwb_async.core.semantics.target import Target

from .error_files import error_files
from .listing_query import ListingQuery
from .redirect_rules import Redirect, Rewrite


class EntryKind(Enum):
    """The kind of directory entry that a candidate may be."""

    FILE = "file"
    """A regular file; a directory does not match, and the next candidate is tried."""
    DIRECTORY = "directory"
    """A directory; it is found as a Directory."""
    ANY = "any"
    """Either of them."""


class Candidate(NamedTuple):
    """A path at which the storage may find what a request asks for (try_files of nginx)."""

    path: bytes
    """Beneath the root, without a slash at either end; b"" is the root itself."""
    kind: EntryKind = EntryKind.ANY
    """The kind of entry that matches."""
    status: int = 200
    """The status code of a response that is made of this file, such as 404; 301 if the file has another address, so
    that it is Moved."""
    compressible: bool = False
    """Whether the media type of the file is one that may get a content coding, so that the finding depends on the
    codings of the lookup."""


@dataclass(slots=True)
class Lookup:
    """A request to a storage: find the first of these candidates that exists.

    Its attributes never change. It is not frozen, since a frozen dataclass takes 0.7 us to make, and this one 0.1.
    """

    request: Request
    """The request that the lookup is for."""
    path: bytes
    """The target's path without its first slash, for logs and delays only; `candidates` decide what is opened."""
    candidates: tuple[Candidate, ...]
    """The paths to try in order; if none matches, the finding is NOT_FOUND."""
    codings: Acceptable = NO_CODING
    """The content codings that the client accepts for a compressible candidate."""
    compress: bool = False
    """Whether the storage may compress the content itself, with one of `codings`."""
    shared_key: bytes = b""
    """The cache key that all requests have in common which differ from this one in Accept-Encoding only, if the finding
    is the same for all of them; otherwise b""."""
    rule: Redirect | Rewrite | None = None
    """The rule that applies if nothing of the site's own is found; the file of a rewrite is among the candidates."""
    listing: ListingQuery | None = None
    """What of a directory is found in place of the Directory itself; None for nothing."""
    cacheable: bool = True
    """Whether the finding is the same for all requests with the same cache key."""
    cached: bool = False
    """Whether the finding is that of an earlier request, from a cache."""
    client: str = ""
    """The address of the client, if its access to what is found may have to be judged; "" otherwise."""
    error_directory: tuple[bytes, ...] | None = None
    """The directory, as its segments, from which on the page of an error is looked for upwards (error_files.py); None
    if there are no such pages."""
    fallback: tuple[bytes, ...] = ()
    """The paths of those candidates that stand for whatever is missing."""
    vary: bytes = b""
    """The request fields on which it depends whether there are such candidates, as a value of Vary."""
    site: int = 0
    """The number of the site that it is for; 0 is the default site."""
    exempt: bool = False
    """Whether no rule of the site applies to what is found, as any client may have it (acme_challenges.py)."""

    @property
    def names_directory(self) -> bool:
        """Whether the target ends in a slash."""
        return not self.path or self.path.endswith(b"/")

    def cached_for(self, request: Request) -> "Lookup":
        """The same lookup for a request that a cache answers; replace() would take three times as long."""
        lookup = Lookup(request, *_other_attributes(self))
        lookup.cached = True
        return lookup

    def with_files(self, files: Sequence[Candidate]) -> "Lookup":
        """The lookup with more candidates, to be tried after its own.

        They come before a directory without an index, which is no response of the site.
        """
        own = self.candidates
        end = len(own) - 1 if own and own[-1].kind is EntryKind.DIRECTORY else len(own)
        return replace(self, candidates=(*own[:end], *files, *own[end:]))

    def error_status(self, finding: "Finding") -> int:
        """The status of the error that a finding is; 0 if the response is a file or a redirect."""
        match finding:
            case OpenFile() | Moved():
                return 0
            case Forbidden():
                return 403
            case Refused(status=status):
                return status
            case Unavailable():
                return 503
            case StorageError():
                return 500
            case Directory() if self.listing is not None or not self.names_directory:
                return 0
        if isinstance(self.rule, Redirect):
            return 0
        return 404 if self.rule is None or self.rule.status == 200 else self.rule.status

    def begins_with(self, found: "OpenFile") -> bool:
        """Whether a file is what the first candidate stands for, so that none could come before it."""
        first = self.candidates[0] if self.candidates else None
        return first is not None and (first.path, first.status) == (found.path, found.status)

    def with_page(self, error: "Finding", page: "OpenFile") -> "Finding":
        """The finding of an error and of the site's page for it.

        What fails is logged and never cached, so it stays the same kind of finding.
        """
        page = page._replace(status=self.error_status(error))
        if isinstance(error, Unavailable | StorageError):
            return replace(error, page=page._replace(shared=True))
        return page

    def error_files(self, finding: "Finding") -> Iterable[bytes]:
        """The paths at which the site's page for a finding may be; none if it is no error."""
        status = self.error_status(finding)
        return error_files(self.error_directory, status) if status and self.error_directory is not None else ()


_other_attributes: Final = attrgetter(*(each.name for each in fields(Lookup) if each.name != "request"))
"""All attributes of a lookup but the request, in their order."""


def candidates_of(path: bytes, trailing_slash: bool, indexes: tuple[bytes, ...]) -> tuple[Candidate, ...]:
    """The candidates of a target: the entry at `path`, or with a trailing slash the indexes of the directory."""
    if not trailing_slash:
        return (Candidate(path),)
    prefix = path and path + b"/"
    files = [Candidate(prefix + index, EntryKind.FILE) for index in indexes]
    return (*files, Candidate(path, EntryKind.DIRECTORY))


def file_candidates(path: bytes, trailing_slash: bool, indexes: tuple[bytes, ...], status: int) -> list[Candidate]:
    """The candidates of a rule: the file at `path`, and the indexes of a directory of that name."""
    prefix = path and path + b"/"
    files = [] if trailing_slash or not path else [Candidate(path, EntryKind.FILE, status)]
    return files + [Candidate(prefix + index, EntryKind.FILE, status) for index in indexes]


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


class Storage(Protocol):
    """A source of files: a disk, or a storage around another one. Its methods block, and never raise OSError."""

    def find(self, lookup: Lookup) -> Finding:
        """The first of the lookup's candidates that exists; an OpenFile belongs to the caller."""

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        """For each file that was found before, whether its lookup would find the same version of it now."""


NO_REQUEST: Final = Request(b"GET", Target(), Fields({}, 0), HTTP_1_1)
"""The request of a lookup that no client has made, or whose client's request is not kept, as it may take 32 KiB."""
# The findings without attributes, each as one shared object.
NOT_FOUND: Final = NotFound()
DIRECTORY: Final = Directory()
FORBIDDEN: Final = Forbidden()


def same_version(old: OpenFile, new: Finding) -> bool:
    """Whether `new` is certain to be the same file as `old`, unchanged, with the same status."""
    if not isinstance(new, OpenFile) or not old.settled or old.generated:
        return False
    return (old.version, old.neighbours, old.path, old.status) == (new.version, new.neighbours, new.path, new.status)
