"""Chromium plays a video, seeks in it, and installs a service worker, over HTTP/1.1 and over HTTP/2."""

import json
import random
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.conformance.designs import REFERENCE, Design
from tests.conformance.server import Server, eventually, running

from .browser import CHROMIUM, DRIVER, chromium, console_messages
from .programs import needs

pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")

VERSIONS: Final = {"HTTP/1.1": REFERENCE, "HTTP/2.0": Design("h2", ("pwb_async",), tls=True)}
"""The versions as the access log has them, and a server that a browser asks by them."""
WIDTH, HEIGHT, RATE, SECONDS = 160, 120, 10, 60
PAGE = """<!DOCTYPE html><title>Video</title><link rel="icon" href="data:,">
<video src="clip.webm" preload="metadata" muted></video>"""
PLAY = """
const [start, done] = arguments, video = document.querySelector('video');
const happens = (name) => new Promise((resolve) => video.addEventListener(name, resolve, {once: true}));
(async () => {
  if (!video.readyState) await happens('loadedmetadata');
  if (start !== null) {
    const sought = happens('seeked');
    video.currentTime = start;
    await sought;
  }
  await video.play();
  while (video.currentTime < (start || 0) + 0.5) await happens('timeupdate');
  video.pause();
  const canvas = document.createElement('canvas').getContext('2d');
  canvas.drawImage(video, 0, 0, 16, 16);
  const red = canvas.getImageData(0, 0, 16, 16).data.filter((_, index) => index % 4 === 0);
  return [video.duration, video.currentTime, red.reduce((sum, one) => sum + one) / red.length];
})().then(done, error => done(String(error)));
"""
"""Plays half a second, from a position if one is given. Returns the duration, the position and how bright the frame is."""
WORKER = """
const VERSION = 'version 1';
self.addEventListener('install', (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open('pages').then((cache) => cache.addAll(['kept.txt'])));
});
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  if (event.request.url.endsWith('/version')) event.respondWith(new Response(VERSION));
  else event.respondWith(caches.match(event.request).then((kept) => kept || fetch(event.request)));
});
"""
INSTALL = """
const done = arguments[0];
(async () => {
  let controlled = false;
  navigator.serviceWorker.addEventListener('controllerchange', () => controlled = true, {once: true});
  const registration = await navigator.serviceWorker.register('worker.js');
  while (!controlled) {  // the server's cache may have the old version for a moment
    await registration.update();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return Promise.all(['version', 'kept.txt'].map(async (name) => (await fetch(name)).text()));
})().then(done, error => done(String(error)));
"""
"""Installs the worker, or its new version, and returns what it answers to two requests."""


def luma(seconds: float) -> float:
    """That of the frame at a moment of the video; black is 16, white 235."""
    return 40 + 160 * seconds / SECONDS


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that becomes brighter and brighter, of noise, so that it is too large to be fetched as a whole."""
    folder = tmp_path_factory.mktemp("clip")
    chance = random.Random(1)
    noise = chance.randbytes(WIDTH * HEIGHT)
    with (folder / "frames.i420").open("wb") as frames:
        for number in range(RATE * SECONDS):
            middle = int(luma(number / RATE))
            table = bytes(min(255, max(0, middle + byte // 4 - 32)) for byte in range(256))
            start = chance.randrange(len(noise))
            frames.write((noise[start:] + noise[:start]).translate(table) + b"\x80" * (WIDTH * HEIGHT // 2))
    size = (f"--width={WIDTH}", f"--height={HEIGHT}", f"--fps={RATE}/1")
    how = ("--codec=vp8", "--i420", "--rt", "--cpu-used=12", "--kf-max-dist=10", "--target-bitrate=3000", "--max-q=20")
    words = ("vpxenc", *size, *how, "--quiet", "-o", folder / "clip.webm", folder / "frames.i420")
    subprocess.run(words, check=True, timeout=60)
    (folder / "frames.i420").unlink()
    return folder / "clip.webm"


@pytest.fixture(params=VERSIONS)
async def home(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    """A server of a site."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text(PAGE)
    (tmp_path / "site" / "kept.txt").write_text("kept")
    (tmp_path / "site" / "worker.js").write_text(WORKER)
    async with running(VERSIONS[request.param], tmp_path / "site", log_dir=tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("chromium"), flags=("--ignore-certificate-errors",)) as driver:
        driver.set_script_timeout(30)
        yield driver


def responses(browser: Any, path: str) -> Iterator[dict[str, Any]]:
    """The responses for a path since the last call, as the browser describes them."""
    for entry in browser.get_log("performance"):
        event = json.loads(entry["message"])["message"]
        if event["method"] == "Network.responseReceived" and event["params"]["response"]["url"].endswith(path):
            yield event["params"]["response"]


def named(response: dict[str, Any]) -> dict[str, str]:
    """Its fields by their names in lower case."""
    return {name.lower(): value for name, value in response["headers"].items()}


def version(server: Server) -> str:
    return next(name for name, design in VERSIONS.items() if design is server.design)


@needs("vpxenc")
async def test_a_video_is_played_and_sought_in(home: Server, browser: Any, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "site" / "clip.webm").hardlink_to(clip)
    browser.get(f"{home.url}/index.html")
    for start in (None, 50, 20):
        duration, position, bright = browser.execute_async_script(PLAY, start)
        assert duration == pytest.approx(SECONDS, abs=0.5)
        assert (start or 0) + 0.5 <= position < (start or 0) + 2
        assert bright == pytest.approx((luma(position) - 16) * 255 / 219, abs=12)
    found = list(responses(browser, "/clip.webm"))
    assert {each["protocol"] for each in found} == {"h2" if home.design.tls else "http/1.1"}
    ranges = [named(each).get("content-range", "") for each in found]
    assert any(int(start) > 4 << 20 for start in re.findall(r"bytes (\d+)-", " ".join(ranges))), ranges
    assert console_messages(browser) == []


async def test_a_service_worker_is_installed_and_renewed(home: Server, browser: Any, tmp_path: Path) -> None:
    browser.get(f"{home.url}/index.html")
    assert browser.execute_async_script(INSTALL) == ["version 1", "kept"]
    (tmp_path / "site" / "worker.js").write_text(WORKER.replace("version 1", "version 2"))
    assert browser.execute_async_script(INSTALL) == ["version 2", "kept"]
    sent = re.compile(rb'"GET /worker.js (HTTP/[0-9.]+)" 200 ')
    await eventually(lambda: len(sent.findall(home.log.read_bytes())) >= 2, 5)
    assert {found.decode() for found in sent.findall(home.log.read_bytes())} == {version(home)}
