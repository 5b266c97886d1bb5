"""Rules in the TOML file: the tables [[headers]], [[redirects]], [[rewrites]], [[access]] and [[limits]]."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from pwb_async.core.semantics.networks import Networks, parse_network
from pwb_async.core.site.access import AccessRule
from pwb_async.core.site.header_rules import Change, HeaderRule
from pwb_async.core.site.limit_rules import LimitRule
from pwb_async.core.site.patterns import parse_pattern
from pwb_async.core.site.redirect_rules import REDIRECTS, REWRITES, RedirectRule, parse_rule
from pwb_async.output.printing import did_you_mean

from .conversion import convert
from .headers_file import add_change
from .options import ConfigError
from .redirects_file import DEFAULT_STATUS, NO_STATUS
from .rules import Rules

T = TypeVar("T")
_HEADER: Final = r"^[ \t]*\[\[[ \t]*(?:tool[ \t]*\.[ \t]*pwb[ \t]*\.[ \t]*)?%s[ \t]*\]\]"
"""The line with which a table of an array begins, for its number."""


def parse_tables(name: str, text: str, tables: Mapping[str, Any]) -> Rules:
    """The rules in `tables`, of which TABLES are read; `name` and `text` are those of the file. Raises ConfigError."""
    found: dict[str, list[Any]] = {kind: [] for kind in TABLES}
    warnings: list[str] = []
    for kind, (keys, parse) in TABLES.items():
        for place, table in _tables(name, text, kind, tables.get(kind, [])):
            try:
                _check_keys(table, keys)
                found[kind].append(parse(place, table))
            except ValueError as error:
                raise ConfigError(f"{place}: {error}.") from None
            if kind == "redirects" and "status" not in table:
                warnings.append(f"{place}: {NO_STATUS}")
    return Rules(
        tuple(found["headers"]),
        (*found["redirects"], *found["rewrites"]),
        tuple(warnings),
        tuple(found["access"]),
        tuple(found["limits"]),
    )


def _tables(name: str, text: str, kind: str, tables: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each table with its place: the line that it begins in, or its number where it has no such line."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(f"{name}: {kind} is not a list of tables: each begins with [[{kind}]].")
    starts = [text.count("\n", 0, match.start()) + 1 for match in re.finditer(_HEADER % kind, text, re.MULTILINE)]
    for number, table in enumerate(tables):
        numbered = f"{name}: {kind} {number + 1}"
        yield (f"{name} line {starts[number]}" if len(starts) == len(tables) else numbered), table


def _check_keys(table: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in table:
        if key not in keys:
            raise ValueError(f"unknown key {key!r}{did_you_mean(key, keys)}")


def _get(table: Mapping[str, Any], key: str, kind: type[T], default: T | None = None) -> T:
    value = table.get(key, default)
    if value is None:
        raise ValueError(f"{key} is missing")
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{key} {value!r} is of the wrong type, not {_TYPES[kind]}")
    return value


_TYPES: Final[Mapping[type, str]] = {
    str: "a string",
    int: "a number",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}


def _headers(place: str, table: Mapping[str, Any]) -> HeaderRule:
    pattern = parse_pattern(_get(table, "for", str))
    changes: list[Change] = []
    for name in _get(table, "unset", list, []):
        if not isinstance(name, str):
            raise ValueError(f"unset {name!r} is of the wrong type, not a string")
        add_change(changes, name, None, pattern)
    for name, value in _get(table, "set", dict, {}).items():
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, str):
                raise ValueError(f"the value {each!r} of {name} is of the wrong type, not a string")
            add_change(changes, name, each.strip(), pattern)
    if not changes:
        raise ValueError("there is neither set nor unset")
    return HeaderRule(place, pattern, tuple(changes))


def _redirect(place: str, table: Mapping[str, Any]) -> RedirectRule:
    return _rule(place, table, REDIRECTS, DEFAULT_STATUS)


def _rewrite(place: str, table: Mapping[str, Any]) -> RedirectRule:
    return _rule(place, table, REWRITES, 200)


def _rule(place: str, table: Mapping[str, Any], statuses: tuple[int, ...], default: int) -> RedirectRule:
    status = _get(table, "status", int, default)
    if status not in statuses:
        raise ValueError(f"status {status} is not one of {', '.join(map(str, statuses))}")
    query = _get(table, "query", dict, {})
    for key, value in query.items():
        if not isinstance(value, str):
            raise ValueError(f"the value {value!r} of {key} in query is of the wrong type, not a string")
    source, destination = _get(table, "from", str), _get(table, "to", str)
    return parse_rule(place, source, destination, status, _get(table, "force", bool, False), tuple(query.items()))


def _access(place: str, table: Mapping[str, Any]) -> AccessRule:
    pattern = parse_pattern(_get(table, "for", str))
    if pattern.host:
        raise ValueError(f'"{pattern.text}": access depends on the path alone, as a client may name any host')
    htpasswd = _get(table, "htpasswd", str, "")
    allow, deny = _networks(table, "allow"), _networks(table, "deny")
    if not (htpasswd or allow or deny):
        raise ValueError("there is neither htpasswd nor allow nor deny")
    return AccessRule(place, pattern, htpasswd, allow, deny)


def _networks(table: Mapping[str, Any], key: str) -> Networks:
    networks = _get(table, key, list, [])
    for each in networks:
        if not isinstance(each, str):
            raise ValueError(f"{key} {each!r} is of the wrong type, not a string")
        try:
            parse_network(each)
        except ValueError as error:
            raise ValueError(f"{key} {each!r} {error}") from None
    return Networks(networks)


def _limit(place: str, table: Mapping[str, Any]) -> LimitRule:
    pattern = parse_pattern(_get(table, "for", str))
    if pattern.host:
        raise ValueError(f'"{pattern.text}": limits depend on the path alone, as a client may name any host')
    settings: dict[str, tuple[str, Any]] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name in settings:
            raise ValueError(f"{settings[name][0]} and {key} are the same key")
        if name != "for":
            settings[name] = key, value
    if not settings:
        raise ValueError(f"there is none of {', '.join(LIMIT_SETTINGS)}")
    try:
        values = tuple((name, convert(name, key, value)) for name, (key, value) in settings.items())
    except ConfigError as error:
        raise ValueError(str(error).removesuffix(".")) from None
    return LimitRule(place, pattern, values)


LIMIT_SETTINGS: Final = (
    "max_request_rate", "request_burst", "max_send_rate", "max_total_send_rate", "limit_exempt", "limit_dry_run",
)  # fmt: skip
"""The options that a rule of [[limits]] may set for its paths."""
_RULE_KEYS: Final = ("from", "to", "status", "force", "query")
TABLES: Final[Mapping[str, tuple[tuple[str, ...], Callable[[str, Mapping[str, Any]], Any]]]] = {
    "headers": (("for", "set", "unset"), _headers),
    "redirects": (_RULE_KEYS, _redirect),
    "rewrites": (_RULE_KEYS, _rewrite),
    "access": (("for", "htpasswd", "allow", "deny"), _access),
    "limits": (("for", *LIMIT_SETTINGS, *(name.replace("_", "-") for name in LIMIT_SETTINGS)), _limit),
}
"""The keys of a table of each kind, and what makes a rule of it."""
