"""The commands `pwb config`, `pwb completion` and `pwb man`, and their exit statuses.

Exit status 0: it is printed; 1: it cannot be; 2: wrong use, or an option is wrong.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import click

from pwb_async.config.command_line import Program, describe, make_command, read_with
from pwb_async.config.help import HelpfulCommand
from pwb_async.config.loader import Settings, merge_settings
from pwb_async.config.options import ConfigError
from pwb_async.config.schema import make_schema
from pwb_async.config.toml_text import DEFAULT, to_toml
from pwb_async.output.colours import BOLD, DIM, Style, has_colours
from pwb_async.output.printing import print_error, printable, report_lost_output
from pwb_async.output.width import pad, width

from . import completion
from .man_page import man_page

_CONFIG: Final = "pwb config"
_CONFIG_ABOUT: Final = Program(
    "[OPTIONS]",
    "Print every option, its value, and where it is from, as a TOML file that sets the same.",
    (
        ("pwb config --profile share", "what this profile sets, and everything else"),
        ("pwb config --only-set", "what is not a default: of the environment, of pwb.toml, ..."),
        ("pwb config --only-set --port 3000 > pwb.toml", "write a file to begin with; defaults stay free to change"),
        ("pwb config --schema > pwb.schema.json", "a JSON Schema of this file, for editors"),
    ),
)
_CONFIG_OPTIONS: Final = (
    click.Option(["--only-set"], is_flag=True, help="Leave out what has its default."),
    click.Option(["--schema"], is_flag=True, help="Print a JSON Schema of the TOML file."),
)
_MAX_COLUMN: Final = 48
"""Columns of the widest value that has its origin in the common column."""


def main() -> None:
    """Run the command that is the first argument of this process."""
    name = "completion" if completion.is_asked() else sys.argv[1]
    status = 0
    try:
        for line in COMMANDS[name](sys.argv[2:]):
            click.echo(line, color=True)  # it has colours only where they are wanted
    except click.exceptions.Exit as done:  # after --help or --version
        status = done.exit_code
    except click.UsageError as error:
        print_error(f"pwb {name}: {describe(error)}")
        status = 2
    except ConfigError as error:
        print_error(f"pwb {name}: {error}")
        status = 2
    except OSError as error:  # standard output is closed or full
        report_lost_output(f"pwb {name}", error)
        status = 1
    raise SystemExit(status)


def config_command() -> click.Command:
    """The command line of `pwb config`."""
    return make_command(
        "pwb", _CONFIG, _CONFIG_ABOUT, _CONFIG_OPTIONS, epilog="All options of pwb count as well: pwb --help."
    )


def _config(arguments: Sequence[str]) -> Iterator[str]:
    """The lines of `pwb config`. Raises ConfigError."""
    given = list(read_with(config_command(), "pwb", arguments))
    names = [param.name for param in _CONFIG_OPTIONS]
    own = {name for name, _, _ in given if name in names}
    if "schema" in own:
        yield json.dumps(make_schema(), indent=2)
        return
    options = (each for each in given if each[0] not in names)
    settings = merge_settings("pwb", options, os.environ, ".", lambda line: print_error(f"{_CONFIG}: {line}"))
    yield from _table(settings, only_set="only_set" in own)


def _table(settings: Settings, *, only_set: bool) -> Iterator[str]:
    style = Style(has_colours(sys.stdout, os.environ))
    lines = [(printable(line), printable(origin)) for line, origin in to_toml(settings, only_set=only_set)]
    column = max((columns for line, origin in lines if origin and (columns := width(line)) <= _MAX_COLUMN), default=0)
    for line, origin in lines:
        if origin:
            shown = (DIM,) if origin == DEFAULT else ()
            yield f"{style(pad(line, column), *shown)}  {style(f'# {origin}', DIM)}"
        else:
            yield style(line, BOLD) if line else ""


def _completion(arguments: Sequence[str]) -> Iterator[str]:
    if completion.is_asked():
        return completion.words(_command_of)
    return iter([completion.script(_simple_command("completion", completion.PARAMETERS, arguments)["shell"])])


def _man(arguments: Sequence[str]) -> Iterator[str]:
    _simple_command("man", (), arguments)
    return iter([man_page()])


def _simple_command(name: str, params: Sequence[click.Parameter], arguments: Sequence[str]) -> Mapping[str, Any]:
    """What is given for the parameters of a command that has no option of pwb. Raises click.UsageError."""
    about, examples = _ABOUT[name]
    command = HelpfulCommand(f"pwb {name}", help=about, examples=examples, params=[*params])
    return command.make_context(f"pwb {name}", list(arguments)).params


_ABOUT: Final[Mapping[str, tuple[str, Sequence[tuple[str, str]]]]] = {
    "completion": (
        "Print a script that makes SHELL complete the options of pwb, their values, and directories.",
        (
            ('eval "$(pwb completion bash)"', "in ~/.bashrc"),
            ('eval "$(pwb completion zsh)"', "in ~/.zshrc"),
            ("pwb completion fish > ~/.config/fish/completions/pwb.fish", "once"),
        ),
    ),
    "man": ("Print the manual page of pwb, as man(1) reads it.", (("pwb man | man -l -", "read it"),)),
}
"""What the help of a simple command has."""


def _command_of(name: str) -> click.Command | None:
    """The command line of a command of pwb; None if there is none of this name, or if it is not completed."""
    if name == "config":
        return config_command()
    if name == "compress":
        from pwb_async.compress.commands import compress

        return compress
    if name == "explain":
        from pwb_async.explain.commands import explain_command

        return explain_command()
    if name in _ABOUT:
        return HelpfulCommand(name, params=[*completion.PARAMETERS] if name == "completion" else [])
    return None


COMMANDS: Final[Mapping[str, Callable[[Sequence[str]], Iterator[str]]]] = {
    "config": _config,
    "completion": _completion,
    "man": _man,
}
"""What makes the lines of each command."""
