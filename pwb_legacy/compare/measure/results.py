"""What was measured, as compare.json has it: dataclasses to JSON and back, and the median over rounds."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from statistics import median
from typing import Any, Final


@dataclass(slots=True)
class About:
    """The conditions. duration: seconds of a measurement. connections: of the busy clients. load: "own" or "wrk". site:
    what was asked for. remarks: what a reader must know besides, a sentence each. interrupted: it is not the whole
    run."""

    version: str
    command: str
    date: str
    system: str
    kernel: str
    cpu: str
    cores: int
    memory_mib: int
    python: str
    packages: dict[str, str]
    load: str
    seed: int
    rounds: int
    duration: float
    connections: int
    site: str
    remarks: list[str] = field(default_factory=list)
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Design:
    """command: without the folder and the options that all have in common."""

    name: str
    title: str
    command: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """A scenario. teaches: what one sees in it, a sentence."""

    name: str
    title: str
    teaches: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """One design in one scenario and round. None: it could not be measured; why: the reason, if all of it could not.

    requests, failures, rate (a second), p50_ms, p90_ms and p99_ms are those of the innocent clients where there are
    guilty ones. cpu_us: processor time of the server's whole tree, per request. memory_kib: proportional set size of
    the tree, half way through. memory_per_connection_kib: what an idle connection adds to it. threads, processes: half
    way through. switches, system_calls: per request, the latter without
    futex. limited_by_load: the load generator was busier than the server.
    """

    design: str
    scenario: str
    round: int
    requests: int = 0
    failures: int = 0
    seconds: float = 0.0
    rate: float | None = None
    p50_ms: float | None = None
    p90_ms: float | None = None
    p99_ms: float | None = None
    cpu_us: float | None = None
    memory_kib: int | None = None
    memory_per_connection_kib: float | None = None
    threads: int | None = None
    processes: int | None = None
    switches: float | None = None
    system_calls: float | None = None
    limited_by_load: bool = False
    why: str | None = None


FIGURES: Final = tuple(
    one.name for one in fields(Measurement) if one.name not in ("design", "scenario", "round", "limited_by_load", "why")
)


@dataclass(slots=True)
class Equality:
    """requests: how many were sent to every design. differences: one for each that was not answered alike."""

    requests: int = 0
    differences: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Results:
    """A run of `compare`. verdict: what the figures say, in sentences."""

    about: About
    designs: list[Design]
    scenarios: list[Lesson]
    measurements: list[Measurement] = field(default_factory=list)
    equal: Equality = field(default_factory=Equality)
    verdict: list[str] = field(default_factory=list)

    def median(self, design: str, scenario: str) -> Measurement | None:
        """The median over the rounds of every figure by itself; the reason, where no round could be measured; None if
        there was no round."""
        rounds = [one for one in self.measurements if (one.design, one.scenario) == (design, scenario)]
        whole = [one for one in rounds if one.why is None]
        if not whole:
            return rounds[-1] if rounds else None
        figures = {name: _median(getattr(one, name) for one in whole) for name in FIGURES}
        limited = 2 * sum(one.limited_by_load for one in whole) > len(whole)
        return Measurement(design, scenario, 0, **figures, limited_by_load=limited)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Results":
        """Raises KeyError, TypeError or ValueError for what is no result of `compare`."""
        told = json.loads(text)
        return cls(
            about=About(**told["about"]),
            designs=[Design(**one) for one in told["designs"]],
            scenarios=[Lesson(**one) for one in told["scenarios"]],
            measurements=[Measurement(**one) for one in told["measurements"]],
            equal=Equality(**told["equal"]),
            verdict=told["verdict"],
        )


def _median(values: Iterable[Any]) -> Any:
    """Of what there is; a whole number stays one."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    middle = median(known)
    return round(middle) if isinstance(known[0], int) else middle
