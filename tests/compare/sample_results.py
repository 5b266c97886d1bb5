"""Made-up results and a made-up timeline, for what is said and drawn of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from pwb_legacy.compare.load import Tally
from pwb_legacy.compare.measure.results import About, Design, Equality, Measurement, Played, Point, Results
from pwb_legacy.compare.measure.scenarios import PAGES, SCENARIOS
from pwb_legacy.compare.measure.servers import CONTESTANTS, HTTP2
from pwb_legacy.compare.measure.sweep_plan import CLIENTS, SHARES

NASTY: Final = "<script>document.title = 'caught'</script> & \"so\" on"
ABOUT: Final = {
    "version": "8.0",
    "command": "python -m pwb_legacy compare --modes epoll,thread --out a/rather/long/name/of/a/folder",
    "date": "2026-01-02 03:04 UTC",
    "system": "Debian GNU/Linux 12 (bookworm)",
    "kernel": "Linux 6.18 x86_64",
    "cpu": "A Processor of Some Maker, 3.4 GHz",
    "cores": 2,
    "memory_mib": 24105,
    "python": "CPython 3.11.7",
    "packages": {"uvloop": "0.23.0"},
    "load": "own",
    "load_core": 1,
    "server_cores": [[0]],
    "cpu_time": "control group",
    "seed": 1,
    "rounds": 3,
    "duration": 0.5,
    "connections": 32,
    "site": ("made", {"pages": 1000, "kib": 12, "mib": 16}),
}


def results(scenario: str, **figures: dict[str, Sequence[float | None]]) -> Results:
    """Of one scenario. figures: for each kind a figure for each round of each design, {"epoll": (1, 2, 3)}."""
    names = list(dict.fromkeys(name for kind in figures.values() for name in kind))
    made = Results(
        runs=[About(**ABOUT)],  # type: ignore[arg-type]
        designs=[_design(name) for name in names],
        scenarios=[Played(scenario)],
    )
    rounds = max(len(values) for kind in figures.values() for values in kind.values())
    for place in range(rounds):
        for name in names:
            told = {kind: of[name][place] for kind, of in figures.items() if name in of}
            asked = 0 if told.get("rate") == 0 else 1000
            made.measurements.append(Measurement(name, scenario, place + 1, **{"requests": asked, **told}))  # type: ignore[arg-type]
    return made


def _design(name: str) -> Design:
    design, _, cores = name.partition("@")
    return Design(name, f"the design {design}", f"python -m {design}", design, int(cores or 1))


def histogram(*milliseconds: float, n: int = 1500) -> str:
    """Waits, each for an equal share of n requests."""
    tally = Tally()
    for each in milliseconds:
        tally.record(int(each * 1000), n // len(milliseconds))
    return tally.histogram.encode().decode()


def whole(turns: int = 6) -> Results:
    """Every design in every scenario, with names that want to be more than text, and everything that can go wrong."""
    made = Results(
        runs=[About(**ABOUT, remarks=[("busy", {"load": 3.2})], interrupted=True)],  # type: ignore[arg-type]
        designs=[
            Design(one.name, NASTY, one.command, one.name, keeps_alive=one.keeps_alive, kind=one.kind)
            for one in (*CONTESTANTS, HTTP2)
        ],
        scenarios=[
            Played(one.name, 1234.5 if one.asks else None, one.details, modes=list(one.modes)) for one in SCENARIOS
        ],
        equal=Equality(178),
    )
    for turn in range(1, turns + 1):
        for place, design in enumerate(made.designs, 1):
            for scenario in made.scenarios:
                if design in made.playing(scenario.name):
                    made.measurements.append(_measured(design.name, scenario.name, turn, place))
    return made


def _measured(design: str, scenario: str, turn: int, place: int) -> Measurement:
    if (design, scenario) == ("gevent", "burst"):
        return Measurement(design, scenario, turn, why=f"it ended with status 1: {NASTY}")
    if (design, scenario) == ("single", "slow-heads"):
        waits = {"p50_ms": 1000.0, "p90_ms": 1000.0, "histogram": histogram(1000.0, n=200)}
        missing = {"cpu_us": "no_response", "p99_ms": "too_few"}
        counts = {"requests": 0, "failures": 200, "threads": 1, "processes": 1}
        return Measurement(design, scenario, turn, rate=0.0, missing=missing, **counts, **waits)  # type: ignore[arg-type]
    ends = (0.0123 * place, 1.5 * place, 12.3 * place + turn)
    keeps = scenario == "crowd" and place > 1
    page_ms = 123.4 * place if scenario in PAGES else None
    return Measurement(
        design, scenario, turn, requests=12_345, failures=place, seconds=0.5, rate=10.0**place / 1000 + turn,
        page_ms=page_ms, p50_ms=ends[0], p90_ms=ends[1], p99_ms=ends[2], histogram=histogram(*[ends[0]] * 88, *[ends[1]] * 10, *[ends[2]] * 2),
        cpu_us=1234.5 / place + turn, memory_kib=23_456 * place,
        memory_per_connection_kib=3000 / place**4 if keeps else None, missing={} if keeps else {"memory_per_connection_kib": "keeps_none"},
        threads=place, processes=1, switches=0.123, system_calls=12.25 if turn == 1 else None, limited_by_load=design == "async",
    )  # fmt: skip


def timeline(*designs: str) -> list[dict[str, Any]]:
    """Of each design: connection 1 is accepted by one thread, and then served by another, at 4 ms; the file is found
    after 5 ms, of which 0.2 ms are CPU time, and the client has the response 1 ms later."""
    events: list[dict[str, Any]] = []
    for pid, name in enumerate(designs, 100):
        events += _named(pid, name, {1: "MainThread", 2: "Thread-1 (handlerequest)"})
        line = {"stack": ["pwb_legacy/common/http_server.py:100", "pwb_legacy/threads.py:24"]}
        steps = (
            *((1, "accept", 1000, 200, 200, {}), (2, "wait", 1300, 2600, 10, {})),
            *(
                (2, "find", 4000, 5000, 200, {"path": NASTY, **line}),
                (2, "send", 9000, 500, 490, {"bytes": 1000, "buffer_full": True}),
            ),
        )
        for tid, kind, begin, length, cpu, args in steps:
            times = {"ts": begin, "dur": length, "tdur": cpu, "pid": pid, "tid": tid}
            events.append({"ph": "X", "cat": "pwb", "name": kind, **times, "args": {"connection": 1, **args}})
        events.append(
            {"ph": "t", "cat": "connection", "name": "connection 1", "id": 1, "ts": 1300, "pid": pid, "tid": 2}
        )
        if ", " not in name:
            events += _client(pid + 1000, name)
    return events


def _named(pid: int, process: str, threads: dict[int, str]) -> list[dict[str, Any]]:
    return [
        {"ph": "M", "name": "process_name", "pid": pid, "tid": pid, "args": {"name": process}},
        *(
            {"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": t}}
            for tid, t in threads.items()
        ),
    ]


def _client(pid: int, design: str) -> list[dict[str, Any]]:
    entries = (("connect", 500, 500), ("request", 1000, 3000), ("await", 4000, 6000), ("receive", 10_000, 500))
    where = {"cat": "client", "ph": "X", "pid": pid, "tid": 1, "args": {"client": 1}}
    return _named(pid, f"{design}, clients", {1: "slow sender"}) + [
        {"name": kind, "ts": begin, "dur": length, **where} for kind, begin, length in entries
    ]


PLAY: Final[dict[str, Any]] = {
    **{name: ABOUT[name] for name in ("version", "command", "date", "system", "python", "cores")},
    "delay_disk": "*.html=5ms",
    "play": {"pieces": 6, "pause": 20, "size": 6, "read": 192, "pages": 5, "delay": 5},
    "designs_planned": 1,
    "designs": [{"name": "thread", "command": f"python -m pwb_legacy --mode thread {NASTY}"}],
}


def swept(design: str, *rounds: dict[float, float], figure: str = "rate", question: str = "clients") -> list[Point]:
    """The points of a design: a curve for each round."""
    return [
        Point(design, question, x, number, requests=2000, histogram=histogram(1.0), **{figure: value})  # type: ignore[arg-type]
        for number, curve in enumerate(rounds, 1)
        for x, value in curve.items()
    ]


def swept_results(*points: Point, names: tuple[str, ...] = ("epoll", "process")) -> Results:
    """A sweep of these designs, with these points."""
    return Results(
        runs=[About(**ABOUT)],  # type: ignore[arg-type]
        designs=[Design(name, NASTY, f"python -m {name}", name) for name in names],
        scenarios=[],
        points=list(points),
    )


def swept_whole() -> Results:
    """A sweep of two designs with everything that can go wrong."""
    points = []
    for number in (1, 2, 3):
        for name in ("epoll", "process"):
            for x in CLIENTS:
                figures = {"rate": 1e4 / x, "cpu_us": 50.0 * x, "p50_ms": 0.1 * x, "p90_ms": 0.2 * x, "p99_ms": x}
                points.append(
                    Point(name, "clients", x, number, requests=500, histogram=histogram(0.1 * x, n=500), **figures)  # type: ignore[arg-type]
                )
            why = f"it ended: {NASTY}"
            points += [Point(name, "offered", x, number, offered=1e4 * x, why=why) for x in SHARES]
    for place, changed in (
        (3, {"failures": 100}),
        (5, {"rate": 0.0}),
        (6, {"p99_ms": None}),
        (7, {"limited_by_load": True}),
    ):
        points[place] = replace(points[place], **changed)  # type: ignore[arg-type]
    return swept_results(*points)
