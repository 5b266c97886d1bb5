"""The site in static/ in Chromium: from 320 to 2560 px, light and dark, by keyboard, and what it requests."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.designs import REFERENCE
from tests.conformance.server import REPOSITORY, Server, running
from tests.docs.test_static_site import MISSING, PAGES

from .browser import (
    CHROMIUM,
    DRIVER,
    axe_violations,
    check_focus_is_visible,
    console_messages,
    set_viewport,
)
from .test_chromium import wait, wait_until_shown

Keys = pytest.importorskip("selenium.webdriver.common.keys", reason="selenium is not installed").Keys

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")


@pytest.fixture(scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    log_dir = tmp_path_factory.mktemp("home")
    async with running(REFERENCE, REPOSITORY / "static", "--browse", log_dir=log_dir, folder=log_dir) as server:
        yield server


def requested(browser: Any) -> list[str]:
    """The URLs of the requests since the last call, without those that the cache answered."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    kept = {event["params"]["requestId"] for event in events if event["method"] == "Network.requestServedFromCache"}
    return [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent" and event["params"]["requestId"] not in kept
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280, 2560])
@pytest.mark.parametrize("path", [*PAGES, "downloads/", "downloads/requests/"])
def test_it_fits_and_axe_finds_nothing(home: Server, browser: Any, path: str, width: int, scheme: str) -> None:
    set_viewport(browser, width, 800, scheme)
    requested(browser)
    browser.get(f"{home.url}/{path}")
    wait_until_shown(browser)
    wait(browser, "[...document.querySelectorAll('[data-live]')].every(table => table.dataset.state === 'done')")
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert axe_violations(browser) == []
    assert console_messages(browser) == []
    assert all(url.startswith((home.url, "data:")) for url in requested(browser))


def test_the_missing_page_is_as_good(home: Server, browser: Any) -> None:
    set_viewport(browser, 320, 800, "dark")
    browser.get(home.url + MISSING)
    assert axe_violations(browser) == []
    assert [message for message in console_messages(browser) if "404" not in message] == []
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 2560])
async def test_the_error_page_of_pwb_is_as_good(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    set_viewport(browser, width, 800, scheme)
    async with running(REFERENCE, tmp_path, log_dir=tmp_path) as server:
        browser.get(server.url + MISSING)
        assert browser.find_element("tag name", "h1").text == "404 file not found"
        assert axe_violations(browser) == []
        assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        console_messages(browser)


def test_the_page_about_serving_shows_what_the_server_does(home: Server, browser: Any) -> None:
    set_viewport(browser, 1280, 800)
    browser.get(home.url + "/baidu.html")
    wait_until_shown(browser)
    requested(browser)
    browser.get(home.url + "/guide/serving.html")
    wait_until_shown(browser)
    wait(browser, "document.getElementById('features').dataset.state === 'done'")
    script = "return [...document.querySelectorAll('#features [data-file]')].map(row => row.innerText)"
    page, style, pictures, design, section, sound = browser.execute_script(script)
    assert "no-cache" in page
    assert "immutable" in style
    assert "immutable" in pictures
    assert all(any(coding in row for coding in ("br", "zstd", "gzip")) for row in (page, style, pictures))
    assert "→ /gitee.html" in design.replace("\n", " ")
    assert "→ /gitee.html" in section.replace("\n", " ")
    assert "200" in sound
    wait(browser, "document.querySelectorAll('#loaded tr').length >= 4")
    loaded = browser.execute_script("return [...document.querySelectorAll('#loaded tr')].map(row => row.innerText)")
    assert all("from the cache" in row for row in loaded if "/assets/" in row)
    assert console_messages(browser) == []


def test_the_keyboard_reaches_the_downloads(home: Server, browser: Any) -> None:
    """From the first key to a listing: what has the focus can be seen, and Enter follows it."""
    set_viewport(browser, 1280, 800)
    browser.get(home.url + "/gitee.html")
    wait_until_shown(browser)
    for _ in range(20):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        focused = browser.switch_to.active_element
        check_focus_is_visible(browser, focused)
        if (focused.get_attribute("href") or "").endswith("/downloads/"):
            break
    focused.send_keys(Keys.ENTER)
    wait(browser, "location.pathname === '/downloads/'")
    assert "Requests, byte by byte" in browser.find_element("tag name", "main").text
