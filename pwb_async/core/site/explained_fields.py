"""Responses that hold in short what has made them: --explain-fields.

    Server-Timing: rule;desc="_redirects line 3", file;desc="a.html", coding;desc="br", fields;desc="_headers line 1"
    Cache-Status: PWB; hit

Cache-Status (RFC 9211) is about the response cache: hit, fwd=miss if it had no such response, and fwd=bypass if what is
found cannot be cached. Both fields show what a site may want to hide, such as the paths of files. `pwb explain` has the
long form. Developer tools of browsers show Server-Timing beside the times of a request.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import FieldList, Request, Response

from .findings import Finding, Moved, OpenFile, StorageError, Unavailable
from .header_rules import HeaderRules
from .lookup import Lookup
from .redirect_rules import Redirect, RedirectRules
from .responder import Responder

_MOST: Final = 10
"""The most places of rules about fields that are listed."""


class ExplainedFields:
    """A Responder that explains the responses of another one.

    Args:
        site: The other one.
        redirects: Its redirects and rewrites.
        headers: Its rules about fields.
        cached: Whether its server has a response cache.
    """

    def __init__(self, site: Responder, redirects: RedirectRules, headers: HeaderRules, *, cached: bool) -> None:
        self._site = site
        self._redirects, self._headers, self._cached = redirects, headers, cached
        self.variant, self.target_key = site.variant, site.target_key
        self.refuse = site.refuse
        self.unavailable = site.unavailable
        self.error = site.error

    def locate(self, request: Request, client: str = "") -> Lookup | Response:
        """The lookup, or the response of a forced redirect or of a method without files."""
        located = self._site.locate(request, client)
        if isinstance(located, Lookup):
            return located
        forced = self._redirects.forced(request) if located.status != 405 else None
        is_forced = isinstance(forced, Redirect) and (b"Location", forced.location) in located.fields
        return self._add(located, self._timings(request, forced.rule.place if forced and is_forced else ""))

    def reply(self, lookup: Lookup, finding: Finding) -> Response:
        """The response with the rule, the file and the coding, and whether it is from the cache."""
        page = finding.page if isinstance(finding, Unavailable | StorageError) else finding
        response = self._site.reply(lookup, finding)
        status = ((b"Cache-Status", b"PWB; " + _cache_status(lookup)),) if self._cached else ()
        return self._add(response, self._timings(lookup.request, _rule(lookup, response, page), page), status)

    def finish(self, event: Request | BadRequest, response: Response) -> Response:
        """The response to a request that a guard has refused."""
        return self._add(self._site.finish(event, response), [_timing(b"guard", str(response.status))])

    def _timings(self, request: Request, rule: str, page: Finding | None = None) -> list[bytes]:
        timings = [_timing(b"rule", rule)] if rule else []
        if isinstance(page, OpenFile | Moved):
            timings.append(_timing(b"file", page.path.decode(errors="replace") or "/"))
        if isinstance(page, OpenFile) and page.coding:
            timings.append(_timing(b"coding", page.coding.decode() + " on the fly" * page.compressed))
        places = dict.fromkeys(step.place for step in self._headers.steps(request))
        return timings + ([_timing(b"fields", ", ".join([*places][:_MOST]))] if places else [])

    def _add(self, response: Response, timings: Iterable[bytes], fields: FieldList = ()) -> Response:
        value = b", ".join(timings)
        added = ((b"Server-Timing", value), *fields) if value else fields
        return replace(response, fields=(*response.fields, *added)) if added else response


def _rule(lookup: Lookup, response: Response, page: Finding | None) -> str:
    """The place of the rule that has decided; "" for none."""
    rule = lookup.rule
    if isinstance(rule, Redirect):
        return rule.rule.place if (b"Location", rule.location) in response.fields else ""
    if rule is None or not isinstance(page, OpenFile) or page.status != rule.status:
        return ""
    path = b"/".join(rule.segments)
    return rule.rule.place if page.path == path or page.path.startswith(path + b"/" * bool(path)) else ""


def _cache_status(lookup: Lookup) -> bytes:
    if lookup.cached:
        return b"hit"
    return b"fwd=miss" if lookup.cacheable else b"fwd=bypass"


def _timing(name: bytes, description: str) -> bytes:
    """A metric with a description, as a quoted-string of visible ASCII (Server Timing, 3)."""
    text = description.encode("ascii", "backslashreplace")
    safe = bytes(byte if 32 <= byte < 127 else 63 for byte in text)
    return b'%s;desc="%s"' % (name, safe.replace(b"\\", b"\\\\").replace(b'"', b'\\"'))
