"""From options to the parts that every server is made of, or one line that says why it cannot be."""

import sys
from os import fsencode
from socket import socket
from typing import NamedTuple

from . import __version__
from .access_log import AccessLog
from .config import Options
from .core.deadline import Timeouts
from .core.head import HeadReader
from .core.limits import Limits
from .core.site import Site
from .disk import Disk
from .listener import listen, url


class Setup(NamedTuple):
    """name: the value of the field Server. log: None keeps no access log. sockets: they listen."""

    options: Options
    name: bytes
    reader: HeadReader
    timeouts: Timeouts
    site: Site
    disk: Disk
    log: AccessLog | None
    sockets: list[socket]

    def announce(self, what: str) -> None:
        """Says on standard output what serves, and where: people and tests wait for this line."""
        where = ", ".join(map(url, self.sockets))
        print(f"{what} serves {self.options.root!r}, listening on {where} (Ctrl-C stops it)", flush=True)


def prepare(program: str, options: Options) -> Setup:
    """Opens what `options` name. What cannot be opened is one line on standard error and SystemExit(1)."""
    try:
        what, value = "serve", options.root
        disk = Disk(options.root)
        what, value = "write the access log", options.access_log
        log = None if value == "off" else AccessLog(value)
        what, value = "listen on", f"{options.host} port {options.port}"
        sockets = listen(options.host, options.port)
    except OSError as error:
        hint = f" (to name a folder: {program} FOLDER)" if what == "serve" else ""
        print(f"{program}: cannot {what} {value}: {error.strerror or error}{hint}", file=sys.stderr)
        raise SystemExit(1) from None
    return Setup(
        options=options,
        name=f"PWB/{__version__}".encode() if options.server_version else b"PWB",
        reader=HeadReader(_limits(options)),
        timeouts=Timeouts(
            options.header_timeout,
            options.idle_timeout,
            options.send_timeout,
            options.linger_idle,
            options.linger_timeout,
        ),
        site=Site(tuple(map(fsencode, options.index)), options.max_age, options.max_ranges),
        disk=disk,
        log=log,
        sockets=sockets,
    )


def _limits(options: Options) -> Limits:
    return Limits(
        request_line=options.max_request_line,
        field=options.max_field,
        fields=options.max_fields,
        head=options.max_head,
        content=options.max_content,
        requests=options.requests_per_connection,
    )
