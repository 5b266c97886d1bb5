"""What a sweep measures, and how the time that it has is divided among its points."""

import math
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from .servers import CannotError

CLIENTS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
SHARES: Final = (0.1, 0.3, 0.5, 0.7, 0.85, 1.0, 1.1, 1.2)
"""Of a design's capacity."""
CONNECTIONS: Final = 64
"""Clients of the open loop."""
SECONDS: Final = 0.3
"""Of a measurement at most."""
LEAST_SECONDS: Final = 0.1
BESIDE: Final = 0.25
"""Seconds that a point takes on average beside its measurement, as far as it can be foreseen."""
LIMIT: Final = 320.0
"""Seconds of a whole sweep, from its beginning to the last point."""
ROUNDS: Final = (3, 6)
"""At least; at most, if there is time."""
DESCRIPTORS: Final = CLIENTS[-1] + 128
"""That a process has to be able to open: one for each client, and some for files and libraries."""


@dataclass(slots=True)
class Plan:
    """Which points are measured, and how much time they have."""

    clients: Sequence[int] = CLIENTS
    shares: Sequence[float] = SHARES
    connections: int = CONNECTIONS
    """Clients of the open loop."""
    seconds: float = SECONDS
    """Of a measurement at most."""
    rounds: tuple[int, int] = ROUNDS
    until: float = math.inf
    """By the monotonic clock, when no further point begins."""
    spent: list[float] = field(default_factory=list)
    """Seconds that each point took beside its measurement: connecting, the last responses, leaving."""

    def points(self, contestants: int) -> int:
        """How many points a round has."""
        return contestants * (len(self.clients) + len(self.shares))

    def foreseen(self, in_round: int) -> dict[str, float]:
        """How many rounds there are at least, the seconds of a point and the minutes of the sweep, for that many points
        in a round."""
        most = in_round * self.rounds[0] * (self.seconds + BESIDE)
        whole = min(most, self.until - time.monotonic())
        return {"least": self.rounds[0], "each": whole / in_round / self.rounds[0], "minutes": whole / 60}

    def length(self, left: int) -> float:
        """Seconds of the next measurement, when so many are left."""
        each = (self.until - time.monotonic()) / max(1, left)
        beside = sum(self.spent) / len(self.spent) if self.spent else 0.0
        return max(LEAST_SECONDS, min(self.seconds, each - beside))

    def has_time(self, seconds: float = 0.0) -> bool:
        """Whether what takes so many seconds would end before the time is over."""
        return time.monotonic() + seconds < self.until


def check_descriptors() -> None:
    """Raises CannotError where a process may not open enough of them for all clients."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        raise CannotError(
            f"--sweep: {CLIENTS[-1]} clients need {DESCRIPTORS} descriptors, this process may have {hard} (ulimit -Hn)"
        )
