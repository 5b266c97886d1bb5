"""The part of the English catalogue that is about the sweep, its curves and the growth that they show."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    # Questions: title, axes, the head of its sentence, and what can be seen in it.
    "curve.rate": "Requests a second, over the number of clients",
    "curve.rate.figure": "requests a second",
    "curve.rate.unit": "/s",
    "curve.rate.teaches": (
        "Each client asks again when it has its response. More clients keep a server busy, until it has as much to do "
        "as it can. A good design stays there; one that pays for each client falls."
    ),
    "curve.wait": "How long 99 of 100 requests wait at most, over the number of clients",
    "curve.wait.figure": "p99 in ms",
    "curve.wait.unit": "ms",
    "curve.wait.teaches": (
        "In a closed loop a busy server lets each client wait for all others: the wait is little more than clients "
        "divided by requests a second, so linear growth is what a server at its limit shows. Faster growth means that "
        "it gets slower with its clients, or is unfair to some of them. The growth is judged by p90, which the "
        "requests of a single round carry."
    ),
    "curve.cpu": "CPU time for a request, over the number of clients",
    "curve.cpu.figure": "CPU time in µs",
    "curve.cpu.unit": "µs",
    "curve.cpu.teaches": (
        "What a response costs the processes of the server. It falls where one waking of the server serves several "
        "clients, and grows where each client costs something by being there."
    ),
    "curve.load": "How long 90 of 100 requests wait at most, over the load",
    "curve.load.figure": "p90 in ms",
    "curve.load.unit": "ms",
    "curve.load.teaches": (
        "Requests are sent at random moments to {connections} clients' connections, at a share of what this design "
        "could serve right before, whatever the server does; a wait counts from the moment when the request was due. "
        "Below its capacity a server answers at once, near it a queue grows, and beyond it the wait has no end: it "
        "grows as long as the load lasts. The growth is judged by p50."
    ),
    "curve.up": "{figure} (logarithmic)",
    "curve.clients": "clients (doubling)",
    "curve.offered": "requests sent, as a share of the design's capacity",
    "curve.capacity": "Capacities, requests a second: {parts}.",
    "curve.capacity.part": "{design} {rate}",
    # How something grows. designs: names; at: a place or several.
    "growth": "{title}: {parts}.",
    "growth.alone": "Over more and more clients: {parts}.",
    "growth.alone.offered": "Over more and more load: {parts}.",
    "growth.flat": "flat with {designs}",
    "growth.saturates": "grows up to {at} clients, then flat, with {designs}",
    "growth.collapses": "collapses at {at} clients with {designs}",
    "growth.slower": "grows, but more slowly than the clients, with {designs}",
    "growth.linear": "linear with {designs}",
    "growth.faster": "grows faster than the clients with {designs}",
    "growth.grows": "grows, by the factors in brackets, with {designs}",
    "growth.falls": "falls, by the factors in brackets, with {designs}",
    "growth.leaps": "leaps at {at} of the capacity with {designs}",
    "growth.no_leap": "no leap can be seen with {designs}",
    "growth.cannot_tell": "the rounds cannot tell for {designs}",
    "growth.cannot_tell.one_round": "a single round cannot tell",
    "growth.designs": "{design} ({at})",
    "growth.words": (
        "Flat: within a factor of 1.5. Collapses: falls below half of its highest throughput, and stays there. Linear: "
        "twice as much with twice as many clients, by and large (an exponent of 0.7 to 1.3). Leaps: above five times "
        "the wait at the lowest load, and stays there. Cannot tell: the rounds do not agree, or requests are too few."
    ),
    "about.load.sweep": (
        "the laboratory's own generator; closed loops of 1 to 512 clients, open loops over {connections} connections"
    ),
    # The page and the terminal.
    "page.questions": "{n} curves",
    "curves.table": (
        "A column for each place on the axis: {axis}. A figure is the median over the rounds, and below it are the "
        "smallest and the largest; a percentile that the requests of no round carry is that of all rounds together."
    ),
    "curves.caption": "All figures: {figure}",
    "curves.limited": (
        "* The load generator was busier than the server: at least so many requests a second. In the open loop such "
        "points are left out."
    ),
    "curves.disturbed": (
        "† Other programs had more than {share:.0%} of the cores' time in most rounds: such a figure says little of "
        "the design."
    ),
    "curves.point.clients": "round {round}, {design}, clients: {x}",
    "curves.point.offered": "round {round}, {design}, load: {x}",
    "curves.plan": (
        "{points} points in a round, at least {least} rounds if time allows; about {each:.1f} s for a point and "
        "{minutes:.1f} minutes in all"
    ),
    "curves.failures": "! {failures:,} of {requests:,} requests failed: {parts}",
    "curves.failed": "{design} at {x}: {why}",
    "remark.over": "The time was over in round {number}: {n} of its points are missing.",
}
