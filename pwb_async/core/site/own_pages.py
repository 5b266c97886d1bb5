"""The responses with a page of PWB's own: errors and redirects."""

from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.accept import accepted
from pwb_async.core.semantics.messages import FieldList, Request, Response

from .cache_policy import NO_CACHE, CacheField, of_error
from .error_pages import content_response, page_response
from .redirect_rules import Redirect

_RETRY_AFTER: Final = ((b"Retry-After", b"1"),)
_VARY: Final = ((b"Vary", b"Accept"),)


class OwnPages:
    """The pages of PWB's own on one site.

    Args:
        fields: The fields that each of them has.
        negotiated: Whether a client that prefers JSON to HTML gets an error in JSON.
        caching: The Cache-Control of redirects.
        media: The fields that describe a page of the site.
    """

    def __init__(self, fields: FieldList, negotiated: bool, caching: CacheField, media: FieldList) -> None:
        self._fields = fields
        self._negotiated = negotiated
        self._caching = caching
        self._media = media

    def error(
        self, event: Request | BadRequest, status: int, *fields: tuple[bytes, bytes], page: bytes = b""
    ) -> Response:
        """A response to an error. page: the content of the site's page; b"" for one of PWB's own."""
        json = self._negotiated and event.fields is not None and accepted(event.fields).prefers_json
        fields += self.error_fields(status)
        if page and not json:
            return content_response(status, event.method, self._media, page, fields)
        return page_response(status, event.method, (*self._fields, *fields), json=json)

    def error_fields(self, status: int) -> FieldList:
        """What caches need of an error, whatever its page is; and for a 503, of which the reason is a lack of
        connections, descriptors or memory (hazards A9, E2, G4), when to ask again."""
        return (*(_RETRY_AFTER if status == 503 else ()), of_error(status), *(_VARY if self._negotiated else ()))

    def redirect(self, method: bytes, location: bytes) -> Response:
        """A 301 response. Old clients do not follow 308, and only GET and HEAD, which 301 keeps, are redirected.

        Cache-Control limits how long a cache may store it: by default 301 could be stored for ever (RFC 9110 15.4.2).
        """
        return page_response(301, method, (*self._fields, (b"Location", location), self._caching))

    def redirect_by_rule(self, method: bytes, rule: Redirect) -> Response:
        """The redirect of a rule. It is revalidated each time, as rules change."""
        return page_response(rule.status, method, (*self._fields, (b"Location", rule.location), NO_CACHE))
