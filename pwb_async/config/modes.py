"""The designs of pwb-legacy as data, by the names of --mode: a new design is a row here and its own file.

They stand here, below the designs themselves, since --mode is an option, and options are declared in this folder.
"""

from typing import Final, Literal, NamedTuple

Family = Literal["one", "each", "loop"]
"""How a design waits: for one client at a time; in something of its own for each client, such as a thread; or in a loop
that turns to the clients that are ready."""


class Mode(NamedTuple):
    """One design, as --mode, the help and the tests need it."""

    target: str
    """The class of the design, as module:Class in pwb_legacy."""
    family: Family
    summary: str
    """One line of help."""
    requires: str = ""
    """What the platform must have, as module.name; "" for nothing."""
    builds_on: str = ""
    """The mode whose design this one extends; "" for none. A design imports no other one."""

    @property
    def module(self) -> str:
        """The name of the design's own file in pwb_legacy, without `.py`."""
        return self.target.partition(":")[0]


MODES: Final = {
    "fixed": Mode("fixed_page:FixedPageServer", "one", "one fixed page, one client at a time", builds_on="single"),
    "single": Mode("single:SingleServer", "one", "files, one client at a time"),
    "thread": Mode("threads:ThreadServer", "each", "a thread for each client"),
    "process": Mode("processes:ProcessServer", "each", "a forked process for each client", "os.fork"),
    "gevent": Mode("greenlets:GreenletServer", "each", "a greenlet for each client", "gevent.spawn"),
    "epoll": Mode("epoll:EpollServer", "loop", "one thread; epoll reports which sockets are ready", "select.epoll"),
    "epoll-thread": Mode(
        "epoll_threads:EpollThreadServer",
        "loop",
        "epoll for the sockets, threads for the work",
        "select.epoll",
        "epoll",
    ),
}
"""In the order of the book."""
