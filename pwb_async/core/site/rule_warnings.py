"""What in a list of rules is probably not meant: rules that are never reached, and redirects without end."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from .header_rules import HeaderRule
from .patterns import UNUSED, Captures, Pattern, PatternMap, Sample, parse_pattern, samples
from .redirect_rules import REDIRECTS, REWRITES, RedirectRule
from .servable import is_servable

_MAX_OPEN: Final = 100
"""Patterns with wildcards that every other one is compared with; 10,000 rules then take less than a second."""
_MAX_HOPS: Final = 20
"""Redirects after which browsers give up (Fetch Standard, 4.4)."""
_COMBINED: Final = frozenset((b"link", b"vary", b"set-cookie"))
"""Fields whose values are kept when a later rule sets them again."""
_EVERYTHING: Final = parse_pattern("/*")


def redirect_warnings(rules: Sequence[RedirectRule], dotfiles: bool = False) -> Iterator[str]:
    """Yield a line about each redirect or rewrite that is probably not meant.

    dotfiles: whether names that begin with a dot are served.
    """
    forced = _map((rule.pattern, number) for number, rule in enumerate(rules) if rule.force and not rule.query)
    others = _map((rule.pattern, number) for number, rule in enumerate(rules) if not (rule.force or rule.query))
    seen: set[frozenset[int]] = set()
    for number, rule in enumerate(rules):
        taker = _taker(number, rule, forced, others)
        if taker is not None:
            yield f"{rule.place}: it is never reached, see {rules[taker].place}"
        elif not any(is_servable(sample.segments, dotfiles) for sample in samples(rule.pattern)):
            yield f"{rule.place}: it is never reached, as names that begin with a dot are not served"
        elif (loop := _loop(number, rules, forced, others)) and loop.rules not in seen:
            seen.add(loop.rules)
            yield f"{rule.place}: {loop.text}"
        if rule.status in REWRITES and (rule.destination.query or rule.destination.fragment) is not None:
            yield f"{rule.place}: what is behind the path of {rule.destination.text} has no effect, as a file is sent"
        if rule.status == 200 and not (rule.force or rule.query) and rule.pattern == _EVERYTHING:
            yield (
                f"{rule.place}: missing scripts, styles and images get {rule.destination.text}, too; with --spa only "
                "navigations get a page"
            )


def header_warnings(rules: Sequence[HeaderRule]) -> Iterator[str]:
    """Yield a line about each field that two rules set for the same paths, as the makers of the format differ there."""
    setting: dict[bytes, list[tuple[Pattern, int]]] = {}
    for number, rule in enumerate(rules):
        for name in {name.lower() for name, value in rule.changes if value is not None} - _COMBINED:
            if rule.pattern is not None:
                setting.setdefault(name, []).append((rule.pattern, number))
    for name, entries in sorted(setting.items()):
        again: dict[int, int] = {}
        together = _map(entries)
        for pattern, number in entries:
            for other in (other for sample in samples(pattern) for other in _found(together, sample)):
                if other != number:
                    again.setdefault(max(number, other), min(number, other))
        for later, earlier in sorted(again.items()):
            changes = [(written, value) for written, value in rules[later].changes if written.lower() == name]
            if all(value is not None for _, value in changes):
                written = changes[0][0].decode()
                yield (
                    f"{rules[later].place}: {written} replaces that of {rules[earlier].place}, as at Netlify; "
                    f'Cloudflare joins them, unless "! {written}" stands before it'
                )


def _map(entries: Iterable[tuple[Pattern, int]]) -> PatternMap[int]:
    """A map of all exact patterns and of the first ones with wildcards."""
    entries = tuple(entries)
    are_open = frozenset([number for pattern, number in entries if pattern.segments is None][:_MAX_OPEN])
    return PatternMap(
        (pattern, number) for pattern, number in entries if pattern.segments is not None or number in are_open
    )


def _found(rules: PatternMap[int], sample: Sample) -> list[int]:
    return [number for number, _ in rules.matches(sample.segments, False, sample.host)]


def _taker(number: int, rule: RedirectRule, forced: PatternMap[int], others: PatternMap[int]) -> int | None:
    """The number of a rule that takes all requests of this one before it."""
    takers: set[int] | None = None
    for sample in samples(rule.pattern):
        found = {each for each in _found(forced, sample) if each < number or not rule.force}
        if not rule.force:
            found |= {each for each in _found(others, sample) if each < number}
        takers = found if takers is None else takers & found
    return min(takers or (), default=None)


class _Loop(NamedTuple):
    """Redirects of which each leads to the next one, without end."""

    rules: frozenset[int]
    """The numbers of the rules."""
    text: str


class _Step(NamedTuple):
    """One redirect on the way."""

    rule: int
    path: bytes
    """The path that it leads to, decoded."""

    @property
    def segments(self) -> tuple[bytes, ...]:
        return tuple(segment for segment in self.path.split(b"/") if segment)


def _loop(number: int, rules: Sequence[RedirectRule], forced: PatternMap[int], others: PatternMap[int]) -> _Loop | None:
    """The loop of which a redirect is a part, for a path for which there is no file; None if there is none."""
    pattern = rules[number].pattern
    if pattern.host or rules[number].query:
        return None
    for sample in samples(pattern):
        path = b"/" + b"/".join(sample.segments)
        step = _step(number, pattern.match(path[1:], False), sample.segments, rules)
        taken, paths = [number], [pattern.text.encode() if pattern.path is None else path]
        while step is not None and len(taken) < _MAX_HOPS:
            paths.append(step.path)
            if step.segments == sample.segments:
                return _Loop(frozenset(taken), f"it redirects in a circle: {_shown(paths)}")
            step = _next(step.segments, (forced, others), rules)
            taken += [step.rule] if step is not None else []
        if step is not None and number in taken[1:]:
            return _Loop(frozenset(taken), f"it redirects without end: {_shown(paths[:4])}, ...")
    return None


def _next(segments: tuple[bytes, ...], maps: Iterable[PatternMap[int]], rules: Sequence[RedirectRule]) -> _Step | None:
    """The redirect of the first rule of these maps that applies to a path; None if that is no redirect on this site."""
    for number, captures in (match for each in maps for match in each.matches(segments, False, b"")):
        step = _step(number, captures, segments, rules)
        if step is None or step.segments != segments:  # a redirect to itself does not apply
            return step
    return None


def _step(
    number: int, captures: Captures | None, segments: tuple[bytes, ...], rules: Sequence[RedirectRule]
) -> _Step | None:
    rule = rules[number]
    if captures is None or rule.status not in REDIRECTS or rule.destination.origin:
        return None
    return _Step(number, rule.destination.file_path(captures))


def _shown(paths: Iterable[bytes]) -> str:
    return ", ".join(path.replace(UNUSED, b"x").decode(errors="replace") for path in paths)
