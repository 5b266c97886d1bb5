"""What the connections of one server share, beside what all requests do (site_state.py).

A protocol needs only this module, not the server that accepts its connection. Server makes a ServerState and replaces
the configuration in it after a reload.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pwb_async.core.deadlines import Deadline
from pwb_async.core.http1.parser import RequestParser
from pwb_async.network.admission import AdmissionControl, AdmittedConnection
from pwb_async.runtime.context import ServerContext

from .cache_store import max_open_files
from .send_queue import SendQueueWatcher
from .sendfile import SendfileSupport
from .site_state import SiteState

if TYPE_CHECKING:
    from pwb_async.limits.send_rates import SendRates

    from .live_reload import LiveReload


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

    @property
    def held(self) -> float:
        """Seconds for which the server itself has held back what it sends."""

    def expire(self) -> None:
        """Act on the deadline, which has passed."""

    def use_parser(self, parser: RequestParser) -> None:
        """Parse the next request with another parser."""

    def retire(self, timeout: float) -> None:
        """Close the connection after the next response, or after `timeout` seconds without a request."""

    def abort(self, reset: bool = False) -> None:
        """Close the connection at once; reset: discard what the kernel has not sent, too."""


class ServerState(SiteState):
    """The state that a server shares with all protocols that it makes."""

    __slots__ = (
        "_live_reload",
        "admission",
        "closing",
        "empty",
        "record",
        "send_queue",
        "send_rates",
        "sendfiles",
        "stopping",
    )

    admission: AdmissionControl[ServerConnection]
    """The open connections, and whether another one is admitted."""
    closing: bool
    """No more connections are accepted; `empty` will be set when the last one has been closed."""
    empty: asyncio.Event
    """Set when the server may end: no connection is left, or the grace period is over."""
    record: Callable[[bytes, int, int, float, int], None] | None
    """Recorder.record() of the metrics, which counts each exchange; None without --admin. It is no observer, since it
    needs no Exchange."""
    send_queue: SendQueueWatcher
    """Calls back when a full socket has sent nearly everything."""
    send_rates: "SendRates | None"
    """How fast responses are sent; None for as fast as clients read. A connection that was open when a reload has set
    the first rate is not slowed down."""
    sendfiles: SendfileSupport
    """The file systems whose files sendfile(2) may send."""
    stopping: bool
    """The server is shutting down: responses under way are finished, no further request is answered."""

    def __init__(self, context: ServerContext, max_connections: int) -> None:
        """Raise RuntimeError if no thread can be started."""
        options = context.options
        self.sendfiles = SendfileSupport()
        self._live_reload: LiveReload | None = None
        super().__init__(context)
        self.send_queue = SendQueueWatcher(self.loop)
        self.admission = AdmissionControl(
            max_connections, options.max_connections_per_ip, max_open_files(options.cache)
        )
        self.stopping = self.closing = False
        self.empty = asyncio.Event()

    def reconfigure(self, context: ServerContext) -> None:
        """Use another configuration, for new requests and connections; see `context`."""
        options = context.options
        self.admission.resize(options.max_connections, options.max_connections_per_ip, max_open_files(options.cache))
        old, new = self.context.parser, context.parser
        if (new.variant, new.target_key) != (old.variant, old.target_key):  # of which the keys of the cache are made
            for connection in list(self.admission.connections):
                connection.use_parser(new)
        super().reconfigure(context)

    def _configure(self, context: ServerContext) -> None:
        super()._configure(context)
        metrics = context.metrics if context.admin_sockets else None
        self.record = None if metrics is None else metrics.recorder.record
        self.send_rates = None if context.limits is None else context.limits.send_rates
        self.sendfiles.configure(context.options.sendfile)
        if (events := context.sites.live_reload) is not None:
            from .live_reload import LiveReload  # few servers have it

            self._live_reload = self._live_reload or LiveReload(self.loop, events)
            self._live_reload.configure(context.options)

    def check_empty(self) -> None:
        """Set `empty` if the last connection has been closed and no more are accepted."""
        if self.closing and not self.admission.connections:
            self.empty.set()

    @property
    def threads(self) -> list[threading.Thread]:
        """All threads that were started for calls that block, and the one that watches for --live-reload."""
        return [*super().threads, *(() if self._live_reload is None else self._live_reload.threads)]

    def close(self) -> None:
        """Do the same, and stop watching sockets and files."""
        self.send_queue.close()
        if self._live_reload is not None:
            self._live_reload.close()
        super().close()
