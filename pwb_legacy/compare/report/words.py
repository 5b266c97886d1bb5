"""Claims and conditions as sentences, by the templates of a catalogue.

Nothing is decided here: which design is ahead is a Claim (claims.py); how it reads is a template (texts/).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from pwb_legacy.compare.measure.rates import MAX_RATE
from pwb_legacy.compare.measure.results import Design, Played, Results
from pwb_legacy.compare.measure.scenarios import FEW, PAGES

from .claims import CORES, DISTURBED, MORE_IS_BETTER, Claim, Finding, Scaling, Verdict, failed
from .spread import figure, spread
from .texts.catalogue import load

RARE: Final = 0.001
"""Share of requests that may fail without being named."""
BEYOND: Final = 1000
"""A ratio above it is not given as a number."""
LOCK: Final = ("thread", "process")
"""Two designs that differ in nothing but the interpreter's lock."""


class Words:
    """What is written about some results, in one language."""

    def __init__(self, results: Results, language: str = "en") -> None:
        """language: "en" or "zh"."""
        self._results = results
        self._catalogue = load(language)
        self.texts = self._catalogue.texts
        self.language = self._catalogue.language

    def say(self, key: str, **values: Any) -> str:
        """A template of the catalogue, filled in."""
        return self.texts[key].format(**values)

    def listed(self, names: Sequence[str]) -> str:
        """a, b and c."""
        return self.texts["and"].join([self.texts["comma"].join(names[:-1]), names[-1]] if len(names) > 1 else names)

    def title(self, scenario: str) -> str:
        """The title of a scenario."""
        return self._catalogue.scenarios.get(scenario, (scenario,))[0]

    def head(self, scenario: str) -> str:
        """The head of its column in the terminal's table: its name in --scenarios, on short lines."""
        return {"vanishing": "vanish-\ning"}.get(scenario, scenario.replace("-", "\n"))

    def teaches(self, scenario: str) -> str:
        """What can be seen in a scenario."""
        played = next(one for one in self._results.scenarios if one.name == scenario)
        return self._catalogue.scenarios.get(scenario, ("", ""))[1].format(**played.details)

    def measure(self, name: str) -> tuple[str, str, str, str]:
        """Title, head of a column, unit, and unit in the terminal's table, of a field of Measurement."""
        return self._catalogue.measures[name]

    def family(self, name: str) -> str:
        """How the designs of a family wait."""
        return self._catalogue.families[name]

    def design(self, one: Design) -> str:
        """What a design is."""
        if (text := f"design.{one.kind}") in self.texts:
            return self.say(text, asked=one.asked, unlike=one.unlike)
        return self._catalogue.designs.get(one.design.partition("@")[0], one.title)

    def rounds(self, n: int, unit: str = "rounds") -> str:
        """`n` rounds, or runs."""
        return self.say("rounds.1") if n == 1 and unit == "rounds" else self.say(unit, n=n)

    # --- the verdict

    def verdict(self, verdict: Verdict) -> list[str]:
        """Every sentence, in the order of importance: what is decided first. What is the same of several scenarios is
        one sentence, and so is what a series shows."""
        alike: dict[str, list[Finding]] = {}
        for ones in sorted(series(verdict.findings), key=lambda ones: not any(one.claims for one in ones)):
            alike.setdefault(self._series(ones, verdict.unit), []).append(ones[0])
        found = [self.say("finding", subjects=self._subjects(ones), parts=parts) for parts, ones in alike.items()]
        return [*found, *self.scaling(verdict), *self._limited(), self._failures()]

    def _subjects(self, ones: Sequence[Finding]) -> str:
        """What findings are about: scenarios with the same measure stand together."""
        by_measure: dict[tuple[str, int], list[str]] = {}
        for one in ones:
            title = self.texts["series.pages"] if one.scenario in PAGES else self.title(one.scenario)
            by_measure.setdefault((one.measure, one.cores), []).append(_lower(title))
        subjects = []
        for (measure, cores), titles in by_measure.items():
            values = {"titles": self.listed(titles), "measure": _lower(self.measure(measure)[0]), "cores": cores}
            on_one = "subject.on_1" if measure in MORE_IS_BETTER else "subject"
            subjects.append(self.say("subject.on_cores" if cores > 1 else on_one, **values))
        return _upper(self.texts["part"].join(subjects))

    def _series(self, ones: Sequence[Finding], unit: str) -> str:
        """What each finding of a series shows, or all of them, if that is the same."""
        parts = {one.scenario: self._parts(one, unit) for one in ones}
        if len(set(parts.values())) == 1:
            return parts[ones[0].scenario]
        told = (self.say("series", ms=PAGES[scenario], parts=text) for scenario, text in parts.items())
        return self.texts["part"].join(told)

    def _parts(self, one: Finding, unit: str) -> str:
        """Which design is first, which one is last, or that this cannot be told."""
        parts = []
        kind = "most" if one.measure in MORE_IS_BETTER else "least"
        if not one.rounds:
            pass
        elif not one.claims:
            few = "undecided.one_round" if one.rounds == 1 and unit == "rounds" else "undecided"
            parts.append(self.say(few, rounds=self.rounds(one.rounds, unit)))
        elif len(one.tiers) == 1:
            parts.append(self._part(f"{kind}.some", one, one.claims[0], unit))
        else:
            ends = (
                ["first", "last"]
                if len(one.tiers) > 2
                else ["last" if len(one.tiers[0]) > len(one.tiers[1]) else "first"]
            )
            parts += [self._part(f"{kind}.{end}", one, one.claims[-1 if end == "last" else 0], unit) for end in ends]
        if one.disturbed:
            parts.append(self.say("disturbed", designs=self.listed(one.disturbed), share=DISTURBED))
        if silent := self.silent(one.scenario, [name for tier in one.tiers for name in tier]):
            parts.append(self.say("silent", designs=self.listed(silent)))
        return self.texts["part"].join(parts)

    def silent(self, scenario: str, designs: Sequence[str]) -> list[str]:
        """Designs that answered no request of a scenario, in all rounds."""
        rounds = {name: [one for one in self._results.of(name, scenario) if one.why is None] for name in designs}
        return [name for name, ones in rounds.items() if ones and not any(one.requests for one in ones)]

    def evidence(self, claim: Claim, unit: str) -> str:
        """The middle half of the ratios, and in how many rounds the winner was ahead."""
        low, high = (self._ratio(value) for value in (claim.low, claim.high))
        ahead = self.rounds(claim.rounds, unit)
        if claim.rounds == 1 and unit == "rounds":
            return ahead
        return self.say("middle", low=low, high=high, ahead=claim.ahead, rounds=ahead)

    def order(self, one: Finding) -> str:
        """All designs, the best first; then the decided pairs of those that have no order."""
        comma = self.texts["comma"]
        tiers = [
            self.say("page.order.tie", designs=comma.join(tier)) if len(tier) > 1 else tier[0] for tier in one.tiers
        ]
        order = self.say("page.order", tiers=self.texts["page.order.than"].join(tiers))
        worse = {better: [name for first, name in one.within if first == better] for better, _ in one.within}
        pairs = [self.say("page.order.pair", better=name, worse=self.listed(names)) for name, names in worse.items()]
        return self.say("page.order.within", order=order, pairs=self.texts["part"].join(pairs)) if pairs else order

    def _part(self, key: str, one: Finding, claim: Claim, unit: str) -> str:
        tied = claim.winners if key.endswith("first") else claim.losers
        within = any(better in tied for better, _ in one.within)
        return self.say(
            key,
            winners=self._named(one, claim.winners),
            losers=self._named(one, claim.losers),
            winner=claim.winner,
            loser=claim.loser,
            tie=self.texts["tie.some" if within else "tie"] if len(tied) > 1 else "",
            ratio=self._ratio(claim.ratio),
            evidence=self.evidence(claim, unit),
        )

    def _named(self, one: Finding, names: Sequence[str]) -> str:
        """Designs with their figures: epoll and thread (10,200 to 11,300)."""
        found = [spread(self._results, name, one.scenario, one.measure) for name in names]
        known = sorted((each for each in found if each), key=lambda each: each.middle)
        unit = self.measure(one.measure)[2]
        ends = list(dict.fromkeys(each.told for each in (known[0], known[-1])))
        span = self.say("to", least=ends[0], most=ends[1]) if len(ends) > 1 else ends[0]
        return f"{self.listed(names)} ({span} {unit})" if unit else f"{self.listed(names)} ({span})"

    def _ratio(self, value: float | None) -> str:
        return figure(value, None) if value and value < BEYOND else self.texts["beyond"]

    def scaling(self, verdict: Verdict) -> Iterator[str]:
        """What more cores bring to each design, and what that says of the interpreter's lock."""
        for (few, many), group in groupby(verdict.scaling, lambda one: (one.few, one.many)):
            ones = list(group)
            parts = [self._scaled(one, one.claim, verdict.unit) for one in ones if one.claim]
            if same := [one.design for one in ones if not one.claim]:
                rounds = self.rounds(ones[0].rounds, verdict.unit)
                parts.append(self.say("scaling.same", designs=self.listed(same), rounds=rounds))
            yield self.say("scaling", few=few, many=many, parts=self.texts["part"].join(parts))
            if shows_the_lock(ones):
                yield self.say("lock")

    def _scaled(self, one: Scaling, claim: Claim, unit: str) -> str:
        more = one.ratio > 1
        text = self._ratio(claim.ratio) if more else figure(one.ratio, None)
        if not more and claim.low and claim.high:
            low, high = 1 / claim.high, 1 / claim.low
            ahead, rounds = claim.rounds - claim.ahead, self.rounds(claim.rounds, unit)
            values = {"low": figure(low, None), "high": figure(high, None)}
            evidence = self.say("middle", **values, ahead=ahead, rounds=rounds)
        else:
            evidence = self.evidence(claim, unit)
        return self.say("scaling.more" if more else "scaling.fewer", design=one.design, ratio=text, evidence=evidence)

    def _limited(self) -> Iterator[str]:
        """Where a rate says more of the load generator than of the design."""
        scenario, _ = CORES
        designs = [one.name for one in self._results.designs if is_limited(self._results, one.name, scenario)]
        if designs:
            yield self.say("limited", designs=self.listed(designs), scenario=self.title(scenario))

    def _failures(self) -> str:
        parts, total, some = [], 0, False
        for scenario in self._results.scenarios:
            for design in self._results.designs:
                failures, requests = failed(self._results.of(design.name, scenario.name))
                total, some = total + requests, some or failures > 0
                if failures > RARE * requests:
                    values = {"failures": failures, "requests": requests, "scenario": _lower(self.title(scenario.name))}
                    parts.append(self.say("failures.part", design=design.name, **values))
        if parts:
            return self.say("failures", parts=self.listed(parts))
        return self.say("failures.few" if some else "failures.none", requests=total)

    def interpreter(self, one: Design) -> str:
        """The interpreter of a design, where it is another one than that of the run, and whether its lock was on."""
        return self.say(f"design.python.{'on' if one.gil else 'off'}", version=one.python) if one.python else ""

    # --- conditions

    def remark(self, kind: str, values: dict[str, Any]) -> str:
        """A condition that a reader has to know."""
        if "rounds" in values:
            values = values | {"rounds": self.rounds(values["rounds"])}
        return self.say(f"remark.{kind}", **values)

    def conditions(self) -> Iterator[tuple[str, str]]:
        """Names and values of the conditions of the run."""
        about = self._results.about
        packages = [f"{name} {version}" for name, version in about.packages.items()]
        gib = about.memory_mib / 1024
        yield self.say("about.PWB"), about.version
        yield self.say("about.command"), about.command
        yield self.say("about.date"), about.date
        yield self.say("about.machine"), self.say("about.machine.is", cpu=about.cpu, cores=about.cores, gib=gib)
        yield self.say("about.system"), f"{about.system}, {about.kernel}"
        yield self.say("about.python"), self.texts["comma"].join([about.python, *packages])
        yield self.say("about.cores"), self._cores()
        yield self.say("about.cpu_time"), self.say(f"about.cpu_time.{about.cpu_time}")
        yield self.say("about.load"), self.say(f"about.load.{about.load}", connections=about.connections)
        closed = [
            _lower(self.title(one.name)) for one in self._results.scenarios if one.rate is None and one.name in CLOSED
        ]
        if closed:
            yield self.say("about.closed"), _upper(self.say("about.closed.is", scenarios=self.listed(closed)))
        rates = [self._rate(one) for one in self._results.scenarios if one.rate is not None]
        if rates:
            values = {"scenarios": self.texts["comma"].join(rates), "clients": FEW, "most": int(MAX_RATE)}
            yield self.say("about.open"), _upper(self.say("about.open.is", **values))
        values = {"rounds": self.rounds(about.rounds), "seconds": about.duration, "seed": about.seed}
        yield self.say("about.rounds"), self.say("about.rounds.are", **values)
        kind, values = about.site
        yield self.say("about.site"), self.say(f"about.site.{kind}", **values)
        if (n := len(self._results.runs)) > 1:
            counts = Counter((one.cpu, one.cores) for one in self._results.runs)
            machines = [self.say("about.runs.machine", n=n, cpu=cpu, cores=cores) for (cpu, cores), n in counts.items()]
            yield self.say("about.runs"), self.say("about.runs.are", n=n, machines=self.listed(machines))

    def _rate(self, one: Played) -> str:
        """The rate of an open loop, and which design decided it."""
        values = {"scenario": _lower(self.title(one.name)), "rate": figure(one.rate or 0.0)}
        if one.capacity is None:
            return self.say("about.open.one", **values)
        return self.say("about.open.slowest", **values, design=one.slowest, capacity=figure(one.capacity, None))

    def _cores(self) -> str:
        about = self._results.about
        lists = [self.listed([str(core) for core in each]) for each in about.server_cores]
        servers = self.texts["about.cores.or"].join(self.say("about.cores.core", cores=each) for each in lists)
        key = "about.cores.are" if len(lists) == 1 else "about.cores.several"
        return self.say(key, servers=servers, load=self.say("about.cores.core", cores=about.load_core))


CLOSED: Final = ("crowd", "short", "kept", "large")
"""Scenarios whose clients ask again when they have their response."""


def series(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Group findings that one sentence tells together: those of the same measure in the scenarios of PAGES."""
    found: dict[tuple[str, str, int], list[Finding]] = {}
    for one in findings:
        found.setdefault(("" if one.scenario in PAGES else one.scenario, one.measure, one.cores), []).append(one)
    return list(found.values())


def is_limited(results: Results, design: str, scenario: str) -> bool:
    """Whether the load generator was the bottleneck in most rounds."""
    whole = [one for one in results.of(design, scenario) if one.why is None]
    return 2 * sum(one.limited_by_load for one in whole) > len(whole)


def shows_the_lock(ones: Sequence[Scaling]) -> bool:
    """Whether the figures show what the interpreter's lock does: processes gain from more cores, threads do not."""
    gains = {one.design: one.claim is not None and one.ratio > 1 for one in ones}
    thread, process = LOCK
    return thread in gains and not gains[thread] and gains.get(process, False)


def _lower(text: str) -> str:
    """With a small first letter, unless it begins with an abbreviation."""
    return text if text[:2].isalpha() and text[:2].isupper() else text[:1].lower() + text[1:]


def _upper(text: str) -> str:
    """With a large first letter."""
    return text[:1].upper() + text[1:]
