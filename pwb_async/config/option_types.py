"""The kinds of value that an option may have: a unit, and what is read from text, or one clause that refuses it.

_seconds, _size, ...    functions of text; a ValueError says what is wrong
Kind                    such a function as a click type, with the unit that --help shows
PATH, SECONDS, ...      the kinds by name, for the declarations in config.py
"""

import re
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import click

from pwb_async.core.semantics.grammar import MEDIA_TYPE, TOKEN

FACTORS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_WORD: Final = re.compile(r"\S+")
_TYPE_RULE_WORD: Final = re.compile(r'(?:;\s*[^\s;="]+=(?:"(?:[^"\\]|\\.)*"|[^\s;/"]+(?=[\s;]|$))|\S)+')
"""White space separates, but not in front of a parameter, nor in its quoted value."""


class OptionType(click.ParamType[Any]):
    """A click type: the unit that --help shows, and a function of text (ValueError refuses it).

    example: a value that TOML has only as a string; without one, a TOML number or boolean is read as the text it is
    spelled with. item: one of several values in an environment variable."""

    def __init__(
        self, unit: str, parse: Callable[[str], object], example: str = "", item: re.Pattern[str] = _WORD
    ) -> None:
        self.name, self.parse, self.example, self.item = unit, parse, example, item

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, bool | int | float) and not self.example:
            value = str(value).lower()
        if not isinstance(value, str):
            hint = f': it must be a string such as "{self.example}"' if self.example else ""
            self.fail(f"{value!r} is of the wrong type{hint}.", param, ctx)
        try:
            return self.parse(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}.", param, ctx)

    def spell(self, value: object) -> str:
        """A value as it is written: what means nothing, or no number, is the word that the unit has for it."""
        if isinstance(value, bool):
            return "on" if value else "off"
        return str(value) if value else self.name.partition("|")[2] or ("not set" if value is None else str(value))


def _text(text: str) -> str:
    if not text or "\0" in text:  # an empty host would be every interface
        raise ValueError("holds a NUL" if text else "is empty")
    return text


def _file_name(text: str) -> str:
    if "/" in _text(text) or text in (".", ".."):
        raise ValueError("is not the name of a file")
    return text


def _seconds(text: str, zero: bool = False) -> float:
    parts = re.fullmatch(r"([0-9]{0,9}\.?[0-9]{1,20}) ?(ms|s|m|h)?", text)
    if not parts:
        raise ValueError("is not a time such as 10, 0.5, 500ms, 10s or 2m")
    seconds = float(parts[1]) * FACTORS[parts[2] or "s"]
    if seconds > 2_000_000 or not (seconds or zero):  # poll counts at most 2**31 milliseconds
        raise ValueError("is not above 0 and at most 2000000 seconds")
    return seconds


def _file_mode(text: str) -> str:
    digits = re.fullmatch(r"0?([0-7]{3})", text)
    if not digits:
        raise ValueError("is not a mode of three octal digits such as 660")
    return digits[1]


def _size(text: str) -> int:
    parts = re.fullmatch(r"([0-9]{1,15}) ?(?:([KMG])(?:iB)?)?", text)
    if not parts or not int(parts[1]):
        raise ValueError("is not a size above 0 such as 8190, 32K, 32KiB, 1M or 1GiB")
    return int(parts[1]) * int(FACTORS.get(parts[2], 1))


def _size_or_off(text: str) -> int:
    return 0 if text == "off" else _size(text)


def _size_or_0(text: str) -> int:
    return 0 if text == "0" else _size(text)


def _workers(text: str) -> int:
    return 0 if text == "auto" else int(COUNT(text))


class Delay(NamedTuple):
    """Of paths that fit `glob`: seconds a call to the disk takes more, give or take `jitter`. text: as it was told."""

    text: str
    glob: str
    seconds: float
    jitter: float


def _delay(text: str) -> Delay:
    glob, equals, times = text.rpartition("=")
    around, tilde, jitter = times.partition("~")
    if equals and not glob:
        raise ValueError("has no glob before its =")
    delay = Delay(text, glob or "*", _seconds(around, zero=True), _seconds(jitter if tilde else "0", zero=True))
    if delay.jitter > delay.seconds:
        raise ValueError("has more jitter than delay")
    return delay


class TypeRule(NamedTuple):
    """Files that fit `glob` are of the type `media`."""

    glob: str
    media: bytes


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


class Whole(click.IntRange):
    name = "integer"  # as messages call it


def _one_of(*words: str) -> OptionType:
    return OptionType("|".join(words), click.Choice(words), example=words[0])


PATH, ADDRESS = OptionType("PATH", _text, "a/path"), OptionType("ADDRESS", _text, "127.0.0.1")
USER, GROUP = OptionType("NAME[:GROUP]", _text, "www-data"), OptionType("NAME", _text, "www-data")
FILE_MODE = OptionType("OCTAL", _file_mode, "660")  # TOML's 0o660 would be read as 432
NAME, PORT = OptionType("NAME", _file_name, "index.html"), OptionType("PORT", Whole(0, 65535))
SECONDS, AGE = OptionType("SECONDS", _seconds), OptionType("SECONDS", Whole(0, 2**31 - 1))
DELAY = OptionType("[GLOB=]TIME[~TIME]", _delay)
TYPE = OptionType("GLOB=TYPE", _type_rule, "*.geo=application/json", _TYPE_RULE_WORD)
CHARSET = OptionType("NAME|off", _charset, "off")
RATE, WORKERS = OptionType("BYTES", _size_or_0), OptionType("COUNT|auto", _workers)
SECONDS_OR_0 = OptionType("SECONDS", lambda text: _seconds(text, zero=True))
BYTES_OR_OFF = OptionType("BYTES|off", _size_or_off)
BYTES, COUNT, COUNT_OR_0 = OptionType("BYTES", _size), OptionType("COUNT", Whole(1)), OptionType("COUNT", Whole(0))
SWITCH = OptionType("", lambda text: click.Choice(("true", "false"))(text) == "true")
LOOP, TRIGGER = _one_of("uvloop", "asyncio"), _one_of("edge", "level")
NATIVE_LOOP = "asyncio" if sys.platform == "win32" else "uvloop"
ETAG = _one_of("auto", "content", "mtime")
MODE = _one_of("fixed", "single", "thread", "process", "gevent", "epoll", "epoll-thread")
