"""The Storage of the objects beneath a prefix of a bucket.

A lookup uses what is known of names (table.py) and content (slices.py). What is not known, or not believed any longer,
it has fetched: of a file that it has kept, only whether it is still the same, by its entity tag. A directory is a
prefix with an object beneath it. Coded neighbours are asked for at once, and only of a file that exists.
"""

import errno
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from os import fsdecode
from typing import Any, Final

from xxhash import xxh3_128_hexdigest

from pwb_async.core.site.findings import NOT_FOUND, Finding, OpenFile, Unavailable
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.validators import is_placeholder
from pwb_async.storage.deferred import Deferred, Fetch, FetchError, is_deferring
from pwb_async.storage.etag import SECOND
from pwb_async.storage.precompressed import ENDINGS
from pwb_async.storage.source_storage import SourceStorage, StoredFile

from .client import SLICE, UNCHANGED, StoreClient
from .folders import Listing
from .object_file import ObjectFile
from .slices import Slices
from .status import ObjectStatus
from .store_folder import StoreFolder
from .table import Table

_MAX_NAMES: Final = 100_000
"""Names of which is remembered what the store has said, about 500 bytes each."""
_LONGEST_KEY: Final = 1024
"""Bytes of a key, beneath its prefix; no store allows more."""
_MAX_MISSING: Final = 20_000
"""Names, of objects and directories, of which is remembered that there are none."""
_MAX_LISTED: Final = 150_000
"""Entries of listings that are remembered, about 400 bytes each: of one directory with the most entries, or of many."""
_PATIENCE: Final = 2.0
"""Seconds for which a caller waits that can go on with what was kept, such as the supervisor at a reload."""
Run = Callable[[StoreClient, Sequence[Fetch], float], list[object]]
"""Makes fetches while the caller waits, for so many seconds: for each its result, or a FetchError."""


class ObjectStorage(SourceStorage):
    """The Storage of a bucket, also its Source and its Root. Its methods raise Deferred where that is asked for."""

    descriptors: Final = ()
    """None is open between two lookups."""
    settings: tuple[object, ...] = ()
    """What it was opened with."""

    def __init__(
        self,
        client: StoreClient,
        run: Run,
        slices: Slices,
        *,
        ttl: float,
        stale_if_error: float,
        etag: str = "auto",
        precompressed: bool = False,
    ) -> None:
        """run: makes fetches where a caller waits. ttl, stale_if_error: those of Table. The others: as for Disk."""
        super().__init__(precompressed=precompressed)
        self._client, self._run, self._etag = client, run, etag
        self.slices = slices
        """The content that is kept."""
        self._objects = Table[str, ObjectStatus](ttl, stale_if_error, _MAX_NAMES)
        self._folders = Table[str, bool](ttl, stale_if_error, _MAX_NAMES)
        # Apart, so that a flood of requests for made-up names drives out nothing that is there.
        self._missing = Table[str, bool](ttl, stale_if_error, _MAX_MISSING)
        self._listings = Table[str, Listing](ttl, stale_if_error, _MAX_LISTED, weigh=_weight)

    def source(self) -> "ObjectStorage":
        return self

    def open_root(self) -> "ObjectStorage":
        """The storage itself, as nothing has to be opened."""
        return self

    def begin(self, paths: Sequence[bytes]) -> bool:
        """Ask for the root and some files in one step; return whether there is any object. Raises FetchError."""
        self._need([self._fetch_folder(""), *(self._fetch_object(fsdecode(path)) for path in paths)])
        return self.is_directory(b"")

    def find(self, lookup: Lookup) -> Finding:
        try:
            return super().find(lookup)
        except FetchError as error:
            return Unavailable(str(error))

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        """Whether each file is unchanged. What is not known of any of them is fetched at once."""
        keys = [key for _, found in known if (key := _key(found.path)) and not self._is_known(key)]
        coded = [found.path + ENDINGS[each] for lookup, found in known for each in lookup.codings.codings]
        self._need([*map(self._fetch_object, keys), *self._unknown(coded)])
        return super().revalidate(known)

    def expect(self, paths: Sequence[bytes]) -> None:
        self._need(self._unknown(paths))

    def _unknown(self, paths: Iterable[bytes]) -> list[Fetch]:
        """The fetches of those of these paths of which nothing is known, without content."""
        keys = {key: None for path in paths if (key := _key(path)) and not self._is_known(key)}
        return [self._fetch_object(key, with_content=False) for key in keys]

    def look_up(self, path: bytes) -> StoredFile | Finding:
        key = _key(path)
        if not key:
            return NOT_FOUND
        if not self._is_known(key):
            self._need([self._fetch_object(key)])
        status = self._objects.known(key)
        if status is None or self._missing.get(key) is not None:
            return NOT_FOUND
        return StoredFile(
            path,
            status.size,
            status.mtime_ns,
            (int(self._version(key, status), 16), status.mtime_ns, status.mtime_ns, status.mtime_ns, status.size),
            self._tag(status),
            settled=True,
            sequential=False,
            handle=(key, status),
        )

    def is_directory(self, path: bytes) -> bool:
        key = _key(path)
        if key is None:
            return False
        folder = key + "/"
        if self._missing.get(folder) is None and self._folders.get(folder) is None:
            self._need([self._fetch_folder(key)])
        return self._missing.get(folder) is None and self._folders.known(folder) is not None

    def _is_known(self, key: str) -> bool:
        """Whether it is known, and believed, what the store has under a key."""
        return self._objects.get(key) is not None or self._missing.get(key) is not None

    def read(self, file: StoredFile) -> bytes:
        key, status = file.handle
        data = self._slice(key, status, 0, lambda: None) if status.size else b""
        if len(data) != status.size:
            raise OSError(errno.EIO, "the object is not whole")
        return data

    def open(self, file: StoredFile) -> ObjectFile:
        key, status = file.handle
        version = self._version(key, status)
        return ObjectFile(
            status, partial(self._slice, key, status), lambda number: self.slices.in_memory(f"{version}-{number}")
        )

    def open_folder(self, path: bytes) -> StoreFolder:
        """Open the directory at a path. Raises NotADirectoryError."""
        key = _key(path)
        if key is None:
            raise NotADirectoryError
        if self._listings.get(key) is None:
            self._need([self._fetch_listing(key)])
        listing = self._listings.known(key)
        if listing is None or not (listing.folders or listing.files or not key):
            raise NotADirectoryError
        return StoreFolder(listing)

    def read_file(self, path: bytes, max_bytes: int) -> bytes | None:
        """The content of an object; None if it has more than `max_bytes` or there is none. Raises OSError."""
        found = self.look_up(path)
        return self.read(found) if isinstance(found, StoredFile) and found.size <= max_bytes else None

    def close(self) -> None:
        """Do nothing: it is not open."""

    def _slice(
        self, key: str, status: ObjectStatus, number: int, on_change: Callable[[], object], ahead: int = 0
    ) -> bytes:
        """A slice of an object. on_change: called if the object is another one by now. Raises Deferred, FetchError.

        ahead: how many of the next ones are fetched, too, if this one has to be.
        """
        version = self._version(key, status)
        data = self.slices.get(f"{version}-{number}")
        if data is None:
            following = range(number + 1, min(number + ahead, (status.size - 1) // SLICE) + 1)
            absent = [each for each in following if self.slices.in_memory(f"{version}-{each}") is None]
            fetch, *others = (self._fetch_slice(key, status, each, on_change) for each in (number, *absent))
            self._need([fetch], others)
            data = self.slices.in_memory(f"{version}-{number}")
        if data is None:
            raise FetchError("the object has changed")
        return data

    def _fetch_slice(self, key: str, status: ObjectStatus, number: int, on_change: Callable[[], object]) -> Fetch:
        def accept(data: bytes | None) -> None:
            if data is not None:
                self.slices.put(f"{self._version(key, status)}-{number}", data)
            else:
                self._objects.forget(key)
                on_change()

        return Fetch(self._client, "get_slice", (key, status, number), accept, lambda: False)

    def _fetch_object(self, key: str, with_content: bool = True) -> Fetch:
        """Fetch what the store has of an object, and its first slice unless it is unchanged."""
        accept, excuse = partial(self._accept, key), partial(self._excuse, self._objects, key)
        if not with_content:
            return Fetch(self._client, "head", (key,), accept, excuse)
        known = self._objects.known(key)
        return Fetch(self._client, "get", (key, known.etag if known else ""), accept, excuse)

    def _accept(self, key: str, found: ObjectStatus | tuple[ObjectStatus, bytes] | str | None) -> None:
        if found == UNCHANGED:
            self._objects.renew(key)
        elif isinstance(found, ObjectStatus):
            self._objects.put(key, found)
        elif isinstance(found, tuple):
            status, data = found
            self.slices.put(f"{self._version(key, status)}-0", data)
            self._objects.put(key, status)
        else:
            self._objects.forget(key)
            self._missing.put(key, True)
            return
        self._missing.forget(key)

    def _fetch_folder(self, key: str) -> Fetch:
        folder = key + "/"

        def accept(exists: bool) -> None:
            present, absent = (self._folders, self._missing) if exists else (self._missing, self._folders)
            present.put(folder, True)
            absent.forget(folder)

        return Fetch(self._client, "holds_any", (key,), accept, partial(self._excuse, self._folders, folder))

    def _excuse(self, table: Table[str, Any], key: str) -> bool:
        """Let what was kept serve for a short time more: that there is something, or that there is nothing."""
        return table.excuse(key) or self._missing.excuse(key)

    def _fetch_listing(self, key: str) -> Fetch:
        excuse = partial(self._listings.excuse, key)
        return Fetch(self._client, "list_folder", (key,), partial(self._listings.put, key), excuse)

    def _need(self, fetches: Sequence[Fetch], ahead: Sequence[Fetch] = ()) -> None:
        """Have these fetched. ahead: as for Deferred. Raises Deferred where that is asked for; otherwise FetchError."""
        if not fetches:
            return
        if is_deferring():
            raise Deferred(fetches, ahead)
        is_known = all(each.excuse() for each in fetches)
        timeout = min(_PATIENCE, self._client.timeout) if is_known else self._client.timeout
        for fetch, result in zip(fetches, self._run(self._client, fetches, timeout), strict=True):
            if not isinstance(result, FetchError):
                fetch.accept(result)
            elif not fetch.excuse():
                raise result

    def _version(self, key: str, status: ObjectStatus) -> str:
        """What differs for another object, or another version of it: 32 hexadecimal digits.

        Buckets may have equal keys, times and sizes, and tags that are equal or missing, and keep slices in one place.
        """
        parts = (self._client.url, key, status.etag, status.size, status.mtime_ns)
        return xxh3_128_hexdigest("\0".join(map(str, parts)).encode())

    def _tag(self, status: ObjectStatus) -> bytes | None:
        """The opaque part of the store's tag, for an object that is too large to be read at once."""
        if self._etag == "mtime":
            return None if is_placeholder(status.mtime_ns // SECOND) else b"%x-%x" % (status.mtime_ns, status.size)
        if self._etag == "content" or not status.etag.startswith('"'):  # it has none, or a weak one
            return None
        tag = status.etag.strip('"').encode()
        return tag if tag.isalnum() or tag.replace(b"-", b"").isalnum() else xxh3_128_hexdigest(tag).encode()


def _key(path: bytes) -> str | None:
    """The key of a path; None for one that no object can have, by the rules of the stores and of obstore."""
    if len(path) > _LONGEST_KEY:
        return None
    try:
        key = path.decode()
    except UnicodeDecodeError:
        return None
    names = key.split("/")
    if key and any(name in ("", ".", "..") for name in names):
        return None
    return None if any(ord(letter) < 32 or ord(letter) == 127 for letter in key) else key


def _weight(listing: Listing) -> int:
    """The entries of a listing; an empty one counts, too."""
    return 1 + len(listing.folders) + len(listing.files)
