"""Every load balancer of docs/deploy, with its file from there: nodes that are restarted or killed fail no request."""

import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.interop.programs import needs
from tests.interop.proxies import free_port, proxy

from .cluster import HAProxy, Node, configuration, nodes
from .load import Load
from .release import write

RATE = 300.0
Address = tuple[str, int]
Balancer = Callable[[list[Node], Path], AbstractAsyncContextManager[Address]]


@asynccontextmanager
async def haproxy(servers: list[Node], folder: Path) -> AsyncIterator[Address]:
    async with HAProxy(servers, folder, "inter 200ms fall 2 rise 2").running() as each:
        yield each.address


@asynccontextmanager
async def nginx(servers: list[Node], folder: Path) -> AsyncIterator[Address]:
    port = free_port()
    site = configuration("nginx.conf", servers, {"listen 80;": f"listen 127.0.0.1:{port};"})
    text = f"daemon off;\npid pid;\nerror_log error.log;\nevents {{ }}\nhttp {{ access_log off;\n{site}\n}}\n"
    async with proxy(["nginx", "-p", str(folder), "-c", "nginx.conf"], text, port, folder):
        yield "127.0.0.1", port


@asynccontextmanager
async def caddy(servers: list[Node], folder: Path) -> AsyncIterator[Address]:
    port = free_port()
    replaced = {
        "www.example.com {": f"http://127.0.0.1:{port}, http://site:{port} {{",
        "health_interval 1s": "health_interval 200ms",
    }
    text = "{\n\tadmin off\n\tauto_https off\n}\n" + configuration("Caddyfile", servers, replaced)
    words = ["caddy", "run", "--adapter", "caddyfile", "--config", "Caddyfile"]
    async with proxy(words, text, port, folder):
        yield "127.0.0.1", port


@pytest.mark.parametrize(
    "running",
    [
        pytest.param(haproxy, marks=needs("haproxy")),
        pytest.param(nginx, marks=needs("nginx")),
        pytest.param(caddy, marks=needs("caddy")),
    ],
)
async def test_nodes_that_are_restarted_or_killed(running: Balancer, tmp_path: Path) -> None:
    write(tmp_path / "site", 1)
    async with (
        nodes(tmp_path, "site", "--shutdown-delay", "1s", "--workers", "1") as servers,
        running(servers, tmp_path) as address,
        Load(address, RATE) as load,
    ):
        await load.reach(200)
        await servers[0].restart()
        await load.reach(load.count + 200)
        servers[1].kill()
        await load.reach(load.count + 300)
    assert load.failures == []


@needs("haproxy")
def test_haproxy_finds_its_file_valid() -> None:
    """As it is, with its own addresses."""
    run = subprocess.run(
        ["haproxy", "-c", "-f", "docs/deploy/haproxy.cfg"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (run.returncode, "warning" in run.stderr.lower()) == (0, False), run.stderr
