"""The port without TLS that --redirect-https names, beside the one with TLS."""

import socket

from pwb_async.config.options import Options
from pwb_async.network.listeners import listen_on


def redirect_sockets(options: Options, sockets: list[socket.socket]) -> list[socket.socket]:
    """The listening sockets of that port; none without the option. Raises OSError.

    Those of `sockets` that have the port are removed from there: the service manager has opened them for it.
    """
    port = options.redirect_https
    if port is None:
        return []
    handed_over = [sock for sock in sockets if sock.family != socket.AF_UNIX and sock.getsockname()[1] == port]
    for sock in handed_over:
        sockets.remove(sock)
    if handed_over and not sockets:
        for sock in handed_over:
            sock.close()
        raise OSError(None, "it is the only port that there is, and needs another one, with TLS, beside it")
    return handed_over or listen_on(options.host, port)
