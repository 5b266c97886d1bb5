"""The timeline of --trace: a file in Chrome's Trace Event Format, which Perfetto and chrome://tracing draw.

It has complete events, each a step with its begin and duration, on tracks. A track is a thread, a process or a
greenlet, and has a name. Flows are arrows between the steps of one connection: from track to track, and back to a track
that has worked for another connection in between.

Each event is a line, which is appended to the file at once with one write. So forked processes share the file without a
lock (threads use one), and nothing is lost when a process is killed. The format is an array of JSON that need not be
closed, so a file that was cut off is valid, too. Times are microseconds of the monotonic clock, which all processes
share.
"""

import errno
import itertools
import json
import logging
import os
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

logger: Final = logging.getLogger("pwb")
T = TypeVar("T")
_json: Final = json.JSONEncoder(separators=(",", ":")).encode
MAX_BYTES: Final = 32 << 20
"""The size of a timeline, in bytes, at which no more events are written."""
_MIN_WAIT_NS: Final = 50_000
"""Nanoseconds; a shorter wait is not shown, because the call did not block and took only the time of a system call."""
_NO_THREAD: Final = 1 << 22
"""The lowest number that no thread can have (PID_MAX_LIMIT of Linux)."""


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

    __slots__ = ("flow", "idle_since", "pid", "shown", "tid")

    flow: Flow | None
    """The flow of the connection that is being served."""
    shown: Flow | None
    """The flow of the last step that was written."""
    idle_since: int
    """On the track of an event loop when the last step ended, in nanoseconds; 0 on other tracks."""

    def __init__(self, pid: int, tid: int) -> None:
        self.pid, self.tid = pid, tid
        self.flow = self.shown = None
        self.idle_since = 0


class _Here(threading.local):
    track: Track | None = None


class TraceWriter:
    """A timeline file, to which all threads and forked processes write."""

    def __init__(self, path: str, title: str, max_bytes: int = MAX_BYTES) -> None:
        """Empties the file, or creates it. Raises OSError if it cannot be written.

        `title` is the name of the process in the timeline. `max_bytes` may be exceeded by a line.
        """
        # O_RDWR, because a pipe without a reader can be opened so; then fstat shows that it is not a regular file.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        self._fd = os.open(path, flags, 0o644)
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            os.close(self._fd)
            raise OSError(errno.EINVAL, "it is no regular file")
        os.ftruncate(self._fd, 0)
        os.write(self._fd, b"[\n")
        self._path, self._title, self._max_bytes = path, title, max_bytes
        self._full = False
        self._pid = os.getpid()
        self._here = _Here()
        self._numbers = itertools.count(1)
        self._tracks: set[tuple[int, int]] = set()
        self._writing = threading.Lock()

    def flow(self) -> Flow:
        """A flow for a new connection."""
        return Flow(next(self._numbers))

    def track(self) -> Track:
        """The track of the calling thread or greenlet."""
        track = self._here.track
        if track is None or track.pid != os.getpid():  # or this process was forked since
            track = self._here.track = self._open(threading.current_thread().name)
        return track

    def mark_event_loop(self) -> None:
        """Makes the calling thread the track of an event loop, on which the time between two steps is shown as a wait.

        The loop's own waiting cannot be traced, since it happens in C.
        """
        self._here.track = self._open("event loop")
        self._here.track.idle_since = time.monotonic_ns()

    def _open(self, name: str) -> Track:
        pid, tid = os.getpid(), threading.get_native_id()
        if not any(known == pid for known, _ in self._tracks):
            title = self._title if pid == self._pid else f"{self._title}, child {pid}"
            self._write({"ph": "M", "name": "process_name", "pid": pid, "tid": tid, "args": {"name": title}})
        if (pid, tid) in self._tracks:  # greenlets share a thread, and thread numbers are reused
            tid = _NO_THREAD + len(self._tracks)
            name = name.replace("Dummy-", "greenlet ")  # threading calls them dummies
        self._tracks.add((pid, tid))
        self._write({"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": name}})
        return Track(pid, tid)

    def begin(self) -> int:
        """Begins a step, and returns the time for end()."""
        track = self.track()
        now = time.monotonic_ns()
        if track.idle_since:
            if now - track.idle_since > _MIN_WAIT_NS:
                self._complete(track, "wait", track.idle_since, now, {})
            track.idle_since = now
        return now

    def end_wait(self, began: int, flow: Flow | None = None) -> None:
        """Ends a step that waited for clients, which is not shown if it was too short."""
        if time.monotonic_ns() - began > _MIN_WAIT_NS:
            self.end("wait", began, flow)

    def traced_wait(self, call: Callable[[float | None], T]) -> Callable[[float | None], T]:
        """`call`, which waits up to a timeout for any client, wrapped so that each wait is a step."""

        def traced(timeout: float | None) -> T:
            began = self.begin()
            try:
                return call(timeout)
            finally:
                self.end_wait(began)

        return traced

    def end(self, kind: str, began: int, flow: Flow | None = None, **args: Any) -> None:
        """Ends the step `kind`, which began at `began`, of the connection of `flow`. `args` are shown with it."""
        track = self.track()
        now = time.monotonic_ns()
        if track.idle_since:
            track.idle_since = now
        if flow is None:
            self._complete(track, kind, began, now, args)
            return
        track.flow = flow
        self._complete(track, kind, began, now, {"connection": flow.number, **args})
        if flow.closed:  # the step was under way when the client disconnected
            return
        if flow.track is None:
            self._arrow("s", flow, track, began)
        elif flow.track is not track or track.shown is not flow:
            self._arrow("t", flow, track, began)
        track.shown = flow
        flow.track, flow.started_at = track, began
        flow.steps += 1

    def finish(self, flow: Flow) -> None:
        """Ends a flow when its connection is closed.

        A connection with a single step was only accepted here, and is continued in a forked process.
        """
        if flow.track is not None and flow.steps > 1 and not flow.closed:
            flow.closed = True
            self._arrow("f", flow, flow.track, flow.started_at)

    def _complete(self, track: Track, kind: str, began: int, ended: int, args: dict[str, Any]) -> None:
        event = {"ph": "X", "cat": "pwb", "name": kind, "ts": began / 1000, "dur": (ended - began) / 1000}
        self._write({**event, "pid": track.pid, "tid": track.tid, "args": args})

    def _arrow(self, phase: str, flow: Flow, track: Track, moment: int) -> None:
        event = {"ph": phase, "cat": "connection", "name": f"connection {flow.number}", "id": flow.id}
        self._write({**event, "ts": moment / 1000, "pid": track.pid, "tid": track.tid, "bp": "e"})

    def _write(self, event: dict[str, Any]) -> None:
        if self._full:
            return
        line = _json(event).encode() + b",\n"
        with self._writing:
            try:
                size = os.fstat(self._fd).st_size
                if self._full or size >= self._max_bytes:  # found out by another thread or process
                    self._full = True
                    return
                os.write(self._fd, line)
                if size + len(line) >= self._max_bytes:
                    self._full = True
                    where = {"pid": event["pid"], "tid": event["tid"], "ts": time.monotonic_ns() / 1000}
                    full = {"ph": "i", "s": "g", "name": "the timeline is full", **where}
                    os.write(self._fd, _json(full).encode() + b",\n")
                    logger.warning("%s is full: the timeline ends here", self._path)
            except OSError as error:
                self._full = True
                logger.error("%s: %s: the timeline ends here", self._path, error.strerror)

    def fileno(self) -> int:
        """The descriptor of the file."""
        return self._fd

    def close(self) -> None:
        """Writes the end of the array, before which there must be an element without a comma."""
        last = {"ph": "M", "name": "process_name", "pid": self._pid, "tid": self._pid, "args": {"name": self._title}}
        with self._writing, suppress(OSError):
            self._full = True
            os.write(self._fd, _json(last).encode() + b"\n]\n")
