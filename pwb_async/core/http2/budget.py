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
_DATA_UNIT: Final = 4096
"""Bytes of data that add one: an honest client answers each 16 KiB with up to two WINDOW_UPDATE frames."""


def spend(budget: int, cost: int = 1) -> int:
    """What is left of a budget. Raises HTTP2ConnectionError if that is nothing."""
    if budget < cost:
        raise HTTP2ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that bring no response")
    return budget - cost


def refill(budget: int, sent: int, maximum: int) -> int:
    """The budget after `sent` bytes of data have been sent; pieces of less than 4 KiB add nothing."""
    return min(maximum, budget + sent // _DATA_UNIT)
