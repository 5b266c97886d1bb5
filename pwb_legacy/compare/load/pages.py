"""A page as a browser loads it: many small files, over six connections with HTTP/1.1, over one with HTTP/2."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from .arrivals import scheduled
from .http2 import multiplexed
from .messages import Address, Ask
from .result import Tally

CONNECTIONS: Final = 6
"""How many a browser opens to a server of HTTP/1.1."""
TIMEOUT: Final = 10.0
"""Seconds until a client gives a page up."""


async def page_over_http1(address: Address, targets: Sequence[bytes]) -> Tally:
    """Fetch all files over new connections, each of which asks for the next file when it has one."""
    moments = [(0.0, Ask(target)) for target in targets]
    return await scheduled(address, moments, connections=CONNECTIONS, timeout=TIMEOUT)


async def page_over_http2(address: Address, targets: Sequence[bytes]) -> Tally:
    """Fetch all files over one new connection."""
    return await multiplexed(address, targets, timeout=TIMEOUT)


async def again(fetch: Callable[[], Awaitable[Tally]], seconds: float, *, end: Callable[[], object]) -> Tally:
    """Fetch a page, and again until that has taken so many seconds. The time that is measured is that of the fetching
    alone. end: called when it is over."""
    tally = await fetch()
    while tally.seconds < seconds and not tally.failures:
        tally.add(await fetch())
    end()
    return tally
