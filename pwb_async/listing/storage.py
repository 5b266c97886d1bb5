"""A storage around a disk that lists directories, or packs them into archives, where the disk has found one.

A listing is content like that of a file, made in the same call that looked for the file. Its entity tag is a digest of
the content, so it is revalidated like a file; it is never taken for unchanged without being made again. A process lists
one directory with many entries at a time, since each takes memory and the interpreter; a few wait, others get 503.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from typing import Final, TypeAlias

from pwb_async.core.site.access import AccessRule
from pwb_async.core.site.findings import NOT_FOUND, Directory, Finding, OpenFile, StorageError, Unavailable
from pwb_async.core.site.listing_query import PAGE_SIZE
from pwb_async.core.site.lookup import EntryKind, Lookup
from pwb_async.storage.deferred import FetchError
from pwb_async.storage.errors import finding_of, with_error_page
from pwb_async.storage.etag import content_tag
from pwb_async.storage.root import DiskRoot, Listable, Root

from .archive import open_archive
from .directory import DirectoryReader
from .pace import Pace
from .page import HTML, JSON, NO_INDEX, Listing, ListingPage, TemplateFailedError, to_json

_waiting: Final = threading.BoundedSemaphore(8)
"""A place for each request for a directory with many entries, which is listed or waits for its turn."""
_turn: Final = threading.Lock()
"""Held while a directory with many entries is listed."""
Beyond: TypeAlias = Callable[[tuple[bytes, ...], bytes], tuple[AccessRule, ...]]


class _BusyError(Exception):
    """Too many requests want the same."""


class ListingStorage:
    """A Storage that makes a listing of each directory that the lookup asks to list."""

    def __init__(
        self,
        disk: Listable,
        page: ListingPage,
        is_hidden: Callable[[bytes], bool],
        beyond: Beyond | None = None,
        mounted: Collection[bytes] = (),
        home: int = 0,
    ) -> None:
        """is_hidden: whether the path of an entry, below the root, is left out. beyond: AccessRules.beyond().

        mounted: the paths, below the root, at which the site has other directories instead of what the disk has there.
        home: see Listing.
        """
        self._disk, self._page, self._is_hidden, self._beyond = disk, page, is_hidden, beyond
        self._mounted, self._home = frozenset(mounted), home

    def find(self, lookup: Lookup) -> Finding:
        """What the disk has found; in place of a directory its listing, or its archive."""
        finding = self._disk.find(lookup)
        if lookup.listing is None or not isinstance(finding, Directory):
            return finding
        return with_error_page(lookup, self._represent(lookup), self._disk.find)

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        return self._disk.revalidate(known)

    def _represent(self, lookup: Lookup) -> Finding:
        """The listing or the archive of the directory that was found."""
        path = next(each.path for each in reversed(lookup.candidates) if each.kind is EntryKind.DIRECTORY)
        left_out = partial(self._left_out, lookup.request.target.segments, path)
        try:
            if lookup.listing is not None and lookup.listing.archive:
                root = self._disk.open_root()
                assert isinstance(root, DiskRoot)  # the options see to it
                return open_archive(root, path, left_out)
            with closing(self._disk.open_root()) as root:
                return self._list(root, path, lookup, left_out)
        except NotADirectoryError:
            return NOT_FOUND
        except OSError as error:
            return finding_of(error)
        except (_BusyError, FetchError) as error:
            return Unavailable(str(error))
        except TemplateFailedError as error:
            return StorageError(f"the template of listings: {error}")

    def _list(self, root: Root, path: bytes, lookup: Lookup, left_out: Callable[[bytes], bool]) -> Finding:
        query = lookup.listing
        assert query is not None
        pace = Pace()
        with DirectoryReader(root, path, self._is_hidden, pace) as directory:
            names = directory.names(PAGE_SIZE + 1)
            is_large = len(names.directories) + len(names.files) > PAGE_SIZE
            with _only_one() if is_large else nullcontext():
                names = directory.names() if is_large else names
                page = directory.page(names, query)
                readme = "" if query.json else _readme(root, path, directory.readme(names), left_out)
                counts = len(names.directories), len(names.files)
                segments = lookup.request.target.segments
                listing = Listing(segments, page, *counts, names.truncated, query, readme, self._home)
                content = to_json(listing, pace) if query.json else self._page.html(listing, pace)
        return OpenFile(
            path,
            len(content),
            0,
            time.time_ns(),
            None,
            content,
            tag=content_tag(content),
            settled=False,
            media_type=JSON if query.json else HTML,
            fields=NO_INDEX if query.json else self._page.fields,
        )

    def _left_out(self, segments: tuple[bytes, ...], directory: bytes, path: bytes) -> bool:
        """Whether a path of the disk is left out of an archive: what a listing leaves out, what no address leads to, as
        another directory is mounted there, and what is guarded by rules that do not apply to the directory itself.

        segments: the path of the directory in the site, of which the disk may be a part.
        """
        if self._is_hidden(path) or path in self._mounted:
            return True
        below = path[len(directory) :].lstrip(b"/")
        return self._beyond is not None and bool(self._beyond(segments, b"/".join((*segments, below))))


@contextmanager
def _only_one() -> Iterator[None]:
    if not _waiting.acquire(blocking=False):
        raise _BusyError("too many wait for listings of directories with many entries")
    try:
        with _turn:
            yield
    finally:
        _waiting.release()


def _readme(root: Root, path: bytes, name: bytes, left_out: Callable[[bytes], bool]) -> str:
    """The README `name` of the directory at `path` as HTML; "" if there is none that can be shown."""
    readme = path + b"/" + name if path else name
    if not name or left_out(readme):
        return ""
    from .readme import MAX_BYTES, to_html  # imported here, since few directories have one

    try:
        content = root.read_file(readme, MAX_BYTES)
    except OSError:
        return ""
    return to_html(content) if content is not None else ""
