"""The lanes of a timeline: what each thread, process, greenlet or loop of a design did, and why it waited.

A timeline is the list of Chrome's trace events: "M" gives names, "X" is a step with its begin, its duration and the CPU
time of its thread. What a step took beyond its CPU time, it has waited. For what, depends on what its code calls: the
interpreter's lock is named only where no call of the step can block.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MIN_WAIT: Final = 0.05
"""Milliseconds. A shorter wait is not shown: the two clocks are not read at once, and a system call takes its time."""
POOL: Final = 4
"""The number of disk threads from which they share rows: a row for each one that is at work at the same time."""
_NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Step:
    """What was done on a lane."""

    kind: str
    begin: float
    """Milliseconds since the first client began to connect."""
    duration: float
    cpu: float
    """Milliseconds of CPU time. A client's is not measured: there it is the duration."""
    client: int
    """The client that it is for, from 1; 0 if it is for no particular one."""
    waits_for: str
    """Why the duration is longer than the CPU time, a key of WAITS in the catalogues; "" if it is not."""
    stack: tuple[str, ...] = ()
    """The lines that were executed, as `folder/file.py:7`, the innermost first."""
    detail: str = ""
    size: int = 0
    """Bytes."""

    @property
    def end(self) -> float:
        """Milliseconds since the first client began to connect."""
        return self.begin + self.duration


@dataclass(slots=True)
class Lane:
    """One row of the picture."""

    kind: str
    """client, main, loop, thread, child, greenlet, pool, packed (disk threads that are not at work at the same time),
    cache or running (which greenlet has the thread)."""
    number: int
    """Of its kind, from 1."""
    steps: list[Step] = field(default_factory=list)


@dataclass(slots=True)
class Design:
    """One design with its lanes, those of the clients first."""

    name: str
    lanes: list[Lane] = field(default_factory=list)

    def served(self, client: int) -> tuple[float, float] | None:
        """When a client began to connect, and when it had its last byte, in milliseconds."""
        steps = [s for lane in self.lanes if lane.kind == "client" for s in lane.steps if s.client == client]
        ends = [step.end for step in steps if step.kind == "receive"]
        return (steps[0].begin, max(ends)) if ends else None


@dataclass(slots=True)
class _Track:
    """The events of one thread or greenlet, before they are a lane."""

    pid: int
    tid: int
    process: str
    name: str
    events: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def design(self) -> str:
        return self.process.partition(", ")[0]

    @property
    def part(self) -> str:
        """`clients` or `child 7`; "" for the first process of a design."""
        return self.process.partition(", ")[2]

    @property
    def kind(self) -> str:
        if self.part:
            return "client" if self.part == "clients" else "child"
        names = {"MainThread": "main", "event loop": "loop", "running greenlet": "running"}
        starts = {"Thread-": "thread", "greenlet ": "greenlet", "pwb-disk_": "pool", "pwb-revalidate": "cache"}
        return names.get(self.name) or next((k for s, k in starts.items() if self.name.startswith(s)), "thread")


def designs(events: Iterable[Mapping[str, Any]]) -> list[Design]:
    """The designs of a timeline with their lanes. A process that is called `name, child 7` belongs to `name`."""
    tracks = _tracks(events)
    threads = Counter(track.pid for track in tracks if track.kind not in ("greenlet", "running", "client"))
    by_design: dict[str, list[_Track]] = defaultdict(list)
    for track in sorted(tracks, key=_order):
        by_design[track.design].append(track)
    names = dict.fromkeys(track.design for track in tracks)
    return [Design(name, _lanes(by_design[name], threads)) for name in names]


def _tracks(events: Iterable[Mapping[str, Any]]) -> list[_Track]:
    """The tracks that have steps, in the order in which their processes are named."""
    processes: dict[int, str] = {}
    names: dict[tuple[int, int], str] = {}
    tracks: dict[tuple[int, int], _Track] = {}
    for event in sorted(events, key=lambda event: (event["ph"] != "M", event.get("ts", 0.0))):
        where = event["pid"], event["tid"]
        if event["name"] == "process_name":
            processes.setdefault(event["pid"], event["args"]["name"])
        elif event["name"] == "thread_name":
            names.setdefault(where, event["args"]["name"])
        elif event["ph"] == "X":
            if where not in tracks:
                tracks[where] = _Track(*where, processes.get(where[0], ""), names.get(where, str(where[1])))
            tracks[where].events.append(event)
    place = {pid: index for index, pid in enumerate(processes)}
    return sorted(tracks.values(), key=lambda track: place.get(track.pid, 0))


def _order(track: _Track) -> tuple[int, int, list[int]]:
    """Clients, the running greenlet, the main thread or loop, then the others by their numbers."""
    first = {"client": 0, "running": 1, "main": 2, "loop": 2}.get(track.kind, 3)
    return first, track.pid, [track.tid] if track.kind == "client" else [int(n) for n in _NUMBER.findall(track.name)]


def _lanes(tracks: list[_Track], threads: Mapping[int, int]) -> list[Lane]:
    counts = Counter(track.kind for track in tracks)
    numbers: Counter[str] = Counter()
    lanes: dict[tuple[int, int], Lane] = {}
    for track in tracks:
        numbers[track.kind] += 1
        lane = lanes[track.pid, track.tid] = Lane(track.kind, numbers[track.kind])
        lane.steps = [_step(event, track.kind, threads[track.pid] > 1) for event in track.events]
    for track in tracks:
        if track.kind == "running":
            lanes[track.pid, track.tid].steps = [_run(event, lanes) for event in track.events]
    if counts["pool"] < POOL:
        return list(lanes.values())
    pool = [step for lane in lanes.values() if lane.kind == "pool" for step in lane.steps]
    return [lane for lane in lanes.values() if lane.kind != "pool"] + _packed(pool)


def _packed(steps: Iterable[Step]) -> list[Lane]:
    """The steps of many threads in as few lanes as there are steps at once.

    Which thread of a pool it is matters little, and how many are at work is seen.
    """
    lanes: list[Lane] = []
    for step in sorted(steps, key=lambda step: step.begin):
        free = next((lane for lane in lanes if lane.steps[-1].end <= step.begin), None)
        if free is None:
            lanes.append(free := Lane("packed", len(lanes) + 1))
        free.steps.append(step)
    return lanes


def _run(event: Mapping[str, Any], lanes: Mapping[tuple[int, int], Lane]) -> Step:
    """A time in which one greenlet has the thread."""
    lane = lanes.get((event["pid"], event["args"]["greenlet"]))
    clients = {step.client for step in lane.steps} - {0} if lane is not None and lane.kind == "greenlet" else set()
    return _timed(event, min(clients, default=0), "holds")


def _step(event: Mapping[str, Any], lane: str, has_threads: bool) -> Step:
    args = event.get("args", {})
    client = args.get("client") or min(args.get("connection", 0), 3)
    return _timed(event, client, _waits_for(event, lane, has_threads))


def _timed(event: Mapping[str, Any], client: int, waits_for: str) -> Step:
    args = event.get("args", {})
    duration = event["dur"] / 1000
    cpu = max(0.0, min(event.get("tdur", event["dur"]) / 1000, duration))
    detail = args.get("line") or args.get("target") or args.get("path") or ""
    waits = waits_for if duration - cpu > MIN_WAIT else ""
    stack = tuple(args.get("stack", ()))
    return Step(event["name"], event["ts"] / 1000, duration, cpu, client, waits, stack, detail, args.get("bytes", 0))


def _waits_for(event: Mapping[str, Any], lane: str, has_threads: bool) -> str:
    """The reason of a wait, as far as the event can tell."""
    kind, args = event["name"], event.get("args", {})
    if kind == "wait":
        return "request" if args.get("connection") else "anything"
    if kind in ("find", "read"):
        return "disk"
    if kind == "send" and args.get("buffer_full"):
        return "turn" if lane == "greenlet" else "reader"
    # What is left (accept, head, locate, and a send that found room) makes no call that can block.
    return "lock" if has_threads else "core"
