"""The tables and paragraphs of docs/scale.md that have figures, each made by the function of its name."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any, Final

from pwb_async.config.options import Options
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.observability.combined_format import format_combined
from pwb_async.observability.exchange import make_exchange
from pwb_async.server.cache_store import OVERHEAD
from pwb_async.server.deferred_fetches import _AT_ONCE
from pwb_async.storage.object_store.storage import _MAX_NAMES
from tests.benchmarks.hit_ratio import OBJECTS, Result
from tests.benchmarks.popularity import Zipf, asked_again, lru
from tests.benchmarks.report import Report, Row, Table
from tests.benchmarks.works import BROWSER, get

from .benchmark_page import shown
from .benchmark_words import conditions, wrapped

MICRO: Final = 1e-6
GIGA: Final = 1e9
DAY: Final = 86_400
WIRE: Final = 1448 / 1538
"""The part of an Ethernet's rate that is content of TCP: 1,448 bytes of a frame that takes 1,538 with its gap."""
CARDS: Final = (10, 25, 100)
"""Gbit/s."""
NODES: Final = 1000
S3_READS: Final = 5500
"""GET and HEAD requests a second of a partition of S3, at least."""
S3_WAIT: Final = (0.1, 0.2)
"""Seconds that S3 takes for the first byte."""
RATE: Final = 1000
"""Requests a second to each node, where an example needs a rate."""
EXPONENT: Final = 0.8
"""Of Zipf's law, where an example needs one."""
TTLS: Final = {"10 s, the default": 10, "1 min": 60, "1 h": 3600}
"""Values of --store-ttl."""
PORTS: Final = 60_999 - 32_768 + 1
"""Ports of Linux for connections to one address, by default."""
TIME_WAIT: Final = 60
"""Seconds for which Linux keeps a port after the end of a connection that it has closed."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The results of the last runs: of all peers, over HTTPS, from an object store, and of the simulation."""

    peers: Report
    tls: Report
    stores: Report
    hits: Sequence[Result]
    whole: Sequence[Result]
    """Some of the hit ratios, simulated with all objects."""
    simulated: dict[str, Any]
    """The conditions of the simulation."""


def node(figures: Figures) -> str:
    """What one core carries."""
    works = {
        "1 KiB": (figures.peers, "hot"),
        "1,000 files of 12 KiB, log": (figures.peers, "zipf-log"),
        "100 KiB": (figures.peers, "file-100k"),
        "1 MiB": (figures.peers, "file-1m"),
        "1 KiB, a new connection each": (figures.peers, "new-connection"),
        "1 KiB over HTTPS, log": (figures.tls, "https-hot"),
        "100 KiB over HTTPS, log": (figures.tls, "https-100k"),
        "1 KiB over HTTPS, a full handshake each, log": (figures.tls, "https-full"),
    }
    rows = []
    for title, (report, work) in works.items():
        found = _table(report, work)
        cost = _cost(found)
        carried = "" if "each" in title else f"{8 * _size(figures, work) / cost / GIGA:.1f}"
        rows.append([title, shown(cost / MICRO), _rounded(1 / cost), carried, f"{found.ratio('pwb') or 0:.2f}"])
    return _markdown(["response", "µs", "a second and core", "Gbit/s a core", "times nginx"], rows)


def memory(figures: Figures) -> str:
    """What idle connections take."""
    idle = _table(figures.peers, "idle-memory")
    mine, its = (_row(idle, peer).value for peer in ("pwb", "nginx"))
    return wrapped(
        f"An idle connection takes {mine:,.0f} bytes of the process, nginx's {its:,.0f}, so {_rounded((1 << 30) / mine)} of them "
        "take 1 GiB; the kernel's own memory for sockets is not in these figures. `--max-connections` follows from the "
        f"limit of descriptors, half of them: {_allowed(65_536):,} with the 65,536 of [pwb.service](pwb.service), "
        f"{_allowed(1024):,} with the 1,024 that many shells have."
    )


def store(figures: Figures) -> str:
    """What a response costs from an object store."""
    works = {
        "1 KiB, in the cache of responses": "hot",
        "1,000 files of 12 KiB, log, in it as well": "zipf-log",
        "100 KiB, in it as well": "file-100k",
        "1 MiB, its slices in memory": "file-1m",
        "1,000 files of 12 KiB, their slices in memory, `--cache off`": "zipf-cache-off",
        "4 KiB, not asked for before": "store-new",
        "404, not asked for before": "store-none",
        "404, asked for before": "store-none-known",
    }
    rows = []
    for title, work in works.items():
        found = _table(figures.stores, work)
        disk, fetched = (_row(found, peer).value for peer in ("pwb", "pwb-store"))
        rows.append([title, shown(disk), shown(fetched), f"{fetched / disk:.2f}", _rounded(1e6 / fetched)])
    head = ["response", "disk, µs", "store, µs", "ratio", "a second and core from the store"]
    return f"{_markdown(head, rows)}\n\n{wrapped(conditions(figures.stores))}"


def network(figures: Figures) -> str:
    """What network cards carry."""
    small, large = (_size(figures, work) for work in ("zipf-log", "file-100k"))
    costs = [_cost(_table(figures.peers, work)) for work in ("zipf-log", "file-100k")]
    costs.append(_cost(_table(figures.tls, "https-100k")))
    rows = []
    for card in CARDS:
        pages, files = (WIRE * card * GIGA / 8 / size for size in (small, large))
        cores = [f"{rate * cost:.1f}" for rate, cost in zip((pages, files, files), costs, strict=True)]
        together = f"{card * NODES / 1000:,.0f} Tbit/s, {pages * NODES / 1e6:,.0f} million"
        rows.append([f"{card} Gbit/s", _rounded(pages), cores[0], _rounded(files), cores[1], cores[2], together])
    head = [
        "card",
        "12 KiB a second",
        "cores",
        "100 KiB a second",
        "cores",
        "with HTTPS",
        f"{NODES:,} nodes, 12 KiB a second",
    ]
    return _markdown(head, rows)


def site(figures: Figures) -> str:
    """How large the site of the simulation is, and what of it the cache has room for."""
    file = 12 << 10
    each, default = file + OVERHEAD, Options().cache
    return wrapped(
        f"With files of 12 KiB such a site has {OBJECTS * file / 1e9:.0f} GB. The cache of {default >> 20} MiB, the default, has "
        f"room for {default // each:,} of them, {100 * default / each / OBJECTS:.2f} %, and `--cache {OBJECTS // 100 * each / 1e9:.1f}G` "
        "would have it for 1 %."
    )


def hits(figures: Figures) -> str:
    """Hit ratios, for requests to any node and for requests by URI."""
    found = {(result.exponent, result.share, result.nodes): result for result in figures.hits}
    shares = sorted({share for _, share, _ in found})
    rows = []
    for exponent in sorted({exponent for exponent, *_ in found}):
        pairs = ([found[exponent, share, nodes].hit_ratio for nodes in (1, 3)] for share in shares)
        rows.append([f"{exponent}", *(f"{100 * any_node:.1f} / {100 * by_uri:.1f}" for any_node, by_uri in pairs)])
    head = ["exponent", *(f"room for {100 * share:g} %" for share in shares)]
    return _markdown(head, rows)


def policy(figures: Figures) -> str:
    """How the cache compares with others, and how certain the ratios are."""
    alone = [result for result in figures.hits if result.nodes == 1]
    above = [100 * (result.hit_ratio - result.lru) for result in alone]
    below = [100 * (result.optimum - result.hit_ratio) for result in alone]
    found = {(result.exponent, result.share, result.nodes): result.hit_ratio for result in figures.hits}

    def difference(result: Result) -> float:
        return abs(result.hit_ratio - found[result.exponent, result.share, result.nodes])

    return wrapped(
        f"PWB's cache has {min(above):.1f} to {max(above):.1f} points more than one that drops what was used longest ago "
        f"(by the [approximation of Che](https://arxiv.org/abs/1202.3974)) and {min(below):.1f} to {max(below):.1f} less than one that always holds the most "
        "popular objects, above which none can be. The standard error of a figure is at most "
        f"{100 * max(result.error for result in figures.hits):.2f} points. In large caches neighbours in popularity are "
        f"simulated as one object; of {len(figures.whole)} figures that were repeated with all objects by themselves none "
        f"differed by more than {100 * max(map(difference, figures.whole)):.1f} points. The simulation took "
        f"{figures.simulated['seconds']} s; all results are in [benchmark/hit-ratio.json](benchmark/hit-ratio.json)."
    )


def learning(figures: Figures) -> str:
    """How long a cache takes to learn what is popular."""
    slow, fast = (
        next(result.learned for result in figures.hits if (result.exponent, result.share, result.nodes) == case)
        for case in ((0.6, 0.001, 1), (1.1, 0.001, 1))
    )
    return wrapped(
        "Real requests are not independent: what is popular changes, which lowers the ratios, and the files of a page are "
        "requested together, which raises them. Objects of different sizes were not simulated. A cache takes its time to "
        f"learn what is popular: before the measurement the one of 0.1 % got {slow:.0f} requests for each object that it has "
        f"room for with an exponent of 0.6, and {fast:.0f} with 1.1."
    )


def demand(figures: Figures) -> str:
    """Requests to the store, for requests to any node and by URI."""
    zipf = Zipf(OBJECTS, EXPONENT)
    rows = []
    for title, ttl in TTLS.items():
        each = _asked(zipf, RATE, ttl, _MAX_NAMES)
        totals = [f"{_asked(zipf, nodes * RATE, ttl, nodes * _MAX_NAMES):,.0f}" for nodes in (3, 100, NODES)]
        rows.append([title, f"{each:,.0f}", f"{S3_READS / each:.0f}", *totals])
    head = ["`--store-ttl`", "each node, if any gets a request", f"nodes until {S3_READS:,}"]
    return _markdown([*head, *(f"all {nodes:,}, by URI" for nodes in (3, 100, NODES))], rows)


def small(figures: Figures) -> str:
    """The most that has to be asked for a site all of whose names are remembered."""
    return wrapped(
        f"A site of at most {_MAX_NAMES:,} objects, all of which a node remembers, asks at most once for each in "
        f"`--store-ttl`: {NODES:,} nodes with an hour {NODES * _MAX_NAMES / 3600:,.0f} times a second in all."
    )


def breaks(figures: Figures) -> str:
    """What breaks first, in order."""
    pages, full = _cost(_table(figures.peers, "zipf-log")), _cost(_table(figures.tls, "https-full"))
    rate = WIRE * CARDS[0] * GIGA / 8 / _size(figures, "zipf-log")
    slow, fast = (_AT_ONCE / wait for wait in reversed(S3_WAIT))
    first = [Zipf(OBJECTS, exponent).share(1) for exponent in (0.6, 0.8, 1.0, 1.1)]
    line = len(_log_line())
    items = [
        f"**The network card.** Files of 12 KiB fill 10 Gbit/s with {rate * pages:.1f} cores. All that passes through one "
        "load balancer fits through its card: a thousand nodes need many of them, chosen by DNS, anycast or the routes of "
        "the network, or balancers that let nodes answer clients directly.",
        f"**The store's request rate, when many nodes start or a release begins.** A node asks for {_AT_ONCE} objects at a "
        f"time; at {1000 * S3_WAIT[0]:.0f} to {1000 * S3_WAIT[1]:.0f} ms that is {slow:,.0f} to {fast:,.0f} a second, so "
        f"{ceil(S3_READS / fast)} to {ceil(S3_READS / slow)} nodes reach {S3_READS:,}. To fill {NODES:,} nodes with the same {_MAX_NAMES:,} "
        f"objects takes {NODES * _MAX_NAMES / S3_READS / 3600:.1f} h at that rate, one copy of each by URI "
        f"{_MAX_NAMES / S3_READS:.0f} s. While S3 answers 503, PWB does so, too, for what it does not have.",
        f"**One hot node**, where requests are balanced by URI: the most popular object alone gets {_list(first)} of all "
        f"requests for exponents of 0.6, 0.8, 1.0 and 1.1, with {NODES:,} nodes "
        f"{_several([NODES * share for share in first])} times what a node gets on average. `hash-balance-factor` of HAProxy "
        "bounds it, and sends what is above to other nodes.",
        f"**Connections and ports.** A node takes {_allowed(65_536):,} connections with [pwb.service](pwb.service), those "
        f"that balancers keep included. Linux has [{PORTS:,} "
        "ports](https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html) for connections from one address to one port of another, "
        f"and keeps each for {TIME_WAIT} s after its own side has closed the connection: a balancer that opens one for each "
        f"request can make {_rounded(PORTS / TIME_WAIT)} a second to each node. `http-reuse` of HAProxy keeps them, and PWB "
        f"closes one after {Options().requests_per_connection:,} requests, which leaves the wait to PWB's side.",
        f"**Logs.** A line for a browser takes {line} bytes in the combined format: at {_rounded(rate)} requests a second "
        f"{line * rate / 1e6:.0f} MB a second and {line * rate * DAY / 1e12:.1f} TB a day, {NODES:,} times that for all.",
        f"**Handshakes.** A full one with one request takes {shown(full / MICRO)} µs: {_rounded(1 / full)} a second and core. "
        f"Where clients keep their connections that is little, but when a node starts and {_allowed(65_536):,} clients "
        f"connect to it at once, it takes a core {_allowed(65_536) * full:.1f} s.",
    ]
    return "\n".join(wrapped(item, f"{number}. ") for number, item in enumerate(items, 1))


def _asked(zipf: Zipf, rate: float, ttl: float, names: int) -> float:
    """Requests a second to the store: by age, or by the names that are remembered, whichever is more."""
    return max(asked_again(zipf, rate, ttl), rate * (1 - lru(zipf, names)))


def _log_line() -> bytes:
    head = get("pages/00/page-0000.html", BROWSER)
    request = RequestParser(Limits()).parse(head[:-2])
    assert not hasattr(request, "first_line")
    return b"".join(format_combined(make_exchange("203.0.113.77", request, 200, 12_000, 1_800_000_000)))


def _allowed(descriptors: int) -> int:
    """Connections that a limit of descriptors allows."""
    return (descriptors - 64) // 2


def _table(report: Report, work: str) -> Table:
    return next(table for table in report.tables if table.work == work)


def _row(table: Table, peer: str) -> Row:
    row = table.row(peer)
    assert row, f"{peer} was not measured at {table.work}"
    return row


def _cost(table: Table) -> float:
    """Seconds of processor time."""
    return _row(table, "pwb").value * MICRO


def _size(figures: Figures, work: str) -> float:
    """Bytes of a response with its head."""
    report = figures.tls if work.startswith("https") else figures.stores
    return median(sample.bytes_per_response for sample in _row(_table(report, work), "pwb").samples)


def _list(shares: Sequence[float]) -> str:
    words = [f"{100 * share:.2g} %" for share in shares]
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _rounded(value: float) -> str:
    """A figure above 1,000 with three digits."""
    return f"{float(f'{value:.3g}'):,.0f}"


def _several(values: Sequence[float]) -> str:
    words = [f"{value:.2g}" if value < 100 else _rounded(value) for value in values]
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
