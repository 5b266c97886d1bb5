"""The content that was fetched from a store, in slices: in memory, and on disk if there is a directory for it.

A slice is kept under a digest of the object's name and version, so an object that changes has other slices, and those
of the old version are dropped when they have not been used for the longest time. What was fetched on the event loop is
written to the disk by the thread that reads it next.
"""

import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from threading import Lock
from time import time
from typing import Final
from zlib import crc32

from xxhash import xxh3_64_digest

MEMORY: Final = 32 << 20
"""Bytes in memory; small files are kept in the response cache as well."""
_OVERHEAD: Final = 200
"""Bytes of memory that a slice takes beside its content."""
_TOUCH: Final = 60
"""Seconds after which a file that is used gets a new time, by which the oldest are found."""
_SLACK: Final = 16
"""The directory is examined after one part in so many of its size has been written."""
_DIGEST: Final = 8
"""Bytes of the digest of a slice."""
_FOLDER: Final = re.compile("[0-9a-f]{2}")
_SLICE: Final = re.compile(r"[0-9a-f]{32}-[0-9]+(\.[0-9]+)?")
"""The names of slices, also of those that are being written."""


class Slices:
    """The slices of all objects of a store. Several threads may use them."""

    def __init__(self, directory: "SliceDirectory | None" = None, memory: int = MEMORY) -> None:
        """memory: bytes in memory at most."""
        self._directory, self._memory = directory, memory
        self._lock = Lock()
        self._slices: OrderedDict[str, bytes] = OrderedDict()
        self._unsaved: set[str] = set()
        self._used = 0

    @property
    def memory_used(self) -> int:
        """Bytes of memory that are used."""
        return self._used

    @property
    def disk_used(self) -> int:
        """Bytes in the directory, as this process has counted them."""
        return 0 if self._directory is None else self._directory.used

    def in_memory(self, name: str) -> bytes | None:
        """A slice that is in memory, without a look at the disk."""
        with self._lock:
            data = self._slices.get(name)
            if data is not None:
                self._slices.move_to_end(name)
            return data

    def get(self, name: str) -> bytes | None:
        """A slice; None if it has to be fetched. It may read or write the disk."""
        data = self.in_memory(name)
        if self._directory is None:
            return data
        if data is None:
            data = self._directory.read(name)
            if data is not None:
                self._keep(name, data)
        elif name in self._unsaved:
            self._unsaved.discard(name)
            self._directory.write(name, data)
        return data

    def put(self, name: str, data: bytes) -> None:
        """Keep a slice that was fetched."""
        if self._directory is not None:
            self._unsaved.add(name)
        self._keep(name, data)

    def _keep(self, name: str, data: bytes) -> None:
        with self._lock:
            old = self._slices.pop(name, None)
            self._slices[name] = data
            self._used += len(data) - (len(old) if old is not None else -_OVERHEAD)
            while self._used > self._memory and len(self._slices) > 1:
                dropped, content = self._slices.popitem(last=False)
                self._unsaved.discard(dropped)
                self._used -= len(content) + _OVERHEAD


class SliceDirectory:
    """A directory of slices, which several processes may use. Errors of the disk are ignored: the store has it all."""

    def __init__(self, path: str, max_bytes: int) -> None:
        """Make the directory if it does not exist. Raises OSError."""
        os.makedirs(path, mode=0o700, exist_ok=True)
        self._path, self._max_bytes = os.path.abspath(path), max_bytes
        if not os.access(self._path, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied", path)
        self._lock = Lock()
        self._unexamined = max_bytes  # what was there before counts as much as may be there
        self.used = 0
        """Bytes in it, of which what was there before is known after the first write."""

    def read(self, name: str) -> bytes | None:
        """A slice; None if it is not there."""
        path = self._file(name)
        try:
            with open(path, "rb", buffering=0) as file:
                status = os.fstat(file.fileno())
                content = file.readall()
            data = content[:-_DIGEST]
            if _digest(name, data) != content[-_DIGEST:]:
                os.unlink(path)
                return None
            if status.st_mtime < time() - _TOUCH:
                os.utime(path)
        except OSError:
            return None
        return data

    def write(self, name: str, data: bytes) -> None:
        """Keep a slice, and drop the oldest ones if there is no room."""
        path = self._file(name)
        new = f"{path}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(new, "wb", buffering=0) as file:
                written = file.write(data + _digest(name, data))
            if written == len(data) + _DIGEST:
                os.replace(new, path)
            else:  # the disk is full
                os.unlink(new)
        except OSError:
            with suppress(OSError):
                os.unlink(new)
        with self._lock:
            self._unexamined += len(data) + _DIGEST
            self.used += len(data) + _DIGEST
            is_due = self._unexamined > self._max_bytes // _SLACK
            if is_due:
                self._unexamined = 0
        if is_due:
            self._drop_oldest()

    def _file(self, name: str) -> str:
        return os.path.join(self._path, name[:2], name)

    def _drop_oldest(self) -> None:
        """Remove the files that were used longest ago until a slack is free. Those of other processes count, too."""
        found = [entry for folder in _own_names(self._path, _FOLDER) for entry in _ages(folder)]
        found.sort()
        used, allowed = sum(size for _, size, _ in found), self._max_bytes - self._max_bytes // _SLACK
        for _, size, path in found:
            if used <= allowed:
                break
            with suppress(OSError):
                os.unlink(path)
            used -= size
        self.used = used


def _digest(name: str, data: bytes) -> bytes:
    """What ends the file of a slice: a disk that loses power may have the name of a file without its content."""
    return xxh3_64_digest(data, crc32(name.encode()))


def _own_names(path: str, form: re.Pattern[str]) -> list[str]:
    """The entries of a directory with names of that form: all others are not its own."""
    try:
        return [os.path.join(path, name) for name in os.listdir(path) if form.fullmatch(name)]
    except OSError:
        return []


def _ages(folder: str) -> Iterator[tuple[float, int, str]]:
    """Yield the time, the size and the path of each slice in a folder."""
    for path in _own_names(folder, _SLICE):
        with suppress(OSError):
            status = os.stat(path)
            yield status.st_mtime, status.st_size, path
