"""What the figures of a run say, in a few plain sentences.

Each teller below looks at one scenario and says one sentence, or None where its figures are missing. It knows no
theory: who is first, last or level is what was measured, and a difference that is not larger than the spread over the
rounds is told as none.
"""

from collections.abc import Callable, Sequence
from typing import Final

from pwb_legacy.compare.measure.results import Results

from .spread import Spread, between, figure, listed, ranked

GAP: Final = 2.0
"""Neighbours in a ranking that are this many times apart belong to different groups."""
STALLED: Final = 0.1
"""A design whose innocent clients get this share of what the middle one's get is held up."""
RARE: Final = 0.001
"""Share of requests that may fail without being told."""


def sentences(results: Results) -> list[str]:
    """The verdict: only what was measured, in the order of importance."""
    told = (teller(results) for teller in TELLERS)
    return [sentence for sentence in told if sentence]


def _fastest(scenario: str, where: str) -> Callable[[Results], str | None]:
    def tell(results: Results) -> str | None:
        """Who serves most requests a second, by how much, and who the fewest."""
        rates = ranked(results, scenario, "rate")[::-1]
        if len(rates) < 2 or not rates[0].middle:
            return None
        first, last = rates[0], rates[-1]
        level = _level(rates)
        least = " at least" if _is_limited(results, first.design, scenario) else ""
        if len(level) == 1:
            head = f"{where} {first.design} is the fastest:{least} {figure(first.middle)} requests a second"
            if rates[1].middle:
                head += f", {_times(first, rates[1])} {rates[1].design}, the next"
        else:
            names = listed([one.design for one in level])
            why = "closer together than the rounds are" if first.rounds > 1 else "too close to tell apart in one round"
            head = f"{where} {names} are level: {between(level)} requests a second, {why}"
        if last in level or len(rates) == 2:
            return f"{head}."
        return f"{head}. The slowest is {last.design} with {figure(last.middle)}."

    return tell


def _short(results: Results) -> str | None:
    """Who pays most for letting a client in."""
    costs = ranked(results, "short", "cpu_us")[::-1]
    if len(costs) < 2 or not costs[-1].middle:
        return None
    dear, cheap = costs[0], costs[-1]
    if not dear.is_above(cheap):
        return f"A short connection costs all designs alike: {between(costs)} microseconds of processor time."
    level = _level(costs)
    most = listed([one.design for one in level])
    return (
        f"A client that comes for one request costs most in {most}: {between(level)} microseconds of processor time, "
        f"{_times(dear, cheap)} {cheap.design} ({figure(cheap.middle)})."
    )


def _crowd(results: Results) -> str | None:
    """What an idle connection costs in memory."""
    costs = [one for one in ranked(results, "crowd", "memory_per_connection_kib") if one.middle > 0]
    if len(costs) < 2:
        return None
    words = [f"{figure(one.middle)} KiB in {one.design}" for one in costs]
    return f"A connection that does nothing costs {listed(words)}."


def _held_up(scenario: str, guilty: str) -> Callable[[Results], str | None]:
    def tell(results: Results) -> str | None:
        """Whom the guilty clients stop, and how long the others' clients wait."""
        rates = ranked(results, scenario, "rate")
        if len(rates) < 2 or not rates[-1].middle:
            return None
        usual = rates[len(rates) // 2].middle
        stopped = [one.design for one in rates if not one.most]
        slowed = [one for one in rates if one.most and one.most < STALLED * usual]
        words = []
        if stopped:
            words.append(f"{guilty} stop {listed(stopped)}: not one other client is answered")
        if slowed:
            words.append(
                f"{guilty} hold up {listed([one.design for one in slowed])}: "
                f"{between(slowed)} requests a second, where the middle design answers {figure(usual)}"
            )
        held = {*stopped, *(one.design for one in slowed)}
        waits = [one for one in ranked(results, scenario, "p99_ms") if one.design not in held]
        if not words:
            words.append(f"{guilty} hold up no design's other clients")
        if waits:
            where = "with the others" if held else "with all designs"
            words.append(f"{where} 99 of 100 of them wait at most {_from_to(waits)}")
        return f"{'; '.join(words)}."

    return tell


def _slow_disk(results: Results) -> str | None:
    """Who waits for the disk one after the other, and who not."""
    groups = _groups([one for one in ranked(results, "slow-disk", "rate") if one.middle])
    if not groups:
        return None
    words = [f"{listed([one.design for one in group])} {between(group)}" for group in groups]
    return f"From a slow disk come, in requests a second: {'; '.join(words)}."


def _burst(results: Results) -> str | None:
    """How long the last of many waits who come at once."""
    waits = ranked(results, "burst", "p99_ms")
    if len(waits) < 2:
        return None
    quick, late = waits[0], waits[-1]
    if not late.is_above(quick):
        return (
            f"When all connect at once, no design lets the last of them wait longer than others: {between(waits)} ms."
        )
    return (
        f"When all connect at once, the last of them wait {figure(late.middle)} ms at {late.design}, "
        f"{figure(quick.middle)} ms at {quick.design}."
    )


def _replay(results: Results) -> str | None:
    """How long the requests of a recording wait."""
    waits = ranked(results, "replay", "p99_ms")
    return f"Of the replayed requests 99 of 100 wait at most {_from_to(waits)}." if waits else None


def _failures(results: Results) -> str | None:
    """Which requests were not answered as they should."""
    words, total = [], 0
    for scenario in results.scenarios:
        for design in results.designs:
            rounds = [one for one in results.measurements if (one.design, one.scenario) == (design.name, scenario.name)]
            failures, requests = sum(one.failures for one in rounds), sum(one.requests for one in rounds)
            total += requests
            if failures > RARE * (failures + requests):
                words.append(f"{design.name} {failures:,} of {failures + requests:,} ({scenario.title.lower()})")
    if words:
        return f"Requests that failed: {listed(words)}."
    return f"Of {total:,} requests at most one in a thousand failed, in any scenario." if total else None


def _level(best_first: Sequence[Spread]) -> list[Spread]:
    """The first, and all that follow it within the spread of the rounds."""
    first = best_first[0]
    return [first, *(one for one in best_first[1:] if not first.is_above(one))]


def _groups(least_first: Sequence[Spread]) -> list[list[Spread]]:
    """Parted wherever the next figure is GAP times the one before."""
    groups: list[list[Spread]] = []
    for one in least_first:
        if groups and one.middle < GAP * groups[-1][-1].middle:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _from_to(waits: Sequence[Spread]) -> str:
    """The shortest and the longest of some waits."""
    ends = [f"{figure(one.middle)} ms ({one.design})" for one in (waits[0], waits[-1])]
    return " to ".join(dict.fromkeys(ends))


def _times(more: Spread, less: Spread) -> str:
    return f"{figure(more.middle / less.middle)} times" if less.middle else "and nothing at"


def _is_limited(results: Results, design: str, scenario: str) -> bool:
    middle = results.median(design, scenario)
    return middle is not None and middle.limited_by_load


TELLERS: Final[tuple[Callable[[Results], str | None], ...]] = (
    _fastest("kept", "On kept connections"),
    _short,
    _crowd,
    _held_up("slow-heads", "Half-sent requests"),
    _held_up("slow-readers", "Slow readers"),
    _held_up("vanishing", "Clients that vanish"),
    _slow_disk,
    _burst,
    _fastest("many", "With many files"),
    _fastest("large", "With one large file"),
    _replay,
    _failures,
)
