"""The registry of the designs of pwb-legacy, by the names of --mode: a new design is its own file and a row here.

The tests, the laboratory and the book take from it which designs there are and how each waits. It is in this package,
below the designs, since --mode is an option, and options are declared here.
"""

from typing import Final, Literal, NamedTuple

Family = Literal["one", "each", "loop"]
"""How a design waits: for one client at a time; in something of its own for each client, such as a thread; or in a loop
that turns to the clients that are ready."""


class Mode(NamedTuple):
    """One design, as --mode, the help and the tests need it."""

    class_path: str
    """The class of the design, as module:Class in pwb_legacy."""
    family: Family
    summary: str
    """One line of help."""
    requires: str = ""
    """What the platform must have, as module.name; "" for nothing."""
    builds_on: str = ""
    """The mode whose design this one extends; "" for none. A design imports no other one."""
    parallel_lookups: bool = False
    """Whether several lookups can wait for the disk at the same time; otherwise each delays all clients."""

    @property
    def module(self) -> str:
        """The name of the design's own file in pwb_legacy, without `.py`."""
        return self.class_path.partition(":")[0]


MODES: Final = {
    "fixed": Mode("fixed_page:FixedPageServer", "one", "one fixed page, one client at a time", builds_on="single"),
    "single": Mode("single:SingleServer", "one", "files, one client at a time"),
    "thread": Mode("threads:ThreadServer", "each", "a thread for each client", parallel_lookups=True),
    "process": Mode(
        "processes:ProcessServer", "each", "a forked process for each client", "os.fork", parallel_lookups=True
    ),
    "gevent": Mode("greenlets:GreenletServer", "each", "a greenlet for each client", "gevent.spawn"),
    "epoll": Mode("epoll:EpollServer", "loop", "one thread; epoll reports which sockets are ready", "select.epoll"),
    "epoll-thread": Mode(
        "epoll_threads:EpollThreadServer",
        "loop",
        "epoll for the sockets, threads for the disk",
        "select.epoll",
        builds_on="epoll",
        parallel_lookups=True,
    ),
}
"""In the order of the book."""
