"""Floor 1: how a path beneath a root is opened without ever leaving it (hazards C1 to C4).

Two ways lead beneath the root and find the same: openat2, one system call, and the walk, a call for each name. Which
of them it is, is settled by opener() (C4). To open and close a file three folders deep takes 4 us the one way
and 12 us the other (os.open on the whole path: 3 us), and find, with 1 KiB read, 11 us and 20 us: one thread, warm
ext4, CPython 3.11, Linux 6.18 in a virtual machine, the best of 7 rounds.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from typing import Final, TypeAlias

Opener: TypeAlias = Callable[[int, bytes, int], int]
"""(descriptor of the root, path beneath it, flags) -> descriptor, or OSError."""

# The only flags that openat2() knows. O_NONBLOCK: a FIFO must not hold us. O_LARGEFILE: only the libc adds it for us,
# and only where it is needed.
FILE_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | getattr(os, "O_LARGEFILE", 0)
DIRECTORY_FLAGS: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_LINKS: Final = 40
"""Links on one way, as many as Linux follows."""
_LONGEST_PATH: Final = 4095
_TRIES: Final = 4
"""One, and three more when a name turned into something else under our hands."""


def opener(root: int) -> Opener:
    """The way that this system has: openat2, or else the walk."""
    return openat2 if _has_openat2(root) else openat_walk


def close(number: int) -> None:
    """Closes a descriptor without a word."""
    try:
        os.close(number)
    except OSError:  # nothing was written that could be lost, and the descriptor is free all the same
        return


# openat2(2): the kernel keeps us beneath the root. RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, and 437 is its number on
# every architecture but alpha and mips, which have something else there or nothing: the probe tells.
_OPENAT2: Final = 437
_HOW: Final = {flags: (ctypes.c_uint64 * 3)(flags, 0, 0x08 | 0x02) for flags in (FILE_FLAGS, DIRECTORY_FLAGS)}
_syscall: Final = ctypes.CDLL(None, use_errno=True).syscall
_syscall.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)
_syscall.restype = ctypes.c_long


def openat2(root: int, path: bytes, flags: int) -> int:
    """An Opener, for Linux 5.6 and later. The path has no NUL."""
    number: int = _syscall(_OPENAT2, root, path, _HOW[flags], 24)
    if number < 0:
        raise OSError(ctypes.get_errno(), "openat2")
    return number


def _has_openat2(root: int) -> bool:
    """Whether it opens the root and refuses what is above. Containers forbid it with any errno they like."""
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
    """An Opener, name by name. The kernel follows no link: it is read, and the names in it are walked instead."""
    if len(path) > _LONGEST_PATH:
        raise OSError(errno.ENAMETOOLONG, "openat_walk")
    names: list[bytes] = []  # still to go, the next one last
    folders = [root]  # the way here, so that `..` leads back and never above the root
    try:
        for _ in range(1 + _LINKS):
            if path.startswith(b"/"):
                raise OSError(errno.EXDEV, "openat_walk")
            names += reversed(path.split(b"/"))
            end = _follow(names, folders, flags)
            if isinstance(end, int):
                return end
            path = end
        raise OSError(errno.ELOOP, "openat_walk")
    finally:
        for folder in folders[1:]:
            close(folder)


def _follow(names: list[bytes], folders: list[int], flags: int) -> int | bytes:
    """Goes to the last name, which it opens, or to the first link, whose text it returns."""
    while True:
        name = names.pop()
        if name == b"..":
            if len(folders) == 1:
                raise OSError(errno.EXDEV, "openat_walk")
            close(folders.pop())
        stays = name in (b"", b".", b"..")
        if stays and names:
            continue
        step = _step(folders[-1], b"." if stays else name, DIRECTORY_FLAGS if names else flags)
        if not names or isinstance(step, bytes):
            return step
        folders.append(step)


def _step(folder: int, name: bytes, flags: int) -> int | bytes:
    """Opens what is called so, or reads it if it is a link. It may turn from one to the other in between."""
    for _ in range(_TRIES):
        try:
            return os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR):  # what systems say to a link
                raise
            failure = error
        try:
            return os.readlink(name, dir_fd=folder)
        except OSError as error:
            if error.errno != errno.EINVAL:  # what they say when it is none
                raise
    raise failure if failure.errno == errno.ENOTDIR else OSError(errno.EAGAIN, "openat_walk")
