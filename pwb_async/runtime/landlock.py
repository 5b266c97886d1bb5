"""Landlock (Linux 5.13): a process restricts itself to some files and can never lift the restriction.

Of all files only those below the root can be opened, and only for reading; nothing can be created, changed, renamed,
removed or executed. Where the kernel supports it (6.7 and 6.12), no TCP connection can be made, no TCP port be bound,
and no process outside be sent a signal.

Landlock's rules name directories by inode, not by path. If the path of the root contains a symbolic link, the parent of
the link's target may be read, so that a release can be switched by renaming a link (current -> releases/42: all of
releases). Otherwise only the root may be read, and if the directory is replaced by another one of the same name, a
reload (SIGHUP) is needed.
"""

import ctypes
import errno
import os
import sys
from typing import Final

READ_FILE: Final = 1 << 2
READ_DIRECTORY: Final = 1 << 3
_FILESYSTEM_RIGHTS: Final = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""Rights on files, by the version of Landlock that introduced them. All are handled, hence all are taken away."""
_TCP: Final = 0b11  # version 4: bind and connect
_SCOPES: Final = 0b11  # version 6: abstract Unix sockets and signals
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # system calls, on every architecture but alpha
_QUERY_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38


def find_landlock() -> int:
    """The version of Landlock that the kernel supports. Raises OSError if it has none, or if it is disabled."""
    version = _syscall(_CREATE_RULESET, None, 0, _QUERY_VERSION) if sys.platform == "linux" else 0
    if version < 1:
        raise OSError(errno.ENOSYS, "this kernel has no Landlock (Linux 5.13 has it, unless lsm= leaves it out)")
    return version


def allowed_root(root: str) -> str:
    """The directory that may be read if `root` is served: itself, or the parent of a link's target (see above).

    Of an archive, it is the directory that it is in. Raises OSError.
    """
    path, real = os.path.abspath(root), os.path.realpath(root)
    links = [path[:end] for end in _name_ends(path) if os.path.islink(path[:end])]
    releases = os.path.dirname(os.path.realpath(links[-1])) if links else "/"
    if releases != "/" and real.startswith(releases + "/"):
        return releases
    return real if os.path.isdir(real) else _folder_of(real)


def _folder_of(archive: str) -> str:
    """The directory of an archive, which has to be readable for it to be replaced. Raises OSError."""
    folder = os.path.dirname(archive)
    if folder == "/":
        raise OSError(errno.EINVAL, "with --sandbox, the archive has to be in a directory of its own")
    return folder


def _name_ends(path: str) -> list[int]:
    """The offset at which each name of a path ends."""
    return [offset for offset, letter in enumerate(path + "/") if letter == "/" and offset]


class _RulesetAttributes(ctypes.Structure):
    """struct landlock_ruleset_attr"""

    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    """struct landlock_path_beneath_attr"""

    _pack_ = 1
    _layout_ = "ms"  # Python 3.14 wants the layout named wherever _pack_ is set
    _fields_ = (("rights", ctypes.c_uint64), ("fd", ctypes.c_int32))


def restrict_process(rights: dict[str, int]) -> None:
    """Restrict the calling thread, and those it starts, to these rights below these paths, and to none elsewhere.

    Raises OSError.
    """
    version = find_landlock()
    handled = sum(bits for since, bits in _FILESYSTEM_RIGHTS.items() if version >= since)
    attributes = _RulesetAttributes(handled, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    ruleset = _check(_syscall(_CREATE_RULESET, ctypes.byref(attributes), ctypes.sizeof(attributes), 0))
    try:
        for path, bits in rights.items():
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                rule = _PathBeneath(bits, fd)
                _check(_syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0))
            finally:
                os.close(fd)
        # Without this, restricting oneself takes CAP_SYS_ADMIN.
        _check(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _check(_syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _syscall(number: int, *arguments: object) -> int:
    syscall = _libc().syscall
    syscall.restype = ctypes.c_long
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result: int = syscall(ctypes.c_long(number), *words)
    return result


def _check(result: int) -> int:
    """The result of a system call. Raises OSError if it is an error."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
