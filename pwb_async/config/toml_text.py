"""Options as the text of a TOML file, with the origin of each value behind it."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from .declarations import Declaration, Topic
from .loader import Settings
from .options import DECLARATIONS
from .parsers import Delay, HeaderField, TypeRule
from .toml_file import SITES, TomlFile

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
"""A key of TOML that needs no quotation marks."""
DEFAULT = "default"
"""The origin of a value that is set nowhere."""


def to_toml(settings: Settings, *, only_set: bool) -> Iterator[tuple[str, str]]:
    """Lines of a TOML file, and the origin of what each of them sets; "" for a heading or an empty line.

    An option without a value is a comment, as TOML has no word for that. only_set: leave out what has its default.
    Rules and sites are those of the TOML file, which alone can have them.
    """
    for topic in Topic:
        lines = [*_lines(settings, topic, only_set)]
        if lines:
            yield f"# {topic.value}", ""
            yield from lines
            yield "", ""
    yield from _tables(settings.toml)


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


def _tables(file: TomlFile, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The lines of the tables of a file, or of a site, whose prefix is "sites."."""
    for kind, tables in file.tables():
        for table in tables:
            yield f"[[{prefix}{kind}]]", f"{file.place}: {kind}"
            part = file._replace(table=table)
            inner = {name for name, _ in part.tables()} if kind == SITES else ()
            yield from ((f"{_key(key)} = {_written(value)}", "") for key, value in table.items() if key not in inner)
            yield "", ""
            if inner:
                yield from _tables(part, f"{kind}.")


def _written(value: object) -> str:
    """A value of the file as TOML has it."""
    match value:
        case dict():
            return f"{{ {', '.join(f'{_key(key)} = {_written(each)}' for key, each in value.items())} }}"
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case str():
            return _quote(value)
        case bool():
            return str(value).lower()
    return str(value)


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _quote(name)


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
