"""Writes docs/options.md from the declarations of the options: python -m tests.docs.options_page"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pwb_async.config.command_line import EPILOG
from pwb_async.config.declarations import Declaration, Topic
from pwb_async.config.environment import PREFIX
from pwb_async.config.option_types import SWITCH
from pwb_async.config.options import DECLARATIONS

PAGE: Final = Path(__file__).parents[2] / "docs" / "options.md"
INTRODUCTION: Final = f"""\
# Options

<!-- Made by python -m tests.docs.options_page from the declarations in pwb_async/config. -->

Both programs, `pwb` and `pwb-legacy`, take these options. The command line wins over the environment, and the environment
over the TOML file: the one that `--config PATH` (or `{PREFIX}CONFIG`) names, else `pwb.toml`, else `[tool.pwb]` of
`pyproject.toml`, in the current folder. A TOML key may be written with `-` or `_`; switches are `true` or `false`;
repeatable options are lists, in the environment words with white space between them. Relative paths, also those in a TOML
file, begin in the current folder. `--help` prints the options of a program, `--version` its version. What none of them sets,
a profile may: [terminal.md](terminal.md). The file that was read is never served.
"""
HEAD: Final = (
    "| option | environment | TOML | value | default | program | |\n| --- | --- | --- | --- | --- | --- | --- |\n"
)
_SPELLED: Final = re.compile(r"--[\w-]+(?: '[^']+'| \d+ms)?|'[^']+'|<\w+>")
"""Options, values and elements of HTML that are shown as code."""


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *map(section, Topic), "## Values\n", *paragraphs()])


def section(topic: Topic) -> str:
    """The heading and the table of one topic."""
    rows = (row(option) for option in DECLARATIONS.values() if option.topic is topic)
    return f"## {topic.value}\n\n{HEAD}{''.join(rows)}"


def row(option: Declaration) -> str:
    """The row of one option."""
    program = option.program or "both"
    columns = (flag(option), code(PREFIX + option.name.upper()), code(option.flag[2:]), unit(option))
    about = option.help.replace("|", "\\|")
    return f"| {' | '.join((*columns, default(option), program, about))} |\n"


def flag(option: Declaration) -> str:
    """The option as it is written on the command line."""
    if option.positional:
        return code(option.name.upper())
    if option.type is SWITCH:
        return f"`{option.flag}`, `--no-{option.flag[2:]}`"
    return code(option.flag)


def unit(option: Declaration) -> str:
    """The unit of its value."""
    return code((option.type.name or "true|false").replace("|", "\\|"))


def default(option: Declaration) -> str:
    """Its default, in a form that the option accepts; "" if there is none."""
    value = option.default
    if option.repeatable:
        return ", ".join(map(code, value))
    if value is None:
        return ""
    text = option.type.format(value)
    return text if isinstance(value, bool) else code(text)


def code(text: str) -> str:
    return f"`{text}`"


def paragraphs() -> Iterator[str]:
    """The paragraphs that follow the options in --help."""
    for paragraph in EPILOG.strip().split("\n\n")[1:]:
        yield f"{_SPELLED.sub(lambda found: code(found[0]), paragraph)}\n"


if __name__ == "__main__":
    PAGE.write_text(page())
