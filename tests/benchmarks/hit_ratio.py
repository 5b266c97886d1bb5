"""The hit ratio of PWB's cache on a site of ten million objects: ``python -m tests.benchmarks.hit_ratio --out docs/benchmark``

The cache is the real one, pwb_async/server/cache_store.py: CacheStore, with its queues, whose entries count for one byte
each here. Requests are drawn by Zipf's law, for several exponents and for caches of several parts of the site: for one
node, and for three of which each has its own objects (``balance uri`` of HAProxy). If requests go to any of three nodes
(``roundrobin``, ``random``), each gets requests of the same popularity, and so has the hit ratio of one.

Two things make it take about a minute, and change the results by less than their error:

  - The most popular objects, a thousandth of what the cache has room for, are always in it, so requests for them are
    hits and are not simulated.
  - For a cache of more than MOST objects, as many ranks one after another are one object as make the cache that small
    (--whole does without): all of them are requested as often, so a part of the objects in the same part of the cache
    is used and dropped as all of them in the whole. C. Waldspurger et al., Efficient MRC construction with SHARDS, 2015.

With --out the results are written as ``hit-ratio.json``, and a picture as ``hit-ratio.svg``; those of --whole as
``hit-ratio-whole.json``, without a picture.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from random import Random
from statistics import mean, stdev
from zlib import crc32

from pwb_async.server.cache_store import CacheStore, Entry

from .popularity import Zipf, lru, optimum

OBJECTS = 10_000_000
EXPONENTS = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
SHARES = (0.0001, 0.001, 0.01, 0.1)
"""Parts of the site's objects that the cache of a node has room for."""
NODES = (1, 3)
SEED = 24
MOST = 5000
"""Objects that a simulated cache has room for, unless all objects are simulated."""
ALWAYS = 1000
"""One part in so many of the objects that a cache has room for is taken as always there."""
WARM = 15
"""Hits before the measurement, in multiples of the objects that all caches together have room for: what is popular moves
to the main queue by hits, so a cache that has few of them takes many requests until its hit ratio no longer rises."""
MEASURED = 20
"""Requests that are counted, in the same multiples."""
BATCHES = 10
"""Parts of the measurement, whose spread gives the error."""


class CachedObject(Entry):
    """An entry that counts for one byte, so that a cache of so many bytes has room for as many objects."""

    __slots__ = ()

    def __init__(self, key: bytes, now: float) -> None:
        self.key, self.aliases, self.size = key, (), 1
        self.first_used = self.last_used = self.counted_use = now


class Node:
    """A server's cache, used as pwb_async/server/response_cache.py does."""

    def __init__(self, capacity: int) -> None:
        self._store = CacheStore(capacity)
        self._entries = self._store.entries

    def request(self, key: bytes, now: float) -> bool:
        """Whether an object is there; otherwise it is added."""
        entry = self._entries.get(key)
        if entry is not None:
            entry.last_used = now
            return True
        self._store.add(CachedObject(key, now))
        return False


Balance = Callable[[bytes], int]
"""The number of the node that gets a request for a key."""


def by_uri(nodes: int) -> Balance:
    """Send all requests for an object to the same node. All nodes have as many objects."""
    return (lambda key: crc32(key) % nodes) if nodes > 1 else lambda key: 0


@dataclass(frozen=True, slots=True)
class Result:
    """The hit ratio of all nodes together. share: of the site's objects, in the cache of a node."""

    exponent: float
    share: float
    nodes: int
    hit_ratio: float
    error: float
    """The standard error of the hit ratio."""
    lru: float
    """Of a cache that drops what was used longest ago, by Che's approximation."""
    optimum: float
    """Of a cache that holds the most popular objects."""
    grouped: int
    """How many ranks were one object."""
    learned: float
    """Requests before the measurement for each object that the caches have room for, those for the most popular included."""


def simulate(
    zipf: Zipf, capacity: int, balance: Balance, nodes: int, random: Random, grouped: int = 1
) -> tuple[list[float], float]:
    """The hit ratio of each batch, and requests before them for each object. capacity: objects in each node's cache."""
    first = capacity // ALWAYS + 1
    draw = zipf.ranks(random, first)
    caches = [Node(capacity // grouped) for _ in range(nodes)]
    room = min(nodes * capacity, zipf.objects) // grouped
    always = zipf.share(first - 1)
    now = 0

    def hits(requests: int) -> int:
        nonlocal now
        found = 0
        for rank in islice(draw, requests):
            now += 1
            key = (rank // grouped).to_bytes(4)
            found += caches[balance(key)].request(key, now)
        return found

    warmed = 0
    while warmed < WARM * room:
        warmed += hits(room)
    batch = max(1, MEASURED * room // BATCHES)
    learned = now / room / (1 - always)
    return [always + (1 - always) * hits(batch) / batch for _ in range(BATCHES)], learned


def measure(exponent: float, share: float, nodes: int, objects: int, whole: bool, seed: int) -> Result:
    """The hit ratio for one exponent and one size of the caches."""
    zipf, capacity = Zipf(objects, exponent), round(objects * share)
    grouped = 1 if whole else max(1, capacity // MOST)
    random = Random(f"{seed} {exponent} {share} {nodes}")
    batches, learned = simulate(zipf, capacity, by_uri(nodes), nodes, random, grouped)
    together = nodes * capacity
    error = stdev(batches) / BATCHES**0.5
    return Result(
        exponent,
        share,
        nodes,
        round(mean(batches), 4),
        round(error, 5),
        round(lru(zipf, together), 4),
        round(optimum(zipf, together), 4),
        grouped,
        round(learned, 1),
    )


def as_text(results: Sequence[Result]) -> str:
    """A table: a line for each exponent, and for each part of the site the hit ratio of each number of nodes."""
    columns = sorted({(result.share, result.nodes) for result in results})
    found = {(result.exponent, result.share, result.nodes): result for result in results}
    lines = ["exponent " + "".join(f"{f'{share:.2%} x{nodes}':>12}" for share, nodes in columns)]
    for exponent in sorted({result.exponent for result in results}):
        cells = (found[exponent, *column] for column in columns)
        lines.append(f"{exponent:8} " + "".join(f"{result.hit_ratio:>12.1%}" for result in cells))
    return "\n".join(lines)


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.hit_ratio", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--objects", type=int, default=OBJECTS, help=f"of the site ({OBJECTS:,})")
    parser.add_argument("--exponents", type=float, nargs="+", default=EXPONENTS, help="of Zipf's law")
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="parts of the site in a node's cache")
    parser.add_argument("--nodes", type=int, nargs="+", default=NODES, help="by URI; 1: one, or any of several")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--whole", action="store_true", help="simulate all objects; takes minutes for large caches")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="at a time (one for each core)")
    parser.add_argument("--out", type=Path, help="folder for the results and the picture")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    options = arguments(words)
    cases = [
        (exponent, share, nodes, options.objects, options.whole, options.seed)
        for share in sorted(options.shares, reverse=True)
        for exponent in options.exponents
        for nodes in options.nodes
    ]
    begin = time.monotonic()
    with ProcessPoolExecutor(options.processes) as processes:
        results = list(processes.map(measure, *zip(*cases, strict=True)))
    results.sort(key=lambda result: (result.exponent, result.share, result.nodes))
    print(as_text(results))
    if options.out:
        conditions = {
            "date": time.strftime("%Y-%m-%d"),
            "objects": options.objects,
            "seed": options.seed,
            "whole": options.whole,
            "seconds": round(time.monotonic() - begin),
        }
        write(options.out, conditions, results)
    return 0


def write(folder: Path, conditions: dict[str, object], results: Sequence[Result]) -> None:
    """Write the results as JSON, and the picture where the drawing library is there."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [asdict(result) for result in results]
    name = "hit-ratio-whole.json" if conditions["whole"] else "hit-ratio.json"
    (folder / name).write_text(json.dumps({"conditions": conditions, "results": rows}, indent=1) + "\n")
    if conditions["whole"]:
        return
    try:
        from . import charts
    except ImportError as error:
        print(f"no picture: {error}")
    else:
        charts.draw_hit_ratio(results, folder)


if __name__ == "__main__":
    sys.exit(main())
