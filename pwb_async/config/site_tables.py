"""The sites of the TOML file, [[sites]]: each has hosts, a root, and options and rules of its own.

What a site does not set is as for the whole server, but for what belongs to one root: --prefix, --mount, and rules.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from pwb_async.core.semantics.target import canonical_host, valid_host

from .conversion import convert
from .declarations import Declaration, Topic
from .options import DECLARATIONS, ConfigError, Options, SiteOptions
from .places import check_places
from .requirements import check_needs
from .toml_file import SITES, TomlFile

_TOPICS: Final = (Topic.SITE, Topic.FIELDS, Topic.ACCESS)
_OF_SERVER: Final = ("server_version", "strict_hosts", "allowed_host", "trusted_proxy", "proxy_protocol")
"""Options with such a topic that are not those of a site."""
_NAME: Final = re.compile(rb"(\*\.)?((?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\])")


def parse_sites(tables: Iterable[TomlFile], options: Options, warn: Callable[[str], object]) -> tuple[SiteOptions, ...]:
    """The sites that these tables describe, for a server with these options. Raises ConfigError.

    warn: called with a line about what is probably not meant.
    """
    places: dict[bytes, str] = {}
    sites: list[SiteOptions] = []
    for table in tables:
        hosts = tuple(_hosts(table.place, table.table.pop("hosts", None)))
        for host in hosts:
            if host in places:
                raise ConfigError(f"{table.place}: {host.decode()} is a host of {places[host]} already.")
            places[host] = table.place
        sites.append(SiteOptions(hosts, _options(table, options, warn)))
    return tuple(sites)


def is_of_a_site(option: Declaration) -> bool:
    """Whether a site may set an option."""
    return option.topic in _TOPICS and option.name not in _OF_SERVER


def _options(table: TomlFile, options: Options, warn: Callable[[str], object]) -> Options:
    if SITES in table.table:
        raise ConfigError(f"{table.place}: a site has no sites of its own.")
    settings: dict[str, Any] = {"prefix": "/", "mount": ()}
    written: dict[str, str] = {}
    for name, place, value in table.options():
        if not is_of_a_site(DECLARATIONS[name]):
            raise ConfigError(f"{place}: it is an option of the server, not of a site.")
        settings[name], written[name] = convert(name, place, value), place
    if "root" not in settings:
        raise ConfigError(f"{table.place}: root is missing.")
    site = replace(options, rules=table.rules(), sites=(), **settings)
    check_places(site, written, warn)
    check_needs(site, written)
    return site


def _hosts(place: str, hosts: object) -> Iterator[bytes]:
    if not isinstance(hosts, list) or not hosts:
        raise ConfigError(f'{place}: hosts is not a list of names such as ["a.example", "*.b.example"].')
    for host in hosts:
        name = _host(host) if isinstance(host, str) else None
        if name is None:
            raise ConfigError(
                f"{place}: hosts: {host!r} is not a host such as a.example or *.b.example, without a port."
            )
        yield name


def _host(text: str) -> bytes | None:
    """The name of a host as it is compared; None if it is none."""
    try:
        labels = [label if label.isascii() else label.encode("idna").decode() for label in text.split(".")]
    except UnicodeError:
        return None
    name = ".".join(labels).lower().removesuffix(".").encode()
    match = _NAME.fullmatch(name)
    if match is None or not valid_host(match[2]) or (match[1] and match[2].startswith(b"[")):
        return None
    return (match[1] or b"") + canonical_host(match[2])
