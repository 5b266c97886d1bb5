"""The options of a program, read from the command line, the environment and a TOML file.

read_options, step by step:
  1. reads the command line (command_line.py); its values override all others
  2. reads the TOML file (toml_file.py) and the environment (environment.py), which overrides the file
  3. checks each value that is not overridden, with the same click type for every source
  4. checks what options require of each other

Values that are overridden are not checked, because the environment may have been made for another program.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import command_line, environment, toml_file
from .conversion import convert
from .options import DECLARATIONS, ConfigError, Options
from .places import check_places


def read_options(
    program: str,
    argv: Sequence[str],
    environ: Mapping[str, str],
    directory: str | os.PathLike[str],
    warn: Callable[[str], object] = lambda line: None,
) -> Options:
    """The options of `program`, which is "pwb" or "pwb-legacy".

    pwb.toml, pyproject.toml and a relative --config are looked for in `directory`. `warn` is called with a line about
    each thing that is ignored. Raises ConfigError if an option is wrong; --help and --version print, and raise
    click.exceptions.Exit.
    """
    return merge_options(program, command_line.read(program, argv), environ, directory, warn)


def merge_options(
    program: str,
    given: Iterable[tuple[str, str, Any]],
    environ: Mapping[str, str],
    directory: str | os.PathLike[str],
    warn: Callable[[str], object] = lambda line: None,
) -> Options:
    """The same for options that were read from a command line: the name of each, where it stands, and its value."""
    # The place and the value of each option that is set. click has checked those of the command line.
    settings = {name: (place, value) for name, place, value in given}
    _, config = settings.pop("config", ("", environ.get(environment.CONFIG)))
    unchecked: dict[str, tuple[str, Any]] = {}
    toml = toml_file.read(config, directory)
    for source in (toml.options(), environment.read(environ, warn)):
        unchecked |= {name: (place, value) for name, place, value in source if name not in settings}
    for name, (place, value) in unchecked.items():
        try:
            settings[name] = place, convert(name, place, value)
        except ConfigError as error:
            option = DECLARATIONS[name]
            if option.belongs_to(program):
                raise
            warn(f"{error} It is ignored: {program} has no {option.flag}")
    options = Options(**{name: value for name, (_, value) in settings.items()}, rules=toml.rules())
    if sites := tuple(toml.sites()):
        from .site_tables import parse_sites  # most servers have one site

        options = replace(options, sites=parse_sites(sites, options))
    check_places(options)
    if options.strict_hosts and not options.sites:
        raise ConfigError(f"{settings['strict_hosts'][0]}: it has no meaning without [[sites]].")
    _check_bounds(options, {name: settings[name][0] if name in settings else "default" for name in DECLARATIONS})
    _check_needs(
        options, {name: place for name, (place, _) in settings.items() if DECLARATIONS[name].belongs_to(program)}
    )
    return options


def _check_bounds(options: Options, places: Mapping[str, str]) -> None:
    """Check that no option is larger than the one that limits it. `places` names the place of each value.

    Raises ConfigError.
    """
    for name, option in DECLARATIONS.items():
        if (bound := option.at_most) and (value := getattr(options, name)) > (limit := getattr(options, bound)):
            raise ConfigError(f"{name} {value} ({places[name]}) is more than {bound} {limit} ({places[bound]}).")


def _check_needs(options: Options, places: Mapping[str, str]) -> None:
    """Check that each option has what it needs. `places` names the place of each option that is set.

    Raises ConfigError.
    """
    for name, place in places.items():
        needs = DECLARATIONS[name].needs
        if (
            needs
            and getattr(options, name) is not False
            and not any(_is_set(options, each) for each in needs.split("|"))
        ):
            flags = [_flag(each) for each in needs.split("|")]
            raise ConfigError(f"{place}: it has no meaning without {' or '.join(flags)}.")


def _is_set(options: Options, needed: str) -> bool:
    """Whether an option is set, as Declaration.needs has it: by its name, or with a value."""
    name, _, wanted = needed.partition("=")
    value = getattr(options, name)
    return value == wanted if wanted else value not in (None, (), False)


def _flag(needed: str) -> str:
    """An option as Declaration.needs has it, in the form of the command line."""
    name, _, wanted = needed.partition("=")
    return f"{DECLARATIONS[name].flag} {wanted}".rstrip()
