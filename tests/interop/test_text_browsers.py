"""w3m and lynx: a page as text in its charset, and the targets of its links."""

from pathlib import Path

import pytest

from tests.conformance.server import Start

from .programs import needs, run

PAGE = """<!DOCTYPE html><title>Notes</title><h1>Grüße</h1>
<p><a href="notes.txt">Notes</a>, <a href="a%20folder/">a folder</a>, <a href="/caf%C3%A9.txt?x=1">café</a></p>"""
FILES = {
    "/notes.txt": "notes.txt",
    "/a%20folder/": "a folder/index.html",
    "/caf%C3%A9.txt?x=1": "café.txt",
}
"""The links of the page, and the files that they lead to."""
OPTIONS = {
    "w3m": (["-dump", "-O", "UTF-8"], "-dump_source"),
    "lynx": (["-dump", "-nolist", "-display_charset=UTF-8"], "-source"),
}
"""The options for the page as text, and for a file as it is."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "a folder").mkdir(parents=True)
    (root / "index.html").write_text(PAGE)
    (root / "notes.txt").write_text("one\ntwo\n")
    (root / "café.txt").write_text("drei, vier\n")
    (root / "a folder/index.html").write_text("<p>inside")
    return root


@pytest.mark.parametrize("browser", [pytest.param(name, marks=needs(name)) for name in OPTIONS])
async def test_page_and_what_it_links_to(browser: str, root: Path, start: Start) -> None:
    as_text, as_it_is = OPTIONS[browser]
    async with start(root=root) as server:
        page = (await run(browser, *as_text, server.url + "/")).output.decode()
        assert "Grüße" in page
        assert "Notes, a folder, café" in page
        for target, name in FILES.items():
            assert (await run(browser, as_it_is, server.url + target)).output == (root / name).read_bytes()


@needs("lynx")
async def test_where_the_links_of_a_page_lead(root: Path, start: Start) -> None:
    async with start(root=root) as server:
        done = await run("lynx", "-dump", "-listonly", "-nonumbers", server.url + "/")
        links = [line for line in done.output.decode().splitlines() if line.startswith("http")]
        assert links == [server.url + target for target in FILES]
