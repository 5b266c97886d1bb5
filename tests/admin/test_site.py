"""The pages of the admin address."""

import re

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics

from pwb_async.admin.dashboard import DASHBOARD, POLICY
from pwb_async.admin.health import Health
from pwb_async.admin.health_guard import health_guard
from pwb_async.admin.site import AdminSite
from pwb_async.config.operation_types import PAGE
from pwb_async.core.events import BadRequest
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.metrics.cells import CELL
from pwb_async.metrics.metrics import Metrics
from pwb_async.metrics.phase import Phase


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def site(metrics: Metrics) -> AdminSite:
    return AdminSite(metrics, None, "uvloop")


def request(target: str, method: str = "GET", *lines: str) -> Request:
    head = "\r\n".join((f"{method} {target} HTTP/1.1", "Host: a", *lines, "", ""))
    event = Connection(RequestParser(Limits()), b"PWB").receive(head.encode())
    assert isinstance(event, Request)
    return event


def field(response: Response, name: bytes) -> bytes:
    return dict(response.fields)[name]


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", b"text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain", b"text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text", b"application/openmetrics-text; version=1.0.0; charset=utf-8"),
        ("application/openmetrics-text;q=0", b"text/plain; version=0.0.4; charset=utf-8"),
        (
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
            "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",  # Prometheus
            b"application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
    ],
)
def test_the_format_is_negotiated(accept: str, media: bytes, site: AdminSite) -> None:
    response = site.locate(request("/metrics", "GET", f"Accept: {accept}"))
    assert (response.status, field(response, b"Content-Type")) == (200, media)
    assert (field(response, b"Vary"), field(response, b"Cache-Control")) == (b"Accept", b"no-store")
    (content,) = response.parts
    assert isinstance(content, bytes)
    assert content.endswith(b"# EOF\n") == media.startswith(b"application/openmetrics-text")
    if content.endswith(b"# EOF\n"):
        (build,) = (family for family in parse_open_metrics(content.decode()) if family.name == "pwb_build")
        assert build.samples[0].labels["loop"] == "uvloop"


@pytest.mark.parametrize("target", ["/", "/metrics", "/livez", "/readyz"])
@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_methods(target: str, method: str, site: AdminSite, metrics: Metrics) -> None:
    metrics.set_phase(Phase.SERVING)
    response = site.locate(request(target, method))
    assert response.status == (200 if method == "HEAD" else 405)
    assert method != "HEAD" or not response.parts
    assert method == "HEAD" or field(response, b"Allow") == b"GET, HEAD"


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("LOCALHOST:9188", 200), ("[::1]:9188", 200), ("evil.example:9188", 403)],
)
def test_a_name_of_another_site_gets_nothing(host: str, status: int, metrics: Metrics) -> None:
    """DNS rebinding: a page of that site asks under its own name, which leads to this machine."""
    site = AdminSite(metrics, None, "uvloop", frozenset((b"localhost", b"[::1]")))
    for target in ("/", "/metrics", "/livez"):
        head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"
        event = Connection(RequestParser(Limits()), b"PWB").receive(head.encode())
        assert isinstance(event, Request)
        response = site.locate(event)
        assert response.status == status
        assert status == 403 or field(response, b"Cross-Origin-Resource-Policy") == b"same-origin"


@pytest.mark.parametrize("target", ["/metric", "/metrics/x", "/index.html", "/..%2fmetrics"])
def test_nothing_else_is_there(target: str, site: AdminSite) -> None:
    assert site.locate(request(target)).status == 404


def test_errors(site: AdminSite) -> None:
    assert site.refuse(BadRequest(431, "")).status == 431
    assert site.unavailable(request("/")).status == 503


def test_readiness_follows_the_phase(site: AdminSite, metrics: Metrics) -> None:
    expected = {
        Phase.STARTING: b"no: it is starting\n",
        Phase.SERVING: b"ok\n",
        Phase.STOPPING: b"no: it is stopping\n",
    }
    for phase, content in expected.items():
        metrics.set_phase(phase)
        response = site.locate(request("/readyz"))
        assert (response.status, response.parts) == (200 if phase is Phase.SERVING else 503, (content,))
        assert site.locate(request("/livez")).status == 200


def test_liveness_looks_at_every_process(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    health = Health(metrics.rows)
    metrics.set_phase(Phase.SERVING)
    metrics.beat()
    now = metrics.rows.read(0)[CELL["heartbeat"]]
    monkeypatch.setattr("time.monotonic_ns", lambda: now + 4_900_000_000)
    assert health.why_not_live() == ""
    monkeypatch.setattr("time.monotonic_ns", lambda: now + 5_100_000_000)
    assert health.why_not_live() == "1 of 1 processes do not respond"
    metrics.rows.set_phase_of(0, Phase.STOPPING)
    assert health.why_not_live() == ""


@pytest.mark.parametrize(("open_now", "ready"), [(0, True), (8, True), (9, False), (10, False)])
def test_load(open_now: int, ready: bool, metrics: Metrics) -> None:
    metrics.set_phase(Phase.SERVING)
    for name, number in (
        ("idle", open_now - open_now // 2),
        ("responding", open_now // 2),
        ("allowed_connections", 10),
    ):
        metrics.recorder.numbers[CELL[name]] = number
    metrics.recorder.flush()
    assert (Health(metrics.rows, 90).why_not_ready() == "") == ready
    assert Health(metrics.rows).why_not_ready() == ""


def test_the_guard_answers_at_its_path_alone(metrics: Metrics) -> None:
    guard = health_guard("/a b/up", Health(metrics.rows))
    for target in ("/", "/a%20b", "/a%20b/up/x", "/A%20b/up"):
        assert guard("c", request(target)) is None
    assert guard("c", request("/a%20b/up", "POST")) is None
    response = guard("c", request("/a%20b/up"))
    assert isinstance(response, Response)
    assert response.status == 503
    metrics.set_phase(Phase.SERVING)
    response = guard("c", request("/a%20b/up", "HEAD"))
    assert isinstance(response, Response)
    assert (response.status, response.parts) == (200, ())


def test_the_guard_answers_at_a_path_that_is_no_text(metrics: Metrics) -> None:
    guard = health_guard(str(PAGE.parse("/%FF")), Health(metrics.rows))
    assert guard("c", request("/%ff")) is not None
    assert guard("c", request("/%fe")) is None


def test_the_dashboard_needs_nothing_from_elsewhere(site: AdminSite) -> None:
    response = site.locate(request("/"))
    assert response.parts == (DASHBOARD,)
    assert field(response, b"Content-Security-Policy") == POLICY
    assert set(re.findall(rb"https?://[^\"' ]+", DASHBOARD)) == {b"http://www.w3.org/2000/svg"}  # a name, no address
    assert not re.search(rb"<(link|img|iframe|script [^>]*src)|@import|url\(|style=", DASHBOARD)
    assert POLICY.startswith(b"default-src 'none'; connect-src 'self'")
