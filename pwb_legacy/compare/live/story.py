"""What the figures show, as keys of the sentences in words.py with their values.

A sentence with a reason is shown only for designs whose figures show what the reason explains.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pwb_async.config.modes import MODES

from .row import IDLE, SLOW_READERS, SLOW_SENDERS
from .steady_load import FILES

DISK_MS: Final = 20
OWN: Final = tuple(name for name, mode in MODES.items() if mode.family == "each")
"""Designs in which each client has a thread, a process or a greenlet that waits for it alone."""
LOOPS: Final = (
    *(name for name, mode in MODES.items() if mode.family == "loop"),
    *("async", "async-uncached", "async-asyncio"),
)
"""Designs in which a loop turns to the clients that have sent something or take something."""
ALONE: Final = tuple(name for name, mode in MODES.items() if not mode.parallel_lookups)
"""Designs in which the only thread waits for the disk."""
SIDE_BY_SIDE: Final = (*(name for name, mode in MODES.items() if mode.parallel_lookups), "async-uncached")
"""Designs in which several threads or processes wait for the disk at the same time."""
CACHED: Final = ("async", "async-asyncio")
_SILENT: Final = 1.0
"""Seconds without any response from which on a design counts as stuck."""
_LATE_MS: Final = 10
"""Milliseconds from which on the delay of the clients themselves is shown, as it is part of all waits."""
_KEEPS_UP: Final = 0.8
"""The share of the offered requests from which on a design counts as keeping up."""

Row = Mapping[str, Any]
Sentence = tuple[str, dict[str, Any]]


def tell(state: Mapping[str, Any]) -> list[Sentence]:
    """The sentences about a state: the load, then what is wrong, then the rest."""
    rate, on = state["rate"], state["on"]
    rows = [row for row in state["rows"] if not row["paused"] and not row["ended"]]
    stuck = [row for row in rows if row["silent"] >= _SILENT]
    steady = [row for row in rows if row not in stuck and row["rate"] >= _KEEPS_UP * rate]
    behind = [row for row in rows if row not in stuck and row["waiting"] >= max(4 * FILES, rate)]
    sentences: list[Sentence] = [("load", {"rate": round(rate), "files": FILES})]
    sentences += [("ended", {"name": row["name"], "why": row["ended"]}) for row in state["rows"] if row["ended"]]
    for row in stuck:
        blocked = row["name"] == "single" and {"slow-senders", "slow-readers"} & set(on)
        sentences.append(("blocked" if blocked else "stuck", {"name": row["name"], "seconds": round(row["silent"])}))
    if behind:
        sentences.append(("behind", {"items": [f"{row['name']} {row['waiting']}" for row in behind]}))
    if state["killed"]:
        sentences += _killed(state["rows"], state["killed"])
    if (late := max((row["late"] for row in rows), default=0)) >= _LATE_MS:
        sentences.append(("late", {"ms": late}))
    if not on and not stuck and not behind:
        sentences += _calm(steady)
    if "idle" in on:
        sentences += _idle(rows)
    if "slow-disk" in on:
        sentences += _slow_disk(rows)
    for name, count in (("slow-senders", SLOW_SENDERS), ("slow-readers", SLOW_READERS)):
        if name in on:
            sentences.append((name, {"count": count}))
    if {"slow-senders", "slow-readers"} & set(on):
        sentences += _named("own", steady, OWN) + _named("loops", steady, LOOPS)
    if paused := [row["name"] for row in state["rows"] if row["paused"]]:
        sentences.append(("paused", {"names": paused}))
    return sentences


def _calm(rows: Sequence[Row]) -> list[Sentence]:
    waits = sorted((row["median"], row["name"]) for row in rows if row["median"] is not None)
    if len(waits) < 2:
        return []
    (least, first), (most, last) = waits[0], waits[-1]
    return [("calm", {"least": _short(least), "first": first, "most": _short(most), "last": last})]


def _idle(rows: Sequence[Row]) -> list[Sentence]:
    sentences: list[Sentence] = [("idle", {"count": IDLE})]
    held = [row for row in rows if row["clients"] >= IDLE]
    grown = sorted((row for row in held if row["grown"] is not None), key=lambda row: -row["grown"])
    if grown:
        items = [
            f"{row['name']} {_sign(row['grown'])}{_short(abs(row['grown']))}\N{NO-BREAK SPACE}MiB" for row in grown
        ]
        sentences.append(("grown", {"items": items}))
    for key, name, unit in (("processes", "process", "processes"), ("threads", "thread", "threads")):
        sentences += [(key, {"count": row[unit] - 1}) for row in held if row["name"] == name and row[unit] > IDLE]
    return sentences + _named("one-request", (row for row in rows if row["clients"] < IDLE), ("single",))


def _slow_disk(rows: Sequence[Row]) -> list[Sentence]:
    sentences: list[Sentence] = [("slow-disk", {"ms": DISK_MS, "files": FILES})]
    timed = [row for row in rows if row["median"] is not None]
    alone = [row for row in timed if row["name"] in ALONE and row["longest"] >= 2 * DISK_MS]
    bound = min((row["median"] for row in alone), default=2 * DISK_MS)
    beside = [row for row in timed if row["name"] in SIDE_BY_SIDE and DISK_MS <= row["median"] < bound]
    cached = [row for row in timed if row["name"] in CACHED and row["median"] < DISK_MS]
    for key, group in (("alone", alone), ("side-by-side", beside), ("cached", cached)):
        if group:
            items = [
                f"{row['name']} {_short(row['median'])}/{_short(row['longest'])}\N{NO-BREAK SPACE}ms" for row in group
            ]
            sentences.append((key, {"items": items}))
    return sentences


def _killed(rows: Sequence[Row], killed: Mapping[str, Any]) -> list[Sentence]:
    process = next(row for row in rows if row["name"] == "process")
    losing = [process, *(row for row in rows if row["lost"] and row is not process)]
    items = [f"{row['name']} {row['lost']}" for row in losing]
    return [("killed", dict(killed) | {"items": items, "processes": process["processes"] or 0})]


def _named(key: str, rows: Iterable[Row], names: Sequence[str]) -> list[Sentence]:
    """A sentence about those of the rows that have one of the names; none without any."""
    found = [row["name"] for row in rows if row["name"] in names]
    return [(key, {"names": found})] if found else []


def _short(number: float) -> str:
    """Two digits where it is small: more would not be the same in the next second."""
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"


def _sign(number: float) -> str:
    return "-" if number < 0 else "+"
