"""Patterns of request paths, such as /blog/:year/*, and the patterns of many rules compiled into one matcher.

    pattern = [ ( "http://" / "https://" ) host ] path
    path    = "/" with at most one "*", and ":name" as a whole segment

A literal is compared with the decoded path, and case matters. "*" takes any number of characters, "/" included; as a
whole segment it may also stand for none at all, so /x/* matches /x. ":name" takes one whole segment. A slash at the end
makes no difference, neither in the pattern nor in the path. In a host, ":name" stands for one label.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar
from urllib.parse import unquote_to_bytes

from pwb_async.core.semantics.grammar import BAD_ESCAPE

T = TypeVar("T")
Captures: TypeAlias = dict[str, bytes]
"""What the wildcards of a pattern stand for in a path, decoded, by their names; that of "*" is "splat"."""
SPLAT: Final = "splat"
"""The name of "*"."""
PLACEHOLDER: Final = re.compile(rb":([A-Za-z][A-Za-z0-9_]*)")
"""A colon and a name, which stands for a part of a path."""
_SCHEME: Final = r"(?i)https?://"
_HOST: Final = rb"(?:[A-Za-z0-9_-]+|:[A-Za-z][A-Za-z0-9_]*)(?:\.(?:[A-Za-z0-9_-]+|:[A-Za-z][A-Za-z0-9_]*))*"
UNUSED: Final = b"\x01"
"""A segment that no pattern has as a literal in practice."""
RESERVED: Final = frozenset((b"_headers", b"_redirects"))
"""The names of the files of rules in the root, in lower case. They are never served, so no rule is about them."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern of request paths. Two are equal if they match the same paths, whatever their names."""

    text: str = field(compare=False)
    """The pattern as it was written."""
    host: re.Pattern[bytes] | None
    """What the host must match; None for any host."""
    path: re.Pattern[bytes] | None
    """What the path must match: its decoded segments, joined by slashes, without one at either end. None if there is no
    wildcard, so that `fixed` and `length` tell all."""
    names: tuple[str, ...] = field(compare=False)
    """The name of each group of `path`."""
    fixed: tuple[tuple[int, bytes], ...]
    """The segments without wildcards: the index of each in the path, from the end for those behind "*", and itself."""
    length: int | None
    """How many segments a path has to have; None for any number, because there is a "*"."""

    @property
    def segments(self) -> tuple[bytes, ...] | None:
        """The only path that matches; None if there are wildcards."""
        return None if self.path is not None else tuple(segment for _, segment in self.fixed)

    def match(self, path: bytes, trailing_slash: bool) -> Captures | None:
        """What the wildcards stand for in a path; None if it does not match.

        path: its segments joined by slashes. If there are no wildcards, it has to be the path of the pattern.
        """
        if self.path is None:
            return {}
        match = self.path.fullmatch(path)
        if match is None:
            return None
        captures = {name: match[index] or b"" for index, name in enumerate(self.names, 1)}
        if trailing_slash and self.text.rstrip("/").endswith("*") and captures[SPLAT]:
            captures[SPLAT] += b"/"
        return captures


def parse_pattern(text: str) -> Pattern:
    """The pattern that `text` describes. Raises ValueError with the reason why it is none."""
    scheme = re.match(_SCHEME, text)
    host, slash, path = text[scheme.end() :].partition("/") if scheme else ("", text[:1], text[1:])
    if slash != "/":
        raise ValueError(f'"{text}": a path begins with "/"' if not scheme else f'"{text}" has no path')
    raw = path.encode()
    if b"?" in raw or b"#" in raw:
        raise ValueError(f'"{text}": "?" and "#" are never part of a path')
    if BAD_ESCAPE.search(raw):
        raise ValueError(f'"{text}": "%" is not followed by two hexadecimal digits')
    if raw.count(b"*") > 1:
        raise ValueError(f'"{text}": one "*" only')
    segments = [segment for segment in raw.split(b"/") if segment]
    names = [SPLAT if b"*" in segment else segment[1:].decode() for segment in segments if _is_wildcard(segment)]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f'"{text}": the name ":{name}" is there twice')
    fixed = _fixed(text, segments)
    if len(segments) == len(fixed) == 1 and fixed[0][1].lower() in RESERVED:
        raise ValueError(f'"{text}" is reserved: it is never served')
    return Pattern(
        text=text,
        host=_parse_host(text, host) if scheme else None,
        path=re.compile(_source(text, segments), re.DOTALL) if names else None,
        names=tuple(names),
        fixed=fixed,
        length=None if b"*" in raw else len(segments),
    )


def beneath(pattern: Pattern) -> re.Pattern[bytes]:
    """What the paths of a pattern, and all paths beneath them, match: segments joined by slashes, in any case."""
    source = (
        re.escape(b"/".join(segment for _, segment in pattern.fixed)) if pattern.path is None else pattern.path.pattern
    )
    return re.compile(rb"(?:%s)(?:/.*)?" % source if source else rb".*", re.DOTALL | re.IGNORECASE)


def _is_wildcard(segment: bytes) -> bool:
    return b"*" in segment or PLACEHOLDER.fullmatch(segment) is not None


def _literal(text: str, segment: bytes) -> bytes:
    """A part of a segment without wildcards, decoded."""
    if name := PLACEHOLDER.search(segment):
        raise ValueError(f'"{text}": "{name[0].decode()}" must be a whole segment; a colon itself is written %3A')
    literal = unquote_to_bytes(segment)
    if b"/" in literal or b"\0" in literal or segment in (b".", b".."):
        raise ValueError(f'"{text}": no request has the segment "{segment.decode()}"')
    return literal


def _fixed(text: str, segments: list[bytes]) -> tuple[tuple[int, bytes], ...]:
    star = next((index for index, segment in enumerate(segments) if b"*" in segment), len(segments))
    return tuple(
        (index if index < star else index - len(segments), _literal(text, segment))
        for index, segment in enumerate(segments)
        if not _is_wildcard(segment)
    )


def _source(text: str, segments: list[bytes]) -> bytes:
    """The regular expression of a path."""
    source = b""
    for index, segment in enumerate(segments):
        slash = b"/" if index else b""
        if segment == b"*" and index < len(segments) - 1:  # no segments at all, or some and the slash behind them
            source += slash + b"(?:(.*)/)?"
            continue
        if index and segments[index - 1] == b"*":  # which has the slash in its own part
            slash = b""
        if segment == b"*":
            source += b"(?:/(.*))?" if index else b"(.*)"
        elif b"*" in segment:
            before, _, behind = segment.partition(b"*")
            source += slash + re.escape(_literal(text, before)) + b"(.*)" + re.escape(_literal(text, behind))
        elif PLACEHOLDER.fullmatch(segment):
            source += slash + b"([^/]+)"
        else:
            source += slash + re.escape(_literal(text, segment))
    return source


def _parse_host(text: str, host: str) -> re.Pattern[bytes]:
    name = host.encode().lower()
    if not re.fullmatch(_HOST, name):
        raise ValueError(f'"{text}": "{host}" is not a host name without a port')
    labels = [b"[^.]+" if label[:1] == b":" else re.escape(label) for label in name.split(b".")]
    return re.compile(rb"\.".join(labels))


class Sample(NamedTuple):
    """A path that a pattern matches, with names in it that no other pattern has as literals."""

    segments: tuple[bytes, ...]
    host: bytes


def samples(pattern: Pattern) -> list[Sample]:
    """Some paths that a pattern matches, such that another pattern that matches them all matches all of its paths."""
    host, _, path = pattern.text.partition("://")[2].partition("/") if pattern.host else ("", "", pattern.text[1:])
    host = re.sub(r":\w+", UNUSED.decode(), host.lower())
    found = []
    for splat in (b"", UNUSED, UNUSED + b"/" + UNUSED) if b"*" in path.encode() else (b"",):
        filled = b"/".join(
            UNUSED if PLACEHOLDER.fullmatch(segment) else unquote_to_bytes(segment).replace(b"*", splat)
            for segment in path.encode().split(b"/")
        )
        found.append(Sample(tuple(segment for segment in filled.split(b"/") if segment), host.encode()))
    return found


_Shape: TypeAlias = tuple[tuple[int, ...], int | None]
"""Where a pattern has segments without wildcards, and how many segments it has."""


class PatternMap(Generic[T]):
    """Values under patterns, in the order in which they are given; most are found without a look at the others.

    Patterns with fixed segments at the same places have a dict by these segments. So of many rules such as /a/*, /b/*,
    or /:x/c, /:x/d, only those are tried that have the segments of the path. The result is that of file order.
    """

    def __init__(self, entries: Iterable[tuple[Pattern, T]]) -> None:
        shapes: dict[_Shape, dict[tuple[bytes, ...], list[tuple[int, Pattern, T]]]] = {}
        hosts: dict[re.Pattern[bytes], None] = {}
        for order, (pattern, value) in enumerate(entries):
            places, segments = tuple(zip(*pattern.fixed, strict=True)) or ((), ())
            shapes.setdefault((places, pattern.length), {}).setdefault(segments, []).append((order, pattern, value))
            if pattern.host is not None:
                hosts[pattern.host] = None
        self._tables = [(*shape, _least(shape[0]), table) for shape, table in shapes.items()]
        self.hosts = tuple(hosts)
        """What patterns with a host demand of it, each once."""

    def __bool__(self) -> bool:
        return bool(self._tables)

    def matches(self, segments: tuple[bytes, ...], trailing_slash: bool, host: bytes) -> Iterator[tuple[T, Captures]]:
        """Each value whose pattern matches, in order, with what the wildcards of its pattern stand for.

        segments: the decoded path; none of them contains a slash. host: in lower case, without a port.
        """
        count = len(segments)
        found: list[tuple[int, Pattern, T]] = []
        for places, length, least, table in self._tables:
            if count == length or (length is None and count >= least):
                entries = table.get(tuple([segments[place] for place in places]))
                if entries:
                    found = sorted([*found, *entries], key=_order) if found else entries
        path = b"/".join(segments)
        for _, pattern, value in found:
            if pattern.host is None or pattern.host.fullmatch(host):
                captures = pattern.match(path, trailing_slash)
                if captures is not None:
                    yield value, captures


def _least(places: tuple[int, ...]) -> int:
    """How many segments a path must have, so that it has one at each of these places."""
    return max((len(places), *(place + 1 if place >= 0 else -place for place in places)))


def _order(entry: tuple[int, Pattern, object]) -> int:
    return entry[0]
