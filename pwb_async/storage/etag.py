"""Entity tags (RFC 9110 8.8.3): what the tag of a file is made of, and when the file system's times can be trusted.

The tag of a file that is read at once is a digest of its content, whatever --etag is. Equal content has the same tag on
every server and after every deployment, other content never has it, and no clock is involved. Files are not published
by an adversary, so the digest need not be cryptographic; those of hashlib cost much more (docs/decisions.md).

A large file is not read for its tag. With --etag it is made of:
  auto     size, mtime, and what a publisher cannot set: ctime and inode number. So it differs between two servers, and
           chmod(1) and ln(1) change it.
  mtime    size and mtime, which are the same on all servers that keep the times of their copies. A file whose mtime is
           a placeholder, a fixed time that a build tool gives to every file, has no tag.
  content  nothing: it has no tag.
Such a tag identifies a version only if the next change gives the file another ctime. Until the clock of the file system
moves on, a second change gets the same ctime as the first; git calls such a file "racy". It has no tag: a strong one
might be wrong, and a weak one would become another tag a moment later.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Final

from xxhash import xxh3_128_hexdigest

from pwb_async.core.site.validators import is_placeholder

SECOND: Final = 1_000_000_000
_TICK: Final = 10_000_000
"""Nanoseconds between two ticks of Linux's slowest clock (CONFIG_HZ=100), and the resolution of exFAT."""
_COARSE_TICK: Final = 2 * SECOND
"""The resolution of FAT, in nanoseconds. Other file systems with times in whole seconds have a resolution of one."""
_MAX_WAITS: Final = 16
"""Waits in one second. A wait ends with the next tick of the clock, or with the one after."""
_MAX_WAITS_FOR_A_NAME: Final = 4

MetadataTag = Callable[[os.stat_result], bytes | None]
"""Makes the opaque part of an entity tag of the status of a file; None for no tag."""


def content_tag(content: bytes) -> bytes:
    """The tag of a file with this content, as the opaque part of an entity tag."""
    return xxh3_128_hexdigest(content).encode()


def _identity(status: os.stat_result) -> bytes:
    identity = b"%d %d %d %d" % (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    # A digest does not reveal the inode number, which was reported as a leak in Apache's tags (CVE-2003-1418).
    return xxh3_128_hexdigest(identity).encode()


def _mtime(status: os.stat_result) -> bytes | None:
    mtime = status.st_mtime_ns
    return None if is_placeholder(mtime // SECOND) else b"%x-%x" % (mtime, status.st_size)


METADATA_TAGS: Final[dict[str, MetadataTag | None]] = {"auto": _identity, "content": None, "mtime": _mtime}
"""What makes the tag of a large file, by the value of --etag; None for no tags."""


def _file_clock() -> Callable[[], int]:
    """The clock that sets the ctime of a file, in nanoseconds since the epoch.

    On Linux it moves in ticks and lags behind time.time_ns() by at most one of them, or by more in a virtual machine
    that was suspended.
    """
    if sys.platform == "linux":
        return partial(time.clock_gettime_ns, 5)  # CLOCK_REALTIME_COARSE, which the time module has no name for
    return time.time_ns


file_clock: Final = _file_clock()


def is_racy(ctime_ns: int, now_ns: int) -> bool:
    """Whether a change at `now_ns` or later could still get this ctime.

    A ctime far in the future means that the clock was set back; that a change happens in the very tick in which the
    clock reaches it again is not considered.
    """
    return abs(now_ns - ctime_ns) < (_TICK if ctime_ns % SECOND else _COARSE_TICK)


def can_wait(ctime_ns: int) -> bool:
    """Whether the clock of the file system, judged by this ctime, moves on within milliseconds."""
    return ctime_ns % SECOND != 0


class WaitBudget:
    """A limit on how often a server waits until a large file is no longer racy: in all, and for one name.

    A server with one thread answers no request while it waits. A file that was just published is no longer racy after
    the first wait, so later requests do not wait for it. A file that changes all the time has another version after
    each wait, and soon uses up its share. Several threads that wait for one version count once.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._second = 0
        self._waited: list[tuple[bytes, int, int, int]] = []  # the versions for which there were waits in this second

    def allows(self, name: bytes, status: os.stat_result, now_ns: int) -> bool:
        """Whether to wait for this version of the file `name`; if so, the wait is counted."""
        version = name, status.st_dev, status.st_ino, status.st_ctime_ns
        with self._lock:
            if self._second != now_ns // SECOND:
                self._second, self._waited = now_ns // SECOND, []
            if version in self._waited:
                return True
            if len(self._waited) >= _MAX_WAITS:
                return False
            if sum(other[0] == name for other in self._waited) >= _MAX_WAITS_FOR_A_NAME:
                return False
            self._waited.append(version)
            return True
