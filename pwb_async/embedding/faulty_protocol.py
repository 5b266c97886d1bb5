"""A server whose connections inject faults into responses.

HTTP/1.1 alone: the protocol asks the access check of its state about each request, and the check chooses the fault. A
delay and another status are what a check may lead to anyway; FaultyConnection ends a response early.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from pwb_async.core.events import BadRequest, ConnectionState
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Part, Request, Response
from pwb_async.core.site.access import Check
from pwb_async.runtime.context import ServerContext
from pwb_async.server.connection_protocol import ConnectionProtocol
from pwb_async.server.http_protocol import HTTPProtocol
from pwb_async.server.server import Server
from pwb_async.server.state import ServerState

from .faults import Fault, take_fault


class FaultyConnection(Connection):
    """A connection of which a response may end before its end."""

    __slots__ = ("fault", "reset")

    fault: Fault | None
    """The fault of the next response."""
    reset: bool
    """Whether the connection is to be reset, now that its state is CLOSED."""

    def __init__(self, parser: RequestParser, server: bytes) -> None:
        super().__init__(parser, server)
        self.fault = None
        self.reset = False

    def respond(self, request: Request | BadRequest, response: Response, now: float) -> list[Part]:
        """Begin a response, as far as the fault allows."""
        parts = super().respond(request, response, now)
        fault, self.fault = self.fault, None
        if fault is None or not fault.cuts:
            return parts
        self._close()
        self.idle_and_empty = False
        self.reset = fault.reset
        return _first_bytes(parts, 0 if fault.truncate is None else self.head_length + fault.truncate)


def _first_bytes(parts: Sequence[Part], length: int) -> list[Part]:
    taken: list[Part] = []
    for part in parts:
        if length <= 0:
            break
        size = len(part) if isinstance(part, bytes) else part.length
        taken.append(part[:length] if isinstance(part, bytes) else part._replace(length=min(size, length)))
        length -= size
    return taken


class _Delayed(Check):
    """What the check of a request leads to, once some seconds have passed."""

    seconds: float
    refusal: Response | Check | None


class _FaultyState:
    """The server's state as one connection has it: its access check chooses the faults of this connection."""

    def __init__(self, state: ServerState, faults: list[Fault], connection: FaultyConnection) -> None:
        self._state = state
        self._faults = faults
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)

    def access_check(self, peer: str, event: Request | BadRequest) -> tuple[str, Response | Check | None]:
        """The client, and what becomes of its request."""
        check = self._state.access_check
        client, refusal = (peer, None) if check is None else check(peer, event)
        fault = take_fault(self._faults, event) if isinstance(event, Request) else None
        self._connection.fault = fault
        if fault is None or isinstance(event, BadRequest):
            return client, refusal
        if fault.status is not None:
            refusal = fault.response(event, fault.status)
        if not fault.delay:
            return client, refusal
        delayed = _Delayed(_never_run)
        delayed.seconds, delayed.refusal = fault.delay, refusal
        return client, delayed

    def run_check(self, request: Request, check: Check) -> asyncio.Future[Response | None]:
        """Run a check, after its delay."""
        if isinstance(check, _Delayed):
            return self._state.start_task(self._wait(request, check))
        return self._state.run_check(request, check)

    async def _wait(self, request: Request, check: _Delayed) -> Response | None:
        await asyncio.sleep(check.seconds)
        refusal = check.refusal
        return await self._state.run_check(request, refusal) if isinstance(refusal, Check) else refusal


def _never_run() -> None:
    raise NotImplementedError


class FaultyProtocol(HTTPProtocol):
    """The server's end of an HTTP/1.1 connection into which faults are injected."""

    __slots__ = ("_faulty",)

    def __init__(self, state: ServerState, faults: list[Fault]) -> None:
        super().__init__(state)
        self._connection = self._faulty = FaultyConnection(state.context.parser, state.context.server_field)
        self._state = cast(ServerState, _FaultyState(state, faults, self._faulty))

    def _wait(self, now: float | None = None) -> None:
        if self._faulty.reset and self._faulty.state is ConnectionState.CLOSED:
            self.abort(reset=True)
        else:
            super()._wait(now)


class FaultyServer(Server):
    """A server that injects faults into the responses of HTTP/1.1."""

    def __init__(self, context: ServerContext, faults: list[Fault]) -> None:
        super().__init__(context)
        self._faults = faults

    def _protocol_factory(self, alpn: str | None = None) -> Callable[[], ConnectionProtocol]:
        return partial(FaultyProtocol, self.state, self._faults)
