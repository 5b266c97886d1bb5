"""What the connections of one server share.

A protocol needs only this module, not the server that accepts its connection. Server makes a ServerState and replaces
the configuration in it after a reload.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from pwb_async.core.deadlines import Deadline
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.access import Check
from pwb_async.core.site.lookup import Finding, Lookup
from pwb_async.network.admission import AdmissionControl, AdmittedConnection
from pwb_async.observability.exchange import Observer
from pwb_async.observability.storage_log import StorageLog
from pwb_async.runtime.context import ServerContext
from pwb_async.runtime.hooks import AccessCheck
from pwb_async.runtime.processors import processors

from .async_storage import AsyncStorage
from .cache_store import max_open_files
from .disk_threads import DiskThreads
from .response_cache import ResponseCache
from .send_queue import SendQueueWatcher
from .sendfile import SendfileSupport

if TYPE_CHECKING:
    from .live_reload import LiveReload

T = TypeVar("T")
_MAX_CHECKS: Final = 256
"""Checks of access at a time, in threads and waiting for one."""


class ServerConnection(AdmittedConnection, Protocol):
    """What a server needs of a connection, whatever version of HTTP it speaks.

    Five methods end one:

        stop()      close it now if no request is under way, otherwise after the response; a shutdown, or an eviction
        retire()    the same, but an idle one may send one more request for some time; another process takes over
        close()     close it when what has been written is sent; a refused one of which there are too many
        expire()    its deadline has passed: send 408, take the next step of closing it, or abort it
        abort()     close it at once and lose what is buffered; a peer that does not read, or a fault
    """

    deadline: Deadline
    """When expire() is due."""

    @property
    def responding(self) -> bool:
        """Whether a response is under way."""

    @property
    def write_paused(self) -> bool:
        """Whether data waits for the peer to read."""

    def expire(self) -> None:
        """Act on the deadline, which has passed."""

    def use_parser(self, parser: RequestParser) -> None:
        """Parse the next request with another parser."""

    def retire(self, timeout: float) -> None:
        """Close the connection after the next response, or after `timeout` seconds without a request."""

    def abort(self, reset: bool = False) -> None:
        """Close the connection at once; reset: discard what the kernel has not sent, too."""


class ServerState:
    """The state that a server shares with all protocols that it makes."""

    __slots__ = (
        "_check_threads",
        "_live_reload",
        "access_check",
        "admission",
        "cache",
        "clock",
        "closing",
        "context",
        "empty",
        "find",
        "loop",
        "observers",
        "send_queue",
        "sendfiles",
        "stopping",
        "storage",
        "storage_log",
        "tasks",
    )

    access_check: AccessCheck | None
    """Finds the client of a request, which the guard may refuse before the cache is asked; None if the client is always
    the connection's peer, and nothing is refused."""
    admission: AdmissionControl[ServerConnection]
    """The open connections, and whether another one is admitted."""
    cache: ResponseCache | None
    """None if --cache is off."""
    clock: Callable[[], float]
    """The loop's clock, in seconds."""
    closing: bool
    """No more connections are accepted; `empty` will be set when the last one has been closed."""
    context: ServerContext
    """The configuration for new requests. A connection keeps what it was made with: the Server field, the timeouts of
    its deadline, and its parser with the limits on a request, unless responses now depend on other fields or on the
    query."""
    empty: asyncio.Event
    """Set when the server may end: no connection is left, or the grace period is over."""
    find: Callable[[Lookup], asyncio.Future[Finding]]
    """ResponseCache.find, or AsyncStorage.find if there is no cache."""
    loop: asyncio.AbstractEventLoop
    """The event loop that runs the server."""
    observers: tuple[Observer, ...]
    """The functions that are called with each exchange: that of the access log, if there is one, and the context's."""
    send_queue: SendQueueWatcher
    """Calls back when a full socket has sent nearly everything."""
    sendfiles: SendfileSupport
    """The file systems whose files sendfile(2) may send."""
    stopping: bool
    """The server is shutting down: responses under way are finished, no further request is answered."""
    storage: AsyncStorage
    """The files, read in threads."""
    storage_log: StorageLog
    """Logs why files cannot be served."""
    tasks: set[asyncio.Task[Any]]
    """The tasks that end with the server at the latest."""

    def __init__(self, context: ServerContext, max_connections: int) -> None:
        """Raise RuntimeError if no thread can be started."""
        options = context.options
        self.loop = asyncio.get_running_loop()
        self.clock = self.loop.time
        self.storage = AsyncStorage(context.storage, options.disk_timeout)
        self.storage_log = StorageLog()
        self.send_queue = SendQueueWatcher(self.loop)
        self.sendfiles = SendfileSupport()
        self.admission = AdmissionControl(
            max_connections, options.max_connections_per_ip, max_open_files(options.cache)
        )
        self._check_threads: DiskThreads | None = None
        self._live_reload: LiveReload | None = None
        self.tasks = set()
        self.stopping = self.closing = False
        self.empty = asyncio.Event()
        self._configure(context)

    def reconfigure(self, context: ServerContext) -> None:
        """Use another configuration, for new requests and connections; see `context`."""
        options = context.options
        self.storage.reconfigure(context.storage, options.disk_timeout)
        self.admission.resize(options.max_connections, options.max_connections_per_ip, max_open_files(options.cache))
        old, new = self.context.parser, context.parser
        if (new.variant, new.target_key) != (old.variant, old.target_key):  # of which the keys of the cache are made
            for connection in list(self.admission.connections):
                connection.use_parser(new)
        self._configure(context)

    def _configure(self, context: ServerContext) -> None:
        options = context.options
        self.context = context
        self.sendfiles.configure(options.sendfile)
        self.cache = (
            ResponseCache(context.site, self.storage, options.cache, options.cache_ttl) if options.cache else None
        )
        self.find = self.cache.find if self.cache else self.storage.find
        self.access_check = context.access_check
        self.observers = context.all_observers
        if (events := context.sites.live_reload) is not None:
            from .live_reload import LiveReload  # few servers have it

            self._live_reload = self._live_reload or LiveReload(self.loop, events)
            self._live_reload.configure(options)

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

    def check_empty(self) -> None:
        """Set `empty` if the last connection has been closed and no more are accepted."""
        if self.closing and not self.admission.connections:
            self.empty.set()

    @property
    def threads(self) -> list[threading.Thread]:
        """All threads that were started for calls that block."""
        others = () if self._check_threads is None else self._check_threads.threads
        return [*self.storage.threads, *others, *(() if self._live_reload is None else self._live_reload.threads)]

    def start_task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that ends with the server at the latest."""
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def close(self) -> None:
        """End the threads, stop watching sockets, cancel the tasks, and close the files that are cached."""
        self.send_queue.close()
        self.storage.close()
        if self._check_threads is not None:
            self._check_threads.close()
        if self._live_reload is not None:
            self._live_reload.close()
        for task in self.tasks:
            task.cancel()
        if self.cache is not None:
            self.cache.clear()
