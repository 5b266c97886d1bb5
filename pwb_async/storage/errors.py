"""Errors of the disk: what an errno means, and the error of content that cannot be sent as promised."""

import errno

from pwb_async.core.site.lookup import FORBIDDEN, NOT_FOUND, Finding, StorageError, Unavailable


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


def name_of(error: OSError) -> str:
    """The symbol of an errno, such as EMFILE."""
    return errno.errorcode.get(error.errno or 0, str(error))
