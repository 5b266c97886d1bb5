"""The storage of a root: the disk for a directory, or another one for what is not unpacked on a disk."""

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pwb_async.config.options import Options
from pwb_async.config.places import hidden_paths, is_store
from pwb_async.storage.disk import Disk
from pwb_async.storage.root import Listable

if TYPE_CHECKING:
    from pwb_async.storage.object_store.storage import ObjectStorage

_ARCHIVES: Final = (".zip", ".whl", ".tar")
"""How the names of archives end."""
_COMPRESSED: Final = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
"""The same of archives that cannot be served; the message about them has the reason."""


def is_archive(root: str) -> bool:
    """Whether a root is an archive, and no directory with such a name."""
    return root.lower().endswith((*_ARCHIVES, *_COMPRESSED)) and os.path.isfile(root)


def open_root(
    root: str, options: Options, make_disk: Callable[..., Disk] = Disk, stores: "Sequence[ObjectStorage]" = ()
) -> Listable:
    """The storage of a root. Raises OSError, with the root as its filename.

    make_disk: the class of disks. stores: those of the configuration before.
    """
    try:
        if is_store(root):
            from .object_stores import open_store  # most sites are on a disk

            return open_store(root, options, stores)
        if is_archive(root):
            return _open_archive(root, options)
        return make_disk(
            root,
            etag=options.etag,
            precompressed=options.precompressed,
            hidden=hidden_paths(root, options.config_file),
        )
    except OSError as error:
        error.filename = shown(root)
        if error.errno == errno.ENOENT and not os.path.isabs(root):
            with suppress(OSError):  # the current folder was removed
                error.strerror = f"{error.strerror} in {os.getcwd()}"
        raise


def shown(root: str) -> str:
    """A root as messages have it: without the credentials that an address may hold."""
    if not is_store(root):
        return root
    parts = urlsplit(root)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _open_archive(root: str, options: Options) -> Listable:
    from pwb_async.storage.archives.index import ArchiveError  # most sites are in directories
    from pwb_async.storage.archives.storage import ArchiveStorage

    try:
        return ArchiveStorage(root, etag=options.etag, precompressed=options.precompressed)
    except ArchiveError as error:
        raise OSError(errno.EINVAL, f"it {error}") from None
