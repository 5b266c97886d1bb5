"""The server's state for connections of the admin address: another site, without cache, rules or log."""

import asyncio
from typing import Any, Final

from pwb_async.admin.site import AdminSite
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.parser import RequestParser
from pwb_async.network.admission import AdmissionControl
from pwb_async.runtime.context import ServerContext
from pwb_async.runtime.operation_options import admin_hosts

from .state import ServerConnection, ServerState

_MAX_CONNECTIONS: Final = 64
"""Connections at once; further ones replace idle ones, or are refused."""


class AdminState:
    """A ServerState for the admin address.

    Its connections are admitted on their own, so that it can be asked when the public address is full. They neither
    keep the server from ending nor end before it does.
    """

    access_check = None
    cache = None
    closing = False
    observers = ()
    record = None
    send_rates = None
    stopping = False

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self.admission: AdmissionControl[ServerConnection] = AdmissionControl(_MAX_CONNECTIONS, 0)
        self._configure(state.context)

    def _configure(self, context: ServerContext) -> None:
        assert context.metrics is not None
        self._configured = context
        hosts = admin_hosts(context.options, context.admin_sockets)
        site = AdminSite(context.metrics, context.options.max_load, context.options.loop, hosts)
        parser = RequestParser(context.parser.limits, None, None)
        self._context = context._replace(site=site, parser=parser, connection_class=Connection, tls=None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)

    @property
    def context(self) -> ServerContext:
        """The server's configuration, with this site."""
        if self._configured is not self._state.context:
            self._configure(self._state.context)
        return self._context

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that runs the server."""
        return self._state.loop
