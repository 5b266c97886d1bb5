"""A representation of a file, and the responses that have it, or a part of it, as their content (RFC 9110 3.2)."""

from typing import Final, NamedTuple

from pwb_async.core.semantics.messages import FieldList, Response
from pwb_async.core.semantics.preconditions import Validators
from pwb_async.core.semantics.ranges import ByteRange, multipart

from .error_pages import NO_SNIFF
from .findings import OpenFile
from .parts import all_of, multipart_parts, slice_of
from .validators import validator_fields

_ACCEPT_RANGES: Final = ((b"Accept-Ranges", b"bytes"),)


class Representation(NamedTuple):
    """A file with the fields that describe it."""

    found: OpenFile
    media: FieldList
    """Content-Type, and Content-Encoding if there is a coding."""
    validators: Validators
    caching: FieldList
    """What caches need, and so a 304 has as well (RFC 9110 15.4.5): Cache-Control, and Vary if there is one."""
    digest: FieldList = ()
    """Repr-Digest, if the client has asked for it."""

    def whole(self, method: bytes) -> Response:
        """A 200 response; its head only for HEAD."""
        found = self.found
        return Response(200, self._describe(self.media, found.size), all_of(method, found), found.file_to_close)

    def error(self, method: bytes) -> Response:
        """A response with the status of the file, an error: it has no validators, and is revalidated each time.

        Preconditions and Range apply to a 200 only (RFC 9110 13.2.1, 14.2).
        """
        found = self.found
        fields = (*self.media, (b"Content-Length", b"%d" % found.size), *self.caching, NO_SNIFF)
        return Response(found.status, fields, all_of(method, found), found.file_to_close)

    def not_modified(self) -> Response:
        """A 304 response. One validator is enough, as the client has the other fields already (RFC 9110 15.4.5).

        Those of a listing are repeated, because options may add such fields to a 304, which would replace them.
        """
        return Response(
            304,
            (*validator_fields(self.validators)[-1:], *self.caching, *self.found.fields),
            (),
            self.found.file_to_close,
        )

    def partial(self, ranges: list[ByteRange]) -> Response | None:
        """A 206 response (RFC 9110 15.3.7); None if its parts would be too long."""
        found = self.found
        if len(ranges) == 1:
            fields = self._describe(self.media, ranges[0].length)
            fields += ((b"Content-Range", ranges[0].content_range(found.size)),)
            return Response(206, fields, (slice_of(found, ranges[0]),), found.file_to_close)
        form = multipart(ranges, found.size, found.mtime_ns, self.media)
        if form is None:
            return None
        fields = self._describe(((b"Content-Type", form.media_type),), form.length)
        return Response(206, fields, multipart_parts(found, form, ranges), found.file_to_close)

    def _describe(self, media: FieldList, length: int) -> FieldList:
        return (
            *media,
            (b"Content-Length", b"%d" % length),
            *validator_fields(self.validators),
            *(_ACCEPT_RANGES if self.found.has_ranges else ()),
            *self.digest,
            *self.caching,
            NO_SNIFF,
            *self.found.fields,
        )
