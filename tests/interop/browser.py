"""A real Chromium, headless, which connects only to the addresses that a test opens."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER: Final = shutil.which("chromedriver")
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--mute-audio",
)


@contextmanager
def chromium(profile: Path, home: Path | None = None, flags: Sequence[str] = ()) -> Iterator[Any]:
    """Runs a browser inside the block; its console and network events can be read.

    profile: an empty folder. home: the user's folder, in which authorities may be trusted; None for that of the tests.
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS, *flags):
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    environment = dict(os.environ) if home is None else {**os.environ, "HOME": str(home)}
    service = webdriver.ChromeService(executable_path=DRIVER, env=environment)
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_page_load_timeout(30)
    try:
        yield driver
    finally:
        driver.quit()


def set_viewport(browser: Any, width: int, height: int, scheme: str = "light", media: str = "screen") -> None:
    """Sets the size of the page in pixels. scheme: light or dark. media: screen or print."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def axe_violations(browser: Any) -> list[str]:
    """What axe finds in the page: of each violation its rule, its number of elements, and the first of them."""
    browser.execute_script(files("axe_core_python").joinpath("axe.min.js").read_text())
    script = """
        axe.run().then(result => arguments[0](result.violations.map(
            one => `${one.id}: ${one.nodes.length}, ${one.nodes[0].html}`)));
    """
    return browser.execute_async_script(script)  # type: ignore[no-any-return]


def check_focus_is_visible(browser: Any, focused: Any) -> None:
    """The element that has the focus is outlined, by two pixels or more."""
    style = "const style = getComputedStyle(arguments[0]); return [style.outlineStyle, parseFloat(style.outlineWidth)]"
    line, width = browser.execute_script(style, focused)
    assert line != "none"
    assert width >= 2


def console_messages(browser: Any) -> list[str]:
    """The warnings and errors that the console has received since the last call."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
