"""What this site answers, in two pure steps around the one call that touches the disk.

locate, the steps in order:
  1. an expectation that nobody can meet: 417            4. a target with bytes that should be escaped: 301
  2. a method we have not heard of: 501; OPTIONS: 204    5. names that are never served: 404
  3. a method that changes nothing here: 405             6. else: what to look for on the disk
reply, for a file, the steps in order (RFC 9110 13.2.2):
  1. preconditions: 412, 304                             3. Range: 206, 416
  2. If-Range                                            4. else the whole: 200
Generated content (/proc, /sys) has no Last-Modified and no ranges: the next reading may be of something else.
"""

from dataclasses import replace
from typing import Final, cast

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.dates import format_date
from pwb_async.core.semantics.fields import Variant
from pwb_async.core.semantics.messages import FieldList, FileSlice, Part, Request, Response
from pwb_async.core.semantics.preconditions import Validators, evaluate, range_applies
from pwb_async.core.semantics.ranges import ByteRange, Multipart, multipart, parse_ranges

from .error_pages import status_page
from .lookup import Directory, Finding, Forbidden, Lookup, OpenFile, StorageError, Unavailable, candidates_of
from .media_types import STANDARD, MediaTypes
from .validators import validators_of_file

ALLOWED: Final = b"GET, HEAD, OPTIONS"
_ELSEWHERE: Final = frozenset((b"POST", b"PUT", b"DELETE", b"TRACE", b"PATCH"))
"""Methods of RFC 9110 9 and RFC 5789 that this site knows and does not offer."""

_NO_SNIFF: Final = (b"X-Content-Type-Options", b"nosniff")
_NO_STORE: Final = (b"Cache-Control", b"no-store")
_RETRY_AFTER: Final = (b"Retry-After", b"1")
_ACCEPT_RANGES: Final = ((b"Accept-Ranges", b"bytes"),)


class Site:
    """indexes: names of a folder's index page, the first that is there wins. max_age: seconds a cache may serve an
    answer without asking again, None: it asks every time. ranges: at most so many byte ranges in one request.
    relative_redirects: Location is relative to the target, so that a path prefix that a proxy takes off stays.
    types: what is said about a file's content. dotfiles: names that begin with a dot are served like others."""

    def __init__(
        self,
        *,
        indexes: tuple[bytes, ...] = (b"index.html",),
        max_age: int | None = None,
        ranges: int = 512,
        relative_redirects: bool = False,
        types: MediaTypes = STANDARD,
        dotfiles: bool = False,
    ) -> None:
        self._indexes = indexes
        self._cache_control = (b"Cache-Control", b"no-cache" if max_age is None else b"max-age=%d" % max_age)
        self._ranges = ranges
        self._relative_redirects = relative_redirects
        self._types = types
        self._dotfiles = dotfiles
        self.variant: Variant | None = None
        """What a response depends on beside target, method and conditions: None, as nothing is negotiated."""

    def locate(self, request: Request) -> Lookup | Response:
        """What to look for, or the answer where no disk is needed."""
        method, target = request.method, request.target
        if request.fields.unknown_expectation and request.minor:
            return self.error(417, method)
        if method == b"OPTIONS":
            return Response(204, ((b"Allow", ALLOWED),))
        if method not in (b"GET", b"HEAD"):
            if method in _ELSEWHERE:
                return self.error(405, method, (b"Allow", ALLOWED))
            return self.error(501, method)
        if target.unescaped:
            return self._redirect(method, target.location)
        if is_hidden(target.segments, self._dotfiles):
            return self.error(404, method)
        path = b"/".join(target.segments)
        shown = path + b"/" if path and target.folder else path
        return Lookup(request, shown, candidates_of(path, target.folder, self._indexes))

    def reply(self, lookup: Lookup, finding: Finding) -> Response:
        """The answer to what was found. The Response owns the finding's file from here on."""
        method = lookup.request.method
        if isinstance(finding, OpenFile):
            return self._represent(lookup.request, finding)
        if isinstance(finding, Directory) and not lookup.request.target.folder:
            return self._redirect(method, lookup.request.target.as_folder(self._relative_redirects))
        if isinstance(finding, Forbidden):
            return self.error(403, method)
        if isinstance(finding, Unavailable):
            return self.unavailable(method)
        if isinstance(finding, StorageError):
            return self.error(500, method)
        return self.error(404, method)

    def refuse(self, bad: BadRequest) -> Response:
        """The answer to what is no request."""
        return self.unavailable(bad.method) if bad.status == 503 else self.error(bad.status, bad.method)

    def unavailable(self, method: bytes = b"GET") -> Response:
        """503: out of connections, descriptors or memory, for the moment (hazards A9, E2, G4)."""
        return self.error(503, method, _RETRY_AFTER)

    def error(self, status: int, method: bytes, *fields: tuple[bytes, bytes]) -> Response:
        """A page of our own; HEAD gets its fields without it. No cache may keep a fault of ours (hazard G4)."""
        page = status_page(status)
        about = ((b"Content-Type", b"text/html; charset=utf-8"), (b"Content-Length", b"%d" % len(page)), _NO_SNIFF)
        never = (_NO_STORE,) if status >= 500 else ()
        return Response(status, (*about, *fields, *never), () if method == b"HEAD" else (page,))

    def _redirect(self, method: bytes, location: bytes) -> Response:
        """301: old clients do not follow 308, and no method but GET and HEAD, which 301 keeps, comes this far."""
        return self.error(301, method, (b"Location", location), self._cache_control)

    def _represent(self, request: Request, found: OpenFile) -> Response:
        media = self._types.fields(found.path)
        current = validators_of_file(found, dict(media).get(b"Content-Encoding", b""))
        fields, method = request.fields, request.method
        if fields.plain or found.status != 200:  # preconditions and ranges are for a 200 only (RFC 9110 13.2.1, 14.2)
            return self._whole(method, found, media, current)
        status = evaluate(fields, current)
        if status == 304:
            return Response(304, (*_validators(current)[-1:], self._cache_control), (), found.owned)
        if status is not None:
            return replace(self.error(status, method), file=found.owned)
        value = fields.get(b"range")
        if value is None or method != b"GET" or found.generated or not range_applies(fields, current):
            return self._whole(method, found, media, current)
        ranges = parse_ranges(value, found.size, self._ranges)
        if ranges is None:
            return self._whole(method, found, media, current)
        if not ranges:
            error = self.error(416, method, (b"Content-Range", b"bytes */%d" % found.size))
            return replace(error, file=found.owned)
        return self._partial(found, media, current, ranges) or self._whole(method, found, media, current)

    def _about(self, found: OpenFile, media: FieldList, length: int, current: Validators) -> FieldList:
        return (
            *media,
            (b"Content-Length", b"%d" % length),
            *_validators(current),
            *(() if found.generated else _ACCEPT_RANGES),
            self._cache_control,
            _NO_SNIFF,
        )

    def _whole(self, method: bytes, found: OpenFile, media: FieldList, current: Validators) -> Response:
        about = self._about(found, media, found.size, current)
        everything = ByteRange(0, found.size)
        parts = () if method == b"HEAD" or not found.size else (_slice(found, everything),)
        return Response(found.status, about, parts, found.owned)

    def _partial(
        self, found: OpenFile, media: FieldList, current: Validators, ranges: list[ByteRange]
    ) -> Response | None:
        """206 (RFC 9110 15.3.7); None if the whole costs less."""
        if len(ranges) == 1:
            about = self._about(found, media, ranges[0].length, current)
            about += ((b"Content-Range", ranges[0].content_range(found.size)),)
            return Response(206, about, (_slice(found, ranges[0]),), found.owned)
        form = multipart(ranges, found.size, found.mtime_ns, media)
        if form is None:
            return None
        about = self._about(found, ((b"Content-Type", form.media_type),), form.length, current)
        return Response(206, about, _parts(found, form, ranges), found.owned)


def is_hidden(segments: tuple[bytes, ...], dotfiles: bool = False) -> bool:
    """Names that are never served: what no file can be called and, unless `dotfiles`, dot files, but for /.well-known/
    (hazard C7)."""
    if any(b"/" in name for name in segments):
        return True
    names = segments[1:] if segments[:1] == (b".well-known",) else segments
    return not dotfiles and any(name.startswith(b".") for name in names)


def _validators(current: Validators) -> FieldList:
    """The fields that say which version this is; the last one says it best."""
    date: FieldList = () if current.last_modified is None else ((b"Last-Modified", format_date(current.last_modified)),)
    return date if current.tag is None else (*date, (b"ETag", bytes(current.tag)))


def _slice(found: OpenFile, part: ByteRange) -> Part:
    if found.content is not None:
        return found.content[part.start : part.start + part.length]
    assert found.file is not None
    return FileSlice(found.file, part.start, part.length)


def _parts(found: OpenFile, form: Multipart, ranges: list[ByteRange]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for head, part in zip(form.heads, ranges, strict=True):
        parts += (head, _slice(found, part))
    parts.append(form.end)
    # In one piece where all of it is in memory: a thousand short ones would go to the kernel one by one.
    return tuple(parts) if found.content is None else (b"".join(cast("list[bytes]", parts)),)
