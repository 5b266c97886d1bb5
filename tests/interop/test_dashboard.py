"""The dashboard of the admin address in Chromium."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.designs import REFERENCE
from tests.conformance.server import eventually, running
from tests.process.helpers import fetch_fresh

from .browser import CHROMIUM, DRIVER, axe_violations, chromium, console_messages, set_viewport
from .proxies import free_port

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    pytest.importorskip("selenium", reason="selenium is not installed")
    with chromium(tmp_path / "chromium") as driver:
        yield driver


def tiles(browser: Any) -> dict[str, str]:
    script = "return [...document.querySelectorAll('dl div')].map(e => [...e.children].map(e => e.textContent))"
    return dict(browser.execute_script(script))


def points(browser: Any) -> list[str]:
    """The path of each line of the charts."""
    return list(browser.execute_script("return [...document.querySelectorAll('path')].map(e => e.getAttribute('d'))"))


async def test_it_draws_what_happens(browser: Any, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(b"x" * 1000)
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    options = ("--admin", f"127.0.0.1:{port}", "--workers", "2")
    async with running(REFERENCE, root, *options, log_dir=tmp_path) as server:
        browser.get(address)
        await eventually(
            lambda: browser.execute_script("return document.getElementById('state').textContent") == "ready", 10
        )
        assert browser.title == f"PWB 127.0.0.1:{port}"
        assert "version 8" in browser.execute_script("return document.getElementById('build').textContent")
        await eventually(lambda: tiles(browser)["Processes"] == "2", 10)
        shown = [each.text for each in browser.find_elements("css selector", "h2") if each.is_displayed()]
        assert "Cache hits" in shown
        assert "Requests to object stores, a second" not in shown, "there is none"
        hits = browser.execute_script("return [...document.querySelectorAll('section')][4].querySelector('path')")
        assert hits.get_attribute("d") == "", "nothing was measured yet"
        for _ in range(30):
            await fetch_fresh(server)
        await eventually(lambda: any("0.00" in line for line in points(browser)), 10)  # the top of a chart
        for scheme in ("light", "dark"):
            for width in (320, 1200):
                set_viewport(browser, width, 900, scheme)
                assert axe_violations(browser) == []
                assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert console_messages(browser) == []
        asked = {url for url in urls(browser) if url.startswith("http")}
        assert {address, address + "metrics"} <= asked <= {address, address + "metrics", address + "favicon.ico"}
    await eventually(
        lambda: browser.execute_script("return document.getElementById('state').textContent") == "no answer", 10
    )


def urls(browser: Any) -> set[str]:
    """The addresses that the browser has asked for."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
