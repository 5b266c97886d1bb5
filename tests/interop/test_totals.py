"""The numbers of requests and bytes in the metrics are exactly those of load generators and of the access log."""

import asyncio
import re
import signal
from pathlib import Path

import pytest

from tests.conformance.designs import COLUMNS, REFERENCE, Design
from tests.conformance.server import Server, eventually, running
from tests.process.admin import Admin, total

from .programs import needs, run, wrk_script

SIZE = 1000
REQUESTS = 2000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(b"x" * SIZE)
    return root


async def check_totals(admin: Admin, server: Server, requests: int) -> None:
    cached = ("pwb_cache_hits_total", "pwb_cache_misses_total")
    metrics = await admin.wait_for(lambda metrics: sum(metrics[name] for name in cached) >= requests)
    assert total(metrics, "pwb_http_requests_total") == sum(metrics[name] for name in cached) == requests
    await eventually(lambda: server.log.read_bytes().count(b"\n") >= requests, 10)
    assert server.log.read_bytes().count(b"\n") == requests
    assert metrics['pwb_http_requests_total{method="GET",status="200"}'] == requests
    assert metrics["http_server_request_duration_seconds_count"] == requests
    assert metrics["pwb_http_response_content_bytes_total"] == requests * SIZE
    assert metrics["pwb_cache_hits_total"] > 0.8 * requests


@needs("h2load")
@pytest.mark.parametrize("workers", ["1", "4"])
@pytest.mark.parametrize("version", [(), ("--h1",)], ids=["http2", "http1"])
@pytest.mark.parametrize("served", [REFERENCE, COLUMNS[0]], ids=["plain", "tls"])
async def test_h2load_agrees(
    served: Design, version: tuple[str, ...], workers: str, root: Path, tmp_path: Path
) -> None:
    admin = Admin(tmp_path)
    async with running(served, root, *admin.options, "--workers", workers, "--http2", log_dir=tmp_path) as server:
        ran = await run("h2load", *version, f"-n{REQUESTS}", "-c4", "-m4", f"{server.url}/a.txt")
        assert f"{REQUESTS} succeeded, 0 failed" in ran.output.decode(), ran.output
        await check_totals(admin, server, REQUESTS)


@needs("wrk")
async def test_wrk_agrees_over_reloads(root: Path, tmp_path: Path) -> None:
    """Each reload replaces all workers, which finish their responses first."""
    admin, script = Admin(tmp_path), tmp_path / "count.lua"
    script.write_text(wrk_script(REQUESTS))
    options = (*admin.options, "--workers", "4")
    async with running(REFERENCE, root, *options, log_dir=tmp_path, allowed_errors="reloaded") as server:
        measuring = asyncio.ensure_future(run("wrk", "-t4", "-c4", "-d20s", "-s", str(script), f"{server.url}/a.txt"))
        for reloads in (1, 2):
            await admin.wait_for(lambda metrics: total(metrics, "pwb_http_requests_total") > 0)
            server.signal(signal.SIGHUP)
            await admin.wait_for(
                lambda metrics, reloads=reloads: metrics['pwb_reloads_total{result="success"}'] == reloads  # type: ignore[misc]
            )
        output = (await measuring).output.decode()
        found = re.search(r"(\d+) requests in", output)
        assert found, output
        assert "Socket errors" not in output
        await check_totals(admin, server, int(found[1]))
