"""How far another server answers as PWB does: status and content, for the same requests. It is reported only."""

import re
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from pwb_legacy.compare.load.messages import Address

from .equality import first, say
from .request_corpus import Case

TIMEOUT: Final = 2.0
"""Seconds for one response."""
BUDGET: Final = 8.0
"""Seconds for all of them; what is left then is not asked."""
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})")
_WITH_CONTENT: Final = (200, 206)


class Likeness(NamedTuple):
    """Of `asked` requests, `unlike` had another status or other content."""

    asked: int
    unlike: int


def likeness(design: Address, other: Address, cases: Sequence[Case]) -> Likeness:
    """Send the requests to a design and to the other server."""
    end = time.monotonic() + BUDGET
    asked = unlike = 0
    for case in cases:
        if time.monotonic() > end:
            break
        asked += 1
        unlike += _essence(say(design, case.wire, TIMEOUT)) != _essence(say(other, case.wire, TIMEOUT))
    return Likeness(asked, unlike)


def _essence(stream: bytes) -> tuple[int, bytes]:
    """Status and content of the first response; of an error the status alone."""
    answer, _ = first(stream)
    found = _STATUS.match(answer)
    status = int(found[1]) if found else 0
    return status, answer.partition(b"\r\n\r\n")[2] if status in _WITH_CONTENT else b""
