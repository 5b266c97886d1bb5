"""Live reload in a real Chromium, over HTTP/1.1, HTTPS and HTTP/2."""

import asyncio
import shutil
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.conformance.designs import REFERENCE, Design
from tests.conformance.server import Server, Start, eventually, running
from tests.live_reload.stream import PATH, event_stream

from .browser import CHROMIUM, DRIVER, chromium, console_messages

pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")

HTTP: Final = (REFERENCE, ())
HTTPS: Final = (Design("https", ("pwb_async",), tls=True), ("--no-http2",))
HTTP_2: Final = (Design("h2", ("pwb_async",), tls=True), ())
LOADS: Final = "<script>sessionStorage.loads = Number(sessionStorage.loads ?? 0) + 1</script>"
"""Counts how often a tab has loaded a page."""
RED: Final = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="9" height="9" fill="red"/></svg>'
)


def page(text: str, body: str = "") -> str:
    return f'<!doctype html><title>t</title><link rel="icon" href="data:,"><p id="text">{text}</p>{LOADS}{body}'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "index.html").write_text(page("one"))
    return root


@pytest.fixture(params=[HTTP, HTTPS, HTTP_2], ids=["http", "https", "h2"])
def kind(request: pytest.FixtureRequest) -> tuple[Design, tuple[str, ...]]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def start(kind: tuple[Design, tuple[str, ...]], root: Path, tmp_path: Path) -> Start:
    """Starts a server whose files are watched: `async with start("--spa") as server`."""

    @asynccontextmanager
    async def begin(*options: str) -> AsyncIterator[Server]:
        design, own = kind
        async with running(design, root, "--live-reload", *own, *options, log_dir=tmp_path) as server:
            async with event_stream(server.address):
                pass  # from now on no change is missed
            yield server

    return begin


only_http: Final = pytest.mark.parametrize("kind", [HTTP], ids=["http"])


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("chromium"), flags=("--ignore-certificate-errors",)) as driver:
        yield driver


@pytest.fixture(autouse=True)
def _one_tab(browser: Any) -> Iterator[None]:
    """Leaves one tab, without a page."""
    yield
    for handle in browser.window_handles[1:]:
        browser.switch_to.window(handle)
        browser.close()
    browser.switch_to.window(browser.window_handles[0])
    browser.get("about:blank")
    console_messages(browser)


def save(path: Path, content: str | bytes) -> None:
    """Saves a file as editors do: another one takes its place."""
    temporary = path.with_name(path.name + ".4711")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    temporary.replace(path)


def text(browser: Any) -> str:
    script = "return document.getElementById('text')?.textContent ?? ''"
    return browser.execute_script(script)  # type: ignore[no-any-return]


def loads(browser: Any) -> int:
    return int(browser.execute_script("return sessionStorage.loads"))


async def shows(browser: Any, expected: str) -> None:
    await until(browser, lambda: text(browser) == expected)


async def until(browser: Any, condition: Callable[[], bool]) -> None:
    """Waits for a condition; while a page is being reloaded, scripts may fail."""
    from selenium.common.exceptions import WebDriverException

    def holds() -> bool:
        try:
            return condition()
        except WebDriverException:
            return False

    await eventually(holds, 15, lambda: browser.page_source)


async def test_a_page_is_reloaded_when_it_changes(start: Start, browser: Any, root: Path) -> None:
    async with start() as server:
        browser.get(server.url + "/")
        for number in range(3):
            save(root / "index.html", page(f"text {number}"))
            await shows(browser, f"text {number}")
        assert loads(browser) == 4
        assert console_messages(browser) == []


async def test_a_style_sheet_is_swapped(start: Start, browser: Any, root: Path) -> None:
    (root / "a.css").write_text("p { color: rgb(1, 0, 0) }")
    save(root / "index.html", page("one", '<link rel="stylesheet" href="/a.css?v=1">'))
    async with start() as server:
        browser.get(server.url + "/")
        color = "return getComputedStyle(document.getElementById('text')).color"
        for number in range(2, 5):
            save(root / "a.css", f"p {{ color: rgb({number}, 0, 0) }}")
            await until(browser, lambda number=number: browser.execute_script(color) == f"rgb({number}, 0, 0)")
        sheets = "return [...document.querySelectorAll('link[rel=stylesheet]')].map(each => each.href)"
        await until(browser, lambda: len(browser.execute_script(sheets)) == 1)
        assert "/a.css?v=1&live-reload=" in browser.execute_script(sheets)[0]
        assert loads(browser) == 1


async def test_an_image_is_swapped(start: Start, browser: Any, root: Path) -> None:
    (root / "a b.svg").write_bytes(RED)
    save(root / "index.html", page("one", '<img id="i" src="a%20b.svg"><img id="j" srcset="x.svg 3x, a%20b.svg 1x">'))
    async with start() as server:
        browser.get(server.url + "/")
        save(root / "a b.svg", RED.replace(b'width="10"', b'width="70"'))
        for name in ("i", "j"):
            width = f"return document.getElementById('{name}').naturalWidth"
            await until(browser, lambda width=width: browser.execute_script(width) == 70)
        assert loads(browser) == 1


async def test_what_cannot_be_swapped_reloads(start: Start, browser: Any, root: Path) -> None:
    """A style sheet that another one imports, an image in a style sheet, and a style sheet that is gone."""
    (root / "inner.css").write_text("p { color: rgb(1, 0, 0) }")
    (root / "bg.svg").write_bytes(RED)
    (root / "a.css").write_text("@import 'inner.css'; body { background: url(bg.svg) }")
    save(root / "index.html", page("one", '<link rel="stylesheet" href="a.css"><img src="bg.svg">'))
    async with start() as server:
        browser.get(server.url + "/")
        color = "return getComputedStyle(document.getElementById('text')).color"
        await until(browser, lambda: browser.execute_script(color) == "rgb(1, 0, 0)")
        save(root / "inner.css", "p { color: rgb(2, 0, 0) }")
        await until(browser, lambda: browser.execute_script(color) == "rgb(2, 0, 0)")
        assert loads(browser) == 2
        save(root / "bg.svg", RED + b" ")
        await until(browser, lambda: loads(browser) == 3)
        (root / "a.css").unlink()
        await until(browser, lambda: browser.execute_script(color) == "rgb(0, 0, 0)")
        assert loads(browser) == 4


async def test_the_scroll_position_is_kept(start: Start, browser: Any, root: Path) -> None:
    long = '<div style="height: 5000px"></div>'
    save(root / "index.html", page("one", long))
    async with start() as server:
        browser.get(server.url + "/")
        browser.execute_script("scrollTo(0, 2345)")
        save(root / "index.html", page("two", long))
        await shows(browser, "two")
        await until(browser, lambda: browser.execute_script("return scrollY") == 2345)


async def test_ten_tabs(start: Start, browser: Any, root: Path) -> None:
    """A browser opens six connections to a server over HTTP/1.1, so the seventh tab could load nothing."""
    async with start() as server:
        browser.get(server.url + "/")
        for _ in range(9):
            browser.switch_to.new_window("tab")
            browser.get(server.url + "/")
            assert text(browser) == "one"
        for number in range(2):
            save(root / "index.html", page(f"text {number}"))
            for handle in browser.window_handles:
                browser.switch_to.window(handle)
                await shows(browser, f"text {number}")
                assert loads(browser) == number + 2
        # The tab that leads is closed: another one takes the lead.
        for handle in browser.window_handles[:-1]:
            browser.switch_to.window(handle)
            browser.close()
            browser.switch_to.window(browser.window_handles[-1])
        save(root / "index.html", page("last"))
        await shows(browser, "last")


async def test_a_build_is_one_reload(start: Start, browser: Any, root: Path) -> None:
    async with start() as server:
        browser.get(server.url + "/")
        for number in range(2000):
            folder = root / f"{number % 20}"
            folder.mkdir(exist_ok=True)
            (folder / f"{number}.html").write_text(page("other"))
        save(root / "index.html", page("built"))
        await shows(browser, "built")
        save(root / "index.html", page("later"))
        await shows(browser, "later")
        assert loads(browser) == 3


async def test_a_build_that_begins_with_an_empty_folder(start: Start, browser: Any, root: Path) -> None:
    async with start() as server:
        browser.get(server.url + "/")
        shutil.rmtree(root)
        root.mkdir()
        save(root / "index.html", page("built"))
        await shows(browser, "built")
        save(root / "index.html", page("later"))
        await shows(browser, "later")


async def test_a_page_that_is_gone_comes_back(start: Start, browser: Any, root: Path) -> None:
    async with start() as server:
        browser.get(server.url + "/")
        (root / "index.html").unlink()
        await until(browser, lambda: "404" in browser.title)
        save(root / "index.html", page("back"))
        await shows(browser, "back")


async def test_the_way_back_shows_the_page_as_it_is(start: Start, browser: Any, root: Path) -> None:
    (root / "other.html").write_text(page("other"))
    async with start() as server:
        browser.get(server.url + "/")
        browser.get(server.url + "/other.html")
        save(root / "index.html", page("changed"))
        await until(browser, lambda: loads(browser) == 3)
        browser.back()
        await shows(browser, "changed")
        save(root / "index.html", page("again"))
        await shows(browser, "again")


async def test_fragments_and_frames(start: Start, browser: Any, root: Path) -> None:
    (root / "fragment.html").write_text("<b>fragment</b>")
    (root / "frame.html").write_text(page("frame"))
    save(root / "index.html", page("one", '<iframe src="frame.html"></iframe>'))
    async with start() as server:
        browser.get(server.url + "/")
        fetched = "fetch('fragment.html').then(answer => answer.text()).then(arguments[0])"
        assert browser.execute_async_script(fetched) == "<b>fragment</b>"
        save(root / "frame.html", page("frame changed"))
        inner = "return document.querySelector('iframe').contentDocument.getElementById('text').textContent"
        await until(browser, lambda: browser.execute_script(inner) == "frame changed")


async def test_with_a_strict_policy(start: Start, browser: Any, root: Path) -> None:
    async with start("--security-headers", "strict") as server:
        browser.get(server.url + "/")
        save(root / "index.html", page("two"))
        await shows(browser, "two")


@only_http
@pytest.mark.parametrize(
    "policy",
    ["default-src 'none'", "script-src 'none'", "script-src 'nonce-x' 'strict-dynamic'; connect-src 'none'"],
)
async def test_with_a_policy_of_the_site(start: Start, browser: Any, root: Path, policy: str) -> None:
    (root / "_headers").write_text(f"/*\n  Content-Security-Policy: {policy}\n")
    async with start() as server:
        browser.get(server.url + "/")
        inline = browser.execute_script("return sessionStorage.loads ?? null")
        save(root / "index.html", page("two"))
        await shows(browser, "two")
        assert inline is None, "the policy still forbids what it forbids"


async def test_a_restart_reloads(start: Start, browser: Any, root: Path) -> None:
    async with start() as server:
        browser.get(server.url + "/")
        await until(browser, lambda: loads(browser) == 1)
        port = server.address[1]
    save(root / "index.html", page("while it was off"))
    async with start("--port", str(port)):
        await shows(browser, "while it was off")
        save(root / "index.html", page("later"))
        await shows(browser, "later")


@only_http
async def test_a_link_to_another_release_reloads(root: Path, tmp_path: Path, browser: Any, kind: object) -> None:
    current, new, other = tmp_path / "current", tmp_path / "new", tmp_path / "other"
    other.mkdir()
    (other / "index.html").write_text(page("other"))
    current.symlink_to(root)
    async with running(REFERENCE, current, "--live-reload", log_dir=tmp_path) as server:
        async with event_stream(server.address):
            pass
        browser.get(server.url + "/")
        new.symlink_to(other)
        new.replace(current)
        await shows(browser, "other")
        save(other / "index.html", page("later"))
        await shows(browser, "later")


async def test_the_end_of_a_body_in_a_script(start: Start, browser: Any, root: Path) -> None:
    save(root / "index.html", page("one", "<script>const end = '</body></html>'; document.title = end.length</script>"))
    async with start() as server:
        browser.get(server.url + "/")
        assert browser.title == "14"
        save(root / "index.html", page("two"))
        await shows(browser, "two")


@only_http
async def test_a_page_of_another_origin_has_no_locks(root: Path, tmp_path: Path, browser: Any, kind: object) -> None:
    """As from another machine without TLS: only the tab that is visible has a stream."""
    options = ("--live-reload", "--host", "0.0.0.0")
    async with running(REFERENCE, root, *options, log_dir=tmp_path) as server:
        url = f"http://pwb.test:{server.address[1]}/"
        async with event_stream(("127.0.0.1", server.address[1])):
            pass
        with chromium(tmp_path / "profile", flags=("--host-resolver-rules=MAP pwb.test 127.0.0.1",)) as other:
            other.get(url)
            assert other.execute_script("return navigator.locks ?? null") is None
            for _ in range(7):
                other.switch_to.new_window("tab")
                other.get(url)
                assert text(other) == "one"
            save(root / "index.html", page("two"))
            for handle in other.window_handles:
                other.switch_to.window(handle)
                await shows(other, "two")


@pytest.mark.quiet
async def test_how_soon_a_save_is_seen(start: Start, browser: Any, root: Path) -> None:
    """The bar: 150 ms, as the median of 20."""
    (root / "a.css").write_text("")
    save(root / "index.html", page("one", '<link rel="stylesheet" href="a.css">'))
    async with start() as server:
        browser.get(server.url + "/")
        browser.execute_script(
            f"window.seen = []; new EventSource('{PATH}').onmessage = () => window.seen.push(Date.now())"
        )
        await until(browser, lambda: len(browser.execute_script("return seen")) == 1)
        delays = []
        for number in range(20):
            await asyncio.sleep(0.6)  # so that it is a save of its own, and not the rest of a build
            saved_at = time.time()
            save(root / "a.css", f"p {{ margin: {number}px }}")
            await until(browser, lambda number=number: len(browser.execute_script("return seen")) == number + 2)
            delays.append(browser.execute_script("return seen").pop() / 1000 - saved_at)
        print("seen after", *(f"{delay * 1000:.0f}" for delay in sorted(delays)), "ms")
        assert statistics.median(delays) <= 0.150
        assert loads(browser) == 1


@only_http
async def test_one_tab_leads(start: Start, browser: Any) -> None:
    async with start() as server:
        browser.get(server.url + "/")
        for _ in range(5):
            browser.switch_to.new_window("tab")
            browser.get(server.url + "/")
        query = "navigator.locks.query().then(({held, pending}) => arguments[0]([held.length, pending.length]))"
        await until(browser, lambda: browser.execute_async_script(query) == [1, 5])
