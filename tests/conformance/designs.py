"""The designs, one line each. All tests of the suite run on a new design once its line is here."""

from typing import Final, NamedTuple

import pytest


class Design(NamedTuple):
    """A server that the suite starts."""

    name: str
    command: tuple[str, ...]
    """The arguments of `python -m`."""
    keeps_alive: bool = True
    """False for a design that serves one client at a time.

    An idle client must not block it, so it answers the first request of a connection with `Connection: close`, and
    other clients wait in the kernel's accept queue. The suite allows no other difference between designs.
    """

    @property
    def program(self) -> str:
        """The name of the command in its own messages."""
        return "pwb" if self.command[0] == "pwb_async" else "pwb-legacy"


REFERENCE: Final = Design("async-uvloop", ("pwb_async",))
"""The design whose responses those of all others must equal, byte for byte."""

DESIGNS: Final = (
    REFERENCE,
    Design(
        "async-asyncio", ("pwb_async", "--loop", "asyncio", "--cache", "off")
    ),  # the other event loop, and no response cache
    Design("single", ("pwb_legacy", "--mode", "single"), keeps_alive=False),
    Design("thread", ("pwb_legacy", "--mode", "thread")),
    Design("process", ("pwb_legacy", "--mode", "process")),
    Design("gevent", ("pwb_legacy", "--mode", "gevent")),
    Design("epoll", ("pwb_legacy", "--mode", "epoll")),
    Design("epoll-level", ("pwb_legacy", "--mode", "epoll", "--trigger", "level")),
    Design("epoll-oneshot", ("pwb_legacy", "--mode", "epoll", "--trigger", "oneshot")),
    Design("epoll-thread", ("pwb_legacy", "--mode", "epoll-thread")),
)
CONCURRENT: Final = tuple(design for design in DESIGNS if design.keeps_alive)
"""The designs that serve many clients at a time."""

concurrent = pytest.mark.parametrize(
    "design", CONCURRENT, ids=lambda design: design.name, indirect=True, scope="session"
)
"""Marks a test that needs a design which serves many clients at a time."""

FIXED: Final = Design("fixed", ("pwb_legacy", "--mode", "fixed"), keeps_alive=False)
"""The design that sends one page in response to any request. It is not in DESIGNS, whose tests need files."""
