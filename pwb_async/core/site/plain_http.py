"""A site with TLS, for requests that are sent without it: they are redirected to https.

    GET or HEAD           301 to the same target by https
    any other request     400, as its content has been sent in the clear, and a client may repeat it as a GET
    /.well-known/         what the site has there, where a port beside that with TLS is redirected: authorities look for
                          files there, among them the challenges of ACME, to which no rule applies (acme_challenges.py)

No response has Strict-Transport-Security (RFC 6797 7.2).
"""

from dataclasses import replace
from typing import Final, NamedTuple

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response

from .acme_challenges import challenge_lookup, is_challenge
from .cache_policy import NO_CACHE
from .error_pages import page_response
from .findings import Finding
from .lookup import Lookup
from .responder import Responder

_STRICT: Final = b"strict-transport-security"
_WELL_KNOWN: Final = b".well-known"
_HTTP_PORT: Final = 80
_HTTPS_PORT: Final = 443


class Ports(NamedTuple):
    """Where a server listens."""

    http: int
    """The port without TLS."""
    https: int
    """The port with TLS."""


class PlainHTTP:
    """A Responder in the place of a site's for requests without TLS.

    Args:
        site: The site.
        ports: The ports of a listener beside that with TLS; None for requests on the latter.
        root: The path at which the site has the directory with the challenges of ACME.
    """

    def __init__(self, site: Responder, ports: Ports | None = None, root: bytes = b"") -> None:
        self._site, self._ports, self._root = site, ports, root
        self.variant, self.target_key = site.variant, site.target_key
        self.error = site.error

    def locate(self, request: Request, client: str = "") -> Lookup | Response:
        """The redirect, or what to look for below /.well-known/."""
        if self._ports is None or request.target.segments[:1] != (_WELL_KNOWN,):
            return self.redirect(request)
        if is_challenge(request):
            return challenge_lookup(request, self._root)
        located = self._site.locate(request, client)
        return _without_strict(located) if isinstance(located, Response) else located

    def redirect(self, request: Request) -> Response:
        """The redirect to https; 400 for what cannot be redirected."""
        authority = request.target.authority or request.fields.host
        if request.method not in (b"GET", b"HEAD") or not authority:
            return self.finish(request, self.error(request, 400))
        location = b"https://" + self._https_authority(authority) + request.target.location
        return self.finish(request, page_response(301, request.method, ((b"Location", location), NO_CACHE)))

    def _https_authority(self, authority: bytes) -> bytes:
        """The host, with the port of https unless it is the usual one.

        A client that names another port than the one that the server listens on has got here through a mapping of
        ports, which then has the usual one for https, too.
        """
        if self._ports is None:
            return authority
        host, colon, port = authority.rpartition(b":")
        if not colon or not (port.isdigit() or not port):
            host, port = authority, b""
        mapped = int(port or _HTTP_PORT) != self._ports.http
        return host if mapped or self._ports.https == _HTTPS_PORT else b"%s:%d" % (host, self._ports.https)

    def reply(self, lookup: Lookup, finding: Finding) -> Response:
        return _without_strict(self._site.reply(lookup, finding))

    def refuse(self, bad: BadRequest) -> Response:
        return _without_strict(self._site.refuse(bad))

    def unavailable(self, request: Request) -> Response:
        return _without_strict(self._site.unavailable(request))

    def finish(self, event: Request | BadRequest, response: Response) -> Response:
        return _without_strict(self._site.finish(event, response))


def _without_strict(response: Response) -> Response:
    return replace(response, fields=tuple(field for field in response.fields if field[0].lower() != _STRICT))
