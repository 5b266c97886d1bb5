"""The closed loop: a number of clients, each of which asks again when it has its response.

It finds out how much a server can do, and it hides stalls: while a server stalls no client asks, so the stall is seen
by as many requests as there are clients, and by none of those that would have come meanwhile. See arrivals.py.
"""

import asyncio
import math
import random
import time
from collections.abc import Callable, Sequence
from itertools import cycle

from .clients import TIMEOUT, Clients, Work
from .messages import Address, Ask, requests
from .result import Tally


async def closed(
    address: Address,
    asks: Sequence[Ask],
    connections: int,
    seconds: float,
    *,
    keep_alive: bool = True,
    seed: int = 0,
    timeout: float = TIMEOUT,
    stop: asyncio.Event | None = None,
    run_up: float = 0.0,
    begin: Callable[[], object] | None = None,
    end: Callable[[], object] | None = None,
) -> Tally:
    """Run so many clients for so many seconds; then wait for what is under way, up to the timeout.

    The asks come in the same shuffled order each time round. keep_alive: False opens a connection for each request.
    stop: ends it early. run_up: seconds at most until each client has had a response; only then the time begins, and
    what came before does not count. begin: called at that moment. end: called when the last request has been
    answered or has failed, before connections are closed.
    """
    shuffled = requests(address, asks, keep_alive)
    random.Random(seed).shuffle(shuffled)  # noqa: S311  not for secrets
    order = cycle(shuffled)
    last = math.inf

    def source() -> Work | None:
        now = time.monotonic()
        return (next(order), now) if now < last else None

    clients = Clients(address, connections, keep_alive=keep_alive, timeout=timeout, stop=stop, end=end)
    clients.source = source
    try:
        clients.engage()
        await clients.settle(run_up)
        last = time.monotonic() + seconds
        if begin:
            begin()
        if not await clients.done(seconds):
            clients.mark()
            clients.over()
            await clients.done()
    finally:
        tally = await clients.finish()
    return tally
