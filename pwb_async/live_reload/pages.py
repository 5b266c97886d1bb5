"""The pages of a site with --live-reload: HTML has a script as its last bytes, which follows an event stream.

A Responder around another one, step by step:
  1. The script and the event stream have paths of their own beneath the prefix of the site.
  2. A page is HTML in response to a navigation. What a script fetches gets nothing appended, as it may be a fragment
     that becomes part of a page; nor does a download, nor what is compressed. For navigations files are found
     uncompressed.
  3. The response to a navigation is made without its preconditions and Range. If it is a page, the script is appended;
     it has no validators, and is not stored, so that browsers ask for it each time, also on the way back in the
     history.
  4. If it is no page, the response is made again, with them.
  5. Nothing else is used by a browser without asking the server.

The script is appended, not inserted, because to find a place in HTML, it would have to be parsed: `</body>` may stand
within a script or a comment. A parser of HTML takes an element behind the end of the body as its last one. Documents in
XML end with their root element, so nothing can be appended to them.
"""

from contextlib import suppress
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from typing import Final
from urllib.parse import quote_from_bytes

from pwb_async.core.semantics.codings import NO_CODING
from pwb_async.core.semantics.messages import FieldList, Request, Response, StreamingResponse
from pwb_async.core.site.error_pages import NO_SNIFF
from pwb_async.core.site.fallback import navigation
from pwb_async.core.site.findings import Finding, OpenFile
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.responder import Responder

from .content_policy import admit_script
from .events import ReloadEvents

_FOLDER: Final = b"-"
_SCRIPT: Final = b"live-reload.js"
_EVENTS: Final = b"live-reload"
"""The paths, beneath the prefix of the site: /-/live-reload.js and /-/live-reload."""
_CLIENT: Final = files(__package__).joinpath("client.js").read_bytes()
_NO_CACHE: Final = (b"Cache-Control", b"no-cache")
_NO_STORE: Final = (b"Cache-Control", b"no-store")
_OF_OTHER_BYTES: Final = (
    b"content-length", b"etag", b"last-modified", b"accept-ranges", b"repr-digest", b"cache-control",
)  # fmt: skip
"""Fields of a page that describe it without the script, or let it be stored."""
_POLICY: Final = b"content-security-policy"
_FROM_SCRIPTS: Final = (b"x-requested-with", b"hx-request")
"""Fields by which libraries mark the requests of scripts; from old browsers, and without TLS, there is no
Sec-Fetch-Mode."""
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
"""The beginning of files to which no ASCII can be appended."""


@dataclass(slots=True)
class _PageLookup(Lookup):
    """The lookup of a navigation."""

    version: str = ""
    """The version of the site before anything is opened, so that a page is never older than the version it has."""


class LivePages:
    """A Responder in the place of another one, whose pages follow their files.

    Args:
        site: The other one.
        events: The event stream.
        root: The path at which the site has its root, without a slash at either end.
    """

    def __init__(self, site: Responder, events: ReloadEvents, root: bytes = b"") -> None:
        self._site, self._events = site, events
        folder = (*root.split(b"/"), _FOLDER) if root else (_FOLDER,)
        self._script_path, self._events_path = (*folder, _SCRIPT), (*folder, _EVENTS)
        self._source = quote_from_bytes(b"/" + b"/".join(self._script_path)).encode()
        self.variant, self.target_key = site.variant, site.target_key
        self.refuse = site.refuse
        self.unavailable = site.unavailable
        self.finish = site.finish
        self.error = site.error

    def locate(self, request: Request, client: str = "") -> Lookup | Response:
        """What to look for; the script, or the event stream; or another response that does not depend on a file."""
        if request.method in (b"GET", b"HEAD") and request.target.segments in (self._script_path, self._events_path):
            is_script = request.target.segments == self._script_path
            return self.finish(request, self._send_script(request) if is_script else self._open_stream(request))
        located = self._site.locate(request, client)
        if not _is_navigation(request):
            return located
        version = self._events.version
        if isinstance(located, Lookup):
            plain = replace(located, codings=NO_CODING, compress=False)
            return _PageLookup(**{each.name: getattr(plain, each.name) for each in fields(plain)}, version=version)
        return self._with_script(request, located, version) if _is_page(located) else located

    def reply(self, lookup: Lookup, finding: Finding) -> Response:
        """The response to a request whose lookup led to `finding`, with the script if it is a page."""
        if isinstance(lookup, _PageLookup):
            request = lookup.request
            whole = replace(lookup, request=replace(request, fields=request.fields.unconditional()))
            response = self._site.reply(whole, finding)
            if _is_page(response) and not _is_utf_16(finding):
                return self._with_script(request, response, lookup.version)
        response = self._site.reply(lookup, finding)
        if response.status not in (200, 206, 304):
            return response
        others = tuple(field for field in response.fields if field[0].lower() != b"cache-control")
        return replace(response, fields=(*others, _NO_CACHE))

    def _send_script(self, request: Request) -> Response:
        fields = (
            (b"Content-Type", b"text/javascript; charset=utf-8"),
            (b"Content-Length", b"%d" % len(_CLIENT)),
            _NO_CACHE,
            NO_SNIFF,
        )
        return Response(200, fields, (_CLIENT,) if request.method == b"GET" else ())

    def _open_stream(self, request: Request) -> Response:
        fields = (
            (b"Content-Type", b"text/event-stream; charset=utf-8"),
            _NO_STORE,
            NO_SNIFF,
            (b"X-Accel-Buffering", b"no"),  # nginx in front would keep the events back
        )
        if request.method == b"HEAD":
            return Response(200, fields)
        return StreamingResponse(200, fields, subscribe=self._events.subscribe)

    def _with_script(self, request: Request, page: Response, version: str) -> Response:
        """A page with the element of the script as its last bytes."""
        nonce = self._events.nonce.encode()
        kept: list[tuple[bytes, bytes]] = []
        with_nonce = False
        for name, value in page.fields:
            if name.lower() == _POLICY:
                value = admit_script(value, nonce)
                with_nonce |= nonce in value
            if name.lower() not in _OF_OTHER_BYTES:
                kept.append((name, value))
        attribute = b' nonce="%s"' % nonce if with_nonce else b""
        element = b'<script src="%s?%s"%s async></script>' % (self._source, version.encode(), attribute)
        length = int(_value(page.fields, b"content-length")) + len(element)
        parts = page.parts if request.method == b"HEAD" else (*page.parts, element)
        return replace(
            page, fields=(*kept, (b"Content-Length", b"%d" % length), _NO_STORE), parts=parts, length=-1, prepared=None
        )


def _is_navigation(request: Request) -> bool:
    """Whether a browser is about to show the response as a document."""
    fields = request.fields
    return bool(navigation(fields)) and all(fields.get(name) is None for name in _FROM_SCRIPTS)


def _is_page(response: Response) -> bool:
    """Whether a response, which is to a request without preconditions, is HTML that a browser shows."""
    if response.status != 200 and response.status < 400:
        return False
    media_type, _, parameters = _value(response.fields, b"content-type").lower().partition(b";")
    return (
        media_type.strip() == b"text/html"
        and b"utf-16" not in parameters
        and not _value(response.fields, b"content-encoding")
        and not _value(response.fields, b"content-disposition").lower().startswith(b"attachment")
    )


def _is_utf_16(finding: Finding) -> bool:
    """Whether a page begins as one in UTF-16, as far as this can be told without waiting for the disk."""
    if not isinstance(finding, OpenFile):
        return False
    if finding.content is not None:
        return finding.content.startswith(_UTF_16)
    beginning, file = bytearray(2), finding.file
    if file is not None and file.in_page_cache(0, 2):
        with suppress(OSError):  # which is met again when the file is sent
            file.read_into(beginning, 0)
    return beginning.startswith(_UTF_16)


def _value(fields: FieldList, lower: bytes) -> bytes:
    """The value of a field by its name in lower case; b"" if there is none."""
    return next((value for name, value in fields if name.lower() == lower), b"")
