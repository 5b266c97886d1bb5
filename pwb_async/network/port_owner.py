"""The process that listens on a port, as far as the system reveals it: Linux does of all processes to root, and of a
user's own processes to the user.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple

_TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTEN: Final = "0A"
"""The state of a socket that listens, in these tables (include/net/tcp_states.h)."""
_MAX_COMMAND: Final = 60
"""Characters of a command that are shown."""


class PortOwner(NamedTuple):
    """A process that listens on a port."""

    pid: int
    command: str
    """Its command line, shortened."""


def find_owner(port: int) -> PortOwner | None:
    """The process that listens on a port at any address; None if the system does not reveal it."""
    sockets = set(_listening_sockets(port))
    if not sockets:
        return None
    with suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit() and _has_one_of(int(name), sockets):
                return PortOwner(int(name), _command(int(name)))
    return None


def _listening_sockets(port: int) -> Iterator[str]:
    """The sockets that listen on a port, as the links of descriptors name them."""
    for path in _TABLES:
        with suppress(OSError), open(path) as table:
            for line in list(table)[1:]:
                _, address, _, state, _, _, _, _, _, inode, *_ = line.split()
                if state == _LISTEN and int(address.rpartition(":")[2], 16) == port:
                    yield f"socket:[{inode}]"


def _has_one_of(pid: int, sockets: set[str]) -> bool:
    """Whether a process has one of these sockets; False if its descriptors may not be read."""
    folder = f"/proc/{pid}/fd"
    try:
        descriptors = os.listdir(folder)
    except OSError:
        return False
    for descriptor in descriptors:
        with suppress(OSError):  # it has been closed meanwhile
            if os.readlink(f"{folder}/{descriptor}") in sockets:
                return True
    return False


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = os.fsdecode(file.read(4096)).rstrip("\0").replace("\0", " ")
    except OSError:
        words = ""
    return words if len(words) <= _MAX_COMMAND else f"{words[: _MAX_COMMAND - 3]}..."
