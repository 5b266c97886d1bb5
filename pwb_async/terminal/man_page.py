"""The manual page pwb(1), made from the declarations of the options, in the macros of man(7)."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pwb_async.config.command_line import EPILOG, PROGRAMS, WHERE_PAGES_ARE
from pwb_async.config.declarations import Declaration, Topic
from pwb_async.config.option_types import SWITCH
from pwb_async.config.options import DECLARATIONS
from pwb_async.version import __version__

_PROGRAM: Final = "pwb"
_SIGNALS: Final = (
    ("SIGTERM, SIGINT", "Finish the responses under way within the grace period, and end; the second one: at once."),
    ("SIGHUP", "Read the options, the rules and the certificates again."),
    ("SIGUSR1", "Open the access log again, after a rotation."),
)
_STATUSES: Final = (
    ("0", "It was stopped by a signal."),
    ("1", "It cannot start."),
    ("2", "An option is wrong."),
    ("3", "Its workers keep dying."),
)
_FILES: Final = (
    ("pwb.toml", "Options, in the current folder."),
    ("pyproject.toml", "Options in the table [tool.pwb], if there is no pwb.toml."),
    ("_headers, _redirects", "Rules of the site, in ROOT."),
)

_VARIABLES: Final = (
    ("PWB_MAX_AGE, ...", "The option of this name, --max-age."),
    ("PWB_CONFIG", "The TOML file of options."),
    ("PORT", "The port, where no other source names one."),
    ("NO_COLOR, FORCE_COLOR", "Colours off; on, also in a pipe."),
)


def man_page() -> str:
    """The page, without a line end behind it."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    program = PROGRAMS[_PROGRAM]
    yield f'.TH PWB 1 "" "PWB {__version__}" "User Commands"'
    yield from (".SH NAME", r"pwb \- static web server")
    yield from (
        ".SH SYNOPSIS",
        ".B pwb",
        '.RI [ OPTIONS ] " " [ ROOT ]',
        ".br",
        ".B pwb",
        ".I COMMAND",
        ".RI [ ... ]",
    )
    yield from (".SH DESCRIPTION", _escape(program.about))
    yield from _section("EXAMPLES", program.examples)
    yield from _section("COMMANDS", [(f"{_PROGRAM} {name}", f"{about}.") for name, about in program.commands])
    yield ".SH OPTIONS"
    for topic in Topic:
        options = [each for each in DECLARATIONS.values() if each.topic is topic and each.belongs_to(_PROGRAM)]
        if options:
            yield f".SS {_escape(topic.value)}"
        for option in options:
            yield from (".TP", _flag(option), _escape(_about(option)))
    yield from (".SS Other options", ".TP", _tag("--config", "PATH"), "TOML file of options.")
    for paragraph in (EPILOG + WHERE_PAGES_ARE).strip().split("\n\n"):
        yield from (".PP", _escape(" ".join(paragraph.split("\n"))))
    yield from _section("SIGNALS", _SIGNALS)
    yield from _section("EXIT STATUS", _STATUSES)
    yield from _section("FILES", _FILES)
    yield from _section("ENVIRONMENT", _VARIABLES)


def _section(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A heading, and a list of terms with their explanations."""
    yield f".SH {title}"
    for term, about in rows:
        yield from (".TP", _tag(term), _escape(about))


def _flag(option: Declaration) -> str:
    if option.positional:
        return f".I {option.name.upper()}"
    if option.type is SWITCH:
        return _tag(f"{option.flag}, --no-{option.flag[2:]}")
    return _tag(option.flag, option.type.name)


def _about(option: Declaration) -> str:
    default = option.default
    if default in (None, ()) or default is False:
        return option.help
    values = default if option.repeatable else (default,)
    return f"{option.help} Default: {' '.join(map(option.type.format, values))}."


def _tag(term: str, value: str = "") -> str:
    return f"\\fB{_escape(term)}\\fR" + (f" \\fI{_escape(value)}\\fR" if value else "")


def _escape(text: str) -> str:
    """A text for roff: its own characters stand for themselves, and hyphens can be copied."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^([.'])", r"\\&\1", escaped, flags=re.MULTILINE)
