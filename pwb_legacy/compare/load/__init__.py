"""The load generator: clients on uvloop that ask a server, check what they get, and count.

    messages     what is asked, what the head of an answer promises
    connection   one connection: ask, check, report
    clients      a number of them who take requests from a source
    closed_loop  each asks again when it has its answer: how much can the server do?
    arrivals     requests begin at their moments: a rate, a schedule, a burst. What does a stall cost?
    guilty       idle clients, slow senders, slow readers, clients that vanish
    by_wrk       the closed loop by wrk
    tally        what came of it; meter: what it cost the generator itself
    job          a load as JSON, for the process of its own: __main__ runs it, process starts it

An answer is right when its status is the expected one, its Content-Length is there and true, and a connection that was
to be closed is closed. Everything else is a failure with a reason in words.

What it can do (`python -m tests.benchmarks.load`: 64 clients, 1 KiB answers, the benchmark's C floor on the other core;
CPython 3.11.7, uvloop 0.23, Linux 6.18, two cores of a virtual machine that had other work, the best of 5 rounds of
2 s): 60,500 requests a second on kept connections, for 10 us of its core each; with a connection for each request
9,200 a second, for 67 us each. wrk in the same rounds: 66,500 for 8 us, and 16,600 for 50 us. Where it is slower than
the server it says so: Tally.limited_by_load.
"""

from .arrivals import burst, open_loop, scheduled
from .by_wrk import wrk
from .closed_loop import closed
from .guilty import Fates, idle, slow_heads, slow_readers, vanishing
from .messages import Address, Ask
from .process import hold, run
from .tally import Tally

__all__ = [
    "Address",
    "Ask",
    "Fates",
    "Tally",
    "burst",
    "closed",
    "hold",
    "idle",
    "open_loop",
    "run",
    "scheduled",
    "slow_heads",
    "slow_readers",
    "vanishing",
    "wrk",
]
