"""The admin address of a server: it is open before the public one, and longer."""

import asyncio
from functools import partial
from typing import Final, cast

from .acceptor import Acceptor
from .admin_state import AdminState
from .faults import contain
from .http_protocol import HTTPProtocol
from .state import ServerState

_LAST_REQUEST: Final = 2.0
"""Seconds that a connection has for one more request, when another process takes over."""
_LAST_MOMENT: Final = 0.25
"""Seconds that are left of it when nothing else keeps the process."""


class AdminServer:
    """Accepts connections on the admin address.

    Args:
        state: The state of the server.
    """

    def __init__(self, state: ServerState) -> None:
        self._state = AdminState(state)
        self._sockets = state.context.admin_sockets
        factory = partial(HTTPProtocol, cast(ServerState, self._state))
        self._acceptor = Acceptor(asyncio.get_running_loop(), factory)
        self._is_open = self._is_drained = False

    async def open(self) -> None:
        """Accept connections, unless that has begun already."""
        if not self._is_open:
            self._is_open = True
            await self._acceptor.open(list(self._sockets))

    def check(self, now: float) -> None:
        """Check deadlines and the acceptor; to be called a few times a second. now: the loop's clock."""
        for connection in list(self._state.admission.connections):
            if connection.deadline.at <= now:
                contain(connection, connection.expire)
        self._acceptor.check(self._state.admission.accepted)

    async def drain(self) -> None:
        """Accept no more connections, as another process does now; those that are open may send one more request."""
        self._is_drained = True
        await self._acceptor.close()
        for connection in list(self._state.admission.connections):
            contain(connection, connection.retire, _LAST_REQUEST)

    async def close(self) -> None:
        """Accept no more connections, and close those that are open; after drain(), a moment later."""
        await self._acceptor.close()
        if self._is_drained and self._state.admission.connections:
            await asyncio.sleep(_LAST_MOMENT)
        for connection in list(self._state.admission.connections):
            contain(connection, connection.stop)
            connection.abort()
