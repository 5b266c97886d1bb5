"""Errors of a storage: what an errno means, the site's page for it, and content that cannot be sent as promised."""

import errno
from collections.abc import Callable

from pwb_async.core.site.findings import FORBIDDEN, NOT_FOUND, Finding, OpenFile, StorageError, Unavailable
from pwb_async.core.site.lookup import Candidate, EntryKind, Lookup


class TruncatedError(Exception):
    """The promised Content-Length cannot be sent, because the file has become shorter or the disk failed (D1)."""


def finding_of(error: OSError) -> Finding:
    """The finding that an errno of opening or reading means."""
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR | errno.EISDIR | errno.ENAMETOOLONG | errno.ELOOP | errno.EXDEV:
            return NOT_FOUND
        case errno.ENXIO | errno.ENODEV | errno.EILSEQ:  # socket; device without driver; name this file system forbids
            return NOT_FOUND
        case errno.EACCES | errno.EPERM:
            return FORBIDDEN
        case errno.EMFILE | errno.ENFILE | errno.ENOMEM | errno.EAGAIN | errno.EINTR:
            return Unavailable(name_of(error))
    return StorageError(name_of(error))


def with_error_page(lookup: Lookup, finding: Finding, find: Callable[[Lookup], Finding]) -> Finding:
    """A finding; if it is an error, with the nearest of the site's pages for it. find: finds a page, or none."""
    for path in lookup.error_files(finding):
        page = find(Lookup(lookup.request, path, (Candidate(path, EntryKind.FILE),)))
        if isinstance(page, OpenFile):
            return lookup.with_page(finding, page)
    return finding


def name_of(error: OSError) -> str:
    """The symbol of an errno, such as EMFILE."""
    return errno.errorcode.get(error.errno or 0, str(error))
