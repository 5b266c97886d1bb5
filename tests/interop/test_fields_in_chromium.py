"""Chromium obeys the fields of --cors, --security-headers and --cross-origin-isolated, and PWB's own pages fit them."""

from pathlib import Path
from typing import Any

import pytest

from tests.conformance.designs import REFERENCE
from tests.conformance.server import running

from .browser import CHROMIUM, DRIVER, console_messages

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")

FETCH = """
    const done = arguments[1];
    fetch(arguments[0], {headers: {Range: 'bytes=0-1', 'X-Own': '1'}}).then(async response =>
        done([response.status, response.headers.get('Content-Range'), response.headers.get('ETag') !== null,
              await response.text()]), error => done(String(error)));
"""
ISOLATED = "return [self.crossOriginIsolated, typeof SharedArrayBuffer]"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    root.mkdir()
    (root / "index.html").write_text(
        '<!DOCTYPE html><link rel="icon" href="data:,"><title>x</title><link rel="stylesheet" href="s.css">'
        '<script src="s.js"></script><p>text</p>'
    )
    (root / "inline.html").write_text(
        '<!DOCTYPE html><link rel="icon" href="/i.svg"><title>x</title><script>window.inline = 1</script>'
    )
    (root / "i.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (root / "s.css").write_text("p { color: rgb(1, 2, 3) }")
    (root / "s.js").write_text("window.external = 1")
    (root / "a.txt").write_text("abc")
    return root


async def test_a_script_of_an_allowed_origin_reads_a_range(site: Path, tmp_path: Path, browser: Any) -> None:
    logs = [tmp_path / name for name in ("page", "data", "other")]
    for log in logs:
        log.mkdir()
    async with (
        running(REFERENCE, site, log_dir=logs[0]) as page,
        running(REFERENCE, site, "--cors", page.url, log_dir=logs[1]) as data,
        running(REFERENCE, site, "--cors", "https://other.example", log_dir=logs[2]) as other,
    ):
        browser.get(page.url + "/")
        assert browser.execute_async_script(FETCH, data.url + "/a.txt") == [206, "bytes 0-1/3", True, "ab"]
        assert "Failed to fetch" in browser.execute_async_script(FETCH, other.url + "/a.txt")


@pytest.mark.parametrize(("level", "inline"), [("basic", 1), ("strict", None)])
async def test_security_fields(site: Path, tmp_path: Path, browser: Any, level: str, inline: int | None) -> None:
    async with running(REFERENCE, site, "--security-headers", level, log_dir=tmp_path) as server:
        console_messages(browser)
        browser.get(server.url + "/")
        assert browser.execute_script("return window.external") == 1
        color = "return getComputedStyle(document.querySelector('p')).color"
        assert browser.execute_script(color) == "rgb(1, 2, 3)"
        assert console_messages(browser) == []
        browser.get(server.url + "/inline.html")
        assert browser.execute_script("return window.inline || null") == inline
        console_messages(browser)
        browser.get(server.url + "/none")
        align = "return getComputedStyle(document.body).textAlign"
        assert browser.execute_script(align) == "center", "the page of an error has its style"
        assert not [line for line in console_messages(browser) if "Content Security Policy" in str(line)]


async def test_cross_origin_isolation(site: Path, tmp_path: Path, browser: Any) -> None:
    async with running(REFERENCE, site, "--cross-origin-isolated", log_dir=tmp_path) as server:
        browser.get(server.url + "/")
        assert browser.execute_script(ISOLATED) == [True, "function"]
        assert browser.execute_script("return window.external") == 1
