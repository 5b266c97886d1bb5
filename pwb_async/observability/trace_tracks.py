"""What a timeline consists of: moments, flows and tracks; and what a thread executes at a moment."""

import os
import sys
import threading
import time
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Final, NamedTuple

_SOURCES: Final = os.fspath(Path(__file__).parents[2]) + os.sep
_NOT_IN_STACK: Final = ("tracing.py", "trace_events.py", "__main__.py")
"""Ends of the names of files that are not part of any design."""


class Moment(NamedTuple):
    """A moment on a track, in nanoseconds."""

    wall: int
    """Of the monotonic clock."""
    cpu: int
    """CPU time that the track has used."""


class Flow:
    """The arrows between the steps of one connection. A copy that a fork has made is continued on its own."""

    __slots__ = ("closed", "id", "number", "started_at", "steps", "track")

    number: int
    """The number of the connection in its process; it is shown."""
    id: int
    """The identity of the flow among those of all processes."""
    track: "Track | None"
    """The track of the last step; None before the first one."""
    started_at: int
    """When the last step began, in nanoseconds."""
    steps: int
    """The number of steps so far."""
    closed: bool
    """Whether the connection is closed, so that no more arrows are drawn."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.id = os.getpid() << 24 | number
        self.track = None
        self.started_at = self.steps = 0
        self.closed = False


class Track:
    """The steps of one thread, process or greenlet."""

    __slots__ = ("cpu_of_others", "flow", "idle_since", "left_at", "pid", "shown", "tid")

    flow: Flow | None
    """The flow of the connection that is being served."""
    shown: Flow | None
    """The flow of the last step that was written."""
    idle_since: Moment | None
    """On the track of an event loop when the last step ended; None on other tracks."""
    cpu_of_others: int
    """CPU time, in nanoseconds, that the thread has used for other greenlets since it exists."""
    left_at: int
    """CPU time of the thread, in nanoseconds, when it was last switched to another greenlet."""

    def __init__(self, pid: int, tid: int) -> None:
        self.pid, self.tid = pid, tid
        self.flow = self.shown = None
        self.idle_since = None
        self.cpu_of_others = self.left_at = 0

    def now(self) -> Moment:
        """The present moment; must be called on the track itself."""
        return Moment(time.monotonic_ns(), time.thread_time_ns() - self.cpu_of_others)


class RunningGreenlet:
    """Which greenlet has the thread, and since when."""

    def __init__(self, track: Track) -> None:
        self.track = track
        self._thread = threading.get_native_id()
        self._running: Track | None = None
        self._since = track.now()

    def add(self, greenlet: Track) -> None:
        """Add the greenlet that runs, at its first step; a track of another thread is left out."""
        if threading.get_native_id() == self._thread:
            self._running = greenlet

    def switch(self, greenlet: Track | None) -> tuple[Track, Moment, Moment] | None:
        """Note that the thread now runs `greenlet` (None: the hub, or one without a step so far). Return the one that
        ran until now, with the begin and end of that."""
        now = self.track.now()
        last, began = self._running, self._since
        self._running, self._since = greenlet, now
        if last is not None:
            last.left_at = now.cpu
        if greenlet is not None:
            greenlet.cpu_of_others += now.cpu - greenlet.left_at
        return (last, began, now) if last is not None and last is not greenlet else None


def executed_lines() -> list[str]:
    """The lines of PWB that the calling thread executes, as `folder/file.py:7`, the innermost first."""
    lines = []
    frame = sys._getframe(1)  # a traceback costs more, and reads the files
    while frame is not None:
        if path := _path(frame.f_code):
            lines.append(f"{path}:{frame.f_lineno}")
        frame = frame.f_back  # type: ignore[assignment]
    return lines


@cache
def _path(code: CodeType) -> str:
    """The file of code that belongs into a stack, relative to the folder that holds PWB; else an empty string."""
    path = code.co_filename.removeprefix(_SOURCES)
    return path if path.startswith("pwb_") and not path.endswith(_NOT_IN_STACK) else ""
