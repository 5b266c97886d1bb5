"""What compare.html does for a lesson, in a real Chromium: two languages, guesses, slides, and charts as files."""

import base64
import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from pwb_legacy.compare.measure.scenarios import SCENARIOS
from pwb_legacy.compare.report import page
from tests.interop.browser import CHROMIUM, DRIVER, axe_violations, chromium, console_messages, set_viewport

from .sample_results import swept_whole, whole

pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")

FIRST = "figure[data-name=crowd-memory_per_connection_kib]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("lesson")
    (place / "en.html").write_text(page.render(whole()))
    (place / "sweep.html").write_text(page.render(swept_whole()))
    (place / "zh.html").write_text(page.render(whole(), "zh", guess=True))
    return place


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture
def browser(driver: Any, folder: Path) -> Iterator[Any]:
    """The page as it begins, at 1400 pixels; in the end the console has no complaint."""
    set_viewport(driver, 1400, 900)
    driver.get((folder / "en.html").as_uri())
    yield driver
    assert console_messages(driver) == []


def one(browser: Any, selector: str) -> Any:
    return browser.find_element("css selector", selector)


def is_shown(browser: Any, selector: str) -> bool:
    return one(browser, selector).is_displayed()  # type: ignore[no-any-return]


def press(browser: Any, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def act(browser: Any, name: str) -> None:
    """Presses a button with the keyboard."""
    browser.execute_script("arguments[0].focus()", one(browser, f"[data-act={name}]"))
    press(browser, "\ue007")


STOPS = """
const stops = [...document.querySelectorAll('button, a, input, summary, [tabindex]')];
return stops.filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.tabIndex >= 0).length;
"""
FOCUS = """
const now = document.activeElement, all = [...document.querySelectorAll('*')];
return [all.indexOf(now), getComputedStyle(now).outlineStyle, now.getBoundingClientRect().width > 0];
"""


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("guess", [False, True])
def test_the_keyboard_reaches_every_control_and_the_focus_is_seen(browser: Any, width: int, guess: bool) -> None:
    set_viewport(browser, width, 900)
    if guess:
        act(browser, "guess")
        browser.execute_script("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
        browser.execute_script(
            "document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')"
        )
    wanted = browser.execute_script(STOPS)
    assert wanted > 40
    reached = set()
    for _ in range(wanted):
        press(browser, "\ue004")
        place, outline, seen = browser.execute_script(FOCUS)
        assert (outline, seen) == ("solid", True)
        reached.add(place)
    assert len(reached) == wanted


def test_a_table_that_fits_is_no_stop_of_the_tab_key(browser: Any) -> None:
    stops = (
        "return [...document.querySelectorAll('.scroll')].map(one => [one.tabIndex, one.scrollWidth > one.clientWidth])"
    )
    for width in (1400, 400, 2560):
        set_viewport(browser, width, 900)
        browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        found = browser.execute_script(stops)
        assert all((stop == 0) == moves for stop, moves in found)
        assert any(moves for _, moves in found) == (width == 400)


def test_the_switch_changes_the_language_and_back(browser: Any) -> None:
    english = one(browser, "h1").text
    act(browser, "language")
    assert one(browser, "html").get_attribute("lang") == "zh-CN"
    assert browser.title.startswith("PWB：")
    assert one(browser, "h2#kept").text == "持久连接 kept"
    assert browser.switch_to.active_element.get_attribute("data-act") == "language"
    assert axe_violations(browser) == []
    act(browser, "language")
    assert one(browser, "html").get_attribute("lang") == "en"
    assert one(browser, "h1").text == english


def test_a_chart_is_covered_until_a_figure_of_it_was_guessed(browser: Any) -> None:
    act(browser, "guess")
    assert not is_shown(browser, f"{FIRST} .drawing")
    assert not is_shown(browser, ".verdict")
    assert not is_shown(browser, "[aria-labelledby=crowd] .scroll")
    button = one(browser, f"{FIRST} form button")
    assert not button.is_enabled()
    number = one(browser, f"{FIRST} input[type=number][aria-label^=epoll]")
    browser.execute_script("arguments[0].focus()", number)
    press(browser, "48", "\ue007")
    assert is_shown(browser, f"{FIRST} .drawing")
    assert one(browser, f"{FIRST} .guesses").text == "epoll: guess 48, measured 4.8; 10 times apart"
    assert len(browser.find_elements("css selector", f"{FIRST} .guess-mark")) == 1
    assert not is_shown(browser, "figure[data-name=crowd-threads] .drawing")
    act(browser, "language")
    assert one(browser, f"{FIRST} .guesses").text == "epoll：猜测 48，实测 4.8；相差 10 倍"
    act(browser, "showAll")
    assert is_shown(browser, ".verdict")
    assert is_shown(browser, "[aria-labelledby=crowd] .scroll")
    act(browser, "guess")
    assert browser.find_elements("css selector", ".guesses, .guess-mark, form.guess") == []


def test_a_slider_is_a_guess(browser: Any) -> None:
    act(browser, "guess")
    slider = one(browser, f"{FIRST} input[type=range]")
    browser.execute_script("arguments[0].focus()", slider)
    press(browser, "\ue014")
    assert float(one(browser, f"{FIRST} input[type=number]").get_attribute("value")) > 0
    assert slider.get_attribute("aria-valuetext") != "?"
    assert one(browser, f"{FIRST} form button").is_enabled()
    assert axe_violations(browser) == []


def test_guess_begins_with_the_charts_covered(browser: Any, folder: Path) -> None:
    browser.get((folder / "zh.html").as_uri())
    assert not is_shown(browser, f"{FIRST} .drawing")
    assert one(browser, "[data-act=guess]").get_attribute("aria-pressed") == "true"
    act(browser, "language")
    assert one(browser, ".until").text == "The findings are hidden until all charts have been guessed."


def test_slides_show_one_scenario_at_a_time(browser: Any) -> None:
    act(browser, "slides")
    slides = len(SCENARIOS)
    seen = []
    for _ in range(slides + 2):
        seen.append([head.text for head in browser.find_elements("css selector", "main h2") if head.is_displayed()])
        press(browser, "\ue014")
    assert [len(heads) for heads in seen] == [1] * (slides + 2)
    assert seen[0] == ["Many idle connections crowd"]
    assert len({heads[0] for heads in seen}) == slides
    assert one(browser, ".place").text == f"{slides} of {slides}"
    press(browser, "\ue012")
    assert one(browser, ".place").text == f"{slides - 1} of {slides}"
    assert browser.switch_to.active_element.tag_name == "h2"
    assert axe_violations(browser) == []
    press(browser, "\ue00c")
    assert is_shown(browser, "header")
    assert browser.switch_to.active_element.get_attribute("data-act") == "slides"


@pytest.mark.parametrize("name", ["en.html", "sweep.html"])
@pytest.mark.parametrize(("width", "height"), [(1400, 900), (1920, 1080), (2560, 1440)])
def test_a_slide_fits_on_a_projector(browser: Any, folder: Path, name: str, width: int, height: int) -> None:
    """No chart is below the edge of the screen or behind the buttons, and letters grow with the screen."""
    set_viewport(browser, width, height)
    browser.get((folder / name).as_uri())
    act(browser, "slides")
    hidden = """
        const end = document.querySelector('.slide-bar').getBoundingClientRect().top;
        const below = (one) => one.checkVisibility() && one.getBoundingClientRect().bottom > end;
        return [...document.querySelectorAll('.current :is(svg, .notes)')].filter(below).length;
    """
    for _ in SCENARIOS:
        assert browser.execute_script(hidden) == 0, one(browser, ".current h2").text
        press(browser, "\ue014")
    size = browser.execute_script(
        "return parseFloat(getComputedStyle(document.querySelector('.current .teaches')).fontSize)"
    )
    assert size >= width / 110


@pytest.mark.parametrize("width", [320, 1400, 2560])
def test_a_lesson_fits(browser: Any, width: int) -> None:
    set_viewport(browser, width, 900, "dark")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.execute_script("acts.guess(); acts.slides()")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def saved(browser: Any, folder: Path, kind: str) -> Path:
    """What a button of the first chart saves."""
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    browser.execute_script("arguments[0].click()", one(browser, f"{FIRST} [data-kind={kind}]"))
    path = folder / f"crowd-memory_per_connection_kib.{kind}"
    deadline = time.monotonic() + 20
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return path


def test_a_chart_is_saved_as_csv(browser: Any, tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(saved(browser, tmp_path, "csv").read_text("utf-8-sig"))))
    assert rows[0] == ["design", "Memory for an idle connection (KiB)", "middle half, from", "middle half, to"]
    assert rows[1] == ["single", "", "", ""]
    assert rows[2] == ["thread", "187.5", "187.5", "187.5"]
    assert [row[0] for row in rows[1:]] == [each.name for each in whole().playing("crowd")]


def test_a_chart_is_saved_as_svg_that_needs_nothing_else(browser: Any, tmp_path: Path) -> None:
    text = saved(browser, tmp_path, "svg").read_text()
    texts = [each.text for each in ET.fromstring(text).iter("{http://www.w3.org/2000/svg}text")]
    assert "var(" not in text
    assert {"Memory for an idle connection", "epoll", "4.8"} <= set(texts)


def test_a_chart_is_saved_as_png(browser: Any, tmp_path: Path) -> None:
    with Image.open(saved(browser, tmp_path, "png")) as picture:
        assert picture.format == "PNG"
        assert picture.width == 768
        assert len(picture.getcolors(1 << 20) or ()) > 10


def test_a_scenario_is_printed_on_a_page(browser: Any) -> None:
    """On A4; before them there are the findings and the conditions."""
    set_viewport(browser, 688, 900, media="print")
    pdf = browser.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})["data"]
    pages = base64.b64decode(pdf).count(b"/Type /Page\n")
    assert pages - len(SCENARIOS) in (2, 3)


def test_nothing_is_asked_of_the_network(browser: Any, folder: Path) -> None:
    browser.get_log("performance")
    browser.get((folder / "en.html").as_uri())
    browser.execute_script("acts.language(); acts.guess(); acts.showAll(); acts.slides(); acts.next()")
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert asked <= {(folder / "en.html").as_uri(), "data:,"}
