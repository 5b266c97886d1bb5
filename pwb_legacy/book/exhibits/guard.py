"""Keeps an exhibit harmless: what its process cannot do, whatever a client sends to it.

The guard is an audit hook (PEP 578): Python calls it before the operation, and nothing can remove it. With it

  - sockets are bound to 127.0.0.1 alone, and nothing is connected to; a connection that does not come from the address
    of the command, which it chooses at random in 127.0.0.0/8, is closed at once
  - no file is opened but those of the temporary folder, and Python's own library; and none is written or changed
  - no program is started
  - memory, descriptors, processor time and life are limited; forked children have the same limits
  - the process ends when the command that has started it ends, however that ends

What is left: another user of the machine can find out that address, and use it as well. There is nothing to be found
but a page and the canary.
"""

import ctypes
import os
import resource
import signal
import socket
import stat
import sys
import sysconfig
from typing import Any, Final

LIFETIME: Final = 60
"""seconds until an exhibit is ended by its own alarm clock; processor time has the same limit"""
MEMORY: Final = 384 << 20
"""bytes of data for each process, stacks of threads included; reserved addresses do not count"""
DESCRIPTORS: Final = 64
"""which is a limit for connections, threads and child processes as well, since each of them takes one"""
LOOPBACK: Final = "127.0.0.1"
FORBIDDEN: Final = (
    "os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen", "pty.spawn", "os.putenv",
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate",
    "os.utime", "os.setxattr", "os.removexattr", "socket.connect", "socket.sendto", "socket.sendmsg", "ctypes.dlopen",
)  # fmt: skip
_PR_SET_PDEATHSIG: Final = 1


class ForbiddenError(PermissionError):
    """An exhibit tried what it may not do."""


def require_command() -> None:
    """Refuse to go on unless the standard input is the pipe that the command holds."""
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        raise SystemExit("this is an exhibit with defects: it is started by `pwb-legacy book` alone")


def confine(folder: str) -> None:
    """Confine this process, and the children that it forks, for ever. folder: what may be read."""
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (LIFETIME, LIFETIME))
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getppid()

    def end_in_time() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # a fork has neither this nor the alarm
        signal.alarm(LIFETIME)

    end_in_time()
    os.register_at_fork(after_in_child=end_in_time)
    if os.getppid() != parent:  # the command has ended in between
        raise SystemExit(1)
    sys.addaudithook(_hook(folder))


def accept_only(address: str) -> None:
    """Make accept() close the connections that come from elsewhere. With gevent's patches: after them."""
    accept = socket.socket.accept

    def accept_own(listener: socket.socket) -> tuple[socket.socket, Any]:
        while True:
            client, peer = accept(listener)
            if peer[0] == address:
                return client, peer
            client.close()

    socket.socket.accept = accept_own  # type: ignore[assignment,method-assign]


def _hook(folder: str) -> Any:
    paths = sysconfig.get_paths()
    library = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    readable = [os.path.realpath(path) + os.sep for path in (folder, *library, os.path.dirname(__file__))]
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def hook(event: str, details: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = details
            if isinstance(path, int) or path == os.devnull:
                return
            real = os.path.realpath(os.fsdecode(path))
            if flags & writing or not any(real.startswith(place) for place in readable):
                raise ForbiddenError(f"the guard of the exhibits refuses to open {real}")
        elif event == "socket.bind":
            if details[1][0] != LOOPBACK:
                raise ForbiddenError(f"the guard of the exhibits refuses the address {details[1]}")
        elif event in FORBIDDEN:
            raise ForbiddenError(f"the guard of the exhibits refuses {event}")

    return hook
