"""docs/recipes.md and docs/first-site.md: what they promise is what a server does that is started as they show."""

import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pwb_async.storage.coders import decodes_to
from tests.conformance.designs import REFERENCE
from tests.conformance.peer import Peer
from tests.conformance.server import Server, environment, running
from tests.conformance.wire import Response, get

from .examples import ROOT, named_block

RECIPES, FIRST = ((ROOT / "docs" / name).read_text() for name in ("recipes.md", "first-site.md"))
NAVIGATION = ("Sec-Fetch-Mode: navigate", "Accept: text/html")


def recipe(title: str) -> str:
    """The text below a heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", RECIPES, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_text("hello PWB")
    return site


@asynccontextmanager
async def served(title: str, site: Path, last: bool = False) -> AsyncIterator[Server]:
    """The server of a recipe: its first command, or its last one."""
    commands = re.findall(r"^    \.venv/bin/pwb ~/site *(.*)$", recipe(title), re.MULTILINE)
    options = shlex.split(commands[-1 if last else 0])
    async with running(REFERENCE, site, *options, log_dir=site.parent) as server:
        yield server


async def fetch(server: Server, target: str, *fields: str) -> Response:
    async with Peer(server.address) as peer:
        await peer.send(get(target, *fields))
        return await peer.read_response()


async def test_an_application(site: Path) -> None:
    (site / "assets/index-BhRYpqRf.js").write_text("run()")
    async with served("An application with routes", site) as server:
        assert (await fetch(server, "/user/7", *NAVIGATION)).content == b"hello PWB"
        assert (await fetch(server, "/assets/gone.js", "Sec-Fetch-Mode: no-cors")).status == 404
        kept = await fetch(server, "/assets/index-BhRYpqRf.js")
        assert kept["Cache-Control"] == "max-age=31536000, immutable"
        assert (await fetch(server, "/"))["Cache-Control"] == "no-cache"


async def test_documentation(site: Path) -> None:
    (site / "guide.html").write_text("guide")
    (site / "404.html").write_text("nothing here")
    async with served("A documentation site", site) as server:
        assert (await fetch(server, "/guide")).content == b"guide"
        missing = await fetch(server, "/missing")
        assert (missing.status, missing.content) == (404, b"nothing here")


async def test_downloads(site: Path) -> None:
    (site / "_headers").write_text(named_block("docs/recipes.md", "_headers"))
    (site / "releases").mkdir()
    (site / "releases/app-1.0.tar.gz").write_bytes(b"0123456789")
    async with served("Downloads", site) as server:
        whole = await fetch(server, "/releases/app-1.0.tar.gz")
        assert whole["Content-Disposition"] == 'attachment; filename="app-1.0.tar.gz"'
        rest = await fetch(server, "/releases/app-1.0.tar.gz", "Range: bytes=4-")
        assert (rest.status, rest.content) == (206, b"456789")
        assert b"app-1.0.tar.gz" in (await fetch(server, "/releases/", "Accept: text/html")).content
        archive = await fetch(server, "/releases/?download=zip")
        assert archive.content.startswith(b"PK")


async def test_webassembly(site: Path) -> None:
    (site / "app.wasm").write_bytes(b"\0asm\1\0\0\0" * 500)
    async with served("WebAssembly", site) as server:
        module = await fetch(server, "/app.wasm", "Accept-Encoding: br")
        assert module["Content-Type"] == "application/wasm"
        assert module["Content-Encoding"] == "br"
        assert decodes_to(module.content, b"br", (site / "app.wasm").read_bytes())
        page = await fetch(server, "/")
        assert page["Cross-Origin-Opener-Policy"] == "same-origin"
        assert page["Cross-Origin-Embedder-Policy"] == "require-corp"


async def test_video(site: Path) -> None:
    (site / "film.mp4").write_bytes(bytes(range(256)) * 4000)
    types = {"film.mp4": "video/mp4", "live.m3u8": "application/vnd.apple.mpegurl", "live.mpd": "application/dash+xml"}
    (site / "live.m3u8").write_text("#EXTM3U\n")
    (site / "live.mpd").write_text("<MPD/>")
    async with served("Video and sound", site, last=True) as server:
        for name, kind in types.items():
            assert (await fetch(server, f"/{name}"))["Content-Type"].partition(";")[0] == kind
        part = await fetch(server, "/film.mp4", "Range: bytes=256000-256009", "Origin: https://player.example")
        assert (part.status, part.content) == (206, bytes(range(10)))
        assert part["Access-Control-Allow-Origin"] == "https://player.example"


def test_the_program_that_starts_a_server(site: Path) -> None:
    program = re.search(r"^```python\n(.*?)^```$", recipe("A server in a test"), re.MULTILINE | re.DOTALL)
    assert program
    words = [sys.executable, "-W", "error", "-c", program[1]]
    done = subprocess.run(
        words, cwd=site.parent, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


async def test_a_first_site(tmp_path: Path) -> None:
    """The lines for the shell, in their order; the commands of PWB are tested with all others."""
    lines = re.findall(r"^    ((?:mkdir|echo) .*)$", FIRST, re.MULTILINE)
    assert len(lines) == 3
    subprocess.run(["bash", "-ec", "\n".join(lines)], env={"HOME": str(tmp_path)}, check=True, timeout=20)
    async with running(REFERENCE, tmp_path / "site", log_dir=tmp_path) as server:
        assert (await fetch(server, "/")).content == b"hello PWB\n"
        missing = await fetch(server, "/missing")
        assert (missing.status, missing.content) == (404, b"nothing here\n")
