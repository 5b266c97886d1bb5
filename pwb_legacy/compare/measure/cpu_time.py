"""CPU time of a server: all of its threads and processes, those that have ended included.

Two ways, of which the first that works is used:

1. A control group (cgroups(7), version 2) of the server's own. The kernel adds up what every member uses, in
   microseconds, and no child can be missed. It takes a file system of control groups that may be written, as root or
   under a systemd that delegates.
2. The process tree in /proc: each process from its own CPU clock, and what its ended children used from its stat file,
   in ticks of 10 ms. A child that ends during a reading could be counted twice or not at all, so children are read
   before their parent, and the reading is repeated until no process has appeared or gone meanwhile. What a child has
   used is rounded down to ticks when it ends: a figure can be too small by two ticks, 20 ms.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from . import probes

Reading = Callable[[], float]
"""Returns the seconds of CPU time, user and system, that a server has used so far."""
ATTEMPTS: Final = 50
"""Readings of a tree at most, for one that changes without end. The last is then taken as it is."""
_REMOVAL_SECONDS: Final = 1.0


@contextmanager
def control_group(name: str) -> Iterator["ControlGroup | None"]:
    """A control group of this name beneath our own, removed when the block ends; None where none can be made."""
    try:
        path = _own_group() / name
        path.mkdir()
    except (OSError, LookupError):
        yield None
        return
    try:
        yield ControlGroup(path) if (path / "cpu.stat").exists() else None
    finally:
        _remove(path)


class ControlGroup:
    """A control group; path: its folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, pid: int) -> bool:
        """Move a process into the group, and with it all children that it has from now on. False if it may not."""
        try:
            (self._path / "cgroup.procs").write_text(str(pid))
        except OSError:
            return False
        return True

    def holds(self, pid: int) -> bool:
        """Whether a process is in the group."""
        return str(pid) in (self._path / "cgroup.procs").read_text().split()

    def cpu_seconds(self) -> float:
        """What all that ever were members have used since they joined."""
        for line in (self._path / "cpu.stat").read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "usage_usec":
                return int(value) / 1e6
        raise OSError("cpu.stat has no usage_usec")


def tree_cpu_seconds(pid: int) -> float:
    """What a process and all its descendants have used, those that have ended and were waited for included."""
    members = _members(pid)
    for _ in range(ATTEMPTS):
        total = sum(_cpu_seconds(member) for member, _ in reversed(members))
        again = _members(pid)
        if again == members:
            break
        members = again
    return total


def _members(pid: int) -> list[tuple[int, str]]:
    """The tree, parents before their children, each with its start time: a process id may be used again."""
    return [(member, probes.birth(member)) for member in probes.tree(pid)]


def _cpu_seconds(pid: int) -> float:
    words = probes.stat(pid)
    if not words:
        return 0.0
    ended = (int(words[13]) + int(words[14])) / probes.TICKS
    try:
        return time.clock_gettime((~pid << 3) | 2) + ended  # the clock of clock_getcpuclockid(3)
    except OSError:
        return (int(words[11]) + int(words[12])) / probes.TICKS + ended


def _own_group() -> Path:
    """The folder of the control group that this process is in. Raises LookupError where there is no version 2."""
    mounts = (line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines())
    mounted = next((words[4] for words in mounts if words[words.index("-") + 1] == "cgroup2"), None)
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = next((line[3:] for line in lines if line.startswith("0::")), None)
    if mounted is None or own is None:
        raise LookupError("no control groups of version 2")
    return Path(mounted) / own.lstrip("/")


def _remove(path: Path) -> None:
    """Remove an empty group. It has to wait until the kernel has taken the last ended process out of it."""
    end = time.monotonic() + _REMOVAL_SECONDS
    with suppress(FileNotFoundError):
        while time.monotonic() < end:
            try:
                path.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.005)
            else:
                return


def new_name() -> str:
    """A name for a control group that no other run of the laboratory uses."""
    return f"pwb-laboratory-{os.getpid()}-{time.monotonic_ns()}"
