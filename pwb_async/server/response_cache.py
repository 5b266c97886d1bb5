"""The cache of prepared responses for small files that are often requested.

It keeps what the disk found for a target, an OpenFile with all its bytes, and the responses that Site.reply() made of
it. As reply() is pure, they are the same bytes as without a cache.

A finding is fresh for --cache-ttl seconds (1 by default). Within that time a hit costs no system call but recv and
send. Before it ends, the entries that have been used recently are revalidated together, in one call in a thread. A file
whose entry is no longer fresh when it is requested is found again like any other; if it is the same version, the entry
and its prepared responses stay. What may have been compressed is revalidated before it is found again. A file that had
been modified just before it was found never counts as the same version: two changes within one tick of the file
system's clock look alike.

A hit, step by step:
  1. RequestParser.cache: a head that was received before is a Request already.
  2. ResponseCache.get: the entry of the request's key, if it is fresh, and the response that was made before.
  3. Connection.respond: status line, Server and Date of this second, and the rest as it was serialized before.
  4. ResponseWriter.write: one write to the kernel, or one writev where the content is not short.

Memory: the bytes of the files, a short content twice, the paths, and about 2 KiB for each entry; --cache bytes at most
(cache_store.py). How freshness is checked, and what was rejected: docs/decisions.md.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from sys import getsizeof
from typing import Final

from pwb_async.core.http1.serializer import preserialize
from pwb_async.core.semantics.messages import NO_DEVICE, Request, Response
from pwb_async.core.site.findings import Finding, OpenFile, same_version
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.responder import Responder

from .async_storage import AsyncStorage
from .cache_store import OVERHEAD, CacheStore, Entry, ResponseKey

_MAX_RESPONSES: Final = 16
"""Responses kept for an entry beside the plain one, as ranges and preconditions differ from client to client."""
_RECENT: Final = 5.0
"""Seconds after its last use in which an entry is revalidated in advance, so that a file which is requested every
second or two is fresh each time."""
_REFRESH_BATCH: Final = 64
"""Files that are revalidated in advance by one call. The loop hardly runs in the 0.3 ms that this takes a thread."""


class ResponseCache:
    """The cache between an event loop's connections and its storage."""

    def __init__(
        self,
        site: Responder,
        storage: AsyncStorage,
        max_bytes: int,
        ttl: float,
        prepare: Callable[[Response], Response] = preserialize,
    ) -> None:
        """ttl: how many seconds a finding is fresh. prepare: what gives a response the form in which it is sent."""
        self._serialize = prepare
        self._site = site
        self._storage = storage
        self._ttl = ttl
        self._store = CacheStore(max_bytes)
        self._entries = self._store.entries
        self._finding: dict[bytes, asyncio.Future[Finding]] = {}
        self._clock = asyncio.get_running_loop().time
        self.misses = 0
        """Requests for what could be cached, whose response was not there."""

    @property
    def store(self) -> CacheStore:
        """The entries, for measuring them."""
        return self._store

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
        return self._serialize(self._site.reply(entry.lookup.cached_for(request), entry.finding))

    def _keep(self, entry: Entry, key: ResponseKey, response: Response) -> Response:
        """Add a response to its entry, unless it is large or the entry has enough of them; return it."""
        size = getsizeof(key[1]) + getsizeof(response.serialized) + sum(map(getsizeof, response.parts))
        if len(entry.responses) < _MAX_RESPONSES and size <= OVERHEAD:
            entry.responses[key] = response
            self._store.grow(entry, OVERHEAD)
        return response

    def find(self, lookup: Lookup) -> asyncio.Future[Finding]:
        """Find what the disk has, and cache a file. Simultaneous requests for one target share one call."""
        if not lookup.cacheable:
            return self._storage.find(lookup)
        self.misses += 1
        key = lookup.shared_key or lookup.request.cache_key
        finding = self._finding.get(key)
        if finding is None:
            now, entry = self._clock(), self._entries.get(key)
            if entry is not None and lookup.shared_key and entry.fresh_until >= now:
                return self._share(entry, lookup)
            # What may have been compressed is not read again if it is unchanged.
            known = entry.finding if entry is not None and lookup.compress else None
            finding = self._finding[key] = self._storage.find(lookup, shared=True, known=known)
            finding.add_done_callback(partial(self._update, key, lookup, now))
        return finding

    def _share(self, entry: Entry, lookup: Lookup) -> asyncio.Future[Finding]:
        """The finding of a fresh entry, which from now on has the key of this lookup's request as well."""
        self._store.add_alias(lookup.request.cache_key, entry)
        finding: asyncio.Future[Finding] = asyncio.get_running_loop().create_future()
        finding.set_result(entry.finding)
        return finding

    def _update(self, key: bytes, lookup: Lookup, now: float, found: asyncio.Future[Finding]) -> None:
        """Make the entry of a key agree with what was found for a request at `now`."""
        del self._finding[key]
        finding = None if found.exception() else found.result()
        entry, fresh_until = self._entries.get(key), now + self._ttl
        if entry is not None and isinstance(finding, OpenFile) and same_version(entry.finding, finding):
            entry.fresh_until = fresh_until
            if entry.last_used < now - _RECENT:
                entry.first_used = now
            entry.last_used = now
        else:
            self._store.remove(key)
            entry = None
            if isinstance(finding, OpenFile) and _may_be_kept(finding):
                entry = Entry(key, lookup, finding, now, fresh_until)
                self._store.add(entry)
        if entry is not None and lookup.shared_key:
            self._store.add_alias(lookup.request.cache_key, entry)

    def clear(self) -> None:
        """Forget everything, and close the files."""
        self._store.clear()

    async def refresh(self, horizon: float) -> None:
        """Revalidate the entries in use that would cease to be fresh within `horizon` seconds."""
        now = self._clock()
        for key in {entry.key for entry in self._entries.values() if entry.fresh_until < now and entry.finding.file}:
            self._store.remove(key)  # if the file has been deleted, the open descriptor keeps its space on the disk
        due = {
            entry.key: entry
            for entry in self._entries.values()
            if entry.fresh_until < now + horizon
            and entry.first_used < entry.last_used > min(entry.fresh_until - self._ttl, now - _RECENT)
        }
        keys = sorted(due)  # since a call opens each directory of its files once
        for start in range(0, len(keys), _REFRESH_BATCH):
            await self._revalidate({key: due[key] for key in keys[start : start + _REFRESH_BATCH]})

    async def _revalidate(self, entries: dict[bytes, Entry]) -> None:
        """Ask the storage whether files are unchanged; remove the entries of those that are not."""
        now = self._clock()
        try:
            unchanged = await self._storage.revalidate([(entry.lookup, entry.finding) for entry in entries.values()])
        except TimeoutError:  # none of them is revalidated again: one hangs, but which one it is cannot be told
            unchanged = [False] * len(entries)
        for (key, entry), is_unchanged in zip(entries.items(), unchanged, strict=True):
            if self._entries.get(key) is entry:
                if is_unchanged:
                    entry.fresh_until = now + self._ttl
                else:
                    self._store.remove(key)


def _may_be_kept(finding: OpenFile) -> bool:
    """Whether a finding stays what it is: a large file without a descriptor may fail, as an object that is replaced."""
    return not finding.generated and (finding.file is None or finding.file.device != NO_DEVICE)
