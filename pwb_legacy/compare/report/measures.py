"""The figures of a measurement, as the page shows them."""

from dataclasses import dataclass, replace
from typing import Final

from .spread import Spread


@dataclass(frozen=True, slots=True)
class Measure:
    """One kind of figure."""

    name: str
    """The field of Measurement."""
    good: str = ""
    """Which figures are better: "more", "less" or neither."""
    scale: float = 1.0
    """What the field is divided by."""
    whole: bool = False
    """It counts something that has no parts."""

    def told(self, known: Spread) -> str:
        """The figure as text."""
        one = self.scaled(known)
        return f"{one.middle:,.0f}" if self.whole else one.told

    def scaled(self, known: Spread) -> Spread:
        """A figure in the unit in which it is shown."""
        middle, low, high = (value / self.scale for value in (known.middle, known.low, known.high))
        return replace(known, middle=middle, low=low, high=high)


MEASURES: Final = {
    one.name: one
    for one in (
        Measure("page_ms", "less"),
        Measure("rate", "more"),
        Measure("p50_ms", "less"),
        Measure("p90_ms", "less"),
        Measure("p99_ms", "less"),
        Measure("cpu_us", "less"),
        Measure("memory_kib", "less", 1024),
        Measure("memory_per_connection_kib", "less"),
        Measure("threads", whole=True),
        Measure("processes", whole=True),
        Measure("switches", "less"),
        Measure("system_calls", "less"),
    )
}
"""In the order of the columns."""

WAITS: Final = ("many", "slow-heads", "slow-readers", "burst", "vanishing", "slow-disk", "replay")
"""Scenarios that show how long clients wait: their percentiles are drawn as curves."""
