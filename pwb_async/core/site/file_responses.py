"""The responses to requests that select a file.

respond, step by step (RFC 9110 13.2.2):
  1. preconditions: 412, 304
  2. If-Range: whether Range applies
  3. Range: 206, 416
  4. otherwise the whole file: 200
Generated content (/proc, /sys) has neither Last-Modified nor ranges, because it may differ each time it is read. A file
that is sent with the status of an error has neither validators nor ranges, and may not be reused without revalidation.
"""

from dataclasses import replace

from pwb_async.core.semantics.messages import FieldList, Request, Response
from pwb_async.core.semantics.preconditions import evaluate, range_applies
from pwb_async.core.semantics.ranges import parse_ranges

from .cache_policy import NO_CACHE, CachePolicy
from .coding_negotiation import CodingNegotiation
from .digests import repr_digest
from .findings import OpenFile
from .header_rules import HeaderRules, add_vary, change_field
from .listings import LISTING_MEDIA, listing_caching
from .lookup import Candidate, EntryKind, Lookup
from .media_types import MediaTypes
from .own_pages import OwnPages
from .representation import Representation
from .validators import validators_of_file


class FileResponses:
    """The responses that a site makes of its files. The arguments are those of Site.

    Args:
        listed: Whether directories without an index are listed.
        rules: The rules, of which those about Content-Type count here.
        pages: What makes the errors.
    """

    def __init__(
        self,
        *,
        types: MediaTypes,
        listed: bool,
        rules: HeaderRules | None,
        negotiation: CodingNegotiation | None,
        cache_policy: CachePolicy,
        pages: OwnPages,
        max_ranges: int,
    ) -> None:
        self._types, self._listed, self._rules = types, listed, rules
        self._negotiation = negotiation
        self._cache_policy = cache_policy
        self._pages = pages
        self._max_ranges = max_ranges

    def respond(self, lookup: Lookup, found: OpenFile) -> Response:
        """The response to a GET or HEAD that selects an open file."""
        selected = self._select(lookup, found)
        fields, method = lookup.request.fields, lookup.request.method
        if found.status != 200:
            return selected.error(method)
        if fields.plain:
            return selected.whole(method)
        if found.content is not None and (wanted := fields.get(b"want-repr-digest")) is not None:
            selected = selected._replace(digest=repr_digest(wanted, found.content))
        status = evaluate(fields, selected.validators)
        if status == 304:
            return selected.not_modified()
        if status is not None:
            return replace(self._pages.error(lookup.request, status), file=found.file_to_close)
        value = fields.get(b"range")
        if value is None or method != b"GET" or not found.has_ranges or not range_applies(fields, selected.validators):
            return selected.whole(method)
        ranges = parse_ranges(value, found.size, self._max_ranges)
        if ranges is None:
            return selected.whole(method)
        if not ranges:
            error = self._pages.error(lookup.request, 416, (b"Content-Range", b"bytes */%d" % found.size))
            return replace(error, file=found.file_to_close)
        return selected.partial(ranges) or selected.whole(method)

    def media(self, request: Request, file: OpenFile | Candidate) -> FieldList:
        """Content-Type of a file, and Content-Encoding if its name says so. A rule changes that of no error page."""
        if isinstance(file, OpenFile):
            if file.media_type:
                return ((b"Content-Type", file.media_type),)
        elif self._listed and file.kind is EntryKind.DIRECTORY:
            return LISTING_MEDIA
        media = self._types.fields(file.path)
        if self._rules is None or file.status != 200:
            return media
        media_type = self._rules.content_type(request)
        return change_field(media, b"Content-Type", b"content-type", media_type) if media_type else media

    def _select(self, lookup: Lookup, found: OpenFile) -> Representation:
        """The representation that a file is, with the fields that describe it."""
        media = self.media(lookup.request, found)
        validators = validators_of_file(found, dict(media).get(b"Content-Encoding", b""))
        stands_in = found.path in lookup.fallback
        caching: FieldList = self._pages.error_fields(found.status)
        if found.status == 200:
            caching = (NO_CACHE if stands_in else self._cache_policy.of_file(found.path, lookup.path),)
        vary: FieldList = ()
        if self._negotiation is not None and (found.coding or found.path in [each.path for each in lookup.candidates]):
            vary = self._negotiation.vary(media)
        if found.media_type:
            caching = listing_caching(vary)
        elif vary:
            caching = add_vary(caching, vary[0][1])
        if lookup.vary and (found.status != 200 or stands_in):
            caching = add_vary(caching, lookup.vary)
        if found.coding:
            media += ((b"Content-Encoding", found.coding),)
        return Representation(found, media, validators, caching)
