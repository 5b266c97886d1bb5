"""What it takes to answer requests on an event loop, whatever they arrive by: configuration, cache, storage, threads.

ServerState adds what connections need. An ASGI application has none, so it needs this module alone.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from pwb_async.config.places import has_stores
from pwb_async.core.http1.serializer import preserialize
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.access import Check
from pwb_async.core.site.findings import Finding
from pwb_async.core.site.lookup import Lookup
from pwb_async.observability.exchange import Observer
from pwb_async.observability.storage_log import StorageLog
from pwb_async.runtime.context import ServerContext
from pwb_async.runtime.hooks import AccessCheck
from pwb_async.runtime.processors import processors

from .async_storage import AsyncStorage
from .disk_threads import DiskThreads
from .response_cache import ResponseCache

T = TypeVar("T")
_MAX_CHECKS: Final = 256
"""Checks of access at a time, in threads and waiting for one."""
_JOIN_INTERVAL: Final = 0.001
"""Seconds between two looks at whether threads have ended."""
_MAX_JOINS: Final = 200
"""Looks after which a thread is left behind, since it hangs on a dead disk."""


class SiteState:
    """The state that all requests share."""

    __slots__ = (
        "_check_threads",
        "_prepare",
        "access_check",
        "cache",
        "clock",
        "context",
        "find",
        "loop",
        "observers",
        "storage",
        "storage_log",
        "tasks",
    )

    access_check: AccessCheck | None
    """Finds the client of a request, which the guard may refuse before the cache is asked; None if the client is always
    the connection's peer, and nothing is refused."""
    cache: ResponseCache | None
    """None if --cache is off."""
    clock: Callable[[], float]
    """The loop's clock, in seconds."""
    context: ServerContext
    """The configuration for new requests. A connection keeps what it was made with: the Server field, the timeouts of
    its deadline, and its parser with the limits on a request, unless responses now depend on other fields or on the
    query."""
    find: Callable[[Lookup], asyncio.Future[Finding]]
    """ResponseCache.find, or AsyncStorage.find if there is no cache."""
    loop: asyncio.AbstractEventLoop
    """The event loop that runs the server."""
    observers: tuple[Observer, ...]
    """The functions that are called with each exchange: that of the access log, if there is one, and the context's."""
    storage: AsyncStorage
    """The files, read in threads."""
    storage_log: StorageLog
    """Logs why files cannot be served."""
    tasks: set[asyncio.Task[Any]]
    """The tasks that end with the server at the latest."""

    def __init__(self, context: ServerContext, prepare: Callable[[Response], Response] = preserialize) -> None:
        """prepare: as for ResponseCache. Raises RuntimeError if no thread can be started."""
        self.loop = asyncio.get_running_loop()
        self.clock = self.loop.time
        options = context.options
        self.storage = AsyncStorage(context.storage, options.disk_timeout, defers=has_stores(options))
        self.storage_log = StorageLog()
        self._check_threads: DiskThreads | None = None
        self._prepare = prepare
        self.tasks = set()
        self._configure(context)

    def reconfigure(self, context: ServerContext) -> None:
        """Use another configuration, for new requests."""
        options = context.options
        self.storage.reconfigure(context.storage, options.disk_timeout, defers=has_stores(options))
        self._configure(context)

    def _configure(self, context: ServerContext) -> None:
        options = context.options
        self.context = context
        self.cache = None
        if options.cache:
            self.cache = ResponseCache(context.site, self.storage, options.cache, options.cache_ttl, self._prepare)
        self.find = self.cache.find if self.cache else self.storage.find
        self.access_check = context.access_check
        self.observers = context.all_observers

    def current(self, request: Request, cache: ResponseCache | None) -> Request:
        """A request that was received while `cache` was the server's, with its key only if that is so still.

        A reload makes another cache, whose keys may be made of other fields: the same key may be that of another site.
        """
        return request if cache is self.cache else request.without_key()

    def run_check(self, request: Request, check: Check) -> asyncio.Future[Response | None]:
        """Check the access of a request in a thread; 503 if too many checks wait, or if no thread can be started.

        These threads are as many as processors, since a check computes; so it delays neither the loop nor the disk's.
        """
        site = self.context.site
        try:
            if self._check_threads is None:
                self._check_threads = DiskThreads("pwb-access", processors(), _MAX_CHECKS)
        except RuntimeError:
            refused = self.loop.create_future()
            refused.set_result(site.unavailable(request))
            return refused
        return self._check_threads.call(check.run, lambda reason: site.unavailable(request))

    @property
    def threads(self) -> list[threading.Thread]:
        """All threads that were started for calls that block."""
        return [*self.storage.threads, *(() if self._check_threads is None else self._check_threads.threads)]

    def start_task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that ends with the server at the latest."""
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def close(self) -> None:
        """End the threads, cancel the tasks, and close the files that are cached."""
        self.storage.close()
        if self._check_threads is not None:
            self._check_threads.close()
        for task in self.tasks:
            task.cancel()
        if self.cache is not None:
            self.cache.clear()

    async def wait_until_closed(self, *others: threading.Thread) -> None:
        """Wait after close() until tasks and threads have ended. others: further threads to wait for.

        It does not wait long for a thread, since one may hang on a dead disk.
        """
        while tasks := [*self.tasks]:  # a call that has failed now may lead to another one
            await asyncio.gather(*tasks, return_exceptions=True)
            # Since CPython 3.12 gather() of tasks that are done lets no callback run, also not that of start_task().
            self.tasks.difference_update(tasks)
        for _ in range(_MAX_JOINS):
            if not any(thread.is_alive() for thread in (*others, *self.threads)):
                return
            await asyncio.sleep(_JOIN_INTERVAL)
