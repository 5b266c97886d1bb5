"""The Storage of an archive.

Each lookup examines the archive's file, which costs one system call: one that was replaced by renaming is a new
release, and the next lookup is made in it. A response that has begun is finished from the old one. While a thread reads
the names of a new release, others look up in the old one. If the new one cannot be served, the old one stays, and the
reason is logged once.
"""

import logging
import os
from collections.abc import Sequence
from threading import Lock
from typing import Final

from pwb_async.storage.open_file import version_of
from pwb_async.storage.source_storage import SourceStorage

from .index import ArchiveError
from .release import Release

logger: Final = logging.getLogger("pwb")


class ArchiveStorage(SourceStorage):
    """The Storage of the members of an archive."""

    def __init__(self, path: str, *, etag: str = "auto", precompressed: bool = False) -> None:
        """The archive at `path`. etag, precompressed: as for Disk. Raises OSError, ArchiveError."""
        super().__init__(precompressed=precompressed)
        self._path = os.path.abspath(os.fsencode(path))
        self._shown = path
        self._etag = etag
        self._loading = Lock()
        self._refused: tuple[int, ...] = ()  # the version of a file that cannot be served
        self._release = self._load()

    @property
    def descriptors(self) -> Sequence[int]:
        """That of the archive."""
        return (self._release.descriptor,)

    def source(self) -> Release:
        """The release as it is now. Raises OSError if the archive is missing, or was overwritten."""
        version = version_of(os.stat(self._path))
        release = self._release
        if version in (release.version, self._refused) or not self._loading.acquire(blocking=False):
            return _unless_overwritten(release, version)
        try:
            release = self._release = self._load()
        except ArchiveError as error:
            self._refused = version
            then = (
                "its files are 503 meanwhile" if _is_overwritten(release, version) else "what it was before is served"
            )
            logger.error("%s %s; %s", self._shown, error, then)
            return _unless_overwritten(release, version)
        finally:
            self._loading.release()
        count = len(release.index)
        logger.info("%s: a new release with %d name%s", self._shown, count, "" if count == 1 else "s")
        return release

    def open_root(self) -> Release:
        """The release as it is now. Raises OSError."""
        return self.source()

    def _load(self) -> Release:
        release = Release(self._path, self._etag)
        index = release.index
        if index.left_out:
            logger.warning(
                "%s: members that are not served: %d, such as %r",
                self._shown,
                index.left_out,
                os.fsdecode(index.example),
            )
        return release


def _unless_overwritten(release: Release, version: tuple[int, ...]) -> Release:
    """A release, unless its own file has other content by now. Raises OSError."""
    if _is_overwritten(release, version):
        raise OSError("the archive is overwritten; it should be replaced by renaming")
    return release


def _is_overwritten(release: Release, version: tuple[int, ...]) -> bool:
    """Whether the file of a release has other content by now, as a version of it shows."""
    return version[:2] == release.version[:2] and version[3:] != release.version[3:]
