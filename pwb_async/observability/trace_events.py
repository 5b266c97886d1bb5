"""The timeline of --trace: a file in Chrome's Trace Event Format, which Perfetto and chrome://tracing draw.

It has complete events, each a step with its begin and duration, on tracks. A track is a thread, a process or a
greenlet, and has a name. Flows are arrows between the steps of one connection: from track to track, and back to a track
that has worked for another connection in between.

Each step has its duration (dur) and the CPU time of its track in it (tdur). The difference is time in which it waited:
for a client, the disk, the interpreter's lock or a core. `stack` in its arguments lists the lines of PWB that were
being executed, the innermost first. Where greenlets share a thread, a track of its own shows which of them runs.

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

from .trace_tracks import Flow, Moment, RunningGreenlet, Track, executed_lines

logger: Final = logging.getLogger("pwb")
T = TypeVar("T")
_json: Final = json.JSONEncoder(separators=(",", ":")).encode
MAX_BYTES: Final = 32 << 20
"""The size of a timeline, in bytes, at which no more events are written."""
_MIN_WAIT_NS: Final = 50_000
"""Nanoseconds; a shorter wait is not shown, because the call did not block and took only the time of a system call."""
_NO_THREAD: Final = 1 << 22
"""The lowest number that no thread can have (PID_MAX_LIMIT of Linux)."""


class _Here(threading.local):
    track: Track | None = None


class TraceWriter:
    """A timeline file, to which all threads and forked processes write."""

    def __init__(self, path: str, title: str, max_bytes: int = MAX_BYTES) -> None:
        """Empty the file, or create it. Raises OSError if it cannot be written.

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
        self._greenlets: RunningGreenlet | None = None
        self._writing = threading.Lock()

    def flow(self) -> Flow:
        """A flow for a new connection."""
        return Flow(next(self._numbers))

    def track(self) -> Track:
        """The track of the calling thread or greenlet."""
        track = self._here.track
        if track is None or track.pid != os.getpid():  # or this process was forked since
            track = self._here.track = self._open(threading.current_thread().name)
            if self._greenlets is not None:
                self._greenlets.add(track)
        return track

    def mark_event_loop(self) -> None:
        """Make the calling thread the track of an event loop, on which the time between two steps is shown as a wait.

        The loop's own waiting cannot be traced, since it happens in C.
        """
        track = self._here.track = self._open("event loop")
        track.idle_since = track.now()

    def mark_greenlets(self) -> Callable[..., None]:
        """Prepare the calling thread for greenlets, each with a CPU time of its own, and a track for the running one.

        Return what must be called in a greenlet whenever it gets the thread (for greenlet.settrace).
        """
        running = self._greenlets = RunningGreenlet(self._open("running greenlet", False))

        def on_switch(*_: object) -> None:
            if interval := running.switch(self._here.track):
                greenlet, began, ended = interval
                self._complete(running.track, "run", began, ended, {"greenlet": greenlet.tid})

        return on_switch

    def _open(self, name: str, is_thread: bool = True) -> Track:
        pid, tid = os.getpid(), threading.get_native_id()
        if not any(known == pid for known, _ in self._tracks):
            title = self._title if pid == self._pid else f"{self._title}, child {pid}"
            self._write({"ph": "M", "name": "process_name", "pid": pid, "tid": tid, "args": {"name": title}})
        if not is_thread or (pid, tid) in self._tracks:  # greenlets share a thread, and thread numbers are reused
            tid = _NO_THREAD + len(self._tracks)
            name = name.replace("Dummy-", "greenlet ")  # threading calls them dummies
        self._tracks.add((pid, tid))
        self._write({"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": name}})
        return Track(pid, tid)

    def begin(self) -> Moment:
        """Begin a step, and return the moment for end()."""
        track = self.track()
        now = track.now()
        if track.idle_since:
            if now.wall - track.idle_since.wall > _MIN_WAIT_NS:
                self._complete(track, "wait", track.idle_since, now, {})
            track.idle_since = now
        return now

    def end_wait(self, began: Moment, flow: Flow | None = None) -> None:
        """End a step that waited for clients, which is not shown if it was too short."""
        if time.monotonic_ns() - began.wall > _MIN_WAIT_NS:
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

    def end(self, kind: str, began: Moment, flow: Flow | None = None, **args: Any) -> None:
        """End the step `kind`, which began at `began`, of the connection of `flow`. `args` are shown with it."""
        track = self.track()
        now = track.now()
        args["stack"] = executed_lines()
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
            self._arrow("s", flow, track, began.wall)
        elif flow.track is not track or track.shown is not flow:
            self._arrow("t", flow, track, began.wall)
        track.shown = flow
        flow.track, flow.started_at = track, began.wall
        flow.steps += 1

    def finish(self, flow: Flow) -> None:
        """End a flow when its connection is closed.

        A connection with a single step was only accepted here, and is continued in a forked process.
        """
        if flow.track is not None and flow.steps > 1 and not flow.closed:
            flow.closed = True
            self._arrow("f", flow, flow.track, flow.started_at)

    def _complete(self, track: Track, kind: str, began: Moment, ended: Moment, args: dict[str, Any]) -> None:
        event = {"ph": "X", "cat": "pwb", "name": kind, "pid": track.pid, "tid": track.tid}
        event |= {"ts": began.wall / 1000, "dur": (ended.wall - began.wall) / 1000}
        event |= {"tts": began.cpu / 1000, "tdur": (ended.cpu - began.cpu) / 1000}
        self._write({**event, "args": args})

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
        """Write the end of the array, before which there must be an element without a comma."""
        last = {"ph": "M", "name": "process_name", "pid": self._pid, "tid": self._pid, "args": {"name": self._title}}
        with self._writing, suppress(OSError):
            self._full = True
            os.write(self._fd, _json(last).encode() + b"\n]\n")
