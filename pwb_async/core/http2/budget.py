"""The budget of a connection for frames that cost work and bring no response.

RFC 9113 10.5 names them: floods of PING, SETTINGS, RST_STREAM, WINDOW_UPDATE and of empty or unknown frames. Each takes
one from the budget, and so does each stream that the server has to reset. Responses and the data sent refill it, so a
client that uses the connection for requests never runs out of it, however long it lasts. The budget is a number and no
clock is in it: the same frames have the same outcome, however fast they arrive.
"""

from typing import Final

from .errors import ErrorCode, HTTP2ConnectionError

RESPONSE: Final = 2
"""What a response adds."""
_DATA_UNIT: Final = 512
"""Bytes of data that add one. A client that updates two windows for each KiB never runs out of its budget; one that
does so for every few bytes makes the server send frame after frame for nothing (CVE-2019-9511)."""


def spend(budget: int, cost: int = 1) -> int:
    """What is left of a budget. Raises HTTP2ConnectionError if that is nothing."""
    if budget < cost:
        raise HTTP2ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that bring no response")
    return budget - cost


def refill(budget: int, sent: int, maximum: int) -> tuple[int, int]:
    """The budget after `sent` bytes of data have been sent, and how many of these have added nothing yet."""
    added, rest = divmod(sent, _DATA_UNIT)
    return min(maximum, budget + added), rest
