"""The curves of ``python -m tests.benchmarks.growth``: an axis each, and a work for each place on it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from .report import Report, Table
from .site import Site
from .works import BROWSER, HOST, TAIL_EXPONENT, ExpectedResponse, Plan, Work, file, get, tail, zipf

RANGE_LENGTH = 1000  # bytes
RANGE_DISTANCE = 6400  # bytes from the beginning of a range to that of the next one; 16 of them fit into 100 KiB


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve: its axis, the places on it, and the work to measure at each of them."""

    name: str
    axis: str
    """What is counted along it."""
    places: tuple[int, ...]
    work: Callable[[int], Work]

    def at(self, place: int) -> Work:
        """The work at a place, with a name of its own."""
        return replace(self.work(place), name=self._key(place), title=f"{place:,} {self.axis}")

    def tables(self, report: Report) -> dict[int, Table]:
        """The results of a report at each place where there are any."""
        found = {table.work: table for table in report.tables}
        return {place: found[name] for place in self.places if (name := self._key(place)) in found}

    def _key(self, place: int) -> str:
        return f"growth-{self.name}-{place}"


def _connections(count: int) -> Work:
    """The hot file; longer rounds where there are many connections, since opening them is part of a round."""
    stretch = 1 + (count >= 1000) + 3 * (count >= 10_000)
    return Work("", "", file("small.html"), connections=count, stretch=stretch)


def _workers(count: int) -> Work:
    return Work("", "", zipf, log=True, workers=count)


def _ranges(count: int) -> Work:
    starts = range(0, count * RANGE_DISTANCE, RANGE_DISTANCE)
    value = ",".join(f"{start}-{start + RANGE_LENGTH - 1}" for start in starts).encode()
    request = get("medium.js", HOST + b"Range: bytes=" + value + b"\r\n")

    def plan(site: Site, tag: bytes) -> Plan:
        content = site.read("medium.js")
        parts = tuple(content[start : start + RANGE_LENGTH] for start in starts)
        return Plan((request,), (ExpectedResponse(206, b"".join(parts), parts if count > 1 else ()),))

    return Work("", "", plan)


def _fields(count: int) -> Work:
    """A browser's fields, the first so many of them; beyond those, made-up ones of 50 bytes."""
    lines = BROWSER.splitlines(keepends=True)
    lines += [b"X-Made-Up-%02d: %s\r\n" % (number, b"0123456789abcdef" * 2) for number in range(len(lines), count)]
    return Work("", "", file("small.html", b"".join(lines[:count])))


CURVES = (
    Curve("files", f"files of 4 KiB, Zipf with exponent {TAIL_EXPONENT}", (100, 1000, 10_000, 100_000), tail),
    Curve("connections", "connections, 1 KiB hot file", (1, 10, 100, 1000, 10_000), _connections),
    Curve("workers", "workers on one core, 1,000 files of 12 KiB, log", (1, 2), _workers),
    Curve("ranges", "ranges of 1,000 bytes, 100 KiB file", (1, 2, 4, 8, 16), _ranges),
    Curve("fields", "header fields, 1 KiB hot file", (5, 10, 20, 50), _fields),
)
