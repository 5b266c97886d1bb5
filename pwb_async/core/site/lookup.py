"""The lookup that a site passes to a storage, which returns a finding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from operator import attrgetter
from typing import Final, NamedTuple, Protocol

from pwb_async.core.semantics.codings import NO_CODING, Acceptable
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.messages import HTTP_1_1, Request
from pwb_async.core.semantics.target import Target

from .error_files import error_files
from .findings import Directory, Finding, Forbidden, Moved, OpenFile, Refused, StorageError, Unavailable
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

    def error_status(self, finding: Finding) -> int:
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

    def begins_with(self, found: OpenFile) -> bool:
        """Whether a file is what the first candidate stands for, so that none could come before it."""
        first = self.candidates[0] if self.candidates else None
        return first is not None and (first.path, first.status) == (found.path, found.status)

    def with_page(self, error: Finding, page: OpenFile) -> Finding:
        """The finding of an error and of the site's page for it.

        What fails is logged and never cached, so it stays the same kind of finding.
        """
        page = page._replace(status=self.error_status(error))
        if isinstance(error, Unavailable | StorageError):
            return replace(error, page=page._replace(shared=True))
        return page

    def error_files(self, finding: Finding) -> Iterable[bytes]:
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


class Storage(Protocol):
    """A source of files: a disk, or a storage around another one. Its methods block, and never raise OSError."""

    def find(self, lookup: Lookup) -> Finding:
        """The first of the lookup's candidates that exists; an OpenFile belongs to the caller."""

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        """For each file that was found before, whether its lookup would find the same version of it now."""


NO_REQUEST: Final = Request(b"GET", Target(), Fields({}, 0), HTTP_1_1)
"""The request of a lookup that no client has made, or whose client's request is not kept, as it may take 32 KiB."""
