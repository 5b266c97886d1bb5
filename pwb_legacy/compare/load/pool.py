"""The connections of a load to one server: opened for a request, kept while idle, given up when they are too slow."""

import asyncio
import os
from functools import partial
from typing import Final

from .connection import Connection
from .messages import Address, Request

LOOK: Final = 0.1
"""Seconds between two checks for requests that have waited too long."""


class Pool:
    """The owner of connections to a server. A subclass decides what becomes of a response, a failure and a loss."""

    def __init__(self, address: Address, keep_alive: bool) -> None:
        self._address, self._keep_alive = address, keep_alive
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._opening: dict[Connection, asyncio.Task[None]] = {}

    def answered(self, connection: Connection, moment: float) -> None:
        """The request has been answered, at this moment of the monotonic clock."""
        raise NotImplementedError

    def failed(self, connection: Connection, reason: str) -> None:
        """The request has failed."""
        raise NotImplementedError

    def gone(self, connection: Connection, idle: bool) -> None:
        """A connection has ended. idle: it had no request."""
        raise NotImplementedError

    def lost(self, connection: Connection) -> None:
        """Forget a connection that has ended; called by the connection."""
        if connection not in self._connections:
            return  # it was given up while it opened, and opened all the same
        self._connections.remove(connection)
        if idle := connection in self._idle:
            self._idle.remove(connection)
        self.gone(connection, idle)

    def open(self, request: Request, since: float) -> None:
        """Open one more connection, for a request that was due at this moment of the monotonic clock."""
        connection = Connection(self, self._keep_alive, request, since)
        self._connections.add(connection)
        connecting = asyncio.create_task(self._connect(connection))
        self._opening[connection] = connecting
        # Not in the task, which may be cancelled before it has begun.
        connecting.add_done_callback(partial(self._connected, connection))

    def expire(self, timeout: float, limit: float) -> int:
        """Give up the requests that were due before `limit`; return how many. timeout: seconds, for their reason."""
        late = [each for each in self._connections if each.request is not None and each.since < limit]
        for connection in late:
            connection.expire(timeout)
            if task := self._opening.get(connection):
                task.cancel()
        return len(late)

    def abandon(self) -> int:
        """Close the connections that have a request, without a report; return how many."""
        waiting = [each for each in self._connections if each.request is not None]
        for connection in waiting:
            self._connections.remove(connection)
            connection.drop()
            if task := self._opening.get(connection):
                task.cancel()
        return len(waiting)

    async def close(self) -> None:
        """Close all connections, and wait until they are closed."""
        opening = list(self._opening.values())
        for task in opening:
            task.cancel()
        for connection in list(self._connections):
            connection.drop()
        await asyncio.gather(*opening, return_exceptions=True)
        while self._connections:  # noqa: ASYNC110  once or twice: the loop closes them in its next round
            await asyncio.sleep(0)

    async def _connect(self, connection: Connection) -> None:
        await asyncio.get_running_loop().create_connection(lambda: connection, *self._address)

    def _connected(self, connection: Connection, connecting: asyncio.Task[None]) -> None:
        """Give up a connection that could not be opened, or not in time."""
        del self._opening[connection]
        if connecting.cancelled():
            self.lost(connection)
        elif isinstance(error := connecting.exception(), OSError):
            connection.fail(f"cannot connect: {os.strerror(error.errno or 0)}")
            self.lost(connection)
        elif error:
            raise error
