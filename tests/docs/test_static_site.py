"""The site in static/: names, coded neighbours, rules and links are right, and its requests get what they promise."""

import html
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.request import Request, build_opener

import pytest

from pwb_async.core.site.fingerprints import is_fingerprinted
from tests.conformance.designs import REFERENCE
from tests.conformance.server import Server, running

from .crawling import crawl
from .static_site import SITE, files, fingerprinted, is_current, neighbours

MISSING = "/deliberately-missing.html"
PAGES = [path.relative_to(SITE).as_posix() for path in files() if path.suffix == ".html"]


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    log_dir = tmp_path_factory.mktemp("log")
    async with running(REFERENCE, SITE, "--browse", log_dir=log_dir, folder=log_dir) as started:
        yield started


def test_the_names_of_assets_are_fingerprints_of_their_content() -> None:
    """If they are not: python -m tests.docs.static_site"""
    assets = [path for path in files() if path.parent.name == "assets"]
    assert len(assets) > 5
    for path in assets:
        assert path.name == fingerprinted(path)
        assert is_fingerprinted(f"assets/{path.name}".encode())


def test_the_neighbours_are_those_of_their_files() -> None:
    """If they are not: python -m tests.docs.static_site"""
    assert len(list(neighbours())) > 30
    assert [path.name for path in neighbours() if not is_current(path)] == []
    words = [sys.executable, "-m", "pwb_async", "compress", str(SITE), "--check"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=SITE.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_is_in_the_table_of_the_guide() -> None:
    table = re.findall(r'<tr data-file="([^"]+)"', (SITE / "guide/index.html").read_text())
    names = {path.relative_to(SITE).as_posix() for path in files()}
    rules = {"_headers", "_redirects"}
    assert set(table) == {name for name in names - rules if not name.startswith("downloads/")} | {"index.html"}


@pytest.mark.parametrize("name", ["_headers", "_redirects"])
def test_the_rules_are_shown_as_they_are(name: str) -> None:
    assert html.escape((SITE / name).read_text(), quote=False) in (SITE / "guide/serving.html").read_text()


async def test_every_link_ends_somewhere(server: Server) -> None:
    found = list(crawl(server.url))
    reached = {url.removeprefix(server.url) for _, url, _, _ in found}
    assert {f"/{page}" for page in PAGES} - reached <= {"/404.html"}
    assert {"/downloads/", "/downloads/requests/10-two-at-once.http", "/9.3.1", "/sound", MISSING} <= reached
    for page, url, status, there in found:
        assert status == (404 if url.endswith(MISSING) else 200), f"{page}: {url}"
        assert there, f"{page}: {url} has no such fragment"


async def test_its_fields_and_rules_have_an_effect(server: Server) -> None:
    def head(path: str, **fields: str) -> dict[str, str]:
        request = Request(
            server.url + path, method="HEAD", headers={name.replace("_", "-"): value for name, value in fields.items()}
        )
        with build_opener().open(request, timeout=20) as response:
            return {"url": response.url.removeprefix(server.url), **response.headers}

    css = next(path for path in files() if path.suffix == ".css")
    assert head(f"/assets/{css.name}")["Cache-Control"] == "max-age=31536000, immutable"
    coded = head(f"/assets/{css.name}", Accept_Encoding="br")
    assert coded["Content-Encoding"] == "br"
    assert int(coded["Content-Length"]) == css.with_name(css.name + ".br").stat().st_size
    page = head("/gitee.html")
    assert page["Cache-Control"] == "no-cache"
    assert page["Content-Security-Policy"] == "default-src 'self'"
    assert head("/design/gevent")["url"] == "/gitee.html#sketch-gevent"
    assert head("/sound")["url"] == "/sound"
    assert head("/downloads/requests/1-get.http")["Content-Disposition"] == "attachment"
    assert "Content-Disposition" not in head("/downloads/requests/")


README = (SITE / "downloads/README.md").read_text()
REQUESTS = re.findall(r"^\| \[([\w.-]+)\]\(requests/\1\) \| ([\d ]+) \|", README, re.MULTILINE)


@pytest.mark.parametrize(("name", "statuses"), REQUESTS, ids=[name for name, _ in REQUESTS])
async def test_a_request_gets_the_response_that_the_readme_names(server: Server, name: str, statuses: str) -> None:
    with socket.create_connection(server.address, 20) as client:
        client.sendall((SITE / "downloads/requests" / name).read_bytes())
        response = b"".join(iter(lambda: client.recv(65536), b""))
    assert re.findall(rb"(?m)^HTTP/1\.1 (\d+)", response) == statuses.encode().split()


def test_every_request_is_in_the_readme() -> None:
    assert {name for name, _ in REQUESTS} == {path.name for path in Path(SITE / "downloads/requests").iterdir()}
