"""Recordings: what real clients once asked for, and when, from an access log in the combined format or a browser's HAR
file.

The steps: read the file line by line or entry by entry; keep every GET and HEAD with its target and the moment; count
what is left out, by reason; move the first moment to 0 and divide by the speed. A log has whole seconds only, so the
requests of one second are spread over it evenly, in their order.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from pwb_legacy.compare.load import Ask

from .servers import CannotError

Moment = tuple[float, Ask]
LeftOut = dict[str, list[int]]
METHODS: Final = ("GET", "HEAD")
_LINE: Final = re.compile(
    r'\S+ \S+ \S+ \[([^\]]+)\] "((?:[^"\\]|\\.)*)" \d{3} (?:\d+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?.*'
)
_REQUEST: Final = re.compile(r"([A-Z]+) (\S+) HTTP/1\.[01]")
_METHOD: Final = re.compile(r"[A-Z]+")
_TIME: Final = "%d/%b/%Y:%H:%M:%S %z"
_KEPT: Final = (
    "accept",
    "accept-encoding",
    "accept-language",
    "if-modified-since",
    "if-none-match",
    "range",
    "referer",
)
"""Fields of a HAR file that matter to a static server; those that identify the visitor are left out."""


@dataclass(slots=True)
class Recording:
    """The requests of a log or a HAR file."""

    moments: list[Moment]
    """In their order, in seconds from the first on."""
    left_out: LeftOut
    """What is not in it: by reason, the numbers of the lines or entries."""

    @property
    def seconds(self) -> float:
        """The time from the first request to the last."""
        return self.moments[-1][0]

    def faster(self, speed: float, seconds: float) -> list[Moment]:
        """The requests at so many times their pace, as many as fit into `seconds`."""
        return [(moment / speed, ask) for moment, ask in self.moments if moment / speed <= seconds]

    @property
    def missing(self) -> str:
        """What is left out, in words; empty: nothing."""
        return _told(self.left_out)


def read(path: Path) -> Recording:
    """Read a file. Raises CannotError, in one line, where there is nothing to replay."""
    left_out: LeftOut = {}
    try:
        text = path.read_text("utf-8", errors="surrogateescape")
        entries = _har(text, left_out) if text.lstrip().startswith("{") else _log(text.splitlines(), left_out)
        moments = sorted(entries, key=lambda pair: pair[0])
    except OSError as error:
        raise CannotError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise CannotError(f"{path}: not a HAR file: {error}") from None
    if not moments:
        raise CannotError(f"{path}: there is nothing to replay: {_told(left_out) or 'it is empty'}")
    start = moments[0][0]
    return Recording([(moment - start, ask) for moment, ask in moments], left_out)


def _told(left_out: LeftOut) -> str:
    return ", ".join(
        f"{len(numbers):,} {reason} (number {numbers[0]}{' first' if len(numbers) > 1 else ''})"
        for reason, numbers in left_out.items()
    )


def _log(lines: Iterable[str], left_out: LeftOut) -> list[Moment]:
    seconds: list[tuple[float, Ask]] = []
    for number, line in enumerate(lines, 1):
        try:
            seconds.append(_line(line))
        except ValueError as error:
            left_out.setdefault(str(error), []).append(number)
    seconds.sort(key=lambda pair: pair[0])
    return list(_spread(seconds))


def _line(line: str) -> tuple[float, Ask]:
    """The time and the request of a line of a log. Raises ValueError, with the reason in words."""
    found = _LINE.fullmatch(line)
    if not found:
        raise ValueError("not in the combined format")
    try:
        second = datetime.strptime(found[1], _TIME).timestamp()
    except ValueError:
        raise ValueError("with no valid time") from None
    return second, _asked(found[2], found[4])


def _spread(seconds: Sequence[tuple[float, Ask]]) -> Iterator[Moment]:
    for second, group in groupby(seconds, key=lambda pair: pair[0]):
        asks = [ask for _, ask in group]
        for number, ask in enumerate(asks):
            yield second + number / len(asks), ask


def _asked(line: str, agent: str | None) -> Ask:
    """The request of a request line and a User-Agent. Raises ValueError, with the reason in words."""
    request = _REQUEST.fullmatch(line)
    if not request:
        raise ValueError("with no valid request line")
    method, target = request.groups()
    if method not in METHODS:
        raise ValueError(f"with the method {method}")
    if not target.startswith("/") or not target.isascii() or "\\" in target:
        raise ValueError("with a target that is not a path")
    usable = agent and agent.isascii() and agent.isprintable() and agent != "-" and "\\" not in agent
    fields = f"User-Agent: {agent}\r\n".encode() if usable else b""
    return Ask(target.encode(), fields, method.encode(), 0)


def _har(text: str, left_out: LeftOut) -> list[Moment]:
    """The requests of a HAR file; invalid entries are left out. Raises ValueError, in words, for any other file."""
    try:
        entries = json.loads(text)["log"]["entries"]
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (KeyError, TypeError):
        entries = None
    if not isinstance(entries, list):
        raise ValueError("it has no log.entries")
    found: list[tuple[int, Any, SplitResult]] = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append((number, entry, _url(entry)))
        except ValueError as error:
            left_out.setdefault(str(error), []).append(number)
    hosts = Counter(url.netloc for _, _, url in found)
    host = hosts.most_common(1)[0][0] if hosts else ""
    moments = []
    for number, entry, url in found:
        try:
            moments.append(_entry(entry, url, host))
        except ValueError as error:
            left_out.setdefault(str(error), []).append(number)
    return moments


def _url(entry: Any) -> SplitResult:
    """The URL of an entry's request. Raises ValueError, with the reason in words."""
    try:
        text = entry["request"]["url"]
    except (KeyError, TypeError):
        text = None
    if not isinstance(text, str):
        raise ValueError("without a request")
    try:
        url = urlsplit(text)
    except ValueError:
        raise ValueError("with an invalid URL") from None
    if not url.netloc.isprintable():
        raise ValueError("with an invalid URL")
    return url


def _entry(entry: dict[str, Any], url: SplitResult, host: str) -> Moment:
    """The time and the request of an entry. Raises ValueError, with the reason in words."""
    try:
        moment = datetime.fromisoformat(entry["startedDateTime"]).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ValueError("with no valid time") from None
    method = entry["request"].get("method")
    if not isinstance(method, str) or not _METHOD.fullmatch(method):
        raise ValueError("with no valid method")
    if method not in METHODS:
        raise ValueError(f"with the method {method}")
    if url.netloc != host:
        raise ValueError(f"of another host than {host}")
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    if not target.isascii() or not target.isprintable() or " " in target:
        raise ValueError("with a target that is not a path")
    return moment, Ask(target.encode(), _fields(entry["request"].get("headers", ())), method.encode(), 0)


def _fields(headers: Any) -> bytes:
    """The field lines that matter to a static server. Raises ValueError, with the reason in words."""
    try:
        fields = [(one["name"], one["value"]) for one in headers if one["name"].lower() in _KEPT]
        sound = [f"{name}: {value}\r\n" for name, value in fields if value.isascii() and value.isprintable()]
    except (KeyError, TypeError, AttributeError):
        raise ValueError("with an invalid header field") from None
    return "".join(sound).encode()
