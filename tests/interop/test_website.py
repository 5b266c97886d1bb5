"""The documentation site in Chromium: from 320 to 2560 px, light and dark, by keyboard, and what it requests."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.conformance.designs import REFERENCE
from tests.conformance.server import Server, running
from tests.docs.website.building import build
from tests.docs.website.sources import FRONT, address, navigation

from .browser import (
    CHROMIUM,
    DRIVER,
    axe_violations,
    check_focus_is_visible,
    console_messages,
    set_viewport,
)
from .test_chromium import wait
from .test_static_site import requested

Keys = pytest.importorskip("selenium.webdriver.common.keys", reason="selenium is not installed").Keys

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")
SOURCES = [FRONT, *(entry.source for group in navigation() for entry in group.entries)]
FITS = "return document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    log_dir = tmp_path_factory.mktemp("website")
    build(log_dir / "site")
    async with running(REFERENCE, log_dir / "site", log_dir=log_dir, folder=log_dir) as server:
        yield server


@pytest.mark.parametrize("page", [*map(address, SOURCES), "contents.html", "404.html"])
def test_it_fits_and_axe_finds_nothing(home: Server, browser: Any, page: str) -> None:
    set_viewport(browser, 320, 800, "dark")
    requested(browser)
    browser.get(f"{home.url}/{page}")
    wait(browser, "document.readyState === 'complete'")
    assert browser.execute_script("return [...document.images].every(one => one.naturalWidth > 0)")
    assert axe_violations(browser) == []
    assert browser.execute_script(FITS)
    set_viewport(browser, 1280, 800, "light")
    assert axe_violations(browser) == []
    assert browser.execute_script(FITS)
    set_viewport(browser, 2560, 1300, "dark")
    assert browser.execute_script(FITS)
    assert console_messages(browser) == []
    assert all(url.startswith((home.url, "data:")) for url in requested(browser))


def test_the_keyboard_reaches_the_page_and_the_navigation(home: Server, browser: Any) -> None:
    """The first key leads past the header; what has the focus can be seen, and Enter follows it."""
    set_viewport(browser, 1280, 800)
    browser.get(home.url + "/deploy.html")
    wait(browser, "document.readyState === 'complete'")
    browser.switch_to.active_element.send_keys(Keys.TAB)
    skip = browser.switch_to.active_element
    assert skip.get_attribute("href").endswith("#site.main")
    assert skip.rect["x"] >= 0
    seen = set()
    for _ in range(80):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        focused = browser.switch_to.active_element
        check_focus_is_visible(browser, focused)
        seen.add(focused.tag_name)
        if (focused.get_attribute("href") or "").endswith("/options.html"):
            break
    assert {"a", "pre", "summary"} <= seen
    focused.send_keys(Keys.ENTER)
    wait(browser, "location.pathname === '/options.html'")
    assert browser.find_element("css selector", ".pages [aria-current]").text == "Options"
