"""The cache of prepared answers for small files that are asked for often.

What it keeps: by target, what the disk found (an OpenFile with all its bytes) and the answers made of it. Answers are
made by the same Site.reply as without a cache, so they are the same bytes; they are kept because reply is pure.
What it trusts: a finding, for --cache-ttl seconds from the moment of looking (1 s by default). Within that time a hit
costs no system call beside recv and send. Before it is over, entries that were hit lately are looked at again, all of
them in one call off the loop; one that nobody has asked for is looked at when somebody does, together with all others
of that moment, and is not read again. Only what had not settled when it was found is: a file that changes twice
between two ticks of the clock looks the same.
What a hit does, step by step:
  1. RequestParser.cache: the bytes of a head that has come before are a Request without being read
  2. ResponseCache.answer: one look into a dict by the target's key, is it still fresh, has such a response been made
  3. Connection.respond: the second's prefix (status line, Server, Date) in front of what was written when it was made
  4. Writer.write: to the kernel, in one writev where the content is not short
What it costs: the bytes of the files, those of a short one once more behind its head, and about 2 KiB an entry; at most
--cache bytes in all.

Who stays: a new entry waits in a short queue; only one that is asked for again while it is there moves on to the
main queue. So a crawler that reads every file once passes through the short queue and leaves the hot files alone
(the scheme is known as S3-FIFO). A hit notes the time and moves nothing.

To look again, a folder is opened beneath the root and its files are asked by name, one system call each: 2.2 us a
file, 3.0 with what the loop loses while the thread has the interpreter's lock (ten in a folder, CPython 3.11 of
Debian). Tried and rejected: to open each file, which takes 8.3 us; and stat() on the whole way, which goes on serving
a file when a folder on that way has become a link that leads out of the root. Not tried: trust for ever with inotify;
a link or a folder anywhere on the way to a file may change, so every step of every way would need a watch, and network
disks tell nothing.
"""

import asyncio
from dataclasses import replace
from sys import getsizeof
from typing import Final, TypeAlias

from pwb_async.core.http1.serializer import SHORT, preserialize
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.messages import Request, RequestLine, Response
from pwb_async.core.semantics.target import Target
from pwb_async.core.site.lookup import Finding, Lookup, OpenFile, same_version
from pwb_async.core.site.site import Site

from .async_storage import AsyncStorage

_OVERHEAD: Final = 2048
"""Bytes of memory for an entry beside the file's."""
_DESCRIPTOR: Final = 256 * 1024
"""What an open file counts for, so that the default of 64 MiB means at most 256 descriptors."""
_SHORT: Final = 10
"""The short queue has one part in this many of the space."""
_ANSWERS: Final = 16
"""Answers kept of one entry beside the plain one: ranges and conditions differ from client to client."""
_LATELY: Final = 5.0
"""Seconds after it was last asked for in which a file is looked at again of itself. What is asked for once in a second
or two would else be found untrusted each time."""
_SOON: Final = 0.5
"""Seconds in which a look is waited for: one dead folder must not hold those who ask for other files (hazard E6)."""
_REMEMBERED: Final = 1000
"""Names kept, beyond one for each entry, of those who left the short queue; who comes again goes to the main one."""

VariantKey: TypeAlias = tuple[bytes, bytes]
"""A method, and the conditions that come with it."""
_NOBODY: Final = Request(RequestLine(b"", b"GET", Target(), 1), Fields({}, 0), persistent=False)
"""Stands for whoever asked first: what a client says of itself may be 32 KiB, and is nobody else's."""


class Entry:
    """One file on the shelf.

    key: its target's. plain: the answer to a GET without conditions, answers: those to other requests.

    On the loop's clock: trusted: until when, came: when it was asked for first after a while, asked: when last, turn:
    when its queue last had a look at it.
    """

    __slots__ = (
        "answers",
        "finding",
        "first_used",
        "fresh_until",
        "key",
        "last_used",
        "lookup",
        "plain",
        "size",
        "turn",
    )

    def __init__(self, key: bytes, lookup: Lookup, finding: OpenFile, now: float, fresh_until: float) -> None:
        self.key = key
        self.lookup = replace(lookup, request=_NOBODY)
        self.finding = finding
        self.fresh_until = fresh_until
        self.first_used = self.last_used = self.turn = now
        self.size = _OVERHEAD + (_DESCRIPTOR if finding.content is None else _memory(finding.content))
        self.plain: Response | None = None
        self.answers: dict[VariantKey, Response] = {}


def _memory(content: bytes) -> int:
    """Bytes that a file's content takes; preserialize() copies a short one behind the head."""
    return len(content) * (2 if len(content) <= SHORT else 1)


class Round:
    """Entries that are no longer trusted, and that somebody waits for. same: those that were found so. over: they have
    been looked at, or it takes too long."""

    def __init__(self) -> None:
        self.entries: dict[bytes, Entry] = {}
        self.same: set[bytes] = set()
        self.over = asyncio.Event()


class ResponseCache:
    """most: bytes in all. ttl: seconds for which a finding is trusted."""

    def __init__(self, site: Site, files: AsyncStorage, most: int, ttl: float) -> None:
        self._site = site
        self._files = files
        self._most = most
        self._ttl = ttl
        self._entries: dict[bytes, Entry] = {}
        self._small: dict[bytes, Entry] = {}
        self._main: dict[bytes, Entry] = {}
        self._ghost: dict[bytes, None] = {}
        self._used = self._used_small = 0
        self._looks: dict[bytes, asyncio.Future[Finding]] = {}
        self._round: Round | None = None
        self._going_round: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._clock = self._loop.time

    def answer(self, request: Request, now: float) -> Response | None:
        """The answer to a GET or HEAD of a file that is here and trusted. now: the loop's clock."""
        entry = self._entries.get(request.cache_key)
        if entry is None or entry.fresh_until < now:
            return None
        entry.last_used = now
        if request.plain:
            if entry.plain is None:
                entry.plain = self._prepare(entry, request)
            return entry.plain
        fields, method = request.fields, request.line.method
        if method not in (b"GET", b"HEAD") or fields.unknown_expectation:
            return None
        kind = (method, fields.conditions)
        return entry.answers.get(kind) or self._store(entry, kind, self._prepare(entry, request))

    def _prepare(self, entry: Entry, request: Request) -> Response:
        return preserialize(self._site.reply(replace(entry.lookup, request=request), entry.finding))

    def _store(self, entry: Entry, kind: VariantKey, response: Response) -> Response:
        memory = getsizeof(kind[1]) + getsizeof(response.serialized) + sum(map(getsizeof, response.parts))
        if len(entry.answers) < _ANSWERS and memory <= _OVERHEAD:
            entry.answers[kind] = response
            self._grow(entry, _OVERHEAD)
        return response

    async def find(self, lookup: Lookup) -> Finding:
        """What the disk finds; a file is put on the shelf. All who ask for it meanwhile share one look."""
        key = lookup.request.cache_key
        entry = self._entries.get(key)
        if entry is not None and await self._is_same(key, entry):
            return entry.finding
        look = self._looks.get(key)
        if look is not None:
            return await asyncio.shield(look)
        return await self._look(key, lookup)

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
            finding = finding._replace(shared=True)
        look.set_result(finding)
        entry = self._entries.get(key)
        if entry is not None and isinstance(finding, OpenFile) and same_version(entry.finding, finding):
            entry.fresh_until = now + self._ttl
        else:
            self._drop(key)
            if isinstance(finding, OpenFile) and not finding.generated:
                self._put(Entry(key, lookup, finding, now, now + self._ttl))
        return finding

    async def _is_same(self, key: bytes, entry: Entry) -> bool:
        """Whether a finding still holds; all who ask at the same time wait for one look at all that they ask for."""
        now = self._clock()
        if entry.last_used < now - _LATELY:
            entry.first_used = now
        entry.last_used = now
        here = self._round
        if here is None:
            here = self._round = Round()
            self._loop.call_later(_SOON, here.over.set)
        here.entries[key] = entry
        if self._going_round is None or self._going_round.done():
            self._going_round = self._loop.create_task(self._go_round())
        await here.over.wait()
        return key in here.same

    async def _go_round(self) -> None:
        while self._round is not None:
            here, self._round = self._round, None
            here.same = await self._look_again(here.entries)
            here.over.set()

    async def refresh(self, horizon: float) -> None:
        """Looks again at what is asked for and loses its trust within `horizon` seconds."""
        now = self._clock()
        for key in [key for key, entry in self._entries.items() if entry.fresh_until < now and entry.finding.file]:
            self._drop(key)  # an open file that was deleted would keep its space on the disk
        soon, lately = now + horizon, now - _LATELY
        due = {
            key: entry
            for key, entry in self._entries.items()
            if entry.fresh_until < soon
            and entry.first_used < entry.last_used > min(entry.fresh_until - self._ttl, lately)
        }
        if due:
            await self._look_again(due)

    async def _look_again(self, entries: dict[bytes, Entry]) -> set[bytes]:
        """Which of them are the same; the others leave the shelf."""
        now = self._clock()
        answers = await self._files.revalidate([(entry.lookup, entry.finding) for entry in entries.values()])
        same = {key for key, is_same in zip(entries, answers, strict=True) if is_same}
        for key, entry in entries.items():
            if self._entries.get(key) is entry:
                if key in same:
                    entry.fresh_until = now + self._ttl
                else:
                    self._drop(key)
        return same

    def _put(self, entry: Entry) -> None:
        if entry.size > self._most // _SHORT:
            return
        key = entry.key
        self._entries[key] = entry
        if key in self._ghost:
            del self._ghost[key]
            self._main[key] = entry
            self._used += entry.size
        else:
            self._small[key] = entry
            self._used += entry.size
            self._used_small += entry.size
        while self._used > self._most:
            self._evict()

    def _grow(self, entry: Entry, size: int) -> None:
        entry.size += size
        self._used += size
        if entry.key in self._small:
            self._used_small += size
        while self._used > self._most:
            self._evict()

    def _drop(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._used -= entry.size
            if self._small.pop(key, None) is not None:
                self._used_small -= entry.size
            else:
                del self._main[key]

    def _evict(self) -> None:
        """Gives one entry its turn: it goes, or it stays because it was asked for since the last one."""
        short = self._used_small > self._most // _SHORT or not self._main
        queue = self._small if short else self._main
        key, entry = next(iter(queue.items()))
        del queue[key]
        if short:
            self._used_small -= entry.size
        if entry.last_used > entry.turn:
            entry.turn = entry.last_used
            self._main[key] = entry
            return
        del self._entries[key]
        self._used -= entry.size
        if short:
            self._ghost[key] = None
            if len(self._ghost) > len(self._entries) + _REMEMBERED:
                del self._ghost[next(iter(self._ghost))]


def max_open_files(space: int) -> int:
    """Files that a shelf of so many bytes keeps open at most."""
    return space // _DESCRIPTOR
