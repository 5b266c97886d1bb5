"""What was measured, as it stands in compare.json: dataclasses to JSON and back. docs/laboratory.md has the format."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, TypeVar

FORMAT: Final = 2
"""The version of compare.json. Version 1 had neither histograms nor claims."""

_Made = TypeVar("_Made", "Measurement", "Point")
Remark = tuple[str, dict[str, Any]]
"""A condition that a reader has to know: a kind, of which the catalogue of report/ has the sentence, and its values."""


@dataclass(slots=True)
class About:
    """The conditions of one run."""

    version: str
    command: str
    date: str
    system: str
    kernel: str
    cpu: str
    cores: int
    """Of the machine."""
    memory_mib: int
    python: str
    packages: dict[str, str]
    load: str
    """What sends the requests: "own" or "wrk"."""
    load_core: int
    server_cores: list[list[int]]
    """The cores of the servers, a list for each number of cores that was measured."""
    cpu_time: str
    """How CPU time was read: "control group" or "process tree"."""
    seed: int
    rounds: int
    """That were begun."""
    duration: float
    """Seconds of a measurement."""
    connections: int
    """Of the busy clients."""
    site: Remark
    """What was asked for."""
    remarks: list[Remark] = field(default_factory=list)
    interrupted: bool = False
    """The run was stopped before its end."""


@dataclass(frozen=True, slots=True)
class Design:
    """A row of the results: a design on a number of cores."""

    name: str
    title: str
    command: str
    """Without the folder and the options that all have in common."""
    design: str = ""
    """The design's own name, where `name` adds the number of cores: thread for thread@2."""
    cores: int = 1
    keeps_alive: bool = True
    """False: it ends every connection after one response."""
    kind: str = "design"
    """"protocol": a design with another protocol, for the scenarios that name it; "reference": another server, for
    comparison only; "other": another server that the user has named."""
    python: str = ""
    """The interpreter, where it is another one than that of the run."""
    gil: bool = True
    """Whether that interpreter's lock was on."""
    asked: int = 0
    """Of another server: requests of the proof that it was sent,"""
    unlike: int = 0
    """and how many it answered with another status or other content than a design."""


@dataclass(frozen=True, slots=True)
class Played:
    """A scenario as it was played. Its title and its text are in the catalogue of report/."""

    name: str
    rate: float | None = None
    """Requests a second that were sent, whatever the server did: an open loop. None: a closed loop, or a burst."""
    details: dict[str, Any] = field(default_factory=dict)
    """Values for its text."""
    slowest: str = ""
    """Of an open loop: the design that decided its rate,"""
    capacity: float | None = None
    """and the requests a second that this could serve."""
    modes: list[str] = field(default_factory=list)
    """The designs that play it; empty: all but those that are there for another protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a measurement and a point of a sweep have in common. A figure is None where it could not be measured."""

    run: int = 0
    """The place in Results.runs."""
    requests: int = 0
    """That were answered as they should."""
    failures: int = 0
    seconds: float = 0.0
    rate: float | None = None
    """Requests a second, of those that were answered within these seconds."""
    p50_ms: float | None = None
    p90_ms: float | None = None
    p99_ms: float | None = None
    cpu_us: float | None = None
    """CPU time of all processes of the server, per request."""
    disturbed: float | None = None
    """The share of the time of the server's cores, or of the load generator's if that is more, that other programs had
    meanwhile."""
    limited_by_load: bool = False
    """The load generator was busier than the server."""
    histogram: str | None = None
    """The waits in microseconds, in HdrHistogram's V2 encoding; a request that timed out has waited for the timeout."""
    why: str | None = None
    """The reason, where nothing of it could be measured."""


@dataclass(frozen=True, slots=True)
class Measurement(Figures):
    """One design in one scenario and round. The requests are those of the well-behaved clients, where there are others,
    too."""

    design: str
    scenario: str
    round: int
    memory_kib: int | None = None
    """Of all its processes, half-way through, without the pages of files."""
    memory_per_connection_kib: float | None = None
    """What an idle connection adds to it."""
    threads: int | None = None
    processes: int | None = None
    switches: float | None = None
    """Context switches per request."""
    page_ms: float | None = None
    """How long a page of many files took until the last of them was there, on average."""
    system_calls: float | None = None
    """Per request, without futex; one performance under strace, of the first round."""
    missing: dict[str, str] = field(default_factory=dict)
    """Why a figure is None: its name, and the kind of reason, of which the catalogue of report/ has the sentence."""


@dataclass(frozen=True, slots=True)
class Point(Figures):
    """One point of a sweep: a design at one place of a question's axis, in one round."""

    design: str
    question: str
    """"clients": x is how many. "offered": x is the share of the design's capacity that was asked for."""
    x: float
    round: int
    offered: float | None = None
    """Requests a second that were sent, whatever the server did; None: a closed loop."""


@dataclass(slots=True)
class Equality:
    """The proof that all designs answer alike."""

    requests: int = 0
    """How many were sent to every design."""
    differences: list[str] = field(default_factory=list)
    """One for each request that was not answered alike."""


@dataclass(slots=True)
class Results:
    """One run of `compare`, or several that were joined."""

    runs: list[About]
    designs: list[Design]
    scenarios: list[Played]
    measurements: list[Measurement] = field(default_factory=list)
    equal: Equality = field(default_factory=Equality)
    claims: list[dict[str, Any]] = field(default_factory=list)
    """The claims of report/claims.py as they were made when the run ended. They are computed again for each page."""
    points: list[Point] = field(default_factory=list)
    """Of the sweep, if that is what was run."""

    @property
    def about(self) -> About:
        """The conditions of the first run."""
        return self.runs[0]

    def playing(self, scenario: str) -> list[Design]:
        """The designs that play a scenario."""
        modes = next(one.modes for one in self.scenarios if one.name == scenario)
        return [one for one in self.designs if (one.design in modes if modes else one.kind != "protocol")]

    def of(self, design: str, scenario: str) -> list[Measurement]:
        """Every measurement of a design in a scenario."""
        return [one for one in self.measurements if (one.design, one.scenario) == (design, scenario)]

    def to_json(self) -> str:
        """The text of compare.json."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Results":
        """Raises ValueError, in words, for text that is not the JSON of this version."""
        plain = json.loads(text)
        if not isinstance(plain, dict) or "format" not in plain:
            raise ValueError("not a compare.json of this version")
        if plain["format"] != FORMAT:
            raise ValueError(f"compare.json has format {plain['format']!r}, and this version reads format {FORMAT}")
        try:
            return cls(
                runs=[
                    About(**one | {"remarks": list(map(tuple, one["remarks"])), "site": tuple(one["site"])})
                    for one in plain["runs"]
                ],
                designs=[Design(**one) for one in plain["designs"]],
                scenarios=[Played(**one) for one in plain["scenarios"]],
                measurements=[Measurement(**one) for one in plain["measurements"]],
                equal=Equality(**plain["equal"]),
                claims=plain["claims"],
                points=[Point(**one) for one in plain.get("points", [])],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"a compare.json with wrong fields: {error}") from None


def joined(parts: Sequence[Results]) -> Results:
    """Several runs as one: each keeps its rounds, with the number of its run."""
    first = parts[0]
    if len(parts) == 1:
        return first
    return Results(
        runs=[about for part in parts for about in part.runs],
        designs=list({one.name: one for part in reversed(parts) for one in reversed(part.designs)}.values())[::-1],
        scenarios=list({one.name: one for part in reversed(parts) for one in reversed(part.scenarios)}.values())[::-1],
        measurements=list(_renumbered(parts, [part.measurements for part in parts])),
        points=list(_renumbered(parts, [part.points for part in parts])),
        equal=Equality(
            min(part.equal.requests for part in parts), [each for part in parts for each in part.equal.differences]
        ),
    )


def _renumbered(parts: Sequence[Results], lists: Sequence[Sequence[_Made]]) -> Iterator[_Made]:
    before = 0
    for part, made in zip(parts, lists, strict=True):
        for one in made:
            yield replace(one, run=before + one.run)
        before += len(part.runs)
