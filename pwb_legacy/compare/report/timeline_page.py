"""trace.html: the timelines of all designs, to be looked at and to be stepped through, with the source beside them.

The page is one file: its data stands in it as JSON, chart.js draws the lanes, and player.js steps through them. All
sentences are those of a catalogue in timeline_words.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .templates import printed
from .timeline_lanes import Design, Lane, Step, designs
from .timeline_sources import design_source, function_at
from .timeline_words.catalogue import Words, load

STATES: Final = ("running", "blocked", "lock", "idle")
DIGITS: Final = 4
"""Of a time in milliseconds, after the point: tenths of a microsecond."""


def render(events: Sequence[Mapping[str, Any]], about: Mapping[str, Any], language: str = "en") -> str:
    """The whole page. about: version, command, date, system, python, cores, delay_disk, play (figures for the sentences
    about the clients), designs (name and command) and designs_planned (how many). language: "en" or "zh"."""
    words = load(language)
    planned = about["designs_planned"]
    shown = designs(events)
    kinds = {step.kind for one in shown for lane in one.lanes for step in lane.steps if lane.kind != "client"}
    return printed(
        "timeline.html",
        about=about,
        words=words,
        text=words.text,
        delay=words.text["ms"].format(number=about["play"]["delay"]),
        missing=words.text["stopped"].format(n=n, all=planned) if (n := len(about["designs"])) < planned else "",
        clients=[sentence.format(**about["play"]) for sentence in words.plays],
        kinds=[(kind, what) for kind, what in words.kinds.items() if kind in kinds - {"wait", "run"}],
        states=STATES,
        sections=[_section(one, about, words) for one in shown],
        data=page_data(shown, words),
    )


def page_data(shown: Sequence[Design], words: Words) -> dict[str, Any]:
    """What the scripts draw, as JSON."""
    sources = _Sources()
    ends = [step.end for one in shown for lane in one.lanes for step in lane.steps]
    return {
        "language": words.language,
        "end": max(ends, default=1.0),
        "designs": [_design(one, words, sources) for one in shown],
        "stacks": sources.stacks,
        "functions": sources.functions,
        "text": words.text,
        "clients": words.clients,
        "kinds": words.kinds,
        "waits": words.waits,
    }


class _Sources:
    """The stacks and functions of all steps, each once."""

    def __init__(self) -> None:
        self.stacks: list[list[Any]] = []
        """Of each stack the frames from the inside out: file, line, and the place of the function or -1."""
        self.functions: list[dict[str, Any]] = []
        self._known: dict[tuple[str, ...], int] = {}
        self._places: dict[tuple[str, int], int] = {}

    def stack(self, lines: tuple[str, ...]) -> int:
        """The place of a stack; -1 for an empty one."""
        if not lines:
            return -1
        if lines not in self._known:
            self._known[lines] = len(self.stacks)
            self.stacks.append([self._frame(line) for line in lines])
        return self._known[lines]

    def _frame(self, line: str) -> list[Any]:
        file, _, number = line.rpartition(":")
        found = function_at(file, int(number))
        if found is None:
            return [file, int(number), -1]
        place = self._places.setdefault((file, found.first), len(self.functions))
        if place == len(self.functions):
            self.functions.append({"file": file, "name": found.name, "first": found.first, "lines": found.lines})
        return [file, int(number), place]


def _design(one: Design, words: Words, sources: _Sources) -> dict[str, Any]:
    source, idea = design_source(one.name)
    return {
        "name": one.name,
        "file": source.file if source else "",
        "lines": source.lines if source else (),
        "idea": idea,
        "lanes": [_lane(lane, words, sources) for lane in one.lanes],
    }


def _lane(lane: Lane, words: Words, sources: _Sources) -> dict[str, Any]:
    return {
        "kind": lane.kind,
        "title": _title(lane, words),
        "label": _title(lane, words) if lane.kind != "packed" else words.lanes["pools"] if lane.number == 1 else "",
        "steps": [_row(step, sources) for step in lane.steps],
    }


def _title(lane: Lane, words: Words) -> str:
    if lane.kind == "client":
        return words.clients[min(lane.number, len(words.clients)) - 1]
    return words.lanes[lane.kind].format(number=lane.number)


def _row(step: Step, sources: _Sources) -> list[Any]:
    """Kind, begin, duration, CPU time, client, what it waits for, stack, detail and bytes."""
    times = (round(number, DIGITS) for number in (step.begin, step.duration, step.cpu))
    return [step.kind, *times, step.client, step.waits_for, sources.stack(step.stack), step.detail, step.size]


def _section(one: Design, about: Mapping[str, Any], words: Words) -> dict[str, Any]:
    commands = {each["name"]: each["command"] for each in about["designs"]}
    served = [one.served(client) for client in range(1, len(words.clients) + 1)]
    return {
        "name": one.name,
        "title": words.designs.get(one.name, ""),
        "command": commands.get(one.name, ""),
        "served": ["-" if span is None else f"{span[1] - span[0]:,.0f}" for span in served],
    }
