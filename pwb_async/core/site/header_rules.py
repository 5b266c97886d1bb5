"""Fields that rules add to responses, replace or remove.

All rules that match the path of a request apply, in order. A field that is set again replaces what was there before,
except Link and Vary, which are joined, and Set-Cookie, of which each value stays a field line of its own.

What no rule can do: a response with a status of 400 or more keeps its own caching fields, so that no error stays in a
cache; fields that describe a file are added to responses with a file only; Strict-Transport-Security is sent over TLS
only (RFC 6797 7.2).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from pwb_async.core.semantics.grammar import TOKEN
from pwb_async.core.semantics.messages import FieldList, Request
from pwb_async.core.semantics.target import host_name

from .content_disposition import CONTENT_DISPOSITION, fill_disposition
from .destinations import Template, fill_value
from .patterns import Captures, Pattern, PatternMap
from .variants import Reads

Change: TypeAlias = tuple[bytes, Template | None]
"""The name of a field, and the value that is set; None to remove it."""

_CONTROLLED: Final = frozenset(
    b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade content-length content-range "
    b"content-encoding accept-ranges date etag last-modified location allow age server".split()
)
"""Fields that no rule may set or remove: they follow from the message itself, or from an option."""
_NOT_REMOVED: Final = frozenset((b"content-type", b"vary"))
"""Fields that a rule may set, but not remove: without them clients guess, and caches give one client another's file."""
_JOINED: Final = frozenset((b"link", b"vary"))
_CACHING: Final = frozenset((b"cache-control", b"expires", b"pragma", b"surrogate-control", b"surrogate-key"))
_OF_A_FILE: Final = frozenset((CONTENT_DISPOSITION, b"content-language", b"content-location"))
"""Fields that describe a file. Content-Type is another one; Site asks for it before it makes the response."""
_CONTENT_TYPE: Final = b"content-type"
_CACHE_CONTROL: Final = b"cache-control"
_NO_TRANSFORM: Final = b"no-transform"


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """Changes to the fields of responses."""

    place: str
    """Where it was written, such as "_headers line 3" or "--header"."""
    pattern: Pattern | None
    """The requests whose responses it changes; None for every response, even to an invalid request."""
    changes: tuple[Change, ...]

    @property
    def reads(self) -> Reads:
        """What it reads of a request."""
        return Reads(None if self.pattern is None else self.pattern.host)


class FieldStep(NamedTuple):
    """One of the changes that are made to the fields of a response, one after the other."""

    place: str
    """Where it was written, or the option that demands it."""
    apply: Callable[[int, FieldList], FieldList]
    """A function of the status and the fields. It returns the fields as they are from then on."""


def check_change(name: bytes, value: bytes | None) -> None:
    """Raises ValueError with the reason if a rule may not set a field to this value, or with None not remove it."""
    shown, lower = name.decode(errors="replace"), name.lower()
    if not TOKEN.fullmatch(name):
        raise ValueError(f'"{shown}" is not the name of a field')
    if lower in _CONTROLLED or (value is None and lower in _NOT_REMOVED):
        raise ValueError(f"{shown} cannot be {'removed' if value is None else 'set'}: PWB sets it itself")
    if lower == b"basic-auth":
        raise ValueError(f"{shown} is not supported; --htpasswd protects a site")
    if value is not None and not value:
        raise ValueError(f"{shown} has no value")
    if value is not None and not all(byte == 9 or 32 <= byte < 127 for byte in value):
        raise ValueError(f"the value of {shown} holds more than visible US-ASCII, spaces and tabs")


class HeaderRules:
    """All rules about fields of a site, in order; rules for every response come first.

    Args:
        rules: The rules.
        secure: Whether responses are sent over TLS.
    """

    def __init__(self, rules: Iterable[HeaderRule] = (), *, secure: bool = False) -> None:
        rules = tuple(rules)
        self._always = tuple(rule for rule in rules if rule.pattern is None)
        self._by_path = PatternMap((rule.pattern, rule) for rule in rules if rule.pattern is not None)
        self._secure = secure
        changes = [(name.lower(), template) for rule in rules for name, template in rule.changes]
        self._sets_type = any(name == _CONTENT_TYPE for name, _ in changes)
        self._forbids_transforms = any(name == _CACHE_CONTROL and _forbids(template) for name, template in changes)
        self.reads = frozenset(rule.reads for rule in rules)
        """What the rules read of requests."""

    def __bool__(self) -> bool:
        return bool(self._always or self._by_path)

    def content_type(self, request: Request) -> bytes | None:
        """The media type that the last rule sets for the file that a request selects; None if there is none."""
        rule = self.content_type_rule(request)
        return rule and rule[1]

    def content_type_rule(self, request: Request) -> tuple[str, bytes] | None:
        """The place of that rule, and the media type."""
        rule, template, captures = self._last(_CONTENT_TYPE, request) if self._sets_type else (None, None, {})
        return None if rule is None or template is None else (rule.place, fill_value(template, captures))

    def forbid_transforms(self, request: Request) -> bool:
        """Whether the Cache-Control that the last rule sets has no-transform (RFC 9111 5.2.2.6)."""
        return self._forbids_transforms and _forbids(self._last(_CACHE_CONTROL, request)[1])

    def _last(self, wanted: bytes, request: Request) -> tuple[HeaderRule | None, Template | None, Captures]:
        """The last rule that sets or removes a field, and the value that it sets; None if there is none."""
        found: tuple[HeaderRule | None, Template | None, Captures] = None, None, {}
        for rule, captures in self._matches(request):
            for name, template in rule.changes:
                if name.lower() == wanted:
                    found = rule, template, captures
        return found

    def apply(self, status: int, fields: FieldList, request: Request | None, is_file: bool = True) -> FieldList:
        """The fields of a response as the rules change them; the arguments are those of steps()."""
        for step in self.steps(request, is_file):
            fields = step.apply(status, fields)
        return fields

    def steps(self, request: Request | None, is_file: bool = True) -> list[FieldStep]:
        """The rules that match a request, in order.

        request: None if it was invalid. is_file: whether the response is made of a file, not of a directory.
        """
        return [
            FieldStep(rule.place, partial(self._change, rule, captures, is_file))
            for rule, captures in self._matches(request)
        ]

    def _change(self, rule: HeaderRule, captures: Captures, is_file: bool, status: int, fields: FieldList) -> FieldList:
        for name, template in rule.changes:
            lower = name.lower()
            if self._applies(status, lower, is_file):
                fields = change_field(fields, name, lower, _fill(lower, template, captures))
        return fields

    def _applies(self, status: int, name: bytes, is_file: bool) -> bool:
        if status >= 400 and (name in _CACHING or name.endswith(b"cdn-cache-control")):
            return False
        if name in _OF_A_FILE:
            return is_file and status in (200, 206)
        return name != _CONTENT_TYPE and (self._secure or name != b"strict-transport-security")

    def _matches(self, request: Request | None) -> list[tuple[HeaderRule, Captures]]:
        matches: list[tuple[HeaderRule, Captures]] = [(rule, {}) for rule in self._always]
        if request is not None and self._by_path:
            target = request.target
            host = host_name(target.authority or request.fields.host) if self._by_path.hosts else b""
            matches += self._by_path.matches(target.segments, target.trailing_slash, host)
        return matches


def change_field(fields: FieldList, name: bytes, lower: bytes, value: bytes | None) -> FieldList:
    """A field list with one field set, joined, added or, with None, removed. lower: `name` in lower case."""
    if lower == b"set-cookie" and value is not None:
        return (*fields, (name, value))
    old = [found for found in fields if found[0].lower() == lower]
    others = tuple(found for found in fields if found[0].lower() != lower) if old else fields
    if value is None:
        return others
    if lower in _JOINED and old:
        value = _join(lower, [each for _, each in old], value)
    return (*others, (name, value))


def _forbids(template: Template | None) -> bool:
    """Whether a value of Cache-Control has the directive no-transform; what is filled in is no directive."""
    text = b"".join(piece for piece in template or () if isinstance(piece, bytes))
    return any(directive.strip(b" \t").lower() == _NO_TRANSFORM for directive in text.split(b","))


def _fill(lower: bytes, template: Template | None, captures: Captures) -> bytes | None:
    if template is None:
        return None
    return (fill_disposition if lower == CONTENT_DISPOSITION else fill_value)(template, captures)


def add_vary(fields: FieldList, name: bytes) -> FieldList:
    """A field list whose Vary has the name of a request field."""
    return change_field(fields, b"Vary", b"vary", name)


def _join(lower: bytes, old: list[bytes], new: bytes) -> bytes:
    """The values of a list field as one. A name that Vary has already is not repeated."""
    if lower != b"vary":
        return b", ".join((*old, new))
    members: dict[bytes, bytes] = {}
    for member in b",".join((*old, new)).split(b","):
        members.setdefault(member.strip(b" \t").lower(), member.strip(b" \t"))
    return b", ".join(members.values())
