"""What servers need of a site, or of several sites as one."""

from typing import Protocol

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.fields import Variant
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.semantics.target import TargetKey

from .findings import Finding
from .lookup import Lookup


class Responder(Protocol):
    """The two steps around the call that reads the disk, and the responses that need no disk. All are pure."""

    @property
    def variant(self) -> Variant | None:
        """The function that tells apart the field sections whose responses differ; None if no response does."""

    @property
    def target_key(self) -> TargetKey | None:
        """The function that gives the cache key of a target; None if that is Target.cache_key."""

    def locate(self, request: Request, client: str = "") -> Lookup | Response:
        """What to look for, or the response if that does not depend on a file. client: its address."""

    def reply(self, lookup: Lookup, finding: Finding) -> Response:
        """The response to a request whose lookup led to `finding`; from now on the response owns the file."""

    def refuse(self, bad: BadRequest) -> Response:
        """The response to an invalid request, or to a refused connection."""

    def unavailable(self, request: Request) -> Response:
        """The response to a request whose access cannot be checked at the moment."""

    def finish(self, event: Request | BadRequest, response: Response) -> Response:
        """A response that a site has not made, with the fields that are added to each of its own."""

    def error(
        self, event: Request | BadRequest, status: int, *fields: tuple[bytes, bytes], page: bytes = b""
    ) -> Response:
        """A response to an error, to which finish() has to add fields. page: that of the site; b"" for one of PWB's."""
