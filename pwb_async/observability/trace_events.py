"""The timeline, a file in Chrome's Trace Event Format: Perfetto and chrome://tracing draw it.

What is in it: complete events (what was done, from when to when), each on a lane; a lane is a thread, a process or a
greenlet, and has a name; and flows: an arrow wherever a connection comes to another lane, or back to one that has done
something else meanwhile.

Every event is a line, and is written at once, whole, at the end of the file: so forked processes share it without a
lock (threads take turns), nothing is lost when one is killed, and a file that was cut short is still valid, since the
format's array need not be closed. Times are microseconds of the system's monotonic clock, the same for all processes.
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
"""Bytes of a trace; then nothing more is written."""
_WORTH_NS: Final = 50_000
"""A wait that is shorter is none: there was something to do, and it took that long to find out."""
_NO_THREAD: Final = 1 << 22
"""No thread has this number or one above it (PID_MAX_LIMIT)."""


class Flow:
    """The way of one connection over the lanes. number: it is the process's so manieth. over: it is closed.

    A copy that a fork has made goes its own way.
    """

    __slots__ = ("id", "moment", "number", "over", "steps", "track")

    def __init__(self, number: int) -> None:
        self.number = number
        self.id = os.getpid() << 24 | number
        self.track: Track | None = None
        self.moment = self.steps = 0
        self.over = False


class Track:
    """What one thread, process or greenlet does. flow: the connection that it has to do with. idle_since: set on the
    lane of a loop, whose waiting nobody else tells; 0: elsewhere."""

    __slots__ = ("flow", "idle_since", "pid", "shown", "tid")

    def __init__(self, pid: int, tid: int) -> None:
        self.pid, self.tid = pid, tid
        self.flow: Flow | None = None
        self.shown: Flow | None = None
        self.idle_since = 0


class _Here(threading.local):
    track: Track | None = None


class TraceWriter:
    """A trace that is made anew. title: what is traced. most: bytes, give or take a line. Raises OSError if it cannot
    be written."""

    def __init__(self, path: str, title: str, most: int = MAX_BYTES) -> None:
        # A pipe that nobody reads can be opened to be read and written; and then it is seen for what it is.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        self._fd = os.open(path, flags, 0o644)
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            os.close(self._fd)
            raise OSError(errno.EINVAL, "it is no regular file")
        os.ftruncate(self._fd, 0)
        os.write(self._fd, b"[\n")
        self._path, self._title, self._most = path, title, most
        self._full = False
        self._pid = os.getpid()
        self._here = _Here()
        self._numbers = itertools.count(1)
        self._tracks: set[tuple[int, int]] = set()
        self._writing = threading.Lock()

    def flow(self) -> Flow:
        """For a new connection."""
        return Flow(next(self._numbers))

    def track(self) -> Track:
        """The lane of whoever calls."""
        track = self._here.track
        if track is None or track.pid != os.getpid():  # this process may have been forked in between
            track = self._here.track = self._open(threading.current_thread().name)
        return track

    def loop(self) -> None:
        """Whoever calls is an event loop, whose waiting cannot be told but from the time between two steps."""
        self._here.track = self._open("event loop")
        self._here.track.idle_since = time.monotonic_ns()

    def _open(self, name: str) -> Track:
        pid, tid = os.getpid(), threading.get_native_id()
        if not any(known == pid for known, _ in self._tracks):
            title = self._title if pid == self._pid else f"{self._title}, child {pid}"
            self._write({"ph": "M", "name": "process_name", "pid": pid, "tid": tid, "args": {"name": title}})
        if (pid, tid) in self._tracks:  # a greenlet shares its thread; the number of a thread that is gone comes again
            tid = _NO_THREAD + len(self._tracks)
            name = name.replace("Dummy-", "greenlet ")  # the name that threading has for what is no thread of its own
        self._tracks.add((pid, tid))
        self._write({"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": name}})
        return Track(pid, tid)

    def begin(self) -> int:
        """A step begins: the moment, for end()."""
        track = self.track()
        now = time.monotonic_ns()
        if track.idle_since:
            if now - track.idle_since > _WORTH_NS:
                self._complete(track, "wait", track.idle_since, now, {})
            track.idle_since = now
        return now

    def waited(self, began: int, flow: Flow | None = None) -> None:
        """end() of a wait, if it was one."""
        if time.monotonic_ns() - began > _WORTH_NS:
            self.end("wait", began, flow)

    def traced_wait(self, call: Callable[[float | None], T]) -> Callable[[float | None], T]:
        """The same call, which waits for anybody."""

        def traced(timeout: float | None) -> T:
            began = self.begin()
            try:
                return call(timeout)
            finally:
                self.waited(began)

        return traced

    def end(self, kind: str, began: int, flow: Flow | None = None, **args: Any) -> None:
        """A step ends. flow: the connection that it was for."""
        track = self.track()
        now = time.monotonic_ns()
        if track.idle_since:
            track.idle_since = now
        if flow is None:
            self._complete(track, kind, began, now, args)
            return
        track.flow = flow
        self._complete(track, kind, began, now, {"connection": flow.number, **args})
        if flow.over:  # what was under way when the client went away
            return
        if flow.track is None:
            self._arrow("s", flow, track, began)
        elif flow.track is not track or track.shown is not flow:
            self._arrow("t", flow, track, began)
        track.shown = flow
        flow.track, flow.moment = track, began
        flow.steps += 1

    def finish(self, flow: Flow) -> None:
        """The connection is closed. One that has only been accepted here goes on elsewhere."""
        if flow.track is not None and flow.steps > 1 and not flow.over:
            flow.over = True
            self._arrow("f", flow, flow.track, flow.moment)

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
                if self._full or size >= self._most:  # another thread, or process, has said so
                    self._full = True
                    return
                os.write(self._fd, line)
                if size + len(line) >= self._most:
                    self._full = True
                    where = {"pid": event["pid"], "tid": event["tid"], "ts": time.monotonic_ns() / 1000}
                    full = {"ph": "i", "s": "g", "name": "the trace is full", **where}
                    os.write(self._fd, _json(full).encode() + b",\n")
                    logger.warning("%s is full: what comes now is not in it", self._path)
            except OSError as error:
                self._full = True
                logger.error("%s: %s: what comes now is not in it", self._path, error.strerror)

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        """Closes the array, whose last element has no comma behind it."""
        last = {"ph": "M", "name": "process_name", "pid": self._pid, "tid": self._pid, "args": {"name": self._title}}
        with self._writing, suppress(OSError):
            self._full = True
            os.write(self._fd, _json(last).encode() + b"\n]\n")
