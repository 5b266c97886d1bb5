"""Opening a path beneath a root directory without ever leaving it (hazards C1 to C4).

There are two ways, and both find the same: openat2(2), which is one system call, and a walk, which makes one call for
each name. find_opener() chooses one (C4). A file three directories deep is opened and closed in 4 us by openat2 and in
12 us by the walk (docs/decisions.md).
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from typing import Final, TypeAlias

Opener: TypeAlias = Callable[[int, bytes, int], int]
"""Opens a path beneath a root: (descriptor of the root, path, flags) -> descriptor. Raises OSError."""

# The only two values that openat2() below accepts. O_NONBLOCK: opening a FIFO must not block. It does release a program
# that waits in open() to write to it, because looking first costs too much (docs/decisions.md). O_LARGEFILE: open() of
# the C library adds it where it is needed, but a bare system call does not.
FILE_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | getattr(os, "O_LARGEFILE", 0)
DIRECTORY_FLAGS: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_LINKS: Final = 40
"""Symbolic links in one path; Linux follows as many."""
_LONGEST_PATH: Final = 4095
_LINK_TRIES: Final = 4
"""Attempts to open a name that changes between a link and something else."""


def find_opener(root: int) -> Opener:
    """The best opener that works here: openat2, otherwise the walk."""
    return openat2 if _has_openat2(root) else openat_walk


def close(fd: int) -> None:
    """Close a descriptor and ignore errors."""
    try:
        os.close(fd)
    except OSError:  # nothing was written that could be lost, and the descriptor is closed even so
        return


_OPENAT2: Final = 437
"""The number of the system call, except on alpha and mips, where _has_openat2() finds another call or none."""
_BENEATH: Final = 0x08 | 0x02
"""RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS."""
_HOW: Final = {flags: (ctypes.c_uint64 * 3)(flags, 0, _BENEATH) for flags in (FILE_FLAGS, DIRECTORY_FLAGS)}
"""The struct open_how for each of the two flags: flags, mode, resolve."""
_syscall: Final = ctypes.CDLL(None, use_errno=True).syscall
_syscall.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)
_syscall.restype = ctypes.c_long


def openat2(root: int, path: bytes, flags: int) -> int:
    """An Opener for Linux 5.6 and later: the kernel keeps the path beneath the root. The path must have no NUL."""
    fd: int = _syscall(_OPENAT2, root, path, _HOW[flags], 24)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "openat2")
    return fd


def _has_openat2(root: int) -> bool:
    """Whether openat2 opens the root and refuses its parent. Containers that forbid it do so with various errnos."""
    if sys.platform != "linux":
        return False
    try:
        close(openat2(root, b".", DIRECTORY_FLAGS))
    except OSError:
        return False
    try:
        close(openat2(root, b"..", DIRECTORY_FLAGS))
    except OSError as error:
        return error.errno == errno.EXDEV
    return False


def openat_walk(root: int, path: bytes, flags: int) -> int:
    """An Opener that opens name by name. It reads each symbolic link and walks the names in it itself."""
    if len(path) > _LONGEST_PATH:
        raise OSError(errno.ENAMETOOLONG, "openat_walk")
    names: list[bytes] = []  # those that are left, the next one last
    directories = [root]  # from the root to where we are, so that ".." leads back and never above the root
    try:
        for _ in range(1 + _LINKS):
            if path.startswith(b"/"):
                raise OSError(errno.EXDEV, "openat_walk")
            names += reversed(path.split(b"/"))
            end = _follow(names, directories, flags)
            if isinstance(end, int):
                return end
            path = end
        raise OSError(errno.ELOOP, "openat_walk")
    finally:
        for directory in directories[1:]:
            close(directory)


def _follow(names: list[bytes], directories: list[int], flags: int) -> int | bytes:
    """Walk to the last name and return its descriptor, or to the first symbolic link and return its target."""
    while True:
        name = names.pop()
        if name == b"..":
            if len(directories) == 1:
                raise OSError(errno.EXDEV, "openat_walk")
            close(directories.pop())
        is_here = name in (b"", b".", b"..")  # the directory that is open by now, so there is nothing to enter
        if is_here and names:
            continue
        step = _step(directories[-1], b"." if is_here else name, DIRECTORY_FLAGS if names else flags)
        if not names or isinstance(step, bytes):
            return step
        directories.append(step)


def _step(directory: int, name: bytes, flags: int) -> int | bytes:
    """Open a name in a directory, or read it if it is a symbolic link. It may change from one to the other."""
    for _ in range(_LINK_TRIES):
        try:
            return os.open(name, flags | os.O_NOFOLLOW, dir_fd=directory)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR):  # what systems report for a link
                raise
            failure = error
        try:
            return os.readlink(name, dir_fd=directory)
        except OSError as error:
            if error.errno != errno.EINVAL:  # what they report for anything else
                raise
    # ENOTDIR is no race: a file stands where the path needs a directory. Otherwise the name was a link whenever it was
    # opened and something else whenever it was read; after EAGAIN the caller tries again, and then reports 503.
    raise failure if failure.errno == errno.ENOTDIR else OSError(errno.EAGAIN, "openat_walk")
