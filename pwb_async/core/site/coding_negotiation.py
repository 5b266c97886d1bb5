"""Negotiation of the content coding: what of a request decides which coding a response has (RFC 9110 12.5.3)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from pwb_async.core.semantics.codings import NO_CODING, Acceptable, acceptable
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.messages import FieldList

from .compressible import is_compressible
from .lookup import Candidate, Lookup

_VARY: Final = ((b"Vary", b"Accept-Encoding"),)
_NOT_COMPRESSED: Final = b"r"
"""Added to the key of a request for which nothing is compressed."""


@dataclass(frozen=True, slots=True)
class CodingNegotiation:
    """Where a site has content codings from. It is false if it has none, so that nothing is negotiated."""

    precompressed: bool = False
    """Whether coded files are looked for beside the file itself."""
    compress: bool = False
    """Whether content is compressed when it is requested; never for a request with Range, which gets a range of the
    content as it is, or of a coded file."""

    def __bool__(self) -> bool:
        return self.precompressed or self.compress

    def __call__(self, fields: Fields) -> bytes:
        """The Variant: equal keys for requests to which every response has the same coding."""
        codings = self.codings(fields)
        return codings.key + _NOT_COMPRESSED if codings.key and self.compress and _has_range(fields) else codings.key

    def codings(self, fields: Fields) -> Acceptable:
        """The codings that the response to a request may have."""
        if not self.precompressed and (not self.compress or _has_range(fields)):
            return NO_CODING
        return acceptable(fields)

    def apply(self, lookup: Lookup, media_of: Callable[[Candidate], FieldList], may_compress: bool = True) -> Lookup:
        """A lookup with the codings that its request accepts.

        media_of: the fields of a candidate. may_compress: whether the content may be compressed for the request.
        """
        fields = lookup.request.fields
        codings = self.codings(fields)
        if not codings.preferences:
            return lookup
        candidates = tuple(
            [each._replace(compressible=self.is_negotiated(media_of(each))) for each in lookup.candidates]
        )
        if any(each.compressible for each in candidates):
            compress = self.compress and may_compress and not _has_range(fields)
            return replace(lookup, candidates=candidates, codings=codings, compress=compress)
        return replace(lookup, shared_key=lookup.request.cache_key.removesuffix(b"\0" + self(fields)).rstrip(b"\0"))

    def is_negotiated(self, media: FieldList) -> bool:
        """Whether a file with these fields may get a coding: it has none, and its type is compressible."""
        return bool(self) and len(media) == 1 and is_compressible(media[0][1])

    def vary(self, media: FieldList) -> FieldList:
        """The field Vary of the responses that represent a file with these fields, whatever their coding is."""
        return _VARY if self.is_negotiated(media) else ()


def _has_range(fields: Fields) -> bool:
    return fields.get(b"range") is not None
