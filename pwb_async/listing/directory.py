"""The entries of a directory: which of them are listed, and in which order.

Left out are names that are hidden, and what the storage never serves (storage/root.py). The directory itself tells
files from directories; only the entries of the page are examined, and all of them where sizes or times decide the
order.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from pwb_async.core.site.listing_query import MAX_ENTRIES, PAGE_SIZE, ListingQuery
from pwb_async.core.site.natural_order import name_of, natural_key
from pwb_async.storage.root import Root

from .pace import Pace
from .packed import PackedStrings, chunks, pack, unpack

T = TypeVar("T")
_README: Final = "readme.md"
_POSITIVE: Final = 1 << 63
"""What makes each size and time positive."""


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

    directories: PackedStrings
    files: PackedStrings
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
        self._prefix = path and path + b"/"
        self._is_hidden, self._pace = is_hidden, pace
        self._folder = root.open_folder(path)
        self.mtime_ns = self._folder.mtime_ns

    def __enter__(self) -> "DirectoryReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.close()

    def names(self, limit: int = MAX_ENTRIES, links: bool = True) -> Names:
        """The names of the entries, at most `limit`. links: whether links to directories count. Raises OSError."""
        directories, files = PackedStrings(), PackedStrings()
        with closing(self._folder.scan()) as found:
            for entry in self._paced(found):
                if self._is_hidden(self._prefix + os.fsencode(entry.name)):
                    continue
                if len(directories) + len(files) == limit:
                    return Names(directories, files, True)
                if not entry.is_directory:
                    files.append(entry.name)
                elif links or not entry.is_link:
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

    def readme(self, names: Names) -> bytes:
        """The name of README.md among the files, whatever its case is; b"" if there is none."""
        return min((os.fsencode(name) for name in self._paced(names.files) if name.lower() == _README), default=b"")

    def in_order(
        self, keys: Iterable[str], descending: bool = False, start: int = 0, end: int | None = None
    ) -> Iterator[str]:
        """Yield what stands from `start` to `end` once the keys are sorted. They are sorted in pieces, then merged."""
        pieces = [pack(sorted(chunk, reverse=descending)) for chunk in chunks(self._paced(keys))]
        merged = merge(*map(unpack, pieces), reverse=descending)
        return islice(self._paced(merged), start, end)

    def files(self, names: Iterable[str]) -> Iterator[Entry]:
        """The files with these names, as far as they are there."""
        return self._entries(names, False)

    def _sorted(
        self, names: Iterable[str], query: ListingQuery, are_directories: bool, start: int, end: int
    ) -> list[Entry]:
        """The entries from `start` to `end` of a list that is sorted."""
        if start >= end:
            return []
        sort = "name" if are_directories and query.sort == "size" else query.sort
        descending = query.descending and sort == query.sort
        keys = (key for name in names if (key := self._key(name, sort)) is not None)
        window = self.in_order(keys, descending, start, end)
        return list(self._entries(map(name_of, window), are_directories))

    def _key(self, name: str, sort: str) -> str | None:
        """What an entry is sorted by; None if it is gone."""
        if sort == "name":
            return natural_key(name)
        try:
            status = self._folder.status(name)
        except OSError:
            return None
        value = status.size if sort == "size" else status.mtime_ns
        return f"{value + _POSITIVE:020d}{natural_key(name)}"

    def _entries(self, names: Iterable[str], are_directories: bool) -> Iterator[Entry]:
        """Examine entries. What is something else by now is left out."""
        for name in self._paced(names):
            try:
                status = self._folder.status(name)
            except OSError:
                continue
            if status.is_directory if are_directories else status.is_file:
                yield Entry(name, are_directories, status.size, status.mtime_ns)

    def _paced(self, items: Iterable[T]) -> Iterable[T]:
        for item in items:
            self._pace.step()
            yield item
