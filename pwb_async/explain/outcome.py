"""The outcome of a request: the values between the steps that led to its response."""

import errno
import os
from collections.abc import Iterator
from typing import Final, NamedTuple

from pwb_async.config.options import Options, SiteOptions
from pwb_async.config.places import Place, places_of
from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.findings import Finding, OpenFile, StorageError, Unavailable
from pwb_async.core.site.lookup import Lookup
from pwb_async.output.printing import printable

from .recording import HIDDEN, Opened, RecordingSite

_ERRORS: Final = {
    HIDDEN: "is the configuration file, or a coded form of it, which is never served",
    errno.ENOENT: "does not exist",
    errno.ENOTDIR: "does not exist: a part of its path is no directory",
    errno.EXDEV: "a symbolic link leads out of the directory that is served",
    errno.ELOOP: "its symbolic links are a loop",
    errno.EACCES: "this process has no permission to read it",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ENXIO: "is a socket or a device",
}
"""The words for errors that are expected; others are shown as the system has them."""


class Outcome(NamedTuple):
    """How a request was answered."""

    event: Request | BadRequest
    client: str
    """The address of the client."""
    response: Response
    site: RecordingSite
    """The site that has responded."""
    number: int
    """Its number; 0 is the default site."""
    options: Options
    """The options of that site."""
    sites: tuple[SiteOptions, ...]
    """The sites for some hosts, beside the default one."""
    unfinished: Response
    """The response before options and rules changed its fields."""
    is_file: bool
    """Whether the response is made of a file, which rules may describe."""
    opened: tuple[Opened, ...]
    """What the disks have opened, or tried to, in order."""
    located: Lookup | Response | None = None
    """What Site.locate has returned; None if it was not called."""
    finding: Finding | None = None
    """What Storage.find has returned; None if it was not called."""

    @property
    def lookup(self) -> Lookup | None:
        """The lookup; None if the disk was not asked."""
        return self.located if isinstance(self.located, Lookup) else None

    @property
    def file(self) -> OpenFile | None:
        """The file that the response is made of; None for none."""
        if isinstance(self.finding, Unavailable | StorageError):
            return self.finding.page
        return self.finding if isinstance(self.finding, OpenFile) else None

    def attempts(self, path: bytes) -> Iterator[Opened]:
        """Yield each attempt to open a path of the site."""
        place, below = self._place_of(path)
        for each in self.opened:
            if place is not None and each.directory == place.directory and each.path == (below or b"."):
                yield each

    def real_path(self, path: bytes) -> bytes:
        """Where a path of the site is in the file system."""
        place, below = self._place_of(path)
        return b"" if place is None else os.path.join(os.fsencode(place.directory), below)

    def indexes(self, directory: bytes) -> list[bytes]:
        """The paths of the index files of a directory."""
        names = map(os.fsencode, self.options.index)
        return [directory + b"/" + name if directory else name for name in names]

    def _place_of(self, path: bytes) -> tuple[Place | None, bytes]:
        """The directory to which a path of the site belongs, as Mounts decides, and the path beneath it."""
        for place in reversed(places_of(self.options)):
            if not place.path or path == place.path:
                return place, path[len(place.path) :].lstrip(b"/")
            if path.startswith(place.path + b"/"):
                return place, path[len(place.path) + 1 :]
        return None, path


def why_not_opened(number: int | None) -> str:
    """Why something could not be opened, by its errno."""
    return _ERRORS.get(number or 0) or os.strerror(number or 0)


def count_bytes(number: int) -> str:
    """A number of bytes in words."""
    return f"{number:,} byte{'' if number == 1 else 's'}"


def shown(path: bytes) -> str:
    """A path of the site as it is printed: the root as "/"."""
    return printable(path.decode(errors="backslashreplace")) or "/"
