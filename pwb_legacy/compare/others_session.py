"""What a run of `compare` does with contestants that are no designs of PWB, before anything is measured."""

from collections.abc import Iterable
from dataclasses import replace

from rich.console import Console

from pwb_async.output.printing import printable
from pwb_legacy.compare.measure.others import tried
from pwb_legacy.compare.measure.results import Design, Results
from pwb_legacy.compare.measure.rounds import Bench
from pwb_legacy.compare.measure.servers import CannotError, Contestant, serving

from .checks import request_corpus as corpus
from .checks.equality import validators
from .checks.others import Likeness, likeness
from .report.words import Words


def row(one: Contestant) -> Design:
    """The row of the results for a contestant."""
    return Design(
        one.name, one.title, one.command, one.design or one.name, one.cores, one.keeps_alive,
        kind=one.kind, python=one.version, gil=one.gil,
    )  # fmt: skip


def admit(bench: Bench, console: Console) -> None:
    """Start each of the others once, and find out whether it keeps connections. A reference that cannot be used is
    left out, with a line. Raises CannotError for any other command that does not serve the page."""
    known: dict[str, Contestant | None] = {}
    for one in _others(bench.contestants):
        name = one.design or one.name
        if name not in known:
            known[name] = _tried(replace(one, name=name), bench, console)
    admitted = []
    for one in bench.contestants:
        if one.is_pwb:
            admitted.append(one)
        elif found := known[one.design or one.name]:
            admitted.append(replace(one, keeps_alive=found.keeps_alive))
    bench.contestants = admitted


def report_likeness(bench: Bench, results: Results, console: Console, words: Words) -> None:
    """Count which of the proof's requests the others answer otherwise, print it, and put it into the results."""
    design = next(one for one in bench.contestants if one.kind == "design")
    known: dict[str, Likeness] = {}
    for one in _others(bench.contestants):
        name = one.design or one.name
        if one.kind == "other" and name not in known:
            known[name] = _likeness(design, one, bench)
            console.out(printable(f"{name}: {words.say('design.other', **known[name]._asdict())}"), highlight=False)
    results.designs = [
        replace(one, **known[one.design]._asdict()) if one.design in known else one for one in results.designs
    ]


def _tried(one: Contestant, bench: Bench, console: Console) -> Contestant | None:
    try:
        return tried(one, bench.site, bench.cores.servers(one.cores))
    except CannotError as error:
        if one.kind != "reference":
            raise CannotError(f"--also {error}") from None
        console.out(printable(str(error)), highlight=False)
        return None


def _likeness(design: Contestant, other: Contestant, bench: Bench) -> Likeness:
    with serving(design, bench.site.root) as one, serving(other, bench.site.root) as another:
        cases = corpus.built_in(bench.site, validators(one.address, bench.site.page))
        return likeness(one.address, another.address, cases)


def _others(contestants: Iterable[Contestant]) -> list[Contestant]:
    return [one for one in contestants if not one.is_pwb]
