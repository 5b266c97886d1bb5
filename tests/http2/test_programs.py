"""Common clients of HTTP/2: curl, nghttp, h2load and Chromium."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.server import Server, running
from tests.conformance.tree import ALPHABET, FILES
from tests.interop.browser import CHROMIUM, DRIVER, chromium
from tests.interop.programs import needs, run

from .conftest import H2

IMAGES = 200
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="1"/>'
LARGE = 100 << 20


def prior_knowledge(server: Server) -> str:
    return "--http2" if server.design.tls else "--http2-prior-knowledge"


@needs("curl")
@pytest.mark.parametrize("name", ["a.txt", "100k.bin", "30m.bin"])
async def test_curl(name: str, server: Server, tmp_path: Path) -> None:
    arguments = ("--silent", "--insecure", "--noproxy", "*", prior_knowledge(server), "--write-out", "%{http_version}")
    done = await run("curl", *arguments, "--output", str(tmp_path / name), f"{server.url}/{name}")
    assert (done.status, done.output) == (0, b"2")
    assert (tmp_path / name).read_bytes() == FILES[name.encode()]


@needs("curl")
async def test_curl_slowly(server: Server) -> None:
    """The windows of a client that reads slowly hold the server up, and nothing is lost."""
    arguments = ("--silent", "--insecure", "--noproxy", "*", prior_knowledge(server), "--limit-rate", "4M")
    done = await run("curl", *arguments, "--range", "0-3999999", f"{server.url}/30m.bin")
    assert done.output == FILES[b"30m.bin"][:4_000_000]


@needs("curl")
@pytest.mark.parametrize("size", [60_000, 65_537, 1 << 20])
async def test_curl_uploads(size: int, server: Server, tmp_path: Path) -> None:
    """curl 7.88 discards a response that RST_STREAM with NO_ERROR follows at once, and ends such a stream itself."""
    (tmp_path / "new").write_bytes(bytes(size))
    arguments = ("--silent", "--insecure", "--noproxy", "*", prior_knowledge(server), "--write-out", "%{http_code}")
    for fields in ((), ("--header", "Expect:")):
        for upload in (("--upload-file", str(tmp_path / "new")), ("--data-binary", f"@{tmp_path / 'new'}")):
            done = await run("curl", *arguments, *fields, *upload, "--output", "/dev/null", f"{server.url}/new")
            assert done.output == b"405"
    if server.design.tls:  # without TLS curl 7.88 does not manage to use a connection again, not even by two GETs
        again = ("--next", *arguments, "--output", "/dev/null", f"{server.url}/a.txt")
        upload = ("--upload-file", str(tmp_path / "new"))
        done = await run("curl", *arguments, *upload, "--output", "/dev/null", f"{server.url}/new", *again)
        assert done.output == b"405200"


@needs("nghttp")
@pytest.mark.parametrize(
    "options", [(), ("-c", "0"), ("-c", "1024"), ("-w", "10", "-W", "10"), ("-p", "1"), ("-H", "te: trailers")]
)
async def test_nghttp(options: tuple[str, ...], server: Server) -> None:
    """Whatever the size of its table and of its windows, and with its own priorities."""
    done = await run("nghttp", "-y", *options, f"{server.url}/a.txt", f"{server.url}/100k.bin")
    assert done.status == 0
    assert len(done.output) == len(ALPHABET) + len(FILES[b"100k.bin"])
    assert ALPHABET in done.output
    if not options:
        done = await run("nghttp", "-nv", f"{server.url}/a.txt")
        assert b"http2 error" not in done.output.lower()
        assert re.search(rb":status: 200", done.output)


@needs("h2load")
@pytest.mark.parametrize("window", ["14", "16", "30"])
async def test_h2load(window: str, server: Server) -> None:
    for path, count in (("a.txt", 3000), ("100k.bin", 300), ("missing", 300)):
        done = await run("h2load", "-c4", "-m20", f"-n{count}", f"-w{window}", f"-W{window}", f"{server.url}/{path}")
        statuses = (0, 0, count) if path == "missing" else (count, 0, 0)
        assert re.search(rb"status codes: %d 2xx, %d 3xx, %d 4xx, 0 5xx" % statuses, done.output), done.output


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server with TLS, and a page of many images."""
    root = tmp_path_factory.mktemp("images")
    images = "".join(f'<img src="image-{index}.svg">' for index in range(IMAGES))
    (root / "index.html").write_text(f"<!DOCTYPE html><title>Images</title>{images}")
    for index in range(IMAGES):
        (root / f"image-{index}.svg").write_text(SVG.format(index + 1))
    (root / "large.bin").write_bytes(os.urandom(1 << 20) * (LARGE >> 20))
    async with running(H2, root, log_dir=tmp_path_factory.mktemp("log")) as server:
        yield server


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with chromium(tmp_path_factory.mktemp("chromium"), flags=("--ignore-certificate-errors",)) as driver:
        driver.set_script_timeout(60)
        yield driver


in_chromium = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")
WIDTHS = "return [...document.images].map(image => image.complete ? image.naturalWidth : -1)"
PROTOCOLS = "return performance.getEntriesByType('resource').map(entry => entry.nextHopProtocol)"
DOWNLOAD = """
const done = arguments[0];
(async () => {
  const reader = (await fetch('large.bin')).body.getReader();
  let size = 0, sum = 0;
  for (;;) {
    const {value, done} = await reader.read();
    if (done) break;
    size += value.length;
    for (let index = 0; index < value.length; index += 4096) sum = (sum * 31 + value[index]) % 1000003;
  }
  const small = await Promise.all([...Array(50).keys()].map(n => fetch('image-' + n + '.svg?' + n)));
  return [size, small.every(response => response.ok)];
})().then(done, error => done(String(error)));
"""
STALLED = """
const done = arguments[0];
(async () => {
  const stalled = [];
  for (let index = 0; index < 2; index++) {  // whose windows together are smaller than that of the connection
    const reader = (await fetch('large.bin?' + index)).body.getReader();
    await reader.read();
    stalled.push(reader);
  }
  const response = await fetch('large.bin', {headers: {Range: 'bytes=50000000-50999999'}});
  const part = await response.arrayBuffer();
  for (const reader of stalled) reader.cancel();
  return [response.status, part.byteLength];
})().then(done, error => done(String(error)));
"""


@in_chromium
def test_chromium_loads_many_images_over_one_connection(site: Server, browser: Any) -> None:
    browser.get(f"{site.url}/")
    assert browser.execute_script(WIDTHS) == [index + 1 for index in range(IMAGES)]
    assert set(browser.execute_script(PROTOCOLS)) == {"h2"}


@in_chromium
def test_chromium_downloads_a_large_file(site: Server, browser: Any) -> None:
    browser.get(f"{site.url}/")
    assert browser.execute_async_script(DOWNLOAD) == [LARGE, True]


@in_chromium
def test_chromium_reads_a_range_beside_downloads_that_have_stalled(site: Server, browser: Any) -> None:
    """As a page with more videos than are played."""
    browser.get(f"{site.url}/")
    assert browser.execute_async_script(STALLED) == [206, 1_000_000]
