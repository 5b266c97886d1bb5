"""The notes beside the figures of a scenario: what is wrong with them, and what a reader has to know about them."""

from collections.abc import Iterator
from typing import Final

from pwb_legacy.compare.measure.results import Measurement, Results
from pwb_legacy.compare.measure.running_server import CARRIES, PERCENTILES

from .claims import DISTURBED, is_disturbed
from .measures import WAITS
from .spread import spread
from .words import Words, is_limited

NOTICEABLE: Final = 0.02
"""The share of the requests by which a rate may differ from their number without a note."""


def warnings(results: Results, words: Words, scenario: str) -> Iterator[str]:
    """What is wrong with a scenario's figures."""
    for design in results.playing(scenario):
        measurements = results.of(design.name, scenario)
        if not measurements:
            yield words.say("note.not_asked", design=design.name)
        elif all(one.why for one in measurements):
            yield words.say("note.failed", design=design.name, why=measurements[-1].why)
        elif words.silent(scenario, [design.name]):
            yield words.say("note.silent", design=design.name)
    measured = measured_in(results, scenario)
    if limited := [name for name in measured if is_limited(results, name, scenario)]:
        yield words.say("note.limited", designs=words.listed(limited))
    if hollow := [name for name in measured if is_disturbed(results, name, scenario)]:
        yield words.say("note.disturbed", designs=words.listed(hollow), share=DISTURBED)


def measured_in(results: Results, scenario: str) -> list[str]:
    """The designs that have figures in a scenario."""
    whole = {one.design for one in results.measurements if one.scenario == scenario and one.why is None}
    return [one.name for one in results.designs if one.name in whole]


def notes(results: Results, words: Words, scenario: str) -> Iterator[str]:
    """What a reader has to know to understand a scenario's figures."""
    measured = measured_in(results, scenario)
    closing = [one.name for one in results.designs if not one.keeps_alive and one.name in measured]
    if closing and scenario == "kept":
        yield words.say("note.keeps_none", designs=words.listed(closing))
    reasons = {name for one in results.measurements if one.scenario == scenario for name in one.missing}
    for name in ("p90_ms", "p99_ms"):
        lacking = [each for each in measured if spread(results, each, scenario, name) is None]
        if lacking and name in reasons:
            yield words.say("note.few", percent=PERCENTILES[name], least=CARRIES[PERCENTILES[name]])
    if any(_answered_later(one) for one in results.measurements if one.scenario == scenario):
        yield words.say("note.in_time")
    if scenario in WAITS and any(one.failures for one in results.measurements if one.scenario == scenario):
        yield words.say("note.timeout")


def _answered_later(one: Measurement) -> bool:
    """Whether the rate counts noticeably fewer requests than were sent."""
    sent = one.requests + one.failures
    return one.rate is not None and abs(one.rate * one.seconds - sent) > NOTICEABLE * sent
