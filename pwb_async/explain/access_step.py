"""The step of the explanation about access: which rules apply, and which of them refuses the request."""

from pwb_async.access.guard import Access, Unverified
from pwb_async.core.semantics.messages import Request
from pwb_async.core.semantics.target import host_name
from pwb_async.core.site.access import AccessRule
from pwb_async.core.site.cors import is_preflight
from pwb_async.core.site.lookup import Lookup

from .explanation import Detail, Step, Verdict
from .outcome import Outcome

_GUARD = "guard"


def guard_step(outcome: Outcome, access: Access | None) -> Step:
    """Whether the request may be answered at all. access: that of its site; None if nothing is refused there."""
    request = outcome.event
    if access is None or not isinstance(request, Request):
        return Step(_GUARD, "passes, since no option and no rule refuses anything")
    details = []
    if hosts := outcome.options.allowed_host:
        host = (
            host_name(request.target.authority or request.fields.host).decode("latin-1") or "a request without a host"
        )
        served = access.serves(request)
        verdict, reason = (Verdict.CHOSEN, f"names {host}") if served else (Verdict.LOST, f"does not name {host}: 403")
        details.append(Detail(f"--allowed-host {', '.join(hosts)}", verdict, reason))
    if access.serves(request):
        details += [_detail(access.alone(rule), rule, outcome) for rule in access.rules.at(request.target.segments)]
    if outcome.located is None:
        return Step(_GUARD, f"refuses it with {outcome.response.status}; nothing else is asked", tuple(details))
    return Step(_GUARD, "passes" if details else "passes, since no rule is about this path", tuple(details))


def found_step(outcome: Outcome, lookup: Lookup, access: Access) -> Step:
    """Which rules refuse what was looked up, though they are not about the path that was requested."""
    segments = lookup.request.target.segments
    rules = dict.fromkeys(rule for each in lookup.candidates for rule in access.rules.beyond(segments, each.path))
    details = tuple(_detail(access.alone(rule), rule, outcome) for rule in rules)
    return Step(_GUARD, f"refuses what was looked up with {outcome.response.status}", details)


def _detail(alone: Access, rule: AccessRule, outcome: Outcome) -> Detail:
    """What one rule decides. alone: the access of a site without any other rule."""
    request, client = outcome.event, outcome.client
    assert isinstance(request, Request)
    subject = f"{rule.place} for {'all paths' if rule.pattern is None else rule.pattern.text}"
    verdict = alone.judge(client, request)
    if isinstance(verdict, Unverified):
        verdict = alone.verify(verdict)
    if verdict is None:
        admitted = [f"admits {client}"] if rule.by_address else []
        known = []
        if rule.htpasswd:
            known.append("a preflight needs no password" if is_preflight(request) else f"{rule.htpasswd} has the user")
        return Detail(subject, Verdict.CHOSEN, ", ".join(admitted + known))
    if not rule.admits(client):
        reason = f"does not admit {client}"
    elif request.fields.get(b"authorization") is None:
        reason = f"needs a password of {rule.htpasswd}, and there is no Authorization"
    else:
        reason = f"the credentials are not those of a user in {rule.htpasswd}"
    return Detail(subject, Verdict.LOST, f"{reason}: {verdict.status}")
