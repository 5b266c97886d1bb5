"""Limits by path: how many requests a client may send, and how many bytes a second it is sent.

The first rule of [[limits]] whose pattern matches a path decides; what it does not set is as the options have it. Where
no rule matches, the limit is that of the options. A rule that sets a rate of its own counts on its own: requests for
its paths are not counted elsewhere. The one exception is the rate of the whole server, which holds for all responses.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from pwb_async.core.semantics.messages import Request
from pwb_async.core.semantics.networks import NO_NETWORKS, Networks

from .patterns import Pattern, PatternMap

_MAX_PATHS: Final = 4096
"""Paths whose limits are kept; then all are forgotten."""
_NANOSECONDS: Final = 1_000_000_000


class RequestRate(NamedTuple):
    """How many requests in how many seconds, such as 600 in 60."""

    number: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.number}/{PERIODS[self.seconds]}"

    @property
    def interval(self) -> int:
        """The nanoseconds after which one more request is allowed."""
        return self.seconds * _NANOSECONDS // self.number


PERIODS: Final = {1: "s", 60: "m", 3600: "h"}
"""The letter of each period, by its seconds."""


class RequestLimit(NamedTuple):
    """How many requests a client may send: `burst` at once, and then as many as the rate allows (a token bucket)."""

    rate: RequestRate
    burst: int
    name: bytes
    """What the requests are counted under: the pattern of the rule that sets the rate, b"" for that of the options."""


class SendLimit(NamedTuple):
    """How many bytes a second are sent, and under which names that is counted."""

    rate: int
    """Bytes a second of one connection; 0 for any."""
    name: bytes
    """That of the rule which sets the rate; b"" for that of the options."""
    totals: tuple[tuple[bytes, int], ...]
    """Names, and bytes a second of all connections together."""

    def __bool__(self) -> bool:
        return bool(self.rate or self.totals)


ANY_RATE: Final = SendLimit(0, b"", ())
"""No limit."""


class LimitRule(NamedTuple):
    """A table of [[limits]], as it is written."""

    place: str
    """Where it was written, such as "pwb.toml line 3"."""
    pattern: Pattern
    settings: tuple[tuple[str, object], ...]
    """The options that it sets for its paths, and their values."""


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """What holds for the requests of some paths."""

    place: str
    """Where it was written; for the options their names."""
    requests: RequestLimit | None = None
    """None for any number."""
    dry_run: bool = False
    """Whether requests beyond the limit are only counted."""
    sending: SendLimit = ANY_RATE
    exempt: Networks = NO_NETWORKS
    """The networks to whose clients nothing of this applies."""


class LimitRules:
    """The limits of a site.

    Args:
        default: What holds where no rule matches.
        rules: Patterns, and what holds for their paths.
    """

    def __init__(self, default: Limit, rules: Iterable[tuple[Pattern, Limit]] = ()) -> None:
        rules = tuple(rules)
        self.all = (default, *(limit for _, limit in rules))
        """The limits, the default one first."""
        self._default = default
        self._patterns, self._by_pattern = PatternMap(rules), bool(rules)
        self._by_path: dict[tuple[bytes, ...], Limit] = {}

    def of(self, request: Request) -> Limit:
        """The limit that holds for a request."""
        if not self._by_pattern:
            return self._default
        segments = request.target.segments
        found = self._by_path.get(segments)
        return self._find(segments) if found is None else found

    def _find(self, segments: tuple[bytes, ...]) -> Limit:
        limit, _ = next(self._patterns.matches(segments, False, b""), (self._default, None))
        if len(self._by_path) >= _MAX_PATHS:
            self._by_path.clear()
        self._by_path[segments] = limit
        return limit
