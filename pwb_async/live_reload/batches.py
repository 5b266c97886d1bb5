"""A batch: changes of files that are reported together.

The system reports each change by itself, and a save is several changes. A batch ends:

    a few files     at once: watchfiles has waited until nothing has changed for one step
    more of them    when nothing has changed for as long as a build may pause between two files

A batch that begins soon after the last one has ended may be the rest of a build, and ends like one, too.
"""

from collections.abc import Set as AbstractSet
from typing import Final

from .changes import Change

_BUILD_PAUSE: Final = 0.3
"""Seconds without a change after which a build is over."""
_CALM: Final = 0.5
"""Seconds after a batch in which another one is taken for the rest of a build: a person does not save twice so soon."""
_FEW: Final = 20
"""The most changes of a batch that may be a save."""
_MAX_WAIT: Final = 10.0
"""Seconds after which a batch ends even if files keep changing."""


class Batch:
    """The changes that have not been reported. All times are of one clock, in seconds."""

    def __init__(self) -> None:
        self._changes: set[Change] = set()
        self._is_build = False
        self._began = self._last = 0.0
        self._ended = -_CALM  # the batch before this one

    def add(self, changes: AbstractSet[Change], now: float, *, is_build: bool = False) -> None:
        """Add changes that were seen at `now`. is_build: more of them will follow."""
        if not changes:
            return
        if not self._changes:
            self._began = now
            self._is_build = now - self._ended < _CALM
        self._is_build |= is_build
        self._changes |= changes
        self._last = now

    def take(self, now: float) -> set[Change]:
        """The changes if the batch is over, and begin another one; otherwise none."""
        is_paused = now - self._last >= _BUILD_PAUSE or now - self._began >= _MAX_WAIT
        if (self._is_build or len(self._changes) > _FEW) and not is_paused:
            return set()
        changes, self._changes = self._changes, set()
        if changes:
            self._ended = now
        return changes
