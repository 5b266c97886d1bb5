"""A site in maintenance: each response is 503, with the site's own 503.html if it has one.

The file has to be complete in itself, since its style sheets and pictures are not served either.
"""

from dataclasses import replace
from typing import Final

from pwb_async.core.semantics.messages import Request, Response

from .cache_policy import of_error
from .findings import Finding, OpenFile
from .header_rules import change_field
from .lookup import Candidate, EntryKind, Lookup
from .parts import all_of
from .responder import Responder

_PAGE: Final = b"503.html"
_RETRY_AFTER: Final = (b"Retry-After", b"60")


class Maintenance:
    """A Responder in the place of another one, which is in maintenance."""

    def __init__(self, site: Responder, root: bytes = b"") -> None:
        """root: the path at which the site has its root, without a slash at either end."""
        self._site = site
        self._path = root + b"/" + _PAGE if root else _PAGE
        self.variant, self.target_key = site.variant, site.target_key
        self.refuse = site.refuse
        self.finish = site.finish
        self.error = site.error

    def locate(self, request: Request, client: str = "") -> Lookup | Response:
        """The page, whatever is requested. It is not cached, as the key would be that of another file."""
        return Lookup(
            request, self._path, (Candidate(self._path, EntryKind.FILE, 503),), cacheable=False, client=client
        )

    def reply(self, lookup: Lookup, finding: Finding) -> Response:
        """The response with the page, or with one of PWB's own."""
        if lookup.exempt:
            return self._site.reply(lookup, finding)
        request = lookup.request
        if not isinstance(finding, OpenFile):
            return self.unavailable(request)
        fields = (
            (b"Content-Type", b"text/html; charset=utf-8"),
            (b"Content-Length", b"%d" % finding.size),
            (b"X-Content-Type-Options", b"nosniff"),
            _RETRY_AFTER,
            of_error(503),
        )
        return self.finish(request, Response(503, fields, all_of(request.method, finding), finding.file_to_close))

    def unavailable(self, request: Request) -> Response:
        """The response with a page of PWB's own."""
        response = self._site.unavailable(request)
        name, value = _RETRY_AFTER
        return replace(response, fields=change_field(response.fields, name, b"retry-after", value))
