"""The line that a program prints once it accepts connections, and the URLs in it."""

from collections.abc import Iterable, Sequence
from os import fsencode
from socket import socket
from urllib.parse import quote_from_bytes

from pwb_async.config.options import Options
from pwb_async.config.places import all_directories
from pwb_async.network.listeners import url
from pwb_async.output.printing import printable

from .delays import delays


def urls(options: Options, sockets: Iterable[socket], scheme: str) -> list[str]:
    """The URL at which each of the listening sockets serves the site."""
    path = quote_from_bytes(fsencode(options.prefix))
    return [url(sock, path, scheme) for sock in sockets]


def ready_line(
    server: str, options: Options, serving: Sequence[str], redirecting: Sequence[socket], admin: Sequence[socket]
) -> str:
    """The line: `server` serves what, and where. serving: the URLs of the site. admin: the sockets of --admin."""
    where = ", ".join(serving)
    if redirecting:
        where += " and redirecting " + ", ".join(map(url, redirecting))
    if admin:
        where += " with the admin address " + ", ".join(map(url, admin))
    slow = f", slowed down by {delays(options)}," if options.delay_disk else ","
    more = len(all_directories(options)) - 1
    roots = f"{options.root!r}" + (f" and {more} more" if more else "")
    return printable(f"{server} serves {roots}{slow} listening on {where} (Ctrl-C stops it)")
