"""Which exchanges get a line of the access log: all, or those that --log-exclude and --log-sample leave."""

from collections.abc import Callable, Sequence
from random import random

from pwb_async.core.semantics.messages import Request
from pwb_async.core.site.patterns import PatternMap, parse_pattern

from .exchange import Exchange


def select(excluded: Sequence[str], percent: int) -> Callable[[Exchange], bool] | None:
    """A function that tells whether an exchange is logged; None if all are.

    excluded: patterns of paths that are never logged. percent: how many of the others are logged, by chance; those with
    a status from 400 on are logged all the same.
    """
    if not excluded and percent == 100:
        return None
    patterns = PatternMap((parse_pattern(text), True) for text in excluded)

    def is_logged(exchange: Exchange) -> bool:
        request = exchange.request
        if patterns and isinstance(request, Request):
            target = request.target
            if any(patterns.matches(target.segments, target.trailing_slash, b"")):
                return False
        return exchange.status >= 400 or percent == 100 or 100 * random() < percent  # noqa: S311  # no secret

    return is_logged
