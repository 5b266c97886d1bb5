"""Admission control of all servers: limits on open connections, in total, per peer and by free descriptors.

admit(), step by step:
  1. A connection of a peer that has as many as are allowed is refused.
  2. When the server is full, the connection that has been idle longest is closed; if none is idle, the new one is
     refused.
  3. A refused connection stays open until its peer has read the 503. Only some are kept; of more, the oldest is
     closed, so that refused connections do not fill the server as well.

The server also counts as full when few descriptors are left, because files and logs need some. So accept() never runs
out of descriptors, and every peer gets a response. A peer is one IPv4 address, or the /64 of an IPv6 address, which is
what a single host is given. It is the other end of the connection, whatever client a proxy reports.
"""

import heapq
import resource
import socket
import sys
import threading
from typing import Final, Generic, Protocol, TypeVar

from .accept import AcceptErrors
from .listeners import peer_prefix

_RESERVED_DESCRIPTORS: Final = 16
"""Descriptors that no connection takes, so that files can be opened and logs reopened."""
_OTHER_DESCRIPTORS: Final = 256
"""The most descriptors that belong to no connection: of disk threads, listening sockets, the loop, logs."""
_MAX_REFUSED: Final = 256
"""Refused connections that are kept until their peers have read the 503."""
_IDLE_PER_EVICTION: Final = 256
"""For each so many idle connections one more is closed at a time, because each search looks at every connection."""
_BASE_DESCRIPTORS: Final = 64
"""Descriptors that the limit on connections leaves for logs, the loop and listening sockets."""
_SEARCH_PAUSE: Final = 1e-5
"""Seconds without another search, for each connection that a search without success looked at."""
_MIN_CAPACITY: Final = 16
"""The lowest limit that follows from the number of descriptors."""
UNLIMITED: Final = sys.maxsize
"""The capacity of a design that carries as many connections as there are descriptors."""


class AdmittedConnection(Protocol):
    """What admission control needs of a connection."""

    @property
    def idle_order(self) -> float | None:
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


C = TypeVar("C", bound=AdmittedConnection)


class AdmissionControl(Generic[C]):
    """The open connections of a server, and the decision whether one more is admitted; for one thread."""

    connections: dict[C, None]
    """All open connections, with those that are refused or being closed."""
    accepted: int
    """Connections so far, refused ones included."""
    refused: int
    """Connections that were refused so far."""

    def __init__(self, max_connections: int, max_per_peer: int, max_files: int = 0, capacity: int = UNLIMITED) -> None:
        """capacity: the most connections without --max-connections. See resize() for the others."""
        self._capacity = capacity
        self.read_descriptor_limit()
        self.resize(max_connections, max_per_peer, max_files)
        self._next_search = 0.0
        self._errors = AcceptErrors()
        self._refused: dict[C, None] = {}
        self._closing: set[C] = set()
        self._prefixes: dict[C, bytes] = {}
        self._count: dict[bytes, int] = {}
        self.connections = {}
        self.accepted = self.refused = 0

    def admit(self, connection: C, now: float) -> bool:
        """Count a new connection, and return whether it is admitted; otherwise it is to be answered with 503."""
        if connection in self.connections:  # one that has replaced another
            return connection not in self._refused
        self.accepted += 1
        # Asking a transport for its descriptor costs more than everything else here, so it is asked only when the
        # number can be a high one: when there are many connections, each of which may have a file open.
        in_use = 2 * len(self.connections) + self._max_files
        scarce = in_use >= self._plenty and connection.sock.fileno() >= self._descriptors - _RESERVED_DESCRIPTORS
        counted = len(self.connections) - len(self._refused) - len(self._closing)
        self.connections[connection] = None
        prefix = peer_prefix(connection.peer) if self._max_per_peer else b""
        count = self._count.get(prefix, 0) if prefix else -1
        full = scarce or counted >= self._max_connections
        if count < self._max_per_peer and (not full or self._evict_idle(now)):
            if prefix:
                self._count[prefix] = count + 1
                self._prefixes[connection] = prefix
            return True
        if scarce:
            self._errors.report(f"no more than {self._descriptors} descriptors")
        self.refuse(connection, 1 if scarce else _MAX_REFUSED)
        return False

    def refuse(self, connection: C, max_refused: int = _MAX_REFUSED) -> None:
        """Stop counting a connection, which is answered with 503; of more than `max_refused` close the oldest."""
        self._forget_prefix(connection)
        self.refused += 1
        self._refused[connection] = None
        while len(self._refused) > min(max_refused, self._max_connections):
            oldest = next(iter(self._refused))
            del self._refused[oldest]
            self._closing.add(oldest)
            oldest.close()

    def replace(self, connection: C, successor: C) -> None:
        """Count `successor` in the place of a connection that it has taken over: a process, or after the handshake of
        TLS the protocol that speaks HTTP. One that was refused stays so."""
        del self.connections[connection]
        self.connections[successor] = None
        if connection in self._refused:
            del self._refused[connection]
            self._refused[successor] = None
        if (prefix := self._prefixes.pop(connection, None)) is not None:
            self._prefixes[successor] = prefix

    def forget(self, connection: C) -> None:
        """Stop counting a connection that has been closed."""
        self.connections.pop(connection, None)
        self._refused.pop(connection, None)
        self._closing.discard(connection)
        if self._prefixes:
            self._forget_prefix(connection)

    def _forget_prefix(self, connection: C) -> None:
        if (prefix := self._prefixes.pop(connection, None)) is not None:
            self._count[prefix] -= 1
            if not self._count[prefix]:
                del self._count[prefix]

    def resize(self, max_connections: int, max_per_peer: int, max_files: int) -> None:
        """Set the limits for new connections.

        max_connections: 0 for as many as there are descriptors. max_per_peer: for one IPv4 address or IPv6 /64,
        0 for no limit. max_files: the most files that are open without a connection.
        """
        self._max_per_peer = max_per_peer
        self._max_files = max_files
        # Each connection may need a file beside its socket.
        by_descriptors = max(_MIN_CAPACITY, (self._descriptors - _BASE_DESCRIPTORS) // 2)
        self._max_connections = max_connections or min(self._capacity, by_descriptors)

    def read_descriptor_limit(self) -> None:
        """Read the limit of descriptors, which prlimit(1) can change while the server runs."""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._descriptors = 1 << 20 if limit == resource.RLIM_INFINITY else limit
        self._plenty = self._descriptors - _OTHER_DESCRIPTORS - _RESERVED_DESCRIPTORS

    @property
    def max_connections(self) -> int:
        """Connections that may be open at once."""
        return self._max_connections

    def _evict_idle(self, now: float) -> bool:
        """Close the connections that have been idle longest, and return whether there was one."""
        if now < self._next_search:
            return False
        # A copy, because a signal handler may close connections meanwhile.
        idle = [(order, id(each), each) for each in list(self.connections) if (order := each.idle_order) is not None]
        for _, _, connection in heapq.nsmallest(1 + len(idle) // _IDLE_PER_EVICTION, idle):
            self._closing.add(connection)
            connection.stop()
        self._next_search = 0.0 if idle else now + _SEARCH_PAUSE * len(self.connections)
        return bool(idle)


class SharedAdmissionControl(AdmissionControl[C]):
    """Admission control that any thread may use."""

    def __init__(self, max_connections: int, max_per_peer: int, max_files: int = 0, capacity: int = UNLIMITED) -> None:
        self._lock = threading.RLock()  # closing a connection, which admit() does, leads to forget()
        super().__init__(max_connections, max_per_peer, max_files, capacity)

    def admit(self, connection: C, now: float) -> bool:
        """Count a new connection, and return whether it is admitted."""
        with self._lock:
            return super().admit(connection, now)

    def refuse(self, connection: C, max_refused: int = _MAX_REFUSED) -> None:
        """Stop counting a connection, which is answered with 503."""
        with self._lock:
            super().refuse(connection, max_refused)

    def replace(self, connection: C, successor: C) -> None:
        """Count `successor` in the place of the connection."""
        with self._lock:
            super().replace(connection, successor)

    def forget(self, connection: C) -> None:
        """Stop counting a connection that has been closed."""
        with self._lock:
            super().forget(connection)
