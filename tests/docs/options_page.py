"""Writes docs/options.md from the declarations of the options: python -m tests.docs.options_page

GROUPS says under which heading an option stands; all else comes from Options itself.
"""

import re
from collections.abc import Iterator
from dataclasses import Field
from pathlib import Path
from typing import Any, Final

from pwb_async.config import option_types
from pwb_async.config.environment import PREFIX
from pwb_async.config.loader import EPILOG, FIELDS, REPEATABLE

PAGE: Final = Path(__file__).parents[2] / "docs" / "options.md"
GROUPS: Final = {
    "What is served": (
        *("root", "index", "dotfiles", "etag", "max_age", "relative_redirects"),
        *("type", "charset", "serve_encoded", "server_version"),
    ),
    "Where it listens": ("host", "port", "unix", "unix_mode", "unix_group"),
    "Processes and rights": ("workers", "loop", "user", "sandbox"),
    "Memory and disk": ("cache", "cache_ttl", "sendfile", "disk_timeout"),
    "Log and timeline": ("access_log", "trace"),
    "How long a client may take": (
        *("header_timeout", "idle_timeout", "send_timeout", "min_send_rate"),
        *("linger_idle", "linger_timeout", "grace_period"),
    ),
    "How much a client may ask for": (
        *("max_connections", "max_connections_per_ip", "requests_per_connection"),
        *("max_request_line", "max_field", "max_fields", "max_head", "max_content", "max_ranges"),
    ),
    "The designs, and how they wait": ("mode", "trigger", "delay_disk"),
}
"""Headings, and the options below each."""

INTRODUCTION: Final = f"""\
# Options

<!-- Made by python -m tests.docs.options_page from the declarations in pwb_async/config. -->

Both programs, `pwb` and `pwb-legacy`, take these options. The command line wins over the environment, and the environment
over the TOML file: the one that `--config PATH` (or `{PREFIX}CONFIG`) names, else `pwb.toml`, else `[tool.pwb]` of
`pyproject.toml`, in the current folder. A TOML key may be written with `-` or `_`; switches are `true` or `false`;
repeatable options are lists, in the environment words with white space between them. `--help` prints the options of a
program, `--version` its version.
"""
HEAD: Final = (
    "| option | environment | TOML | value | default | program | |\n| --- | --- | --- | --- | --- | --- | --- |\n"
)
_SPELLED: Final = re.compile(r"--[\w-]+(?: '[^']+'| \d+ms)?|'[^']+'")
"""What --help spells as one types it."""


def page() -> str:
    """The whole page."""
    groups = [f"## {title}\n\n{HEAD}{''.join(map(row, names))}" for title, names in GROUPS.items()]
    return "\n".join([INTRODUCTION, *groups, "## Values\n", *paragraphs()])


def row(name: str) -> str:
    """The row of one option."""
    option = FIELDS[name]
    program = option.metadata["program"] or "both"
    columns = (flag(option), code(PREFIX + name.upper()), code(name.replace("_", "-")), unit(option))
    about = option.metadata["help"].replace("|", "\\|")
    return f"| {' | '.join((*columns, default(option), program, about))} |\n"


def flag(option: Field[Any]) -> str:
    """How it is spelled on the command line."""
    name = option.name.replace("_", "-")
    if option.metadata["bare"]:
        return code(name.upper())
    if isinstance(option.default, bool):
        return f"`--{name}`, `--no-{name}`"
    return code(f"--{name}")


def unit(option: Field[Any]) -> str:
    """What its value is."""
    return code(option.metadata["kind"].name.replace("|", "\\|")) if option.metadata["kind"].name else "switch"


def default(option: Field[Any]) -> str:
    """Its default, spelled so that the option takes it; nothing where there is none."""
    value: Any = option.default
    if option.name in REPEATABLE:
        return ", ".join(map(code, value))
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return code(f"{value:g}s")
    if option.metadata["kind"] in (option_types.BYTES, option_types.BYTES_OR_OFF):
        return code(size(value))
    return code(str(value))


def size(value: int) -> str:
    """Bytes, in the largest unit of which they are a multiple."""
    units = ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K"))
    return next((f"{value // factor}{letter}" for factor, letter in units if not value % factor), str(value))


def code(text: str) -> str:
    return f"`{text}`"


def paragraphs() -> Iterator[str]:
    """What --help says below its list, one paragraph a text."""
    for paragraph in EPILOG.strip().split("\n\n")[1:]:
        yield f"{_SPELLED.sub(lambda found: code(found[0]), paragraph)}\n"


if __name__ == "__main__":
    PAGE.write_text(page())
