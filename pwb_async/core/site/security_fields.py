"""Fields that make browsers stricter with the pages of a site: --security-headers and --cross-origin-isolated.

`basic` is meant to break no site. `strict` allows content of the site's own origin only, and no inline script or style;
an image may be a data: URL, as many style sheets have them.
A field that the response has already stays as it is.
"""

from typing import Final

from pwb_async.core.semantics.messages import FieldList

LEVELS: Final = ("basic", "strict")
"""The values of --security-headers."""
_POLICY: Final = b"Content-Security-Policy"
_OPENER: Final = b"Cross-Origin-Opener-Policy"
_EMBEDDER: Final = b"Cross-Origin-Embedder-Policy"
_RESOURCE: Final = b"Cross-Origin-Resource-Policy"
_FRAMES: Final = b"frame-ancestors 'self'"
_BASIC: Final = _FRAMES + b"; base-uri 'self'; object-src 'none'"
_STRICT: Final = b"default-src 'self'; img-src 'self' data:; form-action 'self'; " + _BASIC
_OWN_PAGE_POLICY: Final = (
    _POLICY,
    b"default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; " + _FRAMES,
)
"""The policy of PWB's own pages, which hold a style and nothing that a client has sent."""
_DOCUMENTS: Final = frozenset((b"text/html", b"application/xhtml+xml", b"image/svg+xml"))
"""Media types that may hold scripts."""
_PDF: Final = b"application/pdf"


class SecurityFields:
    """The fields of one configuration.

    Args:
        level: One of LEVELS, or None.
        isolated: Whether pages are cross-origin isolated, as SharedArrayBuffer demands.
        shared: Whether other origins may use the site's files.
        secure: Whether responses are sent over TLS; only then `strict` sends Strict-Transport-Security (RFC 6797 7.2),
            which binds a browser for a year.
    """

    def __init__(
        self, level: str | None, *, isolated: bool = False, shared: bool = False, secure: bool = False
    ) -> None:
        every: dict[bytes, bytes] = {}
        document: dict[bytes, bytes] = {}
        if level:
            every |= {b"X-Content-Type-Options": b"nosniff", b"Referrer-Policy": b"strict-origin-when-cross-origin"}
            document |= {_POLICY: _BASIC, b"X-Frame-Options": b"SAMEORIGIN", _OPENER: b"same-origin-allow-popups"}
        if level == "strict" and secure:
            every[b"Strict-Transport-Security"] = b"max-age=31536000"
        if level == "strict":
            every[_RESOURCE] = _resource_policy(shared)
            document |= {_POLICY: _STRICT, _OPENER: b"same-origin"}
            document[b"Permissions-Policy"] = b"camera=(), microphone=(), geolocation=()"
        if isolated:
            every |= {_EMBEDDER: b"require-corp", _RESOURCE: _resource_policy(shared)}
            every[_OPENER] = document[_OPENER] = b"same-origin"
        self.own_page: FieldList = (_OWN_PAGE_POLICY,) if level else ()
        """What PWB's own pages have before apply() is called."""
        named = ["--security-headers"] * bool(level) + ["--cross-origin-isolated"] * isolated
        self.place = " and ".join(named)
        """The options that demand the fields."""
        self._every = tuple(every.items())
        self._document = tuple((every | document).items())
        # Chromium shows a PDF by a plugin, to which "object-src 'none'" of the PDF itself would apply.
        self._pdf = tuple((name, _FRAMES if name == _POLICY else value) for name, value in self._document)

    def apply(self, status: int, fields: FieldList) -> FieldList:
        """The fields of a response with those of this configuration.

        A 304 has no media type, so it gets the fields of a document, in case it is about one.
        """
        present = {name.lower(): value for name, value in fields}
        media = present.get(b"content-type", b"").partition(b";")[0].strip().lower()
        added = self._every
        if status == 304 or media in _DOCUMENTS:
            added = self._document
        elif media == _PDF:
            added = self._pdf
        return (*fields, *(field for field in added if field[0].lower() not in present))


def _resource_policy(shared: bool) -> bytes:
    return b"cross-origin" if shared else b"same-origin"
