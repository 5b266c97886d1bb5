"""The steps of the explanation about the site: its host, its rules, conditions of the request, and caches."""

from typing import Final

from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.semantics.target import host_name
from pwb_async.core.site.findings import OpenFile, Refused
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.redirect_rules import Redirect, Rewrite
from pwb_async.output.printing import printable

from .explanation import Detail, Step, Verdict
from .outcome import Outcome, shown

_CONDITIONS: Final = ("If-Match", "If-Unmodified-Since", "If-None-Match", "If-Modified-Since")
"""The preconditions in the order in which they are evaluated (RFC 9110 13.2.2)."""


def site_step(outcome: Outcome, request: Request) -> Step:
    """Which site responds, and of which directories."""
    options = outcome.options
    places = [options.root if options.prefix == "/" else f"{options.prefix}={options.root}", *map(str, options.mount)]
    served = printable(", ".join(places))
    if not outcome.sites:
        return Step("site", served)
    host = host_name(request.target.authority or request.fields.host).decode("latin-1")
    named = f"the host {host}" if host else "a request without a host"
    if outcome.number:
        hosts = b", ".join(outcome.sites[outcome.number - 1].hosts).decode()
        return Step("site", f"{served}, as it is for {hosts}")
    if outcome.response.status == 421:
        return Step("site", f"none, as no site is for {named} (--strict-hosts)")
    return Step("site", f"{served}, the default one, as no other is for {named}")


def response_step(outcome: Outcome, request: Request, response: Response) -> Step | None:
    """Why a response needs no disk; None if it is that of a rule.

    response: what Site.locate has returned.
    """
    method = request.method.decode("latin-1")
    reasons = {
        204: "OPTIONS is answered with the methods that there are",
        404: "this path is never served",
        405: f"{method} is not allowed: a static site has GET, HEAD and OPTIONS",
        417: "Expect asks for something else than 100-continue",
        421: "no site is for this host",
        501: f"PWB has no method {method}",
    }
    if response.status in reasons:
        return Step("response", reasons[response.status])
    return Step("response", "a redirect, as the target has bytes to escape") if request.target.unescaped else None


def rule_step(outcome: Outcome, request: Request) -> Step:
    """Which redirect or rewrite the request meets."""
    lookup = outcome.lookup
    rule = outcome.site.forced_redirect(request) if lookup is None else lookup.rule
    if rule is None:
        return Step("rule", "no redirect or rewrite is about this path")
    written = rule.rule
    text = printable(f"{written.pattern.text} {written.destination.text} {written.status}{'!' * written.force}")
    return Step("rule", f"{written.place}: {text}", (_applied(outcome, lookup, rule),))


def _applied(outcome: Outcome, lookup: Lookup | None, rule: Redirect | Rewrite) -> Detail:
    """What became of the rule that the request meets."""
    if isinstance(rule, Redirect):
        subject = rule.location.decode("latin-1")
        if lookup is None:
            return Detail(subject, Verdict.CHOSEN, "is where it redirects to, before the disk is asked")
        if dict(outcome.unfinished.fields).get(b"Location") == rule.location:
            return Detail(subject, Verdict.CHOSEN, "is where it redirects to, as nothing is found")
        return Detail(subject, Verdict.LOST, "what is found wins over a redirect that is not forced")
    path = b"/".join(rule.segments)
    found = outcome.file
    if isinstance(outcome.finding, Refused):
        return Detail(shown(path), Verdict.LOST, "is not sent to this client")
    if found is not None and found.path in (path, *outcome.indexes(path)) and found.status == rule.status:
        return Detail(shown(path), Verdict.CHOSEN, f"is sent in place of the path, with {rule.status}")
    if found is not None and found.status < 400:
        return Detail(shown(path), Verdict.LOST, "a file of the path itself wins over a rewrite that is not forced")
    return Detail(shown(path), Verdict.LOST, "does not exist")


def condition_step(outcome: Outcome, request: Request, found: OpenFile) -> Step | None:
    """What preconditions and Range make of the response; None if the request has none."""
    fields = request.fields
    named = [name for name in (*_CONDITIONS, "Range", "If-Range") if fields.get(name.lower().encode()) is not None]
    if not named:
        return None
    if found.status != 200:
        return Step("conditions", f"{', '.join(named)} apply to no error")
    status = outcome.response.status
    has_range = "Range" in named
    results = {
        304: "not modified: the client has this version",
        412: "a precondition fails: the client has another version",
        206: "the range that Range asks for",
        416: "Range asks for bytes that are not there",
    }
    if status in results:
        return Step("conditions", f"{', '.join(named)}: {results[status]}")
    if has_range and not found.has_ranges:
        why = "it is compressed when it is requested" if found.compressed else "its content is generated"
        return Step("conditions", f"{', '.join(named)}: the whole file, as {why}")
    if has_range:
        return Step("conditions", f"{', '.join(named)}: the whole file, as Range does not apply")
    return Step("conditions", f"{', '.join(named)}: the client has another version, or none")
