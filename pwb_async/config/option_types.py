"""The types of the options' values, as click types that read text.

_seconds, _size, ...    functions that read text and raise ValueError with what is wrong, such as "is not a size"
OptionType              a click type made of such a function and the unit that --help shows
PATH, SECONDS, ...      the types that options.py uses
"""

import re
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import click

from pwb_async.core.semantics.grammar import MEDIA_TYPE, TOKEN
from pwb_async.core.semantics.target import host_name, valid_host
from pwb_async.core.site.header_rules import check_change
from pwb_async.core.site.security_fields import LEVELS
from pwb_async.output.printing import did_you_mean

from .modes import MODES
from .mount_points import mount_point, url_path

_TIMES: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
"""Seconds of each unit of time."""
_SIZES: Final = {"G": 1 << 30, "M": 1 << 20, "K": 1 << 10}
"""Bytes of each unit of size, the largest first."""
_WORD: Final = re.compile(r"\S+")
_TYPE_RULE_WORD: Final = re.compile(r'(?:;\s*[^\s;="]+=(?:"(?:[^"\\]|\\.)*"|[^\s;/"]+(?=[\s;]|$))|\S)+')
"""White space separates rules, except before a parameter of a media type and within a quoted value."""


class OptionType(click.ParamType[Any]):
    """A click type that reads text, from whichever source it is."""

    name: str
    """The unit that --help shows, such as SECONDS; "" for a switch."""
    parse: Callable[[str], object]
    """Reads the text. Raises ValueError with the second half of a message, which begins with the text, or as a click
    type does click.BadParameter with a whole one."""
    zero_word: str
    """The word that stands for 0 or None, such as "off"; "" for none."""
    toml_string: str
    """An example of a value that TOML must have as a string; "" if TOML may have a number or a boolean, too."""
    item: re.Pattern[str]
    """Matches each of several values in an environment variable."""

    def __init__(
        self,
        unit: str,
        parse: Callable[[str], object],
        *,
        zero_word: str = "",
        toml_string: str = "",
        item: re.Pattern[str] = _WORD,
    ) -> None:
        self.name, self.parse = unit, parse
        self.zero_word, self.toml_string, self.item = zero_word, toml_string, item

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value that a text, or a value of TOML, stands for; called by click. Raises click.BadParameter."""
        if isinstance(value, bool | int | float) and not self.toml_string:
            value = str(value).lower()
        if not isinstance(value, str):
            hint = f': it must be a string such as "{self.toml_string}"' if self.toml_string else ""
            self.fail(f"{value!r} is of the wrong type{hint}.", param, ctx)
        try:
            return self.parse(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}.", param, ctx)

    def split(self, text: str) -> list[str]:
        """The texts of several values that one environment variable has."""
        return self.item.findall(text)

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
    units = (f"{size // factor}{unit}" for unit, factor in _SIZES.items() if size and not size % factor)
    return next(units, str(size))


def _text(text: str) -> str:
    if not text or "\0" in text:  # an empty host would mean every interface
        raise ValueError("holds a NUL" if text else "is empty")
    return text


def _file_name(text: str) -> str:
    if "/" in _text(text) or text in (".", ".."):
        raise ValueError("is not the name of a file")
    return text


def _time(text: str) -> float:
    parts = re.fullmatch(r"([0-9]{0,9}\.?[0-9]{1,20}) ?(ms|s|m|h|d)?", text)
    if not parts:
        raise ValueError("is not a time such as 10 or 0.5 (seconds), 10s, 500ms, 2m, 1h or 1d")
    return float(parts[1]) * _TIMES[parts[2] or "s"]


def _seconds(text: str, zero: bool = False) -> float:
    seconds = _time(text)
    if seconds > 2_000_000 or not (seconds or zero):  # poll(2) takes at most 2**31 milliseconds
        raise ValueError("is not above 0 and at most 2000000 seconds")
    return seconds


def _age(text: str) -> int:
    seconds = _time(text)
    if seconds >= 2**31 or not seconds.is_integer():  # RFC 9111 1.2.2
        raise ValueError(f"is not a whole number of seconds from 0 to {2**31 - 1}")
    return int(seconds)


def _file_mode(text: str) -> str:
    digits = re.fullmatch(r"0?([0-7]{3})", text)
    if not digits:
        raise ValueError("is not a mode of three octal digits such as 660")
    return digits[1]


def _size(text: str) -> int:
    parts = re.fullmatch(r"([0-9]{1,15}) ?(?:([KMG])(?:iB)?)?", text)
    if not parts or not int(parts[1]):
        raise ValueError("is not a size above 0 such as 8190, 32K, 32KiB, 1M or 1GiB")
    return int(parts[1]) * _SIZES.get(parts[2], 1)


def _size_or_off(text: str) -> int:
    return 0 if text == "off" else _size(text)


def _size_or_0(text: str) -> int:
    return 0 if text == "0" else _size(text)


def _workers(text: str) -> int:
    return 0 if text == "auto" else int(COUNT(text))  # a click type is called with a text


class Delay(NamedTuple):
    """A rule of --delay-disk: how much longer disk operations take."""

    glob: str
    """The request paths that it applies to."""
    seconds: float
    jitter: float
    """The most, in seconds, that a delay is shorter or longer."""

    def __str__(self) -> str:
        """The rule with its units: "20 s", "15 to 25 ms for *.bin"."""
        shortest, longest = self.seconds - self.jitter, self.seconds + self.jitter
        factor, unit = (1, "s") if longest >= 1 else (1000, "ms")
        times = " to ".join(f"{each * factor:g}" for each in sorted({shortest, longest}))
        return f"{times} {unit}" + ("" if self.glob == "*" else f" for {self.glob}")


def _delay(text: str) -> Delay:
    glob, equals, times = text.rpartition("=")
    seconds, tilde, jitter = times.partition("~")
    if equals and not glob:
        raise ValueError("has no glob before the =")
    delay = Delay(glob or "*", _seconds(seconds, zero=True), _seconds(jitter if tilde else "0", zero=True))
    if delay.jitter > delay.seconds:
        raise ValueError("has more jitter than delay")
    return delay


class TypeRule(NamedTuple):
    """A rule of --type: the media type of files."""

    glob: str
    """The names of the files, or with a slash their paths."""
    media: bytes
    """The value of Content-Type."""


_TYPE_RULE: Final = re.compile(rb"(.+?)=(%s)" % MEDIA_TYPE.pattern, re.DOTALL)


def _type_rule(text: str) -> TypeRule:
    rule = _TYPE_RULE.fullmatch(text.encode(errors="surrogateescape"))
    if not rule:
        raise ValueError(
            "is not a glob and a media type such as *.geo=application/json or old/*=text/html;charset=euc-kr"
        )
    return TypeRule(rule[1].decode(errors="surrogateescape"), rule[2])


def _charset(text: str) -> str | None:
    if not TOKEN.fullmatch(text.encode(errors="surrogateescape")):
        raise ValueError("is not the name of a charset such as utf-8, nor off")
    return None if text.lower() == "off" else text


class HeaderField(NamedTuple):
    """A field of all responses."""

    name: bytes
    value: bytes


def _header(text: str) -> HeaderField:
    name, colon, value = text.partition(":")
    if not colon:
        raise ValueError("is not a field such as 'X-Robots-Tag: noindex'")
    field = HeaderField(name.encode(errors="surrogateescape"), value.strip().encode(errors="surrogateescape"))
    try:
        check_change(*field)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None
    return field


_ORIGIN: Final = re.compile(r"(https?)://([^/?#@]+)", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def _origin(text: str) -> str:
    if text == "*":
        return text
    origin = _ORIGIN.fullmatch(text)
    if not origin or not valid_host(origin[2].encode(errors="surrogateescape")):
        raise ValueError("is not an origin such as https://a.example or http://localhost:3000, nor *")
    scheme, authority = origin[1].lower(), origin[2].lower()
    return f"{scheme}://{authority.removesuffix(_DEFAULT_PORTS[scheme])}"  # as browsers send it


def _network(text: str) -> str:
    from pwb_async.core.semantics.networks import parse_network  # it needs ipaddress, which most starts are spared

    return str(parse_network(text))


def _proxy(text: str) -> str:
    return text if text == "unix" else _network(text)


def _host_name(text: str) -> str:
    if not valid_host(text.encode(errors="surrogateescape")) or host_name(text.encode()) != text.lower().encode():
        raise ValueError("is not a host name without a port, such as www.example.com")
    return text.lower()


class _Integer(click.IntRange):
    name = "integer"  # click's messages contain the name; that of IntRange is "integer range"


def _mode(text: str) -> str:
    if text in MODES:
        return text
    asyncio = text.startswith(("async", "pwb"))
    hint = " (the asyncio server is the command pwb)" if asyncio else did_you_mean(text, MODES)
    raise ValueError(f"is not one of {', '.join(map(repr, MODES))}{hint}")


def _one_of(*words: str) -> OptionType:
    return OptionType("|".join(words), click.Choice(words), toml_string=words[0])


NATIVE_LOOP: Final = "asyncio" if sys.platform == "win32" else "uvloop"
"""The default of --loop."""

PATH: Final = OptionType("PATH", _text, toml_string="a/path")
ADDRESS: Final = OptionType("ADDRESS", _text, toml_string="127.0.0.1")
PORT: Final = OptionType("PORT", _Integer(0, 65535))
NAME: Final = OptionType("NAME", _file_name, toml_string="index.html")
FILE_GLOB: Final = OptionType("GLOB", _text, toml_string="*.map")
USER: Final = OptionType("NAME[:GROUP]", _text, toml_string="www-data")
GROUP: Final = OptionType("NAME", _text, toml_string="www-data")
FILE_MODE: Final = OptionType(
    "OCTAL", _file_mode, toml_string="660"
)  # a string, since TOML's 0o660 would be read as 432
SWITCH: Final = OptionType("", lambda text: click.Choice(("true", "false"))(text) == "true")
COUNT: Final = OptionType("COUNT", _Integer(1))
"""A whole number above 0."""
COUNT_OR_0: Final = OptionType("COUNT", _Integer(0))
WORKERS: Final = OptionType("COUNT|auto", _workers, zero_word="auto")
BYTES: Final = OptionType("BYTES", _size)
BYTES_OR_OFF: Final = OptionType("BYTES|off", _size_or_off, zero_word="off")
RATE: Final = OptionType("BYTES", _size_or_0)
SECONDS: Final = OptionType("SECONDS", _seconds)
SECONDS_OR_0: Final = OptionType("SECONDS", lambda text: _seconds(text, zero=True))
AGE: Final = OptionType("SECONDS", _age)
DELAY: Final = OptionType("[GLOB=]TIME[~TIME]", _delay)
TYPE: Final = OptionType("GLOB=TYPE", _type_rule, toml_string="*.geo=application/json", item=_TYPE_RULE_WORD)
URL_PATH: Final = OptionType("PATH", url_path, toml_string="/docs/")
MOUNT: Final = OptionType("PATH=DIRECTORY", mount_point, toml_string="/docs/=build/html", item=re.compile(r"[^\n]+"))
HEADER: Final = OptionType("'NAME: VALUE'", _header, toml_string="X-Robots-Tag: noindex", item=re.compile(r"[^\n]+"))
ORIGIN: Final = OptionType("ORIGIN", _origin, toml_string="https://a.example")
NETWORK: Final = OptionType("CIDR", _network, toml_string="10.0.0.0/8")
PROXY: Final = OptionType("CIDR|unix", _proxy, toml_string="10.0.0.0/8")
HOST_NAME: Final = OptionType("NAME", _host_name, toml_string="www.example.com")
SECURITY: Final = _one_of(*LEVELS)
CHARSET: Final = OptionType("NAME|off", _charset, zero_word="off", toml_string="off")
ETAG: Final = _one_of("auto", "content", "mtime")
LOOP: Final = _one_of("uvloop", "asyncio")
TRIGGER: Final = _one_of("edge", "level", "oneshot")
MODE: Final = OptionType("|".join(MODES), _mode, toml_string=next(iter(MODES)))
