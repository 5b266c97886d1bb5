"""The explanation of a response, as values that can be printed or sent as JSON."""

from enum import Enum
from typing import NamedTuple


class Verdict(Enum):
    """What became of one of several possibilities."""

    CHOSEN = "chosen"
    LOST = "lost"
    NOT_ASKED = "not asked"


class Detail(NamedTuple):
    """One of the possibilities in a step."""

    subject: str
    """A candidate, a coding, a rule."""
    verdict: Verdict
    reason: str


class Step(NamedTuple):
    """A step on the way to a response."""

    name: str
    result: str
    details: tuple[Detail, ...] = ()


class ExplainedField(NamedTuple):
    """A field of the response."""

    name: str
    value: str
    origin: str
    """What has set it; for one that is left out, what has removed it."""


class Explanation(NamedTuple):
    """How a request is answered."""

    request: str
    """The request line."""
    client: str
    """The address of the client."""
    steps: tuple[Step, ...]
    status_line: str
    fields: tuple[ExplainedField, ...]
    removed: tuple[ExplainedField, ...]
    """The fields that rules have removed."""
    head: bytes
    """The head of the response as it is sent."""
