"""What a serving process gives up before its first client, and cannot get back: other users' rights, other files.

confine, the steps in order:
  1. load what Python would load later: from now on it may find nothing any more
  2. become the user of --user: its groups, its group, itself
  3. --sandbox: Landlock (Linux 5.13). Of all files only those of the root can be opened, and only to be read; nothing
     can be made, changed, renamed, removed or executed. Where the kernel knows how (6.7, 6.12), no TCP connection is
     made, no TCP port taken, and no process outside gets a signal.

What is open stays open: the listening sockets, and the access log, which so is the only file that is written. Because
the restriction holds for the calling thread and those it starts, confine comes before all threads.

Which files are the root's? Landlock knows folders by themselves, not by name. If the way to the root leads over a
symbolic link, the folder that the link's target is in may be read, so that a release may be swapped by renaming a link
(current -> releases/42: all of releases). Otherwise it is the root alone, and if that very folder is replaced by
another of its name, a reload (SIGHUP) is needed.
"""

import ctypes
import errno
import importlib
import os
import sys
from typing import Final, NamedTuple

from pwb_async.config.loader import Options

_EXECUTE: Final = 1 << 0
_READ_FILE: Final = 1 << 2
_READ_FOLDER: Final = 1 << 3
_RIGHTS: Final = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""Rights on files, by the version of Landlock that brought them: all are handled, so all are taken away."""
_TCP: Final = 0b11  # version 4: bind and connect
_SCOPES: Final = 0b11  # version 6: abstract Unix sockets and signals
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # on every architecture but alpha
_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_LATER: Final = ("encodings.idna", "encodings.latin_1", "linecache", "traceback", "unicodedata")
"""Modules that Python imports when it first needs them."""


class User(NamedTuple):
    """uid, gid, groups: as the kernel has them."""

    uid: int
    gid: int
    groups: list[int]


def find_user(text: str) -> User:
    """Who NAME[:GROUP] is, names or numbers. Raises OSError for nobody, and where we could not become another."""
    import pwd

    name, _, group = text.partition(":")
    try:
        entry = pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except KeyError:
        if not (name.isdecimal() and group):
            raise OSError(errno.EINVAL, "there is no such user") from None
        entry = None
    gid = find_group(group) if group else entry.pw_gid if entry else 0
    if os.geteuid() != 0:
        raise PermissionError(errno.EPERM, "only root can become somebody else")
    groups = os.getgrouplist(entry.pw_name, gid) if entry and not group else [gid]
    return User(entry.pw_uid if entry else int(name), gid, groups)


def find_group(text: str) -> int:
    """The number of a group, by its name or itself. Raises OSError if there is none of that name."""
    import grp

    try:
        return int(text) if text.isdecimal() else grp.getgrnam(text).gr_gid
    except KeyError:
        raise OSError(errno.EINVAL, "there is no such group") from None


def find_landlock() -> int:
    """The version of the kernel's Landlock. Raises OSError if it has none, or if it is off."""
    version = _call(_CREATE_RULESET, None, 0, _VERSION) if sys.platform == "linux" else 0
    if version < 1:
        raise OSError(errno.ENOSYS, "this kernel has no Landlock (Linux 5.13 has it, unless lsm= leaves it out)")
    return version


def drop_privileges(options: Options) -> None:
    """Gives up what serving does not need, for good. Raises OSError."""
    if options.user is not None or options.sandbox:
        for name in _LATER:
            importlib.import_module(name)
    if options.user is not None:
        user = find_user(options.user)
        os.setgroups(user.groups)
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
    if options.sandbox:
        restrict_filesystem(
            {allowed_root(options.root): _READ_FILE | _READ_FOLDER, os.devnull: _READ_FILE}
        )  # libuv's spare one


def allowed_root(root: str) -> str:
    """The folder that may be read: see above."""
    path, real = os.path.abspath(root), os.path.realpath(root)
    links = [path[:end] for end in _ends(path) if os.path.islink(path[:end])]
    if not links:
        return real
    releases = os.path.dirname(os.path.realpath(links[-1]))
    return releases if releases != "/" and real.startswith(releases + "/") else real


def _ends(path: str) -> list[int]:
    """Where each name of a path ends."""
    return [at for at, letter in enumerate(path + "/") if letter == "/" and at]


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"  # what _pack_ means, and 3.14 wants to be told
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def restrict_filesystem(rights: dict[str, int]) -> None:
    """From now on this thread has these rights beneath these paths, and none elsewhere. Raises OSError."""
    version = find_landlock()
    handled = sum(bits for since, bits in _RIGHTS.items() if version >= since)
    rules = _Ruleset(handled, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    ruleset = _check(_call(_CREATE_RULESET, ctypes.byref(rules), ctypes.sizeof(rules), 0))
    try:
        for path, bits in rights.items():
            folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                rule = _Beneath(bits, folder)
                _check(_call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0))
            finally:
                os.close(folder)
        _check(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _check(_call(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    syscall = _libc().syscall
    syscall.restype = ctypes.c_long
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result: int = syscall(ctypes.c_long(number), *words)
    return result


def _check(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
