"""Admission control: limits on open connections, in total, per client address and by free descriptors.

admit(), step by step:
  1. A connection from an address that is at its limit is refused.
  2. When the server is full, the connection that has been idle longest is closed; if none is idle, the new one is
     refused.
  3. A refused connection stays open until its client has read the 503, but only a few do; beyond that the oldest is
     closed, so that refused connections do not fill the server as well.

The server also counts as full when few descriptors are left, because files and logs need some. So accept() never runs
out of descriptors, and every client gets a response.
"""

import heapq
import logging
import resource
import socket
from typing import Final, Generic, Protocol, TypeVar

from .listeners import client_prefix

logger: Final = logging.getLogger("pwb")
_RESERVED_DESCRIPTORS: Final = 16
"""Descriptors that no connection takes, so that files can be opened and logs reopened."""
_OTHER_DESCRIPTORS: Final = 256
"""The most descriptors that belong to no connection: of disk threads, listening sockets, the loop, logs."""
_MAX_REFUSED: Final = 256
"""Refused connections that are kept until their clients have read the 503."""
_EVICTION_BATCH: Final = 256
"""One in this many idle connections is closed at a time, because each search looks at every connection."""
_SEARCH_PAUSE: Final = 1e-5
"""Seconds without another search, for each connection that a search without success looked at."""


class Connection(Protocol):
    """What admission control needs of a connection."""

    @property
    def idle_since(self) -> float | None:
        """A number that orders idle connections, the longest idle first; None while a request is under way."""

    @property
    def peer(self) -> str:
        """The address of the other end; "-" on a Unix socket."""

    @property
    def sock(self) -> socket.socket:
        """The socket, for its descriptor's number."""

    def close(self) -> None:
        """Close the connection after what has been written."""

    def stop(self) -> None:
        """Close the connection as soon as no request is under way."""


C = TypeVar("C", bound=Connection)


class AdmissionControl(Generic[C]):
    """The open connections of a server, and the decision whether one more is admitted."""

    connections: dict[C, None]
    """All open connections, refused ones included, in the order in which they arrived."""
    accepted: int
    """Connections so far, refused ones included."""

    def __init__(self, max_connections: int, max_per_client: int, max_files: int) -> None:
        """See resize() for the parameters."""
        self.measure()
        self.resize(max_connections, max_per_client, max_files)
        self._next_search = self._last_message = 0.0
        self._refused: dict[C, None] = {}
        self._prefixes: dict[C, bytes] = {}
        self._count: dict[bytes, int] = {}
        self.connections = {}
        self.accepted = 0

    def admit(self, connection: C, now: float) -> bool:
        """Count a new connection, and return whether it is admitted; otherwise it is to be answered with 503."""
        self.accepted += 1
        # Asking a transport for its descriptor costs more than everything else here, so it is asked only when the
        # number can be a high one: when there are many connections, each of which may have a file open.
        in_use = 2 * len(self.connections) + self._max_files
        scarce = in_use >= self._plenty and connection.sock.fileno() >= self._descriptors - _RESERVED_DESCRIPTORS
        full = scarce or len(self.connections) - len(self._refused) >= self._max_connections
        self.connections[connection] = None
        prefix = client_prefix(connection.peer) if self._max_per_client else b""
        count = self._count.get(prefix, 0) if prefix else -1
        if count < self._max_per_client and (not full or self._evict_idle(now)):
            if prefix:
                self._count[prefix] = count + 1
                self._prefixes[connection] = prefix
            return True
        if scarce and now - self._last_message > 1:
            self._last_message = now
            logger.error("cannot accept connections: no more than %d descriptors", self._descriptors)
        self._refused[connection] = None
        while len(self._refused) > (1 if scarce else min(_MAX_REFUSED, self._max_connections)):
            oldest = next(iter(self._refused))
            del self._refused[oldest]
            oldest.close()
        return False

    def forget(self, connection: C) -> None:
        """Stop counting a connection that has been closed."""
        self.connections.pop(connection, None)
        self._refused.pop(connection, None)
        if self._prefixes and (prefix := self._prefixes.pop(connection, None)) is not None:
            self._count[prefix] -= 1
            if not self._count[prefix]:
                del self._count[prefix]

    def resize(self, max_connections: int, max_per_client: int, max_files: int) -> None:
        """Set the limits for new connections.

        max_connections: 0 for as many as there are descriptors. max_per_client: for one IPv4 address or IPv6 /64,
        0 for no limit. max_files: the most files that are open without a connection.
        """
        self._max_per_client = max_per_client
        self._max_files = max_files
        # Each connection may need a file beside its socket; some descriptors stay for logs and the loop.
        self._max_connections = max_connections or max(16, (self._descriptors - 64) // 2)

    def measure(self) -> None:
        """Read the limit of descriptors, which prlimit(1) can change while the server runs."""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._descriptors = 1 << 20 if limit == resource.RLIM_INFINITY else limit
        self._plenty = self._descriptors - _OTHER_DESCRIPTORS - _RESERVED_DESCRIPTORS

    def _evict_idle(self, now: float) -> bool:
        """Close the connections that have been idle longest, and return whether there was one."""
        if now < self._next_search:
            return False
        idle = [(since, id(each), each) for each in self.connections if (since := each.idle_since) is not None]
        for _, _, connection in heapq.nsmallest(1 + len(idle) // _EVICTION_BATCH, idle):
            del self.connections[connection]
            connection.stop()
        self._next_search = 0.0 if idle else now + _SEARCH_PAUSE * len(self.connections)
        return bool(idle)
