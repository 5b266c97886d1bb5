"""Runs a design as a real process: on a folder, on port 0, until SIGTERM.

The steps: start it in a session of its own; wait for its line on standard output; run the test; send SIGTERM; check
that it exits with status 0, that no process of its session remains, not even a zombie, and that its standard error
holds only lines that the test allows.
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
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Final, NamedTuple

from pwb_legacy.compare.measure.probes import pss_kib

from .designs import Design
from .peer import TIMEOUT
from .tls import TLSAddress, certificate_options

REPOSITORY: Final = Path(__file__).parents[2]
_ALWAYS_ALLOWED: Final = ("strace: ", "pwb: stopping: waiting up to ")
"""Beginnings of lines on standard error that every server may have: of the tracer, and where a test ends with a response
under way."""
_READY: Final = re.compile(r"listening on (https?)://\[?([0-9a-f.:]+?)\]?:(\d+)/")


class Resources(NamedTuple):
    """The resources that a server holds, summed over its processes."""

    descriptors: int
    threads: int
    processes: int
    zombies: int


class Server:
    """A design while it runs. log: its access log. errors: the file that holds its standard error."""

    address: tuple[str, int]
    """The host and port that it listens on."""
    scheme = "http"
    """The scheme of its URL."""

    def __init__(self, design: Design, process: subprocess.Popen[bytes], log: Path, errors: Path) -> None:
        self.design = design
        self.process = process
        self.pid = process.pid
        self.log = log
        self.errors = errors

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.address[0]}:{self.address[1]}"

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Signals the main process only, as a service manager does at first."""
        self.process.send_signal(number)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Stops all processes of the server, until resume() or the end of the block."""
        os.killpg(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            self.resume()

    def resume(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    async def exited(self, within: float = TIMEOUT) -> int:
        """Waits until the main process has exited, and returns its status."""
        return await asyncio.to_thread(self.process.wait, within)

    def process_ids(self) -> list[int]:
        """The process ids of the server and its descendants, all of one session; not those of tracers."""
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
        """The memory of all its processes in bytes, shared pages counted once."""
        return sum(map(pss_kib, self.process_ids())) * 1024

    def processor_time(self) -> float:
        """The processor time that all its processes have used so far, in seconds."""
        ticks = 0
        for pid in self.process_ids():
            with suppress(OSError):
                ticks += sum(map(int, _stat(pid)[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    async def wait_for_resources(self, condition: Callable[[Resources], bool], within: float = 5.0) -> Resources:
        """Waits until the resources of the server meet a condition, and returns them."""
        await eventually(lambda: condition(self.resources()), within, lambda: f"{self.design.name}: {self.resources()}")
        return self.resources()

    def kill(self) -> None:
        """Kills all processes of its session."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)

    def error_output(self) -> str:
        """Everything that it has written to standard error."""
        return self.errors.read_text(errors="replace")


def _stat(pid: int) -> list[str]:
    """The fields of proc(5) stat from the third on, so [0] is the state and [3] the session."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _session(leader: int) -> list[tuple[int, str, str]]:
    """The process id, name and state of every process in a session."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError):
                stat = _stat(int(entry))
                if int(stat[3]) == leader:
                    name = Path(f"/proc/{entry}/comm").read_text().strip()
                    found.append((int(entry), name, stat[0]))
    return found


def _remaining(leader: int) -> list[tuple[int, str, str]]:
    """The processes that remain. A strace that has ended is a zombie until init reaps it, which can take a second."""
    return [each for each in _session(leader) if each[1:] != ("strace", "Z")]


async def eventually(condition: Callable[[], bool], within: float, message: Callable[[], str] | str = "") -> None:
    """Waits until a condition holds, by checking it every 10 ms; fails with `message` after `within` seconds.

    For changes that no descriptor reports: processes, descriptors, files written by another program.
    """
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, message() if callable(message) else message
        await asyncio.sleep(0.01)


def command(design: Design, root: Path | str | bytes, *options: str) -> list[str]:
    """The command line of a design, without its port."""
    return [sys.executable, "-m", *design.command, os.fsdecode(root), *options]


def environment() -> dict[str, str]:
    """The environment of a server: no options of PWB, and Python's warnings, so that a leaked socket is reported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PWB_") and name != "PORT"}
    return {"PYTHONWARNINGS": "default"} | kept | {"PYTHONPATH": str(REPOSITORY)}


def _read_output(process: subprocess.Popen[bytes], ready: "Future[tuple[str, str, int]]", keep: bool) -> None:
    """Reads standard output, so that no write to it blocks. keep: False closes it once the server listens."""
    assert process.stdout is not None
    with process.stdout as output:
        for line in output:
            if (match := _READY.search(line.decode())) and not ready.done():
                ready.set_result((match[1], match[2], int(match[3])))
                if not keep:
                    return
    if not ready.done():
        ready.set_exception(AssertionError("it exited before it listened"))


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
    """Runs a server inside the block.

    log_dir: a folder for its access log and its standard error. wrapper: a command before its own, which it becomes by
    exec. allowed_errors: a pattern for the lines that its standard error may hold. status: the exit status that it must
    have. keep_output: False closes the pipe of its standard output once it listens. folder: its working directory,
    `log_dir` if None.
    """
    log, errors = log_dir / "access.log", log_dir / "errors"
    options = ("--port", "0", *(certificate_options() if design.tls else ()), *options)
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
    ready: Future[tuple[str, str, int]] = Future()
    output_reader = Thread(target=_read_output, args=(process, ready, keep_output), daemon=True)
    output_reader.start()
    server = Server(design, process, log, errors)
    try:
        try:
            server.scheme, host, port = await asyncio.wait_for(asyncio.wrap_future(ready), TIMEOUT)
            server.address = TLSAddress((host, int(port))) if server.scheme == "https" else (host, port)
        except (TimeoutError, AssertionError) as error:
            raise AssertionError(f"{design.name} does not listen: {error}\n{server.error_output()}") from None
        yield server
        if process.poll() is None:
            server.signal()
        assert await server.exited() == status, f"{design.name}: exit status\n{server.error_output()}"
        await eventually(lambda: not _remaining(server.pid), 3, lambda: f"processes remain: {_remaining(server.pid)}")
        unexpected = [
            line
            for line in server.error_output().splitlines()
            if not (allowed_errors and re.search(allowed_errors, line)) and not line.startswith(_ALWAYS_ALLOWED)
        ]
        assert not unexpected, f"{design.name}, standard error:\n" + "\n".join(unexpected)
    finally:
        server.kill()
        await asyncio.to_thread(output_reader.join, 5)


Start = Callable[..., AbstractAsyncContextManager[Server]]
"""The type of the fixture `start`: `async with start("--grace-period", "1") as server`."""
