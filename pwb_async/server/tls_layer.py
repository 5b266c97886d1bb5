"""What the connections of a server with TLS share."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, cast

from pwb_async.core.tls import TLSBuffers, TLSConnection

from .connection_protocol import ConnectionProtocol
from .http_protocol import HTTPProtocol
from .plain_state import PlainState
from .state import ServerState

_HANDSHAKES_PER_TURN: Final = 4
"""Steps of handshakes before other connections get their turn; one with a signature takes 0.2 to 0.5 ms."""


class HandshakeTurns:
    """The steps of handshakes in the order in which they came, a few in each iteration of the event loop.

    A step computes signatures and keys. In a flood of handshakes the loop would find hundreds at once, and everything
    else would wait for all of them.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._taken = 0
        self._waiting: deque[Callable[[], object]] = deque()

    def take(self, step: Callable[[], object]) -> None:
        """Call `step` now, or in a later iteration if enough have been called in this one."""
        if self._taken == 0:
            self._loop.call_soon(self._next_turn)
        if self._taken < _HANDSHAKES_PER_TURN:
            self._taken += 1
            step()
        else:
            self._waiting.append(step)

    def _next_turn(self) -> None:
        self._taken = 0
        for _ in range(min(len(self._waiting), _HANDSHAKES_PER_TURN)):
            self.take(self._waiting.popleft())


class TLSLayer:
    """Makes the parts of each connection."""

    def __init__(
        self, state: ServerState, protocol_factory: Callable[[str | None], Callable[[], ConnectionProtocol]]
    ) -> None:
        """protocol_factory: makes the factory of protocols for what ALPN has chosen; None for nothing."""
        self.state = state
        self.turns = HandshakeTurns(state.loop)
        self._buffers = TLSBuffers()
        self._protocol_factory = protocol_factory
        self._factories: dict[str | None, Callable[[], ConnectionProtocol]] = {}
        self._plain_state = cast(ServerState, PlainState(state))

    def connection(self) -> TLSConnection:
        """A connection with the present certificates."""
        contexts = self.state.context.tls
        assert contexts is not None
        return TLSConnection(contexts.context(), self._buffers)

    def protocol(self, alpn: str | None) -> ConnectionProtocol:
        """The protocol that ALPN has chosen."""
        if alpn not in self._factories:
            self._factories[alpn] = self._protocol_factory(alpn)
        return self._factories[alpn]()

    def plain_protocol(self) -> HTTPProtocol:
        """The protocol for requests without TLS."""
        return HTTPProtocol(self._plain_state)
