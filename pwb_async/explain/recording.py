"""Sites and disks that record what they do, in the place of those of a server.

They are subclasses that call the methods of a server's and keep what these have returned, so a server runs no code for
it, and what is recorded is what a server does.
"""

import os
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.header_rules import FieldStep
from pwb_async.core.site.media_types import STANDARD, MediaTypes
from pwb_async.core.site.redirect_rules import Redirect
from pwb_async.core.site.site import Site
from pwb_async.storage.disk import Disk

HIDDEN: Final = -1
"""In place of an errno: the file is hidden from all clients."""


class Opened(NamedTuple):
    """An attempt to open something beneath a directory that is served."""

    directory: str
    """The directory, as the options name it."""
    path: bytes
    """The path beneath it."""
    errno: int | None
    """Why it could not be opened; None if it could."""
    status: os.stat_result | None
    """What has been opened; None for nothing."""


class Finished(NamedTuple):
    """A response as a site has made it, before it got the fields that options and rules add."""

    site: "RecordingSite"
    event: Request | BadRequest
    response: Response
    is_file: bool
    """Whether it is made of a file, which rules may describe."""


@dataclass(slots=True)
class Record:
    """What sites and disks have done for a request."""

    sites: "list[RecordingSite]" = field(default_factory=list)
    """The sites by their numbers."""
    opened: list[Opened] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)

    def clear(self) -> None:
        """Forget what was done for another request."""
        self.opened.clear()
        self.finished.clear()


class RecordingDisk(Disk):
    """A disk that records what it opens. The arguments are those of Disk."""

    def __init__(self, record: Record, root: str, **options: Any) -> None:
        super().__init__(root, **options)
        self._record, self._directory = record, root

    def _open(self, root: int, path: bytes, flags: int) -> int:
        try:
            fd = super()._open(root, path, flags)
        except OSError as error:
            self._record.opened.append(Opened(self._directory, path, HIDDEN if self.hides(path) else error.errno, None))
            raise
        self._record.opened.append(Opened(self._directory, path, None, os.fstat(fd)))
        return fd


class RecordingSite(Site):
    """A site that records its responses. The arguments are those of Site."""

    def __init__(self, record: Record, *, types: MediaTypes = STANDARD, **options: Any) -> None:
        super().__init__(types=types, **options)
        self._record = record
        self.types = types
        """The media types of files."""
        self.media = self._files.media
        """Content-Type and Content-Encoding of a file."""
        record.sites.append(self)

    def finish(self, event: Request | BadRequest, response: Response, is_file: bool = False) -> Response:
        self._record.finished.append(Finished(self, event, response, is_file))
        return super().finish(event, response, is_file)

    def steps(self, event: Request | BadRequest, is_file: bool) -> list[FieldStep]:
        """What finish() does to the fields of a response, in order, but for what access rules demand."""
        return [] if self._added_fields is None else self._added_fields.steps(event, is_file)

    def forced_redirect(self, request: Request) -> Redirect | None:
        """The redirect of a forced rule, which is asked before the disk."""
        forced = None if self._redirects is None else self._redirects.forced(request)
        return forced if isinstance(forced, Redirect) else None

    def content_type_rule(self, request: Request) -> str | None:
        """The place of the rule that sets the media type of a file; None if there is none."""
        found = None if self._added_fields is None else self._added_fields.rules.content_type_rule(request)
        return found and found[0]
