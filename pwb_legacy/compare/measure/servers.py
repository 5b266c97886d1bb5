"""The contestants as commands, and a server from its start to its end.

The steps: start the command in a session of its own, on its cores; wait until it listens: a design prints a line with
its address, any other command accepts connections on the port that it was given; serve; SIGTERM; what is then left of
its process tree is killed.
"""

import os
import re
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, Self

from pwb_async.config.modes import MODES

from . import probes
from .cpu_time import ControlGroup, Reading, control_group, new_name, tree_cpu_seconds

START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 3.0
QUIET: Final = ("--port", "0", "--access-log", "off")
"""Options of every contestant: any free port, and no access log."""
_PACKAGES: Final = Path(__file__).parents[3]
_LISTENING: Final = re.compile(rb"listening on http://([0-9.]+):(\d+)/")


@dataclass(frozen=True, slots=True)
class Launch:
    """How a contestant is started on a folder."""

    words: Sequence[str]
    environment: Mapping[str, str] | None = None
    """None: this one, without the options of PWB, and such that this very copy of PWB is found."""
    port: int | None = None
    """Of 127.0.0.1, on which it is going to accept connections; None: it prints its address."""
    folder: Path | None = None
    """In which it is started; None: the root folder, where no pwb.toml or pyproject.toml is found."""


Launcher = Callable[["Contestant", Path, Sequence[str]], AbstractContextManager[Launch]]
"""Prepares the start of a contestant on a folder, with options of PWB."""


@contextmanager
def _by_module(contestant: "Contestant", root: Path, options: Sequence[str]) -> Iterator[Launch]:
    """A design, as a module of this interpreter."""
    yield Launch([sys.executable, "-m", *contestant.words, os.fspath(root), *QUIET, *options])


@dataclass(frozen=True, slots=True)
class Contestant:
    """A design on a number of cores, or another server."""

    name: str
    title: str
    words: tuple[str, ...]
    """Its command; of a design what comes after `python -m`."""
    keeps_alive: bool = True
    """False: it ends every connection after one response."""
    spawns: bool = False
    """Each connection has a thread or a process of its own that ends with it."""
    idle: int = 500
    """How many idle connections it gets where there are many."""
    cores: int = 1
    design: str = ""
    """The design's own name, where `name` adds the number of cores; empty: `name`."""
    kind: str = "design"
    """"protocol": PWB with another protocol, for the scenarios that name it; "reference": for comparison only; "other":
    any other command."""
    launch: Launcher = _by_module
    python: str = ""
    """The interpreter's path, where it is another one than this."""
    version: str = ""
    """Of that interpreter."""
    gil: bool = True
    """Whether that interpreter has its lock on while it runs this design."""

    @property
    def is_pwb(self) -> bool:
        """Whether it is PWB itself."""
        return self.kind in ("design", "protocol")

    @property
    def command(self) -> str:
        """As it is typed."""
        return shlex.join((self.python or "python", "-m", *self.words) if self.is_pwb else self.words)

    def on(self, cores: int) -> Self:
        """The same design on so many cores, with a name that says so: thread@2."""
        return replace(self, name=f"{self.name}@{cores}", design=self.name, cores=cores)


def _book(mode: str, title: str, **more: bool | int) -> Contestant:
    alive = MODES[mode].family != "one"
    return Contestant(mode, title, ("pwb_legacy", "--mode", mode), keeps_alive=alive, **more)  # type: ignore[arg-type]


CONTESTANTS: Final = (
    _book("single", "one client at a time"),
    _book("thread", "a thread for each client", spawns=True),
    _book("process", "a process for each client", spawns=True, idle=120),
    _book("gevent", "a greenlet for each client"),
    _book("epoll", "one thread, woken by epoll"),
    _book("epoll-thread", "epoll, and threads for the disk"),
    Contestant("async", "asyncio on uvloop, with a cache", ("pwb_async",)),
    Contestant("async-uncached", "asyncio on uvloop, no cache", ("pwb_async", "--cache", "off")),
    Contestant("async-asyncio", "asyncio's own loop, with a cache", ("pwb_async", "--loop", "asyncio")),
)
"""In the order of the book. `fixed` is missing: it has one page for every request, so there is nothing to compare."""
HTTP2: Final = Contestant("async-http2", "asyncio on uvloop, over HTTP/2", ("pwb_async", "--http2"), kind="protocol")
"""The design `async` as a client of HTTP/2 sees it. The scenarios that compare the two protocols name it."""


class CannotError(Exception):
    """Something cannot be done. Its str is the reason, on one line."""


class Server:
    """A server that listens."""

    def __init__(
        self, process: subprocess.Popen[bytes], address: tuple[str, int], errors: IO[bytes], cpu_seconds: Reading
    ) -> None:
        self.process = process
        """The process that was started; it may have children."""
        self.pid = process.pid
        self.address = address
        self.cpu_seconds = cpu_seconds
        """Returns the CPU time of all its processes so far."""
        self._errors = errors

    def check(self) -> None:
        """Raises CannotError if it has ended by itself."""
        if self.process.poll() is not None:
            raise CannotError(f"it ended with status {self.process.returncode}: {last_words(self._errors)}")


@contextmanager
def serving(
    contestant: Contestant, root: Path, cores: Collection[int] = (), options: Sequence[str] = ()
) -> Iterator[Server]:
    """The design on a folder until the block ends. cores: the only ones it may use; empty: any. Raises CannotError."""
    with (
        TemporaryFile() as errors,
        contestant.launch(contestant, root, options) as launch,
        control_group(new_name()) as group,
        started(
            launch.words,
            cores,
            errors,
            subprocess.PIPE if launch.port is None else errors,
            launch.environment,
            launch.folder,
            group,
        ) as process,
    ):
        grouped = group is not None and group.holds(process.pid)
        read = group.cpu_seconds if group is not None and grouped else partial(tree_cpu_seconds, process.pid)
        address = _address(process, errors) if launch.port is None else _accepting(process, launch.port, errors)
        yield Server(process, address, errors, read)


@contextmanager
def started(
    words: Sequence[str],
    cores: Collection[int],
    errors: IO[bytes],
    output: int | IO[bytes] = subprocess.PIPE,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    group: ControlGroup | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A command as a process until the block ends; then its whole process tree is ended. cores: the only ones it may
    use; empty: any. environment: by default this one without the options of PWB in it. group: the control group that it
    is in, if that may be. Raises CannotError."""

    # Ctrl-C waits: what its handler raises in one of the hooks that fork() calls, such as logging's, would be lost.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        # Before the command runs: nginx forks its workers within milliseconds, and they inherit both.
        if cores:
            os.sched_setaffinity(0, cores)
        if group is not None:
            group.add(os.getpid())

    try:
        process = subprocess.Popen(  # noqa: S603  our own words, or those of --also
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=folder or "/",  # no pwb.toml or pyproject.toml is found there
            env=environment or plain_environment(),
            start_new_session=True,  # a Ctrl-C in the terminal is for the laboratory alone
            preexec_fn=prepare,  # safe beside threads: it takes no lock of theirs
        )
    except OSError as error:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        raise CannotError(f"{words[0]}: {error.strerror}") from None
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
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
    """Send SIGTERM to the first process, and SIGKILL to what is left of its tree afterwards."""
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
    return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")


def _accepting(process: subprocess.Popen[bytes], port: int, errors: IO[bytes]) -> tuple[str, int]:
    """Wait until connections to the port are accepted."""
    address, end_at = ("127.0.0.1", port), time.monotonic() + START_SECONDS
    while time.monotonic() < end_at:
        if process.poll() is not None:
            raise CannotError(f"it ended with status {process.returncode}: {last_words(errors)}")
        try:
            socket.create_connection(address, 1.0).close()
        except OSError:
            time.sleep(0.02)
        else:
            return address
    raise CannotError(f"it did not listen on port {port} within {START_SECONDS:.0f} s: {last_words(errors)}")


def _address(process: subprocess.Popen[bytes], errors: IO[bytes]) -> tuple[str, int]:
    """Wait for the line with the address that it listens on."""
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
