"""trace.html in a real Chromium: stepping, zoom and hover; and in any width, light and language."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from pwb_legacy.compare.report.timeline_lanes import designs
from pwb_legacy.compare.report.timeline_page import render
from pwb_legacy.compare.report.timeline_sources import IDEAS, design_source, function_at
from pwb_legacy.compare.report.timeline_words.catalogue import Words, load
from pwb_legacy.compare.timeline import three_clients
from tests.interop.browser import CHROMIUM, DRIVER, axe_violations, chromium, console_messages, set_viewport

from . import screenshots
from .colours import closest
from .sample_results import NASTY, PLAY, timeline
from .test_page import CONTRAST, TEXT

pytest.importorskip("selenium", reason="selenium is not installed")
in_chromium = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")

STEPS = ["--accept", "--head", "--locate", "--find", "--read", "--send"]
CLIENTS = ["--client-1", "--client-2", "--client-3"]
PLAYED = ("thread", "gevent", "epoll-thread")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a real play of three designs."""
    folder = tmp_path_factory.mktemp("play")
    return three_clients.main(PLAYED, folder, "python -m pwb_legacy trace")[1]


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A made-up page in each language, in which names are code."""
    folder = tmp_path_factory.mktemp("made-up")
    pages = {language: folder / f"trace-{language}.html" for language in ("en", "zh")}
    for language, path in pages.items():
        path.write_text(render(timeline("thread", "epoll-thread"), PLAY, language))
    return pages


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


def open_page(browser: Any, path: Path, width: int = 1400, scheme: str = "light", media: str = "screen") -> None:
    set_viewport(browser, width, 900, scheme, media)
    browser.get(path.as_uri())


def press(browser: Any, key: str, selector: str = "body") -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser.find_element(By.CSS_SELECTOR, selector).send_keys(getattr(Keys, key, key))


def marked(browser: Any) -> list[str]:
    """The texts of the lines that are marked as running now."""
    script = "return [...document.querySelectorAll('.now .line')].map(line => line.textContent.trim())"
    return browser.execute_script(script)  # type: ignore[no-any-return]


def position(browser: Any) -> int:
    return int(browser.execute_script("return document.getElementById('scrubber').value"))


@in_chromium
def test_arrow_keys_step_and_change_the_marked_line(browser: Any, played: Path) -> None:
    open_page(browser, played)
    seen = set()
    for place in range(1, 40):
        press(browser, "ARROW_RIGHT")
        assert position(browser) == place
        seen.update(marked(browser))
    assert "self.send_some(client, outgoing)" in seen
    assert any("site.locate(event" in line for line in seen)
    press(browser, "ARROW_LEFT")
    assert position(browser) == 38
    assert console_messages(browser) == []


@in_chromium
def test_every_step_shows_where_it_is(browser: Any, played: Path) -> None:
    """A line of the design is marked, or the line of its idea says where the code is that runs."""
    open_page(browser, played)
    steps = browser.execute_script("""
        const found = {};
        DATA.designs.forEach((design, number) => {
            choose(number);
            player.order.forEach((_, place) => {
                go(place);
                const tags = [...document.querySelectorAll('#source :is(.now, .elsewhere) .tag:last-child')].map(tag => tag.textContent);
                const below = !id('shared').hidden && document.querySelectorAll('#shared .now').length;
                found[[tags, below]] = 1;
            });
        });
        return Object.keys(found);
    """)
    assert set(steps) <= {"here now,1", "here now,0", "now: in the code below,1", "now: no line of PWB,0"}
    assert {"here now,1", "now: in the code below,1"} <= set(steps)


@in_chromium
@pytest.mark.parametrize("name", PLAYED)
def test_the_line_of_the_idea_is_always_marked(browser: Any, played: Path, name: str) -> None:
    open_page(browser, played)
    browser.execute_script(f"document.querySelector('input[value=\"{PLAYED.index(name)}\"]').click()")
    for _ in range(5):
        press(browser, "ARROW_RIGHT")
        idea = browser.execute_script("return document.querySelector('#source .idea .line').textContent")
        assert IDEAS[name][1] in idea
        assert IDEAS[name][0] in browser.execute_script("return document.getElementById('source-title').textContent")


@in_chromium
def test_the_scrubber_steps_by_its_own_keys(browser: Any, played: Path) -> None:
    open_page(browser, played)
    press(browser, "END", "#scrubber")
    last = position(browser)
    assert last > 100
    press(browser, "ARROW_LEFT", "#scrubber")
    assert position(browser) == last - 1
    told = browser.execute_script("return document.getElementById('scrubber').getAttribute('aria-valuetext')")
    assert told.startswith(f"Step {last} of {last + 1}")


@in_chromium
def test_it_plays_until_a_key_stops_it(browser: Any, played: Path) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    open_page(browser, played)
    press(browser, "SPACE", "#chart")
    assert browser.execute_script("return document.getElementById('play').getAttribute('aria-pressed')") == "true"
    WebDriverWait(browser, 20).until(lambda _: position(browser) >= 2)
    press(browser, "ARROW_LEFT")
    assert browser.execute_script("return [player.timer, document.getElementById('detail').ariaLive]") == [0, "polite"]
    assert console_messages(browser) == []


@in_chromium
def test_up_and_down_follow_one_client(browser: Any, played: Path) -> None:
    open_page(browser, played)
    clients = []
    for _ in range(12):
        press(browser, "ARROW_DOWN", "#chart")
        clients.append(browser.execute_script("return player.order[player.place].step[CLIENT]"))
    assert len(set(clients)) == 1


@in_chromium
def test_zoom_by_keys_buttons_and_wheel(browser: Any, played: Path) -> None:
    open_page(browser, played)

    def span() -> float:
        return float(browser.execute_script("return player.chart.to - player.chart.from"))

    whole = span()
    press(browser, "+", "#chart")
    assert span() == pytest.approx(whole / 2)
    browser.execute_script("document.getElementById('zoom-in').click()")
    assert span() == pytest.approx(whole / 4)
    browser.execute_script(
        "document.getElementById('chart').dispatchEvent("
        "new WheelEvent('wheel', {deltaY: 1, ctrlKey: true, clientX: 500, cancelable: true}))"
    )
    assert span() == pytest.approx(whole / 5, rel=0.6)
    press(browser, "END", "#chart")
    inside = "const now = player.chart.current.step[BEGIN]; return player.chart.from <= now && now <= player.chart.to"
    assert browser.execute_script(inside), "the part that is shown follows the step"
    press(browser, "0", "#chart")
    assert span() == pytest.approx(whole)
    assert console_messages(browser) == []


@in_chromium
def test_a_pointer_shows_the_details_and_chooses_a_step(browser: Any, played: Path) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    open_page(browser, played)
    longest = """
        document.getElementById('chart').scrollIntoView({block: 'center'});
        const chart = player.chart, edge = chart.holder.getBoundingClientRect();
        const all = player.order.filter(({step}) => step[WAITS] === 'reader');
        all.sort((a, b) => b.step[DURATION] - a.step[DURATION]);
        const {row, step} = all[0], shown = chart.rows[row];
        return [chart.x(step[BEGIN] + step[DURATION] / 2) - edge.width / 2, shown.top + 8 - edge.height / 2];
    """
    x, y = browser.execute_script(longest)
    pointer = ActionChains(browser).move_to_element_with_offset(
        browser.find_element(By.ID, "chart"), round(x), round(y)
    )
    pointer.perform()
    tip = browser.execute_script("const tip = document.getElementById('tip'); return [tip.hidden, tip.textContent]")
    assert tip[0] is False
    assert "sends, for the slow reader" in tip[1]
    assert "blocked in send()" in tip[1]
    pointer.click().perform()
    assert "blocked in send()" in browser.execute_script("return document.getElementById('detail').textContent")
    press(browser, "ESCAPE")
    assert browser.execute_script("return document.getElementById('tip').hidden")


@in_chromium
@pytest.mark.parametrize("width", [320, 400, 768, 1400, 2560])
def test_fits_any_width(browser: Any, played: Path, width: int) -> None:
    open_page(browser, played, width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    outside = """
        return [...document.querySelectorAll('.chart text')].filter(text => {
            const box = text.getBoundingClientRect();
            return box.left < -1 || box.right > innerWidth + 1;
        }).map(text => text.textContent);
    """
    assert browser.execute_script(outside) == []
    assert console_messages(browser) == []


@in_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_readable(browser: Any, played: Path, scheme: str) -> None:
    """Text at 4.5 to 1, marks at 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11); and every two colours differ for every eye."""
    open_page(browser, played, scheme=scheme)
    assert min(browser.execute_script(CONTRAST, TEXT)) >= 4.5
    assert min(browser.execute_script(CONTRAST, STEPS + CLIENTS)) >= 3
    value = "return getComputedStyle(document.documentElement).getPropertyValue(arguments[0]).trim()"
    for names in (STEPS, CLIENTS):
        colours = {name: browser.execute_script(value, name) for name in names}
        distance, pair = closest(colours)
        assert distance >= 0.1, pair


@in_chromium
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, played: Path, width: int, scheme: str) -> None:
    open_page(browser, played, width, scheme)
    assert axe_violations(browser) == []


@in_chromium
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_language_is_a_whole_page(browser: Any, made_up: dict[str, Path], language: str) -> None:
    open_page(browser, made_up[language])
    assert browser.title != "caught"
    assert browser.execute_script("return document.documentElement.lang") == load(language).language
    press(browser, "ARROW_RIGHT")
    text = browser.execute_script("return document.body.innerText")
    assert not re.search(r"\{\w+\}|undefined|built-in", text)
    assert axe_violations(browser) == []
    assert console_messages(browser) == []


@in_chromium
def test_prints_every_design_on_white(browser: Any, played: Path) -> None:
    open_page(browser, played, 688, "dark", "print")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 688
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    shown = "return [...document.querySelectorAll('.overview svg')].filter(one => one.checkVisibility()).length"
    assert browser.execute_script(shown) == len(PLAYED)


@in_chromium
def test_loads_nothing(browser: Any, played: Path) -> None:
    browser.get_log("performance")
    open_page(browser, played)
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert asked <= {played.as_uri(), "data:,"}
    assert not re.search(r"(src|href)=\"?(https?:)?//|url\((?!#)|@import", played.read_text())


def test_everything_is_escaped(made_up: dict[str, Path]) -> None:
    for path in made_up.values():
        told = path.read_text()
        assert NASTY not in told
        assert "&lt;script&gt;document.title" in told
        assert r"\u003cscript\u003edocument.title" in told


@in_chromium
def test_the_pictures_of_the_documentation_are_small_and_true(played: Path, tmp_path: Path) -> None:
    from PIL import Image

    screenshots.main(played, tmp_path)
    pictures = {path.name: path for path in tmp_path.iterdir()}
    assert set(pictures) == {f"{name}-{scheme}.png" for name in ("timeline", "step") for scheme in ("light", "dark")}
    assert max(path.stat().st_size for path in pictures.values()) < 150_000
    css = (Path(three_clients.__file__).parents[1] / "report" / "timeline.css").read_text()
    for scheme, colour in zip(("light", "dark"), re.findall(r"--client-2: (#\w+)", css), strict=True):
        with Image.open(pictures[f"timeline-{scheme}.png"]) as picture:
            assert screenshots.rgb(colour) in {found for _, found in picture.convert("RGB").getcolors() or ()}


def test_a_picture_keeps_the_colours_of_its_marks() -> None:
    from PIL import Image

    marks = [(29, 17, 71), (39, 71, 207), (40, 72, 208)]
    picture = Image.new("RGB", (100, 100))
    for x in range(100):
        for y in range(100):
            picture.putpixel((x, y), (x, y, 100 + x))
    for place, mark in enumerate(marks):
        picture.putpixel((place, 0), mark)
    fewer = screenshots.fewer_colours(picture, marks).convert("RGB")
    assert [fewer.getpixel((place, 0)) for place in range(3)] == marks
    assert len(fewer.getcolors() or ()) <= screenshots.COLOURS


# -- what is drawn


def test_lanes_of_a_timeline() -> None:
    thread, epoll = designs(timeline("thread", "epoll-thread"))
    assert (thread.name, epoll.name) == ("thread", "epoll-thread")
    assert [lane.kind for lane in thread.lanes] == ["client", "main", "thread"]
    assert [step.kind for step in thread.lanes[2].steps] == ["wait", "find", "send"]
    assert [step.waits_for for step in thread.lanes[2].steps] == ["request", "disk", ""]
    assert thread.served(1) == (0.5, 10.5)
    assert thread.served(2) is None


def test_a_pool_of_disk_threads_has_a_lane_for_each_that_works_at_the_same_time() -> None:
    """Six threads read one after the other, but for two of them; they are two rows, not six."""
    events = timeline("epoll-thread")
    for number, begin in enumerate((20, 21, 30, 40, 50, 60)):
        where = {"pid": 100, "tid": 10 + number}
        events.append({"ph": "M", "name": "thread_name", **where, "args": {"name": f"pwb-disk_{number}"}})
        times = {"ts": 1000 * begin, "dur": 5000, "tdur": 100}
        events.append({"ph": "X", "cat": "pwb", "name": "read", **times, **where, "args": {"connection": 1}})
    (design,) = designs(events)
    packed = [lane for lane in design.lanes if lane.kind == "packed"]
    assert [[step.begin for step in lane.steps] for lane in packed] == [[20, 30, 40, 50, 60], [21]]
    assert not [lane for lane in design.lanes if lane.kind == "pool"]
    assert all(step.waits_for == "disk" for lane in packed for step in lane.steps)


def test_children_stand_with_their_parent() -> None:
    parent, child = timeline("process"), timeline("process, child 7")
    (design,) = designs(parent + [{**event, "pid": 7} for event in child])
    assert sorted(lane.kind for lane in design.lanes) == ["child", "child", "client", "main", "thread"]


def test_lanes_stand_in_the_order_of_their_numbers() -> None:
    names = {number: f"Thread-{number} (handlerequest)" for number in (10, 9, 1)}
    events: list[dict[str, Any]] = [{"ph": "M", "name": "process_name", "pid": 1, "tid": 1, "args": {"name": "thread"}}]
    for tid, name in names.items():
        events.append({"ph": "M", "name": "thread_name", "pid": 1, "tid": tid, "args": {"name": name}})
        events.append({"ph": "X", "name": "send", "pid": 1, "tid": tid, "ts": tid, "dur": 1, "args": {"bytes": tid}})
    (design,) = designs(events)
    assert [lane.steps[0].size for lane in design.lanes] == [1, 9, 10]


def test_an_empty_timeline_is_a_page() -> None:
    assert "</html>" in render([], PLAY)


@pytest.mark.parametrize("name", IDEAS)
def test_every_design_has_one_line_that_is_its_idea(name: str) -> None:
    source, line = design_source(name)
    assert source is not None
    assert IDEAS[name][1] in source.lines[line - 1]


def test_every_design_of_the_play_has_a_source_and_words() -> None:
    names = {design.name for design in three_clients.DESIGNS}
    assert names == set(IDEAS) == set(load("en").designs)


def test_a_line_outside_of_a_function_or_of_pwb_has_no_source() -> None:
    assert function_at("pwb_legacy/threads.py", 1) is None
    assert function_at("../../etc/passwd", 1) is None
    assert design_source("another") == (None, 0)


@pytest.mark.parametrize("field", [field.name for field in fields(Words) if field.name != "language"])
def test_the_catalogues_have_the_same_keys_and_blanks(field: str) -> None:
    def blanks(value: Any) -> dict[Any, set[str | None]]:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return {key: {name for _, name, *_ in Formatter().parse(text) if name} for key, text in pairs}

    assert blanks(getattr(load("en"), field)) == blanks(getattr(load("zh"), field))
