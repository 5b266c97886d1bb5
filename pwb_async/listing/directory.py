"""The entries of a directory: which of them are listed, and in which order.

Left out are names that are hidden, what is neither a file nor a directory, and links that lead out of the root or to
nothing. The directory itself tells files from directories; only the entries of the page are examined, and all of them
where sizes or times decide the order.
"""

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from heapq import merge
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from pwb_async.core.site.listing_query import MAX_ENTRIES, PAGE_SIZE, ListingQuery
from pwb_async.core.site.natural_order import natural_key
from pwb_async.storage.open_beneath import FILE_FLAGS
from pwb_async.storage.open_file import Descriptor
from pwb_async.storage.root import Root

from .pace import Pace

T = TypeVar("T")
_CHUNK: Final = 128
"""Names that are sorted by one call, during which no other thread runs: 0.05 ms."""


class Entry(NamedTuple):
    """A file or directory of a listing."""

    name: str
    """Its name; bytes that are not UTF-8 are surrogates, as os.fsdecode() makes them."""
    is_directory: bool
    size: int
    """Bytes of a file."""
    mtime_ns: int
    """The modification time, in nanoseconds since the epoch."""


class Names(NamedTuple):
    """The names of all entries, not sorted."""

    directories: list[str]
    files: list[str]
    truncated: bool
    """Whether the directory has more than MAX_ENTRIES."""


class Page(NamedTuple):
    """The part of a listing that is shown."""

    entries: list[Entry]
    number: int
    """From 1."""
    pages: int
    """How many there are."""


class DirectoryReader:
    """A directory that is open for reading until the block ends."""

    mtime_ns: int
    """Its modification time, in nanoseconds since the epoch."""

    def __init__(self, root: Root, path: bytes, is_hidden: Callable[[bytes], bool], pace: Pace) -> None:
        """Open the directory at `path`. Raises OSError, NotADirectoryError for anything else.

        is_hidden: whether the path of an entry, below the root, is left out.
        """
        self._root, self._prefix = root, path and path + b"/"
        self._is_hidden, self._pace = is_hidden, pace
        self._directory: Descriptor = root.open(path or b".", FILE_FLAGS)
        status = os.fstat(self._directory.fileno())
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError
        self.mtime_ns = status.st_mtime_ns

    def __enter__(self) -> "DirectoryReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._directory.close()

    def names(self, limit: int = MAX_ENTRIES, links: bool = True) -> Names:
        """The names of the entries, at most `limit`. links: whether links to directories count. Raises OSError."""
        directories: list[str] = []
        files: list[str] = []
        with os.scandir(self._directory.fileno()) as found:
            for entry in found:
                self._pace.step()
                if self._is_hidden(self._prefix + os.fsencode(entry.name)):
                    continue
                if len(directories) + len(files) == limit:
                    return Names(directories, files, True)
                mode = self._mode(entry)
                if stat.S_ISREG(mode):
                    files.append(entry.name)
                elif stat.S_ISDIR(mode) and (links or not entry.is_symlink()):
                    directories.append(entry.name)
        return Names(directories, files, False)

    def page(self, names: Names, query: ListingQuery) -> Page:
        """The page of a listing that is asked for; the last one, if there are not so many."""
        count = len(names.directories) + len(names.files)
        pages = max(1, -(-count // PAGE_SIZE))
        number = min(query.page, pages)
        start, end, split = (number - 1) * PAGE_SIZE, number * PAGE_SIZE, len(names.directories)
        directories = self._sorted(names.directories, query, True, min(start, split), min(end, split))
        files = self._sorted(names.files, query, False, max(start - split, 0), max(end - split, 0))
        return Page([*directories, *files], number, pages)

    def files(self, names: Iterable[str]) -> list[Entry]:
        """The files with these names, as far as they are there."""
        return self._entries(names, False)

    def _sorted(
        self, names: Sequence[str], query: ListingQuery, are_directories: bool, start: int, end: int
    ) -> list[Entry]:
        """The entries from `start` to `end` of a list that is sorted."""
        if start >= end:
            return []
        if query.sort == "name" or (are_directories and query.sort == "size"):
            descending = query.descending and query.sort == "name"
            keyed = [(natural_key(name), name) for name in self._paced(names)]
            return self._entries([name for _, name in self._window(keyed, descending, start, end)], are_directories)
        entries = self._entries(names, are_directories)
        by_size = query.sort == "size"
        sortable = [
            (entry.size if by_size else entry.mtime_ns, natural_key(entry.name), entry)
            for entry in self._paced(entries)
        ]
        return [entry for _, _, entry in self._window(sortable, query.descending, start, end)]

    def _window(self, items: list[Any], descending: bool, start: int, end: int) -> list[Any]:
        """What stands from `start` to `end` once the items are sorted. They are sorted in pieces, then merged."""
        pieces = [
            sorted(items[first : first + _CHUNK], reverse=descending)
            for first in self._paced(range(0, len(items), _CHUNK))
        ]
        return list(islice(self._paced(merge(*pieces, reverse=descending)), start, end))

    def _entries(self, names: Iterable[str], are_directories: bool) -> list[Entry]:
        """Examine entries. What is something else by now is left out."""
        found = []
        expected = stat.S_IFDIR if are_directories else stat.S_IFREG
        for name in self._paced(names):
            try:
                status = self._status(name)
            except OSError:
                continue
            if stat.S_IFMT(status.st_mode) == expected:
                found.append(Entry(name, are_directories, status.st_size, status.st_mtime_ns))
        return found

    def _mode(self, entry: os.DirEntry[str]) -> int:
        """The kind of an entry, or of what a link leads to; 0 if that is not served."""
        try:
            if entry.is_symlink():
                return stat.S_IFMT(self._status(entry.name).st_mode)
            if entry.is_file(follow_symlinks=False):
                return stat.S_IFREG
            return stat.S_IFDIR if entry.is_dir(follow_symlinks=False) else 0
        except OSError:
            return 0

    def _status(self, name: str) -> os.stat_result:
        """The status of an entry, or of what a link leads to beneath the root. Raises OSError."""
        status = os.stat(name, dir_fd=self._directory.fileno(), follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            target = self._root.open(self._prefix + os.fsencode(name), FILE_FLAGS)
            status = os.fstat(target.fileno())
            target.close()
        return status

    def _paced(self, items: Iterable[T]) -> Iterable[T]:
        for item in items:
            self._pace.step()
            yield item
