"""A listing in Chromium: from 320 px to 4K, light, dark and printed, by keyboard, and without script."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.designs import REFERENCE
from tests.conformance.rows.listing import FILES
from tests.conformance.server import Server, running
from tests.conformance.test_rules import build

from .browser import CHROMIUM, DRIVER, axe_violations, console_messages, set_viewport

Keys = pytest.importorskip("selenium.webdriver.common.keys", reason="selenium is not installed").Keys

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")


@pytest.fixture(scope="module")
async def listing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    root = build(tmp_path_factory.mktemp("root"), {**FILES, "sub/" + "long-name-" * 20: b""})
    options = ("--browse", "--zip-downloads", "--security-headers", "strict")
    async with running(REFERENCE, root, *options, log_dir=tmp_path_factory.mktemp("log")) as server:
        yield server


def shown(browser: Any) -> list[str]:
    script = "return [...document.querySelectorAll('.list tbody tr:not([hidden]) bdi')].map(e => e.textContent)"
    return browser.execute_script(script)  # type: ignore[no-any-return]


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280, 3840])
@pytest.mark.parametrize("path", ["/sub/", "/readme/"])
def test_it_fits_and_axe_finds_nothing(
    listing: Server, browser: Any, path: str, width: int, scheme: str, media: str
) -> None:
    set_viewport(browser, width, 800, scheme, media)
    browser.get(listing.url + path)
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert axe_violations(browser) == []
    assert console_messages(browser) == []


def test_the_keyboard(listing: Server, browser: Any) -> None:
    set_viewport(browser, 1280, 800)
    browser.get(listing.url + "/")
    active = browser.switch_to.active_element
    assert active.tag_name == "body"
    active.send_keys("/")
    browser.switch_to.active_element.send_keys("FILE 1")
    assert shown(browser) == ["file10.txt"]
    assert browser.execute_script("return document.querySelector('[role=status]').textContent") == "1 of 11 shown"
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert len(shown(browser)) == 11
    browser.switch_to.active_element.send_keys("sub", Keys.ENTER)
    assert browser.current_url == listing.url + "/sub/"
    browser.execute_script("document.querySelector('.list tbody a').focus()")
    browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.ENTER)
    assert browser.current_url == listing.url + "/sub/deep/"


def test_times_are_those_of_the_reader(listing: Server, browser: Any) -> None:
    browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Shanghai"})
    browser.get(listing.url + "/")
    assert browser.execute_script("return document.querySelector('.list time').textContent") != ""
    time = browser.execute_script(
        "return [...document.querySelectorAll('.list time')].find(e => e.dateTime === '2020-09-13T12:26:40Z').textContent"
    )
    assert "8:26" in time
    assert "UTC" not in browser.execute_script("return document.querySelector('thead').textContent")


def test_without_script(listing: Server, browser: Any) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(listing.url + "/")
        browser.find_element("link text", "Size").click()
        assert browser.current_url == listing.url + "/?sort=size&order=desc"
        assert not browser.find_element("id", "filter").is_displayed()
        browser.find_element("link text", "sub/").click()
        browser.find_element("link text", "Home").click()
        assert browser.current_url == listing.url + "/"
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_nothing_else_is_requested(listing: Server, browser: Any, tmp_path: Path) -> None:
    browser.get(listing.url + "/sub/")
    requested = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert requested == []
    assert browser.get_cookies() == []
