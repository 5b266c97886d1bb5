"""A run of `pwb-legacy book` without running: each cell with a result, and a name that wants to be escaped."""

from functools import cache
from typing import Final

from pwb_legacy.book.attacks.catalogue import ATTACKS
from pwb_legacy.book.attacks.outcome import Outcome, defect, held, other
from pwb_legacy.book.matrix import Cell
from pwb_legacy.book.programs import PROGRAMS

from .test_matrix import expected

NASTY: Final = "<script>document.title = 'caught'</script>"


@cache
def sample() -> list[Cell]:
    """The cells in the order of the command."""
    return [Cell(program, code, _outcome(expected(program)[code])) for program in PROGRAMS for code in ATTACKS]


def _outcome(sign: str) -> Outcome:
    if sign == "x":
        return defect("ended", error=f"ValueError: {NASTY} " + "a long message " * 4)
    if sign == "?":
        return other("ended-before", error="ConnectionResetError: [Errno 104] Connection reset by peer")
    return held("answered", line="HTTP/1.1 200 OK")
