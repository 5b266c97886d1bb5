"""All listening sockets of a server: those for clients, of --redirect-https and of --admin."""

import socket
from contextlib import ExitStack
from typing import NamedTuple

from pwb_async.config.options import Options
from pwb_async.network.listeners import close, listen_at, listen_on

from .handover import inherit
from .listening import open_sockets, redirect_sockets


class ListeningSockets(NamedTuple):
    """All of a server."""

    public: list[socket.socket]
    """Those for clients."""
    redirect: list[socket.socket]
    """Those of --redirect-https."""
    admin: list[socket.socket]
    """Those of --admin."""


def open_all_sockets(
    program: str,
    options: Options,
    group: int | None,
    opened: ExitStack,
    sockets: list[socket.socket] | None,
    activated: bool,
) -> ListeningSockets:
    """Open those that the process which this one replaces has not handed over; `opened` closes them.

    group: that of a Unix socket's file. sockets: those for clients, where they listen already. activated: as for
    listen(). Raises OSError, with the address as its filename.
    """
    handed_over = inherit() if sockets is None and activated else {}
    address = options.unix or f"{options.host} port {options.port}"
    try:
        if sockets is None:
            sockets = handed_over.get("public") or open_sockets(options, group, activated=activated)
            opened.callback(close, sockets)
        address = f"{options.host} port {options.redirect_https}"
        redirect = handed_over.get("redirect") or redirect_sockets(options, sockets)
        opened.callback(close, redirect)
        address = options.admin or ""
        admin = handed_over.get("admin") or _admin_sockets(program, options)
        opened.callback(close, admin)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), address) from None
    return ListeningSockets(sockets, redirect, admin)


def _admin_sockets(program: str, options: Options) -> list[socket.socket]:
    """Those of --admin; none without it, and none for the designs, which have no such option."""
    if options.admin is None or program == "pwb-legacy":
        return []
    if "/" in options.admin:
        return [listen_at(options.admin, None, None)]
    host, _, port = options.admin.rpartition(":")
    return listen_on(host.removeprefix("[").removesuffix("]"), int(port))
