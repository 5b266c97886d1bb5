"""The play of `trace`: three clients, the same for every design, and one timeline of what each design did for them.

For each design: start it with --trace, and with a disk that is slowed down; let the clients connect and be served; end
it. Then the timelines are put side by side: each begins with its first client, and its processes have its name.
"""

import json
import os
import platform
import random
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from pwb_async.version import __version__
from pwb_legacy.compare.measure.sample_site import KIB, write
from pwb_legacy.compare.measure.servers import CONTESTANTS, CannotError, Contestant, serving
from pwb_legacy.compare.report.timeline_page import render

from .clients import HEAD_PIECES, LARGE, PAGES, PAUSE, READ_SIZE, Event, play, timeline

DESIGNS: Final = (
    Contestant("fixed", "one fixed page", ("pwb_legacy", "--mode", "fixed"), keeps_alive=False),
    *CONTESTANTS,
)
ONLY_BY_NAME: Final = frozenset(("async-uncached", "async-asyncio"))
"""Designs that take part only if they are named."""
DELAY_MS: Final = 5
"""How much longer the disk takes for a page; without it the time would be too short to be seen beside the rest."""
DELAY: Final = f"*.html={DELAY_MS}ms"


class Written(NamedTuple):
    """The files that a play has left."""

    trace: Path
    page: Path
    stopped: bool
    """Ctrl-C ended it before the last design."""


def main(
    names: Collection[str], out: Path, command: str, language: str = "en", say: Callable[[str], None] = print
) -> Written:
    """Play it with the designs of these names, by default with all but ONLY_BY_NAME; write trace.json and trace.html
    into the folder `out`, which must exist.

    `command` is shown as it was typed. After Ctrl-C the files have the designs that were played to their end; if there
    is none, KeyboardInterrupt is raised. Raises CannotError, OSError.
    """
    designs = [one for one in DESIGNS if one.name in names or not (names or one.name in ONLY_BY_NAME)]
    written = Written(out / "trace.json", out / "trace.html", stopped=False)
    events: list[Event] = []
    played: list[Contestant] = []
    with TemporaryDirectory(prefix="pwb-trace-") as folder:
        make(Path(folder) / "root")
        try:
            for place, design in enumerate(designs):
                server, clients = perform(design, Path(folder), place)
                events += beside(server, clients, design.name, place)
                played.append(design)
                say(f"{design.name}: {sum(event['ph'] == 'X' for event in server)} steps")
        except KeyboardInterrupt:
            if not played:
                raise
            written = written._replace(stopped=True)
    about = describe(played, command) | {"designs_planned": len(designs)}
    written.trace.write_text(json.dumps({"displayTimeUnit": "ms", "otherData": about, "traceEvents": events}), "utf-8")
    # A folder's name, which is part of the command, may be no UTF-8.
    written.page.write_text(render(events, about, language), "utf-8", errors="backslashreplace")
    return written


def describe(designs: Sequence[Contestant], command: str) -> dict[str, Any]:
    """The conditions: JSON."""
    return {
        "version": __version__,
        "command": command,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "cores": os.cpu_count(),
        "delay_disk": DELAY,
        "play": {
            "pieces": HEAD_PIECES,
            "pause": round(PAUSE * 1000),
            "size": LARGE >> 20,
            "read": READ_SIZE >> 10,
            "pages": len(PAGES),
            "delay": DELAY_MS,
        },
        "designs": [{"name": one.name, "title": one.title, "command": one.command} for one in designs],
    }


def make(root: Path) -> None:
    """The site: a few pages, and a large file; the same bytes each time."""
    chance = random.Random(1)  # noqa: S311
    for page in sorted(set(PAGES)):
        write(root / page[1:], chance, 4 * KIB)
    write(root / "large.bin", chance, LARGE)


def perform(design: Contestant, folder: Path, place: int = 0) -> tuple[list[Event], list[Event]]:
    """The events of one design's timeline, from start to end, and those of its clients. Raises CannotError."""
    path = folder / f"{design.name}.json"
    options = ("--trace", os.fspath(path), "--delay-disk", DELAY)
    with serving(design, folder / "root", options=options) as server:
        try:
            logs = play(server.address, design.keeps_alive)
        except (OSError, EOFError) as error:  # TimeoutError is an OSError
            server.check()
            raise CannotError(f"{design.name}: a client was not served: {error or 'it took too long'}") from None
    return read(path), timeline(logs, design.name, place)


def read(path: Path) -> list[Event]:
    """The events of a server's timeline; one that was killed has left it open at its end."""
    lines = (line.rstrip(b",\n") for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n"))
    return [json.loads(line) for line in lines if line not in (b"[", b"]")]


def beside(server: Sequence[Event], clients: Sequence[Event], name: str, place: int) -> list[Event]:
    """One design's events as they stand in the common file: from its first client on, under its name, in its place."""
    first = min(event["ts"] for event in clients if event["ph"] == "X")
    made = []
    for event in (*clients, *server):
        if event["name"] == "process_name":
            _, comma, part = event["args"]["name"].partition(", ")
            made.append({**event, "args": {"name": f"{name}{comma}{part}"}})
            made.append({**event, "name": "process_sort_index", "args": {"sort_index": place}})
        elif event["ph"] == "M":
            made.append(event)
        elif (end := event["ts"] + event.get("dur", 0.0)) >= first:
            made.append({**event, "ts": max(event["ts"], first) - first, **_shortened(event, first, end)})
    return made


def _shortened(event: Event, first: float, end: float) -> dict[str, float]:
    """The durations of an event of which only what is after `first` is shown."""
    if event["ts"] >= first or "dur" not in event:
        return {}
    duration = end - first
    return {"dur": duration, **({"tdur": min(event["tdur"], duration)} if "tdur" in event else {})}
