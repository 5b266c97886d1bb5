"""CPU time, threads and processes of several servers at one moment, from one pass over /proc.

The laboratory's probes read /proc once for each server, which costs too much for nine servers twice a second.
"""

import os
from collections.abc import Iterable
from typing import NamedTuple

from pwb_legacy.compare.measure import probes


class Holding(NamedTuple):
    """What the process tree of a server holds."""

    cpu: float
    """Seconds of CPU time of its living processes and of their children that were waited for."""
    threads: int
    children: tuple[int, ...]
    """The ids of all its processes but the first, the oldest first."""

    @property
    def processes(self) -> int:
        """How many processes there are."""
        return 1 + len(self.children)


class _Process(NamedTuple):
    parent: int
    cpu: float
    threads: int
    born: int
    zombie: bool


def holdings(pids: Iterable[int]) -> dict[int, Holding]:
    """What each of these servers holds now, by the id of its first process; one that has ended is left out."""
    processes = {int(name): read for name in os.listdir("/proc") if name.isdecimal() and (read := _read(name))}
    children: dict[int, list[int]] = {}
    for pid, process in processes.items():
        children.setdefault(process.parent, []).append(pid)
    found: dict[int, Holding] = {}
    for first in pids:
        if first in processes:
            tree = [first]
            for pid in tree:
                tree.extend(children.get(pid, ()))
            found[first] = _sum({pid: processes[pid] for pid in tree}, first)
    return found


def _sum(tree: dict[int, _Process], first: int) -> Holding:
    living = sorted((process.born, pid) for pid, process in tree.items() if pid != first and not process.zombie)
    return Holding(
        cpu=sum(process.cpu for process in tree.values()),
        threads=sum(process.threads for process in tree.values() if not process.zombie),
        children=tuple(pid for _, pid in living),
    )


def _read(name: str) -> _Process | None:
    """The figures of /proc/PID/stat (proc_pid_stat(5)); None: the process is gone."""
    if not (words := probes.stat(int(name))):
        return None
    ticks = sum(map(int, words[11:15]))  # of itself and of children that were waited for, user and system
    return _Process(int(words[1]), ticks / probes.TICKS, int(words[17]), int(words[19]), words[0] in "ZX")
