"""Chromium on the site of this repository: it loads, follows links, seeks and revalidates without an error."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.designs import REFERENCE
from tests.conformance.server import REPOSITORY, Server, eventually, running

from .browser import CHROMIUM, DRIVER, console_messages

By = pytest.importorskip("selenium.webdriver.common.by", reason="selenium is not installed").By
WebDriverWait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")


@pytest.fixture(scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """The repository's site, with the options of its pyproject.toml."""
    log_dir = tmp_path_factory.mktemp("home")
    async with running(REFERENCE, REPOSITORY / "static", log_dir=log_dir, folder=REPOSITORY) as server:
        yield server


def statuses(browser: Any) -> dict[str, set[int]]:
    """The status codes of the responses since the last call, by path."""
    targets: dict[str, str] = {}
    found: dict[str, set[int]] = {}
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    for event in events:
        if event["method"] == "Network.requestWillBeSent":
            url = event["params"]["request"]["url"]
            targets[event["params"]["requestId"]] = re.sub(r"^http://[^/]+|[?#].*$", "", url)
    for event in events:
        if event["method"] == "Network.responseReceivedExtraInfo":
            target = targets.get(event["params"]["requestId"], "?")
            found.setdefault(target, set()).add(event["params"]["statusCode"])
    return found


def wait(browser: Any, script: str) -> None:
    """Waits until a script returns true."""
    WebDriverWait(browser, 15, poll_frequency=0.05).until(lambda one: one.execute_script(f"return {script}"))


def wait_until_shown(browser: Any) -> None:
    """Waits until the page is loaded, and its script has shown the head of the response."""
    wait(browser, "document.readyState === 'complete'")
    wait(browser, "!document.getElementById('served') || document.getElementById('served').dataset.state === 'done'")


def test_front_page_by_both_names(home: Server, browser: Any) -> None:
    browser.get(home.url + "/")
    wait_until_shown(browser)
    title = browser.title
    assert "PWB" in title
    browser.execute_script("[...document.images].at(-1).scrollIntoView()")  # loaded when it is scrolled into view
    wait(browser, "[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    browser.get(home.url + "/baidu.html")
    wait_until_shown(browser)
    assert browser.title == title
    assert console_messages(browser) == []


def test_links_lead_on(home: Server, browser: Any) -> None:
    """Every page that the front page links to on this site, one click after the other."""
    browser.get(home.url + "/")
    names = ["gitee.html", "oschina.html", "guide/index.html", "guide/media.html", "guide/serving.html"]
    for name in names:
        browser.find_element(By.CSS_SELECTOR, f"nav a[href$='{name}']").click()
        wait(browser, f"location.pathname === '/{name}'")
        wait_until_shown(browser)
        assert console_messages(browser) == [], name
    browser.back()
    wait(browser, "location.pathname === '/guide/media.html'")


@pytest.mark.parametrize(
    ("words", "design"), [("PWB3", "thread"), ("net09_web_PWB7.py", "epoll-thread"), ("9.3.2", "process")]
)
def test_a_section_or_a_file_of_the_book_leads_to_its_design(
    home: Server, browser: Any, words: str, design: str
) -> None:
    browser.get(home.url + "/")
    wait_until_shown(browser)
    browser.find_element(By.ID, "search-input").send_keys(words)
    shown = "[...document.querySelectorAll('[data-design]')].filter(one => !one.hidden).map(one => one.dataset.design).join()"
    wait(browser, f"{shown} === '{design}'")


async def test_seeking_in_a_media_file(home: Server, browser: Any) -> None:
    """The sound starts at second 6 and plays from there, by range requests."""
    browser.get(home.url + "/guide/media.html")
    wait_until_shown(browser)
    statuses(browser)
    wait(browser, "document.getElementById('tone').readyState >= 1")
    await eventually(lambda: b'"GET /media/tone.wav HTTP/1.1" 206 ' in home.log.read_bytes(), 3)
    browser.execute_script("document.getElementById('tone').currentTime = 6.5")
    wait(browser, "!document.getElementById('tone').seeking")
    assert browser.execute_script("return document.getElementById('tone').duration") == pytest.approx(8, abs=0.1)
    browser.find_element(By.ID, "read-header").click()
    wait(browser, "document.getElementById('range-answer').textContent.includes('206')")
    assert "bytes 0-43/" in browser.find_element(By.ID, "range-answer").text
    assert console_messages(browser) == []


def test_reload_revalidates(home: Server, browser: Any) -> None:
    """A reload revalidates the page, and requests nothing that has a fingerprint in its name."""
    browser.get(home.url + "/gitee.html")
    wait_until_shown(browser)
    statuses(browser)
    browser.refresh()
    wait_until_shown(browser)
    found = statuses(browser)
    assert 304 in found["/gitee.html"], found
    assert not [target for target in found if target.startswith("/assets/")], found
    assert console_messages(browser) == []


def test_own_validator(home: Server, browser: Any) -> None:
    """The page's own button sends a request with the entity tag of the last response."""
    browser.get(home.url + "/baidu.html")
    wait_until_shown(browser)
    browser.find_element(By.ID, "served-again").click()
    wait(browser, "document.getElementById('served-again-result').textContent.includes('304')")


def test_missing_page(home: Server, browser: Any) -> None:
    browser.get(home.url + "/deliberately-missing.html")
    assert browser.find_element(By.TAG_NAME, "h1").text == "404 file not found"
    console_messages(browser)


KOREAN = "한국어"
HEAD = '<!DOCTYPE html><link rel="icon" href="data:,">'
PAGE = f"{HEAD}<meta charset=euc-kr><title>{KOREAN}</title><body>{KOREAN}".encode("euc-kr")
CODED = f"""{HEAD}<meta charset=utf-8><title>coded</title><body>
<script src="x.js.br"></script><script src="y.js.gz"></script><script type="module" src="z.mjs.gz"></script>
<script>
WebAssembly.instantiateStreaming(fetch("x.wasm.gz")).then(() => document.body.setAttribute("data-wasm", "decoded"))
</script>"""
BROTLI = b"\x0b\x12\x80document.body.dataset.br = 'decoded'\n\x03"
"""A script as `brotli` makes it."""


@pytest.mark.parametrize("charset", ["off", "euc-kr"])
async def test_a_page_in_another_charset(charset: str, browser: Any, tmp_path: Path) -> None:
    """With off its own <meta> decides, above which a charset in the field stands."""
    (tmp_path / "index.html").write_bytes(PAGE)
    async with running(REFERENCE, tmp_path, "--charset", charset, log_dir=tmp_path) as server:
        browser.get(server.url + "/")
        assert (browser.title, browser.find_element(By.TAG_NAME, "body").text) == (KOREAN, KOREAN)


async def test_coded_files_by_their_own_names(browser: Any, tmp_path: Path) -> None:
    """Coded files as Unity's builds request them are decoded, and each has the type that browsers demand."""
    (tmp_path / "index.html").write_text(CODED)
    (tmp_path / "x.js.br").write_bytes(BROTLI)
    (tmp_path / "y.js.gz").write_bytes(gzip.compress(b"document.body.dataset.gz = 'decoded'"))
    (tmp_path / "z.mjs.gz").write_bytes(gzip.compress(b"document.body.dataset.module = 'decoded'"))
    (tmp_path / "x.wasm.gz").write_bytes(gzip.compress(b"\0asm\1\0\0\0"))
    async with running(REFERENCE, tmp_path, "--serve-encoded", log_dir=tmp_path) as server:
        browser.get(server.url + "/")
        wait(browser, "['br', 'gz', 'module', 'wasm'].every(name => document.body.dataset[name] === 'decoded')")
        assert console_messages(browser) == []
