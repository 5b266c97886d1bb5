"""Entity tags (RFC 9110 8.8.3): what the tag of a file is made of (--etag), and when the file system's times can be
trusted to tell two versions apart.

The tag of a file that is read at once is a digest of its content, whatever --etag says. Equal bytes have one tag on
every server and after every deployment, other bytes never have it, and no clock decides. The publisher is no adversary,
so the digest need not be cryptographic; those of hashlib cost much more (docs/decisions.md).

A large file is never read for its tag:
  auto     size, mtime, and what a publisher cannot set: ctime and inode. Two servers differ; chmod and ln change it.
  mtime    size and mtime, the same on servers that keep the times of their copies. No tag where mtime is a placeholder.
  content  no tag.
Such a tag is true only if another change would give the file another ctime. While the clock of the file system has not
moved on since the last change, a second change gets the same time as the first: the file is "racy", as git calls it.
Then there is no tag: a strong one might lie, and a weak one would become another one with time.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from xxhash import xxh3_128_hexdigest

from pwb_async.core.semantics.dates import is_placeholder

SECOND: Final = 1_000_000_000
_TICK: Final = 10_000_000
"""Nanoseconds between two ticks of Linux's slowest clock (CONFIG_HZ=100), and the resolution of exFAT."""
_COARSE_TICK: Final = 2 * SECOND
"""FAT's resolution. Other file systems that count whole seconds take one."""
_WAITS: Final = 16
"""Versions of files that are waited for in one second. A wait is over with the next tick or two."""
_WAITS_FOR_A_NAME: Final = 4

MetadataTag = Callable[[os.stat_result], bytes | None]


def content_tag(content: bytes) -> bytes:
    """The tag of a file whose bytes are known."""
    return xxh3_128_hexdigest(content).encode()


def _identity(status: os.stat_result) -> bytes:
    identity = b"%d %d %d %d" % (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    # A digest, so that the inode number cannot be read: it was reported as a leak in Apache's tags (CVE-2003-1418).
    return xxh3_128_hexdigest(identity).encode()


def _mtime(status: os.stat_result) -> bytes | None:
    mtime = status.st_mtime_ns
    return None if is_placeholder(mtime // SECOND) else b"%x-%x" % (mtime, status.st_size)


METADATA_TAGS: Final[dict[str, MetadataTag | None]] = {"auto": _identity, "content": None, "mtime": _mtime}
"""By the value of --etag: the tag of a file that is not read at once."""


def _file_clock() -> Callable[[], int]:
    """The clock whose value a file gets when it changes, nanoseconds since the epoch. Linux's moves in ticks, and lags
    behind time.time_ns() by at most one of them, or by more in a virtual machine that was not running."""
    if sys.platform == "linux":
        return partial(time.clock_gettime_ns, 5)  # CLOCK_REALTIME_COARSE, which the time module does not name
    return time.time_ns


file_clock: Final = _file_clock()


def is_racy(ctime_ns: int, now_ns: int) -> bool:
    """Whether a change at `now_ns`, or later, could still get this ctime. A ctime that is far ahead is from before the
    clock was set back; a change in the very tick in which the clock reaches it again is not considered."""
    return abs(now_ns - ctime_ns) < (_TICK if ctime_ns % SECOND else _COARSE_TICK)


def can_wait(ctime_ns: int) -> bool:
    """Whether the clock of the file system moves on within milliseconds."""
    return ctime_ns % SECOND != 0


class WaitBudget:
    """How often large files may be waited for until they are no longer racy: few times in a second, and fewer for files
    of one name.

    A server with one thread answers nobody while it waits. A file that was just published is no longer racy when the
    first wait is over, so the next request does not wait; a file that changes all the time is another version then, and
    soon not waited for. Several threads may wait for one version together.
    """

    def __init__(self) -> None:
        self._second: tuple[int, list[tuple[bytes, int, int, int]]] = (0, [])

    def allows(self, name: bytes, status: os.stat_result, now_ns: int) -> bool:
        second, waited = self._second
        if second != now_ns // SECOND:
            waited = []
            self._second = now_ns // SECOND, waited  # replaced as one, since threads share it
        version = name, status.st_dev, status.st_ino, status.st_ctime_ns
        if version in waited:
            return True
        if len(waited) >= _WAITS or sum(other[0] == name for other in waited) >= _WAITS_FOR_A_NAME:
            return False
        waited.append(version)
        return True
