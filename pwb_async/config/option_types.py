"""The types of the options' values.

OptionType              a function that reads text (parsers.py), and the unit that --help shows
PATH, SECONDS, ...      the types that options.py uses
"""

import re
import sys
from collections.abc import Callable
from typing import Any, Final

from pwb_async.core.site.security_fields import LEVELS

from .errors import BadValueError
from .modes import MODES
from .mount_points import mount_point, url_path
from .parsers import (
    SIZES,
    read_age,
    read_charset,
    read_delay,
    read_file_mode,
    read_file_name,
    read_header,
    read_host_name,
    read_integer,
    read_mode,
    read_network,
    read_origin,
    read_proxy,
    read_seconds,
    read_size,
    read_size_or_0,
    read_size_or_off,
    read_text,
    read_type_rule,
    read_word,
    read_workers,
)
from .profiles import PROFILES

_WORD: Final = r"\S+"
_LINE: Final = r"[^\n]+"
_TYPE_RULE: Final = r'(?:;\s*[^\s;="]+=(?:"(?:[^"\\]|\\.)*"|[^\s;/"]+(?=[\s;]|$))|\S)+'
"""White space separates rules, except before a parameter of a media type and within a quoted value."""


class OptionType:
    """A type of values: it reads text, from whichever source it is."""

    name: str
    """The unit that --help shows, such as SECONDS; "" for a switch."""
    parse: Callable[[str], object]
    """Reads the text. Raises ValueError with the second half of a message, which begins with the text, or
    BadValueError with a whole one."""
    zero_word: str
    """The word that stands for 0 or None, such as "off"; "" for none."""
    toml_string: str
    """An example of a value that TOML must have as a string; "" if TOML may have a number or a boolean, too."""
    item: str
    """A regular expression that matches each of several values in an environment variable."""
    words: tuple[str, ...]
    """All values that there are; () if there are too many to name."""

    def __init__(
        self,
        unit: str,
        parse: Callable[[str], object],
        *,
        zero_word: str = "",
        toml_string: str = "",
        item: str = _WORD,
        words: tuple[str, ...] = (),
    ) -> None:
        self.name, self.parse = unit, parse
        self.zero_word, self.toml_string, self.item, self.words = zero_word, toml_string, item, words

    def __call__(self, value: object) -> Any:
        """The value that a text, or a value of TOML, stands for. Raises BadValueError."""
        if isinstance(value, bool | int | float) and not self.toml_string:
            value = str(value).lower()
        if not isinstance(value, str):
            hint = f': it must be a string such as "{self.toml_string}"' if self.toml_string else ""
            raise BadValueError(f"{value!r} is of the wrong type{hint}.")
        try:
            return self.parse(value)
        except BadValueError:
            raise
        except ValueError as error:
            raise BadValueError(f"{value!r} {error}.") from None

    def split(self, text: str) -> list[str]:
        """The texts of several values that one environment variable has."""
        return re.findall(self.item, text)

    def format(self, value: object) -> str:
        """A value as the user writes it, such as 64M, 1.5s, or the word for 0 or None."""
        if isinstance(value, bool):
            return "on" if value else "off"
        if not value and self.zero_word:
            return self.zero_word
        if isinstance(value, float):
            return f"{value:g}s"
        if isinstance(value, int) and self.name.startswith("BYTES"):
            return _format_size(value)
        return "not set" if value is None else str(value)


def _format_size(size: int) -> str:
    """A number of bytes in the largest unit that divides it."""
    units = (f"{size // factor}{unit}" for unit, factor in SIZES.items() if size and not size % factor)
    return next(units, str(size))


def _one_of(*words: str) -> OptionType:
    return OptionType("|".join(words), lambda text: read_word(text, words), toml_string=words[0], words=words)


NATIVE_LOOP: Final = "asyncio" if sys.platform == "win32" else "uvloop"
"""The default of --loop."""

PATH: Final = OptionType("PATH", read_text, toml_string="a/path")
ADDRESS: Final = OptionType("ADDRESS", read_text, toml_string="127.0.0.1")
PORT: Final = OptionType("PORT", lambda text: read_integer(text, 0, 65535))
NAME: Final = OptionType("NAME", read_file_name, toml_string="index.html")
FILE_GLOB: Final = OptionType("GLOB", read_text, toml_string="*.map")
USER: Final = OptionType("NAME[:GROUP]", read_text, toml_string="www-data")
GROUP: Final = OptionType("NAME", read_text, toml_string="www-data")
FILE_MODE: Final = OptionType(
    "OCTAL", read_file_mode, toml_string="660"
)  # a string, since TOML's 0o660 would be read as 432
SWITCH: Final = OptionType("", lambda text: read_word(text, ("true", "false")) == "true")
COUNT: Final = OptionType("COUNT", lambda text: read_integer(text, 1))
"""A whole number above 0."""
COUNT_OR_0: Final = OptionType("COUNT", lambda text: read_integer(text, 0))
PERCENT: Final = OptionType("PERCENT", lambda text: read_integer(text, 1, 100))
PERCENT_OR_0: Final = OptionType("PERCENT", lambda text: read_integer(text, 0, 100))
WORKERS: Final = OptionType("COUNT|auto", read_workers, zero_word="auto")
BYTES: Final = OptionType("BYTES", read_size)
BYTES_OR_OFF: Final = OptionType("BYTES|off", read_size_or_off, zero_word="off")
RATE: Final = OptionType("BYTES", read_size_or_0)
SECONDS: Final = OptionType("SECONDS", read_seconds)
SECONDS_OR_0: Final = OptionType("SECONDS", lambda text: read_seconds(text, zero=True))
AGE: Final = OptionType("SECONDS", read_age)
DELAY: Final = OptionType("[GLOB=]TIME[~TIME]", read_delay)
TYPE: Final = OptionType("GLOB=TYPE", read_type_rule, toml_string="*.geo=application/json", item=_TYPE_RULE)
URL_PATH: Final = OptionType("PATH", url_path, toml_string="/docs/")
MOUNT: Final = OptionType("PATH=DIRECTORY", mount_point, toml_string="/docs/=build/html", item=_LINE)
HEADER: Final = OptionType("'NAME: VALUE'", read_header, toml_string="X-Robots-Tag: noindex", item=_LINE)
ORIGIN: Final = OptionType("ORIGIN", read_origin, toml_string="https://a.example")
NETWORK: Final = OptionType("CIDR", read_network, toml_string="10.0.0.0/8")
PROXY: Final = OptionType("CIDR|unix", read_proxy, toml_string="10.0.0.0/8")
HOST_NAME: Final = OptionType("NAME", read_host_name, toml_string="www.example.com")
SECURITY: Final = _one_of(*LEVELS)
CHARSET: Final = OptionType("NAME|off", read_charset, zero_word="off", toml_string="off")
ETAG: Final = _one_of("auto", "content", "mtime")
LOOP: Final = _one_of("uvloop", "asyncio")
LOG_FORMAT: Final = _one_of("combined", "json", "pretty")
PROFILE: Final = _one_of(*PROFILES)
TRIGGER: Final = _one_of("edge", "level", "oneshot")
MODE: Final = OptionType("|".join(MODES), read_mode, toml_string=next(iter(MODES)), words=tuple(MODES))
