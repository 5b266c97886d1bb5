"""Rights that a serving process gives up before its first client and cannot get back.

drop_privileges, step by step:
  1. --user or --sandbox: imports the modules that may be needed later (preload.py)
  2. --user: takes the groups, the group and the user that the option names
  3. --sandbox: restricts the process to reading what is served and the files of users (landlock.py)

Descriptors that are open stay usable: the listening sockets, and the files that are written, the access log and the
timeline. Landlock restricts the calling thread and the threads that it starts, so the process must have no other thread
yet.
"""

import errno
import os
import re
from typing import Final, NamedTuple

from pwb_async.config.options import Options
from pwb_async.config.places import all_directories

_HIGHEST_ID: Final = 2**32 - 2
"""The highest number of a user or group: the next one makes chown(2) and setresuid(2) change nothing."""


class User(NamedTuple):
    """The user and group numbers that --user stands for."""

    uid: int
    gid: int
    groups: list[int]
    """All groups of the process, `gid` included."""


def find_user(text: str) -> User:
    """The user and groups that `text`, NAME[:GROUP] in names or numbers, stands for.

    Raises OSError if there is no such user or group, or if this process has no right to change its user.
    """
    import pwd

    name, _, group = text.partition(":")
    number = _number(name)
    try:
        entry = pwd.getpwnam(name) if number is None else pwd.getpwuid(number)
        uid = entry.pw_uid
    except KeyError:
        if number is None:
            raise OSError(errno.EINVAL, "there is no such user") from None
        if not group:
            raise OSError(errno.EINVAL, "there is no such user, and so no group; NUMBER:GROUP names one") from None
        uid = number
    if group:
        gid = find_group(group)
        groups = [gid]
    else:
        gid = entry.pw_gid
        groups = os.getgrouplist(entry.pw_name, gid)
    if os.geteuid() != 0:
        raise PermissionError(errno.EPERM, "only root can switch to another user")
    return User(uid, gid, groups)


def find_group(text: str) -> int:
    """The number of a group that is given by name or number. Raises OSError if there is none of that name."""
    import grp

    number = _number(text)
    try:
        return grp.getgrnam(text).gr_gid if number is None else number
    except KeyError:
        raise OSError(errno.EINVAL, "there is no such group") from None


def _number(text: str) -> int | None:
    """The number of a user or group, or None if `text` is a name. Raises OSError for a number that is too high."""
    if not re.fullmatch("[0-9]+", text):
        return None
    if len(text) > len(str(_HIGHEST_ID)) or int(text) > _HIGHEST_ID:
        raise OSError(errno.EINVAL, f"the highest number is {_HIGHEST_ID}")
    return int(text)


def drop_privileges(options: Options, *modules: str) -> None:
    """Give up for good the rights that --user and --sandbox take away; import `modules` before. Raises OSError."""
    if options.user is not None or options.sandbox:
        from .landlock import READ_DIRECTORY, READ_FILE, allowed_root, restrict_process
        from .preload import preload

        preload(*modules)
        if any(each.htpasswd_files for each in options.of_all_sites):
            from pwb_async.access.password_hashes import load_all  # 0.15 s, which most sites are spared

            load_all()
    if options.user is not None:
        user = find_user(options.user)
        os.setgroups(user.groups)
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
    if options.sandbox:
        # libuv opens /dev/null as its spare descriptor.
        # The files of users are read again when they change: those that are written in place, as htpasswd(1) does.
        users = {path: READ_FILE for each in options.of_all_sites for path in each.htpasswd_files}
        served = {allowed_root(each): READ_FILE | READ_DIRECTORY for each in all_directories(options)}
        restrict_process({**users, **served, os.devnull: READ_FILE})
