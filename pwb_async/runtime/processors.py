"""How many processors this process may use, which is what --workers auto stands for.

Linux bounds them in two ways. Affinity names the processors. A control group, which is what a container's limit is,
grants so many microseconds of all of them in each period; workers beyond that stand still together when it is used up.
The quota of every group above holds, too.
"""

import math
import os
import re
from collections.abc import Iterator
from typing import Final

_FILES: Final = {"cgroup2": ("cpu.max",), "cgroup": ("cpu.cfs_quota_us", "cpu.cfs_period_us")}
"""Where a group's quota and its period stand, by the type of the file system: version 2, version 1."""


def processors() -> int:
    """As many as the quota needs, but no more than this process may run on, and at least one."""
    # Those we may use, not all there are.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        granted = quota(_read("/proc/self/cgroup"), _read("/proc/self/mountinfo"))
    except (OSError, ValueError):  # another system, or files that do not say it as proc(5) and cgroups(7) have it
        granted = math.inf
    return max(1, math.ceil(min(usable, granted)))


def quota(groups: str, mounts: str) -> float:
    """The processors' time that a process is granted, in processors. groups, mounts: its /proc/self/cgroup and
    /proc/self/mountinfo. Raises ValueError if they are no such thing."""
    granted = math.inf
    for kind, folder in _folders(groups, mounts):
        try:
            words = " ".join(_read(os.path.join(folder, name)) for name in _FILES[kind]).split()
        except OSError:  # the root of version 2 has no such file
            continue
        if len(words) == 2 and words[0].isdecimal() and int(words[1]):  # no quota is "max" or -1
            granted = min(granted, int(words[0]) / int(words[1]))
    return granted


def _folders(groups: str, mounts: str) -> Iterator[tuple[str, str]]:
    """The folders of the process's groups and of all above them, with the type of their file system."""
    for line in groups.splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" or "cpu" in controllers.split(","):
            kind = "cgroup2" if number == "0" else "cgroup"
            for root, point in _mounts(mounts, kind):
                # A container sees its own group as the root, or only the part of the tree that begins with its group.
                if ".." not in path.split("/") and f"{path}/".startswith(root.rstrip("/") + "/"):
                    yield from ((kind, folder) for folder in _upwards(point, path[len(root.rstrip("/")) :]))


def _mounts(mounts: str, kind: str) -> Iterator[tuple[str, str]]:
    """Of each file system of that type with the controller "cpu": what of it is mounted, and where."""
    for line in mounts.splitlines():
        place, _, system = line.partition(" - ")
        name, _, options = system.split(" ", 2)
        if name == kind and (kind == "cgroup2" or "cpu" in options.split(",")):
            root, point = (
                re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), each) for each in place.split()[3:5]
            )
            yield root, point


def _upwards(point: str, path: str) -> Iterator[str]:
    """The folder `path` beneath `point`, and all on the way up to `point`."""
    names = path.strip("/").split("/") if path.strip("/") else []
    for count in range(len(names), -1, -1):
        yield os.path.join(point, *names[:count])


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
