"""The designs by name. A design's module is imported when it is chosen: no mode pays for another's libraries, and
gevent is asked for before the modules that it patches are used by anybody.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pwb_legacy.common.http_server import HTTPServer


class Mode(NamedTuple):
    """where: "module:Class". what: one line for those who choose. needs: what the platform must have, as
    "module.name", "" if nothing."""

    where: str
    what: str
    needs: str = ""


MODES: Final = {
    "fixed": Mode("fixed_page:FixedPageServer", "one fixed page, one client at a time"),
    "single": Mode("single:SingleServer", "files, one client at a time"),
    "thread": Mode("threads:ThreadServer", "a thread for each client"),
    "process": Mode("processes:ProcessServer", "a forked process for each client", "os.fork"),
    "gevent": Mode("greenlets:GreenletServer", "a greenlet for each client", "gevent.spawn"),
    "epoll": Mode("epoll:EpollServer", "one thread, told by epoll which sockets are ready", "select.epoll"),
    "epoll-thread": Mode(
        "epoll_threads:EpollThreadServer", "epoll for the sockets, threads for the work", "select.epoll"
    ),
}


def design(mode: str) -> type["HTTPServer"]:
    """The class of a mode. Raises LookupError where the platform lacks what it needs."""
    where, _, needs = MODES[mode]
    if needs and not _has(needs):
        raise LookupError(f"--mode {mode} needs {needs}, and this Python has none")
    module, _, name = where.partition(":")
    found: type[HTTPServer] = getattr(import_module(f".{module}", __package__), name)
    return found


def _has(needs: str) -> bool:
    module, _, name = needs.rpartition(".")
    try:
        return hasattr(import_module(module), name)
    except ImportError:
        return False
