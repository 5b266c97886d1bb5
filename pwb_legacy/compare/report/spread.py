"""A figure with its spread over the rounds, and figures in words. Who is ahead of whom is decided here, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pwb_legacy.compare.measure.results import Results

CLEAR: Final = 1.05
"""Times that a figure must be another one to differ from it, however small the spread."""
CLEAR_ALONE: Final = 1.25
"""The same where there was one round, so that the spread is not known."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure of one design in one scenario: the median over the rounds, the least, the most, how many rounds."""

    design: str
    middle: float
    least: float
    most: float
    rounds: int

    def is_above(self, other: "Spread") -> bool:
        """More than the other one, and by more than the rounds differ among themselves."""
        clear = CLEAR if min(self.rounds, other.rounds) > 1 else CLEAR_ALONE
        return self.least > other.most and self.middle >= clear * other.middle


def spread(results: Results, design: str, scenario: str, name: str) -> Spread | None:
    """name: a field of Measurement. None where nothing is known."""
    values = [
        value
        for one in results.measurements
        if (one.design, one.scenario) == (design, scenario) and one.why is None
        if (value := getattr(one, name)) is not None
    ]
    middle = results.median(design, scenario)
    return Spread(design, getattr(middle, name), min(values), max(values), len(values)) if values else None


def ranked(results: Results, scenario: str, name: str) -> list[Spread]:
    """Every design of which the figure is known, the least first."""
    found = (spread(results, design.name, scenario, name) for design in results.designs)
    return sorted((one for one in found if one is not None), key=lambda one: one.middle)


def figure(value: float) -> str:
    """Three significant digits, and all digits before the point: 0.0621, 9.42, 118, 18,924."""
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def between(figures: Sequence[Spread]) -> str:
    """The least and the most of some, in words; one figure if they are the same."""
    ends = [figure(min(one.middle for one in figures)), figure(max(one.middle for one in figures))]
    return " to ".join(dict.fromkeys(ends))


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
