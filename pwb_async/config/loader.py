"""The options of a program, read from the command line, the environment and a TOML file.

merge_settings, step by step:
  1. takes what the command line has (arguments.py, command_line.py); its values override all others
  2. reads the TOML file (toml_file.py) and the environment (environment.py), which overrides the file
  3. checks each value that is not overridden, with the same type for every source
  4. adds what the profile sets and nothing else does (profiles.py)
  5. checks what options require of each other

Values that are overridden are not checked, because the environment may have been made for another program.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from . import arguments, environment, toml_file
from .conversion import convert
from .options import DECLARATIONS, ConfigError, Options
from .places import check_places
from .profiles import PROFILES
from .requirements import check_bounds, check_exclusions, check_needs

Warn = Callable[[str], object]


class Settings(NamedTuple):
    """The options of a program, and their origins."""

    options: Options
    places: Mapping[str, str]
    """Where each option stands that has not its default, such as "--port" or "pwb.toml: port"."""
    toml: toml_file.TomlFile
    """The TOML file, which alone can have rules and sites."""


def read_options(
    program: str,
    argv: Sequence[str],
    environ: Mapping[str, str],
    directory: str | os.PathLike[str],
    warn: Warn = lambda line: None,
) -> Options:
    """The options of `program`, which is "pwb" or "pwb-legacy".

    pwb.toml, pyproject.toml and a relative --config are looked for in `directory`. `warn` is called with a line about
    each thing that is ignored, or probably not meant. Raises ConfigError if an option is wrong; --help and --version
    print, and raise HelpPrintedError.
    """
    return merge_settings(program, _read_arguments(program, argv), environ, directory, warn).options


def _read_arguments(program: str, argv: Sequence[str]) -> Iterable[tuple[str, str, Any]]:
    if (given := arguments.read(program, argv)) is not None:
        return given
    from . import command_line  # it imports click

    return command_line.read(program, argv)


def merge_settings(
    program: str,
    given: Iterable[tuple[str, str, Any]],
    environ: Mapping[str, str],
    directory: str | os.PathLike[str] | None,
    warn: Warn = lambda line: None,
    defaults: Mapping[str, Any] | None = None,
) -> Settings:
    """The same with their origins, for options that have been checked: the name, the place and the value of each.

    directory: None for no file but the one that is given as `config`, which is relative to the current folder.
    defaults: values of options that are set nowhere, where they are not those of the declarations.
    """
    # The place and the value of each option that is set. Those of the command line have been checked.
    settings = {name: (place, value) for name, place, value in given}
    _, config = settings.pop(arguments.CONFIG, ("", environ.get(environment.CONFIG)))
    unchecked: dict[str, tuple[str, Any]] = {}
    ranks: dict[str, int] = {}
    toml = toml_file.NO_FILE if directory is None and not config else toml_file.read(config, directory or ".")
    sources = (environment.read_port(environ), toml.options(), environment.read(environ, warn))
    for rank, source in enumerate(sources):
        for name, place, value in source:
            if name not in settings:
                unchecked[name], ranks[name] = (place, value), rank
    ranks |= dict.fromkeys(settings, len(sources))
    for name, (place, value) in unchecked.items():
        try:
            settings[name] = place, convert(name, place, value)
        except ConfigError as error:
            option = DECLARATIONS[name]
            if option.belongs_to(program):
                raise
            warn(f"{error} It is ignored: {program} has no {option.flag}")
    places = {name: place for name, (place, _) in settings.items()}
    values = {name: value for name, (_, value) in settings.items()}
    profile = values.get("profile", "") if program == "pwb" else ""
    by_profile = {name: value for name, value in PROFILES.get(profile, {}).items() if name not in settings}
    options = Options(**{**(defaults or {}), **by_profile, **values}, rules=toml.rules(), config_file=toml.path)
    if sites := tuple(toml.sites()):
        from .site_tables import parse_sites  # most servers have one site

        options = replace(options, sites=parse_sites(sites, options, warn))
    check_places(options, places, warn)
    if options.strict_hosts and not options.sites:
        raise ConfigError(f"{places['strict_hosts']}: it has no meaning without [[sites]].")
    check_bounds(options, places)
    check_exclusions(options, places, ranks)
    check_needs(options, {name: place for name, place in places.items() if DECLARATIONS[name].belongs_to(program)})
    return Settings(options, places | dict.fromkeys(by_profile, f"--profile {profile}"), toml)
