"""docs/proxies.md: its configurations, with their addresses exchanged, in front of a server that is started as it shows."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conformance.designs import REFERENCE
from tests.conformance.server import running
from tests.interop.programs import needs
from tests.interop.proxies import free_port, proxy
from tests.process.command import launched

from .examples import named_block

NAME = "docs/proxies.md"
NGINX = """
daemon off;
%s
pid pid;
events {}
http { access_log off; %s }
"""
UNIX = ("--unix", "pwb.sock", "--trusted-proxy", "unix")
LIE = ("-H", "X-Forwarded-For: 203.0.113.9", "-H", "Forwarded: for=203.0.113.9")


@pytest.fixture
def port() -> int:
    return free_port()


async def curl(url: str, *options: str) -> str:
    """The content and the status that curl gets."""
    words = ["curl", "-s", "-k", "-w", " %{http_code}", *options, url]
    done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, timeout=20)
    return done.stdout


def site(folder: Path) -> Path:
    (folder / "site").mkdir()
    (folder / "site/index.html").write_text("hello PWB")
    return folder / "site"


def shell(name: str, port: int, folder: Path) -> tuple[list[str], str]:
    """The command of a proxy, and the configuration of the page with addresses of the test."""
    text = named_block(NAME, name).replace("/run/pwb.sock", str(folder / "pwb.sock"))
    if name == "nginx.conf":
        user = "user root;" if os.geteuid() == 0 else ""
        text = NGINX % (user, text.replace("listen 80", f"listen 127.0.0.1:{port}"))
        return ["nginx", "-p", str(folder), "-e", "error.log", "-c", name], text
    if name == "Caddyfile":
        text = text.replace("www.example.com", f"http://127.0.0.1:{port}")
        return ["caddy", "run", "--adapter", "caddyfile", "--config", name], "{\nadmin off\n}\n" + text
    return ["haproxy", "-f", name], text.replace("bind :80", f"bind 127.0.0.1:{port}")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("nginx.conf", marks=needs("nginx")),
        pytest.param("Caddyfile", marks=needs("caddy")),
        pytest.param("haproxy.cfg", marks=needs("haproxy")),
    ],
)
@needs("curl")
async def test_a_proxy_on_the_same_machine(name: str, port: int, tmp_path: Path) -> None:
    """The client is that of the proxy, whatever the client says itself."""
    words, config = shell(name, port, tmp_path)
    async with (
        launched(site(tmp_path), *UNIX, "--unix-mode", "666", folder=tmp_path),
        proxy(words, config, port, tmp_path),
    ):
        assert await curl(f"http://127.0.0.1:{port}/", "--interface", "127.0.0.9", *LIE) == "hello PWB 200"
    lines = (tmp_path / "output").read_text()
    assert re.findall(r'^(\S+) - - .*"GET / HTTP/1.1" 200 ', lines, re.MULTILINE) == ["127.0.0.9"]


@needs("haproxy")
@needs("curl")
async def test_haproxy_in_tcp_mode(port: int, tmp_path: Path) -> None:
    (tmp_path / "pwb.toml").write_text(named_block(NAME, "pwb.toml"))
    async with running(REFERENCE, site(tmp_path), log_dir=tmp_path, allowed_errors="self-signed") as server:
        upstream = f"{server.address[0]}:{server.address[1]}"
        config = named_block(NAME, "haproxy-tcp.cfg").replace("bind :443", f"bind 127.0.0.1:{port}")
        config = config.replace("127.0.0.1:8888", upstream)
        async with proxy(["haproxy", "-f", "haproxy-tcp.cfg"], config, port, tmp_path):
            assert await curl(f"https://127.0.0.1:{port}/", "--interface", "127.0.0.9") == "hello PWB 200"
    assert re.findall(r"^(\S+) ", server.log.read_text(), re.MULTILINE) == ["127.0.0.9"]
