"""The documentation site as PWB serves it: every page is in its navigation, no link is broken, nothing is from elsewhere."""

import re
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import unquote
from urllib.request import Request, urlopen

import pytest

from tests.conformance.designs import REFERENCE
from tests.conformance.server import Server, running

from .crawling import crawl
from .examples import ROOT
from .website.building import build
from .website.markdown import render, slug
from .website.sources import FRONT, address, navigation

ENTRIES = [entry for group in navigation() for entry in group.entries]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("website") / "site"
    build(folder)
    return folder


@pytest.fixture(scope="module")
async def server(folder: Path) -> AsyncIterator[Server]:
    async with running(REFERENCE, folder, log_dir=folder.parent, folder=folder.parent) as started:
        yield started


def test_every_page_is_in_the_navigation() -> None:
    """If one is not: docs/index.md lists them."""
    listed = [entry.source for entry in ENTRIES]
    assert len(listed) == len(set(listed))
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
    assert pages - {FRONT} <= set(listed)


async def test_no_link_is_broken(server: Server, folder: Path) -> None:
    found = list(crawl(server.url, leads_out=True))
    broken = [reference for reference in found if reference.status != 200 or not reference.there]
    assert broken == []
    reached = {unquote(reference.url.removeprefix(server.url + "/")) for reference in found}
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files - reached == {"404.html", "_headers"}
    assert {address(entry.source) for entry in ENTRIES} <= reached


def fields(server: Server, path: str) -> dict[str, str]:
    with urlopen(Request(f"{server.url}/{path}", method="HEAD"), timeout=20) as response:
        return dict(response.headers)


async def test_fields(server: Server, folder: Path) -> None:
    for page in ("", "install.html", "project/SECURITY.html"):
        assert fields(server, page)["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in fields(server, page)["Content-Security-Policy"]
    for source in ("pwb_legacy/epoll.py", "pwb_async/listing/listing.html", "LICENSE"):
        assert fields(server, f"project/{source}.txt")["Content-Type"] == "text/plain; charset=utf-8"
    (style,) = (folder / "assets").glob("*.css")
    assert fields(server, f"assets/{style.name}")["Cache-Control"] == "max-age=31536000, immutable"


async def test_what_is_missing(server: Server) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(f"{server.url}/project/missing/page.html", timeout=20)
    with caught.value as response:
        assert response.status == 404
        text = response.read().decode()
    assert "There is no page at this address" in text
    for link in re.findall(r'(?:href|src)="([^"]+)"', text):
        assert link.startswith(("/", "#")), "it is sent at any address"
        assert link[0] == "#" or fields(server, link[1:])


def test_a_site_is_built_again(tmp_path: Path) -> None:
    names = build(tmp_path)
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in names}
    (tmp_path / "install.html").write_text("old")
    (tmp_path / "assets/site-000000000000.css").write_text("old")
    assert build(tmp_path) == names
    changed = {name for name in names if (tmp_path / name).stat().st_mtime_ns != before[name]}
    assert changed == {"install.html"}
    assert not (tmp_path / "assets/site-000000000000.css").exists()


def test_another_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty"):
        build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("heading", "fragment"),
    [
        ("With certbot", "with-certbot"),
        ("Applications with routes of their own: --spa", "applications-with-routes-of-their-own---spa"),
        ("What is not there?", "what-is-not-there"),
        ("HTTP/2", "http2"),
        ("测量了什么\uff0c能得出什么结论", "测量了什么能得出什么结论"),
    ],
)
def test_fragments_are_those_of_the_repository_s_pages(heading: str, fragment: str) -> None:
    assert slug(heading) == fragment


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.source)
def test_a_page_has_one_title_and_no_gap_between_levels(entry: object) -> None:
    page = render(entry.source)  # type: ignore[attr-defined]
    levels = [1, *(heading.level for heading in page.headings)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
