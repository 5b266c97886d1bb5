"""The site of the admin address.

    /           the dashboard, a page that draws the metrics
    /metrics    the metrics, in OpenMetrics or in Prometheus text
    /livez      200 if the server is live, 503 with the reason otherwise
    /readyz     200 if the server is ready, 503 with the reason otherwise

It reads nothing from the disk. Nothing can be changed here, but it is no place for strangers either: no other site can
read it in a browser, also not under a name of its own that leads here (DNS rebinding), if only this machine reaches it.
"""

import platform
import sys
from collections.abc import Callable, Collection, Iterator
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.accept import accepted
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.semantics.target import host_name
from pwb_async.core.site.error_pages import page_response
from pwb_async.core.site.findings import Finding
from pwb_async.core.site.lookup import Lookup
from pwb_async.metrics.exposition import OPEN_METRICS, OPEN_METRICS_TYPE, TEXT_TYPE, open_metrics, prometheus_text
from pwb_async.metrics.families import Family, families, gauge, info
from pwb_async.metrics.metrics import Metrics
from pwb_async.metrics.phase import Phase
from pwb_async.metrics.totals import totals
from pwb_async.version import __version__

from .dashboard import DASHBOARD, POLICY
from .health import Health
from .responses import health_response, text_response

_ALLOW: Final = (b"Allow", b"GET, HEAD")
_HTML: Final = b"text/html; charset=utf-8"


class AdminSite:
    """A Responder that tells how a server is.

    Args:
        metrics: The metrics of the server.
        max_load: As Health has it.
        loop: The name of the event loop.
        hosts: The hosts that requests may name, beside none; () for any.
    """

    variant = None
    target_key = None

    def __init__(
        self, metrics: Metrics, max_load: int | None, loop: str, hosts: Collection[bytes] = frozenset()
    ) -> None:
        self._metrics = metrics
        self._hosts = hosts
        self._health = Health(metrics.rows, max_load)
        self._loop = loop
        self._pages: dict[tuple[bytes, ...], Callable[[Request], Response]] = {
            (): self._dashboard,
            (b"metrics",): self._respond_with_metrics,
            (b"livez",): lambda request: health_response(request.method, self._health.why_not_live()),
            (b"readyz",): lambda request: health_response(request.method, self._health.why_not_ready()),
        }

    def locate(self, request: Request, client: str = "") -> Response:
        """The response to a request."""
        host = host_name(request.target.authority or request.fields.host)
        if host and self._hosts and host not in self._hosts:
            return self.error(request, 403)
        page = self._pages.get(request.target.segments)
        if page is None:
            return self.error(request, 404)
        if request.method not in (b"GET", b"HEAD"):
            return self.error(request, 405, _ALLOW)
        self._metrics.refresh()
        return page(request)

    def reply(self, lookup: Lookup, finding: Finding) -> Response:
        """There are no files here."""
        return self.error(lookup.request, 404)

    def refuse(self, bad: BadRequest) -> Response:
        """The response to an invalid request, or to a refused connection."""
        return self.error(bad, bad.status)

    def unavailable(self, request: Request) -> Response:
        """The response to a request that cannot be answered at the moment."""
        return self.error(request, 503)

    def finish(self, event: Request | BadRequest, response: Response) -> Response:
        """The response, to which no fields are added."""
        return response

    def error(
        self, event: Request | BadRequest, status: int, *fields: tuple[bytes, bytes], page: bytes = b""
    ) -> Response:
        """A response to an error."""
        return page_response(status, event.method, ((b"Cache-Control", b"no-store"), *fields))

    def _dashboard(self, request: Request) -> Response:
        return text_response(request.method, _HTML, DASHBOARD, fields=((b"Content-Security-Policy", POLICY),))

    def _respond_with_metrics(self, request: Request) -> Response:
        vary = ((b"Vary", b"Accept"),)
        if accepted(request.fields).names(OPEN_METRICS):
            return text_response(request.method, OPEN_METRICS_TYPE, open_metrics(self._families()), fields=vary)
        return text_response(request.method, TEXT_TYPE, prometheus_text(self._families()), fields=vary)

    def _families(self) -> Iterator[Family]:
        rows = self._metrics.rows
        yield from families(totals(rows))
        serving = len(rows.rows_in(Phase.SERVING))
        yield gauge("pwb_workers", "Processes that serve.", serving)
        yield gauge("pwb_ready", "1 if /readyz responds with 200, else 0.", int(not self._health.why_not_ready()))
        yield gauge(
            "process_start_time_seconds",
            "When the server was started, since the epoch.",
            self._metrics.started_at,
            "seconds",
        )
        python = f"{platform.python_implementation()} {platform.python_version()}"
        yield info(
            "pwb_build", "The version.", version=__version__, python=python, loop=self._loop, platform=sys.platform
        )
