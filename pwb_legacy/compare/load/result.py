"""The result of a load: counts, latencies, and the CPU time of the load generator itself.

Latencies are kept in an HDR histogram: any percentile to three digits, from a microsecond to an hour, and the
histograms of several rounds can be added up, which percentiles cannot.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Self

from hdrh.histogram import HdrHistogram

LONGEST: Final = 3_600_000_000
"""Microseconds of the longest latency that is distinguished from longer ones."""
DIGITS: Final = 3
BUSY: Final = 0.95
"""The share of the time it could have from which on a program counts as the bottleneck."""


def _empty() -> HdrHistogram:
    return HdrHistogram(1, LONGEST, DIGITS)


@dataclass(slots=True)
class Tally:
    """What came of the requests. Each one is in requests, in failures or in unfinished; none is left out."""

    requests: int = 0
    """Answered rightly and completely."""
    failures: int = 0
    """All others, and bytes without a request."""
    unfinished: int = 0
    """Under way when the measurement was ended early."""
    bytes: int = 0
    """Of right responses, heads and contents."""
    seconds: float = 0.0
    """The time that was measured."""
    in_time: float = 0.0
    """Responses within it; one that was on its way at the end counts by the share that had been received."""
    histogram: HdrHistogram = field(default_factory=_empty)
    """Latencies in microseconds, of right responses and of requests that timed out, which have the timeout."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why requests failed, in words, and how many."""
    queued: int = 0
    """The most requests that waited at once for a free client."""
    cpu: float = 0.0
    """Seconds of the measured time in which the load generator worked."""
    waited: float = 0.0
    """Seconds of it in which it had work, but another program had its core."""
    interrupted: bool = False
    """A signal ended it early."""

    @property
    def rate(self) -> float:
        """Responses a second."""
        return self.in_time / self.seconds if self.seconds else 0.0

    @property
    def busy(self) -> float:
        """The share of the time in which the load generator worked; other programs on its core are no part of it."""
        return self.cpu / self.seconds if self.seconds else 0.0

    def limited_by_load(self, server_busy: float) -> bool:
        """Whether the load generator was the bottleneck: it worked all the time that other programs left it, and more
        than the server. server_busy: the share of the time of its cores in which the server worked."""
        is_full = self.cpu >= BUSY * (self.seconds - self.waited)
        return is_full and server_busy < min(BUSY, self.busy)

    def percentile(self, percent: float) -> float:
        """The latency in milliseconds that so many percent of the requests do not exceed; 0 if there is none."""
        return float(self.histogram.get_value_at_percentile(percent)) / 1000

    def fail(self, reason: str) -> None:
        """Count a failure."""
        self.failures += 1
        self.reasons[reason] += 1

    def record(self, microseconds: int, times: int = 1) -> None:
        """Count so many latencies."""
        self.histogram.record_value(min(max(microseconds, 1), LONGEST), times)

    def add(self, other: Self) -> None:
        """Add another result to this one."""
        for name in ("requests", "failures", "unfinished", "bytes", "seconds", "in_time", "cpu", "waited"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.histogram.add(other.histogram)
        self.reasons.update(other.reasons)
        self.queued = max(self.queued, other.queued)
        self.interrupted |= other.interrupted

    def to_json(self) -> dict[str, Any]:
        """The same as plain values; the histogram in the V2 encoding, which HDR libraries of other languages read."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {"histogram": self.histogram.encode().decode(), "reasons": dict(self.reasons)}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Self:
        """The reverse of to_json()."""
        histogram = HdrHistogram.decode(plain["histogram"].encode())
        return cls(**plain | {"histogram": histogram, "reasons": Counter(plain["reasons"])})
