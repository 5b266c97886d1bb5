"""Reading and writing files and pipes without waiting for the process at the other end (hazard E8).

A usual open() of a named pipe (mkfifo(1)) blocks until another process opens the other end, and a write to a full pipe
blocks until some of it is read.
"""

import errno
import os
import stat
from select import PIPE_BUF, POLLERR, POLLOUT, poll  # bound here, before --mode gevent patches the module
from typing import Final

from .writer import write

_APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK


def open_to_append(path: str) -> int:
    """A descriptor for writing at the end of a file, which is created if necessary, or to a named pipe.

    A pipe need not have a reader yet: a write raises BrokenPipeError while it has none, and BlockingIOError while it is
    full. Raises OSError.
    """
    try:
        return os.open(path, _APPEND, 0o644)
    except OSError as error:
        if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(path).st_mode):
            raise
    # Without a reader, a pipe can be opened only for reading. So read from it for a moment. Opening it with O_RDWR
    # would make us a reader for good: we would not notice that there is no other, and what we write would be lost.
    try:
        reader = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:
        raise OSError(errno.ENXIO, "it is a pipe that no process reads") from None
    try:
        return os.open(path, _APPEND, 0o644)  # the path may name another file by now
    finally:
        os.close(reader)


def read_file(path: str, limit: int) -> bytes:
    """The content of a file, or of a named pipe until its writers close it.

    Raises OSError, also for more than `limit` bytes, which is some MiB, and for a pipe that no process writes to.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    os.set_blocking(fd, True)
    with open(fd, "rb") as file:
        data = file.read(limit + 1)
        if len(data) > limit:
            raise OSError(errno.EFBIG, f"it is larger than {limit >> 20} MiB")
        if not data and stat.S_ISFIFO(os.fstat(fd).st_mode):
            raise OSError(errno.ENODATA, "it is a pipe that no process writes to")
    return data


def reopen_nonblocking(fd: int) -> int:
    """A new descriptor for the same pipe whose writes never block; `fd` itself if it is not a pipe.

    is_ready() is not enough where several processes write to a pipe, since another one may fill it before we write. To
    make `fd` itself non-blocking would change it for the process that gave it to us. `fd` is returned as well if
    the pipe may not be opened.
    """
    try:
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        pass
    return fd


def is_ready(fd: int, timeout: float = 0.0) -> bool:
    """Whether a write would not block, because there is room or an error to report, within `timeout` seconds."""
    return bool(_poll(fd, timeout))


def write_ready(fd: int, data: bytes) -> bool:
    """Write without blocking, and return whether everything was written. Raises OSError.

    It writes PIPE_BUF bytes at a time, which a pipe takes either whole or not at all.
    """
    while data:
        if not is_ready(fd):
            return False
        data = data[write(fd, data[:PIPE_BUF]) :]
    return True


def has_reader(fd: int) -> bool:
    """Whether some process has the pipe open for reading."""
    return not _poll(fd, 0.0) & POLLERR


def _poll(fd: int, timeout: float) -> int:
    poller = poll()
    poller.register(fd, POLLOUT)
    return sum(events for _, events in poller.poll(max(0.0, timeout) * 1000))
