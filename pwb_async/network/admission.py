"""Who may be in: connections at once, in all, of one address, and as descriptors allow (hazards A9, A10, E1).

admit, the steps in order:
  1. an address that has its share already gets 503
  2. where it is full, whoever has been idle longest makes room; with nobody idle it is 503
  3. few of those who got 503 are waited for until they have read it, the others are let go: they must not fill it, too
Full is also when the next descriptor would be one of the last: who is served needs files and the log. So accept()
does not run out of descriptors, and nobody is closed without a word.
"""

import heapq
import logging
import resource
from typing import TYPE_CHECKING, Final

from .listeners import client_prefix

if TYPE_CHECKING:
    from pwb_async.server.http_protocol import HTTPProtocol

logger: Final = logging.getLogger("pwb")
_RESERVE: Final = 16
"""Descriptors that no connection takes (hazard E2)."""
_OTHERS: Final = 256
"""Descriptors at most for what is no connection's: threads that look for files, listening sockets, the loop, logs."""
_MOST_REFUSED: Final = 256
"""Connections with a 503 that are waited for."""
_AT_ONCE: Final = 256
"""Of so many idle ones, one makes room for others before they come: each search for them looks at all connections."""
_SEARCH: Final = 1e-5
"""Seconds without another search for each connection that was looked at in vain."""


class AdmissionControl:
    """most: connections at once; 0: as many as descriptors allow. per_address: of one address; 0: no bound. files:
    those at most that are open without a connection. came: connections so far."""

    def __init__(self, most: int, per_address: int, files: int) -> None:
        self.measure()
        self.resize(most, per_address, files)
        self._searched = self._complained = 0.0
        self._refused: dict[HTTPProtocol, None] = {}
        self._addresses: dict[HTTPProtocol, bytes] = {}
        self._count: dict[bytes, int] = {}
        self.connections: dict[HTTPProtocol, None] = {}  # in the order they came
        self.came = 0

    def admit(self, protocol: "HTTPProtocol", now: float) -> bool:
        """Takes a connection in; False: it is one too many, and is to be told so."""
        self.came += 1
        # To ask for a socket's number costs more than all else here: as long as it cannot be a high one, nobody does.
        in_use = 2 * len(self.connections) + self._files  # at most: each may have a file beside its socket
        scarce = in_use >= self._plenty and protocol.sock.fileno() >= self._descriptors - _RESERVE
        full = scarce or len(self.connections) - len(self._refused) >= self._most
        self.connections[protocol] = None
        address = client_prefix(protocol.peer) if self._per_address else b""
        share = self._count.get(address, 0) if address else -1
        if share < self._per_address and (not full or self._make_room(now)):
            if address:
                self._count[address] = share + 1
                self._addresses[protocol] = address
            return True
        if scarce and now - self._complained > 1:
            self._complained = now
            logger.error("cannot accept connections: no more than %d descriptors", self._descriptors)
        self._refused[protocol] = None
        while len(self._refused) > (1 if scarce else min(_MOST_REFUSED, self._most)):
            first = next(iter(self._refused))
            del self._refused[first]
            first.close()
        return False

    def forget(self, protocol: "HTTPProtocol") -> None:
        """The connection is gone."""
        self.connections.pop(protocol, None)
        self._refused.pop(protocol, None)
        if self._addresses and (address := self._addresses.pop(protocol, None)) is not None:
            self._count[address] -= 1
            if not self._count[address]:
                del self._count[address]

    def resize(self, most: int, per_address: int, files: int) -> None:
        """Other bounds, for those who come from now on."""
        self._per_address = per_address
        self._files = files
        # Each connection may need a file beside its socket; some descriptors stay for logs and the loop.
        self._most = most or max(16, (self._descriptors - 64) // 2)

    def measure(self) -> None:
        """The limit of descriptors may have been changed from outside."""
        self._descriptors = _limit()
        self._plenty = self._descriptors - _OTHERS - _RESERVE

    def _make_room(self, now: float) -> bool:
        if now < self._searched:
            return False
        idle = [(since, id(other), other) for other in self.connections if (since := other.idle_since) is not None]
        for _, _, other in heapq.nsmallest(1 + len(idle) // _AT_ONCE, idle):
            del self.connections[other]
            other.stop()
        self._searched = 0.0 if idle else now + _SEARCH * len(self.connections)
        return bool(idle)


def _limit() -> int:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 1 << 20 if most == resource.RLIM_INFINITY else most
