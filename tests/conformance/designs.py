"""The designs, one line each. To put a new one through the whole suite, add its line."""

from typing import Final, NamedTuple


class Design(NamedTuple):
    """command: what follows `python -m`.

    keeps_alive: False for a design that serves one client at a time. An idle client must not hold it, so it answers
    every first request with `Connection: close`, and a second client waits in the kernel's queue. This is the only
    difference between designs that the suite knows.
    """

    name: str
    command: tuple[str, ...]
    keeps_alive: bool = True

    @property
    def program(self) -> str:
        """How the command calls itself in its messages."""
        return "pwb" if self.command[0] == "pwb_async" else "pwb-legacy"


REFERENCE: Final = Design("async-uvloop", ("pwb_async",))
"""What every other design's answers are compared with, byte for byte."""

DESIGNS: Final = (
    REFERENCE,
    Design("async-asyncio", ("pwb_async", "--loop", "asyncio", "--cache", "off")),  # the other loop, and no shelf
    Design("single", ("pwb_legacy", "--mode", "single"), keeps_alive=False),
    Design("thread", ("pwb_legacy", "--mode", "thread")),
    Design("process", ("pwb_legacy", "--mode", "process")),
    Design("gevent", ("pwb_legacy", "--mode", "gevent")),
    Design("epoll", ("pwb_legacy", "--mode", "epoll")),
    Design("epoll-level", ("pwb_legacy", "--mode", "epoll", "--trigger", "level")),
    Design("epoll-thread", ("pwb_legacy", "--mode", "epoll-thread")),
)
CONCURRENT: Final = tuple(design for design in DESIGNS if design.keeps_alive)

FIXED: Final = Design("fixed", ("pwb_legacy", "--mode", "fixed"), keeps_alive=False)
"""One page for whatever is asked: it has rows of its own and none of the others'."""
