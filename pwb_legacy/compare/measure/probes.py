"""What the processes of a server hold, read from /proc: memory, threads, processes and context switches.

All figures are those of the tree: the process that was started and all its descendants. Reading takes about 1 ms a
process on the core of the reader, so it is done seldom. CPU time is read in cpu_time.py.
"""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
"""Clock ticks a second, the unit of times in /proc/PID/stat."""
_OWN_MEMORY: Final = ("Pss_Anon:", "Pss_Shmem:")
"""Lines of smaps_rollup that do not depend on which other programs run. Pss_File does: the pages of the interpreter's
own file are divided among all Pythons of the machine."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a tree holds at one moment."""

    memory_kib: int
    """Memory without the pages of files, pages that processes share counted once; 0 where the kernel does not report
    it."""
    threads: int
    processes: int
    switches: int
    """Context switches of the threads that are alive, so far."""


def vitals(pid: int) -> Vitals:
    """What the tree holds now. A process that ends meanwhile counts as far as it could be read."""
    members = tree(pid)
    threads = {member: _tasks(member) for member in members}
    return Vitals(
        memory_kib=sum(_memory_kib(member, _OWN_MEMORY) for member in members),
        threads=sum(map(len, threads.values())),
        processes=sum(1 for member in members if threads[member]),
        switches=sum(_switches(member, task) for member in members for task in threads[member]),
    )


def switches(pid: int) -> int:
    """Context switches of all threads that are alive, so far."""
    return sum(_switches(member, task) for member in tree(pid) for task in _tasks(member))


def tree(pid: int) -> list[int]:
    """The process and all its descendants, each after its parent; and, where it leads a session, those processes of the
    session whose parents have ended."""
    known = {int(name): words for name in os.listdir("/proc") if name.isdecimal() and (words := stat(int(name)))}
    session = {one for one, words in known.items() if int(words[3]) == pid}
    children: dict[int, list[int]] = {}
    for one, words in known.items():
        orphan = one in session and one != pid and int(words[1]) not in session
        children.setdefault(pid if orphan else int(words[1]), []).append(one)
    found = [pid]
    for parent in found:
        found.extend(children.get(parent, ()))
    return found


def birth(pid: int) -> str:
    """When the process began, in ticks since boot: together with its id it is unique. Empty: the process is gone."""
    words = stat(pid)
    return words[19] if words else ""


def busy_seconds(cores: Collection[int]) -> float:
    """Seconds in which some cores were not idle since the machine was started, in ticks of 10 ms."""
    ticks = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *values = line.split()
        if name[:3] == "cpu" and name[3:].isdecimal() and int(name[3:]) in cores:
            user, nice, system, _idle, _iowait, irq, softirq, stolen = map(int, values[:8])
            ticks += user + nice + system + irq + softirq + stolen
    return ticks / TICKS


def pss_kib(pid: int) -> int:
    """Proportional set size of one process; 0: it is gone, or the kernel does not report it."""
    return _memory_kib(pid, ("Pss:",))


def stat(pid: int) -> list[str]:
    """/proc/PID/stat from its third field (the state) on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _memory_kib(pid: int, names: Sequence[str]) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(tuple(names)))


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
