"""From options to the parts that every server is made of, or one line that says why it cannot be."""

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from os import fsencode
from socket import socket
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from pwb_async import __version__
from pwb_async.config.loader import Options, flag, read_options, spell
from pwb_async.core.deadlines import Timeouts
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.site.lookup import Storage
from pwb_async.core.site.media_types import MediaTypes
from pwb_async.core.site.site import Site
from pwb_async.network.listeners import close, listen, url
from pwb_async.observability.access_log import AccessLog
from pwb_async.output.printing import exit_with, printable, say
from pwb_async.storage.disk import Disk

from . import privileges
from .landlock import find_landlock
from .processors import processors

if TYPE_CHECKING:
    from pwb_async.observability.trace_events import TraceWriter

T = TypeVar("T")
logger: Final = logging.getLogger("pwb")


class StartupError(Exception):
    """Why a server cannot be. Its str is one printable line."""

    def __init__(self, line: str) -> None:
        super().__init__(printable(line))


class ServerContext(NamedTuple):
    """program: as its messages call it. name: the value of the field Server. log: None keeps no access log. sockets:
    they listen. trace: None keeps no timeline. workers: how many processes are to serve."""

    program: str
    options: Options
    name: bytes
    parser: RequestParser
    timeouts: Timeouts
    site: Site
    disk: Storage
    log: AccessLog | None
    sockets: list[socket]
    trace: "TraceWriter | None"
    workers: int

    def announce(self, what: str) -> None:
        """Says on standard output what serves, and where: people and tests wait for this line."""
        where = ", ".join(map(url, self.sockets))
        delays = _told(self.options)
        slow = f", slowed down by {delays}," if delays else ","
        line = f"{what} serves {self.options.root!r}{slow} listening on {where} (Ctrl-C stops it)"
        try:
            say(printable(line))
        except OSError as error:
            logger.warning("standard output takes nothing: %s", error.strerror)

    def traced_wait(self, call: Callable[[float | None], T]) -> Callable[[float | None], T]:
        """A call that waits for anybody, as it is to be made: it may have to be told in the timeline."""
        return call if self.trace is None else self.trace.traced_wait(call)

    def drop_privileges(self, *modules: str) -> None:
        """Gives up the rights that serving does not need; imports `modules` before. There must be no other thread yet.

        Raises StartupError.
        """
        try:
            privileges.drop_privileges(self.options, *modules)
            Disk(self.options.root)
        except OSError as error:
            raise StartupError(f"cannot serve {self.options.root} confined: {error.strerror or error}") from None

    def close(self) -> None:
        """Writes what is left of the log, and takes the name of a Unix socket away."""
        close(self.sockets)
        if self.log is not None:
            self.log.close()
        if self.trace is not None:
            self.trace.close()


def open_context(program: str, options: Options) -> ServerContext:
    """Opens what `options` name. What cannot be opened is one line on standard error and SystemExit(1)."""
    try:
        return build_context(program, options)
    except StartupError as error:
        raise exit_with(1, f"{program}: {error}") from None


def reload_context(old: ServerContext, fixed: tuple[str, ...] = ()) -> ServerContext:
    """The setup as the options are now; the sockets stay, and so does the log if its name does. Nothing has changed
    if it raises ConfigError or StartupError. fixed: options that only a restart can change, beside where it listens and
    writes its timeline."""
    options = read_options(old.program, sys.argv[1:], os.environ, ".")
    for name in ("host", "port", "unix", "unix_mode", "unix_group", "trace", *fixed):
        if getattr(options, name) != (stays := getattr(old.options, name)):
            logger.warning("%s is still %s: it takes a restart to change that", flag(name), spell(name, stays))
            options = replace(options, **{name: stays})
    return build_context(old.program, options, old)


def build_context(program: str, options: Options, old: ServerContext | None = None) -> ServerContext:
    """Opens what `options` name; the sockets, and the same log, are those of `old`. Raises StartupError."""
    sockets: list[socket] = []
    try:
        what, value = "serve", options.root
        disk: Storage = Disk(options.root, etag=options.etag)
        if options.user is not None:
            what, value = "become", options.user
            privileges.find_user(options.user)
        if options.sandbox:
            what, value = "use", "--sandbox"
            find_landlock()
        what, value = "write the access log", options.access_log
        log = old.log if old and old.options.access_log == value else None if value == "off" else AccessLog(value)
        what, value = "give the socket to the group", options.unix_group or ""
        group = privileges.find_group(value) if value else None
        what, value = "listen on", options.unix or f"{options.host} port {options.port}"
        mode = int(options.unix_mode, 8) if options.unix_mode else None
        sockets = old.sockets if old else listen(options.host, options.port, options.unix, mode, group)
        what, value = "write the timeline", options.trace or ""  # last, as it empties the file
        trace = old.trace if old else _trace(program, options)
    except OSError as error:
        if old is None:
            close(sockets)
        hint = f" (to name a folder: {program} FOLDER)" if what == "serve" else ""
        raise StartupError(f"cannot {what} {value}: {error.strerror or error}{hint}") from None
    site_with: Callable[..., Site] = Site
    if options.delay_disk:
        from pwb_async.storage.slow_disk import SlowDisk

        disk = SlowDisk(disk, options.delay_disk)
        logger.warning("the disk is slowed down on purpose: --delay-disk %s", _told(options))
    if options.dotfiles:
        logger.warning("names that begin with a dot are served: --dotfiles")
    if trace is not None:
        from pwb_async.observability.tracing import TracedSite, TracedStorage

        disk, site_with = TracedStorage(disk, trace), partial(TracedSite, trace)
    limits = _limits(options)
    # Connections keep the reader they began with, and its caches with it: as long as it will do, there is one.
    parser = old.parser if old and old.parser.limits == limits else RequestParser(limits)
    return ServerContext(
        program=program,
        options=options,
        name=f"PWB/{__version__}".encode() if options.server_version else b"PWB",
        parser=parser,
        timeouts=Timeouts(
            options.header_timeout,
            options.idle_timeout,
            options.send_timeout,
            options.linger_idle,
            options.linger_timeout,
        ),
        site=site_with(
            indexes=tuple(map(fsencode, options.index)),
            max_age=options.max_age,
            ranges=options.max_ranges,
            relative_redirects=options.relative_redirects,
            types=MediaTypes(options.type, (options.charset or "").encode(), options.serve_encoded),
            dotfiles=options.dotfiles,
        ),
        disk=disk,
        log=log,
        sockets=sockets,
        trace=trace,
        workers=options.workers or processors(),
    )


def _told(options: Options) -> str:
    """The delays of --delay-disk, as they were told."""
    return " ".join(each.text for each in options.delay_disk)


def _trace(program: str, options: Options) -> "TraceWriter | None":
    if options.trace is None:
        return None
    from pwb_async.observability.trace_events import TraceWriter  # whoever keeps none does without it

    return TraceWriter(options.trace, f"{program} --mode {options.mode}" if program == "pwb-legacy" else program)


def _limits(options: Options) -> Limits:
    return Limits(
        request_line=options.max_request_line,
        field=options.max_field,
        fields=options.max_fields,
        head=options.max_head,
        content=options.max_content,
        requests=options.requests_per_connection,
    )
