"""book.html in a real Chromium: no error, nothing loaded, readable in any width and light, and usable with the keyboard."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pwb_async.config.language import LANGUAGES
from pwb_legacy.book.attacks.catalogue import ATTACKS
from pwb_legacy.book.page import render, summary
from pwb_legacy.book.programs import DESIGNS, PROGRAMS
from pwb_legacy.book.words.catalogue import load
from tests.compare.test_page import CONTRAST
from tests.interop.browser import CHROMIUM, DRIVER, axe_violations, chromium, console_messages, set_viewport

from .sample import NASTY, sample

pytest.importorskip("selenium", reason="selenium is not installed")
in_chromium = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")

COLOURS = ["--ink", "--soft", "--link", "--warn", "--defect", "--held", "--other"]
"""All of them colour text."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pages")
    for language in LANGUAGES:
        made = render(sample(), load(language), f"pwb-legacy book --lang {language}")
        (place / f"{language}.html").write_text(made, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture(params=LANGUAGES)
def uri(request: pytest.FixtureRequest, folder: Path) -> str:
    return (folder / f"{request.param}.html").as_uri()


@in_chromium
@pytest.mark.parametrize("width", [2560, 1400, 768, 400, 320])
def test_opens_without_complaint_and_fits(browser: Any, uri: str, width: int) -> None:
    set_viewport(browser, width, 900)
    browser.get(uri)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.title != "caught"
    assert console_messages(browser) == []


@in_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_readable(browser: Any, uri: str, scheme: str) -> None:
    """At 4.5 to 1: WCAG 2.2, 1.4.3."""
    set_viewport(browser, 1400, 900, scheme)
    browser.get(uri)
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (int(background.split("(")[1].split(",")[0]) > 128) == (scheme == "light")
    assert min(browser.execute_script(CONTRAST, COLOURS)) >= 4.5


@in_chromium
@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_axe_finds_nothing(browser: Any, uri: str, width: int, scheme: str) -> None:
    set_viewport(browser, width, 900, scheme)
    browser.get(uri)
    assert axe_violations(browser) == []


@in_chromium
def test_code_in_a_sentence_is_shown_as_code(browser: Any, uri: str) -> None:
    """The sentences have backticks around code, which a terminal shows and a page does not."""
    set_viewport(browser, 1400, 900)
    browser.get(uri)
    assert "`" not in browser.execute_script("return document.querySelector('main').innerText")
    first = "return document.querySelector('section[aria-labelledby=L1] dd code').textContent"
    assert browser.execute_script(first) == ".."


@in_chromium
def test_prints_whole_and_light(browser: Any, uri: str) -> None:
    """On paper of 688 pixels between its margins: no table is cut off, and the paper stays white in the dark."""
    set_viewport(browser, 688, 900, "dark", "print")
    browser.get(uri)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 688
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@in_chromium
def test_loads_nothing(browser: Any, uri: str) -> None:
    set_viewport(browser, 1400, 900)
    browser.get_log("performance")
    browser.get(uri)
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requested = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
    assert requested <= {uri, "data:,"}


@in_chromium
def test_arrow_keys_move_in_the_matrix_and_enter_opens_a_cell(browser: Any, uri: str) -> None:
    from selenium.webdriver.common.keys import Keys

    set_viewport(browser, 1400, 900)
    browser.get(uri)
    stops = "return [...document.querySelectorAll('#table td a')].filter(one => one.tabIndex === 0).length"
    assert browser.execute_script(stops) == 1
    browser.execute_script("document.querySelector('#table td a').focus()")
    for key in (Keys.ARROW_LEFT, Keys.ARROW_UP, Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_RIGHT):
        browser.switch_to.active_element.send_keys(key)
    assert browser.switch_to.active_element.get_attribute("href").endswith("#cell-3-L2")
    assert browser.execute_script(stops) == 1
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.execute_script("return document.querySelector(':target').id") == "cell-3-L2"
    row = browser.execute_script("return document.querySelector(':target').textContent")
    assert "pwb-legacy book 3 L2" in row


@in_chromium
def test_every_cell_says_what_it_is_and_leads_to_its_row(browser: Any, uri: str) -> None:
    set_viewport(browser, 1400, 900)
    browser.get(uri)
    links = browser.execute_script(
        "return [...document.querySelectorAll('#table td a')].map(a => [a.getAttribute('aria-label'), a.hash])"
    )
    assert len(links) == len(PROGRAMS) * len(ATTACKS)
    assert all(re.fullmatch(r"[\w-]+, L\d+: .+", label) for label, _ in links)
    missing = browser.execute_script(
        "return [...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.querySelector(a.hash)).length"
    )
    assert missing == 0
    ids = browser.execute_script("return [...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_escaped_and_names_no_other_place(folder: Path, language: str) -> None:
    page = (folder / f"{language}.html").read_text(encoding="utf-8")
    assert NASTY not in page
    assert "&lt;script&gt;document.title" in page
    assert not re.search(r"(src|href)=\"?(https?:)?//|url\(|@import", page)
    assert f'<html lang="{load(language).language}">' in page


def test_each_defect_of_an_exhibit_has_its_cause_and_each_section_its_cure(folder: Path) -> None:
    page = (folder / "en.html").read_text(encoding="utf-8")
    red = [cell for cell in sample() if cell.outcome.mark == "defect"]
    assert page.count('<span class="line">Cause: ') == len(red)
    assert page.count("<dt>Cure</dt>") == len(ATTACKS)


def test_the_summary_counts() -> None:
    assert summary(sample(), load("en")) == (
        "Of the 140 cells of the book's programs 91 show a defect; in 3, another defect is in the way. "
        f"PWB: none of {len(ATTACKS) * len(DESIGNS)} cells shows one."
    )
    broken = [cell for cell in sample() if cell.program.name in ("2", "async")]
    broken[-1] = broken[-1]._replace(outcome=broken[0].outcome)
    assert "1 of 20 cells are not as they should be" in summary(broken, load("en"))
