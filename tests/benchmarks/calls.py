"""How many Python calls a hit on the shelf costs: a figure that no noise of the machine can move.

    python -m tests.benchmarks.calls

The real server on a real uvloop loop, its access log on; only the socket is left out: the protocol is called as the
loop would call it, with a transport that takes everything. `tests/server/test_calls.py` fails the build above BUDGETS.
"""

import asyncio
import gc
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvloop

from pwb_async.config.loader import read_options
from pwb_async.runtime.opening import open_context
from pwb_async.server.http_protocol import HTTPProtocol
from pwb_async.server.server import Server
from pwb_async.terminal.traffic import Traffic

from .works import BROWSER

BUDGETS = {"combined": 9, "pretty": 12}
"""Python calls for one hit, by the format of the access log; the pretty one as on a terminal, with its status line."""
MEASURED = ("--admin", "127.0.0.1:0")
"""The options with which requests are counted."""
_HITS = 100
_NOT_OURS = ("Sink.", "_profiled", "_GeneratorContextManager")


class Sink(asyncio.Transport):
    """A connection to a client that reads everything at once."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.taken: list[bytes] = []

    def write(self, data: Any) -> None:
        self.taken.append(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    abort = close


def requests(tag: bytes) -> dict[str, bytes]:
    """Kinds of hits on the 1 KiB file: whole requests by name. tag: the file's entity tag, with its quotes."""
    head = b"%s /hot.html HTTP/1.1\r\n" + BROWSER + b"%s\r\n"
    return {
        "GET": head % (b"GET", b""),
        "HEAD": head % (b"HEAD", b""),
        "304": head % (b"GET", b"If-None-Match: " + tag + b"\r\n"),
        "206": head % (b"GET", b"Range: bytes=0-99\r\n"),
    }


async def count(log_format: str, *options: str) -> dict[str, dict[str, float]]:
    """For each kind of hit, the Python functions it called and how often, per hit. options: more of the server."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "hot.html").write_bytes(b"x" * 1024)
        log = ["--access-log", "/dev/null", "--log-format", log_format]
        arguments = [folder, "--port", "0", "--requests-per-connection", "0", *log, *options]
        context = open_context("pwb", read_options("pwb", arguments, {}, folder))
        if log_format == "pretty":
            context = context._replace(observers=(Traffic().record,))
        server = Server(context)
        running = asyncio.ensure_future(server.serve())
        protocol, sink = HTTPProtocol(server.state), Sink()
        protocol.connection_made(sink)
        tag = b""
        for kind in ("206", "GET"):  # a range and what is compressed are entries of their own
            sink.taken.clear()
            protocol.data_received(requests(tag)[kind])
            while not sink.taken:
                await asyncio.sleep(0)
        tag = b"".join(sink.taken).partition(b"ETag: ")[2].partition(b"\r\n")[0]
        counts = {kind: _count_calls(protocol, request) for kind, request in requests(tag).items()}
        protocol.connection_lost(None)
        server.shutdown()
        await running
    return counts


def _count_calls(protocol: HTTPProtocol, request: bytes) -> dict[str, float]:
    for _ in range(3):
        protocol.data_received(request)
    with _profiled() as calls_by_name:
        for _ in range(_HITS):
            protocol.data_received(request)
    return {name: calls / _HITS for name, calls in calls_by_name.items() if not name.startswith(_NOT_OURS)}


@contextmanager
def _profiled() -> Iterator[Counter[str]]:
    calls_by_name: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            calls_by_name[frame.f_code.co_qualname] += 1

    gc.disable()
    sys.setprofile(cast(Callable[[FrameType, str, object], None], note))
    try:
        yield calls_by_name
    finally:
        sys.setprofile(None)
        gc.enable()


def main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for title, log_format, options in (*((each, each, ()) for each in BUDGETS), ("metrics", "combined", MEASURED)):
            for kind, calls_by_name in runner.run(count(log_format, *options)).items():
                names = ", ".join(sorted(calls_by_name))
                print(f"{title:8} {kind:5} {sum(calls_by_name.values()):5.1f} Python calls: {names}")


if __name__ == "__main__":
    main()
