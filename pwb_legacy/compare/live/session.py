"""A run of `pwb-legacy live`: the servers and the page start, the lesson plays, and everything ends.

The steps: make a folder of files and start every design on it, with a rule for the folder /slow (--delay-disk), so that
the disk becomes slow when the clients ask there; make a folder with the page and serve it with `python -m pwb_async`;
open the endpoint of the buttons; play; end all servers, and remove both folders.
"""

import json
import os
import resource
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import uvloop

from pwb_async.config.modes import MODES
from pwb_async.output.printing import printable
from pwb_legacy.compare.measure.servers import CannotError, Contestant, Server, serving

from .control import Control
from .lesson import Lesson
from .row import FAST, LARGE, SLOW, Row
from .steady_load import SteadyLoad
from .story import DISK_MS
from .words import LANGUAGES

DESCRIPTORS: Final = 4096
"""Descriptors of this program at most: nine designs have some 140 clients each."""
OPTIONS: Final = (
    *("--delay-disk", f"/slow/*={DISK_MS}ms"),
    *("--idle-timeout", "24h"),
    *("--requests-per-connection", "0"),
    *("--grace-period", "1s"),
)
"""Options of every design: idle clients stay, and the end takes no longer than it must."""
PAGE: Final = Contestant("page", "the page", ("pwb_async", "--cache", "off", "--grace-period", "1s"))
_HERE: Final = Path(__file__).parent / "page"
_STYLE: Final = Path(__file__).parents[1] / "report" / "paper.css"
_SIZES: Final = (2 << 10, 4 << 10, 8 << 10, 16 << 10)
"""Bytes of the files of a visit."""
_LARGE: Final = 8 << 20


def run(designs: Sequence[Contestant], rate: float, seconds: float, port: int, language: str) -> None:
    """Play until the time is over or Ctrl-C. port: of the page; 0: any. Raises CannotError, and KeyboardInterrupt."""
    words = LANGUAGES[language]["terminal"]
    signals: list[int] = []
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGHUP: the terminal was closed
        # An exception at any moment could lose a server between its fork and its entry in `running`.
        signal.signal(name, lambda received, _: signals.append(received))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    with ExitStack() as running:
        site = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="pwb-site-")))
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="pwb-live-")))
        _make_site(site)
        _make_page(folder)
        page = _start(PAGE, folder, ("--port", str(port)), running)
        rows = []
        for number, design in enumerate(designs):
            if signals:
                raise KeyboardInterrupt
            _say(words["starting"].format(name=design.name))
            server = _start(design, site, OPTIONS, running)
            load = SteadyLoad(server.address, design.keeps_alive, rate, number / len(designs))
            rows.append(Row(design, server, load))
        lesson = Lesson(rows, rate, seconds, folder / "state.json")
        origin = "http://{}:{}".format(*page.address)

        async def play() -> None:
            token = secrets.token_urlsafe(16)
            control = Control(token, origin, lesson.press)
            await control.start()
            lesson.publish()
            print(words["open"].format(url=f"{origin}/?lang={language}#{control.address}/{token}"), flush=True)
            _say(words["ends"].format(time=duration(words, seconds)))
            try:
                await lesson.run(lambda: bool(signals))
            finally:
                await control.close()

        uvloop.run(play())
    _say(words["ended"])
    if signals:
        raise KeyboardInterrupt


def duration(words: Mapping[str, str], seconds: float) -> str:
    """Seconds in words: as minutes from two on."""
    return words["seconds"].format(n=seconds) if seconds < 120 else words["minutes"].format(n=seconds / 60)


def _start(design: Contestant, folder: Path, options: Sequence[str], running: ExitStack) -> Server:
    try:
        return running.enter_context(serving(design, folder, options=options))
    except CannotError as error:
        raise CannotError(f"{design.name}: {error}") from None


def _make_site(root: Path) -> None:
    """The same four files in / and in /slow, and a large one. All are dated a day back: a cache may trust the validator
    of a new file less."""
    (root / "slow").mkdir()
    sizes = [*zip(FAST, _SIZES, strict=True), *zip(SLOW, _SIZES, strict=True), (LARGE.target, _LARGE)]
    yesterday = time.time() - 86_400
    for target, size in [*sizes, (b"/index.html", _SIZES[0])]:
        path = root / os.fsdecode(target[1:])
        path.write_bytes(b"how servers wait" * (size // 16))
        os.utime(path, (yesterday, yesterday))


def _make_page(folder: Path) -> None:
    for path in (*_HERE.iterdir(), _STYLE):
        shutil.copyfile(path, folder / path.name)
    families = {name: mode.family for name, mode in MODES.items()}
    (folder / "words.json").write_text(json.dumps(LANGUAGES | {"families": families}), encoding="utf-8")


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)
