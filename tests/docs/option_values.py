"""Writes pwb_async/config/option_values.py from the declarations of the options: python -m tests.docs.option_values"""

from pathlib import Path
from typing import Final

from pwb_async.config.declarations import Declaration
from pwb_async.config.keywords import is_keyword
from pwb_async.config.option_types import (
    AGE,
    BYTES,
    BYTES_OR_OFF,
    COUNT,
    COUNT_OR_0,
    PATH,
    PERCENT,
    PERCENT_OR_0,
    PORT,
    RATE,
    SECONDS,
    SECONDS_OR_0,
    SWITCH,
    WORKERS,
    OptionType,
)
from pwb_async.config.options import DECLARATIONS

MODULE: Final = Path(__file__).parents[2] / "pwb_async" / "config" / "option_values.py"
HEAD: Final = '''\
"""The types of options as keyword arguments of serve(), Server and running().

Made by python -m tests.docs.option_values from the declarations of the options.
"""

import os
from typing import Literal, TypeAlias, TypedDict

Path: TypeAlias = str | os.PathLike[str]


class OptionValues(TypedDict, total=False):
    """The options of pwb, which docs/options.md describes; None stands for the default."""

    config: Path | None
'''
TYPES: Final[dict[OptionType, str]] = {
    SWITCH: "bool",
    PATH: "Path",
    **dict.fromkeys((COUNT, COUNT_OR_0, PERCENT, PERCENT_OR_0, PORT), "int"),
    **dict.fromkeys((SECONDS, SECONDS_OR_0), "float | str"),
    **dict.fromkeys((AGE, BYTES, BYTES_OR_OFF, RATE, WORKERS), "int | str"),
}
"""The types of values that are more than a text."""


def type_of(option: Declaration) -> str:
    """The type of an option's value."""
    if option.type.words:
        words = ", ".join(f'"{word}"' for word in option.type.words)
        one = f"Literal[{words}]"
    else:
        one = TYPES.get(option.type, "str")
    return f"list[{one}] | tuple[{one}, ...]" if option.repeatable else one


def module() -> str:
    """The whole module."""
    options = (option for option in DECLARATIONS.values() if is_keyword(option) and not option.positional)
    return HEAD + "".join(f"    {option.name}: {type_of(option)} | None\n" for option in options)


if __name__ == "__main__":
    MODULE.write_text(module())
