"""What a server's processes use, read from /proc: the whole tree, from the process that was started to its last
descendant. Reading takes about 1 ms a process on the core of whoever reads, so it is done seldom.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Vitals:
    """memory_kib: proportional set size, pages that processes share counted once; 0 where the kernel does not tell.
    switches: context switches of the threads that are alive; what ended ones had is told by nobody."""

    memory_kib: int
    threads: int
    processes: int
    switches: int


def vitals(pid: int) -> Vitals:
    """What the tree holds now. A process that ends meanwhile counts as far as it could be read."""
    members = tree(pid)
    threads = {member: _tasks(member) for member in members}
    return Vitals(
        memory_kib=sum(map(pss_kib, members)),
        threads=sum(map(len, threads.values())),
        processes=sum(1 for member in members if threads[member]),
        switches=sum(_switches(member, task) for member in members for task in threads[member]),
    )


def switches(pid: int) -> int:
    """Context switches of all threads that are alive, so far."""
    return sum(_switches(member, task) for member in tree(pid) for task in _tasks(member))


def tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdecimal() and (words := _stat(int(name))):
            children.setdefault(int(words[1]), []).append(int(name))
    found = [pid]
    for parent in found:
        found.extend(children.get(parent, ()))
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time (user and system) that a tree has used since it began.

    Every living process is read from its own CPU clock, which is exact to the nanosecond and holds the time of threads
    that have ended; children that have ended and were waited for are in their parent's figures, in ticks of 10 ms.
    """
    return sum(map(_cpu_seconds, tree(pid)))


def birth(pid: int) -> str:
    """When the process began, in ticks since boot: with its id a name for ever. Empty: gone."""
    words = _stat(pid)
    return words[19] if words else ""


def pss_kib(pid: int) -> int:
    """Proportional set size of one process; 0: gone, or the kernel does not tell."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _cpu_seconds(pid: int) -> float:
    words = _stat(pid)
    if not words:
        return 0.0
    ended = (int(words[13]) + int(words[14])) / TICKS
    try:
        return time.clock_gettime((~pid << 3) | 2) + ended  # the clock of clock_getcpuclockid(3)
    except OSError:
        return (int(words[11]) + int(words[12])) / TICKS + ended


def _stat(pid: int) -> list[str]:
    """/proc/PID/stat from its third field (the state) on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _tasks(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def _switches(pid: int, task: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/task/{task}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
