"""Makes system calls of a server fail, by strace(1): from the start of the server, or for a while.

strace() is a wrapper for running(): with -D the server stays the child of the test, and strace becomes a process beside
it. Injection attaches strace to a running server and detaches it again.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

from .server import Server


@cache
def _works() -> bool:
    """Whether strace is installed and may trace a child, which containers often forbid."""
    if not shutil.which("strace"):
        return False
    done = subprocess.run(["strace", "-D", "-o", "/dev/null", "true"], capture_output=True, timeout=10, check=False)
    return done.returncode == 0


needs_strace = pytest.mark.skipif(not _works(), reason="strace is not installed, or may not trace here")


@cache
def can_attach() -> bool:
    """Whether strace may attach to a process that is not its child (Yama forbids it on some systems)."""
    try:
        allowed = Path("/proc/sys/kernel/yama/ptrace_scope").read_text().strip() == "0"
    except OSError:
        allowed = True
    return _works() and (allowed or os.geteuid() == 0)


needs_to_attach = pytest.mark.skipif(not can_attach(), reason="strace is not installed, or may not attach here")


def strace(*options: str, seccomp: bool = True) -> tuple[str, ...]:
    """A wrapper for running(). Only the system calls named in `options` become slower.

    seccomp: False if a signal is injected, which has no effect where the kernel filters the calls; all become slower.
    """
    return ("strace", "-D", "-f", *(("--seccomp-bpf",) if seccomp else ()), "-qq", "-o", "/dev/null", *options)


class Injection:
    """strace on a running server, inside its `async with` block: `calls` fail with `errno`.

    when: the number of the call that fails, counted in each thread; "1+" for all (strace(1)). log_dir: a folder for the
    output of strace. After the block, `injected` holds the lines of the calls that were made to fail.
    """

    def __init__(self, server: Server, calls: str, errno: str, when: int | str, log_dir: Path) -> None:
        self.server = server
        names = ",".join(f"?{call}" for call in calls.split(","))
        self.path = log_dir / "strace"
        self.stderr = log_dir / "strace-errors"
        self.path.unlink(missing_ok=True)
        self.command = ["strace", "-f", "-yy", "-s", "16", "-o", str(self.path), "-e", f"trace={names}"]
        self.command += ["-e", f"inject={names}:error={errno}:when={when}", "-e", "signal=none"]
        self.injected: list[str] = []

    async def __aenter__(self) -> "Injection":
        with suppress(AssertionError):  # children of the case before may still be ending
            await self.server.wait_for_resources(lambda resources: resources.processes <= 1, within=5)
        pids = ("-p", str(self.server.pid))
        with self.stderr.open("wb") as stderr:
            self.process = subprocess.Popen([*self.command, *pids], stdin=subprocess.DEVNULL, stderr=stderr)
        end = time.monotonic() + 10
        while not _traced(self.server.pid):
            assert time.monotonic() < end, "strace does not attach"
            if self.process.poll() is not None:
                if self.server.process.poll() is not None:
                    raise ProcessLookupError("the server has ended")
                raise AssertionError(f"strace ended: {self.stderr.read_text()[-500:]}")
            await asyncio.sleep(0.005)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            await asyncio.to_thread(self.process.wait, 10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)
        if self.path.exists():
            self.injected = _injected(self.path.read_text(errors="replace").splitlines())


def _injected(lines: list[str]) -> list[str]:
    """The lines of the calls that strace made to fail; a call that another thread interrupted has two, here joined."""
    unfinished: dict[str, str] = {}
    found = []
    for line in lines:
        pid = line.partition(" ")[0]
        if "<unfinished" in line:
            unfinished[pid] = line
        elif "INJECTED" in line:
            found.append(unfinished.get(pid, "") + line if " resumed>" in line else line)
    return found


def _traced(pid: int) -> bool:
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            if "TracerPid:\t0" in (task / "status").read_text():
                return False
    return True
