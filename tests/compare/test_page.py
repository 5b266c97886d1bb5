"""compare.html, in a real Chromium: no error, nothing loaded, readable in any width and light."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pwb_legacy.compare.load import Tally
from pwb_legacy.compare.measure.results import Results
from pwb_legacy.compare.report import page
from pwb_legacy.compare.report.charts import Bar, bars
from pwb_legacy.compare.report.claims import verdict
from pwb_legacy.compare.report.lines import marks
from pwb_legacy.compare.report.table import table
from pwb_legacy.compare.report.waits_chart import waits_chart
from pwb_legacy.compare.report.words import Words
from tests.interop.browser import CHROMIUM, DRIVER, axe_violations, chromium, console_messages, set_viewport

from . import screenshots
from .sample_results import NASTY, results, swept_whole, whole

pytest.importorskip("selenium", reason="selenium is not installed")
in_chromium = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")

PAGES = ("compare.html", "sweep.html")
CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
function light(colour) {
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(part => part / 255);
  const [red, green, blue] = parts.map(one => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
const told = getComputedStyle(document.documentElement);
const behind = light(told.getPropertyValue('--page').trim());
return arguments[0].map(name => {
  const before = light(told.getPropertyValue(name).trim());
  return (Math.max(before, behind) + 0.05) / (Math.min(before, behind) + 0.05);
});
"""
"""How much colours differ from the paper, as WCAG counts it: 1 is not at all."""
TEXT = ["--ink", "--soft", "--link", "--warn"]
MARKS = ["--one", "--each", "--loop", "--async"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pages")
    (place / "compare.html").write_text(page.render(whole()))
    (place / "sweep.html").write_text(page.render(swept_whole()))
    return place


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@in_chromium
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_axe_finds_nothing(browser: Any, folder: Path, name: str, width: int, scheme: str) -> None:
    set_viewport(browser, width, 900, scheme)
    browser.get((folder / name).as_uri())
    assert axe_violations(browser) == []


@in_chromium
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [2560, 1400, 768, 400, 320])
def test_opens_without_complaint_and_fits(browser: Any, folder: Path, name: str, width: int) -> None:
    set_viewport(browser, width, 900)
    browser.get((folder / name).as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.title != "caught"
    assert console_messages(browser) == []


@in_chromium
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_readable(browser: Any, folder: Path, name: str, scheme: str) -> None:
    """Text at 4.5 to 1, marks at 3 to 1: WCAG 2.2, 1.4.3 and 1.4.11."""
    set_viewport(browser, 1400, 900, scheme)
    browser.get((folder / name).as_uri())
    red = int(
        browser.execute_script("return getComputedStyle(document.body).backgroundColor").split("(")[1].split(",")[0]
    )
    assert (red > 128) == (scheme == "light")
    assert min(browser.execute_script(CONTRAST, TEXT)) >= 4.5
    assert min(browser.execute_script(CONTRAST, MARKS)) >= 3


@in_chromium
@pytest.mark.parametrize("name", PAGES)
def test_prints_whole_and_light(browser: Any, folder: Path, name: str) -> None:
    """On A4 between its margins, 688 pixels: no table is cut off, and the paper stays white in the dark."""
    set_viewport(browser, 688, 900, "dark", "print")
    browser.get((folder / name).as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 688
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@in_chromium
@pytest.mark.parametrize("name", PAGES)
def test_loads_nothing(browser: Any, folder: Path, name: str) -> None:
    set_viewport(browser, 1400, 900)
    browser.get_log("performance")
    browser.get((folder / name).as_uri())
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert asked <= {(folder / name).as_uri(), "data:,"}
    told = (folder / name).read_text()
    assert not re.search(r"(src|href)=\"?(https?:)?//|url\(|@import|<script [^>]*src", told)


@pytest.mark.parametrize("name", PAGES)
def test_everything_is_escaped(folder: Path, name: str) -> None:
    told = (folder / name).read_text()
    assert NASTY not in told
    assert "&lt;script&gt;document.title" in told


@in_chromium
def test_every_figure_of_a_chart_is_text(browser: Any, folder: Path) -> None:
    """A row for each design, in their order, with its figure as text; what was not measured is told."""
    set_viewport(browser, 1400, 900)
    browser.get((folder / "compare.html").as_uri())
    words = browser.execute_script(
        "return [...document.querySelectorAll('[aria-labelledby=burst] figure:first-of-type text')].map(t => t.textContent)"
    )
    names = [one.name for one in whole().playing("burst")]
    assert words[: len(names)] == names
    assert "not measured" in words
    assert "16 (n=9,000)" in words  # single: the p99 of the rounds is 13.3 to 18.3 ms
    notes = browser.execute_script("return document.querySelector('[aria-labelledby=burst] .notes').textContent")
    assert "gevent could not be measured: it ended with status 1" in notes
    assert "async: at least so many" in notes
    labels = browser.execute_script("return [...document.querySelectorAll('svg [role]')].length")
    assert labels == 0, "the roles of a drawing's inner groups would each need a label"
    notes = browser.execute_script("return document.querySelector('[aria-labelledby=slow-heads] .notes').textContent")
    assert "single answered no request" in notes


@in_chromium
def test_the_pictures_of_the_readme_are_small(folder: Path, tmp_path: Path) -> None:
    screenshots.main(folder / "compare.html", tmp_path)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert {f"{name}-{scheme}.png" for name in ("verdict", "kept") for scheme in ("light", "dark")} <= set(sizes)
    assert max(sizes.values()) < 150_000


def test_a_run_that_was_stopped_at_once_is_a_page() -> None:
    made = whole()
    made.measurements = made.measurements[:1]
    told = page.render(made)
    assert "The run was interrupted" in told
    assert "async was not measured: the run was interrupted" in told


def widths(svg: str) -> list[float]:
    """Of the bars of a chart, from above."""
    return [float(width) for width in re.findall(r'<path d="M0,[\d.]+h([\d.]+)v[\d.]+h-[\d.]+Z" fill="var', svg)]


def test_bars_are_as_long_as_their_figures() -> None:
    rows = [Bar("a", 10.0, "10", "var(--x)", 9, 11), Bar("b", 40.0, "40", "var(--y)"), Bar("c", None, "", "var(--x)")]
    short, long, *none = widths(bars(rows, "chart"))
    assert long == pytest.approx(4 * short, rel=0.01)
    assert none == [] or none == [0]


def test_a_line_beyond_all_bars_is_drawn() -> None:
    svg = bars([Bar("a", 0.8, "0.80", "var(--x)")], "chart", line=1.0)
    (bar,) = widths(svg)
    (line,) = re.findall(r'<line transform="translate\(([\d.]+),[^>]*stroke="var\(--line\)"', svg)
    assert bar == pytest.approx(0.8 * float(line), rel=0.01)


def test_figures_far_apart_are_points_on_powers_of_ten() -> None:
    svg = bars([Bar("a", 0.5, "0.5", "var(--x)"), Bar("b", 3000.0, "3,000", "var(--x)")], "chart")
    assert widths(svg) == []
    assert all(f">{power}<" in svg for power in ("1", "10", "100", "1,000"))


@pytest.mark.parametrize("values", [(0.0, 0.0), (None, None), (0.0, 5.0), (1e-6, 1e9), (-4.8, 70.0), (-1.0, 1e9)])
def test_no_figure_is_too_strange_to_be_drawn(values: tuple[float | None, float | None]) -> None:
    svg = bars([Bar(name, value, "so", "var(--x)") for name, value in zip("ab", values, strict=True)], "<chart>")
    assert svg.startswith('<svg role="img" aria-label="&lt;chart&gt;"')
    assert "NaN" not in svg
    assert "Infinity" not in svg


def test_a_chart_that_cannot_be_drawn_costs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def bars(*_: object, **__: object) -> str:
        raise ValueError("math domain error")

    monkeypatch.setattr(page, "bars", bars)
    told = page.render(whole())
    assert "This chart could not be drawn: math domain error" in told
    assert told.rstrip().endswith("</html>")
    assert "25" in told


def test_the_conditions_say_which_cores_and_which_loop() -> None:
    told = page.render(whole())
    assert "the server core 0, the load generator core 1" in told
    assert "slow senders 1,234/s" in told
    assert "It does not show how long clients wait" in told


def section(made: Results, name: str) -> str:
    """A scenario's part of the page."""
    return page.render(made).partition(f'<section aria-labelledby="{name}">')[2].partition("</section>")[0]


def test_the_first_chart_shows_the_measure_of_the_claim() -> None:
    """Each round carries a p90 only, all rounds together a p99: claims are of the one, so the chart shows it, too."""
    made = whole()
    made.measurements = [replace(one, p99_ms=None) for one in made.measurements if one.scenario == "many"]
    told = section(made, "many")
    assert "<figcaption>90 of 100 requests wait at most" in told
    assert "99 of 100 requests wait at most" not in told
    assert any("many files, 90 of 100" in one.lower() for one in Words(made).verdict(verdict(made)))


def test_a_disturbed_figure_is_drawn_hollow_and_marked() -> None:
    """Other programs had 40 % of the cores' time while one design was measured: its rate is marked, its cost is not."""
    made = whole()
    made.measurements = [replace(one, disturbed=0.4 if one.design == "epoll" else 0.1) for one in made.measurements]
    told = section(made, "kept")
    assert told.count('fill-opacity="0"') == 1
    assert len(re.findall(r"<text[^>]*>[\d.,]+ †</text>", told)) == 1
    assert "† Drawn hollow: other programs had more than 25% of the cores&#39; time while epoll was measured" in told
    assert "†" not in section(whole(), "kept")


def test_a_disturbed_point_of_a_curve_is_marked() -> None:
    made = swept_whole()
    assert "†" not in page.render(made)
    made.points = [replace(one, disturbed=0.4 if one.design == "epoll" and one.x == 4 else 0.1) for one in made.points]
    told = page.render(made)
    first, _, cpu, _ = told.split('<h2 id="curve-')[1:5]
    assert len(re.findall(r"<td>[\d.,]+ †", first)) == 1
    assert "† Other programs had more than 25% of the cores&#39; time in most rounds" in first
    assert "†" not in cpu


def test_only_what_is_wrong_is_red() -> None:
    """That there is no p99 of few requests is a fact, and no fault."""
    told = section(whole(1), "slow-heads")
    assert re.search(r'<li class="soft">There is no p99 of fewer', told)
    assert re.search(r'<li class="warn">single answered no request', told)


@pytest.mark.parametrize("decades", [0.5, 1, 2, 4])
def test_a_logarithmic_axis_has_at_least_two_labels(decades: float) -> None:
    for low in (0.07, 0.9, 1.0, 3.0, 9.9):
        assert len(marks(low, low * 10**decades)) >= 2
        curve = Tally()
        for wait in (low, low * 10**decades):
            curve.record(int(wait * 1000), 500)
        svg = waits_chart({"a": curve.histogram}, {"a": ("var(--x)", [])}, "chart", "percent")
        across = {"0", "50", "90", "99", "percent", "a"}
        assert len([text for text in re.findall(r"<text[^>]*>([^<]+)</text>", svg) if text not in across]) >= 2


@in_chromium
def test_charts_side_by_side_begin_at_the_same_height(browser: Any, folder: Path) -> None:
    """However many lines the titles above them take."""
    set_viewport(browser, 1400, 900)
    browser.get((folder / "compare.html").as_uri())
    tops = browser.execute_script(
        "return [...document.querySelectorAll('.charts')].map(row => [...row.querySelectorAll('svg')].map(one => "
        "Math.round(one.getBoundingClientRect().top)))"
    )
    assert all(len(set(row)) == 1 for row in tops)
    heights = browser.execute_script(
        "return [...document.querySelectorAll('.charts figcaption')].map(one => one.getBoundingClientRect().height)"
    )
    assert len(set(heights)) > 1, "some titles take two lines"


def test_the_number_of_requests_stands_beside_each_percentile() -> None:
    told = page.render(whole(1))
    assert re.search(r">n</th><th [^>]*>p50 ms</th><th [^>]*>p90 ms</th><th [^>]*>p99 ms</th>", told)
    assert "There is no p99 of fewer than 1,000 requests" in told
    assert "system calls (n = 1)" in told
    assert "single ends every connection after one response" in told


@pytest.mark.parametrize("rate", [0.5, 999.4, 99_949.0, 1_234_567.0])
def test_the_table_fits_80_columns(rate: float) -> None:
    made = whole()
    made.measurements = [replace(one, rate=rate, failures=one.requests) for one in made.measurements]
    console = Console(width=80, file=io.StringIO(), force_terminal=False)
    console.print(table(made, Words(made)))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    heads, legend, rows = 2 * 3, 3, len(made.playing("kept")) + len(made.playing("page-0ms"))
    assert len(lines) == heads + legend + rows
    assert all("…" not in line for line in lines)
    assert max(map(len, lines)) <= 80


# --- what stands beside a figure


def test_the_rate_of_an_open_loop_has_its_reason() -> None:
    made = whole()
    made.scenarios = [
        replace(one, slowest="process", capacity=2469.0) if one.name == "many" else one for one in made.scenarios
    ]
    told = page.render(made)
    assert "Many files 1,234/s (process could serve 2,500/s)" in told
    assert "over 8 connections, with nothing in its way, so that all can serve it; and at most 2,000 a second." in told


@pytest.mark.parametrize(("rate", "noted"), [(2000.0, False), (1000.0, True)])
def test_a_rate_that_counts_fewer_than_were_answered_is_explained_beside_it(rate: float, noted: bool) -> None:
    made = results("kept", rate={"epoll": (rate,), "thread": (rate,)})
    made.measurements = [replace(one, requests=1000, seconds=0.5) for one in made.measurements]
    assert ("Requests a second are those answered within the time of a measurement" in page.render(made)) == noted


def test_a_scenario_has_its_title_and_the_name_that_the_option_takes() -> None:
    assert '<h2 id="slow-readers">Slow readers <code>slow-readers</code></h2>' in page.render(whole())
    words = Words(whole(), "zh")
    heads = [words.head(name) for name in ("slow-readers", "vanishing", "kept")]
    assert heads == ["slow\nreaders", "vanish-\ning", "kept"]
