"""The listening sockets that the options describe."""

import errno
import logging
from socket import AF_UNIX, socket
from typing import Final

from pwb_async.config.options import Options
from pwb_async.network.listeners import listen, listen_on

logger: Final = logging.getLogger("pwb")
_MAX_TRIES: Final = 100
"""Ports that --port-fallback tries, the one of --port included."""
_LAST_PORT: Final = 65535


def open_sockets(options: Options, group: int | None) -> list[socket]:
    """The sockets; with --port-fallback on the next free port, which is logged. Raises OSError.

    group: the group of a Unix socket's file.
    """
    mode = int(options.unix_mode, 8) if options.unix_mode else None
    wanted = options.port
    for port in range(wanted, min(wanted + _MAX_TRIES, _LAST_PORT + 1)):
        try:
            sockets = listen(options.host, port, options.unix, mode, group)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or options.unix is not None or not options.port_fallback:
                raise
            continue
        if port != wanted:
            logger.warning("port %d is in use%s: listening on port %d", wanted, _owner(wanted), port)
        return sockets
    raise OSError(errno.EADDRINUSE, f"it is in use, and so are all ports up to {port}")


def _owner(port: int) -> str:
    """The process that listens on a port, for a message, or ""."""
    from pwb_async.network.port_owner import find_owner

    owner = find_owner(port)
    return "" if owner is None else f" by {owner.command} (pid {owner.pid})"


def redirect_sockets(options: Options, sockets: list[socket]) -> list[socket]:
    """The sockets without TLS of the port of --redirect-https; none without the option. Raises OSError.

    Those of `sockets` that have the port are removed from there: the service manager has opened them for it.
    """
    port = options.redirect_https
    if port is None:
        return []
    handed_over = [sock for sock in sockets if sock.family != AF_UNIX and sock.getsockname()[1] == port]
    for sock in handed_over:
        sockets.remove(sock)
    if handed_over and not sockets:
        for sock in handed_over:
            sock.close()
        raise OSError(None, "it is the only port that there is, and needs another one, with TLS, beside it")
    return handed_over or listen_on(options.host, port)
