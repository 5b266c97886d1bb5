"""Options that a Python program gives as keyword arguments, such as max_age=60.

Their names, values and checks are those of the TOML file, and paths may be objects. Nothing is read from the
environment, and a file only if it is given as `config`.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable
from typing import Any, Final, TypeAlias

from pwb_async.output.printing import did_you_mean

from .conversion import convert
from .declarations import Declaration, Topic
from .loader import merge_settings
from .options import DECLARATIONS, ConfigError, Options
from .package_files import directory_of

logger: Final = logging.getLogger("pwb")
Root: TypeAlias = str | os.PathLike[str] | Traversable
"""A directory: its path, or the files of an installed package, as importlib.resources.files() returns them."""
_PROGRAM: Final = "pwb"
_CONFIG: Final = "config"
"""The argument that names a TOML file."""


def options_of(root: Root, values: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> Options:
    """The options that serve `root`.

    values: the other options by their names; None for the default. defaults: those that differ from the declarations.
    Raises ConfigError if a value is wrong, TypeError if there is no option of that name.
    """
    given = {name: value for name, value in values.items() if value is not None}
    checked = _checked({"root": directory_of(root), **given})
    return merge_settings(_PROGRAM, checked, {}, None, logger.warning, defaults).options


def is_keyword(option: Declaration) -> bool:
    """Whether an option may be a keyword argument: one of pwb that is not for a person at a terminal."""
    return option.belongs_to(_PROGRAM) and option.topic is not Topic.TERMINAL


def _checked(given: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """The name of each option, where it stands in messages, and its value."""
    for name, value in given.items():
        place, value = f"argument {name}", _plain(value)
        if name == _CONFIG:
            if not isinstance(value, str):
                raise ConfigError(f"{place}: {value!r} is not a path.")
        elif name in DECLARATIONS and is_keyword(DECLARATIONS[name]):
            value = convert(name, place, value)
        elif name in DECLARATIONS and DECLARATIONS[name].belongs_to(_PROGRAM):
            raise TypeError(f"the option {name!r} is for the command alone, at a terminal")
        else:
            names = [each.name for each in DECLARATIONS.values() if is_keyword(each)]
            raise TypeError(f"there is no option {name!r}{did_you_mean(name, (*names, _CONFIG))}")
        yield name, place, value


def _plain(value: Any) -> Any:
    """A value as a TOML file would have it."""
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
