"""The words of one language."""

from dataclasses import dataclass
from importlib import import_module

from pwb_legacy.book.attacks.outcome import Mark, Outcome


@dataclass(frozen=True, slots=True)
class Defect:
    """One of L1 to L20 in words."""

    title: str
    harm: str
    """what goes wrong, and why"""
    attack: str
    """what is sent, or done"""
    cure: str
    """what PWB does instead"""


@dataclass(frozen=True, slots=True)
class Words:
    """All sentences of one language."""

    language: str
    """for the attribute lang of HTML"""
    defects: dict[str, Defect]
    results: dict[str, str]
    programs: dict[str, str]
    """what a program is, by its name"""
    marks: dict[Mark, str]
    text: dict[str, str]
    """headings, legends and what is said of the run"""

    def result(self, outcome: Outcome) -> str:
        """The sentence of an outcome."""
        return self.results[outcome.result].format(**outcome.values)


def load(language: str) -> Words:
    """The words of "en" or "zh"."""
    module = import_module(f".{language}", __package__)
    return Words(module.LANGUAGE, module.DEFECTS, module.RESULTS, module.PROGRAMS, module.MARKS, module.TEXT)
