"""The designs that the suite starts. Those of pwb_legacy are the rows of MODES, so all tests run on a new one.

COLUMNS are further columns of the one suite: designs that are asked by another protocol. Which tests have a meaning there
is in columns.py.
"""

from typing import Final, NamedTuple

import pytest

from pwb_async.config.modes import MODES


class Design(NamedTuple):
    """A design, or a variant of one with other options, as a server that the suite starts."""

    name: str
    command: tuple[str, ...]
    """The arguments of `python -m`."""
    keeps_alive: bool = True
    """False for a design that serves one client at a time.

    An idle client must not block it, so it answers the first request of a connection with `Connection: close`, and
    other clients wait in the kernel's accept queue. No row allows another difference between designs; what a design
    does in its own way, such as its threads, has a test of its own.
    """

    tls: bool = False
    """Whether it is asked over TLS."""

    @property
    def program(self) -> str:
        """The name of the command in its own messages."""
        return "pwb" if self.command[0] == "pwb_async" else "pwb-legacy"


def _book(mode: str) -> Design:
    return Design(mode, ("pwb_legacy", "--mode", mode), keeps_alive=MODES[mode].family != "one")


REFERENCE: Final = Design("async-uvloop", ("pwb_async",))
"""The design whose responses those of all others must equal, byte for byte."""

DESIGNS: Final = (
    REFERENCE,
    Design(
        "async-asyncio", ("pwb_async", "--loop", "asyncio", "--cache", "off")
    ),  # the other event loop, and no response cache
    *(_book(name) for name in MODES if name != "fixed"),
    Design("epoll-level", ("pwb_legacy", "--mode", "epoll", "--trigger", "level")),
    Design("epoll-oneshot", ("pwb_legacy", "--mode", "epoll", "--trigger", "oneshot")),
)
COLUMNS: Final = (
    Design("https-uvloop", ("pwb_async",), tls=True),
    Design("https-asyncio", ("pwb_async", "--loop", "asyncio", "--cache", "off"), tls=True),
)
"""The further columns."""
CONCURRENT: Final = tuple(design for design in DESIGNS if design.keeps_alive)
"""The designs that serve many clients at a time."""

concurrent = pytest.mark.parametrize(
    "design", [*CONCURRENT, *COLUMNS], ids=lambda design: design.name, indirect=True, scope="session"
)
"""Marks a test that needs a design which serves many clients at a time."""

FIXED: Final = _book("fixed")
"""The design that sends one page in response to any request. It is not in DESIGNS, whose tests need files."""
