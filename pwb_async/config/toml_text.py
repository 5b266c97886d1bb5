"""Options as the text of a TOML file, with the origin of each value behind it."""

import json
from collections.abc import Iterator
from typing import Any

from .declarations import Declaration, Topic
from .loader import Settings
from .options import DECLARATIONS
from .parsers import Delay, HeaderField, TypeRule

DEFAULT = "default"
"""The origin of a value that is set nowhere."""


def to_toml(settings: Settings, *, only_set: bool) -> Iterator[tuple[str, str]]:
    """Lines of a TOML file, and the origin of what each of them sets; "" for a heading or an empty line.

    An option without a value is a comment, as TOML has no word for that. only_set: leave out what has its default.
    """
    for topic in Topic:
        lines = [*_lines(settings, topic, only_set)]
        if lines:
            yield f"# {topic.value}", ""
            yield from lines
            yield "", ""
    for kind, count in _tables(settings).items():
        yield f"# [[{kind}]]: {count}", ""


def _lines(settings: Settings, topic: Topic, only_set: bool) -> Iterator[tuple[str, str]]:
    for name, option in DECLARATIONS.items():
        origin = settings.places.get(name, DEFAULT)
        if option.topic is not topic or not option.belongs_to("pwb") or (only_set and origin == DEFAULT):
            continue
        key, value = option.flag[2:], getattr(settings.options, name)
        if value == () or (value is None and not option.type.zero_word):
            yield f"# {key} is not set", origin
        else:
            yield f"{key} = {toml_value(option, value)}", origin


def _tables(settings: Settings) -> dict[str, int]:
    """How many tables of rules and of sites there are, of each kind that there is any of."""
    rules = settings.options.rules
    counts = {
        "headers": len(rules.headers),
        "redirects and rewrites": len(rules.redirects),
        "access": len(rules.access),
        "sites": len(settings.options.sites),
    }
    return {kind: count for kind, count in counts.items() if count}


def toml_value(option: Declaration, value: Any) -> str:
    """The value of an option as TOML has it."""
    if option.repeatable:
        return f"[{', '.join(_quote(_text(option, each)) for each in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    text = _text(option, value)
    return text if isinstance(value, int) and text.isdigit() else _quote(text)


def _text(option: Declaration, value: Any) -> str:
    """The value as its option reads it."""
    match value:
        case Delay(glob, seconds, jitter):
            return f"{glob}={seconds:g}s~{jitter:g}s"
        case TypeRule(glob, media):
            return f"{glob}={media.decode('latin-1')}"
        case HeaderField(name, content):
            return f"{name.decode('latin-1')}: {content.decode('latin-1')}"
    return option.type.format(value)


def _quote(text: str) -> str:
    """A basic string of TOML, whose escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
