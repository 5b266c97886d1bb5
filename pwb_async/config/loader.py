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
from .requirements import check_bounds, check_needs


def read_options(
    program: str,
    argv: Sequence[str],
    environ: Mapping[str, str],
    directory: str | os.PathLike[str],
    warn: Callable[[str], object] = lambda line: None,
) -> Options:
    """The options of `program`, which is "pwb" or "pwb-legacy".

    pwb.toml, pyproject.toml and a relative --config are looked for in `directory`. `warn` is called with a line about
    each thing that is ignored, or probably not meant. Raises ConfigError if an option is wrong; --help and --version
    print, and raise click.exceptions.Exit.
    """
    return merge_options(program, command_line.read(program, argv), environ, directory, warn)


def merge_options(
    program: str,
    given: Iterable[tuple[str, str, Any]],
    environ: Mapping[str, str],
    directory: str | os.PathLike[str] | None,
    warn: Callable[[str], object] = lambda line: None,
    defaults: Mapping[str, Any] | None = None,
) -> Options:
    """The same for options that have been checked: the name of each, where it stands, and its value.

    directory: None for no file but the one that is given as `config`, which is relative to the current folder.
    defaults: values of options that are set nowhere, where they are not those of the declarations.
    """
    # The place and the value of each option that is set. click has checked those of the command line.
    settings = {name: (place, value) for name, place, value in given}
    _, config = settings.pop("config", ("", environ.get(environment.CONFIG)))
    unchecked: dict[str, tuple[str, Any]] = {}
    toml = toml_file.NO_FILE if directory is None and not config else toml_file.read(config, directory or ".")
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
    values = {**(defaults or {}), **{name: value for name, (_, value) in settings.items()}}
    options = Options(**values, rules=toml.rules())
    if sites := tuple(toml.sites()):
        from .site_tables import parse_sites  # most servers have one site

        options = replace(options, sites=parse_sites(sites, options, warn))
    places = {name: place for name, (place, _) in settings.items()}
    check_places(options, places, warn)
    if options.strict_hosts and not options.sites:
        raise ConfigError(f"{places['strict_hosts']}: it has no meaning without [[sites]].")
    check_bounds(options, places)
    check_needs(options, {name: place for name, place in places.items() if DECLARATIONS[name].belongs_to(program)})
    return options
