"""The texts of one language."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All texts of one language."""

    language: str
    """For the attribute lang of HTML."""
    scenarios: Mapping[str, tuple[str, str]]
    """Title, and what can be seen in it, with the scenario's details."""
    measures: Mapping[str, tuple[str, str, str, str]]
    """Title of a chart, head of a column, unit in a title, unit in the terminal's table."""
    families: Mapping[str, str]
    """How the designs wait."""
    designs: Mapping[str, str]
    """What a design is; where there is none, its title from the results is shown."""
    texts: Mapping[str, str]


def load(language: str) -> Catalogue:
    """The texts of "en" or "zh"."""
    module = import_module(f".{language}", __package__)
    return Catalogue(module.LANGUAGE, module.SCENARIOS, module.MEASURES, module.FAMILIES, module.DESIGNS, module.TEXTS)
