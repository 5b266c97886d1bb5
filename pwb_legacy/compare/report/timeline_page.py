"""trace.html: the lanes of a timeline as pictures, where there is no Perfetto.

A timeline is the list of Chrome's trace events: "M" gives names, "X" is a step with its begin and length, and its
argument `connection` says for whom. Each design gets one drawing, all on the same axis. A lane is a thread, a process,
a greenlet or a loop: above what it does, below, as a thin strip, for which connection; an upright line is a connection
that comes to another lane.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from markupsafe import Markup

from .charts import FONT, picture
from .spread import figure
from .templates import printed

STEPS: Final = {
    "accept": "lets a client in",
    "head": "reads and parses a request head",
    "locate": "decides what it asks for",
    "find": "looks for the file on the disk",
    "read": "reads the content",
    "send": "sends",
    "wait": "waits",
}
WIDTH: Final = 1000
"""Pixels of the time axis."""
NAMES: Final = 170
LANE: Final = 22
NARROW: Final = 1.6
"""Pixels that a step takes at least, else one would not see it."""
CLIENTS: Final = 3
"""Colours for connections; the last is for all that come later, too."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step on a lane. Times are in milliseconds. connection: 0 where it belongs to no connection."""

    kind: str
    begin: float
    end: float
    connection: int


@dataclass(slots=True)
class Track:
    """A lane with its title and its steps, in their order."""

    title: str
    steps: list[Step] = field(default_factory=list)


@dataclass(slots=True)
class Design:
    """A design with the lanes of all its processes, in the order of their first steps."""

    name: str
    lanes: list[Track] = field(default_factory=list)

    def done(self, client: int) -> float | None:
        """When the last byte for a client was handed over, in milliseconds."""
        ends = (s.end for lane in self.lanes for s in lane.steps if s.kind == "send" and _client(s) == client)
        return max(ends, default=None)


def render(events: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> str:
    """The whole page. about: version, command, date, system, python, clients (a sentence each) and designs (name,
    title, command)."""
    designs = sides(events)
    end = max((step.end for one in designs for lane in one.lanes for step in lane.steps), default=1.0)
    told = {one["name"]: one for one in about.get("designs", ())}
    kinds = {step.kind for one in designs for lane in one.lanes for step in lane.steps}
    return printed(
        "trace.html",
        about=about,
        clients=list(about.get("clients", ())),
        steps=[(name, what) for name, what in STEPS.items() if name in kinds],
        sections=[
            {
                "name": one.name,
                "title": told.get(one.name, {}).get("title", ""),
                "command": told.get(one.name, {}).get("command", ""),
                "done": [_moment(one.done(client)) for client in range(1, CLIENTS + 1)],
                "svg": Markup(draw(one, end)),  # noqa: S704 - the drawing is escaped
            }
            for one in designs
        ],
    )


def sides(events: Iterable[Mapping[str, Any]]) -> list[Design]:
    """The designs of a timeline with their lanes. A process that is called `name, child 7` belongs to `name`."""
    designs: dict[str, Design] = {}
    titles: dict[tuple[int, int], str] = {}
    processes: dict[int, str] = {}
    lanes: dict[tuple[int, int], Track] = {}
    for event in sorted(events, key=lambda event: (event["ph"] != "M", event.get("ts", 0.0))):
        where = event["pid"], event["tid"]
        if event["name"] == "process_name":
            processes.setdefault(event["pid"], event["args"]["name"])
            designs.setdefault(_own(event["args"]["name"]), Design(_own(event["args"]["name"])))
        elif event["name"] == "thread_name":
            titles[where] = event["args"]["name"]
        elif event["ph"] == "X":
            process = processes.get(event["pid"], "")
            if where not in lanes:
                child = process.partition(", ")[2]
                lanes[where] = Track(child or titles.get(where, str(event["tid"])))
                designs.setdefault(_own(process), Design(_own(process))).lanes.append(lanes[where])
            begin, end = event["ts"] / 1000, (event["ts"] + event["dur"]) / 1000
            lanes[where].steps.append(Step(event["name"], begin, end, event.get("args", {}).get("connection", 0)))
    return [design for design in designs.values() if design.lanes]


def draw(design: Design, end: float) -> str:
    """One design as an ``<svg>``. end: of the time axis, in milliseconds."""
    lanes = {"field": "title", "type": "nominal"}
    across = {"type": "quantitative", "scale": {"domain": [0, end], "nice": False}, "axis": _AXIS}
    down = {"type": "quantitative", "scale": {"domain": [0, len(design.lanes)], "reverse": True}, "axis": None}
    box = {"x": {"field": "begin", **across}, "x2": {"field": "end"}, "y": {"field": "top", **down}}
    box |= {"y2": {"field": "foot"}, "color": {"field": "colour", "type": "nominal", "scale": None}}
    words = {"type": "text", "align": "right", "baseline": "middle", "dx": -10, "fontSize": 12.5, "color": "var(--ink)"}
    middle = {"x": {"field": "begin", **across}, "y": {"field": "middle", **down}, "text": lanes}
    names = [{"title": lane.title, "begin": 0, "middle": place + 0.45} for place, lane in enumerate(design.lanes)]
    specification = {
        "width": WIDTH,
        "height": LANE * len(design.lanes),
        "background": None,
        "padding": {"left": NAMES, "right": 24, "top": 4, "bottom": 22},
        "autosize": "none",
        "layer": [
            {"data": {"values": list(_boxes(design, end))}, "mark": {"type": "rect"}, "encoding": box},
            {"data": {"values": list(_moves(design))}, "mark": {"type": "rule", "opacity": 0.6}, "encoding": box},
            {"data": {"values": names}, "mark": words, "encoding": middle},
        ],
        "config": {"font": FONT, "view": {"stroke": None}, "aria": False},
    }
    return picture(specification, f"{design.name}: what each of its {len(design.lanes)} lanes does")


def _boxes(design: Design, end: float) -> Iterator[dict[str, Any]]:
    """What is done, the waiting below all else; and the strips that say for whom."""
    least = end * NARROW / WIDTH
    for place, lane in enumerate(design.lanes):
        for step in sorted(lane.steps, key=lambda step: step.kind != "wait"):
            across = {"begin": step.begin, "end": max(step.end, step.begin + least)}
            kind = step.kind if step.kind in STEPS else "plain"
            yield {**across, "top": place + 0.1, "foot": place + 0.68, "colour": f"var(--{kind})"}
            if step.connection:
                yield {**across, "top": place + 0.72, "foot": place + 0.88, "colour": f"var(--client-{_client(step)})"}


def _moves(design: Design) -> Iterator[dict[str, Any]]:
    """A line wherever a connection comes to another lane."""
    steps = [(step, place) for place, lane in enumerate(design.lanes) for step in lane.steps if step.connection]
    last: dict[int, int] = {}
    for step, place in sorted(steps, key=lambda pair: pair[0].begin):
        before = last.setdefault(step.connection, place)
        if before != place:
            ends = {"top": before + 0.8, "foot": place + 0.8}
            yield {"begin": step.begin, "end": step.begin, **ends, "colour": f"var(--client-{_client(step)})"}
        last[step.connection] = place


def _client(step: Step) -> int:
    return min(step.connection, CLIENTS)


def _own(process: str) -> str:
    return process.partition(", ")[0]


def _moment(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else figure(milliseconds)


_AXIS: Final = {
    "title": None,
    "domain": False,
    "ticks": False,
    "gridColor": "var(--rule)",
    "labelColor": "var(--soft)",
    "labelFontSize": 11,
    "tickCount": 10,
    "labelExpr": "datum.label + ' ms'",
}
