"""The cache of prepared responses for small files that are often requested.

It keeps what the disk found for a target, an OpenFile with all its bytes, and the responses that Site.reply() made of
it. As reply() is pure, they are the same bytes as without a cache.

A finding is fresh for --cache-ttl seconds (1 by default). Within that time a hit costs no system call but recv and
send. Before it ends, the entries that have been used recently are revalidated together, in one call in a thread. An
entry that is no longer fresh when it is requested is revalidated together with all others that are requested at that
moment, and its file is not read again. The exception is a file that had been modified just before it was found: two
changes within one tick of the file system's clock look alike, so its content is read again.

A hit, step by step:
  1. RequestParser.cache: a head that was received before is a Request already.
  2. ResponseCache.get: the entry of the request's key, if it is fresh, and the response that was made before.
  3. Connection.respond: status line, Server and Date of this second, and the rest as it was serialized before.
  4. ResponseWriter.write: one write to the kernel, or one writev where the content is not short.

Memory: the bytes of the files, a short content twice, and about 2 KiB for each entry; --cache bytes at most
(cache_store.py). How freshness is checked, and what was rejected: docs/decisions.md.
"""

import asyncio
from dataclasses import replace
from sys import getsizeof
from typing import Final

from pwb_async.core.http1.serializer import preserialize
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.lookup import Finding, Lookup, OpenFile, same_version
from pwb_async.core.site.site import Site

from .async_storage import AsyncStorage
from .cache_store import OVERHEAD, CacheStore, Entry, ResponseKey

_MAX_RESPONSES: Final = 16
"""Responses kept for an entry beside the plain one, as ranges and preconditions differ from client to client."""
_RECENT: Final = 5.0
"""Seconds after its last use in which an entry is revalidated in advance, so that a file which is requested every
second or two is fresh each time."""
_REFRESH_BATCH: Final = 64
"""Files that are revalidated in advance by one call. The loop hardly runs in the 0.3 ms that this takes a thread."""
_BATCH_TIMEOUT: Final = 0.5
"""Seconds that requests wait for a revalidation: a directory that hangs must not hold up requests for other files."""


class RevalidationBatch:
    """Entries that are not fresh and that requests are waiting for; they are revalidated together."""

    entries: dict[bytes, Entry]
    """The entries by key."""
    unchanged: set[bytes]
    """The keys of those whose file is still the same."""
    done: asyncio.Event
    """Set when they have been revalidated, or when that has taken too long to wait for."""

    def __init__(self) -> None:
        self.entries = {}
        self.unchanged = set()
        self.done = asyncio.Event()


class ResponseCache:
    """The cache between an event loop's connections and its storage."""

    def __init__(self, site: Site, storage: AsyncStorage, max_bytes: int, ttl: float) -> None:
        """ttl: how many seconds a finding is fresh."""
        self._site = site
        self._storage = storage
        self._ttl = ttl
        self._store = CacheStore(max_bytes)
        self._entries = self._store.entries
        self._finding: dict[bytes, asyncio.Future[Finding]] = {}
        self._batch: RevalidationBatch | None = None
        self._revalidating: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._clock = self._loop.time

    def get(self, request: Request, now: float) -> Response | None:
        """Return the response to a GET or HEAD of a file that is cached and fresh. now: the loop's clock."""
        entry = self._entries.get(request.cache_key)
        if entry is None or entry.fresh_until < now:
            return None
        entry.last_used = now
        if request.plain:
            if entry.plain_response is None:
                entry.plain_response = self._prepare(entry, request)
            return entry.plain_response
        fields, method = request.fields, request.method
        if method not in (b"GET", b"HEAD") or fields.unknown_expectation:
            return None
        key = (method, fields.conditions)
        return entry.responses.get(key) or self._keep(entry, key, self._prepare(entry, request))

    def _prepare(self, entry: Entry, request: Request) -> Response:
        return preserialize(self._site.reply(replace(entry.lookup, request=request), entry.finding))

    def _keep(self, entry: Entry, key: ResponseKey, response: Response) -> Response:
        """Add a response to its entry, unless it is large or the entry has enough of them; return it."""
        size = getsizeof(key[1]) + getsizeof(response.serialized) + sum(map(getsizeof, response.parts))
        if len(entry.responses) < _MAX_RESPONSES and size <= OVERHEAD:
            entry.responses[key] = response
            self._store.grow(entry, OVERHEAD)
        return response

    async def find(self, lookup: Lookup) -> Finding:
        """Find what the disk has, and cache a file. Simultaneous requests for one target share one call."""
        if not lookup.cacheable:
            return await self._storage.find(lookup)
        key = lookup.request.cache_key
        entry = self._entries.get(key)
        if entry is not None and await self._is_unchanged(key, entry):
            return entry.finding
        finding = self._finding.get(key)
        if finding is not None:
            return await asyncio.shield(finding)
        return await self._find(key, lookup)

    async def _find(self, key: bytes, lookup: Lookup) -> Finding:
        result = self._finding[key] = self._loop.create_future()
        now = self._clock()
        try:
            finding = await self._storage.find(lookup)
        except Exception as error:
            result.set_exception(error)
            result.exception()  # retrieved here, since it is possible that no other request waits for it
            raise
        finally:
            del self._finding[key]
        if isinstance(finding, OpenFile):
            finding = finding._replace(shared=True)
        result.set_result(finding)
        self._update(key, lookup, finding, now)
        return finding

    def _update(self, key: bytes, lookup: Lookup, finding: Finding, now: float) -> None:
        """Make the entry of a key agree with what was found at `now`."""
        entry, fresh_until = self._entries.get(key), now + self._ttl
        if entry is not None and isinstance(finding, OpenFile) and same_version(entry.finding, finding):
            entry.fresh_until = fresh_until
            return
        self._store.remove(key)
        if isinstance(finding, OpenFile) and not finding.generated:
            self._store.add(Entry(key, lookup, finding, now, fresh_until))

    async def _is_unchanged(self, key: bytes, entry: Entry) -> bool:
        """Revalidate an entry, together with those of all requests that wait at the same time."""
        now = self._clock()
        if entry.last_used < now - _RECENT:
            entry.first_used = now
        entry.last_used = now
        batch = self._batch
        if batch is None:
            batch = self._batch = RevalidationBatch()
            self._loop.call_later(_BATCH_TIMEOUT, batch.done.set)
        batch.entries[key] = entry
        if self._revalidating is None or self._revalidating.done():
            self._revalidating = self._loop.create_task(self._revalidate_batches())
        await batch.done.wait()
        return key in batch.unchanged

    async def _revalidate_batches(self) -> None:
        while self._batch is not None:
            batch, self._batch = self._batch, None
            batch.unchanged = await self._revalidate(batch.entries)
            batch.done.set()

    async def refresh(self, horizon: float) -> None:
        """Revalidate the entries in use that would cease to be fresh within `horizon` seconds."""
        now = self._clock()
        for key in [key for key, entry in self._entries.items() if entry.fresh_until < now and entry.finding.file]:
            self._store.remove(key)  # if the file has been deleted, the open descriptor keeps its space on the disk
        due = {
            key: entry
            for key, entry in self._entries.items()
            if entry.fresh_until < now + horizon
            and entry.first_used < entry.last_used > min(entry.fresh_until - self._ttl, now - _RECENT)
        }
        keys = sorted(due)  # since a call opens each directory of its files once
        for start in range(0, len(keys), _REFRESH_BATCH):
            await self._revalidate({key: due[key] for key in keys[start : start + _REFRESH_BATCH]})

    async def _revalidate(self, entries: dict[bytes, Entry]) -> set[bytes]:
        """Ask the storage whether files are unchanged; return the keys of those that are, and remove the others."""
        now = self._clock()
        results = await self._storage.revalidate([(entry.lookup, entry.finding) for entry in entries.values()])
        unchanged = {key for key, is_unchanged in zip(entries, results, strict=True) if is_unchanged}
        for key, entry in entries.items():
            if self._entries.get(key) is entry:
                if key in unchanged:
                    entry.fresh_until = now + self._ttl
                else:
                    self._store.remove(key)
        return unchanged
