"""Options in a TOML file: max_age = 60 or max-age = 60; and rules and sites, which have tables of their own there."""

import os
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from pwb_async.output.pipes import read_file
from pwb_async.output.printing import did_you_mean

from .options import DECLARATIONS, ConfigError
from .rules import Rules

RULE_TABLES: Final = ("headers", "redirects", "rewrites", "access", "limits")
"""The names of the tables of rules."""
SITES: Final = "sites"
"""The name of the tables of sites."""
CONFIG_NAME: Final = "pwb.toml"
"""The name of the file that is read if none is named."""
_PYPROJECT: Final = "pyproject.toml"
_TABLE: Final = "pwb"
"""The table of pyproject.toml, beneath "tool"."""
_MAX_BYTES: Final = 8 << 20
"""Bytes of a file."""


class TomlFile(NamedTuple):
    """The part of a TOML file that is about PWB."""

    name: str
    """The file, as messages name it; "" if there is none."""
    text: str
    """The whole file."""
    place: str
    """The file and, in pyproject.toml, the table."""
    table: dict[str, Any]
    """The options, the rules and the sites."""
    path: str = ""
    """The absolute path of the file; "" if there is none."""

    def options(self) -> Iterator[tuple[str, str, Any]]:
        """The name of each option in the file, where it stands, and its value as TOML has it. Raises ConfigError."""
        keys: dict[str, str] = {}
        for key, value in self.table.items():
            name = key.replace("-", "_")
            if name in (*RULE_TABLES, SITES):
                continue
            if name not in DECLARATIONS:
                known = (*DECLARATIONS, *RULE_TABLES, SITES)
                hint = did_you_mean(name, known, lambda word: word.replace("_", "-") if word in DECLARATIONS else word)
                raise ConfigError(f"{self.place}: unknown key {key!r}{hint}")
            if name in keys:
                raise ConfigError(f"{self.place}: {keys[name]!r} and {key!r} are the same key.")
            keys[name] = key
            yield name, f"{self.place}: {key}", value

    def tables(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """The tables of rules and of sites, of each kind that there is any of, as the file has them."""
        for kind in (*RULE_TABLES, SITES):
            if tables := self.table.get(kind):
                yield kind, tables

    def rules(self) -> Rules:
        """The rules in the file. Raises ConfigError."""
        if not any(name in self.table for name in RULE_TABLES):
            return Rules()
        from .rule_tables import parse_tables  # most sites have no rules there

        return parse_tables(self.name, self.text, self.table)

    def sites(self) -> "Iterator[TomlFile]":
        """The table of each site, which has options and rules like a file of its own, and hosts. Raises ConfigError."""
        tables = self.table.get(SITES, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise ConfigError(f"{self.place}: {SITES} is not a list of tables: each begins with [[{SITES}]].")
        for number, table in enumerate(tables, 1):
            place = f"{self.place}: {SITES} {number}"
            yield TomlFile(place, "", place, dict(table))  # its reader takes keys away


NO_FILE: Final = TomlFile("", "", "", {})
"""What stands for a file that is missing, or not looked for."""


def read(config: str | None, directory: str | os.PathLike[str]) -> TomlFile:
    """The file `config`, else pwb.toml, else the table [tool.pwb] of pyproject.toml, all relative to `directory`.

    A file that is missing has neither options nor rules, unless it is `config`. Raises ConfigError.
    """
    for name in [config] if config else [CONFIG_NAME, _PYPROJECT]:
        path = os.path.join(directory, name)
        if not config and not os.path.exists(path):  # also false if the directory is gone or may not be entered
            continue
        text = _read(name, path)
        if not config and name == _PYPROJECT and _TABLE not in text:  # most projects are not about PWB
            continue
        table = _parse(name, text)
        if os.path.basename(name) != _PYPROJECT:
            return TomlFile(name, text, name, table, os.path.abspath(path))
        tool = table.get("tool")
        table = tool.get(_TABLE, {}) if isinstance(tool, dict) else {}
        if not isinstance(table, dict):
            raise ConfigError(f"{name}: [tool.pwb] is not a table.")
        return TomlFile(name, text, f"{name} [tool.pwb]", table, os.path.abspath(path))
    return NO_FILE


def _read(name: str, path: str) -> str:
    try:
        return read_file(path, _MAX_BYTES).decode()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name}: cannot be read: {_reason(error)}") from None


def _parse(name: str, text: str) -> dict[str, Any]:
    import tomllib  # takes 8 ms, which a start without a file is spared

    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(f"{name}: cannot be read: {_reason(error)}") from None
    except RecursionError:
        raise ConfigError(f"{name}: cannot be read: its values are nested too deeply") from None


def _reason(error: OSError | ValueError) -> object:
    return error.strerror if isinstance(error, OSError) else error
