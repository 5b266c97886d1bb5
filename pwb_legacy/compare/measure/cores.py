"""Which cores the servers use, and which one the load generator uses."""

import os
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Cores:
    """The cores that this process may use, in their order: the servers get the first ones, the load the last one."""

    available: tuple[int, ...]

    @classmethod
    def of_this_process(cls) -> Self:
        """Those that the system allows, before anything has been pinned."""
        return cls(tuple(sorted(os.sched_getaffinity(0))))

    @property
    def load(self) -> int:
        """The core of the load generator."""
        return self.available[-1]

    def servers(self, count: int) -> tuple[int, ...]:
        """The cores of a server that gets so many of them."""
        return self.available[:count]

    def is_shared(self, count: int) -> bool:
        """Whether a server with so many cores and the load generator take time from each other."""
        return self.load in self.servers(count)
