"""The thread that watches directories, and reports their changes in batches.

The system reports changes (inotify and its like, by way of watchfiles). A directory may also be replaced as a whole, as
by a build that begins with `rm -r`, or by renaming a link. The system keeps watching the one that is gone, so the
thread compares it with what its path leads to, in each step.
"""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import Final

from .batches import Batch
from .changes import ADDED, Change

logger: Final = logging.getLogger("pwb")
_STEP: Final = 40
"""Milliseconds without a change after which a save is over; a save is reported 40 to 80 ms after it."""
_MAX_STEPS: Final = 1000
"""Milliseconds after which watchfiles returns changes even if there are more of them in each step."""
_RETRY: Final = 0.3
"""Seconds between two attempts to watch a directory that is not there."""


class Watcher(threading.Thread):
    """A thread that watches from start() to stop()."""

    def __init__(
        self,
        directories: Sequence[str],
        accepts: Callable[[int, str], bool],
        on_ready: Callable[[], object],
        on_changes: Callable[[set[Change]], object],
        *,
        replaced: bool = False,
    ) -> None:
        """accepts: whether a change counts, by its kind and path.

        on_ready: called when changes are seen from now on. on_changes: called with a batch. Both are called by this
        thread, and on_ready also after the directories were lost. replaced: whether to report the directories as added.
        """
        super().__init__(name="pwb-watch", daemon=True)
        self._directories = list(directories)
        self._accepts, self._on_ready, self._on_changes = accepts, on_ready, on_changes
        self._stopped = threading.Event()
        self._replaced = replaced
        self._polling = False
        self._last_error = ""

    def stop(self) -> None:
        """End the thread, without waiting for it."""
        self._stopped.set()

    def run(self) -> None:
        """Watch, and begin again whenever a directory has been replaced or cannot be watched."""
        while not self._stopped.is_set():
            try:
                self._watch()
            except FileNotFoundError:
                self._stopped.wait(_RETRY)
            except (OSError, RuntimeError) as error:  # such as the limit on inotify watches; watchfiles has both
                self._complain(error)
            self._replaced = True

    def _complain(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or error
        if not self._polling:
            logger.warning("cannot watch for changes: %s; files are looked at in turn instead", reason)
            self._polling = True
        elif str(error) != self._last_error:
            logger.error("cannot watch for changes: %s", reason)
        self._last_error = str(error)
        self._stopped.wait(_RETRY)

    def _watch(self) -> None:
        """Watch until one of the directories is replaced. Raises OSError or RuntimeError."""
        from watchfiles import watch  # 30 ms, for which the first response need not wait

        batch, ready = Batch(), False
        with ExitStack() as stack:
            # Open, so that no new directory can have the inode number of one of these.
            opened = [_open(directory, stack) for directory in self._directories]
            for found in watch(
                *self._directories,
                watch_filter=None,  # with a filter, changes that do not count would delay those that do
                step=_STEP,
                debounce=_MAX_STEPS,
                rust_timeout=_STEP,
                yield_on_timeout=True,
                stop_event=self._stopped,
                raise_interrupt=False,
                force_polling=self._polling or None,
                ignore_permission_denied=True,
            ):
                if not ready:
                    ready = True
                    self._on_ready()
                    if self._replaced:
                        batch.add({(ADDED, each) for each in self._directories}, monotonic(), is_build=True)
                batch.add({(kind, path) for kind, path in found if self._accepts(kind, path)}, monotonic())
                if not all(map(_is_at, opened, self._directories)):
                    return
                if changes := batch.take(monotonic()):
                    self._on_changes(changes)


def _open(directory: str, stack: ExitStack) -> int:
    """A descriptor of a directory, which is closed with the stack. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    stack.callback(os.close, descriptor)
    return descriptor


def _is_at(descriptor: int, directory: str) -> bool:
    """Whether a path still leads to an open directory. Raises FileNotFoundError if it leads nowhere."""
    return os.path.samestat(os.fstat(descriptor), os.stat(directory))
