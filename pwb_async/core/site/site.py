"""The rules by which requests are answered, as two pure functions around the one call that reads the disk.

Site.locate, step by step:
  1. an unknown expectation: 417
  2. OPTIONS: 204
  3. any other method but GET and HEAD: 405 or 501
  4. a target with unescaped bytes: 301
  5. a path that is not servable, such as that of a dotfile: a Lookup of nothing but the site's 404 page
  6. --clean-urls: the candidates that an address without .html stands for
  7. --browse: the listing of a directory without an index
  8. a forced rule with a redirect: 301, 302, 303, 307, 308
  9. otherwise the rule for the case that nothing is found; of a forced rule the file alone
  10. --spa: the fallback page, for a navigation
  11. the content codings that the client accepts
Site.reply, by the kind of finding:
  an OpenFile       200, 206, 304, 412 or 416 (file_responses.py)
  Moved             301 to the address of the file without .html
  a Directory       without a final slash in the target: 301; with one there is no index file, so as NotFound; where
                    directories are listed, the storage finds an OpenFile with the listing instead
  Forbidden         403
  Refused           401, 403 or 429
  Unavailable       503
  a StorageError    500
  NotFound          the redirect of a rule; otherwise 404, or the status of a rule whose own file is missing
The page of an error is the nearest one of the site, which the same call has found (error_files.py), or PWB's own, which
is JSON for a client that prefers it to HTML.
At last, each response gets the fields that options and rules add (added_fields.py); beneath access rules, no shared
cache may keep it (cache_policy.py).
"""

from dataclasses import replace
from functools import partial
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.fields import Variant
from pwb_async.core.semantics.messages import HTTP_1_1, Request, Response
from pwb_async.core.semantics.target import TargetKey

from .access import AccessRules, are_private
from .added_fields import AddedFields
from .cache_policy import CachePolicy, keep_private
from .clean_urls import clean_location
from .coding_negotiation import CodingNegotiation
from .fallback import navigation, with_fallback
from .file_responses import FileResponses
from .findings import NOT_FOUND, Directory, Finding, Moved, NotFound, OpenFile, Refused, StorageError, Unavailable
from .header_rules import add_vary
from .listings import Browsing, listing_key
from .lookup import Lookup
from .media_types import STANDARD, MediaTypes
from .own_files import OwnFiles
from .own_pages import OwnPages
from .redirect_rules import Redirect, RedirectRules
from .ruled_lookup import with_rule
from .servable import is_servable
from .variants import combine, json_variant, rules_variant

ALLOWED: Final = b"GET, HEAD, OPTIONS"
"""The value of Allow."""
_KNOWN_METHODS: Final = frozenset((b"POST", b"PUT", b"DELETE", b"TRACE", b"PATCH"))
"""Methods of RFC 9110 9 and RFC 5789 that no resource here allows: 405. Any other method is not implemented: 501."""


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
        error_pages: Whether errors have the site's own pages, or are JSON for clients that prefer it.
        clean_urls: Whether the addresses of pages have no .html.
        spa: Whether navigations to what is missing get the index of the root.
        roots: The paths at which the site has its directories, without a slash at either end.
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
        error_pages: bool = True,
        clean_urls: bool = False,
        spa: bool = False,
        roots: tuple[bytes, ...] = (b"",),
        redirects: RedirectRules | None = None,
        added_fields: AddedFields | None = None,
        negotiation: CodingNegotiation | None = None,
        access: AccessRules | None = None,
    ) -> None:
        self._indexes = indexes
        self._relative_redirects = relative_redirects
        self._dotfiles = dotfiles
        self._browsing = browsing
        self._own_files = OwnFiles(indexes, dotfiles, clean_urls, browsing is not None, error_pages)
        self._spa, self._roots = spa, roots
        self._redirects = redirects or None
        self._added_fields = added_fields or None
        self._access = access or None
        self._negotiation = negotiation or None
        own_page = added_fields.own_page if added_fields else ()
        self._pages = OwnPages(own_page, error_pages, cache_policy.default, types.fields(b"403.html"))
        self._files = FileResponses(
            types=types,
            listed=browsing is not None,
            rules=added_fields.rules if added_fields else None,
            negotiation=self._negotiation,
            cache_policy=cache_policy,
            pages=self._pages,
            max_ranges=max_ranges,
        )
        # The codings are at the end, from where Lookup.shared_key has them removed.
        self.variant = combine(
            rules_variant(
                redirects.reads if redirects else (),
                added_fields.rules.reads if added_fields else (),
            ),
            added_fields.variant if added_fields else None,
            json_variant if error_pages or browsing else None,
            navigation if spa else None,
            self._negotiation,
        )
        self.target_key = listing_key if browsing else None

    def locate(self, request: Request, client: str = "") -> Lookup | Response:
        """What to look for, or the response if that does not depend on a file. client: its address."""
        located = self._locate(request)
        if isinstance(located, Response):
            return self.finish(request, located)
        return located if self._access is None else self._access.apply(located, client)

    def reply(self, lookup: Lookup, finding: Finding) -> Response:
        """The response to a request whose lookup led to `finding`; from now on the response owns the file."""
        is_file = isinstance(finding, OpenFile) and not finding.media_type  # not a listing, nor an archive
        response = self.finish(lookup.request, self._reply(lookup, finding), is_file)
        if self._access is None or not isinstance(finding, OpenFile):
            return response
        beyond = self._access.beyond(lookup.request.target.segments, finding.path)
        return replace(response, fields=keep_private(response.fields)) if are_private(beyond) else response

    def refuse(self, bad: BadRequest) -> Response:
        """The response to an invalid request, or to a refused connection."""
        return self.finish(bad, self.error(bad, bad.status))

    def unavailable(self, request: Request) -> Response:
        """The response to a request whose access cannot be checked at the moment."""
        return self.finish(request, self.error(request, 503))

    def finish(self, event: Request | BadRequest, response: Response, is_file: bool = False) -> Response:
        """The response with the fields that are added to each; called with that of a guard, too.

        is_file: whether it is made of a file, which rules may describe.
        """
        fields = response.fields
        if self._added_fields is not None:
            fields = self._added_fields.apply(event, response.status, fields, is_file)
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
            return self.error(request, 417)
        if method == b"OPTIONS":
            return Response(204, ((b"Allow", ALLOWED),))
        if method not in (b"GET", b"HEAD"):
            if method in _KNOWN_METHODS:
                return self.error(request, 405, (b"Allow", ALLOWED))
            return self.error(request, 501)
        if target.unescaped:
            return self._pages.redirect(method, target.location)
        servable = is_servable(target.segments, self._dotfiles)
        lookup = self._own_files.lookup_of(request, servable)
        if servable and self._browsing is not None:
            lookup = self._browsing.apply(lookup)
        if servable and self._redirects is not None:
            ruled = with_rule(lookup, self._redirects, self._indexes, self._dotfiles)
            if isinstance(ruled, Redirect):
                return self._pages.redirect_by_rule(method, ruled)
            lookup = ruled
        if self._spa:
            lookup = with_fallback(lookup, self._indexes, self._roots)
        if not lookup.candidates and lookup.error_directory is None:
            return self._reply(lookup, NOT_FOUND)
        if self._negotiation is not None:
            lookup = self._negotiation.apply(lookup, partial(self._files.media, request), self._may_compress(request))
        return lookup

    def _may_compress(self, request: Request) -> bool:
        return self._added_fields is None or not self._added_fields.rules.forbid_transforms(request)

    def _reply(self, lookup: Lookup, finding: Finding) -> Response:
        method, target = lookup.request.method, lookup.request.target
        if isinstance(finding, OpenFile):
            return self._files.respond(lookup, finding)
        if isinstance(finding, Moved):
            return self._pages.redirect(method, clean_location(target, self._indexes, self._relative_redirects))
        if isinstance(finding, Directory) and not lookup.names_directory:
            return self._pages.redirect(method, target.directory_location(self._relative_redirects))
        if isinstance(finding, Directory | NotFound) and isinstance(lookup.rule, Redirect):
            return self._pages.redirect_by_rule(method, lookup.rule)
        if isinstance(finding, Unavailable | StorageError) and finding.page is not None:
            return self._files.respond(lookup, finding.page)
        fields, page = (finding.fields, finding.page) if isinstance(finding, Refused) else ((), b"")
        response = self.error(lookup.request, lookup.error_status(finding) or 404, *fields, page=page)
        return replace(response, fields=add_vary(response.fields, lookup.vary)) if lookup.vary else response

    def error(
        self, event: Request | BadRequest, status: int, *fields: tuple[bytes, bytes], page: bytes = b""
    ) -> Response:
        """A response to an error. page: the content of the site's own page; b"" for one of PWB's own."""
        return self._pages.error(event, status, *fields, page=page)
