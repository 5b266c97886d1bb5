"""All listening sockets of a server: those for clients, of --redirect-https and of --admin.

Those that exist already are used: of the process which this one replaces, or of the service manager, such as systemd.
"""

import logging
import socket
from contextlib import ExitStack
from typing import Final, NamedTuple

from pwb_async.config.options import Options
from pwb_async.network.listeners import close, listen_at, listen_on
from pwb_async.network.socket_activation import listen_fds

from .handover import inherit
from .listening import open_sockets, redirect_sockets

logger: Final = logging.getLogger("pwb")
_ADMIN: Final = "admin"
"""The name of the service manager's sockets that are for the admin address; all others are for clients."""


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
    """Open those that do not exist yet; `opened` closes them.

    group: that of a Unix socket's file. sockets: those for clients, where they listen already. activated: whether the
    process which this one replaces, or the service manager, may have opened some for this process. Raises OSError, with
    the address as its filename.
    """
    address = options.unix or f"{options.host} port {options.port}"
    try:
        given = (inherit() or _activated(options)) if sockets is None and activated else {}
        if program == "pwb-legacy":  # the designs have no admin address
            close(given.pop(_ADMIN, []))
        if options.redirect_https is None:  # the process which this one replaces had it
            close(given.pop("redirect", []))
        if sockets is None:
            sockets = given.get("public") or open_sockets(options, group)
            opened.callback(close, sockets)
        address = f"{options.host} port {options.redirect_https}"
        redirect = given.get("redirect") or redirect_sockets(options, sockets)
        opened.callback(close, redirect)
        address = options.admin or ""
        admin = given.get(_ADMIN) or _admin_sockets(program, options)
        opened.callback(close, admin)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), address) from None
    return ListeningSockets(sockets, redirect, admin)


def _activated(options: Options) -> dict[str, list[socket.socket]]:
    """The sockets that the service manager has opened for this process, by what they are for. Raises OSError."""
    sockets = listen_fds()
    if sockets and (options.unix_mode is not None or options.unix_group is not None):
        logger.warning("--unix-mode and --unix-group are ignored: the sockets were handed over by systemd")
    return {
        "public": [sock for name, sock in sockets if name != _ADMIN],
        _ADMIN: [sock for name, sock in sockets if name == _ADMIN],
    }


def _admin_sockets(program: str, options: Options) -> list[socket.socket]:
    """Those of --admin; none without it, and none for the designs."""
    if options.admin is None or program == "pwb-legacy":
        return []
    if "/" in options.admin:
        return [listen_at(options.admin, None, None)]
    host, _, port = options.admin.rpartition(":")
    return listen_on(host.removeprefix("[").removesuffix("]"), int(port))
