"""The step of the explanation about limits: which of them applies. Nothing is counted, and nothing refused."""

from collections.abc import Iterator

from pwb_async.core.site.limit_rules import Limit

from .explanation import Detail, Step, Verdict


def limit_step(limit: Limit, client: str) -> Step:
    """What limits the requests for a path, and how fast their responses are sent."""
    if limit.requests is None and not limit.sending:
        return Step("limits", "none is about this path")
    if client in limit.exempt:
        return Step("limits", f"{client} is exempt ({limit.place})")
    return Step("limits", limit.place, tuple(_details(limit)))


def _details(limit: Limit) -> Iterator[Detail]:
    if (requests := limit.requests) is not None:
        reason = "beyond that they are only counted" if limit.dry_run else "beyond that the response is 429"
        yield Detail(f"{requests.rate} requests of a client, {requests.burst} at once", Verdict.CHOSEN, reason)
    if limit.sending.rate:
        yield Detail(f"{limit.sending.rate} bytes a second", Verdict.CHOSEN, "on a connection")
    for name, rate in limit.sending.totals:
        reason = "of all such responses together" if name else "of all responses together"
        yield Detail(f"{rate} bytes a second", Verdict.CHOSEN, reason)
