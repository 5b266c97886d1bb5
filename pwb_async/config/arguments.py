"""The options of a command line that is plainly right, read without click, whose import takes a tenth of a start.

A line that is not plainly right, or asks for --help, is left to command_line.py, which has the messages.
"""

from collections.abc import Sequence
from typing import Any, Final

from .declarations import Declaration
from .errors import BadValueError
from .option_types import PATH, SWITCH
from .options import DECLARATIONS

CONFIG: Final = "config"
"""The name of the option --config, which names the TOML file and is no field of Options."""
_NO: Final = "--no-"


def read(program: str, argv: Sequence[str]) -> list[tuple[str, str, Any]] | None:
    """The name of each option that is given, where it stands, and its value, in the order of the declarations.

    None if command_line.read() has to read the line.
    """
    texts: dict[str, list[str]] = {}
    switches: dict[str, bool] = {}
    words = iter(argv)
    for word in words:
        flag, equals, text = word.partition("=")
        if not word.startswith("-"):
            name, text = "root", word
            if name in texts or not word:
                return None
        elif (switch := _switch_of(program, word)) is not None:
            switches[switch] = not word.startswith(_NO)
            continue
        else:
            option = _option_of(program, flag)
            if option is None and flag != f"--{CONFIG}":
                return None
            name = CONFIG if option is None else option.name
            text = text if equals else next(words, "")
            if not text or text.startswith("-"):  # it may be the next option, and this one's value is missing
                return None
        texts.setdefault(name, []).append(text)
    try:
        return [*_values(texts, switches)]
    except BadValueError:
        return None


def _option_of(program: str, flag: str) -> Declaration | None:
    """The option with this flag that has a value."""
    option = DECLARATIONS.get(flag[2:].replace("-", "_"))
    if option is None or option.flag != flag or option.positional or option.type is SWITCH:
        return None
    return option if option.belongs_to(program) else None


def _switch_of(program: str, word: str) -> str | None:
    """The name of the switch that a word sets."""
    name = word.removeprefix(_NO if word.startswith(_NO) else "--").replace("-", "_")
    option = DECLARATIONS.get(name)
    if option is None or option.type is not SWITCH or not option.belongs_to(program):
        return None
    return name if word in (option.flag, f"{_NO}{option.flag[2:]}") else None


def _values(texts: dict[str, list[str]], switches: dict[str, bool]) -> "list[tuple[str, str, Any]]":
    """The values of what is given. Raises BadValueError. Of an option that is given twice the last value counts."""
    found: list[tuple[str, str, Any]] = []
    for name, option in DECLARATIONS.items():
        if name in switches:
            found.append((name, option.flag, switches[name]))
        elif name in texts:
            place = name.upper() if option.positional else option.flag
            given = texts[name]
            found.append((name, place, tuple(map(option.type, given)) if option.repeatable else option.type(given[-1])))
    if CONFIG in texts:
        found.append((CONFIG, f"--{CONFIG}", PATH(texts[CONFIG][-1])))
    return found
