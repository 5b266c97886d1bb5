"""The number of processors that this process may use, which is what --workers auto stands for.

Linux limits them in two ways. The affinity names the processors that a process may run on. A control group, which is
how containers are limited, grants an amount of CPU time in each period (cpu.max); when it is used up, all processes of
the group stop until the next period, so more workers than that are of no use. The limits of all parent groups hold as
well.
"""

import math
import os
import re
from collections.abc import Iterator
from typing import Final

_FILES: Final = {"cgroup2": ("cpu.max",), "cgroup": ("cpu.cfs_quota_us", "cpu.cfs_period_us")}
"""The files with a group's quota and period, by the type of the file system: version 2 and version 1."""


def processors() -> int:
    """The processors that the affinity and the quota allow, rounded up; at least one."""
    # os.cpu_count() counts all processors of the machine.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        granted = quota(_read("/proc/self/cgroup"), _read("/proc/self/mountinfo"))
    except (OSError, ValueError):  # not Linux, or not in the format of proc(5) and cgroups(7)
        granted = math.inf
    return max(1, math.ceil(min(usable, granted)))


def quota(groups: str, mounts: str) -> float:
    """The CPU time that a process is granted, in processors; infinity without a quota.

    `groups` and `mounts` are the content of /proc/self/cgroup and /proc/self/mountinfo. Raises ValueError if they do
    not have that format.
    """
    granted = math.inf
    for kind, directory in _directories(groups, mounts):
        try:
            words = " ".join(_read(os.path.join(directory, name)) for name in _FILES[kind]).split()
        except OSError:  # the root of version 2 has no such file
            continue
        if len(words) == 2 and words[0].isdecimal() and int(words[1]):  # no quota is "max" or -1
            granted = min(granted, int(words[0]) / int(words[1]))
    return granted


def _directories(groups: str, mounts: str) -> Iterator[tuple[str, str]]:
    """The directories of the process's groups and of all their parents, with the type of their file system."""
    for line in groups.splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" or "cpu" in controllers.split(","):
            kind = "cgroup2" if number == "0" else "cgroup"
            for root, point in _mounts(mounts, kind):
                # In a container the mount may begin at the container's own group instead of at the root of the tree.
                if ".." not in path.split("/") and f"{path}/".startswith(root.rstrip("/") + "/"):
                    yield from ((kind, directory) for directory in _upwards(point, path[len(root.rstrip("/")) :]))


def _mounts(mounts: str, kind: str) -> Iterator[tuple[str, str]]:
    """The mounted subtree and the mount point of each file system of type `kind` that has the controller "cpu"."""
    for line in mounts.splitlines():
        place, _, system = line.partition(" - ")
        name, _, options = system.split(" ", 2)
        if name == kind and (kind == "cgroup2" or "cpu" in options.split(",")):
            root, point = (
                re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), each) for each in place.split()[3:5]
            )
            yield root, point


def _upwards(point: str, path: str) -> Iterator[str]:
    """The directory `path` below `point`, and its parents up to `point`."""
    names = path.strip("/").split("/") if path.strip("/") else []
    for count in range(len(names), -1, -1):
        yield os.path.join(point, *names[:count])


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
