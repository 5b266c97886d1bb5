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

`compare` plays its scenarios with closed, wrk, burst, scheduled and the guilty clients, in its own process. The open
loop, and run and hold, which start a process, are for who measures one server: `python -m pwb_legacy.compare.load`
takes any of these jobs, and the tests and tests/benchmarks use them.

An answer is right when its status is the expected one, its Content-Length is there and true, and a connection that was
to be closed is closed. Everything else is a failure with a reason in words.

What it can do (`python -m tests.benchmarks.load --rounds 6`: 64 clients, 1 KiB answers, the benchmark's C floor on the
other core; CPython 3.11.7, uvloop 0.23, Linux 6.18, two cores of a virtual machine that had other work, too): on kept
connections 66,700 requests a second in the best round, for 11 us of its core each; with a connection for each request
7,200, for 83 to 97 us each. wrk in the same run: 78,700 for 9 us, and 10,300 for 59 to 75 us. Where it is slower than
the server it says so: Tally.limited_by_load.
"""

from .arrivals import burst, open_loop, scheduled
from .closed_loop import closed
from .hostile_clients import Fates, idle, slow_heads, slow_readers, vanishing
from .messages import Address, Ask
from .process import hold, run
from .result import Tally
from .wrk import wrk

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
