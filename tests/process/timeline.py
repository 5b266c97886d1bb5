"""Reads the trace of a test, and checks what must be true of every trace."""

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

Event = dict[str, Any]
KINDS: Final = {"accept", "head", "locate", "find", "send", "wait"}
FOLLOWS: Final = {
    "accept": {"head"},
    "head": {"head", "locate", "send"},
    "locate": {"find", "send"},
    "find": {"read", "send"},
    "read": {"send"},
    "send": {"head", "read", "send"},
}
"""The steps that may follow each step of a connection, waits left out."""


def read(path: Path) -> list[Event]:
    """All events of a trace whose server has ended; the file is JSON."""
    events = json.loads(path.read_bytes())
    check(events)
    return events  # type: ignore[no-any-return]


def read_partial(path: Path) -> list[Event]:
    """The events so far, while the server runs or after it was killed: every line is whole."""
    return [json.loads(line.rstrip(b",\n")) for line in path.read_bytes().splitlines(keepends=True)[1:]]


def steps(events: list[Event], *kinds: str) -> list[Event]:
    """The steps of these kinds (all if none is named), by their start."""
    chosen = [event for event in events if event["ph"] == "X" and (not kinds or event["name"] in kinds)]
    return sorted(chosen, key=lambda event: event["ts"])


def end(event: Event) -> float:
    """Microseconds, as `ts`."""
    return event["ts"] + event["dur"]  # type: ignore[no-any-return]


def max_overlap(events: list[Event]) -> int:
    """The largest number of these steps that overlap."""
    changes = sorted([(event["ts"], 1) for event in events] + [(end(event), -1) for event in events])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def check(events: list[Event]) -> None:
    """Checks what is true of every trace: lanes have names, steps on a lane nest, arrows lead from step to step."""
    processes = {event["pid"] for event in events if event["name"] == "process_name"}
    lanes = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    by_lane = defaultdict(list)
    for event in steps(events):
        by_lane[event["pid"], event["tid"]].append(event)
    assert set(by_lane) <= lanes
    assert {pid for pid, _ in lanes} <= processes
    for lane in by_lane.values():
        _check_nesting(lane)
    arrows = defaultdict(list)
    for event in events:
        if event["ph"] in "stf":
            assert any(event["ts"] == step["ts"] for step in by_lane[event["pid"], event["tid"]])
            arrows[event["id"]].append(event)
    for way in arrows.values():
        phases = "".join(event["ph"] for event in way)
        assert phases.strip("f") == "s" + "t" * (len(phases.strip("f")) - 1), phases
        assert phases.count("f") <= 1


def _check_nesting(lane: list[Event]) -> None:
    under_way: list[Event] = []
    for event in lane:
        while under_way and end(under_way[-1]) <= event["ts"] + 0.01:
            under_way.pop()
        assert not under_way or end(event) <= end(under_way[-1]) + 0.01, (under_way[-1], event)
        under_way.append(event)


def check_order(events: list[Event]) -> None:
    """Checks that the steps of each connection follow each other in a valid order."""
    by_connection = defaultdict(list)
    for event in steps(events, *FOLLOWS):
        if number := event["args"].get("connection"):  # a revalidation of the cache belongs to no connection
            by_connection[number].append(event["name"])
    for names in by_connection.values():
        assert names[0] == "accept"
        for before, after in pairwise(names):
            assert after in FOLLOWS[before], names
