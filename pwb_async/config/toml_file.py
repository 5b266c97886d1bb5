"""Options in a TOML file: max_age = 60 or max-age = 60."""

import os
from collections.abc import Iterator
from typing import Any

from pwb_async.output.pipes import read_file
from pwb_async.output.printing import did_you_mean

from .options import DECLARATIONS, ConfigError


def read(config: str | None, directory: str | os.PathLike[str]) -> Iterator[tuple[str, str, Any]]:
    """The name of each option in the file, where it stands, and its value as TOML has it.

    The file is `config`, else pwb.toml, else the table [tool.pwb] of pyproject.toml, all relative to `directory`; a
    file that is missing sets no option, unless it is `config`. Raises ConfigError.
    """
    place, table = _find_table(config, directory)
    keys: dict[str, str] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in DECLARATIONS:
            raise ConfigError(f"{place}: unknown key {key!r}{did_you_mean(name, DECLARATIONS)}")
        if name in keys:
            raise ConfigError(f"{place}: {keys[name]!r} and {key!r} are the same key.")
        keys[name] = key
        yield name, f"{place}: {key}", value


def _find_table(config: str | None, directory: str | os.PathLike[str]) -> tuple[str, dict[str, Any]]:
    """The file that is used, as messages name it, and its options."""
    for name in [config] if config else ["pwb.toml", "pyproject.toml"]:
        path = os.path.join(directory, name)
        if not config and not os.path.exists(path):  # also false if the directory is gone or may not be entered
            continue
        table = _load(name, path)
        if os.path.basename(name) != "pyproject.toml":
            return name, table
        tool = table.get("tool")
        table = tool.get("pwb", {}) if isinstance(tool, dict) else {}
        if not isinstance(table, dict):
            raise ConfigError(f"{name}: [tool.pwb] is not a table.")
        return f"{name} [tool.pwb]", table
    return "", {}


def _load(name: str, path: str) -> dict[str, Any]:
    try:
        text = read_file(path).decode()
        import tomllib  # takes 8 ms, which a start without a file is spared

        return tomllib.loads(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{name}: cannot be read: {reason}") from None
    except RecursionError:
        raise ConfigError(f"{name}: cannot be read: its values are nested too deeply") from None
