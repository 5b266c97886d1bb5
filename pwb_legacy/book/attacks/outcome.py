"""What an attack has shown, as a value: its sentence stands in pwb_legacy/book/words."""

from dataclasses import dataclass, field
from enum import StrEnum


class Mark(StrEnum):
    """What a cell of the matrix shows."""

    DEFECT = "defect"
    """the program has this defect"""
    HELD = "held"
    """the attack did no harm"""
    OTHER = "other"
    """another defect was in the way, so this one could not be seen"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cell of the matrix."""

    mark: Mark
    result: str
    """the name of the sentence that tells the result"""
    values: dict[str, object] = field(default_factory=dict)
    """what is filled in there"""


def defect(result: str, **values: object) -> Outcome:
    """The program has the defect."""
    return Outcome(Mark.DEFECT, result, values)


def held(result: str, **values: object) -> Outcome:
    """The program does not have it."""
    return Outcome(Mark.HELD, result, values)


def other(result: str, **values: object) -> Outcome:
    """Another defect was in the way."""
    return Outcome(Mark.OTHER, result, values)
