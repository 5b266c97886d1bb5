"""The page of `pwb-legacy live` in a real Chromium: each button is pressed and the figures react; it fits, is readable,
works with the keyboard alone, and connects to nothing but the lesson."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pwb_legacy.compare.live.words import LANGUAGES
from tests.interop.browser import CHROMIUM, DRIVER, axe_violations, chromium, console_messages, set_viewport

from .running_lesson import PATIENCE, Lesson, lesson
from .test_page import CONTRAST

pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")

DESIGNS = ("single", "thread", "process", "epoll", "async")
CELL = "return document.querySelector(`[data-design=${arguments[0]}] .${arguments[1]}`).textContent"
STORY = "return [...document.querySelectorAll('#story li')].map(item => item.dataset.key)"
CUT_OFF = "return [...document.querySelectorAll('button, th, td')].filter(one => one.scrollWidth > one.clientWidth + 1)"
PRESSED = "return document.querySelector(`[data-press=${arguments[0]}]`).getAttribute('aria-pressed')"


@pytest.fixture(scope="module")
def playing() -> Iterator[Lesson]:
    with lesson("--modes", ",".join(DESIGNS)) as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


class Page:
    """The page as it is used."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser

    def run(self, script: str, *values: Any) -> Any:
        return self.browser.execute_script(script, *values)

    def figure(self, design: str, column: str) -> float:
        """A figure of the table; -1 where there is none."""
        text = self.run(CELL, design, column).split("/")[0]
        try:
            return float(text)
        except ValueError:
            return -1

    def story(self) -> list[str]:
        return list(self.run(STORY))

    def click(self, action: str) -> None:
        self.browser.find_element("css selector", f"[data-press={action}]").click()

    def wait(self, what: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < end, self.run("return document.body.innerText")
            time.sleep(0.2)


@pytest.fixture
def page(browser: Any, playing: Lesson) -> Page:
    """The page in English, with every button off."""
    playing.press("reset")
    set_viewport(browser, 1400, 900)
    browser.get("about:blank")
    browser.get(playing.url)
    opened = Page(browser)
    opened.wait(lambda: shown(opened) == list(DESIGNS) and all(opened.figure(name, "rate") > 0 for name in DESIGNS))
    console_messages(browser)
    return opened


def shown(page: Page) -> list[str]:
    return list(page.run("return [...document.querySelectorAll('#rows tr')].map(row => row.dataset.design)"))


def test_idle_clients(page: Page) -> None:
    page.click("idle")
    page.wait(lambda: page.figure("epoll", "clients") >= 100 and page.figure("thread", "threads") > 100)
    page.wait(lambda: page.figure("process", "processes") > 100 and "processes" in page.story())
    assert page.figure("single", "clients") < 100
    assert page.run(PRESSED, "idle") == "true"
    page.click("idle")
    page.wait(lambda: page.figure("epoll", "clients") < 100 and page.run(PRESSED, "idle") == "false")
    assert console_messages(page.browser) == []


def test_slow_disk(page: Page) -> None:
    page.click("slow-disk")
    page.wait(
        lambda: page.figure("epoll", "wait") > page.figure("thread", "wait") > 20 > page.figure("async", "wait") > 0
    )
    page.wait(lambda: {"alone", "side-by-side", "cached"} <= set(page.story()))


@pytest.mark.parametrize("trouble", ["slow-senders", "slow-readers"])
def test_slow_clients(page: Page, trouble: str) -> None:
    page.click(trouble)
    page.wait(lambda: page.figure("single", "wait") == -1 and page.figure("single", "lost") > 0)
    page.wait(lambda: "blocked" in page.story() and page.figure("epoll", "rate") > 0)
    page.wait(lambda: page.run("return document.querySelector('[data-design=single] .losses').getAttribute('d')"))


def test_a_killed_child(page: Page) -> None:
    page.wait(lambda: page.figure("process", "processes") >= 5)
    page.click("kill")
    page.wait(lambda: page.figure("process", "lost") >= 1 and "killed" in page.story())
    page.wait(lambda: page.figure("process", "processes") >= 5 and page.figure("process", "rate") > 0)


def test_the_load_and_the_reset(page: Page) -> None:
    page.click("faster")
    page.wait(lambda: page.figure("async", "rate") > 30)
    page.click("slower")
    page.click("slower")
    page.wait(lambda: 0 < page.figure("async", "rate") < 15)
    page.click("slow-disk")
    page.click("reset")
    page.wait(lambda: "40" not in page.run("return document.getElementById('load').textContent"))
    page.wait(lambda: page.run(PRESSED, "slow-disk") == "false" and page.figure("async", "rate") > 15)


def test_a_switch_pauses_one_design(page: Page) -> None:
    page.browser.find_element("css selector", "[data-design=thread] input").click()
    page.wait(lambda: page.figure("thread", "rate") == 0 and page.figure("epoll", "rate") > 0)
    page.wait(lambda: "paused" in page.story())
    page.browser.find_element("css selector", "[data-design=thread] input").click()
    page.wait(lambda: page.figure("thread", "rate") > 0)


def test_the_keyboard_reaches_every_control(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    body = page.browser.find_element("css selector", "body")
    count = page.run("return document.querySelectorAll('button:not(:disabled), input').length")
    reached = set()
    for _ in range(count):
        page.browser.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(
            page.run(
                "const now = document.activeElement; return now.dataset.press || now.id || now.closest('tr').dataset.design"
            )
        )
        assert page.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert len(reached) == count
    assert {"idle", "kill", "reset", "language", "epoll"} <= reached
    body.click()
    page.run("document.querySelector('[data-press=idle]').focus()")
    page.browser.switch_to.active_element.send_keys(Keys.SPACE)
    page.wait(lambda: page.run(PRESSED, "idle") == "true")


def test_the_language_is_switched_on_the_page(page: Page) -> None:
    for language in ("zh", "en"):
        page.browser.find_element("id", "language").click()
        words = LANGUAGES[language]["page"]
        assert page.browser.title == words["title"]
        assert page.run("return document.documentElement.lang") == words["lang"]
        assert page.browser.find_element("css selector", "[data-press=idle]").text.endswith(words["idle"])
        assert f"lang={language}#" in page.browser.current_url
        page.wait(lambda words=words: page.run("return document.getElementById('story').textContent"))
    assert console_messages(page.browser) == []


def test_a_page_without_the_token_says_so(page: Page, playing: Lesson) -> None:
    page.browser.get("about:blank")
    page.browser.get(playing.url[:-4] + "xxxx")
    page.wait(lambda: page.figure("epoll", "rate") > 0 if shown(page) else False)
    page.click("idle")
    page.wait(lambda: page.browser.find_element("id", "notice").text == LANGUAGES["en"]["page"]["refused"])
    assert page.run(PRESSED, "idle") == "false"
    console_messages(page.browser)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_fits(page: Page, playing: Lesson, language: str) -> None:
    playing.press("idle/on")
    playing.press("slow-disk/on")
    if language != "en":
        page.browser.find_element("id", "language").click()
    page.wait(lambda: "alone" in page.story() and "grown" in page.story())
    for width in (2560, 1920, 1366, 1024, 768, 400, 320):
        set_viewport(page.browser, width, 900)
        assert page.run("return document.documentElement.scrollWidth") <= width
        assert page.run(CUT_OFF) == []
    assert console_messages(page.browser) == []


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_axe_finds_nothing(page: Page, playing: Lesson, width: int, scheme: str) -> None:
    """Not at rest, and not while clients make trouble."""
    set_viewport(page.browser, width, 900, scheme)
    assert axe_violations(page.browser) == []
    playing.press("slow-senders/on")
    page.wait(lambda: page.run(PRESSED, "slow-senders") == "true" and "blocked" in page.story())
    assert axe_violations(page.browser) == []


def test_it_prints_on_white(page: Page) -> None:
    set_viewport(page.browser, 688, 900, "dark", "print")
    assert page.run("return document.documentElement.scrollWidth") <= 688
    assert page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_readable(page: Page, scheme: str) -> None:
    """Text at 4.5 to 1, marks at 3 to 1: WCAG 2.2, 1.4.3 and 1.4.11."""
    set_viewport(page.browser, 1400, 900, scheme)
    assert min(page.run(CONTRAST, ["--ink", "--soft", "--link", "--warn"])) >= 4.5
    assert min(page.run(CONTRAST, ["--loss", "--one", "--each", "--loop", "--async"])) >= 3


def test_nothing_moves_where_less_motion_is_wanted(page: Page) -> None:
    moving = "return document.getAnimations().length"
    page.wait(lambda: page.run(moving) > 0)
    wanted = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})
    time.sleep(1)  # until the last one has ended
    for _ in range(10):
        assert page.run(moving) == 0
        time.sleep(0.1)


def test_it_connects_to_the_lesson_alone(page: Page, playing: Lesson) -> None:
    page.browser.get_log("performance")
    page.browser.get("about:blank")
    page.browser.get(playing.url)
    page.wait(lambda: shown(page))
    page.click("faster")
    page.wait(lambda: page.figure("async", "rate") > 30)
    events = [json.loads(entry["message"])["message"] for entry in page.browser.get_log("performance")]
    urls = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    asked = {url for url in urls if not url.startswith(("data:", "about:"))}
    assert asked
    assert all(url.startswith((f"{playing.origin}/", f"http://{playing.control}/{playing.token}/")) for url in asked), (
        asked
    )


def test_the_end_is_seen(browser: Any) -> None:
    with lesson("--modes", "epoll", "--duration", "6s", "--lang", "zh") as short:
        browser.get(short.url)
        page = Page(browser)
        page.wait(lambda: browser.find_element("id", "notice").text == LANGUAGES["zh"]["page"]["over"])
        assert page.run("return [...document.querySelectorAll('[data-press]')].every(button => button.disabled)")
    assert console_messages(browser) == []
