"""The designs as commands, and a server from its start to its end.

The steps: start the command in a session of its own, on its core, with an environment without options; wait for the
line that says where it listens; serve; SIGTERM; whatever of its tree is then still there is killed.
"""

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from . import probes

START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 3.0
QUIET: Final = ("--port", "0", "--access-log", "off")
"""What every contestant is told: any free port, and no access log."""
_PACKAGES: Final = Path(__file__).parents[3]
_LISTENING: Final = re.compile(rb"listening on http://([0-9.]+):(\d+)/")


@dataclass(frozen=True, slots=True)
class Contestant:
    """A design. words: its command after `python -m`. keeps_alive: False for one that ends every connection after one
    answer. spawns: each connection has a thread or a process of its own that ends with it. idle: how many idle
    connections a crowd of it is."""

    name: str
    title: str
    words: tuple[str, ...]
    keeps_alive: bool = True
    spawns: bool = False
    idle: int = 500

    @property
    def command(self) -> str:
        """As people type it."""
        return " ".join(("python -m", *self.words))


def _book(mode: str, title: str, **more: bool | int) -> Contestant:
    return Contestant(mode, title, ("pwb_legacy", "--mode", mode), **more)  # type: ignore[arg-type]


CONTESTANTS: Final = (
    _book("single", "one client at a time", keeps_alive=False),
    _book("thread", "a thread for each client", spawns=True),
    _book("process", "a process for each client", spawns=True, idle=120),
    _book("gevent", "a greenlet for each client"),
    _book("epoll", "one thread, told by epoll"),
    _book("epoll-thread", "epoll, and threads for the disk"),
    Contestant("async", "asyncio on uvloop, with a cache", ("pwb_async",)),
    Contestant("async-uncached", "asyncio on uvloop, no cache", ("pwb_async", "--cache", "off")),
    Contestant("async-asyncio", "asyncio's own loop, with a cache", ("pwb_async", "--loop", "asyncio")),
)
"""In the order of the book. `fixed` is missing: it has one page for everybody, so there is nothing to compare."""


class CannotError(Exception):
    """A server did not do what was asked. Its str is one line."""


class Server:
    """A server that listens. process: its first. address: where."""

    def __init__(self, process: subprocess.Popen[bytes], address: tuple[str, int], errors: IO[bytes]) -> None:
        self.process = process
        self.pid = process.pid
        self.address = address
        self._errors = errors

    def check(self) -> None:
        """Raises CannotError if it has ended by itself."""
        if self.process.poll() is not None:
            raise CannotError(f"it ended with status {self.process.returncode}: {last_words(self._errors)}")


@contextmanager
def serving(contestant: Contestant, root: Path, core: int | None, options: Sequence[str] = ()) -> Iterator[Server]:
    """The design on a folder until the block ends. core: the only one it may use. Raises CannotError."""
    words = [sys.executable, "-m", *contestant.words, os.fspath(root), *QUIET, *options]
    with TemporaryFile() as errors, started(words, core, errors) as process:
        yield Server(process, _address(process, errors), errors)


@contextmanager
def started(
    words: Sequence[str],
    core: int | None,
    errors: IO[bytes],
    output: int | IO[bytes] = subprocess.PIPE,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A command as a process until the block ends; then its whole tree is ended. environment: by default this one
    without the options of PWB in it."""
    process = subprocess.Popen(  # noqa: S603  our own words
        words,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        cwd=folder or "/",  # no pwb.toml or pyproject.toml is found there
        env=environment or plain_environment(),
        start_new_session=True,  # a Ctrl-C in the terminal is for the laboratory alone
    )
    try:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})  # before it has had the time to make a thread
        yield process
    finally:
        end(process)
        if process.stdout is not None:
            process.stdout.close()


def plain_environment() -> dict[str, str]:
    """Without options for PWB, and such that `python -m` finds this very copy of it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PWB_")}
    return kept | {"PYTHONPATH": os.fspath(_PACKAGES)}


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the first process; SIGKILL to whatever of its tree is still there afterwards."""
    members = {pid: probes.birth(pid) for pid in probes.tree(process.pid)}
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        members |= {pid: probes.birth(pid) for pid in probes.tree(process.pid)}
        process.kill()
        process.wait()
    for pid, birth in members.items():
        if pid != process.pid and birth and probes.birth(pid) == birth:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def last_words(output: IO[bytes]) -> str:
    """The last line that a process has written there."""
    output.seek(0)
    lines = output.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def _address(process: subprocess.Popen[bytes], errors: IO[bytes]) -> tuple[str, int]:
    """Waits for the line that says where it listens."""
    assert process.stdout is not None
    said, end_at = b"", time.monotonic() + START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(max(0.0, end_at - time.monotonic())):
            piece = os.read(process.stdout.fileno(), 4096)
            said += piece
            if match := _LISTENING.search(said):
                return match[1].decode(), int(match[2])
            if not piece:
                raise CannotError(f"it cannot start: {last_words(errors)}")
    raise CannotError(f"it did not listen within {START_SECONDS:.0f} s")
