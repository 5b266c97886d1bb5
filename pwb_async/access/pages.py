"""The pages with which a site refuses requests: 401.html and 403.html in its root.

They are kept in memory: so a client that is refused costs no look at the disk, however often it asks, and a response
that is refused is the same for a file, a directory and nothing.
"""

from typing import Final, NamedTuple

from pwb_async.core.site.findings import OpenFile
from pwb_async.core.site.lookup import NO_REQUEST, Candidate, EntryKind, Lookup, Storage

_STATUSES: Final = (401, 403)


class RefusalPage(NamedTuple):
    """A page of the site."""

    path: bytes
    """Its path in the site."""
    content: bytes


class RefusalPages:
    """The pages of one site.

    Args:
        storage: The files of the site. One that is too large to be read at once counts as missing.
        root: The path at which the site has its root, without a slash at either end.
    """

    def __init__(self, storage: Storage, root: bytes) -> None:
        self._storage = storage
        self._prefix = root and root + b"/"
        self.reload()

    def reload(self) -> None:
        """Read the pages again. It may wait for the disk."""
        found = {status: self._read(self._prefix + b"%d.html" % status) for status in _STATUSES}
        self._pages = {status: page for status, page in found.items() if page is not None}

    def get(self, status: int) -> RefusalPage | None:
        """The page for a status; None if there is none."""
        return self._pages.get(status)

    def _read(self, path: bytes) -> RefusalPage | None:
        found = self._storage.find(Lookup(NO_REQUEST, path, (Candidate(path, EntryKind.FILE),)))
        if not isinstance(found, OpenFile):
            return None
        if found.file is not None:
            found.file.close()
        return RefusalPage(path, found.content) if found.content else None
