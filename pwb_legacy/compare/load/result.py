"""What a measurement found: counts, latencies, and what the load generator itself spent on it.

Latencies are kept in an HDR histogram: any percentile to three digits, from a microsecond to an hour, and the
histograms of several rounds can be added up, which percentiles cannot.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Self

from hdrh.histogram import HdrHistogram

LONGEST: Final = 3_600_000_000
"""Microseconds, the longest latency that is told apart from longer ones."""
DIGITS: Final = 3
BUSY: Final = 0.95
"""The share of a core from which on somebody counts as the bottleneck."""


def _empty() -> HdrHistogram:
    return HdrHistogram(1, LONGEST, DIGITS)


@dataclass(slots=True)
class Tally:
    """What came of the requests. Each one is in requests, in failures or in unfinished; none is left out.

    requests: answered rightly and wholly. failures: all others, and bytes that nobody asked for; reasons has them by
    why, in words. unfinished: under way when the measurement was ended early. bytes: of right answers, heads and
    contents. seconds: the time that was measured. in_time: answers within it; one that was on its way when it ended
    counts by the share that had come. histogram: latencies in microseconds, of right answers, and of those that were
    waited for in vain, which have the patience. queued: the most requests that waited at once for a free client. cpu,
    waited: seconds in which the generator worked, or wanted to while somebody else had its core. interrupted: a signal
    ended it early.
    """

    requests: int = 0
    failures: int = 0
    unfinished: int = 0
    bytes: int = 0
    seconds: float = 0.0
    in_time: float = 0.0
    histogram: HdrHistogram = field(default_factory=_empty)
    reasons: Counter[str] = field(default_factory=Counter)
    queued: int = 0
    cpu: float = 0.0
    waited: float = 0.0
    interrupted: bool = False

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.in_time / self.seconds if self.seconds else 0.0

    @property
    def busy(self) -> float:
        """The share of the time in which the generator worked, or would have, had it had its core for itself."""
        return (self.cpu + self.waited) / self.seconds if self.seconds else 0.0

    def limited_by_load(self, server_busy: float) -> bool:
        """Whether the generator was the bottleneck. server_busy: the share of its time that the server's tree worked,
        of the cores it may use."""
        return self.busy >= BUSY > server_busy

    def percentile(self, percent: float) -> float:
        """The latency in milliseconds that so many percent of the answers do not exceed; 0 if there is none."""
        return float(self.histogram.get_value_at_percentile(percent)) / 1000

    def fail(self, reason: str) -> None:
        self.failures += 1
        self.reasons[reason] += 1

    def record(self, microseconds: int, times: int = 1) -> None:
        """So many latencies."""
        self.histogram.record_value(min(max(microseconds, 1), LONGEST), times)

    def add(self, other: Self) -> None:
        """Puts another round into this one."""
        for name in ("requests", "failures", "unfinished", "bytes", "seconds", "in_time", "cpu", "waited"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.histogram.add(other.histogram)
        self.reasons.update(other.reasons)
        self.queued = max(self.queued, other.queued)
        self.interrupted |= other.interrupted

    def to_json(self) -> dict[str, Any]:
        """As plain values; the histogram in the V2 encoding that HDR libraries of other languages read, too."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {"histogram": self.histogram.encode().decode(), "reasons": dict(self.reasons)}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Self:
        """The reverse."""
        histogram = HdrHistogram.decode(plain["histogram"].encode())
        return cls(**plain | {"histogram": histogram, "reasons": Counter(plain["reasons"])})
