"""The play of `trace`: three clients, the same for every design, and one timeline of what each design did for them.

For each design: start it with --trace, and with a disk that takes a moment; let the clients come; end it. Then put the
timelines side by side: each begins with its first client, and its processes have its name. lanes.py draws them.

    the slow sender    takes its time over the head of one request
    the slow reader    asks for a large file, and takes it piece by piece
    the ordinary one   asks for one page after the other, with a moment between them
"""

import asyncio
import json
import os
import platform
import random
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeAlias

from pwb_async.version import __version__
from pwb_legacy.compare.measure.sample_site import KIB, write
from pwb_legacy.compare.measure.servers import CONTESTANTS, CannotError, Contestant, serving
from pwb_legacy.compare.report.timeline_page import render

Event: TypeAlias = dict[str, Any]
Address: TypeAlias = tuple[str, int]
DESIGNS: Final = (
    Contestant("fixed", "one fixed page", ("pwb_legacy", "--mode", "fixed"), keeps_alive=False),
    *CONTESTANTS,
)
ASIDE: Final = frozenset(("async-uncached", "async-asyncio"))
"""Designs that come on if they are asked for by name."""
DELAY: Final = "*.html=5ms"
"""How long the disk takes to find a page: else nobody could see it beside everything else."""
PAGES: Final = ("/1.html", "/2.html", "/3.html", "/1.html", "/2.html")
LARGE: Final = 6 << 20
TIMEOUT: Final = 20.0
_HEAD_PIECES: Final = 6
_WINDOW: Final = 64 * KIB
"""Bytes that the kernel of the slow reader takes for it."""
_SIP: Final = 192 * KIB
_MOMENT: Final = 0.02
"""Seconds between two pieces, or two requests."""
CLIENTS: Final = (
    f"The slow sender sends one request head in {_HEAD_PIECES} pieces, one every {_MOMENT * 1000:.0f} ms.",
    f"The slow reader takes a file of {LARGE >> 20} MiB, {_SIP >> 10} KiB every {_MOMENT * 1000:.0f} ms at most.",
    f"The ordinary client asks for {len(PAGES)} pages, {_MOMENT * 1000:.0f} ms after each answer for the next.",
)


def main(names: Collection[str], out: Path, command: str, say: Callable[[str], None] = print) -> list[Path]:
    """Plays it with the designs of these names, by default with all that do not stand aside; writes trace.json and
    trace.html into the folder `out`, and returns their paths. command: as it was typed. Raises CannotError, OSError."""
    designs = [one for one in DESIGNS if one.name in names or not (names or one.name in ASIDE)]
    out.mkdir(parents=True, exist_ok=True)
    events: list[Event] = []
    with TemporaryDirectory(prefix="pwb-trace-") as folder:
        make(Path(folder) / "root")
        for place, design in enumerate(designs):
            own = perform(design, Path(folder))
            events += beside(own, design.name, place)
            say(f"{design.name}: {sum(event['ph'] == 'X' for event in own)} steps")
    about = describe(designs, command)
    trace, page = out / "trace.json", out / "trace.html"
    trace.write_text(json.dumps({"displayTimeUnit": "ms", "otherData": about, "traceEvents": events}), "utf-8")
    page.write_text(render(events, about), "utf-8", errors="backslashreplace")  # a folder's name may be no UTF-8
    return [trace, page]


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
        "clients": list(CLIENTS),
        "designs": [{"name": one.name, "title": one.title, "command": one.command} for one in designs],
    }


def make(root: Path) -> None:
    """The site: a few pages, and a large file; the same bytes each time."""
    chance = random.Random(1)  # noqa: S311
    for page in sorted(set(PAGES)):
        write(root / page[1:], chance, 4 * KIB)
    write(root / "large.bin", chance, LARGE)


def perform(design: Contestant, folder: Path) -> list[Event]:
    """The events of one design's timeline, from start to end. Raises CannotError."""
    path = folder / f"{design.name}.json"
    options = ("--trace", os.fspath(path), "--delay-disk", DELAY)
    with serving(design, folder / "root", (), options) as server:
        try:
            asyncio.run(clients(server.address, design.keeps_alive))
        except (OSError, EOFError) as error:  # TimeoutError is an OSError
            server.check()
            raise CannotError(f"{design.name}: a client was not served: {error or 'it took too long'}") from None
    return read(path)


def read(path: Path) -> list[Event]:
    """The events of a server's timeline; one that was killed has left it open at its end."""
    lines = (line.rstrip(b",\n") for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n"))
    return [json.loads(line) for line in lines if line not in (b"[", b"]")]


def beside(events: Sequence[Event], name: str, place: int) -> list[Event]:
    """One design's events as they stand in the common file: from its first client on, under its name, in its place."""
    first = min((event["ts"] for event in events if event["name"] == "accept"), default=0.0)
    told = []
    for event in events:
        if event["name"] == "process_name":
            _, comma, child = event["args"]["name"].partition(", ")
            told.append({**event, "args": {"name": f"{name}{comma}{child}"}})
            told.append({**event, "name": "process_sort_index", "args": {"sort_index": place}})
        elif event["ph"] == "M":
            told.append(event)
        elif (end := event["ts"] + event.get("dur", 0.0)) >= first:
            begin = max(event["ts"], first)
            length = {"dur": end - begin} if "dur" in event else {}
            told.append({**event, "ts": begin - first, **length})
    return told


# -- the clients


async def clients(address: Address, keeps_alive: bool) -> None:
    """All three, who come in this order, and do what they do at the same time. keeps_alive: else the ordinary client
    comes anew for every page. Raises OSError or EOFError if one is not served."""
    async with asyncio.timeout(TIMEOUT):
        sender, reader = await connect(address), await connect(address)
        ordinary = kept(await connect(address)) if keeps_alive else anew(address)
        await together(send_slowly(sender), read_slowly(reader), ordinary)


async def together(*works: Awaitable[None]) -> None:
    """Until all are done, or one has failed."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, *pieces: bytes) -> int:
        """Sends a request, with a moment between its pieces; returns how long the content is."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            if piece is not pieces[-1]:
                await asyncio.sleep(_MOMENT)
        head = await self.reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(head.partition(b"\r\n")[0].decode())
        return int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


async def connect(address: Address) -> Client:
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW)
    try:
        await asyncio.get_running_loop().sock_connect(sock, address)
        return Client(*await asyncio.open_connection(sock=sock, limit=_WINDOW))
    except OSError:
        sock.close()
        raise


def request(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: three-clients\r\n\r\n".encode()


async def send_slowly(client: Client) -> None:
    whole = request(PAGES[0])
    size = -(-len(whole) // _HEAD_PIECES)
    length = await client.ask(*(whole[at : at + size] for at in range(0, len(whole), size)))
    await client.reader.readexactly(length)
    await client.close()


async def read_slowly(client: Client) -> None:
    left = await client.ask(request("/large.bin"))
    while left:
        sip = min(left, _SIP)
        await client.reader.readexactly(sip)
        left -= sip
        await asyncio.sleep(_MOMENT)
    await client.close()


async def kept(client: Client) -> None:
    for page in PAGES:
        await client.reader.readexactly(await client.ask(request(page)))
        await asyncio.sleep(_MOMENT)
    await client.close()


async def anew(address: Address) -> None:
    for page in PAGES:
        client = await connect(address)
        await client.reader.readexactly(await client.ask(request(page)))
        await client.close()
        await asyncio.sleep(_MOMENT)
