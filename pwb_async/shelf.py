"""The cache of prepared answers for small files that are asked for often.

What it keeps: by target, what the disk found (an OpenFile with all its bytes) and the answers made of it. Answers are
made by the same Site.reply as without a cache, so they are the same bytes; they are kept because reply is pure.
What it trusts: a finding, for --cache-ttl seconds from the moment of looking (1 s by default). Within that time a hit
costs no system call beside recv and send. Before it is over, entries that were hit are looked at again, all of them
in one call off the loop; an entry that nobody asked for meanwhile is looked at when somebody does.
What a hit does, step by step:
  1. HeadReader.at_once: the bytes of a head that has come before are a Request without being read
  2. Shelf.answer: one look into a dict by the target's key, is the finding trusted, has such an answer been made
  3. Connection.respond: the second's prefix (status line, Server, Date) in front of what was written when it was made
  4. Writer.write: to the kernel, in one writev where the content is not short
What it costs: the bytes of the files and about 2 KiB an entry; at most --cache bytes in all.

Who stays: a new entry waits in a short queue; only one that is asked for again while it is there moves on to the
main queue. So a crawler that reads every file once passes through the short queue and leaves the hot files alone
(the scheme is known as S3-FIFO). A hit notes the time and moves nothing.

To look again, a folder is opened beneath the root and its files are asked by name, one system call each: 4.5 us a file,
and the loop, from which the thread wins the interpreter's lock, loses 5 (twenty in a folder, CPython 3.11 of Debian).
Tried and rejected: to open each file, which takes 11 us, and the loop 7 to 12; and stat() on the whole way, which goes
on serving a file when a folder on that way has become a link that leads out of the root. Not tried: trust for ever
with inotify; a link or a folder anywhere on the way to a file may change, so every step of every way would need a
watch, and network disks tell nothing.
"""

import asyncio
import time
from dataclasses import replace
from typing import Final

from .core.fields import Fields
from .core.head import prepare
from .core.lookup import Finding, Lookup, OpenFile, same_version
from .core.messages import Request, Response
from .core.site import Site
from .files import Files

_OVERHEAD: Final = 2048
"""Bytes of memory for an entry beside the file's."""
_DESCRIPTOR: Final = 256 * 1024
"""What an open file counts for, so that the default of 64 MiB means at most 256 descriptors."""
_SHORT: Final = 10
"""The short queue has one part in this many of the space."""
_ANSWERS: Final = 16
"""Answers kept of one entry beside the plain one: ranges and conditions differ from client to client."""
_REMEMBERED: Final = 1000
"""Names kept, beyond one for each entry, of those who left the short queue; who comes again goes to the main one."""


class Entry:
    """One file on the shelf.

    plain: the answer to a GET without conditions, answers: those to other requests.

    trusted: until when, asked: when last, turn: when its queue last had a look at it, on the loop's clock.
    """

    __slots__ = ("answers", "asked", "finding", "lookup", "plain", "size", "trusted", "turn")

    def __init__(self, lookup: Lookup, finding: OpenFile, now: float, trusted: float) -> None:
        self.lookup = lookup
        self.finding = finding
        self.trusted = trusted
        self.asked = self.turn = now
        self.size = _OVERHEAD + (len(finding.content) if finding.content is not None else _DESCRIPTOR)
        self.plain: Response | None = None
        self.answers: dict[tuple[bytes, Fields | None], Response] = {}


class Shelf:
    """most: bytes in all. ttl: seconds for which a finding is trusted."""

    def __init__(self, site: Site, files: Files, most: int, ttl: float) -> None:
        self._site = site
        self._files = files
        self._most = most
        self._ttl = ttl
        self._entries: dict[bytes, Entry] = {}
        self._short: dict[bytes, Entry] = {}
        self._main: dict[bytes, Entry] = {}
        self._gone: dict[bytes, None] = {}
        self._used = self._used_short = 0
        self._looks: dict[bytes, asyncio.Future[Finding]] = {}
        self._clock = asyncio.get_running_loop().time

    def answer(self, request: Request, now: float) -> Response | None:
        """The answer to a GET or HEAD of a file that is here and trusted. now: the loop's clock."""
        entry = self._entries.get(request.line.target.key)
        if entry is None or entry.trusted < now:
            return None
        entry.asked = now
        if request.plain:
            if entry.plain is None:
                entry.plain = self._prepare(entry, request)
            return entry.plain
        fields, method = request.fields, request.line.method
        if method not in (b"GET", b"HEAD") or fields.unknown_expectation:
            return None
        # Equal field sections are one object, thanks to the head's cache; where they are not, it is only a miss.
        key = (method, None if fields.plain else fields)
        return entry.answers.get(key) or self._remember(entry, key, self._prepare(entry, request))

    def _prepare(self, entry: Entry, request: Request) -> Response:
        return prepare(self._site.reply(replace(entry.lookup, request=request), entry.finding))

    def _remember(self, entry: Entry, key: tuple[bytes, Fields | None], response: Response) -> Response:
        if len(entry.answers) < _ANSWERS and len(response.tail) + len(response.parts) <= _OVERHEAD:
            entry.answers[key] = response
            self._grow(entry, _OVERHEAD)
        return response

    async def find(self, lookup: Lookup) -> Finding:
        """What the disk finds; a file is put on the shelf. All who ask for it meanwhile share one look."""
        key = lookup.request.line.target.key
        look = self._looks.get(key)
        if look is not None:
            return await asyncio.shield(look)
        return await (self._look(key, lookup) if lookup.read else self._files.find(lookup))

    async def _look(self, key: bytes, lookup: Lookup) -> Finding:
        look = self._looks[key] = asyncio.get_running_loop().create_future()
        now = self._clock()
        try:
            finding = await self._files.find(lookup)
        except Exception as error:
            look.set_exception(error)
            look.exception()
            raise
        finally:
            del self._looks[key]
        if isinstance(finding, OpenFile):
            finding = replace(finding, shared=True)
        look.set_result(finding)
        entry = self._entries.get(key)
        if entry is not None and isinstance(finding, OpenFile) and same_version(entry.finding, finding):
            self._renew(entry, finding.seen_ns, now)
        else:
            self._drop(key)
            if isinstance(finding, OpenFile):
                self._put(key, Entry(lookup, finding, now, now + self._ttl))
        return finding

    async def refresh(self, horizon: float) -> None:
        """Looks again at what was asked for since the last look and loses its trust within `horizon` seconds."""
        now = self._clock()
        old = now + horizon - self._ttl
        for key in [key for key, entry in self._entries.items() if entry.trusted < now and entry.finding.file]:
            self._drop(key)  # an open file that was deleted would keep its space on the disk
        due = [(key, entry) for key, entry in self._entries.items() if old > entry.trusted - self._ttl < entry.asked]
        if not due:
            return
        seen_ns = time.time_ns()
        same = await self._files.look_again([(entry.lookup, entry.finding) for _, entry in due])
        for (key, entry), is_same in zip(due, same, strict=True):
            if self._entries.get(key) is entry:
                if is_same:
                    self._renew(entry, seen_ns, now)
                else:
                    self._drop(key)

    def _renew(self, entry: Entry, seen_ns: int, now: float) -> None:
        entry.trusted = now + self._ttl
        if entry.finding.settling:
            entry.finding = replace(entry.finding, seen_ns=seen_ns)
            entry.plain = None
            entry.answers.clear()

    def _put(self, key: bytes, entry: Entry) -> None:
        if entry.size > self._most // _SHORT:
            return
        self._entries[key] = entry
        if key in self._gone:
            del self._gone[key]
            self._main[key] = entry
            self._used += entry.size
        else:
            self._short[key] = entry
            self._used += entry.size
            self._used_short += entry.size
        while self._used > self._most:
            self._evict()

    def _grow(self, entry: Entry, size: int) -> None:
        entry.size += size
        self._used += size
        if entry.lookup.request.line.target.key in self._short:
            self._used_short += size
        while self._used > self._most:
            self._evict()

    def _drop(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._used -= entry.size
            if self._short.pop(key, None) is not None:
                self._used_short -= entry.size
            else:
                del self._main[key]

    def _evict(self) -> None:
        """Gives one entry its turn: it goes, or it stays because it was asked for since the last one."""
        short = self._used_short > self._most // _SHORT or not self._main
        queue = self._short if short else self._main
        key, entry = next(iter(queue.items()))
        del queue[key]
        if short:
            self._used_short -= entry.size
        if entry.asked > entry.turn:
            entry.turn = entry.asked
            self._main[key] = entry
            return
        del self._entries[key]
        self._used -= entry.size
        if short:
            self._gone[key] = None
            if len(self._gone) > len(self._entries) + _REMEMBERED:
                del self._gone[next(iter(self._gone))]


def most_files(space: int) -> int:
    """Files that a shelf of so many bytes keeps open at most."""
    return space // _DESCRIPTOR
