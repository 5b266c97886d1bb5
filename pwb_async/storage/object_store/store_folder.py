"""A directory of a store, as a Folder of storage/root.py."""

import errno
from collections.abc import Generator
from typing import Final

from pwb_async.storage.root import EntryStatus, FolderEntry

from .folders import Listing


class StoreFolder:
    """A directory of a store."""

    mtime_ns: Final = 0
    """A prefix has no time."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    def scan(self) -> Generator[FolderEntry, None, None]:
        """Yield the prefixes and the objects."""
        for name in self._listing.folders:
            yield FolderEntry(name, True, False)
        for name in self._listing.files:
            yield FolderEntry(name, False, False)

    def status(self, name: str) -> EntryStatus:
        """What an entry was in the listing. Raises FileNotFoundError."""
        status = self._listing.files.get(name)
        if status is not None:
            return EntryStatus(False, True, status.size, status.mtime_ns)
        if name in self._listing.folders:
            return EntryStatus(True, False, 0, self.mtime_ns)
        raise FileNotFoundError(errno.ENOENT, "there is no such object")

    def close(self) -> None:
        """Do nothing: it is not open."""
