"""The error pages of a site: files such as 404.html, of which the nearest one is sent with the status of the error.

For /a/b these are a/404.html and 404.html. For a 5xx 50x.html is as good as the name with the exact status, such as
503.html, which is tried first in each directory. Where there is none, a page of PWB's own is sent.
"""

from collections.abc import Iterator
from typing import Final

LEVELS: Final = 16
"""Directories beneath the root in which a page is looked for: each costs a system call, and a target of 8 KiB has room
for 4,000 of them."""


def error_files(directory: tuple[bytes, ...], status: int) -> Iterator[bytes]:
    """Yield the paths at which the page for a status may be, from this directory upwards to the root."""
    names = (b"%d.html" % status, b"50x.html") if status >= 500 else (b"%d.html" % status,)
    for depth in range(min(len(directory), LEVELS), -1, -1):
        prefix = b"".join([name + b"/" for name in directory[:depth]])
        for name in names:
            yield prefix + name
