"""The files in docs/monitoring, and a real Prometheus that scrapes a server and agrees with wrk and the access log."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from pwb_async.metrics.cells import ROW_LENGTH
from pwb_async.metrics.families import families
from tests.conformance.designs import REFERENCE
from tests.conformance.server import Server, eventually, running

from .programs import needs, run, wrk_script
from .proxies import free_port

DOCS = Path(__file__).parents[2] / "docs" / "monitoring"
EACH = 2000
"""Requests of each of wrk's threads."""


@needs("promtool")
@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml"), ("check", "config", "prometheus.yml")],
    ids=" ".join,
)
async def test_promtool_accepts_the_files(arguments: tuple[str, ...]) -> None:
    ran = await run("promtool", *arguments, folder=DOCS)
    assert ran.status == 0, ran.errors
    assert "SUCCESS" in ran.output.decode()


def expressions() -> list[str]:
    """The expressions of the Grafana dashboard, for one server."""
    panels = json.loads((DOCS / "grafana.json").read_text())["panels"]
    variables = {"$job": "pwb", "$instance": ".*", "$__rate_interval": "10s"}
    found = [target["expr"] for panel in panels for target in panel["targets"]]
    for name, value in variables.items():
        found = [expression.replace(name, value) for expression in found]
    return found


def test_the_dashboard_and_the_alerts_name_metrics_that_exist() -> None:
    exist = {"up", "pwb_ready", "pwb_workers", "pwb_build_info", "process_start_time_seconds"}
    exist |= {family.name + sample.suffix for family in families([1] * ROW_LENGTH) for sample in family.samples}
    for text in (*expressions(), (DOCS / "alerts.yml").read_text()):
        assert set(re.findall(r"\b(?:pwb|http|process)_\w+", text)) <= exist


class Prometheus:
    """The API of a Prometheus that runs."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    async def get(self, path: str, **parameters: str) -> Any:
        def fetch() -> Any:
            with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as response:
                return json.load(response)["data"]

        return await asyncio.to_thread(fetch)

    async def value(self, expression: str) -> float | None:
        """The only value of an expression; None for none."""
        found = (await self.get("query", query=expression))["result"]
        return float(found[0]["value"][1]) if found else None

    async def wait_for(self, expression: str, value: float) -> None:
        found: float | None = None
        try:
            async with asyncio.timeout(30):
                while (found := await self.value(expression)) != value:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{expression} is {found}, not {value}") from None


async def wrk(server: Server, folder: Path) -> int:
    """The number of requests that two connections have made, on one thread each."""
    script = folder / "count.lua"
    script.write_text(wrk_script(EACH))
    ran = await run("wrk", "-t2", "-c2", "-d4s", "-s", str(script), f"{server.url}/a.txt")
    assert ran.status == 0, ran.errors
    found = re.search(r"(\d+) requests in", ran.output.decode())
    assert found, ran.output
    assert "Socket errors" not in ran.output.decode()
    return int(found[1])


@needs("prometheus")
@needs("wrk")
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_prometheus_agrees_with_wrk_and_the_log(workers: str, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.txt").write_bytes(b"x" * 1000)
    admin, port = free_port(), free_port()
    config = (
        (DOCS / "prometheus.yml")
        .read_text()
        .replace("15s", "1s")
        .replace('"web1.example:9188", "web2.example:9188"', f'"127.0.0.1:{admin}"')
    )
    (tmp_path / "prometheus.yml").write_text("global: {evaluation_interval: 1s}\n" + config)
    (tmp_path / "alerts.yml").write_text((DOCS / "alerts.yml").read_text())
    options = ("--admin", f"127.0.0.1:{admin}", "--workers", workers)
    async with running(REFERENCE, tmp_path / "root", *options, log_dir=tmp_path) as server:
        with (tmp_path / "prometheus.log").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                "prometheus",
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                stdout=output,
                stderr=output,
            )
        try:
            prometheus = Prometheus(port)

            async def is_up() -> bool:
                try:
                    return await prometheus.value("up") == 1
                except OSError:
                    return False

            async with asyncio.timeout(30):
                while not await is_up():
                    assert process.returncode is None, (tmp_path / "prometheus.log").read_text()
                    await asyncio.sleep(0.1)
            requests = await wrk(server, tmp_path)
            assert requests == 2 * EACH
            await eventually(lambda: server.log.read_bytes().count(b"\n") == requests, 10)
            await prometheus.wait_for('sum(pwb_http_requests_total{method="GET",status="200"})', requests)
            await prometheus.wait_for("http_server_request_duration_seconds_count", requests)
            await prometheus.wait_for("pwb_http_response_content_bytes_total", requests * 1000)
            await prometheus.wait_for("pwb_cache_hits_total + pwb_cache_misses_total", requests)
            await prometheus.wait_for("pwb_workers", int(workers))
            for expression in expressions():
                assert (await prometheus.get("query", query=expression))["resultType"] == "vector"
            (target,) = (await prometheus.get("targets"))["activeTargets"]
            assert (target["health"], target["lastError"]) == ("up", "")
            (group,) = (await prometheus.get("rules"))["groups"]
            assert {(rule["health"], rule["state"]) for rule in group["rules"]} == {("ok", "inactive")}
        finally:
            process.terminate()
            await process.wait()
