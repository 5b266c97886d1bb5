"""The words of one language."""

from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True, slots=True)
class Words:
    """All sentences of one language. In braces stands what the page fills in."""

    language: str
    """For the attribute lang of HTML."""
    text: dict[str, str]
    """Headings, legends, buttons and what is said of the run."""
    clients: tuple[str, ...]
    """Names of the clients, in their order."""
    plays: tuple[str, ...]
    """What each client does, a sentence each."""
    designs: dict[str, str]
    """What a design is, by its name."""
    kinds: dict[str, str]
    """What a step does, by its name."""
    lanes: dict[str, str]
    """Names of lanes, by their kind."""
    waits: dict[str, str]
    """What a step waits for."""


def load(language: str) -> Words:
    """The words of "en" or "zh"."""
    module = import_module(f".{language}", __package__)
    return Words(
        language=module.LANGUAGE,
        text=module.TEXT,
        clients=module.CLIENTS,
        plays=module.PLAYS,
        designs=module.DESIGNS,
        kinds=module.KINDS,
        lanes=module.LANES,
        waits=module.WAITS,
    )
