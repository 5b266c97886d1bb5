"""The rules by which requests are answered, as two pure functions around the one call that reads the disk.

Site.locate, step by step:
  1. an unknown expectation: 417
  2. OPTIONS: 204
  3. any other method but GET and HEAD: 405 or 501
  4. a target with unescaped bytes: 301
  5. a path that is not servable, such as that of a dotfile: 404
  6. a forced rule with a redirect: 301, 302, 303, 307, 308
  7. otherwise a Lookup, with the rule for the case that nothing is found; of a forced rule's file alone
Site.reply, by the kind of finding:
  an OpenFile       the steps below
  a Directory       without a final slash in the target: 301; with one there is no index file, so as NotFound; where
                    directories are listed, the storage finds an OpenFile with the listing instead
  Forbidden         403
  Refused           401, 403 or 429
  Unavailable       503
  a StorageError    500
  NotFound          the redirect of a rule; otherwise 404, or the status of a rule whose own file is missing
Site.reply for an OpenFile, step by step (RFC 9110 13.2.2):
  1. preconditions: 412, 304
  2. If-Range: whether Range applies
  3. Range: 206, 416
  4. otherwise the whole file: 200
Generated content (/proc, /sys) has neither Last-Modified nor ranges, because it may differ each time it is read. A file
that a rule sends with 404 or 410 has neither validators nor ranges, and may not be reused without revalidation.
At last, each response gets the fields that options and rules add (added_fields.py); beneath access rules, no shared
cache may keep it (cache_policy.py).
"""

from dataclasses import replace
from functools import partial
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.fields import Variant
from pwb_async.core.semantics.messages import HTTP_1_1, FieldList, Request, Response
from pwb_async.core.semantics.preconditions import evaluate, range_applies
from pwb_async.core.semantics.ranges import parse_ranges
from pwb_async.core.semantics.target import TargetKey

from .access import AccessRules, are_private
from .added_fields import AddedFields
from .cache_policy import NO_CACHE, CachePolicy, keep_private, of_error
from .coding_negotiation import CodingNegotiation
from .digests import repr_digest
from .error_pages import status_page
from .header_rules import change_field
from .listings import LISTING_MEDIA, Browsing, json_variant, listing_caching, listing_key
from .lookup import (
    Candidate,
    Directory,
    EntryKind,
    Finding,
    Forbidden,
    Lookup,
    OpenFile,
    Refused,
    StorageError,
    Unavailable,
    candidates_of,
    file_candidates,
)
from .media_types import STANDARD, MediaTypes
from .redirect_rules import Redirect, RedirectRules, Rewrite
from .representation import NO_SNIFF, Representation
from .servable import is_servable
from .validators import validators_of_file
from .variants import combine, host_variant

ALLOWED: Final = b"GET, HEAD, OPTIONS"
"""The value of Allow."""
_KNOWN_METHODS: Final = frozenset((b"POST", b"PUT", b"DELETE", b"TRACE", b"PATCH"))
"""Methods of RFC 9110 9 and RFC 5789 that no resource here allows: 405. Any other method is not implemented: 501."""

_RETRY_AFTER: Final = (b"Retry-After", b"1")


class Site:
    """The rules of one site.

    Args:
        indexes: Names of index files in order; the first that exists is served for a directory.
        cache_policy: For how long caches may reuse responses.
        max_ranges: The largest number of byte ranges in one request.
        relative_redirects: Whether Location is relative to the target, so that a path prefix that a proxy removed is
            kept.
        types: The media types of files.
        dotfiles: Whether names that begin with a dot are served like others.
        browsing: How directories without an index are listed; None if they are not.
        redirects: The redirects and rewrites.
        added_fields: What is added to the fields of all responses.
        negotiation: Where content codings are from; by default there are none.
        access: The access rules.
    """

    variant: Variant | None
    """The function that gives, for a field section, the key of the representation that it selects (RFC 9110 12.5.5); it
    must return different keys wherever responses differ. None if no response depends on a field."""
    target_key: TargetKey | None
    """The function that gives the cache key of a target; None if that is Target.cache_key."""

    def __init__(
        self,
        *,
        indexes: tuple[bytes, ...] = (b"index.html",),
        cache_policy: CachePolicy = CachePolicy(),  # noqa: B008  # a constant
        max_ranges: int = 512,
        relative_redirects: bool = False,
        types: MediaTypes = STANDARD,
        dotfiles: bool = False,
        browsing: Browsing | None = None,
        redirects: RedirectRules | None = None,
        added_fields: AddedFields | None = None,
        negotiation: CodingNegotiation | None = None,
        access: AccessRules | None = None,
    ) -> None:
        self._indexes = indexes
        self._cache_policy = cache_policy
        self._max_ranges = max_ranges
        self._relative_redirects = relative_redirects
        self._types = types
        self._dotfiles = dotfiles
        self._browsing = browsing
        self._redirects = redirects or None
        self._added_fields = added_fields or None
        self._access = access or None
        self._own_page = added_fields.own_page if added_fields else ()
        hosts = (*(redirects.hosts if redirects else ()), *(added_fields.rules.hosts if added_fields else ()))
        self._negotiation = negotiation or None
        added = added_fields.variant if added_fields else None
        self.variant = combine(host_variant(hosts), added, json_variant if browsing else None, self._negotiation)
        self.target_key = listing_key if browsing else None

    def locate(self, request: Request, client: str = "") -> Lookup | Response:
        """What to look for, or the response if that does not depend on a file. client: its address."""
        located = self._locate(request)
        if isinstance(located, Response):
            return self.finish(request, located)
        return located if self._access is None else self._ask_access(self._access, located, client)

    def reply(self, lookup: Lookup, finding: Finding) -> Response:
        """The response to a request whose lookup led to `finding`; from now on the response owns the file."""
        response = self.finish(lookup.request, self._reply(lookup, finding))
        if self._access is None or not isinstance(finding, OpenFile):
            return response
        beyond = self._access.beyond(lookup.request.target.segments, finding.path)
        return replace(response, fields=keep_private(response.fields)) if are_private(beyond) else response

    def refuse(self, bad: BadRequest) -> Response:
        """The response to an invalid request, or to a refused connection."""
        return self.finish(
            bad, self._unavailable(bad.method) if bad.status == 503 else self.error(bad.status, bad.method)
        )

    def unavailable(self, request: Request) -> Response:
        """The response to a request whose access cannot be checked at the moment."""
        return self.finish(request, self._unavailable(request.method))

    def finish(self, event: Request | BadRequest, response: Response) -> Response:
        """The response with the fields that are added to each; called with that of a guard, too."""
        fields = response.fields
        if self._added_fields is not None:
            fields = self._added_fields.apply(event, response.status, fields)
        if (
            self._access is not None
            and isinstance(event, Request)
            and are_private(self._access.at(event.target.segments))
        ):
            fields = keep_private(fields)
        return response if fields is response.fields else replace(response, fields=fields)

    def _locate(self, request: Request) -> Lookup | Response:
        method, target = request.method, request.target
        if request.fields.unknown_expectation and request.version >= HTTP_1_1:
            return self.error(417, method)
        if method == b"OPTIONS":
            return Response(204, ((b"Allow", ALLOWED),))
        if method not in (b"GET", b"HEAD"):
            if method in _KNOWN_METHODS:
                return self.error(405, method, (b"Allow", ALLOWED))
            return self.error(501, method)
        if target.unescaped:
            return self._redirect(method, target.location)
        if not is_servable(target.segments, self._dotfiles):
            return self.error(404, method)
        path = b"/".join(target.segments)
        logged_path = path + b"/" if path and target.trailing_slash else path
        lookup = Lookup(request, logged_path, candidates_of(path, target.trailing_slash, self._indexes))
        if self._browsing is not None:
            lookup = self._browsing.apply(lookup)
        located = lookup if self._redirects is None else self._ask_rules(self._redirects, lookup)
        if self._negotiation is None or isinstance(located, Response):
            return located
        return self._negotiation.apply(located, partial(self._media, request))

    def _ask_rules(self, rules: RedirectRules, lookup: Lookup) -> Lookup | Response:
        """The redirect of a forced rule; otherwise the lookup with the file or the redirect of a rule."""
        forced = rules.forced(lookup.request)
        rule = forced or rules.otherwise(lookup.request)
        if isinstance(forced, Redirect):
            return self._redirect_by_rule(lookup.request.method, forced)
        own = () if forced else lookup.candidates
        if isinstance(rule, Rewrite) and is_servable(rule.segments, self._dotfiles):
            files = file_candidates(b"/".join(rule.segments), rule.trailing_slash, self._indexes, rule.status)
            # A directory without an index is no response of the site, so the rule is tried before it.
            last = own[-1:] if own and own[-1].kind is EntryKind.DIRECTORY else ()
            own = (*own[: len(own) - len(last)], *files, *last)
        return replace(
            lookup,
            candidates=own,
            rule=rule,
            listing=None if isinstance(rule, Redirect) else lookup.listing,
            cacheable=lookup.cacheable and not rules.depend_on_query(lookup.request),
        )

    def _ask_access(self, rules: AccessRules, lookup: Lookup, client: str) -> Lookup:
        """The lookup, with the client if more rules apply to what may be found than to the path that is requested.

        Such a file is not cached, since the guard, which is asked before the cache, judges the path alone.
        """
        segments = lookup.request.target.segments
        if not any(rules.beyond(segments, candidate.path) for candidate in lookup.candidates):
            return lookup
        return replace(lookup, client=client, cacheable=False)

    def _reply(self, lookup: Lookup, finding: Finding) -> Response:
        method = lookup.request.method
        if isinstance(finding, OpenFile):
            return self._represent(lookup, finding)
        if isinstance(finding, Directory) and not lookup.request.target.trailing_slash:
            return self._redirect(method, lookup.request.target.directory_location(self._relative_redirects))
        if isinstance(finding, Forbidden):
            return self.error(403, method)
        if isinstance(finding, Refused):
            return self.error(finding.status, method, *finding.fields)
        if isinstance(finding, Unavailable):
            return self._unavailable(method)
        if isinstance(finding, StorageError):
            return self.error(500, method)
        rule = lookup.rule
        if isinstance(rule, Redirect):
            return self._redirect_by_rule(method, rule)
        return self.error(404 if rule is None or rule.status == 200 else rule.status, method)

    def _unavailable(self, method: bytes) -> Response:
        """A 503 response: connections, descriptors or memory are short at the moment (hazards A9, E2, G4)."""
        return self.error(503, method, _RETRY_AFTER)

    def error(self, status: int, method: bytes, *fields: tuple[bytes, bytes]) -> Response:
        """A response with an error page, which is revalidated or, for a 5xx, not stored (hazard G4)."""
        return self._page(status, method, *fields, of_error(status))

    def _page(self, status: int, method: bytes, *fields: tuple[bytes, bytes]) -> Response:
        """A response with a page of PWB's own, without content for HEAD."""
        page = status_page(status)
        content = ((b"Content-Type", b"text/html; charset=utf-8"), (b"Content-Length", b"%d" % len(page)), NO_SNIFF)
        return Response(status, (*content, *self._own_page, *fields), () if method == b"HEAD" else (page,))

    def _redirect(self, method: bytes, location: bytes) -> Response:
        """A 301 response. Old clients do not follow 308, and only GET and HEAD, which 301 keeps, are redirected.

        Cache-Control limits how long a cache may store it: by default 301 could be stored for ever (RFC 9110 15.4.2).
        """
        return self._page(301, method, (b"Location", location), self._cache_policy.default)

    def _redirect_by_rule(self, method: bytes, rule: Redirect) -> Response:
        """The redirect of a rule. It is revalidated each time, as rules change."""
        return self._page(rule.status, method, (b"Location", rule.location), NO_CACHE)

    def _represent(self, lookup: Lookup, found: OpenFile) -> Response:
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
            return replace(self.error(status, method), file=found.file_to_close)
        value = fields.get(b"range")
        if value is None or method != b"GET" or not found.has_ranges or not range_applies(fields, selected.validators):
            return selected.whole(method)
        ranges = parse_ranges(value, found.size, self._max_ranges)
        if ranges is None:
            return selected.whole(method)
        if not ranges:
            error = self.error(416, method, (b"Content-Range", b"bytes */%d" % found.size))
            return replace(error, file=found.file_to_close)
        return selected.partial(ranges) or selected.whole(method)

    def _select(self, lookup: Lookup, found: OpenFile) -> Representation:
        """The representation that a file is, with the fields that describe it."""
        media = self._media(lookup.request, found)
        validators = validators_of_file(found, dict(media).get(b"Content-Encoding", b""))
        caching: FieldList = (
            self._cache_policy.of_file(found.path, lookup.path) if found.status == 200 else of_error(found.status),
        )
        vary = () if self._negotiation is None else self._negotiation.vary(media)
        caching = listing_caching(vary) if found.media_type else caching + vary
        if found.coding:
            media += ((b"Content-Encoding", found.coding),)
        return Representation(found, media, validators, caching)

    def _media(self, request: Request, file: OpenFile | Candidate) -> FieldList:
        """Content-Type of a file, and Content-Encoding if its name says so. A rule changes that of no error page."""
        if isinstance(file, OpenFile):
            if file.media_type:
                return ((b"Content-Type", file.media_type),)
        elif self._browsing is not None and file.kind is EntryKind.DIRECTORY:
            return LISTING_MEDIA
        media = self._types.fields(file.path)
        if self._added_fields is None or file.status != 200:
            return media
        media_type = self._added_fields.rules.content_type(request)
        return change_field(media, b"Content-Type", b"content-type", media_type) if media_type else media
