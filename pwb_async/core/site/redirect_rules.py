"""Redirects and rewrites by rule: which rule a request meets first, and where it leads.

A rule without `force` is for what the site has no response for; one with it is asked before the disk. The first rule
that matches counts. A redirect that would lead a request to itself does not match it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import unquote_to_bytes

from pwb_async.core.semantics.messages import Request
from pwb_async.core.semantics.target import host_name

from .destinations import Destination, parse_destination
from .patterns import PLACEHOLDER, RESERVED, Captures, Pattern, PatternMap, parse_pattern
from .variants import Reads

REDIRECTS: Final = (301, 302, 303, 307, 308)
"""The statuses that send the client to another place."""
REWRITES: Final = (200, 404, 410)
"""The statuses with which a file of the site is sent in place of the one that was asked for."""
QueryConditions: TypeAlias = tuple[tuple[bytes, bytes | str], ...]
"""Keys that the query must have, each with its value, or with the name that is to stand for the value."""


@dataclass(frozen=True, slots=True)
class RedirectRule:
    """A redirect (301, 302, 303, 307, 308) or a rewrite (200, 404, 410)."""

    place: str
    """Where it was written, such as "_redirects line 3"."""
    pattern: Pattern
    destination: Destination
    status: int
    force: bool = False
    """Whether it counts even where there is a file."""
    query: QueryConditions = ()

    @property
    def redirects(self) -> bool:
        """Whether it sends the client elsewhere, except for one that is at the destination already."""
        return self.status not in REWRITES

    @property
    def reads(self) -> Reads:
        """What it reads of a request; a redirect lets requests pass that are at its destination already."""
        if not self.redirects:
            return Reads(self.pattern.host, query=bool(self.query))
        query = bool(self.query) or self.destination.query is not None
        return Reads(self.pattern.host, self.destination.host, query)


def parse_rule(
    place: str, source: str, destination: str, status: int, force: bool, query: Sequence[tuple[str, str]] = ()
) -> RedirectRule:
    """A rule. Raises ValueError with the reason why it cannot be what was meant.

    query: the keys that the query must have, each with its value, or with a colon and a name for any value.
    """
    pattern = parse_pattern(source)
    conditions = tuple((_decode(key), _parse_wanted(value)) for key, value in query)
    names = [*pattern.names, *(wanted for _, wanted in conditions if isinstance(wanted, str))]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f'the name ":{name}" is there twice')
    rule = RedirectRule(place, pattern, parse_destination(destination, names), status, force, conditions)
    if status in REWRITES:
        _check_file(rule.destination, status)
    elif not conditions and _leads_to_itself(pattern, rule.destination):
        raise ValueError("it leads to itself (neither the scheme nor a slash at the end makes a difference)")
    return rule


def _parse_wanted(value: str) -> bytes | str:
    name = PLACEHOLDER.fullmatch(value.encode())
    return name[1].decode() if name else _decode(value)


def _decode(text: str) -> bytes:
    return unquote_to_bytes(text.replace("+", " "))


def _check_file(destination: Destination, status: int) -> None:
    if destination.origin:
        raise ValueError(f"PWB does not proxy: with {status} the destination is a file of this site")
    for piece in destination.path:
        if isinstance(piece, bytes) and _has_no_file(unquote_to_bytes(piece), piece):
            raise ValueError(f'"{destination.text}": no file has such a path')
    if unquote_to_bytes(destination.text).strip(b"/").lower() in RESERVED:
        raise ValueError(f'"{destination.text}" is reserved: it is never served')


def _has_no_file(decoded: bytes, written: bytes) -> bool:
    dots = any(name in (b".", b"..") for name in decoded.split(b"/"))
    return b"\0" in decoded or dots or decoded.count(b"/") != written.count(b"/")


def _leads_to_itself(pattern: Pattern, destination: Destination) -> bool:
    if destination.origin and not (pattern.host and pattern.host.fullmatch(host_name(destination.host))):
        return False
    source = pattern.text.partition("://")[2].partition("/")[2] if pattern.host else pattern.text
    written = "".join(piece.decode() if isinstance(piece, bytes) else f":{piece}" for piece in destination.path)
    return _normalized(source.replace("*", ":splat")) == _normalized(written)


def _normalized(path: str) -> list[bytes]:
    return [unquote_to_bytes(segment) for segment in path.split("/") if segment]


class Redirect(NamedTuple):
    """A redirect of one request."""

    rule: RedirectRule
    status: int
    location: bytes
    """The value of Location."""


class Rewrite(NamedTuple):
    """A file of the site that is sent in response to one request."""

    rule: RedirectRule
    status: int
    segments: tuple[bytes, ...]
    """The segments of its path, decoded; none of them is "." or ".."."""
    trailing_slash: bool
    """Whether the path names a directory, whose index is sent."""


class RedirectRules:
    """All redirects and rewrites of a site, in order."""

    def __init__(self, rules: Iterable[RedirectRule] = ()) -> None:
        rules = tuple(rules)
        self._forced = PatternMap((rule.pattern, rule) for rule in rules if rule.force)
        self._others = PatternMap((rule.pattern, rule) for rule in rules if not rule.force)
        self._by_query = PatternMap((rule.pattern, rule) for rule in rules if rule.reads.query)
        self.reads = frozenset(rule.reads for rule in rules)
        """What the rules read of requests."""

    def __bool__(self) -> bool:
        return bool(self._forced or self._others)

    def forced(self, request: Request) -> Redirect | Rewrite | None:
        """Where a rule leads that is asked before the disk."""
        return _first(self._forced, request) if self._forced else None

    def otherwise(self, request: Request) -> Redirect | Rewrite | None:
        """Where a rule leads if the site has no response of its own."""
        return _first(self._others, request) if self._others else None

    def depend_on_query(self, request: Request) -> bool:
        """Whether another query may lead this request to another place, so that it has no place in a cache."""
        return bool(self._by_query) and any(True for _ in _matches(self._by_query, request))


def _matches(rules: PatternMap[RedirectRule], request: Request) -> Iterable[tuple[RedirectRule, Captures]]:
    target = request.target
    host = host_name(target.authority or request.fields.host) if rules.hosts else b""
    return rules.matches(target.segments, target.trailing_slash, host)


def _first(rules: PatternMap[RedirectRule], request: Request) -> Redirect | Rewrite | None:
    for rule, captures in _matches(rules, request):
        query = request.target.query
        if rule.query:
            captured = _match_query(rule.query, query or b"")
            if captured is None:
                continue
            captures |= captured
            query = _without(query or b"", rule.query, rule.destination.names)
        answer = _rewrite(rule, captures) if rule.status in REWRITES else _redirect(rule, captures, query, request)
        if answer is not None:
            return answer
    return None


def _redirect(rule: RedirectRule, captures: Captures, query: bytes | None, request: Request) -> Redirect | None:
    destination, target = rule.destination, request.target
    path = destination.location_path(captures)
    query = destination.location_query(captures, query)
    same_path = unquote_to_bytes(path).strip(b"/") == b"/".join(target.segments)
    if same_path and (query or b"") == (target.query or b""):
        own_host = (target.authority or request.fields.host or b"").lower()
        if not destination.origin or destination.host == own_host:
            return None
    return Redirect(rule, rule.status, destination.location(path, query, captures))


def _rewrite(rule: RedirectRule, captures: Captures) -> Rewrite | None:
    path = rule.destination.file_path(captures)
    segments = tuple(segment for segment in path.split(b"/") if segment)
    if any(segment in (b".", b"..") for segment in segments):
        return None
    return Rewrite(rule, rule.status, segments, path.endswith(b"/"))


def _pairs(query: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Each part of a query as it was sent, with its key and its value, decoded."""
    pairs = ((part, *part.replace(b"+", b" ").partition(b"=")[::2]) for part in query.split(b"&"))
    return [(part, unquote_to_bytes(key), unquote_to_bytes(value)) for part, key, value in pairs]


def _match_query(conditions: QueryConditions, query: bytes) -> Captures | None:
    pairs = _pairs(query)
    captures: Captures = {}
    for key, wanted in conditions:
        values = [value for _, found, value in pairs if found == key]
        if not values or (isinstance(wanted, bytes) and wanted not in values):
            return None
        if isinstance(wanted, str):
            captures[wanted] = values[0]
    return captures


def _without(query: bytes, conditions: QueryConditions, used: Collection[str]) -> bytes:
    """A query without the parts that are filled into the destination."""
    taken = {key for key, name in conditions if isinstance(name, str) and name in used}
    return b"&".join(part for part, key, _ in _pairs(query) if key not in taken)
