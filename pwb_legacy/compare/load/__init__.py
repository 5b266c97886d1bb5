"""The load generator: clients on uvloop that send requests to a server, check the responses, and count.

    messages         requests, and what the head of a response promises
    connection       one connection: send, check, report
    pool             the connections of a load to one server
    clients          a number of connections that take requests from a source
    closed_loop      each client asks again when it has its response: how much can the server do?
    arrivals         requests at given moments: a rate, a schedule, a burst. How long do they wait?
    pages            many small files, as a browser fetches them, with HTTP/1.1 or with HTTP/2
    http2            a connection of HTTP/2 that sends all its requests at once
    delay_line       a proxy that holds bytes back, as if the server were far away
    hostile_clients  idle clients, slow senders, slow readers, clients that vanish
    wrk              the closed loop by wrk
    result           what came of the requests
    own_cost         the CPU time of the load generator itself
    job              a load as JSON, for a process of its own: __main__ runs it, process starts it

`compare` plays its scenarios in its own process. `run` and `hold`, which start one, are for measuring a single server:
`python -m pwb_legacy.compare.load` takes any of these jobs, and the tests and tests/benchmarks use them.

A response is right when its status is the expected one, its Content-Length is there and true, and a connection that was
to be closed is closed. Everything else is a failure with a reason in words.

It sends 66,700 requests a second on kept connections, where wrk sends 78,700 (`python -m tests.benchmarks.load`, two
cores). Where it is slower than the server it says so: Tally.limited_by_load.
"""

from .arrivals import burst, open_loop, scheduled
from .closed_loop import closed
from .delay_line import delayed
from .hostile_clients import Outcome, idle, slow_heads, slow_readers, vanishing
from .messages import Address, Ask
from .pages import again, page_over_http1, page_over_http2
from .process import hold, run
from .result import Tally
from .wrk import wrk

__all__ = [
    "Address",
    "Ask",
    "Outcome",
    "Tally",
    "again",
    "burst",
    "closed",
    "delayed",
    "hold",
    "idle",
    "open_loop",
    "page_over_http1",
    "page_over_http2",
    "run",
    "scheduled",
    "slow_heads",
    "slow_readers",
    "vanishing",
    "wrk",
]
