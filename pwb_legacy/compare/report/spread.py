"""A figure with its spread over the rounds, and figures as text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

from hdrh.histogram import HdrHistogram

from pwb_legacy.compare.measure.results import Measurement, Point, Results
from pwb_legacy.compare.measure.running_server import CARRIES, PERCENTILES

from .paired import quantile


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure of one design in one scenario."""

    design: str
    middle: float
    """The median over the rounds; a percentile that not every round carries is that of all their requests together."""
    low: float
    """The lower end of the middle half of the rounds."""
    high: float
    rounds: int
    n: int | None = None
    """The number of requests behind a percentile."""

    @property
    def told(self) -> str:
        """The figure as text, with the digits that its spread allows."""
        return figure(self.middle, (self.high - self.low) / 2 if self.rounds > 1 else None)


def spread(results: Results, design: str, scenario: str, name: str) -> Spread | None:
    """The figure of a design; None where it is not known. name: a field of Measurement. A percentile that not every
    round carries is that of the requests of all rounds together, if these carry it."""
    whole = [one for one in results.of(design, scenario) if one.why is None]
    values = sorted(value for one in whole if (value := getattr(one, name)) is not None)
    together = waits(whole) if name in PERCENTILES else None
    n = together.get_total_count() if together else None
    if name in PERCENTILES and (n is None or n < CARRIES[PERCENTILES[name]]):
        return None
    if together and len(values) < len(whole):
        value = together.get_value_at_percentile(PERCENTILES[name]) / 1000
        return Spread(design, value, value, value, 1, n)
    if not values:
        return None
    return Spread(design, median(values), quantile(values, 0.25), quantile(values, 0.75), len(values), n)


def waits(measurements: Sequence[Measurement | Point]) -> HdrHistogram | None:
    """The waits of all measurements in one histogram, in microseconds; None where there are none."""
    found = [one.histogram for one in measurements if one.histogram is not None]
    if not found:
        return None
    total = HdrHistogram(1, 3_600_000_000, 3)
    for text in found:
        total.add(_decoded(text))
    return total


def figure(value: float, uncertain: float | None = 0.0) -> str:
    """A number as text. One that is certain has three significant digits and all digits before the point: 0.0621, 9.42,
    118, 18,924. uncertain: by how much it may be wrong; then it has no digit that means nothing, and two digits where
    that is not known (None): 19,000."""
    if not value:
        return "0"
    if uncertain == 0:
        return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"
    places = 2 if uncertain is None else math.floor(math.log10(abs(value))) - math.floor(math.log10(uncertain)) + 1
    digits = max(1, min(3, places))
    rounded = float(f"{value:.{digits - 1}e}")
    return f"{rounded:,.0f}" if abs(rounded) >= 10 ** (digits - 1) and abs(rounded) >= 10 else _plain(rounded, digits)


def _plain(value: float, digits: int) -> str:
    """So many significant digits without an exponent."""
    return f"{value:,.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"


@cache
def _decoded(text: str) -> HdrHistogram:
    return HdrHistogram.decode(text.encode())
