"""The designs by name. A design's module is imported when it is chosen: no mode pays for another's libraries."""

from importlib import import_module
from typing import Final, NamedTuple

from .base import HTTPServer


class Mode(NamedTuple):
    """where: "module:Class". what: one line for those who choose. needs: what the platform must have, "" if nothing,
    as "module.name"."""

    where: str
    what: str
    needs: str = ""


MODES: Final = {
    "fixed": Mode("fixed_page:FixedPageServer", "one fixed page, one client at a time"),
    "single": Mode("single:SingleServer", "files, one client at a time"),
    "thread": Mode("threads:ThreadServer", "a thread for each client"),
    "process": Mode("processes:ProcessServer", "a forked process for each client", "os.fork"),
    "gevent": Mode("greenlets:GreenletServer", "a greenlet for each client"),
    "epoll": Mode("epoll:EpollServer", "one thread, told by epoll which sockets are ready", "select.epoll"),
    "epoll-thread": Mode(
        "epoll_threads:EpollThreadServer", "epoll for the sockets, threads for the work", "select.epoll"
    ),
}


def design(mode: str) -> type[HTTPServer]:
    """The class of a mode. Raises LookupError where the platform lacks what it needs."""
    where, _, needs = MODES[mode]
    if needs:
        module, _, name = needs.rpartition(".")
        if not hasattr(import_module(module), name):
            raise LookupError(f"--mode {mode} needs {needs}, which this platform does not have")
    module, _, name = where.partition(":")
    found: type[HTTPServer] = getattr(import_module(f".{module}", __package__), name)
    return found
