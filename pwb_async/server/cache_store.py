"""The entries of the response cache, and which of them stay when it is full (S3-FIFO).

A new entry waits in the small queue, which has a tenth of the space. When it is at the front and space is needed, it
moves to the main queue if it has been used since, and is removed otherwise. So a crawler that reads every file once
does not drive out the files that are in demand. The key of an entry that was removed is remembered for a while, as its
hash, in the ghost queue; an entry that is added again under such a key is put in the main queue at once. In the main
queue, an entry at the front that has been used since its last turn is put at the end again. A use only sets a time and
moves nothing.
"""

from collections import OrderedDict
from sys import getsizeof
from typing import Final, TypeAlias

from pwb_async.core.http1.serializer import SHORT
from pwb_async.core.semantics.messages import Response
from pwb_async.core.site.findings import OpenFile
from pwb_async.core.site.lookup import NO_REQUEST, Lookup
from pwb_async.core.site.redirect_rules import Redirect

OVERHEAD: Final = 2048
"""Bytes of memory that an entry takes beside the content of its file, its key and the paths of its lookup."""
_DESCRIPTOR: Final = 256 * 1024
"""Bytes that an open file counts for, so that the default of 64 MiB allows at most 256 descriptors."""
_SMALL_SHARE: Final = 10
"""The small queue has one part in so many of the space, and no entry may be larger than that."""
_GHOSTS: Final = 1000
"""Hashes in the ghost queue, beyond one for each entry."""
_ALIAS: Final = 256
"""Bytes of memory that another key of an entry takes, beside the key itself."""

ResponseKey: TypeAlias = tuple[bytes, bytes]
"""A method, and the preconditions and range of a request (Fields.conditions)."""


class Entry:
    """A cached file, with the responses that were made of it. All times are in seconds on the loop's clock."""

    __slots__ = (
        "aliases",
        "counted_use",
        "finding",
        "first_used",
        "fresh_until",
        "key",
        "last_used",
        "lookup",
        "plain_response",
        "responses",
        "size",
    )

    key: bytes
    """The key under which it was added."""
    aliases: tuple[bytes, ...]
    """The other keys that lead to it: those of requests that accept other codings, for a file that has none."""
    lookup: Lookup
    """What was looked up, without the request of a client."""
    finding: OpenFile
    """What the disk has found: a file, open or with all its bytes."""
    fresh_until: float
    """When the finding has to be revalidated."""
    first_used: float
    """When it was used for the first time after a while."""
    last_used: float
    """When it was used last."""
    counted_use: float
    """The last use that has kept it in a queue; only a later one will keep it there again."""
    size: int
    """Bytes of memory that it counts for."""
    plain_response: Response | None
    """The response to a GET without preconditions or range, once it has been made."""
    responses: dict[ResponseKey, Response]
    """The responses to other requests."""

    def __init__(self, key: bytes, lookup: Lookup, finding: OpenFile, now: float, fresh_until: float) -> None:
        self.key = key
        self.aliases = ()
        self.lookup = lookup.cached_for(NO_REQUEST)
        self.finding = finding
        self.fresh_until = fresh_until
        self.first_used = self.last_used = self.counted_use = now
        content = _DESCRIPTOR if finding.content is None else _memory(finding.content)
        self.size = OVERHEAD + content + len(key) + _memory_of_paths(lookup)
        self.plain_response = None
        self.responses = {}


def _memory(content: bytes) -> int:
    """Bytes that a file's content takes; preserialize() copies a short one behind the head."""
    return len(content) * (2 if len(content) <= SHORT else 1)


def _memory_of_paths(lookup: Lookup) -> int:
    """Bytes that the paths of a lookup take, which may be a hundred times longer than that of the file."""
    rule = lookup.rule
    segments = () if rule is None else (rule.location,) if isinstance(rule, Redirect) else rule.segments
    paths = [lookup.path, lookup.shared_key, *(each.path for each in lookup.candidates)]
    return sum(map(getsizeof, (*paths, *segments, *(lookup.error_directory or ()))))


class CacheStore:
    """The entries of a cache of `max_bytes`."""

    entries: dict[bytes, Entry]
    """All entries by each of their keys; only the methods change it."""
    used: int
    """Bytes that all entries count for."""
    used_small: int
    """Bytes that those in the small queue count for."""
    evicted: int
    """Entries that were removed for want of space."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.entries = {}
        self.used = self.used_small = self.evicted = 0
        # A dict would search for its first item among those that were removed before: 1.7 us more for each new entry.
        self._small: OrderedDict[bytes, Entry] = OrderedDict()
        self._main: OrderedDict[bytes, Entry] = OrderedDict()
        self._ghosts: OrderedDict[int, None] = OrderedDict()

    def add(self, entry: Entry) -> None:
        """Add an entry under a key that has none; one that is too large is left out."""
        if entry.size > self._max_bytes // _SMALL_SHARE:
            return
        key = entry.key
        self.entries[key] = entry
        self.used += entry.size
        if hash(key) in self._ghosts:
            del self._ghosts[hash(key)]
            self._main[key] = entry
        else:
            self._small[key] = entry
            self.used_small += entry.size
        self._make_room()

    def add_alias(self, key: bytes, entry: Entry) -> None:
        """Let one more key lead to an entry, as long as that stays."""
        if self.entries.get(entry.key) is entry and key not in self.entries:
            self.entries[key] = entry
            entry.aliases += (key,)
            self.grow(entry, _ALIAS + len(key))

    def grow(self, entry: Entry, size: int) -> None:
        """Count `size` more bytes for an entry."""
        entry.size += size
        self.used += size
        if entry.key in self._small:
            self.used_small += size
        self._make_room()

    def remove(self, key: bytes) -> None:
        """Remove the entry that was added under this key, if there is one."""
        entry = self.entries.get(key)
        if entry is not None:
            self._forget(entry)
            if self._small.pop(key, None) is not None:
                self.used_small -= entry.size
            else:
                del self._main[key]

    def clear(self) -> None:
        """Remove all entries, whose files are closed with them."""
        for entries in (self.entries, self._small, self._main):
            entries.clear()
        self.used = self.used_small = 0

    def __len__(self) -> int:
        return len(self._small) + len(self._main)

    @property
    def oldest_use(self) -> float | None:
        """When the entry that would be removed next was used last: that at the front of a queue; None for none."""
        fronts = [next(iter(queue.values())) for queue in (self._small, self._main) if queue]
        return min((entry.last_used for entry in fronts), default=None)

    def _make_room(self) -> None:
        while self.used > self._max_bytes:
            if self.used_small > self._max_bytes // _SMALL_SHARE or not self._main:
                self._advance_small()
            else:
                self._advance_main()

    def _advance_small(self) -> None:
        """Move the first entry of the small queue to the main queue, or remove it."""
        key, entry = self._small.popitem(last=False)
        self.used_small -= entry.size
        if not self._keep(entry):
            self._ghosts[hash(key)] = None
            if len(self._ghosts) > len(self.entries) + _GHOSTS:
                self._ghosts.popitem(last=False)

    def _advance_main(self) -> None:
        """Move the first entry of the main queue to its end, or remove it."""
        self._keep(self._main.popitem(last=False)[1])

    def _keep(self, entry: Entry) -> bool:
        """Put an entry that has been used at the end of the main queue; remove any other, and return False."""
        if entry.last_used > entry.counted_use:
            entry.counted_use = entry.last_used
            self._main[entry.key] = entry
            return True
        self._forget(entry)
        self.evicted += 1
        return False

    def _forget(self, entry: Entry) -> None:
        for key in (entry.key, *entry.aliases):
            del self.entries[key]
        self.used -= entry.size


def max_open_files(max_bytes: int) -> int:
    """How many files a cache of `max_bytes` keeps open at most."""
    return max_bytes // _DESCRIPTOR
