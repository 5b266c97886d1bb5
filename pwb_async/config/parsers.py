"""Functions that read the text of a value, for the types of options.

Each raises ValueError with what is wrong, such as "is not a size", the second half of a message that begins with the
text, or BadValueError with a whole one. Their patterns are compiled when they are first used: most starts need few.
"""

import re
from typing import Final, NamedTuple

from pwb_async.core.semantics.grammar import MEDIA_TYPE, TOKEN
from pwb_async.core.semantics.target import host_name, valid_host
from pwb_async.output.printing import did_you_mean

from .errors import BadValueError
from .modes import MODES

_TIMES: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
"""Seconds of each unit of time."""
SIZES: Final = {"G": 1 << 30, "M": 1 << 20, "K": 1 << 10}
"""Bytes of each unit of size, the largest first."""


def read_text(text: str) -> str:
    """A text that is neither empty nor holds a NUL."""
    if not text or "\0" in text:  # an empty host would mean every interface
        raise ValueError("holds a NUL" if text else "is empty")
    return text


def read_file_name(text: str) -> str:
    """The name of a file, without a directory."""
    if "/" in read_text(text) or text in (".", ".."):
        raise ValueError("is not the name of a file")
    return text


def read_time(text: str) -> float:
    """Seconds, which may have a unit."""
    parts = re.fullmatch(r"([0-9]{0,9}\.?[0-9]{1,20}) ?(ms|s|m|h|d)?", text)
    if not parts:
        raise ValueError("is not a time such as 10 or 0.5 (seconds), 10s, 500ms, 2m, 1h or 1d")
    return float(parts[1]) * _TIMES[parts[2] or "s"]


def read_seconds(text: str, zero: bool = False) -> float:
    """Seconds above 0; with `zero` also 0."""
    seconds = read_time(text)
    if seconds > 2_000_000 or not (seconds or zero):  # poll(2) takes at most 2**31 milliseconds
        raise ValueError("is not above 0 and at most 2000000 seconds")
    return seconds


def read_age(text: str) -> int:
    """Whole seconds, as Cache-Control has them."""
    seconds = read_time(text)
    if seconds >= 2**31 or not seconds.is_integer():  # RFC 9111 1.2.2
        raise ValueError(f"is not a whole number of seconds from 0 to {2**31 - 1}")
    return int(seconds)


def read_file_mode(text: str) -> str:
    """Three octal digits."""
    digits = re.fullmatch(r"0?([0-7]{3})", text)
    if not digits:
        raise ValueError("is not a mode of three octal digits such as 660")
    return digits[1]


def read_size(text: str) -> int:
    """Bytes above 0, which may have a unit."""
    parts = re.fullmatch(r"([0-9]{1,15}) ?(?:([KMG])(?:iB)?)?", text)
    if not parts or not int(parts[1]):
        raise ValueError("is not a size above 0 such as 8190, 32K, 32KiB, 1M or 1GiB")
    return int(parts[1]) * SIZES.get(parts[2], 1)


def read_size_or_off(text: str) -> int:
    """Bytes; 0 for off."""
    return 0 if text == "off" else read_size(text)


def read_size_or_0(text: str) -> int:
    """Bytes, also 0."""
    return 0 if text == "0" else read_size(text)


def read_workers(text: str) -> int:
    """A number of processes; 0 for auto."""
    return 0 if text == "auto" else read_integer(text, 1)


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


def read_delay(text: str) -> Delay:
    """A rule of --delay-disk."""
    glob, equals, times = text.rpartition("=")
    seconds, tilde, jitter = times.partition("~")
    if equals and not glob:
        raise ValueError("has no glob before the =")
    delay = Delay(glob or "*", read_seconds(seconds, zero=True), read_seconds(jitter if tilde else "0", zero=True))
    if delay.jitter > delay.seconds:
        raise ValueError("has more jitter than delay")
    return delay


class TypeRule(NamedTuple):
    """A rule of --type: the media type of files."""

    glob: str
    """The names of the files, or with a slash their paths."""
    media: bytes
    """The value of Content-Type."""


def read_type_rule(text: str) -> TypeRule:
    """A rule of --type."""
    rule = re.fullmatch(rb"(.+?)=(%s)" % MEDIA_TYPE.pattern, text.encode(errors="surrogateescape"), re.DOTALL)
    if not rule:
        raise ValueError(
            "is not a glob and a media type such as *.geo=application/json or old/*=text/html;charset=euc-kr"
        )
    return TypeRule(rule[1].decode(errors="surrogateescape"), rule[2])


def read_charset(text: str) -> str | None:
    """The name of a charset; None for off."""
    if not TOKEN.fullmatch(text.encode(errors="surrogateescape")):
        raise ValueError("is not the name of a charset such as utf-8, nor off")
    return None if text.lower() == "off" else text


class HeaderField(NamedTuple):
    """A field of all responses."""

    name: bytes
    value: bytes


def read_header(text: str) -> HeaderField:
    """A field of responses."""
    from pwb_async.core.site.header_rules import check_change  # most starts are spared it

    name, colon, value = text.partition(":")
    if not colon:
        raise ValueError("is not a field such as 'X-Robots-Tag: noindex'")
    field = HeaderField(name.encode(errors="surrogateescape"), value.strip().encode(errors="surrogateescape"))
    try:
        check_change(*field)
    except ValueError as error:
        raise BadValueError(f"{error}.") from None
    return field


_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def read_origin(text: str) -> str:
    """An origin as browsers send it, or *."""
    if text == "*":
        return text
    origin = re.fullmatch(r"(https?)://([^/?#@]+)", text, re.IGNORECASE)
    if not origin or not valid_host(origin[2].encode(errors="surrogateescape")):
        raise ValueError("is not an origin such as https://a.example or http://localhost:3000, nor *")
    scheme, authority = origin[1].lower(), origin[2].lower()
    return f"{scheme}://{authority.removesuffix(_DEFAULT_PORTS[scheme])}"


def read_network(text: str) -> str:
    """A network in CIDR notation, in its canonical form."""
    from pwb_async.core.semantics.networks import parse_network  # it needs ipaddress, which most starts are spared

    return str(parse_network(text))


def read_proxy(text: str) -> str:
    """A network, or unix."""
    return text if text == "unix" else read_network(text)


def read_host_name(text: str) -> str:
    """A host name in lower case, without a port."""
    if not valid_host(text.encode(errors="surrogateescape")) or host_name(text.encode()) != text.lower().encode():
        raise ValueError("is not a host name without a port, such as www.example.com")
    return text.lower()


def read_integer(text: str, least: int, most: int | None = None) -> int:
    """A whole number from `least` to `most`; None for no upper bound."""
    try:
        number = int(text)
    except ValueError:
        raise ValueError("is not a valid integer") from None
    if number < least or (most is not None and number > most):
        limits = f"x>={least}" if most is None else f"{least}<=x<={most}"
        raise BadValueError(f"{number} is not in the range {limits}.")
    return number


def read_mode(text: str) -> str:
    """The name of a design of pwb-legacy."""
    if text in MODES:
        return text
    asyncio = text.startswith(("async", "pwb"))
    hint = " (the asyncio server is the command pwb)" if asyncio else did_you_mean(text, MODES)
    raise ValueError(f"is not one of {', '.join(map(repr, MODES))}{hint}")


def read_word(text: str, words: tuple[str, ...]) -> str:
    """One of `words`."""
    if text not in words:
        if hint := did_you_mean(text, words):
            raise BadValueError(f"{text!r} is not one of {', '.join(map(repr, words))}{hint}.")
        raise ValueError(f"is not one of {', '.join(map(repr, words))}")
    return text
