"""What in a list of rules is probably not meant: rules that are never reached, and redirects in a circle."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from .header_rules import HeaderRule
from .patterns import Captures, Pattern, PatternMap, Sample, parse_pattern, samples
from .redirect_rules import REDIRECTS, RedirectRule

_MAX_OPEN: Final = 100
"""Patterns with wildcards that every other one is compared with; 10,000 rules then take less than a second."""
_MAX_HOPS: Final = 20
"""Redirects after which browsers give up (Fetch Standard, 4.4)."""
_COMBINED: Final = frozenset((b"link", b"vary", b"set-cookie"))
"""Fields whose values are kept when a later rule sets them again."""
_EVERYTHING: Final = parse_pattern("/*")


def redirect_warnings(rules: Sequence[RedirectRule]) -> Iterator[str]:
    """Yield a line about each redirect or rewrite that is probably not meant."""
    forced = _map((rule.pattern, number) for number, rule in enumerate(rules) if rule.force and not rule.query)
    others = _map((rule.pattern, number) for number, rule in enumerate(rules) if not (rule.force or rule.query))
    for number, rule in enumerate(rules):
        taker = _taker(number, rule, forced, others)
        if taker is not None:
            yield f"{rule.place}: it is never reached, see {rules[taker].place}"
        elif circle := _circle(rule, forced, others, rules):
            yield f"{rule.place}: it redirects in a circle: {circle}"
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


def _circle(rule: RedirectRule, forced: PatternMap[int], others: PatternMap[int], rules: Sequence[RedirectRule]) -> str:
    """The paths that an exact redirect leads through until it is back; "" if it leads elsewhere."""
    start = rule.pattern.segments
    if start is None or rule.pattern.host or rule.query:
        return ""
    paths, step, captures = [rule.pattern.text], rule, Captures()
    for _ in range(_MAX_HOPS):
        if step.status not in REDIRECTS or step.destination.origin:
            return ""
        path = step.destination.file_path(captures)
        paths.append(path.decode(errors="replace"))
        segments = tuple(segment for segment in path.split(b"/") if segment)
        if segments == start:
            return ", ".join(paths)
        found = _next(segments, forced) or _next(segments, others)
        if found is None:
            return ""
        number, captures = found
        step = rules[number]
    return ""


def _next(segments: tuple[bytes, ...], rules: PatternMap[int]) -> tuple[int, Captures] | None:
    return next(rules.matches(segments, False, b""), None)
