"""One design as a real process: started on a folder and port 0, ended by SIGTERM, and then nothing of it is left.

The steps: start it in a session of its own; wait for its line on standard output; serve; SIGTERM; it exits with 0; no
process of its session lives on, not even as a zombie; it has said nothing on standard error that was not expected.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Final, NamedTuple

from pwb_legacy.compare.measure.probes import pss_kib

from .designs import Design
from .peer import TIMEOUT

REPOSITORY: Final = Path(__file__).parents[2]
_READY: Final = re.compile(r"listening on http://\[?([0-9a-f.:]+?)\]?:(\d+)/")


class Resources(NamedTuple):
    """What a server holds, summed over its processes."""

    descriptors: int
    threads: int
    processes: int
    zombies: int


class Server:
    """address: where it listens. pid: of the process that was started. log: its access log."""

    address: tuple[str, int]

    def __init__(self, design: Design, process: subprocess.Popen[bytes], log: Path, errors: Path) -> None:
        self.design = design
        self.process = process
        self.pid = process.pid
        self.log = log
        self.errors = errors

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"

    def signal(self, number: int = signal.SIGTERM) -> None:
        """To the main process only, as a service manager does it first."""
        self.process.send_signal(number)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """No process of the server runs until resume(), or the end of the block."""
        os.killpg(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            self.resume()

    def resume(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    async def exited(self, within: float = TIMEOUT) -> int:
        """Waits for the exit status."""
        return await asyncio.to_thread(self.process.wait, within)

    def process_ids(self) -> list[int]:
        """The process ids of its session that are there: itself, its children, theirs; tracers left out."""
        return [pid for pid, name, _ in _session(self.pid) if name != "strace"]

    def resources(self) -> Resources:
        descriptors = threads = processes = zombies = 0
        for pid, name, state in _session(self.pid):
            if name == "strace":
                continue
            processes += 1
            zombies += state == "Z"
            with suppress(OSError):
                descriptors += len(os.listdir(f"/proc/{pid}/fd"))
                threads += len(os.listdir(f"/proc/{pid}/task"))
        return Resources(descriptors, threads, processes, zombies)

    def memory(self) -> int:
        """Bytes of memory of all its processes, shared pages counted once."""
        return sum(map(pss_kib, self.process_ids())) * 1024

    def processor_time(self) -> float:
        """Seconds of processor time of all its processes so far."""
        ticks = 0
        for pid in self.process_ids():
            with suppress(OSError):
                ticks += sum(map(int, _stat(pid)[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    async def wait_for_resources(self, is_so: Callable[[Resources], bool], within: float = 5.0) -> Resources:
        """The resources, as soon as they are what they should be."""
        await eventually(lambda: is_so(self.resources()), within, lambda: f"{self.design.name}: {self.resources()}")
        return self.resources()

    def kill(self) -> None:
        """Ends whatever is left of it."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)

    def error_output(self) -> str:
        """What it has said on standard error."""
        return self.errors.read_text(errors="replace")


def _stat(pid: int) -> list[str]:
    """The fields of proc(5) stat from the third on, so [0] is the state and [3] the session."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _session(leader: int) -> list[tuple[int, str, str]]:
    """Process id, name and state of every process in a session."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError):
                stat = _stat(int(entry))
                if int(stat[3]) == leader:
                    name = Path(f"/proc/{entry}/comm").read_text().strip()
                    found.append((int(entry), name, stat[0]))
    return found


def _left(leader: int) -> list[tuple[int, str, str]]:
    """Who lives on. A strace that has ended waits for init to notice, which takes some inits a second."""
    return [each for each in _session(leader) if each[1:] != ("strace", "Z")]


async def eventually(is_so: Callable[[], bool], within: float, what: Callable[[], str] | str = "") -> None:
    """Looks again and again at what announces itself to nobody: processes, descriptors, files of another program."""
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, what() if callable(what) else what
        await asyncio.sleep(0.01)


def command(design: Design, root: Path | str | bytes, *options: str) -> list[str]:
    """The command line, without what it listens on."""
    return [sys.executable, "-m", *design.command, os.fsdecode(root), *options]


def environment() -> dict[str, str]:
    """No option from outside; warnings are told, so that a leaked socket shows up on standard error."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PWB_")}
    return {"PYTHONWARNINGS": "default"} | kept | {"PYTHONPATH": str(REPOSITORY)}


def _listen_to(process: subprocess.Popen[bytes], ready: "Future[tuple[str, int]]", keep: bool) -> None:
    """Reads standard output to its end, so that nobody blocks on it. keep: False closes it after the first line."""
    assert process.stdout is not None
    with process.stdout as output:
        for line in output:
            if (match := _READY.search(line.decode())) and not ready.done():
                ready.set_result((match[1], int(match[2])))
                if not keep:
                    return
    if not ready.done():
        ready.set_exception(AssertionError("it ended before it listened"))


@asynccontextmanager
async def running(
    design: Design,
    root: Path | str,
    *options: str,
    log_dir: Path,
    wrapper: Sequence[str] = (),
    allowed_errors: str = "",
    status: int = 0,
    keep_output: bool = True,
    folder: Path | None = None,
) -> AsyncIterator[Server]:
    """A server while it serves.

    log_dir: a folder for its log and its standard error. folder: where it is started, `log_dir` if not given. wrapper:
    a command before its own that becomes it by exec. allowed_errors: a pattern for the lines that are expected on standard error. status: of its
    exit. keep_output: False closes the pipe of its standard output once it listens.
    """
    log, errors = log_dir / "access.log", log_dir / "errors"
    options = ("--port", "0", *options)
    if "--access-log" not in options:
        options += ("--access-log", str(log))
    with errors.open("wb") as error_file:
        process = subprocess.Popen(
            [*wrapper, *command(design, root, *options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=error_file,
            cwd=folder or log_dir,
            env=environment(),
            start_new_session=True,
        )
    ready: Future[tuple[str, int]] = Future()
    listener = Thread(target=_listen_to, args=(process, ready, keep_output), daemon=True)
    listener.start()
    server = Server(design, process, log, errors)
    try:
        try:
            server.address = await asyncio.wait_for(asyncio.wrap_future(ready), TIMEOUT)
        except (TimeoutError, AssertionError) as error:
            raise AssertionError(f"{design.name} does not listen: {error}\n{server.error_output()}") from None
        yield server
        if process.poll() is None:
            server.signal()
        assert await server.exited() == status, f"{design.name}: exit status\n{server.error_output()}"
        await eventually(lambda: not _left(server.pid), 3, lambda: f"left over: {_left(server.pid)}")
        unexpected = [
            line
            for line in server.error_output().splitlines()
            if not (allowed_errors and re.search(allowed_errors, line))
        ]
        assert not unexpected, f"{design.name} says:\n" + "\n".join(unexpected)
    finally:
        server.kill()
        await asyncio.to_thread(listener.join, 5)
